"""What is downloaded (RFC 8555 §7.4.2, §9.1)."""
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

from .client import certificates
from .probe import NotOffered, kind_of, row, shown
from .revocation import serial_of

PEM_CHAIN = re.compile(rb"(-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{1,64}={0,2}\n-----END CERTIFICATE-----\n)+")


def certified(lower, upper):
    """Whether `upper` signed `lower`."""
    key = upper.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(lower.signature, lower.tbs_certificate_bytes, padding.PKCS1v15(), lower.signature_hash_algorithm)
        else:
            key.verify(lower.signature, lower.tbs_certificate_bytes, ECDSA(lower.signature_hash_algorithm))
    except InvalidSignature:
        return False
    return True


def downloaded(p, endpoint=None):
    """(client, URL, answer, chain) of a new certificate."""
    client = p.account(endpoint)
    url, chain, _ = client.certify()
    where = client.read(url)["certificate"]
    return client, where, p.ok(client.post(where)), chain


@row("1.2", "RFC 8555 §9.1, RFC 7468", "POST-as-GET of a certificate", "200 application/pem-certificate-chain: CERTIFICATE blocks in strict PEM, nothing around them, a final newline")
def certificate_is_pem(p):
    _, _, answer, _ = downloaded(p)
    p.need(answer.media_type == "application/pem-certificate-chain", f"Content-Type {answer.get('Content-Type')!r}")
    p.need(PEM_CHAIN.fullmatch(answer.body), f"{answer.body[:80]!r}…{answer.body[-40:]!r}")


@row("1.2", "RFC 8555 §9.1; mod_md", "the chain", "leaf first, each certifies the one before, no root; two certificates at least")
def certificate_chain(p):
    _, _, _, chain = downloaded(p)
    p.need(len(chain) >= 2, "a chain of one: mod_md fails at it")
    p.need(all(certified(lower, upper) and lower.issuer == upper.subject for lower, upper in zip(chain, chain[1:])), "one does not certify the one before")
    p.need(chain[-1].issuer != chain[-1].subject, "the root is in it")


@row("4", "certbot, mod_md, eggsampler", "the Links of a certificate", "no up: it would be taken for another chain")
def certificate_without_up(p):
    _, _, answer, _ = downloaded(p)
    p.need(not any('rel="up"' in link for link in answer.all("Link")), f"Link {answer.all('Link')}")


@row("1.2", "RFC 8555 §7.4.2", "each alternate Link of a certificate, and theirs", "the same leaf with another chain, and links from each chain to all others")
def certificate_alternates(p):
    client, where, answer, chain = downloaded(p, p.target.others.get("succeeded"))

    def alternates(one):
        return {link.split("<")[1].split(">")[0] for link in one.all("Link") if 'rel="alternate"' in link}
    found = alternates(answer)
    if not found:
        raise NotOffered("no alternate chains")
    for each in found:
        other = p.ok(client.post(each))
        other_chain = certificates(other.body)
        p.need(other_chain[0] == chain[0] and other_chain != chain, "another leaf, or the same chain")
        p.need(alternates(other) == (found | {where}) - {each}, f"{each} links to {alternates(other)}")


@row("1.2", "RFC 8555 §7.4.2, §6.3", "GET of a certificate; a POST of {} to it", "405 malformed; 400 malformed (or 200)")
def certificate_by_get(p):
    client, where, _, _ = downloaded(p)
    p.problem(client.ask("GET", where), 405, "malformed")
    p.need(client.post(where, {}).status in (200, 400), shown(p.exchanges[-1].answer))


@row("1.2", "RFC 8555 §7.4.2", "POST-as-GET of a certificate with Accept application/pem-certificate-chain and */*", "200; another Accept is served all the same or gets 406")
def certificate_with_accept(p):
    client, where, _, _ = downloaded(p)
    for accept in ("application/pem-certificate-chain", "*/*", "application/pem-certificate-chain, application/pkix-cert;q=0.5"):
        answer = p.ok(client.post(where, headers=[("Accept", accept)]))
        p.need(answer.media_type == "application/pem-certificate-chain", f"{accept}: {answer.get('Content-Type')!r}")
    p.ok(client.post(where, headers=[("Accept", "text/html")]), 200, 406)


@row("1.2", "RFC 8555 §7.4.2", "the certificate's URL from the order, twice, and from another connection", "the same octets")
def certificate_is_stable(p):
    client, where, answer, _ = downloaded(p)
    again = p.client(key=client.key)
    again.kid = client.kid
    p.need(p.ok(client.post(where)).body == answer.body == p.ok(again.post(where)).body, "other octets")


@row("1.2", "RFC 5280 §4.2.1, RFC 9773 §4.1", "the leaf", "a long serial below 2^159, authorityKeyIdentifier, SAN with the names alone, serverAuth, no CA, valid now")
def certificate_profile(p):
    client, name = p.account(), p.name()
    _, chain, key = client.certify(name)
    leaf = chain[0]
    p.need(48 < leaf.serial_number.bit_length() <= 159, f"a serial of {leaf.serial_number.bit_length()} bits")
    has = {each.oid: each.value for each in leaf.extensions}
    p.need(has.get(x509.AuthorityKeyIdentifier.oid) and has[x509.AuthorityKeyIdentifier.oid].key_identifier, "no authorityKeyIdentifier")
    p.need(list(has[x509.SubjectAlternativeName.oid]) == [x509.DNSName(name)], f"{list(has[x509.SubjectAlternativeName.oid])}")
    p.need(x509.oid.ExtendedKeyUsageOID.SERVER_AUTH in has[x509.ExtendedKeyUsage.oid], "no serverAuth")
    p.need(x509.BasicConstraints.oid not in has or not has[x509.BasicConstraints.oid].ca, "a CA")
    p.need(leaf.public_key().public_numbers() == key.private.public_key().public_numbers(), "another key")


@row("5", "RFC 8555 §7.4.2", "a certificate that is nobody's", "404 malformed")
def certificate_of_nobody(p):
    client, where, _, _ = downloaded(p)
    answer = client.post(where[:-4] + ("AAAA" if not where.endswith("AAAA") else "BBBB"))
    p.need(answer.status == 404 and kind_of(answer) == "malformed", shown(answer))


@row("1.2", "RFC 8555 §7.3.6", "deactivation of an account with certificates", "they are not revoked", "J11")
def certificate_of_a_deactivated_account(p):
    status = p.hook("status")
    client = p.account()
    _, chain, _ = client.certify()
    p.ok(client.post(client.kid, {"status": "deactivated"}))
    p.need(status(serial_of(chain[0]))[0] != "revoked", "revoked")
