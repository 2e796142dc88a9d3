"""Certificates that ended: a server of its own, whose clock goes forward."""
import os

import pytest

from harness.est_client import EstClient, refused
from harness.server import Postern

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    folder = tmp_path_factory.mktemp("late")
    server = Postern(os.environ["POSTERN"], folder, "late.test")
    server.start()
    try:
        document = folder / "late.toml"
        document.write_text("".join(f"""
[[profile]]
name = "{name}"
lifetime = "30d"
keys = ["ec-p256"]
extended_key_usage = ["clientAuth"]
common_name = "text"
{grace}
[[endpoint]]
name = "{name}"
protocol = "est"
profiles = ["{name}"]
[[account]]
name = "{name}"
endpoint = "{name}"
method = "open"
common_names = ["*"]
""" for name, grace in (("patient", 'renew_after_expiry = "10d"'), ("strict", ""))), encoding="utf-8")
        server.apply(document)
        server.stop()
        server.start()
        yield server
    finally:
        server.stop()


def test_after_the_end(late, tmp_path):
    est = EstClient(late, tmp_path)
    requests = {name: est.request(f"/CN={name}") for name in ("patient", "strict", "revoked")}
    held = {name: est.enroll(endpoint, requests[name]) for name, endpoint in (("patient", "patient"), ("strict", "strict"), ("revoked", "patient"))}
    assert all(answer.status == 200 for answer in held.values())
    late.cli("clock", "advance", "35d")
    # What a client certificate is good for is the same a day after its end as before, but for its end.
    refused(est.reenroll("strict", requests["strict"], held["strict"]), 403, "renewal.validity")
    refused(est.enroll("patient", requests["patient"], identity=held["patient"]), 403, "renewal.validity")
    refused(est.reenroll("patient", est.request("/CN=another"), held["patient"]), 403, "renewal.names")
    from harness.est_client import serial
    late.cli("cert", "revoke", serial(held["revoked"]))
    refused(est.reenroll("patient", requests["revoked"], held["revoked"]), 403, "renewal.status")
    again = est.reenroll("patient", requests["patient"], held["patient"])
    assert again.status == 200, again.text
    late.cli("clock", "advance", "10d")
    refused(est.reenroll("patient", requests["patient"], held["patient"]), 403, "renewal.validity")
