"""Issue, renew, revoke: what the client got, what openssl says of it, and what Postern stored."""
from types import SimpleNamespace

import pytest

from harness import pki
from harness.clients import KINDS
from harness.suite import node_count
from harness.waiting import until

THOROUGH = pytest.mark.parametrize("client_kind", ["certbot", "lego"])


def assert_issued(server, run, name, tmp_path):
    assert run.status == 0, run.output
    holds, said = pki.verify(run.certificate, run.chain, server.root, tmp_path)
    assert holds, said
    serial = pki.serial(run.certificate)
    stored = {row["serial"]: row for row in server.certificates(name)}
    assert serial in stored
    assert sorted(stored[serial]["names"]) == pki.names(run.certificate)
    assert stored[serial]["status"] != "revoked"
    assert any(record["action"] == "enrollment.issued" for record in server.explain(serial))
    return serial


def revoked_by_list(server, certificate, chain, tmp_path):
    """What openssl says with the list of that moment. Other nodes than the one that revoked look for a newer list each second."""
    def said():
        holds, text = pki.verify(certificate, chain, server.root, tmp_path)
        return None if holds else text
    return said() or "it holds" if node_count() == 1 else until(said, "no node's list has it")


def assert_revoked(server, run, certificate, chain, name, tmp_path):
    assert run.status == 0, run.output
    serial = pki.serial(certificate)
    assert {row["serial"]: row["status"] for row in server.certificates(name)}[serial] == "revoked"
    said = revoked_by_list(server, certificate, chain, tmp_path)
    assert "certificate revoked" in said, said
    assert any(record["action"] == "certificate.revoked" for record in server.explain(serial))


def kept(run, tmp_path):
    """Copies of what a run got: clients move what they renew and revoke."""
    copies = SimpleNamespace(certificate=tmp_path / "kept.pem", chain=tmp_path / "kept-chain.pem")
    for what in ("certificate", "chain"):
        getattr(copies, what).write_bytes(getattr(run, what).read_bytes())
    return copies


def test_issue(server, new_client, name, client_kind, tmp_path):
    names = [name, "www." + name, "mail." + name]
    run = new_client(key="ecdsa").issue(*names)
    assert_issued(server, run, name, tmp_path)
    each_alone = KINDS[client_kind].one_certificate_a_name
    assert pki.names(run.certificate) == ([name] if each_alone else sorted(names))
    for other in names[1:]:
        stored, = server.certificates(other)
        assert sorted(stored["names"]) == ([other] if each_alone else sorted(names))
    assert pki.key(run.certificate) == "EC P-256"


def test_issue_with_account_binding(server, new_client, eab, client_kind, needs, tmp_path):
    needs("binding")
    name = f"{client_kind.replace('_', '-')}.shop.conformance.test"
    run = new_client(endpoint="scoped", eab=eab).issue(name)
    assert_issued(server, run, name, tmp_path)


@THOROUGH
def test_slow_answer_is_awaited(server, new_client, name, web, tmp_path):
    with web("slow") as site:
        run = new_client().issue(name, webroot=site.folder)
    assert_issued(server, run, name, tmp_path)


def test_renew(server, new_client, name, client_kind, tmp_path):
    """Of a client that has no way to revoke, an operator revokes what it holds: its renewal is what it always is, and gets it
    a certificate that holds."""
    client = new_client(key="rsa")
    issued = client.issue(name)
    first = assert_issued(server, issued, name, tmp_path)
    assert pki.key(issued.certificate) == "RSA 2048"
    if "revoke" in KINDS[client_kind].cannot:
        held = kept(issued, tmp_path)
        server.cli("cert", "revoke", first, "--reason", "4")
        assert_revoked(server, issued, held.certificate, held.chain, name, tmp_path)
    renewed = client.renew(name)
    second = assert_issued(server, renewed, name, tmp_path)
    assert pki.key(renewed.certificate) == "RSA 2048"
    assert first != second
    assert {row["serial"] for row in server.certificates(name)} == {first, second}
    assert len(server.certificates(name)) == 2


def test_revoke(server, new_client, name, needs, tmp_path):
    needs("revoke")
    client = new_client()
    issued = client.issue(name)
    assert_issued(server, issued, name, tmp_path)
    held = kept(issued, tmp_path)
    assert_revoked(server, client.revoke(name), held.certificate, held.chain, name, tmp_path)


@THOROUGH
def test_issue_again_after_revocation(server, new_client, name, tmp_path):
    client = new_client()
    issued = client.issue(name)
    revoked = assert_issued(server, issued, name, tmp_path)
    held = kept(issued, tmp_path)
    assert_revoked(server, client.revoke(name), held.certificate, held.chain, name, tmp_path)
    again = assert_issued(server, new_client("another").issue(name), name, tmp_path)
    assert again != revoked
