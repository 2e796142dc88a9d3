"""The laboratory's clock: set forward on the control socket, followed by whatever dates something, and for good."""
import json
import sqlite3
import time
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from harness.management import await_readiness, crl_url, readiness
from harness.scep_device import Device
from harness.scep_style import STYLES
from harness.wire import ask

DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgres"])
def laboratory(request, new_server, tmp_path):
    """Started, with the access code of its SCEP endpoint as `code`."""
    options = {}
    if request.param == "postgres":
        options["options"] = ("--store", request.getfixturevalue("cluster").database().url)
    server = new_server(**options)
    server.start()
    first = (server.data / "first-account").read_text()
    server.code = first.split('access_code = "')[1].split('"')[0]
    return server


def ahead(server):
    return json.loads(server.cli("clock", "--json", *server.options)).get("laboratory_ahead_seconds", 0)


def until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < end, what
        time.sleep(0.1)


def own_tls(server):
    return x509.load_pem_x509_certificate((server.data / "tls/server.pem").read_bytes())


def crl(server):
    return x509.load_der_x509_crl(ask(crl_url(server)).body)


def device(server, key=None):
    return Device(server.scep(), STYLES["android"], subject=[("CN", "phone")], key=key).discover()


def begin(certificate):
    return certificate.not_valid_before.replace(tzinfo=timezone.utc)


def test_everything_follows_the_clock(laboratory):
    server = laboratory
    tls, lists = own_tls(server), crl(server)
    said = server.cli("clock", "advance", "61d")
    assert "laboratory       " in said and "They agree." in said, said
    assert ahead(server) == 61 * 86400
    assert readiness(server) == (200, "ready\nthe laboratory's clock is 61d ahead\n")
    future = datetime.now(timezone.utc) + 61 * DAY
    # 90 days: a third is left. The CRL's seven days are over.
    renewed = until(lambda: (now := own_tls(server)).serial_number != tls.serial_number and now, "the server's TLS certificate was not renewed")
    assert abs(begin(renewed) - future) < timedelta(minutes=15)
    until(lambda: crl(server).last_update != lists.last_update, "no CRL was signed")
    fresh = crl(server)
    assert abs(fresh.last_update.replace(tzinfo=timezone.utc) - future) < timedelta(minutes=15)
    phone = device(server)
    issued = phone.enroll(server.code).certificate
    assert abs(begin(issued) - future) < timedelta(minutes=15)
    records = server.explain(f"{issued.serial_number:032x}")
    assert records and all(record["at"].startswith(future.strftime("%Y-%m")) for record in records), records
    # Again, from where it stands.
    server.cli("clock", "advance", "12h")
    assert ahead(server) == 61 * 86400 + 12 * 3600
    assert server.events("laboratory_clock") == 2


def test_it_is_a_fact_of_the_store(laboratory):
    server = laboratory
    server.cli("clock", "advance", "400d")
    server.stop()
    # Records of the future are no reason to doubt this machine's clock.
    server.start()
    assert readiness(server) == (200, "ready\nthe laboratory's clock is 400d ahead\n")
    server.stop()
    assert ahead(server) == 400 * 86400, "a verb without a server goes by it too"
    server.lab = False
    status, said = server.start_refused()
    assert status == 1
    assert "this installation is a laboratory's: its clock was set 400d forward" in said and "Start it with --lab" in said, said


@pytest.mark.parametrize("by, why", [("0d", "expected a duration"), ("-1d", "expected a duration"), ("soon", "expected a duration"), ("60000d", "more than 50 years")])
def test_what_is_no_way_forward_is_refused(server, by, why):
    done = server.verb("clock", "advance", "--data", server.data, "--", by)
    assert done.returncode == 1 and why in done.stderr, done.stderr
    assert ahead(server) == 0


def test_only_a_laboratory_that_runs_has_it(new_server):
    server = new_server(lab=False)
    server.start()
    done = server.verb("clock", "advance", "30d", "--data", server.data)
    assert done.returncode == 1 and "this server was started without --lab" in done.stderr, done.stderr
    assert ahead(server) == 0 and readiness(server) == (200, "ready\n")
    server.stop()
    done = server.verb("clock", "advance", "30d", "--data", server.data)
    assert done.returncode == 1 and "no server runs on this data folder" in done.stderr, done.stderr
    with sqlite3.connect(server.data / "postern.db") as database:
        assert not database.execute("SELECT value FROM setting WHERE name LIKE 'laboratory%'").fetchall()


def test_the_network_does_not_know_the_route(server):
    answer = ask(server.ready["acme"]["default"].split("/acme")[0] + "/lab/clock", b'{"advance":"30d"}', server.root)
    assert answer.status == 404


def test_doctor_says_so_and_examines_by_it(new_server):
    server = new_server()
    server.start()
    server.cli("clock", "advance", "30d")
    done = server.verb("doctor", "--data", server.data, "--json")
    found = {f["check"]: f for f in json.loads(done.stdout)["findings"]}
    assert found["clock.laboratory"]["verdict"] == "notice" and "30d forward" in found["clock.laboratory"]["what"]
    assert found["clock.store"]["verdict"] == "good", found["clock.store"]
    await_readiness(server, 200)

