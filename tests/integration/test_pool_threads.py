"""No RSA key is used and no content is encrypted on a thread that serves connections."""
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from harness.environment import environment, executable
from harness.load import enroll
from harness.server import Postern

SHIM = Path(__file__).with_name("rsa_threads.c")
# What one PKCSReq needs at least: message and CSR; certificate and answer.
NEEDED = Counter(verify=2, decrypt=1, decrypt_content=1, sign=2, encrypt=1, encrypt_content=1)


@pytest.fixture
def watched(tmp_path):
    """A server whose CA, too, signs with RSA; and the file of its operations."""
    shim, notes = tmp_path / "rsa_threads.so", tmp_path / "notes"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", shim, SHIM, "-ldl"], check=True)
    configuration = tmp_path / "postern.toml"
    configuration.write_text('[ca]\nroot_key = "rsa-2048"\nissuing_key = "rsa-2048"\n')
    server = Postern(executable(), tmp_path, "pool.test", options=["--config", configuration])
    server.variables = {"LD_PRELOAD": str(shim), "RSA_THREADS": str(notes)}
    server.start()
    notes.write_text("")  # what the start did is nobody's waiting
    try:
        yield server, notes
    finally:
        server.stop()


def operations(notes):
    return [line.split(" ", 1) for line in notes.read_text().splitlines()]


def test_a_scep_enrollment_works_on_the_pool_alone(watched, tmp_path):
    server, notes = watched
    strongswan(server, tmp_path)
    done = operations(notes)
    assert Counter(function for function, _ in done) >= NEEDED
    assert [entry for entry in done if entry[1] != "cpu pool"] == []


def test_an_acme_issuance_from_an_rsa_ca_signs_on_the_pool(watched, tmp_path):
    server, notes = watched
    enroll(server, tmp_path)
    # Contents are TLS's own session tickets here.
    done = [entry for entry in operations(notes) if not entry[0].endswith("_content")]
    assert Counter(function for function, _ in done)["sign"] >= 1
    assert [entry for entry in done if entry[1] != "cpu pool"] == []


# CSR; certificate.
NEEDED_BY_EST = Counter(verify=1, sign=1)


@pytest.mark.parametrize("bits", [2048, 4096])
def test_an_est_enrollment_with_an_rsa_key_works_on_the_pool_alone(watched, tmp_path, bits):
    server, notes = watched
    curl(server, tmp_path, bits)
    done = [entry for entry in operations(notes) if not entry[0].endswith("_content")]
    assert Counter(function for function, _ in done) >= NEEDED_BY_EST
    assert [entry for entry in done if entry[1] != "cpu pool"] == []


def curl(server, folder, bits):
    """simpleenroll; the request's signature is checked by the server alone."""
    user, password = server.basic()
    lines = f"""openssl req -new -newkey rsa:{bits} -nodes -keyout key.pem -subj /CN=gateway -outform DER -out request.der
openssl base64 -in request.der -out request.b64
curl -sS --fail-with-body --cacert {server.root} --user {user}:{password} -H 'Content-Type: application/pkcs10' --data-binary @request.b64 {server.est("equipment")}/simpleenroll"""
    done = subprocess.run(["sh", "-e", "-c", lines], cwd=folder, capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL, env=environment())
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def strongswan(server, folder):
    def pki(*arguments):
        done = subprocess.run(["pki", *map(str, arguments)], cwd=folder, capture_output=True, check=False, timeout=120,
                              stdin=subprocess.DEVNULL, env=environment())
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    (folder / "key.pem").write_bytes(pki("--gen", "--type", "rsa", "--size", "2048", "--outform", "pem"))
    pki("--scepca", "--url", server.scep(), "--caout", "ca.pem", "--raout", "ra.pem", "--outform", "pem", "--force")
    return pki("--scep", "--url", server.scep(), "--cacert-enc", "ra.pem", "--cacert-sig", "ra.pem", "--cacert", "ca-1.pem", "--cacert", "ca.pem",
               "--in", "key.pem", "--dn", "CN=printer", "--password", server.access_code(), "--outform", "pem")
