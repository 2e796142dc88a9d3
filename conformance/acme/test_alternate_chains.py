"""RFC 8555 7.4.2: a CA whose root was succeeded offers a chain to each, and a client takes the one it is told to. certbot and lego can."""
import pytest
from cryptography import x509

from harness import rollover
from harness.clients import KINDS, own_folder
from harness.suite import SUFFIX

END = b"-----END CERTIFICATE-----\n"


def common_name(subject):
    return subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


def roots_of(server):
    """The common names of the former root and of the one that has taken over."""
    former = x509.load_pem_x509_certificate(open(server.root, "rb").read())
    today = rollover.await_takeover(server, rollover.succeed_root(server))
    return common_name(former.subject), common_name(x509.load_der_x509_certificate(today).subject)


@pytest.mark.parametrize("client_kind", [kind for kind in KINDS if hasattr(KINDS[kind], "prefer_chain")])
def test_preferred_chain(own_server, client_kind, scratch):
    roots = roots_of(own_server)
    assert roots[0] != roots[1]
    for number, root in enumerate(roots):
        client = KINDS[client_kind](own_server, own_folder(scratch / f"client-{number}"))
        client.prefer_chain(root)
        issued = client.issue(f"{client_kind}-{number}.{SUFFIX}")
        assert issued.status == 0, issued.output
        blocks = [block for block in issued.chain.read_bytes().split(END) if block.strip()]
        assert common_name(x509.load_pem_x509_certificate(blocks[-1] + END).issuer) == root, issued.chain.read_text()
