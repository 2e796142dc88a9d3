"""Every refusal reaches the person at the client in words, and leaves no certificate."""
import pytest

from harness.clients import KINDS, own_folder

THOROUGH = pytest.mark.parametrize("client_kind", ["certbot", "lego"])


def test_wrong_content(new_client, name, web, refused):
    with web("wrong") as site:
        run = new_client().issue(name, webroot=site.folder)
    # Nothing of a private target's answer is shown to whoever asked for the name.
    refused(run, name, "the answer is not status 200 with the key authorization")
    assert "this is no key authorization" not in run.words
    assert any(host.split(":")[0] == name for _, host in site.asked)


@THOROUGH
def test_absent_file(new_client, name, web, refused):
    with web("absent") as site:
        run = new_client().issue(name, webroot=site.folder)
    refused(run, name, "the answer is not status 200 with the key authorization")


@THOROUGH
def test_redirect_elsewhere(new_client, name, web, refused):
    with web("moved") as site:
        run = new_client().issue(name, webroot=site.folder)
    refused(run, name, "redirects to another name or path")
    assert not any(path.startswith("/moved/") for path, _ in site.asked)


@THOROUGH
def test_closed_port(server, new_client, name, scratch, refused):
    run = new_client().issue(name, webroot=own_folder(scratch / "site"))
    refused(run, name, "connect", str(server.http01_port))


def test_name_outside_scope(new_client, name, eab, needs, refused):
    needs("binding")
    run = new_client(endpoint="scoped", eab=eab).issue(name)
    records = refused(run, name, "outside the scope of account shop", "shop.conformance.test", "names.scope")
    assert any(r["outcome"] == "refused" and r["check"] == "names.scope" for r in records)


@THOROUGH
def test_scope_refuses_the_whole_order(new_client, name, eab, client_kind, refused):
    inside = f"inside-{client_kind}.shop.conformance.test"
    run = new_client(endpoint="scoped", eab=eab).issue(inside, name)
    refused(run, name, "outside the scope of account shop")
    refused(run, stored_for=inside)


@THOROUGH
def test_wildcard_with_http_01(new_client, name, refused):
    run = new_client().issue("*." + name)
    refused(run, name, "wildcard", "http-01", stored_for="*." + name)


def test_account_binding_required(new_client, name, client_kind, refused):
    run = new_client(endpoint="scoped").issue(name)
    refused(run, KINDS[client_kind].account_required)


@THOROUGH
def test_account_binding_with_another_key(new_client, name, eab, refused):
    wrong = type(eab)(eab.key_id, "A" * len(eab.mac_key))
    run = new_client(endpoint="scoped", eab=wrong).issue("a.shop.conformance.test")
    refused(run, "external", stored_for="a.shop.conformance.test")
