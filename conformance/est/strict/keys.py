"""serverkeygen (est.md §1.7, §6)."""
import re

from cryptography.hazmat.primitives import serialization
from harness import der, pkcs10

from .probe import Deviation, NotOffered, _spki, certificates, row

DECRYPT_KEY, ASYMMETRIC_DECRYPT_KEY = "1.2.840.113549.1.9.16.2.37", "1.2.840.113549.1.9.16.2.54"
CAPABILITIES = "1.2.840.113549.1.9.15"
AES256 = "2.16.840.1.101.3.4.1.42"


def parts(p, answer):
    """[(type, octets)] of multipart/mixed as the smallest parsers read it."""
    p.status(answer, 200)
    kind = answer.get("Content-Type")
    found = re.fullmatch(r"multipart/mixed; ?boundary=([A-Za-z0-9'()+_,./:=?-]{1,70})", kind)
    p.need(found, f"Content-Type {kind!r}")
    mark = b"--" + found[1].encode()
    p.need(answer.body.startswith(mark + b"\r\n") and answer.body.rstrip(b"\r\n").endswith(b"\r\n" + mark + b"--"), "boundaries")
    inner = answer.body.rstrip(b"\r\n")[len(mark) + 2:-len(mark) - 4]
    out = []
    for piece in inner.split(b"\r\n" + mark + b"\r\n"):
        head, _, body = piece.partition(b"\r\n\r\n")
        p.need(b"Content-Transfer-Encoding: base64" in head, "a part without Content-Transfer-Encoding: base64")
        out.append((re.search(rb"(?mi)^Content-Type: ([^\r\n]+)", head)[1].decode(), body))
    return out


def _keys(p):
    """Of the main endpoint where it makes keys, else of the one that was named for it."""
    endpoint = p.target.others.get("keys", p.target.main)
    answer = p.enroll(operation="serverkeygen", endpoint=endpoint)
    if answer.status in (404, 501):
        raise NotOffered(f"serverkeygen answers {answer.status}")
    return endpoint, answer


@row("1.7", "serverkeygen where it is off", "404 or 501")
def keys_are_not_made_by_default(p):
    answer = p.enroll(operation="serverkeygen")
    if answer.status == 200:
        raise NotOffered("this endpoint makes keys")
    p.refused(answer, 404, 501)


@row("1.7", "serverkeygen", "multipart/mixed: application/pkcs8, then certs-only with the certificate of that key")
def key_in_clear(p):
    from .probe import decoded
    from cryptography import x509
    from types import SimpleNamespace
    (first, key), (second, certificate) = parts(p, _keys(p)[1])
    p.need(first == "application/pkcs8", f"first part {first!r}")
    p.need(second == "application/pkcs7-mime; smime-type=certs-only", f"second part {second!r}")
    made = serialization.load_der_private_key(decoded(key), None)
    issued = certificates(certificate)
    p.need(len(issued) == 1, f"{len(issued)} certificates")
    leaf = x509.load_der_x509_certificate(issued[0])
    p.issued.append((leaf, made))
    p.need(_spki(made.public_key()) == _spki(leaf.public_key()), "a certificate of another key")
    return "as expected"


@row("1.7", "serverkeygen with a CSR whose signature is broken", "200: key and signature are passed over (RFC 7030 §4.4.1)")
def signature_does_not_matter(p):
    endpoint, answer = _keys(p)
    p.common_name += "-b"
    _keep_leaf(p, parts(p, answer))
    _keep_leaf(p, parts(p, p.enroll(p.csr(bad_signature=True), "serverkeygen", endpoint=endpoint)))


def _keep_leaf(p, found):
    from cryptography import x509
    p.issued += [(x509.load_der_x509_certificate(each), None) for each in certificates(found[1][1])]


@row("6", "serverkeygen, nobody said who asks", "401")
def keys_for_nobody(p):
    endpoint, answer = _keys(p)
    _keep_leaf(p, parts(p, answer))
    p.refused(p.enroll(operation="serverkeygen", endpoint=endpoint, user=""), 401)


@row("1.7", "DecryptKeyIdentifier and AsymmetricDecryptKeyIdentifier that name nothing known", "400, and never a key in clear")
def unknown_key_identifier(p):
    endpoint, answer = _keys(p)
    _keep_leaf(p, parts(p, answer))
    capabilities = pkcs10.attribute(CAPABILITIES, der.sequence(der.sequence(der.oid(AES256))))
    for oid in (DECRYPT_KEY, ASYMMETRIC_DECRYPT_KEY):
        p.refused(p.enroll(p.csr(attributes=[pkcs10.attribute(oid, der.octets(b"nobody's")), capabilities]), "serverkeygen", endpoint=endpoint), 400)


@row("1.7", "AsymmetricDecryptKeyIdentifier of the client's own certificate (RSA)", "the key enveloped, smime-type=server-generated-key; in no part in clear")
def key_for_a_certificate(p):
    from cryptography import x509
    from .probe import decoded
    endpoint, answer = _keys(p)
    _keep_leaf(p, parts(p, answer))
    owner = p.identity(endpoint, key=p.key("rsa2048"))
    identifier = owner.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    attributes = [pkcs10.attribute(ASYMMETRIC_DECRYPT_KEY, der.octets(identifier)), pkcs10.attribute(CAPABILITIES, der.sequence(der.sequence(der.oid(AES256))))]
    wire = p.connect(endpoint, identity=owner.files)
    found = parts(p, p.enroll(p.csr(owner.key, attributes=attributes), "serverkeygen", endpoint=endpoint, wire=wire, user=""))
    _keep_leaf(p, found)
    p.need(found[0][0] == "application/pkcs7-mime; smime-type=server-generated-key", f"first part {found[0][0]!r}")
    try:
        kind = der.whole(decoded(found[0][1])).children()[0].oid()
    except der.NotDer as broken:
        raise Deviation(f"first part: {broken}") from None
    p.need(kind == "1.2.840.113549.1.7.3", f"content type {kind}")
    return "enveloped"


@row("6", "serverkeygen without end", "429 with Retry-After")
def keys_in_plenty(p):
    endpoint = p.other("few_keys")
    for count in range(100):
        p.common_name = f"{p.common_name.partition('#')[0]}#{count}".replace("#", "-")[:60]
        answer = p.enroll(operation="serverkeygen", endpoint=endpoint)
        if answer.status != 200:
            break
        _keep_leaf(p, parts(p, answer))
    p.refused(answer, 429)
    return f"429 at the {count + 1}th"
