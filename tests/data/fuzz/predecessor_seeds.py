"""Lists of certificates and OCSP answers, as a predecessor exports and gives them."""
import base64

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from seed import write


def move():
    """Certificates of one small CA in each form of tests/unit/app/certificate_lists_test.cpp, and its OCSP answers."""
    from datetime import datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs7
    from cryptography.x509 import ocsp
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    der, pem = serialization.Encoding.DER, serialization.Encoding.PEM
    begin = datetime(2026, 1, 1)

    def issue(name, issuer=None, key=None, ca=False, usages=()):
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[1].subject if issuer else subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(begin + timedelta(days=365)))
        if ca:
            builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
        return key, builder.sign(issuer[0] if issuer else key, hashes.SHA256())

    ca, other = issue("old CA", ca=True), issue("other CA", ca=True)
    leaves = [issue(f"device {n}", ca)[1] for n in range(3)]
    text = [leaf.public_bytes(der) for leaf in leaves]
    lines = [base64.b64encode(octets).decode() for octets in text]
    dump = "\n".join(f"    {at:04x}  {text[0][at:at + 16].hex(' ')}   ................" for at in range(0, len(text[0]), 16))
    blocks = "".join(leaf.public_bytes(pem).decode() for leaf in leaves)
    lists = {"der": text[0], "der-three": b"".join(text), "der-cut": b"".join(text)[:-5], "p7b-der": pkcs7.serialize_certificates(leaves, der),
             "p7b-pem": pkcs7.serialize_certificates(leaves, pem), "pem": blocks, "pem-text": "subject=device 0\n" + blocks, "pem-cut": blocks[:-40],
             "pem-broken": blocks.replace("MII", "M!I", 1), "csv": "serial,base64Cert\n" + "".join(f"{n},{line}\n" for n, line in enumerate(lines)),
             "csv-semicolon": "id;certificate;by\n" + "".join(f"{n};{line};x\n" for n, line in enumerate(lines)),
             "csv-pem": '"Request ID","Binary Certificate"\n"7","' + blocks.split("-----END")[0] + '-----END CERTIFICATE-----\n"\n',
             "csv-dump": f'"Request ID","Binary Certificate"\r\n"7","{dump}"\r\n', "csv-quote": 'id,certificate\n1,"abc\n2,def\n', "csv-empty": "id,certificate\n1,\n",
             "hex": text[0].hex(), "lines": "\n".join(lines), "lines-bad": lines[0] + "\nhello\n" + lines[1], "utf-16": ("id,certificate\r\n1," + lines[0] + "\r\n").encode("utf-16"),
             "words": "no certificates here", "empty": "", "csv-no-column": "a,b\n1,2\n"}
    for name, content in lists.items():
        write("certificate_list", name, content)

    def answer(by=ca, status=ocsp.OCSPCertStatus.GOOD, nonce=b"\x11" * 16, beside=(), hours=24, about=leaves[0]):
        revoked = begin if status == ocsp.OCSPCertStatus.REVOKED else None
        builder = (ocsp.OCSPResponseBuilder().add_response(cert=about, issuer=ca[1], algorithm=hashes.SHA1(), cert_status=status, this_update=begin,
                                                           next_update=begin + timedelta(hours=hours), revocation_time=revoked, revocation_reason=None)
                   .responder_id(ocsp.OCSPResponderEncoding.HASH, by[1]))
        if beside:
            builder = builder.certificates(list(beside))
        if nonce:
            builder = builder.add_extension(x509.OCSPNonce(nonce), False)
        return builder.sign(by[0], hashes.SHA256()).public_bytes(der)

    responder, device = issue("responder", ca, usages=[ExtendedKeyUsageOID.OCSP_SIGNING]), issue("device", ca)
    stranger = issue("responder", other, usages=[ExtendedKeyUsageOID.OCSP_SIGNING])
    later = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(der)
    answers = {"good": answer(), "revoked": answer(status=ocsp.OCSPCertStatus.REVOKED), "unknown": answer(status=ocsp.OCSPCertStatus.UNKNOWN), "no-nonce": answer(nonce=None),
               "responder": answer(responder, beside=[responder[1]]), "other-nonce": answer(nonce=b"\x12" * 16), "device": answer(device, beside=[device[1]]),
               "stranger": answer(stranger, beside=[stranger[1]]), "alone": answer(responder), "other": answer(about=leaves[1]), "old": answer(hours=0), "later": later,
               "cut": answer()[:-9], "nothing": b""}
    for name, content in answers.items():
        write("ocsp", name, ca[1].public_bytes(der) + text[0] + content)
