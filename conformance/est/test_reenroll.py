"""Re-enrollment is by record, for the same names, in its time."""
import pytest

from harness.est_client import refused, serial, subject
from harness.manufacturer import Authority


@pytest.fixture
def enrolled(est, passwords, name):
    """A certificate of endpoint routers, with the request that it came from."""
    request = est.request(f"/CN={name}", sans=["DNS:gate.devices.test", "DNS:door.devices.test"])
    answer = est.enroll("routers", request, user=passwords["operator"])
    assert answer.status == 200, answer.text
    return answer


def test_same_key_and_another(est, enrolled, name):
    again = est.reenroll("routers", est.request(f"/CN={name}", key=enrolled.key, sans=["DNS:gate.devices.test", "DNS:door.devices.test"]), enrolled)
    assert again.status == 200, again.text
    # A set, whose names have no letter case.
    fresh = est.reenroll("routers", est.request(f"/CN={name}", sans=["DNS:DOOR.devices.test", "DNS:gate.devices.test"]), again)
    assert fresh.status == 200 and serial(fresh) != serial(again), fresh.text
    refused(est.reenroll("routers", est.request(f"/CN={name.upper()}", sans=["DNS:gate.devices.test", "DNS:door.devices.test"]), again), 403, "renewal.names")


def test_simpleenroll_renews_too(est, enrolled, name):
    answer = est.enroll("routers", est.request(f"/CN={name}", sans=["DNS:gate.devices.test", "DNS:door.devices.test"]), identity=enrolled)
    assert answer.status == 200, answer.text


@pytest.mark.parametrize("wish, sans", [("/CN=another", ("gate", "door")), ("{}/O=Example", ("gate", "door")), ("/O=Example{}", ("gate", "door")), ("{}/CN=two", ("gate", "door")),
                                        ("{}", ("gate",)), ("{}", ()), ("{}", ("gate", "door", "third"))])
def test_other_names(est, enrolled, name, wish, sans):
    request = est.request(wish.replace("{}", f"/CN={name}"), key=enrolled.key, sans=[f"DNS:{label}.devices.test" for label in sans])
    refused(est.reenroll("routers", request, enrolled), 403, "renewal.names")


def test_rewritten_subject_by_its_request(est, passwords, name):
    """The profile leaves O out; the client sends its first request again."""
    request = est.request(f"/O=Example/CN={name}")
    answer = est.enroll("routers", request, user=passwords["operator"])
    assert answer.status == 200 and subject(answer) == f"CN={name}"
    assert est.reenroll("routers", request, answer).status == 200
    assert est.reenroll("routers", est.request(f"/CN={name}"), answer).status == 200


def test_without_a_certificate(est, passwords, name):
    refused(est.ask("routers", "simplereenroll", est.request(f"/CN={name}"), user=passwords["operator"]), 403, "renewal.record")


def test_other_endpoints(est, enrolled, name):
    refused(est.reenroll("listed", est.request(f"/CN={name}"), enrolled), 403, "renewal.record", "not issued at this endpoint")
    refused(est.enroll("listed", est.request(f"/CN={name}"), identity=enrolled), 403, "renewal.record")


def test_manufacturers_never(est, maker):
    refused(est.reenroll("routers", est.request("/CN=SN-2001"), maker.device("SN-2001")), 403, "renewal.record")


def test_look_alikes(est, enrolled, maker, name):
    from cryptography import x509
    real = x509.load_pem_x509_certificate(enrolled.chain.read_bytes())
    forged = Authority(real.issuer)
    same = maker.device(cn=name, issuer=forged, send=[forged])
    refused(est.reenroll("routers", est.request(f"/CN={name}"), same), 403, "renewal.record")
    refused(est.enroll("routers", est.request(f"/CN={name}"), identity=same), 403, "credential.certificate")
    own = Authority(name)
    refused(est.reenroll("routers", est.request(f"/CN={name}"), maker.device(cn=name, issuer=own, send=[own])), 403, "renewal.record")


def test_revoked_never(est, server, enrolled, name):
    server.cli("cert", "revoke", serial(enrolled))
    request = est.request(f"/CN={name}", sans=["DNS:gate.devices.test", "DNS:door.devices.test"])
    for answer in (est.reenroll("routers", request, enrolled), est.enroll("routers", request, identity=enrolled)):
        refused(answer, 403, "renewal.status", "revoked")


def test_change_of_names_is_refused(est, enrolled, name, passwords):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID
    from harness.manufacturer import new_key
    key, other = new_key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "admin")])
    wish = b"\x30" + bytes([len(other.public_bytes())]) + other.public_bytes()
    csr = (x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
           .add_attribute(x509.ObjectIdentifier("1.3.6.1.5.5.7.7.36"), wish).sign(key, hashes.SHA256()))
    request = est.request(f"/CN={name}")
    request.file.write_bytes(csr.public_bytes(serialization.Encoding.PEM))
    refused(est.reenroll("routers", request, enrolled), 403, "renewal.change_subject")
    refused(est.enroll("routers", request, user=passwords["operator"]), 403, "renewal.change_subject")


def test_keys_are_not_reused_where_the_profile_says_so(est, passwords, name):
    request = est.request(f"/CN={name}")
    answer = est.enroll("fresh", request, user=passwords["fresh"])
    assert answer.status == 200, answer.text
    refused(est.reenroll("fresh", request, answer), 403, "key.reuse")
    assert est.reenroll("fresh", est.request(f"/CN={name}"), answer).status == 200


def test_password_of_another_account(est, passwords, enrolled, name):
    request = est.request(f"/CN={name}", sans=["DNS:gate.devices.test", "DNS:door.devices.test"])
    refused(est.reenroll("routers", request, enrolled, user=passwords["neighbour"]), 403, "credential.one_identity")
    refused(est.reenroll("routers", request, enrolled, user="operator:wrong-here"), 401, "credential.known")
    assert est.reenroll("routers", request, enrolled, user=passwords["operator"]).status == 200
