"""What the server asks for in a request (RFC 7030 §4.5, RFC 8951 §4, RFC 9908), and that it means it."""
import base64

import pytest

from device import body, certificate, new_key, refused, request, text, write_pair
from harness import der, pkcs10

TEMPLATE, EXTENSION_TEMPLATE = "1.2.840.113549.1.9.16.2.61", "1.2.840.113549.1.9.16.2.62"
EC, P256, RSA, SAN = "1.2.840.10045.2.1", "1.2.840.10045.3.1.7", "1.2.840.113549.1.1.1", "2.5.29.17"
CHALLENGE, LINKING, EXTENSION_REQUEST = "1.2.840.113549.1.9.7", "1.2.840.113549.1.9.16.2.58", "1.2.840.113549.1.9.14"


def ask(site, endpoint, account=None, **options):
    with site.connect(endpoint, **options) as connection:
        return connection.ask("GET", "csrattrs", **(site.credentials(account) if account else {}))


def attributes(answer):
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/csrattrs" and answer.headers["content-transfer-encoding"] == "base64"
    return base64.b64decode(answer.body)


def template(subject=(), key=None, extensions=None, named=()):
    """As RFC 9908 §3.4 has it; `subject` are (OID, text, string tag) or an OID alone."""
    rdns = [der.set_of(der.sequence(der.oid(each), *([der.string(tag[0], value[0])] if value else []))) for each, value, tag in
            ((each, (), ()) if isinstance(each, str) else (each[0], each[1:2], each[2:]) for each in subject)]
    parts = [der.integer(0)]
    parts += [der.sequence(*rdns)] if rdns else []
    parts += [der.context(0, *key)] if key else []
    parts += [der.context(1, *(der.sequence(der.oid(oid), der.set_of()) for oid in named), *(extensions or ()))]
    return der.sequence(der.oid(TEMPLATE), der.set_of(der.sequence(*parts)))


def key_hint(algorithm, *values):
    return der.sequence(der.oid(algorithm), der.set_of(*values))


CN, C, L, O, OU, SERIAL = "2.5.4.3", "2.5.4.6", "2.5.4.7", "2.5.4.10", "2.5.4.11", "2.5.4.5"
EC_KEY = [der.sequence(der.oid(EC), der.oid(P256))]


def test_a_required_binding_alone_is_one_identifier(site):
    answer = ask(site, "proof-bare")
    attributes(answer)
    assert answer.body.strip() == b"MAsGCSqGSIb3DQEJBw=="


def test_nothing_asked_for_has_no_body(site):
    answer = ask(site, "proof-silent")
    assert answer.status == 204 and answer.body == b""
    assert not {"content-length", "content-type", "transfer-encoding"} & set(answer.headers)


def test_a_binding_that_is_no_challenge_has_its_own_name(site):
    assert attributes(ask(site, "proof-linked")) == der.sequence(der.oid(LINKING), key_hint(EC, der.oid(P256)),
                                                                 template([CN], EC_KEY, named=[LINKING]))


def test_the_profile_of_the_account_is_told(site):
    """To a stranger the endpoint's first one."""
    assert attributes(ask(site, "proof-device")) == der.sequence(template([CN]))
    assert attributes(ask(site, "proof-device", "proof-device")) == der.sequence(template([CN]))
    name = der.context(2, b"www.conformance.test", constructed=False)
    extensions = der.sequence(der.sequence(der.oid(SAN), der.octets(der.sequence(name))))
    web = der.sequence(key_hint(EC), key_hint(EXTENSION_REQUEST, extensions), template([CN], extensions=[key_hint(EXTENSION_REQUEST, extensions)]))
    assert attributes(ask(site, "proof-device", "proof-device-web")) == web


