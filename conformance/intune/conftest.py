"""The stand-in of the suite, and its own tests' client. Cases with a real Postern stand beside."""
import pytest
from cryptography import x509
from harness import pkcs10
from harness.seeded import Random, rsa_key

from intune.client import IntuneStandIn
from intune.plain_client import Client


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
