"""The device says what the devices of the field say, the same octets for the same seed, and gets its certificate."""
import http.client
import re
import ssl
from dataclasses import replace

import pytest
from cryptography import x509
from harness import der, pkcs10, scep_message as cms
from harness.scep_device import Device
from harness.scep_reply import Unacceptable
from harness.scep_style import ANDROID, APPLE, CISCO, CISCO_OLD, STRONGSWAN, STYLES, WINDOWS
from harness.seeded import Random, ec_key, oaep_padded, pkcs1_padded
from intune.tls import Certificates

from responder import Responder

MODERN = [APPLE, WINDOWS, ANDROID, CISCO, STRONGSWAN]


def device(responder, style, seed="d", **options):
    return Device(responder.url, style, seed=seed, subject=[("CN", "device.test"), ("C", "DE")], **options)


@pytest.fixture(params=MODERN, ids=lambda style: style.name)
def style(request):
    return request.param


def test_every_style_enrolls(responder, style):
    each = device(responder, style).discover()
    reply = each.enroll("x" * 4000)
    assert (reply.status, reply.cipher, reply.digest) == ("0", "aes128-cbc", "sha256")
    seen = responder.seen[-1]
    assert seen.kind == cms.PKCS_REQ
    assert reply.certificate.public_key().public_numbers() == each.key.public_key().public_numbers()
    assert seen.signer.public_key().public_numbers() == each.key.public_key().public_numbers()
    challenge = seen.csr.attributes.get_attribute_for_oid(x509.ObjectIdentifier(pkcs10.CHALLENGE_PASSWORD))
    assert challenge.value == b"x" * 4000


def test_every_style_polls_until_there_is_an_answer(responder, style):
    each = device(responder, style).discover()
    responder.pending = True
    assert each.enroll("c").status == "3"
    assert each.poll().status == "3"
    responder.pending = False
    assert each.poll().status == "0"
    kinds = [(seen.kind, seen.transaction) for seen in responder.seen if seen.operation == "PKIOperation"]
    assert [kind for kind, _ in kinds] == [cms.PKCS_REQ, cms.CERT_POLL, cms.CERT_POLL] and len({t for _, t in kinds}) == 1
    with pytest.raises(Unacceptable, match="nothing is pending"):
        each.poll()


@pytest.mark.parametrize("style, kind, by_old", [(STRONGSWAN, cms.RENEWAL_REQ, True), (CISCO, cms.PKCS_REQ, True), (APPLE, cms.PKCS_REQ, False),
                                                 (WINDOWS, cms.PKCS_REQ, False)], ids=lambda v: getattr(v, "name", None))
@pytest.mark.parametrize("other_key", [False, True], ids=["same_key", "other_key"])
def test_renewal_is_signed_as_the_style_does(responder, style, kind, by_old, other_key):
    each = device(responder, style).discover()
    old = each.enroll("c").certificate
    reply = each.renew(each.new_key() if other_key else None, None if by_old else "c2")
    seen = responder.seen[-1]
    assert (seen.kind, seen.signer == old) == (kind, by_old)
    assert (reply.certificate.public_key().public_numbers() == old.public_key().public_numbers()) is not other_key
    assert each.certificate == reply.certificates[0]
    # The next request is signed by what it got.
    each.renew(challenge="c3")
    assert (responder.seen[-1].signer == reply.certificate) is by_old


def test_get_cert_and_get_crl(responder):
    each = device(responder, STRONGSWAN).discover()
    each.enroll("c")
    assert each.get_cert().certificates == [responder.authority.ra]
    assert responder.seen[-1].plain == cms.issuer_and_serial(each.certificate)
    assert len(each.get_crl().crls) == 1 and responder.seen[-1].kind == cms.GET_CRL


def test_the_next_ca_is_signed_by_the_one_of_today(responder):
    each = device(responder, STRONGSWAN).discover()
    assert each.get_next_ca_cert() == [responder.authority.root]
    responder.faults = {"signature"}
    with pytest.raises(Unacceptable, match="signature"):
        each.get_next_ca_cert()


# ---- what each style looks like on the wire


def operations(responder):
    return [(seen.method, seen.operation, seen.message) for seen in responder.seen if seen.operation != "PKIOperation"]


def test_apple(responder):
    each = device(responder, APPLE).discover()
    assert operations(responder) == [("GET", "GetCACert", None), ("GET", "GetCACaps", None)]
    each.enroll("c")
    seen = responder.seen[-1]
    assert seen.method == "POST" and seen.headers["Content-Type"] == "application/x-pki-message"
    assert seen.raw[:2] == b"\x30\x80" and seen.content[:2] == b"\x30\x80", "both layers are of indefinite length"
    common = seen.signer.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    assert re.fullmatch(r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}", common)
    assert seen.signer.subject != seen.csr.subject
    ski = x509.SubjectKeyIdentifier.from_public_key(seen.signer.public_key()).digest  # SHA-1 of the key
    assert seen.transaction == ski.hex().upper()


def test_apple_posts_only_where_it_may(responder):
    responder.caps = "AES\nSHA-256\n"
    each = device(responder, APPLE).discover()
    assert each.enroll("c").status == "0"
    seen = responder.seen[-1]
    assert seen.method == "GET" and "%3D" in seen.query and "=" not in seen.message
    assert "%2B" not in seen.query and "%2F" not in seen.query and ("+" in seen.query or "/" in seen.query)


