"""Re-enrollment (est.md §1.6, §6)."""
from cryptography import x509
from harness import der, pkcs10

from .credentials import forged
from .probe import NotOffered, row

CHANGE_SUBJECT_NAME = "1.3.6.1.5.5.7.7.36"


@row("1.6", "the same names, the same key, then a new key", "200, each another certificate")
def same_names(p):
    own = p.identity()
    again = p.certificate(p.renew(own, p.csr(own.key)), own.key)
    key = p.key()
    rekeyed = p.certificate(p.renew(own, p.csr(key)), key)
    p.need(len({own.certificate.serial_number, again.serial_number, rekeyed.serial_number}) == 3, "the same certificate again")


@row("1.6", "simpleenroll with the certificate in place of simplereenroll, as Azure's devices do", "200")
def renewal_by_simpleenroll(p):
    own = p.identity()
    p.certificate(p.renew(own, p.csr(own.key), operation="simpleenroll"), own.key)


@row("1.6", "the renewed certificate renews itself", "200")
def second_generation(p):
    own = p.identity()
    key = p.key()
    child = p.owner(p.certificate(p.renew(own, p.csr(key)), key), key)
    p.certificate(p.renew(child, p.csr(child.key)), child.key)


@row("6", "another subject, more of it, less of it, in another order", "403 (400 for none)")
def other_subject(p):
    own = p.identity()
    cn = ("CN", p.common_name)
    for parts in ([("CN", p.common_name + "x")], [cn, ("O", "Another")], [cn, cn], [("OU", "x"), cn]):
        p.refused(p.renew(own, p.csr(own.key, pkcs10.name(parts))), 403)
    p.refused(p.renew(own, p.csr(own.key, pkcs10.name([]))), 400, 403)


def _named(p, *hosts):
    if not p.target.suffix:
        raise NotOffered("no DNS names are issued here")
    names = [f"{host}.{p.common_name[:20].rstrip('-')}{p.target.suffix}" for host in hosts]
    return [pkcs10.alternative_names(dns=names)]


@row("1.6", "names of hosts in another order and letter case", "200")
def names_in_another_order(p):
    key = p.key()
    own = p.identity(key=key, csr=p.csr(key, extensions=_named(p, "a", "b")))
    p.certificate(p.renew(own, p.csr(key, extensions=_named(p, "B", "a"))), key)


@row("6", "more, fewer and other names of hosts; a name where there was none", "403")
def other_names(p):
    key = p.key()
    own = p.identity(key=key, csr=p.csr(key, extensions=_named(p, "a", "b")))
    for hosts in (("a", "b", "c"), ("a",), ("a", "c")):
        p.refused(p.renew(own, p.csr(key, extensions=_named(p, *hosts))), 403)
    p.refused(p.renew(own, p.csr(key)), 403)
    plain = p.identity()
    p.refused(p.renew(plain, p.csr(plain.key, extensions=_named(p, "a"))), 403)


@row("6", "ChangeSubjectName (RFC 6402), to another name, twice", "400 or 403")
def change_subject_name(p):
    own = p.identity()
    value = der.sequence(pkcs10.name([("CN", "administrator")]))
    for values in ((value,), (value, value)):
        attributes = [pkcs10.attribute(CHANGE_SUBJECT_NAME, each) for each in values]
        p.refused(p.renew(own, p.csr(own.key, attributes=attributes)), 400, 403)


@row("6", "with the certificate of another endpoint", "403")
def certificate_of_another_endpoint(p):
    elsewhere = p.other("elsewhere")
    own = p.identity(elsewhere)
    p.certificate(p.renew(own, p.csr(own.key), endpoint=elsewhere), own.key)  # good there
    for operation in ("simplereenroll", "simpleenroll"):
        p.refused(p.renew(own, p.csr(own.key), operation=operation), 403)


@row("6", "with a self-signed look-alike: the same subject and serial number", "403")
def look_alike(p):
    own = p.identity()
    for subject in (p.subject(),):
        twin = forged(p, subject=subject, serial=own.certificate.serial_number)
        p.refused(p.renew(twin, p.csr(twin.key)), 403)


@row("6", "with one of a CA that has our CA's name", "403")
def same_name_of_ca(p):
    from cryptography.hazmat.primitives.serialization import Encoding
    own = p.identity()
    issuer = own.certificate.issuer.public_bytes()
    false_ca, key = p.key(), p.key()
    ca = pkcs10.certificate(false_ca, issuer, p.random, [pkcs10.basic_constraints(True)])
    leaf = pkcs10.certificate(key, p.subject(), p.random, serial=own.certificate.serial_number, issuer=issuer, issuer_key=false_ca)
    made, above = map(x509.load_der_x509_certificate, (leaf, ca))
    assert made.public_bytes(Encoding.DER) == leaf
    twin = p.owner(made, key, chain=[above])
    for operation in ("simplereenroll", "simpleenroll"):
        p.refused(p.renew(twin, p.csr(key), operation=operation), 403)


@row("6", "with one that a device's certificate signed", "403")
def below_a_leaf(p):
    own, key = p.identity(), p.key()
    leaf = pkcs10.certificate(key, p.subject(), p.random, issuer=own.certificate.subject.public_bytes(), issuer_key=own.key)
    child = p.owner(x509.load_der_x509_certificate(leaf), key, chain=[own.certificate])
    for operation in ("simplereenroll", "simpleenroll"):
        p.refused(p.renew(child, p.csr(key), operation=operation), 403)


@row("6", "with one that begins tomorrow, and one that ended", "403")
def outside_its_days(p):
    from datetime import datetime, timedelta
    for begin in (datetime.utcnow() + timedelta(days=1), datetime.utcnow() - timedelta(days=800)):
        stranger = forged(p, begin=begin.replace(microsecond=0))
        p.refused(p.renew(stranger, p.csr(stranger.key)), 403)


@row("6", "with a revoked certificate, by both operations, also with a good password", "403")
def revoked(p):
    if p.target.revoke is None:
        raise NotOffered("revocation is not in EST; the suite does it")
    own = p.identity()
    p.target.revoke(f"{own.certificate.serial_number:x}")
    for operation in ("simplereenroll", "simpleenroll"):
        for user in ("", p.target.main.user):
            p.refused(p.renew(own, p.csr(own.key), operation=operation, user=user), 403)


@row("6", "a CSR of another key whose signature is the certificate's key", "400")
def another_key_signed_by_the_old_one(p):
    own = p.identity()
    p.refused(p.renew(own, p.csr(own.key, spki_of=p.key())), 400)


@row("1.6", "renewal in TLS 1.2 with RSA, in TLS 1.3 with EC", "200")
def versions_and_keys(p):
    for tls, kind in (("1.2", "rsa2048"), ("1.3", "ec"), ("1.2", "ec"), ("1.3", "rsa2048")):
        key = p.key(kind)
        own = p.identity(key=key)
        p.certificate(p.renew(own, p.csr(key), tls=tls), key)
