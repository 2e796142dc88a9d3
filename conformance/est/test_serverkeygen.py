"""Keys that the server makes (RFC 7030 §4.4): for one answer, and nowhere else."""
import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

from device import CERTS_ONLY, body, new_key, openssl, refused, request, text
from harness import der, pkcs10
from harness.row_table import row

DECRYPT_KEY, ASYMMETRIC_KEY, CAPABILITIES = "1.2.840.113549.1.9.16.2.37", "1.2.840.113549.1.9.16.2.54", "1.2.840.113549.1.9.15"
AES_256, AES_128, TRIPLE_DES = "2.16.840.1.101.3.4.1.42", "2.16.840.1.101.3.4.1.2", "1.2.840.113549.3.7"
AGREED_BY_SHA_256 = "1.3.132.1.11.1"
KEY_PACKAGE = "2.16.840.1.101.2.1.2.78.5"


def ask(site, endpoint, octets, account=None, **options):
    return site.enroll(endpoint, octets, account, operation="serverkeygen", **options)


def parts(answer):
    """[(type, octets)] of a multipart body, read as the smallest readers do."""
    assert answer.status == 200, answer.text
    found = re.fullmatch(r"multipart/mixed; boundary=([A-Za-z0-9_-]{1,70})", answer.headers["content-type"])
    assert found, answer.headers
    line = "--" + found[1]
    assert answer.text.startswith(line + "\r\n") and answer.text.endswith(f"\r\n{line}--\r\n")
    out = []
    for part in answer.text.removesuffix(f"{line}--\r\n").split(line + "\r\n")[1:]:
        head, content = part.split("\r\n\r\n", 1)
        kind = re.fullmatch(r"Content-Type: (.+)\r\nContent-Transfer-Encoding: base64", head)
        assert kind, head
        assert all(len(each) <= 64 for each in content.split("\r\n"))
        out.append((kind[1], base64.b64decode(content)))
    return out


def pair(answer):
    """The key that came in clear, and its certificate."""
    (key_type, key), (certificate_type, chain) = parts(answer)
    assert (key_type, certificate_type) == ("application/pkcs8", CERTS_ONLY)
    key, issued = load_der_private_key(key, None), load_der_pkcs7_certificates(chain)
    assert len(issued) == 1 and issued[0].public_key().public_numbers() == key.public_key().public_numbers()
    return key, issued[0]


def test_a_key_and_its_certificate(site, name):
    hint = new_key()
    key, issued = pair(ask(site, "proof-device", request(hint, name)))
    assert isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"
    assert issued.subject.rfc4514_string() == f"CN={name}"
    assert key.public_key().public_numbers() != hint.public_key().public_numbers()


def test_the_requests_key_is_a_hint(site, name):
    key, _ = pair(ask(site, "proof-device", request(new_key("rsa"), name)))
    assert isinstance(key, rsa.RSAPrivateKey) and key.key_size == 2048


@pytest.mark.parametrize("broken", ["signature", "foreign signature", "no key"])
def test_the_requests_key_and_signature_count_for_nothing(site, name, broken):
    key = new_key()
    octets = {"signature": lambda: request(key, name, bad_signature=True),
              "foreign signature": lambda: request(key, name, spki_of=new_key()),
              "no key": lambda: der.sequence(der.sequence(der.integer(0), pkcs10.name([("CN", name)]), der.sequence(der.sequence(der.oid("1.2.3")), der.bits(b"")),
                                                          der.context(0)), der.sequence(der.oid("1.2.3")), der.bits(b""))}[broken]()
    pair(ask(site, "proof-device", octets))
    assert site.enroll("proof-device", octets).status == 400


def test_each_answer_has_a_key_of_its_own_and_the_one_before_is_revoked(site, name):
    octets = request(new_key(), name)
    first, former = pair(ask(site, "proof-device", octets))
    second, current = pair(ask(site, "proof-device", octets))
    assert first.public_key().public_numbers() != second.public_key().public_numbers()
    state = {row["serial"].lower().lstrip("0"): row["status"] for row in site.server.all_certificates()}
    assert state[format(former.serial_number, "x")] == "revoked" and state[format(current.serial_number, "x")] == "issued"


def test_another_name_is_another_request(site, name):
    _, first = pair(ask(site, "proof-device", request(new_key(), name)))
    pair(ask(site, "proof-device", request(new_key(), name + "-b")))
    state = {row["serial"].lower().lstrip("0"): row["status"] for row in site.server.all_certificates()}
    assert state[format(first.serial_number, "x")] == "issued"


@row("E07")
def test_the_key_is_nowhere_on_the_server(site, name):
    key, _ = pair(ask(site, "proof-device", request(new_key(), name)))
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    forms = [secret, secret.hex().encode(), base64.b64encode(secret)[2:-4], base64.urlsafe_b64encode(secret)[2:-4]]
    server = getattr(site.server, "first", site.server)
    files = [path for path in [*server.data.rglob("*"), server.log] if path.is_file()]
    assert len(files) > 3
    assert [(path, form) for path in files for form in forms if form in path.read_bytes()] == []


def test_it_is_not_there_by_default(site, name):
    refused(ask(site, "proof-bound", request(new_key(), name)), 404, "est.serverkeygen")


