"""What a CSR asks for (RFC 2986, RFC 5280 §4.2; rows X04 to X11, X15, X18, X19): identity and power come from the
registration authority. A refusal names the check and leaves the order ready."""
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

import forge
from forge import CN, SEQUENCE, UTF8, dns, extension, names, oid, rdn, tlv, wishes
from harness.jose import Key, b64
from oracle import Oracle, check_problem
from rows import row

SID, TEMPLATE, TEMPLATE_NAME, APPLICATION_POLICIES = ("1.3.6.1.4.1.311.25.2", "1.3.6.1.4.1.311.21.7", "1.3.6.1.4.1.311.20.2",
                                                      "1.3.6.1.4.1.311.21.10")
UPN, NAME_VALUE_PAIRS = "1.3.6.1.4.1.311.20.2.3", "1.3.6.1.4.1.311.13.2.1"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"


class Ready:
    """A ready order for one name, which refusals leave as it is."""

    def __init__(self, client, name):
        self.client, self.name = client, name
        self.url, self.order = client.ready_order(name)

    def finalize(self, csr):
        return self.client.finalize(self.order, csr)

    def leaf(self, csr):
        answer = self.finalize(csr)
        assert answer.status == 200 and answer.json["status"] == "valid", answer
        chain = self.client.post(answer.json["certificate"]).body
        return x509.load_pem_x509_certificate(chain)


@pytest.fixture(scope="module")
def order(laboratory):
    """One for the refusals of the whole file; at its end it is still good for a certificate."""
    client = laboratory.acme().register()
    made = Ready(client, laboratory.fresh_name())
    yield made
    assert made.leaf(forge.csr(attributes=wishes(names(dns(made.name))))).subject.rdns
    client.close()


@pytest.fixture
def fresh(laboratory, client):
    return Ready(client, laboratory.fresh_name())


@pytest.fixture
def refused(order, oracle):
    """Finalizes with a CSR that must be refused: the check's name in the one audit record."""

    def finalize(csr, *words, check="", kind="badCSR"):
        with oracle.refuses(audited=1) as refusal:
            answer = check_problem(order.finalize(csr), 400, kind, *words)
        if check:
            assert refusal.records[0]["check_name"] == check, refusal.records
        assert order.client.read(order.url)["status"] == "ready"
        return answer

    return finalize


def asking(order, *more, subject=b"", attributes=b""):
    """A CSR for the order's name with more extensions."""
    return forge.csr(subject, wishes(names(dns(order.name)), *more) + attributes)


# ---- X04: who holds the key -----------------------------------------------------------------------

@row("X04")
def test_a_signature_by_another_key_is_refused(order, refused):
    refused(forge.csr(attributes=wishes(names(dns(order.name))), signer=Key()), "does not verify with the public key in it")


@row("X04")
@pytest.mark.parametrize("signature", [b"", b"\0" * 8, b"\x30\x06\x02\x01\x00\x02\x01\x00", b"\x30\x06\x02\x01\x01\x02\x01\x01"],
                         ids=["absent", "zeros", "r and s zero", "r and s one"])
def test_no_signature_is_none(order, refused, signature):
    refused(forge.csr(attributes=wishes(names(dns(order.name))), sign=lambda info: signature), "does not verify with the public key in it")


@row("X04")
@pytest.mark.parametrize("algorithm, words", [(forge.ECDSA_SHA1, "broken; sign it with SHA-256"), (forge.RSA_SHA256, "csr is refused"),
                                              ("1.2.840.10045.4.3.4", "does not verify"), ("1.2.3.4", "1.2.3.4 is not supported")])
def test_another_algorithm_than_the_signatures_is_refused(order, refused, algorithm, words):
    refused(forge.csr(attributes=wishes(names(dns(order.name))), algorithm=algorithm), words)


@row("X04")
def test_what_was_changed_after_signing_is_refused(order, refused):
    csr = asking(order).replace(order.name.encode(), order.name.upper().encode())
    refused(csr, "does not verify")


# ---- X05 to X07: power ----------------------------------------------------------------------------

