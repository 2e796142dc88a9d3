"""Certificates of CAs behind a command (docs/backends/command.md), through real clients."""
import re
import subprocess
import threading
import time

import pytest
from cryptography import x509

from harness.backends import OfficeCa, ShellCa, StandInCa
from harness.clients import KINDS

THOROUGH = pytest.mark.parametrize("client_kind", ["certbot", "lego"])


def certificates(path):
    return re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", path.read_bytes(), re.DOTALL)


def verified(run, root):
    """openssl's word, with the chain that the client was given."""
    done = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", root, "-untrusted", run.chain, run.certificate],
                          text=True, capture_output=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def describe(server, tmp_path):
    def apply(ca, **keys):
        path = tmp_path / f"{ca.name}.toml"
        path.write_text(ca.document(**keys))
        server.apply(path)
        return ca

    return apply


def label(text):
    """A name of a document: the case's, so that no two cases share a CA."""
    return text.split(".")[0][:40].strip("-")


@pytest.mark.parametrize("client_kind", ["mod_md"])
def test_foreign_root_that_signs_itself(new_client, describe, name, tmp_path):
    """mod_md takes no chain of one certificate: here the root is its second."""
    ca = describe(ShellCa(tmp_path / "shell", label(name)))
    run = new_client(endpoint=ca.name).issue(name)
    assert run.status == 0, run.output
    assert [x509.load_pem_x509_certificate(pem).subject.rfc4514_string() for pem in certificates(run.chain)[1:]] == ["CN=Laboratory CA"]
    assert verified(run, ca.root)[0]


@THOROUGH
def test_foreign_shell_script(server, new_client, describe, name, tmp_path):
    ca = describe(ShellCa(tmp_path / "shell", label(name)))
    client = new_client(endpoint=ca.name)
    run = client.issue(name)
    assert run.status == 0, run.output
    assert verified(run, ca.root) == (True, f"{run.certificate}: OK\n")
    assert client.revoke(name).status == 0
    assert [row["status"] for row in server.certificates(name)] == ["revoked"]
    assert "\nR\t" in "\n" + (ca.home / "index.txt").read_text()


@pytest.mark.parametrize("client_kind", sorted(set(KINDS) - {"acmetool"}))
def test_foreign_pending_then_approved(server, new_client, describe, name, tmp_path):
    """Clients wait for the person, each in its own way: no other case has them poll an order that is processing. acmetool does so too,
    and lets minutes pass before it looks again."""
    ca = describe(OfficeCa(tmp_path / "office", label(name)))

    client_ended = threading.Event()

    def approve():
        while not client_ended.is_set():
            if ca.waiting():
                ca.decide(ca.waiting()[0])
                return
            time.sleep(0.05)

    person = threading.Thread(target=approve, daemon=True)
    person.start()
    run = new_client(endpoint=ca.name).issue(name)
    client_ended.set()
    person.join(30)
    assert run.status == 0, run.output
    assert len(ca.waiting()) == 1, "the certificate came without the person"
    assert verified(run, ca.root)[0]
    assert len(server.certificates(name)) == 1


@THOROUGH
def test_foreign_stand_in(server, new_client, describe, name, tmp_path):
    """A chain of two: the client gets the issuing CA, and not the root."""
    ca = describe(StandInCa(tmp_path / "ca", label(name)))
    run = new_client(endpoint=ca.name).issue(name)
    assert run.status == 0, run.output
    assert verified(run, ca.root)[0]
    issuers = [x509.load_pem_x509_certificate(pem) for pem in certificates(run.chain)]
    assert [each.subject.rfc4514_string() for each in issuers] == ["CN=issuing"]
    assert list(ca.submissions().values()) == [1]


@THOROUGH
def test_foreign_refusal(new_client, describe, name, refused, tmp_path):
    ca = describe(StandInCa(tmp_path / "ca", label(name)))
    ca.behave(issue="refused")
    run = new_client(endpoint=ca.name).issue(name)
    refused(run, "not on a Sunday")
    assert list(ca.submissions().values()) == [1]
