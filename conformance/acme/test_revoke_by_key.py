"""RFC 8555 7.6: whoever holds the certificate's key may revoke it, with no account. certbot and uacme can."""
import pytest
from test_certificates import assert_issued, assert_revoked, kept

from harness.clients import KINDS


@pytest.mark.parametrize("client_kind", [kind for kind in KINDS if hasattr(KINDS[kind], "revoke_by_key")])
def test_revoke_by_key(server, new_client, name, tmp_path):
    owner = new_client("owner")
    issued = owner.issue(name)
    assert_issued(server, issued, name, tmp_path)
    held = kept(issued, tmp_path)
    run = new_client("finder").revoke_by_key(name, of=owner)
    assert_revoked(server, run, held.certificate, held.chain, name, tmp_path)
