"""What names' owners show: CAA records, and certificates of tls-alpn-01."""
import datetime
import hashlib
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pkix_seeds import tlv
from seed import write


def owners():
    def records(*rdatas, wildcard=False):
        return bytes([wildcard]) + b"".join(bytes([len(r)]) + r for r in rdatas)

    def issue(value, tag=b"issue", flags=0):
        return bytes([flags, len(tag)]) + tag + value

    ours = issue(b"ca.example")
    samples = {"ours": records(ours), "beside-another": records(issue(b"other.example"), ours), "capitals": records(issue(b" CA.Example ; x=1")), "none": records(),
               "iodef": records(issue(b"mailto:a@b.example", b"iodef")), "account": records(issue(b"ca.example; accounturi=https://ca.example/a/1")),
               "method": records(issue(b"ca.example; validationmethods=http-01,dns-01")), "wild": records(issue(b";"), issue(b"ca.example", b"issuewild"), wildcard=True),
               "another": records(issue(b"other.example")), "nobody": records(issue(b";")), "malformed": records(issue(b"%%%")), "critical": records(ours, issue(b"x", b"tbs", 128)),
               "another-account": records(issue(b"ca.example; accounturi=https://ca.example/a/2")), "account-twice": records(issue(b"ca.example;accounturi=a;accounturi=a")),
               "no-method": records(issue(b"ca.example; validationmethods=")), "wild-nobody": records(ours, issue(b";", b"issuewild"), wildcard=True),
               "cut": records(b"\0\5is"), "control": records(issue(b"ca.example\0")), "long": records(issue(b"a" * 240))}
    for name, content in samples.items():
        write("caa", name, content)

    key = ec.generate_private_key(ec.SECP256R1())
    digest = hashlib.sha256(b"token.thumbprint").digest()
    identifier, draft = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31"), x509.ObjectIdentifier("1.3.6.1.5.5.7.1.30.1")

    def shown(names=(x509.DNSName("a.example"),), oid=identifier, value=tlv(4, digest), critical=True, issuer="acme", signer=key, address=False, more=()):
        moment = datetime.datetime(2026, 11, 22)
        made = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "acme")]))
        made = made.issuer_name(x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, issuer)])).public_key(key.public_key()).serial_number(7)
        made = made.not_valid_before(moment).not_valid_after(moment + datetime.timedelta(days=7))
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), False)
        if oid:
            made = made.add_extension(x509.UnrecognizedExtension(oid, value), critical)
        for each in more:
            made = made.add_extension(each, False)
        return bytes([address]) + made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    ip = x509.IPAddress(ipaddress.ip_address("192.0.2.7"))
    right = shown()
    certificates = {"name": right, "address": shown((ip,), address=True), "more": shown(more=[x509.BasicConstraints(False, None)]), "capitals": shown((x509.DNSName("A.Example"),)),
                    "other-name": shown((x509.DNSName("b.example"),)), "two-names": shown((x509.DNSName("a.example"), x509.DNSName("b.example"))), "no-name": shown(()),
                    "address-as-name": shown((x509.DNSName("192.0.2.7"),), address=True), "not-critical": shown(critical=False), "draft": shown(oid=draft), "no-identifier": shown(oid=None),
                    "short": shown(value=tlv(4, digest[:31])), "bare": shown(value=digest), "other-issuer": shown(issuer="ca"), "other-signer": shown(signer=ec.generate_private_key(ec.SECP256R1())),
                    "cut": right[:-1], "empty": b"\0"}
    for name, content in certificates.items():
        write("acme_certificate", name, content)
