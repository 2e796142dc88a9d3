"""RFC 8555 7.3.5: an account goes on under a new key, and what it holds stays its own. uacme and node's acme-client can."""
import pytest
from test_certificates import assert_issued, assert_revoked, kept

from harness.clients import KINDS
from harness.wire import ask


@pytest.mark.parametrize("client_kind", [kind for kind in KINDS if hasattr(KINDS[kind], "change_key")])
def test_change_of_the_account_key(server, new_client, name, tmp_path):
    if b"keyChange" not in ask(server.directory(), root=server.root).body:
        pytest.skip("the server does not offer keyChange")
    client = new_client()
    issued = client.issue(name)
    assert_issued(server, issued, name, tmp_path)
    held = kept(issued, tmp_path)
    changed = client.change_key(name)
    assert changed.status == 0, changed.output
    assert_revoked(server, client.revoke(name), held.certificate, held.chain, name, tmp_path)