@row("X05", "X07")
def test_what_only_the_authority_gives_is_never_copied(laboratory, fresh):
    leaf = fresh.leaf(asking(
        fresh,
        extension(forge.BASIC, tlv(SEQUENCE, b"\x01\x01\xff", b"\x02\x01\x05"), b"\x01\x01\xff"),
        extension(forge.KEY_USAGE, b"\x03\x02\x01\x06", b"\x01\x01\xff"),
        extension("2.5.29.30", tlv(SEQUENCE, tlv(0xA0, tlv(SEQUENCE, dns(".com"))))),
        extension("2.5.29.32", tlv(SEQUENCE, tlv(SEQUENCE, oid("2.5.29.32.0")))),
        forge.purposes(SERVER_AUTH, "1.3.6.1.5.5.7.3.2"),
        extension(SID, tlv(SEQUENCE, tlv(0xA0, oid("1.3.6.1.4.1.311.25.2.1"), tlv(0xA0, tlv(0x04, b"S-1-5-21-1-500"))))),
        extension(TEMPLATE, tlv(SEQUENCE, oid("1.3.6.1.4.1.311.21.8.1"))),
        extension(TEMPLATE_NAME, tlv(forge.BMP, "User".encode("utf-16-be"))),
        extension(APPLICATION_POLICIES, tlv(SEQUENCE, tlv(SEQUENCE, oid("1.3.6.1.5.5.7.3.2"))))))
    found = {e.oid.dotted_string: e.value for e in leaf.extensions}
    assert not {"2.5.29.30", "2.5.29.32", SID, TEMPLATE, TEMPLATE_NAME, APPLICATION_POLICIES} & set(found)
    assert forge.BASIC not in found or not found[forge.BASIC].ca
    assert not found[forge.KEY_USAGE].key_cert_sign and not found[forge.KEY_USAGE].crl_sign
    assert list(found[forge.EKU]) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert names_in(leaf) == [fresh.name]
    told = trace(laboratory, leaf, "csr.extensions")
    for name in ("basicConstraints", "keyUsage", "nameConstraints", "certificatePolicies", "extendedKeyUsage", "Windows security identifier",
                 "Windows template", "Windows template name", "Windows application policies"):
        assert name in told, told


def names_in(leaf):
    return leaf.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value.get_values_for_type(x509.DNSName)


def trace(laboratory, leaf, check):
    """What the trace says that a check looked at."""
    records = laboratory.server.explain(f"{leaf.serial_number:032x}")
    return next(entry["input"] for record in records for entry in record["detail"].get("trace", ()) if entry["check"] == check)


@row("X06")
@pytest.mark.parametrize("purpose, name", [
    ("2.5.29.37.0", "any purpose"), ("1.3.6.1.4.1.311.20.2.1", "certificate request agent"), ("1.3.6.1.4.1.311.20.2.2", "smart card logon"),
    ("1.3.6.1.5.5.7.3.9", "OCSP signing"), ("1.3.6.1.5.5.7.3.3", "code signing"), ("1.3.6.1.5.2.3.5", "Kerberos KDC"),
    ("1.3.6.1.4.1.311.21.6", "key recovery agent")])
def test_powerful_purposes_are_refused(order, refused, purpose, name):
    refused(asking(order, forge.purposes(SERVER_AUTH, purpose)), name, purpose, "the profile does not give", check="csr.extensions")


# ---- X07, X08: other names -------------------------------------------------------------------------

@row("X07", "X08")
@pytest.mark.parametrize("name, words", [
    (forge.other_name(UPN, "administrator@corp.test"), "certifies no principal names"),
    (forge.other_name("1.3.6.1.5.2.2", "HTTP/corp.test"), "no profile certifies names of that type"),
    (tlv(0x86, b"tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"), "certifies no URIs"),
    (tlv(0x86, b"TAG:Microsoft.COM,2022-09-14:SID:S-1-5-21-1-2-3-500"), "certifies no URIs"),
    (tlv(0x81, b"root@corp.test"), "certifies no e-mail addresses"),
    (tlv(0x87, bytes([192, 0, 2, 7])), "certifies no IP addresses"),
    (tlv(0xA4, tlv(SEQUENCE, rdn(CN, "corp"))), "no profile certifies names of that type"),
    (tlv(0x88, oid("1.2.3.4")[2:]), "no profile certifies names of that type"),
], ids=["UPN", "SPN", "SID", "SID in capitals", "mail", "address", "directory name", "registered id"])
def test_names_of_other_types_are_refused(order, refused, name, words):
    refused(forge.csr(attributes=wishes(names(dns(order.name), name))), words, check="csr.alternative_names")


