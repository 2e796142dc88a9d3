"""The stand-in of the suite, its own tests' client, and a real Postern with simulated devices between them."""
import pytest
from cryptography import x509
from harness import pkcs10
from harness.row_table import Table
from harness.seeded import Random, rsa_key
from harness.suite import database, own_server, server  # noqa: F401  (fixtures)

from intune.client import IntuneStandIn
from intune.plain_client import Client
from intune.site import Site


def pytest_configure(config):
    Table(["S09"], frozenset(), "POSTERN_INTUNE_ROWS").register(config)


@pytest.fixture(scope="session")
def standin():
    with IntuneStandIn() as started:
        yield started


@pytest.fixture
def tenant(standin):
    """One that no other case uses; nothing that others said of all tenants holds."""
    standin.reset()
    return standin.of(standin.add_tenant()["id"])


@pytest.fixture
def client(standin, tenant):
    return Client(tenant.tenant(), standin.ca)


@pytest.fixture(scope="session")
def device_key():
    return rsa_key(Random("intune device"))


@pytest.fixture(scope="session")
def make_csr(device_key):
    """A CSR as a device makes it; the arguments are those of pkcs10.csr."""

    def make(challenge=None, subject=(("CN", "phone"),), key=None, **knobs):
        knobs.setdefault("challenges", [] if challenge is None else [pkcs10.challenge(challenge)])
        return pkcs10.csr(key or device_key, pkcs10.name(subject), Random("csr"), **knobs)

    return make


@pytest.fixture(scope="session")
def certificate(device_key):
    random = Random("certificate")
    return x509.load_der_x509_certificate(pkcs10.certificate(device_key, pkcs10.name([("CN", "phone")]), random, serial=0xABCDEF0123456789,
                                                             issuer=pkcs10.name([("CN", "Issuing")]), issuer_key=device_key))


@pytest.fixture(scope="session")
def make_site(server, standin, tmp_path_factory):
    """Applies the documents of another endpoint; names count up."""
    folder, made = tmp_path_factory.mktemp("documents"), []

    def make(**how):
        made.append(None)
        return Site(server, standin, folder, f"site{len(made)}", **how)

    return make


@pytest.fixture(scope="session")
def shared_site(make_site):
    return make_site(within="20s")


@pytest.fixture
def site(standin, shared_site):
    """For cases after which Intune is well: nothing that others scripted holds."""
    standin.reset()
    return shared_site


@pytest.fixture
def own_site(standin, make_site):
    """For cases after which nobody should have to ask the same Azure account: its breaker is its own."""
    standin.reset()
    return make_site
