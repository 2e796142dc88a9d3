"""micromdm's client as Debian has it (package scep, 2.1.0): it always digests with SHA-1 and encrypts with DES, and cannot read
certificates with EC keys, so the CA here holds an RSA key. It must be refused, and the log must say what to change."""
import subprocess

import pytest

from harness.environment import environment, executable
from harness.server import Postern

CONFIGURATION = '[ca]\nroot_key = "rsa-2048"\nissuing_key = "rsa-2048"\n'
# The same endpoint, but for devices that are older than SHA-256.
OLD = """
[[endpoint]]
name = "old"
protocol = "scep"
profiles = ["device"]
legacy_algorithms = true

[[account]]
name = "old"
endpoint = "old"
method = "access_code"
common_names = ["*"]
secret = {generate = true}
"""


@pytest.fixture(scope="module")
def rsa_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    (folder / "postern.toml").write_text(CONFIGURATION)
    server = Postern(executable(), folder, "scepclient.test", options=["--config", folder / "postern.toml"])
    server.start()
    try:
        yield server
    finally:
        server.stop()


def refused(server, endpoint, code, folder):
    """What scepclient says, and what the log says of its request."""
    done = subprocess.run(["scepclient", "-server-url", server.scep(endpoint), "-private-key", "key.pem", "-certificate", "cert.pem", "-challenge", code,
                           "-cn", "printer"], cwd=folder, text=True, capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL, env=environment())
    assert done.returncode == 1
    assert not (folder / "cert.pem").exists()
    return done.stdout + done.stderr, server.lines("scep_refused")[-1]


def test_scepclient_is_refused_and_the_log_says_why(rsa_server, tmp_path):
    said, event = refused(rsa_server, "devices", rsa_server.access_code(), tmp_path)
    assert "failInfo: badAlg" in said
    assert (event["check"], event["why"]) == ("scep.digest", "the digest SHA-1 is not allowed here; use SHA-256")


def test_des_is_refused_where_old_devices_are_allowed(rsa_server, tmp_path):
    (tmp_path / "old.toml").write_text(OLD)
    code = rsa_server.apply(tmp_path / "old.toml")["old"]["accessCode"]
    said, event = refused(rsa_server, "old", code, tmp_path)
    assert "failInfo: badAlg" in said
    assert event["check"] == "scep.cipher" and "DES-CBC" in event["why"]