@row("X09")
def test_names_in_attributes_are_not_read_and_told(laboratory, fresh):
    pair = tlv(SEQUENCE, tlv(forge.BMP, "SAN".encode("utf-16-be")), tlv(forge.BMP, "dns=evil.test&upn=administrator@corp.test".encode("utf-16-be")))
    leaf = fresh.leaf(asking(fresh, attributes=forge.attribute(NAME_VALUE_PAIRS, pair)
                             + forge.attribute(forge.UNSTRUCTURED_NAME, tlv(UTF8, b"SAN:dns=evil.test"))
                             + forge.attribute(forge.CHALLENGE_PASSWORD, tlv(UTF8, b"SAN:dns=evil.test"))))
    assert names_in(leaf) == [fresh.name]
    assert b"evil" not in leaf.tbs_certificate_bytes
    assert trace(laboratory, leaf, "csr.attributes") == "not read: Windows name and value pairs, unstructuredName"


# ---- X10, X11: the subject --------------------------------------------------------------------------

@row("X10")
def test_a_common_name_beside_the_names_is_refused(order, refused):
    refused(asking(order, subject=rdn(CN, "other." + order.name)), "is not in the order", check="names.agreed")
    refused(asking(order, subject=rdn(CN, "John Doe")), "the common name is none of the order's identifiers", check="names.agreed")


@row("X10")
def test_a_common_name_alone_becomes_a_name(fresh):
    leaf = fresh.leaf(forge.csr(rdn(CN, fresh.name)))
    assert names_in(leaf) == [fresh.name]
    assert [a.value for a in leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)] == [fresh.name]


@row("X10")
@pytest.mark.parametrize("text, words", [
    ("Exa\0mple", "cannot be read"), ("Exa\x07mple", "control character"), ("Exa\x85mple", "control character"),
    ("Exa\u202emple", "direction of writing"), ("Exa\u2066mple", "direction of writing"), ("Exa\u200bmple", "invisible"),
    (" Example", "begins or ends with a space"), ("Example ", "begins or ends with a space"), ("\u00a0Example", "begins or ends with a space")],
    ids=["NUL", "BEL", "C1", "RLO", "LRI", "zero width", "space before", "space after", "no-break space"])
def test_text_that_reads_as_something_else_is_refused(order, refused, text, words):
    # The NUL is refused where the CSR is read, the rest by policy.
    check = "" if "\0" in text else "subject.text"
    refused(asking(order, subject=rdn(forge.O, text)), words, check=check)


@row("X10")
def test_a_common_name_with_an_edge_of_its_own_is_refused(order, refused):
    for text in (order.name + "\0.evil.test", order.name + " ", order.name + "\u202e"):
        refused(asking(order, subject=rdn(CN, text)), "CN")


@row("X11")
def test_a_tls_servers_subject_has_one_plain_reading(order, refused):
    one = rdn(CN, order.name)
    refused(asking(order, subject=one + one), "a TLS server certificate has one", check="subject.common_name")
    both = tlv(forge.SET, forge.attribute_value(CN, order.name), forge.attribute_value(forge.O, "Ex"))
    refused(asking(order, subject=both), "several attributes", check="subject.form")
    refused(asking(order, subject=rdn(CN, order.name, forge.T61)), "T61String or BMPString", check="subject.form")
    refused(asking(order, subject=rdn(CN, order.name, forge.BMP)), "T61String or BMPString", check="subject.form")


@row("X11")
def test_thousands_of_rdns_are_refused(order, refused, laboratory, oracle):
    """As many as fit into a body of 64 KiB; with 10 000 the body itself is too long."""
    refused(asking(order, subject=rdn(forge.O, "a") * 3000), "more than 64 attributes")
    with oracle.refuses():
        assert order.finalize(asking(order, subject=rdn(forge.O, "a") * 10_000)).status == 413


# ---- X15: the term ------------------------------------------------------------------------------------

def rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


TERMS = '''
[[profile]]
name = "terms"
lifetime = "2d"
longest_lifetime = "{longest}"
backdate = "{backdate}"

[[endpoint]]
name = "terms"
protocol = "acme"
profiles = ["terms"]
external_account_required = false

[[account]]
name = "terms"
endpoint = "terms"
method = "open"
names = ["*"]
'''


@row("X15")
def test_dates_beyond_the_profile_are_refused(laboratory, oracle, tmp_path):
    """The orders were made while the profile allowed more; what counts is what it allows when it is issued."""
    document = tmp_path / "terms.toml"

    def apply(longest, backdate):
        document.write_text(TERMS.format(longest=longest, backdate=backdate))
        laboratory.server.apply(document)

    apply("31d", "3h")
    client = laboratory.acme("terms").register()
    now = datetime.datetime.utcnow()
    hour, month, second = datetime.timedelta(hours=1), datetime.timedelta(days=30), datetime.timedelta(seconds=1)
    cases = []
    for dates, words in (({"notBefore": now + hour, "notAfter": now + hour + month + second}, "longer than the profile's 30d"),
                         ({"notAfter": now + month + hour}, "longer than the profile's 30d"),
                         ({"notBefore": now - hour}, "further back than the profile's backdate"),
                         ({"notBefore": now + hour, "notAfter": now + hour + month}, None)):
        name = laboratory.fresh_name()
        cases.append((name, client.ready_order(name, **{k: rfc3339(v) for k, v in dates.items()})[1], words))
    apply("30d", "1m")
    for name, order, words in cases:
        csr = forge.csr(attributes=wishes(names(dns(name))))
        if not words:  # to the second what the profile allows
            assert client.finalize(order, csr).status == 200
            continue
        with oracle.refuses(audited=1) as refusal:
            check_problem(client.finalize(order, csr), 400, "malformed", words)
        assert refusal.records[0]["check_name"] == "profile.term"
    client.close()


# ---- X18, X19: empty things and BER ------------------------------------------------------------------

@row("X18")
@pytest.mark.parametrize("attributes, words", [
    (wishes(), "the list of extensions is empty"),
    (wishes(extension(forge.SAN, tlv(SEQUENCE))), "subjectAltName is empty"),
    (wishes(names(tlv(0x82))), "empty dNSName"),
    (wishes(extension(forge.EKU, tlv(SEQUENCE))), "extendedKeyUsage is empty"),
    (wishes(extension("1.2.3.4", b"")), "the extension 1.2.3.4 is empty"),
    (forge.attribute(forge.EXTENSION_REQUEST), "has not exactly one value"),
    (b"", "the CSR lacks"),
], ids=["extensions", "SAN", "name", "EKU", "extension", "attribute", "no name at all"])
def test_empty_things_are_refused(refused, attributes, words):
    refused(forge.csr(attributes=attributes), words)


@row("X18")
def test_empty_parts_of_the_subject_are_refused(order, refused):
    refused(asking(order, subject=rdn(CN, "")), "the value of CN in the name is empty")
    refused(asking(order, subject=tlv(forge.SET)), "no set of attributes")


def indefinite(tag, content):
    return bytes([tag, 0x80]) + content + b"\0\0"