@row("E07")
@pytest.mark.parametrize("endpoint,account", [("proof-web", "proof-web"), ("proof-device", "proof-device-web")])
def test_never_for_tls_servers(site, endpoint, account):
    octets = request(new_key(), "www.conformance.test", dns=["www.conformance.test"])
    answer = refused(ask(site, endpoint, octets, account), 403, "serverkeygen.profile")
    assert site.server.explain(answer.text.split("(ref ")[1].split(")")[0])[0]["check"] == "serverkeygen.profile"


def test_not_where_an_officer_decides(site, name):
    refused(ask(site, "proof-waiting", request(new_key(), name)), 403, "serverkeygen.profile")


def test_policy_judges_the_names(site):
    refused(ask(site, "proof-device", request(new_key(), "", subject=[])), 400, "names.form")


def test_nobody_is_refused(site, name):
    with site.connect("proof-device") as connection:
        assert connection.ask("POST", "serverkeygen", body(request(new_key(), name))).status == 401


def test_the_binding_is_judged(site, name):
    with site.connect("proof-device") as connection:
        ask_for = [site.credentials("proof-device")]
        wrong = connection.ask("POST", "serverkeygen", body(request(new_key(), name, [text(bytes(32))])), **ask_for[0])
        refused(wrong, 400, "proof.binding")
        pair(connection.ask("POST", "serverkeygen", body(request(new_key(), name, [text(connection.exporter())])), **ask_for[0]))


def test_an_account_has_a_quota(site, name):
    with site.connect("proof-big") as connection:  # one node's
        kinds = [connection.ask("POST", "serverkeygen", body(request(new_key(), f"{name}-{number}")), **site.credentials("proof-big")) for number in range(3)]
    assert [each.status for each in kinds] == [200, 200, 429], kinds[-1].text
    refused(kinds[2], 429, "serverkeygen.quota")
    assert 30 <= int(kinds[2].headers["retry-after"]) <= 3600
    assert pair(kinds[0])[0].key_size == 3072


def encrypted_request(name, identifier, kind=ASYMMETRIC_KEY, capabilities=(AES_256,)):
    attributes = [pkcs10.attribute(kind, der.octets(identifier))]
    if capabilities:
        attributes.append(pkcs10.attribute(CAPABILITIES, der.sequence(*(der.sequence(der.oid(each)) for each in capabilities))))
    return request(new_key(), name, attributes=attributes)


def key_identifier(chain):
    found = openssl("x509", "-in", chain, "-noout", "-ext", "subjectKeyIdentifier").decode()
    return bytes.fromhex(re.search(r"((?:[0-9A-F]{2}:){19}[0-9A-F]{2})", found)[1].replace(":", ""))


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("cipher", [AES_256, AES_128])
def test_a_key_encrypted_for_the_clients_certificate(site, name, tmp_path, kind, cipher):
    held = site.pair(tmp_path, name=name, kind=kind)
    octets = encrypted_request(name, key_identifier(held[0]), capabilities=[TRIPLE_DES, cipher])
    with site.connect("proof-device", certificate=held) as connection:
        (key_type, envelope), (_, chain) = parts(connection.ask("POST", "serverkeygen", body(octets)))
    assert key_type == "application/pkcs7-mime; smime-type=server-generated-key"
    (tmp_path / "envelope").write_bytes(envelope)
    assert der.oid(cipher) in envelope
    assert kind == "rsa" or der.oid(AGREED_BY_SHA_256) in envelope
    signed = openssl("cms", "-decrypt", "-inform", "DER", "-binary", "-in", tmp_path / "envelope", "-inkey", held[1], "-recip", held[0])
    info = der.sequence(der.oid("1.2.840.113549.1.7.2"), der.context(0, signed))
    (tmp_path / "signed").write_bytes(info)
    package = openssl("cms", "-verify", "-inform", "DER", "-binary", "-in", tmp_path / "signed", "-CAfile", site.server.root, "-purpose", "any")
    assert der.oid(KEY_PACKAGE) in info
    key = load_der_private_key(der.whole(package).content, None)
    issued = load_der_pkcs7_certificates(chain)[0]
    assert issued.public_key().public_numbers() == key.public_key().public_numbers()


@pytest.mark.parametrize("case", ["symmetric", "unknown", "empty", "no certificate", "no capabilities", "weak"])
def test_a_key_that_cannot_be_encrypted_is_not_sent_in_clear(site, name, tmp_path, case):
    held = site.pair(tmp_path, name=name)
    mine = key_identifier(held[0])
    octets = {"symmetric": lambda: encrypted_request(name, mine, DECRYPT_KEY), "unknown": lambda: encrypted_request(name, bytes(20)),
              "empty": lambda: encrypted_request(name, b""), "no certificate": lambda: encrypted_request(name, mine),
              "no capabilities": lambda: encrypted_request(name, mine, capabilities=()),
              "weak": lambda: encrypted_request(name, mine, capabilities=[TRIPLE_DES])}[case]()
    if case == "no certificate":
        answer = ask(site, "proof-device", octets)
    else:
        with site.connect("proof-device", certificate=held) as connection:
            answer = connection.ask("POST", "serverkeygen", body(octets))
    refused(answer, 400, "serverkeygen.decrypt_key")
