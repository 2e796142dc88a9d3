"""Requests, certificates, to-be-signed contents and single values in DER (X.690, RFC 2986, RFC 5280)."""
import base64

from seed import CRYPTO, write


def tlv(tag, *content):
    body = b"".join(content)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def oid(dotted):
    first, second, *arcs = map(int, dotted.split("."))
    out = b""
    for arc in (40 * first + second, *arcs):
        groups = [arc & 0x7f]
        while arc := arc >> 7:
            groups.insert(0, 0x80 | arc & 0x7f)
        out += bytes(groups)
    return tlv(0x06, out)


def content_of(certificate):
    """The TBSCertificate, with tag and length; lengths of two octets."""
    inner = certificate[4:]
    return inner[:4 + int.from_bytes(inner[2:4], "big")]


def pkix():
    for path in sorted(CRYPTO.glob("*.csr")):
        write("csr", path.stem, path.read_bytes())
    for path in sorted(CRYPTO.glob("*.der")):
        write("certificate", path.stem, path.read_bytes())
        write("der", path.stem, path.read_bytes())
    chain = (CRYPTO / "chain.pem").read_text()
    blocks = [b"".join(line.encode() for line in block.splitlines()[1:]) for block in chain.split("-----END")[:-1]]
    for i, block in enumerate(blocks):
        text = block.split(b"-----BEGIN CERTIFICATE-----")[-1]
        write("certificate", f"chain-{i}", base64.b64decode(text))
    leaf = (CRYPTO / "leaf.der").read_bytes()
    write("certificate", "trailing", leaf + b"\0")
    write("certificate", "cut", leaf[:-1])
    write("certificate", "indefinite", b"\x30\x80" + leaf[4:] + b"\0\0")
    write("certificate", "empty", b"")
    write("certificate", "not-der", b"-----BEGIN CERTIFICATE-----")
    write("certificate", "csr", (CRYPTO / "p256.csr").read_bytes())
    write("certificate", "overlong", b"\x30\x83\0" + leaf[2:])
    write("certificate", "version-4", leaf.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03", 1))

    tbs_of = {path.stem: content_of(path.read_bytes()) for path in sorted(CRYPTO.glob("*.der"))}
    tbs_of.update({f"chain-{i}": content_of(base64.b64decode(block.split(b"-----BEGIN CERTIFICATE-----")[-1])) for i, block in enumerate(blocks)})
    for stem, content in tbs_of.items():
        write("tbs", stem, content)
    tbs = tbs_of["leaf"]
    write("tbs", "cut", tbs[:-1])
    write("tbs", "trailing", tbs + b"\0")
    write("tbs", "empty", b"")
    write("tbs", "whole-certificate", leaf)
    write("tbs", "no-extensions", tlv(0x30, tbs[4:tbs.index(b"\xa3\x82")]) if b"\xa3\x82" in tbs else tbs[:40])
    for what, (old, new) in {"broken-oid": (b"\x06\x03\x55\x1d\x23", b"\x06\x03\x55\x1d\x80"), "doubled": (b"\x06\x03\x55\x1d\x23", b"\x06\x03\x55\x1d\x11"),
                             "negative-serial": (b"\x02\x02\x12\x34", b"\x02\x02\x82\x34"), "no-version": (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05"),
                             "critical-false": (b"\x01\x01\xff", b"\x01\x01\x00"), "no-sequence": (b"\x30", b"\x31")}.items():
        write("tbs", what, tbs.replace(old, new, 1))

    name = tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.6"), tlv(0x13, b"DE"))), tlv(0x31, tlv(0x30, oid("2.5.4.10"), tlv(0x0c, "Müller".encode()))),
               tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(0x1e, "www.example.org".encode("utf-16-be")))))
    names = tlv(0x30, tlv(0x82, b"www.example.org"), tlv(0x87, bytes([192, 0, 2, 1])), tlv(0x87, bytes(15) + b"\1"),
                tlv(0x81, b"a@example.org"), tlv(0x86, b"https://a.example/"), tlv(0x88, oid("1.2.3")[2:]))
    san = tlv(0x30, oid("2.5.29.17"), tlv(0x01, b"\xff"), tlv(0x04, names))
    staple = tlv(0x30, oid("1.3.6.1.5.5.7.1.24"), tlv(0x04, tlv(0x30, tlv(0x02, b"\5"))))
    usage = tlv(0x30, oid("2.5.29.37"), tlv(0x04, tlv(0x30, oid("1.3.6.1.5.5.7.3.1"))))
    extensions = tlv(0x30, san, staple, usage)

    def request(*exts):
        return tlv(0x30, oid("1.2.840.113549.1.9.14"), tlv(0x31, tlv(0x30, *exts)))

    password = tlv(0x30, oid("1.2.840.113549.1.9.7"), tlv(0x31, tlv(0x14, b"secret \xe4")))
    # Signed by the target itself: any first octet but 0x30, then subject and attributes.
    write("csr", "made-all", b"s" + name + request(san, staple, usage) + password)
    write("csr", "made-no-subject", b"s" + tlv(0x30) + request(san))
    write("csr", "made-no-attributes", b"s" + name)
    write("csr", "made-twice", b"s" + name + request(san, san))
    write("csr", "made-two-requests", b"s" + name + request(san) + request(staple))
    write("csr", "made-microsoft", b"s" + name + tlv(0x30, oid("1.3.6.1.4.1.311.2.1.14"), tlv(0x31, tlv(0x30, usage))))
    write("csr", "made-empty-request", b"s" + name + request())
    write("csr", "made-nul", b"s" + tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(0x0c, b"a\0b")))))
    write("csr", "made-multi-valued", b"s" + tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(0x0c, b"a")), tlv(0x30, oid("2.5.4.10"), tlv(0x0c, b"b")))))

    for key, content in {"name": name, "general-names": names, "extensions": extensions, "password": password,
                         "times": tlv(0x30, tlv(0x17, b"261121080000Z"), tlv(0x18, b"20501121080000Z"), tlv(0x18, b"20261121080000Z")),
                         "numbers": tlv(0x30, tlv(0x02, b"\0\x80"), tlv(0x02, b"\x80"), tlv(0x01, b"\xff"), tlv(0x03, b"\0abc"), tlv(0x03, b"\7\x80")),
                         "uuid": oid("2.25.329800735698586629295641978511506172918"), "overlong-oid": tlv(0x06, b"\x2a\x80\x01"),
                         "high-tag": b"\x1f\x81\x01\x00", "indefinite": b"\x30\x80\0\0", "overlong": b"\x04\x81\x01a", "beyond": b"\x04\x05abc",
                         "empty": b"", "nested": tlv(0x30, tlv(0x30, tlv(0x30, tlv(0x31, tlv(0x30)))))}.items():
        write("der", key, content)