@row("X19")
@pytest.mark.parametrize("part, words", [
    (lambda name: forge.csr(attributes=forge.attribute(forge.UNSTRUCTURED_NAME, indefinite(0x24, tlv(4, b"a")))), "not DER"),
    (lambda name: forge.csr(attributes=forge.attribute(forge.UNSTRUCTURED_NAME, tlv(0x2C, tlv(UTF8, b"a")))), "not DER"),
    (lambda name: forge.csr(attributes=forge.attribute(forge.UNSTRUCTURED_NAME, b"\x0c\x81\x01a")), "not DER"),
    (lambda name: forge.csr(attributes=wishes(extension(forge.SAN, indefinite(SEQUENCE, dns(name))))), "not DER"),
    (lambda name: forge.csr(attributes=wishes(names(dns(name)), extension("1.2.3.4", b"\x30\x80\0\0"))), "not DER"),
    (lambda name: forge.csr(attributes=wishes(names(dns(name)), extension("1.2.3.4", b"\x05\0", b"\x01\x01\x01"))), "not DER"),
    (lambda name: forge.csr(attributes=wishes(names(dns(name)))) + b"\0", "bytes follow its end"),
    (lambda name: forge.csr(attributes=wishes(names(dns(name))), after=b"\x05\0"), "information, algorithm and signature"),
    (lambda name: forge.csr(attributes=wishes(extension(forge.SAN, tlv(SEQUENCE, dns(name)) + b"\0\0"))), "not DER"),
    (lambda name: forge.csr(attributes=wishes(names(dns(name)), names(dns(name)))), "is there twice"),
    (lambda name: forge.csr(attributes=wishes(names(dns(name))) * 2), "two extensionRequest attributes"),
    (lambda name: forge.csr(attributes=wishes(names(dns(name))), version=b"\x02\x01\xff"), "version is not 0"),
    (lambda name: forge.csr(attributes=wishes(names(dns(name))), version=b"\x02\x02\x00\x00"), "not DER"),
    (lambda name: indefinite(SEQUENCE, forge.csr(attributes=wishes(names(dns(name))))[3:]), "not DER"),
], ids=["octets in pieces", "text in pieces", "long length", "BER in SAN", "BER in an extension nobody reads", "boolean of 1",
        "trailing", "trailing within", "trailing in SAN", "extension twice", "extensions twice", "negative version", "padded version", "indefinite"])
def test_ber_and_doubled_things_are_refused(order, refused, part, words):
    refused(part(order.name), words)


@row("X19")
def test_a_key_with_a_negative_number_is_refused(order, refused):
    """RSA with a modulus whose first bit is set and no octet of zero before it."""
    modulus = tlv(0x02, b"\xc3" + b"\x55" * 254 + b"\x57")
    public = tlv(SEQUENCE, tlv(SEQUENCE, oid("1.2.840.113549.1.1.1"), b"\x05\0"),
                 tlv(forge.BITS, b"\0", tlv(SEQUENCE, modulus, b"\x02\x03\x01\x00\x01")))
    refused(forge.csr(attributes=wishes(names(dns(order.name))), public=public, algorithm=forge.RSA_SHA256), kind="badPublicKey")


@row("X19")
def test_a_certificate_in_ber_or_with_more_behind_it_is_refused(laboratory, client, oracle):
    _, _, chain = client.certify(laboratory.fresh_name())
    der = x509.load_pem_x509_certificate(chain).public_bytes(serialization.Encoding.DER)
    content = der[4:]
    assert der[:2] == b"\x30\x82"
    serial = content[9:]
    assert content[4:9] == b"\xa0\x03\x02\x01\x02" and serial[:2] == b"\x02\x10"
    # The serial's first octet gets its top bit: a negative INTEGER.
    negative = der.replace(serial[:3], b"\x02\x10" + bytes([serial[2] | 0x80]), 1)
    for spoiled in (indefinite(SEQUENCE, content), der + b"\0", b"\x30\x83\0" + der[2:], negative):
        with oracle.refuses(audited=1):
            check_problem(client.post("revoke-cert", {"certificate": b64(spoiled)}), 404, "malformed", "was not issued here")


@row("X15")
def test_no_certificate_outlives_its_issuer(new_laboratory, tmp_path):
    laboratory = new_laboratory('[ca]\nissuing_lifetime = "100d"\n')
    document = tmp_path / "long.toml"
    document.write_text('''
[[profile]]
name = "long"
longest_lifetime = "200d"

[[endpoint]]
name = "long"
protocol = "acme"
profiles = ["long"]
external_account_required = false

[[account]]
name = "long"
endpoint = "long"
method = "open"
names = ["*"]
''')
    laboratory.server.apply(document)
    client = laboratory.acme("long").register()
    name = laboratory.fresh_name()
    until = datetime.datetime.utcnow() + datetime.timedelta(days=150)
    _, order = client.ready_order(name, notAfter=rfc3339(until))
    with Oracle(laboratory).refuses(audited=1):
        check_problem(client.finalize(order, forge.csr(attributes=wishes(names(dns(name))))), 400, "badCSR",
                      "lint.validity", "is later than the issuing CA's")
    client.close()