def test_a_device_is_told_its_subject(site):
    told = attributes(ask(site, "proof-told", "proof-told"))
    subject = [(C, "DE", der.PRINTABLE), (L, "Ulm", der.UTF8), (O, "Example Works", der.UTF8), (OU, "turbines", der.UTF8), (CN, "turbine-7", der.UTF8), SERIAL]
    assert told == der.sequence(key_hint(EC, der.oid(P256)), der.oid(SERIAL), template(subject, EC_KEY))


def test_and_gets_it(site):
    """As told, its request is taken, and what is certified is that."""
    subject = [("C", "DE"), ("L", "Ulm"), ("O", "Example Works"), ("OU", "turbines"), ("CN", "turbine-7"), ("serialNumber", "7")]
    issued = certificate(site.enroll("proof-told", request(new_key(), "", subject=subject)))
    assert [(each.oid.dotted_string, each.value) for each in issued.subject] == [(pkcs10.TYPES[kind], value) for kind, value in subject]


def test_a_stranger_is_told_nothing_of_the_organization(site):
    assert attributes(ask(site, "proof-told")) == der.sequence(key_hint(EC, der.oid(P256)), der.oid(SERIAL), template([CN, SERIAL], EC_KEY))


def test_names_that_the_client_finds_are_asked_for(site):
    extensions = der.sequence(der.sequence(der.oid(SAN)))
    wanted = template([CN], extensions=[key_hint(EXTENSION_TEMPLATE, extensions)])
    assert attributes(ask(site, "proof-web")) == der.sequence(key_hint(EC), wanted)


def test_an_rsa_key_is_told_by_its_size(site):
    told = attributes(ask(site, "proof-big"))
    modulus = 1 << 3071 | 1
    placeholder = der.bits(der.sequence(der.integer(modulus), der.integer(65537)))
    key = [der.sequence(der.oid(RSA), der.null()), placeholder]
    assert told == der.sequence(key_hint(RSA, der.integer(3072)), template([CN], key))


def test_who_renews_is_told_the_names_of_the_certificate(site, tmp_path):
    key = new_key()
    host = "renews.conformance.test"
    pair = write_pair(tmp_path, key, certificate(site.enroll("proof-web", request(key, host, dns=[host]))))
    extensions = der.sequence(der.sequence(der.oid(SAN), der.octets(der.sequence(der.context(2, host.encode(), constructed=False)))))
    told = attributes(ask(site, "proof-web", certificate=pair))
    assert told == der.sequence(key_hint(EC), key_hint(EXTENSION_REQUEST, extensions),
                                template([(CN, host, der.UTF8)], extensions=[key_hint(EXTENSION_REQUEST, extensions)]))
    with site.connect("proof-web", certificate=pair) as connection:
        certificate(connection.ask("POST", "simplereenroll", body(request(key, host, dns=[host]))))


def test_a_certificate_from_elsewhere_is_told_what_everybody_is(site, tmp_path):
    pair = site.pair(tmp_path, "proof-ignoring", "elsewhere")
    assert attributes(ask(site, "proof-device", certificate=pair)) == attributes(ask(site, "proof-device"))


def test_a_wrong_password_is_told(site):
    with site.connect("proof-device") as connection:
        answer = connection.ask("GET", "csrattrs", Authorization="Basic " + text(b"factory:wrong"))
    refused(answer, 401, "credential.known")


@pytest.mark.parametrize("endpoint,kind,bits", [("proof-told", "rsa", 2048), ("proof-big", "rsa", 2048), ("proof-big", "ec", 256)])
def test_another_key_than_the_one_told_is_refused(site, endpoint, kind, bits):
    subject = [("CN", "turbine-7"), ("serialNumber", "7")] if endpoint == "proof-told" else [("CN", "big")]
    refused(site.enroll(endpoint, request(new_key(kind, bits), "", subject=subject)), 400, "key.allowed")


def test_another_subject_than_the_one_told_is_refused(site):
    refused(site.enroll("proof-told", request(new_key(), "", subject=[("CN", "turbine-8"), ("serialNumber", "7")])), 403, "subject.common_name")
