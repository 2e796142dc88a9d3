"""The manual's script over `openssl ca` (docs/backends/command.md), killed where it hurts: what lookup says is true."""
import json
import os
import signal
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.backends import ShellCa
from harness.environment import environment
from harness.orders import Orders
from house import SUFFIX

# A program of that name, found first, that kills the script's whole process group the first time it is run so.
SHIM = """#!/bin/sh
real=/usr/bin/{program}
case " $* " in
*"{word}"*) if mkdir "{folder}/killed" 2> /dev/null; then {before} kill -s KILL 0; fi ;;
esac
exec $real "$@"
"""
MOMENTS = {
    "before it signs": ("openssl", " ca ", "", "absent"),
    "when it has signed": ("openssl", " ca ", '$real "$@";', "issued"),
    "before the answer is in its place": ("mv", "answers/", "", "issued"),
}


def shim(folder, program, word, before):
    folder.mkdir()
    path = folder / program
    path.write_text(SHIM.format(program=program, word=word, folder=folder, before=before))
    path.chmod(0o755)
    return folder


def request_of(operation):
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")]))
           .sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode())
    content = {"subject": [{"type": "CN", "value": "www.example.com"}], "names": [{"type": "dns", "value": "www.example.com"}],
               "not_before": "2026-11-21T08:59:00Z", "not_after": "2027-02-19T08:58:59Z", "key_usage": ["digitalSignature"],
               "extended_key_usage": ["1.3.6.1.5.5.7.3.1"]}
    return {"operation": operation, "backend": "default/lab", "request": "abcdefghijklmnop", "csr": csr, "content": content}


def ask(ca, request, path="/usr/bin:/bin"):
    return subprocess.run([ca.program], input=json.dumps(request), text=True, capture_output=True, check=False, start_new_session=True,
                          env=environment(PATH=path, CA_HOME=str(ca.home)))


@pytest.mark.parametrize("moment", MOMENTS)
def test_lookup_after_a_kill_says_what_was_signed(tmp_path, moment):
    program, word, before, expected = MOMENTS[moment]
    ca = ShellCa(tmp_path / "ca")
    request = request_of("issue")
    folder = shim(tmp_path / "shim", program, word, before)
    killed = ask(ca, request, f"{folder}:/usr/bin:/bin")
    assert killed.returncode == -signal.SIGKILL, killed
    signed = sorted((ca.home / "new").iterdir())
    assert len(signed) == (1 if expected == "issued" else 0)
    for _ in range(2):
        found = ask(ca, {**request, "operation": "lookup"})
        assert found.returncode == 0, found
        answer = json.loads(found.stdout)
        assert answer["status"] == expected
        if signed:
            assert answer["chain"].startswith(signed[0].read_text())
    assert sorted((ca.home / "new").iterdir()) == signed
    # Nothing is in the way of the next one, nor left behind by the last.
    other = ask(ca, {**request, "request": "ponmlkjihgfedcba"})
    assert json.loads(other.stdout)["status"] == "issued", other
    assert not [path for path in ca.home.iterdir() if path.name.startswith("work.")]
    unknown = ask(ca, {**request, "operation": "lookup", "request": "qqqqqqqqqqqqqqqq"})
    assert json.loads(unknown.stdout)["status"] == "absent"


def test_a_certificate_that_the_killed_script_had_signed_is_delivered_and_revoked(server, web, tmp_path):
    ca = ShellCa(tmp_path / "ca", "killed")
    folder = shim(tmp_path / "shim", "mv", "answers/", "")
    path = tmp_path / "killed.toml"
    path.write_text(ca.document().replace("PATH=/usr/bin:/bin", f"PATH={folder}:/usr/bin:/bin"))
    server.cli("apply", path)
    client = Orders(server, ca.name, web)
    name = f"www.killed.{SUFFIX}"
    url, order = client.ready(name)
    answer, _ = client.finalize(order, name)
    assert answer.body["status"] == "processing"
    assert os.path.isdir(folder / "killed")
    order = client.until(url, lambda body: body["status"] != "processing").body
    assert order["status"] == "valid"
    signed, = (ca.home / "new").iterdir()
    chain = client.chain(order)
    assert chain.startswith(signed.read_text())
    assert client.revoke(chain).status == 200
    assert "R\t" in (ca.home / "index.txt").read_text()
