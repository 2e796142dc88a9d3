"""What bodies may look like, and what is none (est.md §1.2, §6)."""
import base64

from harness import der

from .probe import PKCS10, armoured, lines, row


def taken(p, body, key, **how):
    p.certificate(p.post("simpleenroll", body, **how), key)


def _wish(p):
    key = p.key()
    return key, p.csr(key)


@row("1.2", "Content-Transfer-Encoding: base64, BINARY, 8bit, nonsense, none", "200: its value is ignored")
def transfer_encoding_is_ignored(p):
    for value in ("base64", "BASE64", "binary", "8bit", "x-token", ""):
        key, csr = _wish(p)
        taken(p, lines(csr), key, headers=[("Content-Type", PKCS10), ("Content-Transfer-Encoding", value)])
    key, csr = _wish(p)
    taken(p, lines(csr), key)


@row("1.2", "base64 in one line, in lines of 76, with LF, CR, tabs and spaces", "200")
def white_space_in_base64(p):
    key, csr = _wish(p)
    text = base64.b64encode(csr)
    bodies = (text, lines(csr, 76), lines(csr, 64, "\n"), lines(csr, 64, "\r"), b"\r\n\t " + text + b" \t\r\n", b" ".join([text[:1], text[1:3], text[3:]]))
    for body in bodies:
        taken(p, body, key)


@row("1.2", "PEM armour, of both labels, as curl --data-binary sends it", "200")
def pem(p):
    for label in ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"):
        key, csr = _wish(p)
        taken(p, armoured(csr, label), key)


@row("1.2", "PEM of something else, cut, doubled, with text behind it", "400")
def pem_of_something_else(p):
    csr = p.csr()
    good = armoured(csr)
    for body in (armoured(csr, "CERTIFICATE"), good[:-20], good + good, good + b"trailing", b"-----BEGIN CERTIFICATE REQUEST-----", good.replace(b"-----END C", b"-----END X")):
        p.refused(p.post("simpleenroll", body), 400)


@row("1.2", "DER where base64 is due", "400")
def der_where_base64_is_due(p):
    p.refused(p.post("simpleenroll", p.csr()), 400)


@row("1.2", "media type in capitals, with parameters", "200")
def media_type_is_compared_as_rfc_2045_says(p):
    for kind in ("APPLICATION/PKCS10", "application/pkcs10; charset=utf-8", "Application/Pkcs10 ;x=y"):
        key, csr = _wish(p)
        taken(p, lines(csr), key, media_type=kind)


@row("6", "base64 with bad padding, of the URL alphabet, with NUL, with octets above 127", "400")
def junk_base64(p):
    text = base64.b64encode(p.csr())
    url = base64.urlsafe_b64encode(b"\xfb\xff\xfe" * 40)
    for body in (text[:-1], text + b"=", text + b"A", text.rstrip(b"=") + b"===", url, text[:40] + b"\0" + text[40:], text[:40] + b"\xc3\xa9" + text[40:], b"====", b"%" * 64):
        p.refused(p.post("simpleenroll", body), 400)


@row("6", "no body; base64 of nothing", "400")
def empty_body(p):
    for body in (b"", b"\r\n"):
        p.refused(p.post("simpleenroll", body), 400)


@row("6", "60 KB of white space before a request, and alone", "400, or the certificate; in time")
def white_space_in_plenty(p):
    key, csr = _wish(p)
    p.refused(p.post("simpleenroll", b" " * 61_440), 400)
    answer = p.post("simpleenroll", b"\r\n" * 30_000 + lines(csr))
    if answer.status == 200:
        p.certificate(answer, key)
    else:
        p.refused(answer, 400, 413)


@row("6", "100 000 lines of base64", "400 or 413, bounded")
def lines_in_plenty(p):
    p.refused(p.post("simpleenroll", b"A\r\n" * 100_000), 400, 413)


@row("6", "octets behind the request, inside the base64", "400")
def trailing_octets(p):
    for tail in (b"\0", b"\x30\x00", b"\x05\x00" * 10):
        p.refused(p.enroll(p.csr() + tail), 400)


@row("6", "DER with indefinite length, a length that is none, cut at each part", "400")
def broken_der(p):
    csr = p.csr()
    content = der.whole(csr).content
    bodies = [der.tlv(der.SEQUENCE, content, indefinite=True), b"\x30\x84\xff\xff\xff\xff" + content, b"\x30\x80" + content, b"\x30\x89" + b"\1" * 9 + content,
              b"\x30\x83\x00" + len(content).to_bytes(2, "big") + content, b"\x31" + csr[1:]]
    bodies += [csr[:n] for n in (1, 2, 10, len(csr) // 2, len(csr) - 1)]
    for body in bodies:
        p.refused(p.enroll(body), 400)


@row("6", "3 000 SEQUENCEs one in another", "400, at once")
def deep_nesting(p):
    nested = b""
    for _ in range(3000):
        nested = der.sequence(nested)
    p.refused(p.enroll(nested), 400)


@row("6", "a CSR above 16 KB of DER, in a body below 64 KB", "400 or 413")
def long_request(p):
    from harness import pkcs10
    filler = pkcs10.attribute("1.2.3.4.5", der.octets(bytes(20_000)))
    p.refused(p.enroll(p.csr(attributes=[filler])), 400, 413)


@row("6", "many and long attributes below the limit", "200, and they change nothing")
def many_attributes(p):
    from harness import pkcs10
    key = p.key()
    fillers = [pkcs10.attribute(f"1.2.3.4.{number}", der.octets(bytes(40))) for number in range(100)]
    p.certificate(p.enroll(p.csr(key, attributes=fillers)), key)


@row("6", "another message in a PKCS #10's place: a certificate, a key, a PKCS #7", "400")
def other_structures(p):
    from cryptography.hazmat.primitives.serialization import Encoding
    own = p.identity()
    signed = der.sequence(der.oid("1.2.840.113549.1.7.2"), der.context(0, der.sequence(der.integer(1))))
    for body in (own.certificate.public_bytes(Encoding.DER), der.sequence(der.integer(0)), signed, der.null()):
        p.refused(p.enroll(body), 400)


@row("1.2", "a multipart body with the request in a part", "400 or 415")
def multipart_body(p):
    body = b"--x\r\nContent-Type: application/pkcs10\r\n\r\n" + lines(p.csr()) + b"--x--\r\n"
    p.refused(p.post("simpleenroll", body, media_type="multipart/mixed; boundary=x"), 400, 415)
    p.refused(p.post("simpleenroll", body), 400)