def test_windows(responder):
    each = device(responder, WINDOWS).discover()
    assert {path for path in (seen.path for seen in responder.seen)} == {"/scep/phones/certsrv/mscep/mscep.dll/pkiclient.exe"}
    assert operations(responder) == [("GET", "GetCACaps", "default"), ("GET", "GetCACert", "default")]
    each.enroll("c" * 3000)
    seen = responder.seen[-1]
    aki = seen.signer.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert aki.critical and aki.value.authority_cert_serial_number == seen.signer.serial_number
    assert seen.signer.subject == seen.csr.subject == seen.signer.issuer


def test_cisco(responder):
    each = device(responder, CISCO).discover()
    each.enroll("c")
    seen = responder.seen[-1]
    assert (seen.method, seen.version, seen.headers["Host"]) == ("GET", "HTTP/1.0", None)
    assert seen.path.endswith("/cgi-bin/pkiclient.exe") and "%" not in seen.query and set("+/") & set(seen.message)
    assert re.fullmatch("[0-9A-F]{32}", seen.transaction)


def test_an_old_cisco_signs_with_md5_and_encrypts_with_des(responder):
    each = device(responder, CISCO_OLD).discover()
    raw = each.enroll_message("c").raw
    assert der.oid("1.2.840.113549.2.5") in raw and der.oid("1.3.14.3.2.7") in raw


def test_strongswan_wraps_its_query(responder):
    device(responder, STRONGSWAN).discover().enroll("c")
    seen = responder.seen[-1]
    assert seen.query.count("%0A") > 10 and max(map(len, seen.message.split("%0A"))) > 64  # the rest is percent-encoded
    assert seen.message.endswith("%0A")


@pytest.mark.parametrize("query", ["spaces", "urlsafe"])
def test_a_query_can_be_spoilt(responder, query):
    each = device(responder, replace(CISCO, query=query)).discover()
    with pytest.raises((http.client.HTTPException, OSError)):  # the responder takes no such base64, and leaves
        each.enroll("c")
    seen = responder.seen[-1]
    assert "+" not in seen.message and ("%20" in seen.message or set("-_") & set(seen.message))


def test_tls_is_as_new_as_the_device(authority, tmp_path):
    certificates = Certificates(tmp_path)
    with Responder(authority, tmp_path, certificates.good) as responder:
        for style, version in ((WINDOWS, "TLSv1.2"), (APPLE, "TLSv1.3")):
            assert device(responder, style, root=certificates.ca).discover().enroll("c").status == "0"
            assert responder.seen[-1].tls == version
    with Responder(authority, tmp_path, certificates.stranger) as responder, pytest.raises(ssl.SSLCertVerificationError):
        device(responder, ANDROID, root=certificates.ca).discover()


@pytest.mark.parametrize("caps, digest, cipher", [("AES\nSHA-256\n", "sha256", "aes128-cbc"), ("SCEPStandard\n", "sha256", "aes128-cbc"),
                                                  ("DES3\nSHA-1\n", "sha1", "des3-cbc"), ("AES\r\nSHA-256\r\n", "sha1", "des3-cbc"),
                                                  ("aes\nsha-256\n", "sha1", "des3-cbc"), ("SHA-512\nAES\n", "sha512", "aes128-cbc")])
def test_capabilities_are_compared_whole(responder, caps, digest, cipher):
    responder.caps = caps
    each = device(responder, ANDROID).discover()
    assert (each.style.digest(each.caps), each.style.cipher(each.caps)) == (digest, cipher)


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_seed_repeats_every_octet(responder, style):
    def sent(seed):
        each = device(responder, style, seed).discover()
        return each.enroll_message("c").raw, each.message(cms.GET_CRL, cms.issuer_and_serial(responder.authority.ra)).raw

    assert sent("one") == sent("one")
    assert sent("one")[0] != sent("two")[0]
    assert sent("one")[0] != sent("one")[1]


def test_without_a_seed_nothing_repeats(responder):
    key = device(responder, ANDROID).key
    one, other = (Device(responder.url, ANDROID, key=key).discover().enroll_message("c").raw for _ in range(2))
    assert one != other


def test_an_ec_key_is_asked_for_under_an_rsa_signer(responder):
    each = device(responder, STRONGSWAN).discover()
    key = ec_key(Random("leaf"))
    reply = each.ask(each.message(cms.PKCS_REQ, each.csr("c", key), leaf_key=key))
    assert reply.certificate.public_key().public_numbers() == key.public_key().public_numbers()


@pytest.mark.parametrize("cipher", ["aes128-cbc", "aes192-cbc", "aes256-cbc", "des3-cbc"])
@pytest.mark.parametrize("transport", ["pkcs1", "oaep-sha1", "oaep-sha256"])
@pytest.mark.parametrize("ber", [False, True], ids=["der", "ber"])
def test_openssl_opens_what_is_sent(responder, cipher, transport, ber):
    each = device(responder, ANDROID).discover()
    message = each.enroll_message("c", cipher=cipher, envelope={"transport": transport}, ber=ber)
    answer = each.send(message.raw)
    assert answer.status == 200 and responder.seen[-1].csr.is_signature_valid


def test_paddings_are_those_of_the_standards():
    random = Random("p")
    assert re.fullmatch(rb"\0\x02[^\0]{8,}\0key", pkcs1_padded(b"key", 64, random), re.DOTALL)
    assert len(oaep_padded(b"key", 256, random)) == 256 and oaep_padded(b"key", 256, random)[0] == 0
