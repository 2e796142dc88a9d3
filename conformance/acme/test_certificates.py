"""Issue, renew, revoke: what the client got, what openssl says of it, and what Postern stored."""
from harness import pki


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


def assert_revoked(server, run, certificate, chain, name, tmp_path):
    assert run.status == 0, run.output
    serial = pki.serial(certificate)
    assert {row["serial"]: row["status"] for row in server.certificates(name)}[serial] == "revoked"
    holds, said = pki.verify(certificate, chain, server.root, tmp_path)
    assert not holds
    assert "certificate revoked" in said
    assert any(record["action"] == "certificate.revoked" for record in server.explain(serial))


def test_issue(server, new_client, name, tmp_path):
    run = new_client().issue(name)
    assert_issued(server, run, name, tmp_path)
    assert pki.names(run.certificate) == [name]


def test_issue_several_names(server, new_client, name, tmp_path):
    names = [name, "www." + name, "mail." + name]
    run = new_client().issue(*names)
    assert_issued(server, run, name, tmp_path)
    assert pki.names(run.certificate) == sorted(names)


def test_issue_with_account_binding(server, new_client, eab, client_kind, tmp_path):
    name = f"{client_kind}.shop.conformance.test"
    run = new_client(endpoint="scoped", eab=eab).issue(name)
    assert_issued(server, run, name, tmp_path)


def test_slow_answer_is_awaited(server, new_client, name, web, tmp_path):
    with web("slow") as site:
        run = new_client().issue(name, webroot=site.folder)
    assert_issued(server, run, name, tmp_path)


def test_renew(server, new_client, name, tmp_path):
    client = new_client()
    first = assert_issued(server, client.issue(name), name, tmp_path)
    second = assert_issued(server, client.renew(name), name, tmp_path)
    assert first != second
    assert [row["serial"] for row in server.certificates(name)] == [first, second]


def test_revoke(server, new_client, name, tmp_path):
    client = new_client()
    issued = client.issue(name)
    assert_issued(server, issued, name, tmp_path)
    assert_revoked(server, client.revoke(name), issued.certificate, issued.chain, name, tmp_path)


def test_issue_again_after_revocation(server, new_client, name, tmp_path):
    client = new_client()
    issued = client.issue(name)
    revoked = assert_issued(server, issued, name, tmp_path)
    certificate, chain = tmp_path / "first.pem", tmp_path / "chain.pem"
    certificate.write_bytes(issued.certificate.read_bytes())
    chain.write_bytes(issued.chain.read_bytes())
    assert_revoked(server, client.revoke(name), certificate, chain, name, tmp_path)
    again = assert_issued(server, new_client("another").issue(name), name, tmp_path)
    assert again != revoked
