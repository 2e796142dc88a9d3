"""A profile that wants requests bound to their TLS connection, behind a proxy that ends TLS: said at each start, and by the doctor."""
import json

import pytest
from cryptography.hazmat.primitives import serialization

from harness.manufacturer import Manufacturer

DOCUMENT = """
[[profile]]
name = "bound"
lifetime = "30d"
extended_key_usage = ["clientAuth"]
common_name = "text"
challenge_password = "binding"
require_binding = REQUIRED

[[endpoint]]
name = "gates"
protocol = "est"
profiles = ["bound"]
enabled = ENABLED
"""


def warnings(server):
    lines = [line for line in server.log.read_text().splitlines() if '"event":"est_binding_behind_proxy"' in line]
    return [json.loads(line)["endpoint"] for line in lines]


def finding(server, *options):
    done = server.verb("doctor", "--data", server.data, "--lab", "--json", *options)
    [found] = [f for f in json.loads(done.stdout)["findings"] if f["check"] == "store.channel_binding"]
    return found


@pytest.mark.parametrize("proxy, required, enabled, warned", [(True, True, True, True), (False, True, True, False), (True, False, True, False), (True, True, False, False)],
                         ids=["proxy", "no_proxy", "not_required", "disabled"])
def test_warning(new_server, tmp_path, proxy, required, enabled, warned):
    options = ()
    if proxy:
        known, config = tmp_path / "proxy.pem", tmp_path / "postern.toml"
        known.write_bytes(Manufacturer(tmp_path).device("proxy").certificate.public_bytes(serialization.Encoding.PEM))
        config.write_text(f'[est]\nproxy_certificates = ["{known}"]\n')
        options = ("--config", config)
    server = new_server(options=options)
    server.start()
    assert (warnings(server), finding(server)["verdict"]) == ([], "good")
    document = tmp_path / "gates.toml"
    document.write_text(DOCUMENT.replace("REQUIRED", str(required).lower()).replace("ENABLED", str(enabled).lower()))
    server.apply(document)
    found = finding(server)
    assert found["verdict"] == ("notice" if warned else "good")
    assert found["what"].endswith(": gates") == warned
    server.stop()
    assert finding(server, *options) == found  # of a stopped one, too
    server.start()
    assert warnings(server) == (["gates"] if warned else [])
