"""RFC 8555 7.6: whoever holds the certificate's key may revoke it, with no account. certbot can."""
import pytest
from test_certificates import assert_issued, assert_revoked


@pytest.fixture(params=["certbot"])
def client_kind(request):
    return request.param


def test_revoke_by_key(server, new_client, name, tmp_path):
    owner = new_client("owner")
    issued = owner.issue(name)
    assert_issued(server, issued, name, tmp_path)
    run = new_client("finder").revoke_by_key(name, of=owner)
    assert_revoked(server, run, issued.certificate, issued.chain, name, tmp_path)
