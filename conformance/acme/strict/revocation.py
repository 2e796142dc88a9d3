"""Revocation (RFC 8555 §7.6)."""
from cryptography.hazmat.primitives import serialization

from harness import jose, pkcs10
from harness.jose import Key
from harness.seeded import Random

from .probe import kind_of, parsed, row, shown
from .requests import csr_for

DER = serialization.Encoding.DER
KEY_COMPROMISE, CESSATION_OF_OPERATION = 1, 5  # RFC 5280 §5.3.1


def serial_of(certificate):
    """Hexadecimal, whole octets."""
    return certificate.serial_number.to_bytes((certificate.serial_number.bit_length() + 7) // 8, "big").hex()


def stored(p, chain, status, reason=None):
    """What the administrator sees of it, where anybody here can look."""
    if "status" in p.target.hooks:
        found = p.target.hooks["status"](serial_of(chain[0]))
        p.need(found[0] == status and (reason is None or found[1] == reason), f"stored as {found}")


@row("1.2", "RFC 8555 §7.6", "revokeCert by the account that ordered it, again", "200 with an empty body; 400 alreadyRevoked; stored as revoked", "J20")
def revoked_by_its_account(p):
    client = p.account()
    _, chain, _ = client.certify()
    answer = p.ok(client.revoke(chain[0]))
    p.need(answer.body == b"", f"body {answer.body[:40]!r}")
    p.problem(client.revoke(chain[0]), 400, "alreadyRevoked")
    stored(p, chain, "revoked")


@row("5", "RFC 8555 §7.6, RFC 5280 §5.3.1", "reasons 0, 1, 3, 4, 5, one certificate each", "200, and stored", "J20")
def revoked_for_each_reason(p):
    client = p.account()
    for reason in (0, 1, 3, 4, 5):
        _, chain, _ = client.certify()
        answer = client.revoke(chain[0], reason)
        p.need(answer.status == 200, f"reason {reason}: {shown(answer)}")
        stored(p, chain, "revoked")


@row("5", "RFC 8555 §7.6, RFC 5280 §5.3.1", "reasons 7, 11, 99, -1, and those of CAs (2, 6, 8, 9, 10)", "400 badRevocationReason that names those allowed; not revoked", "J20")
def revoked_for_no_reason(p):
    client = p.account()
    _, chain, _ = client.certify()
    for reason in (7, 11, 99, -1, 2, 6, 8, 9, 10):
        answer = client.revoke(chain[0], reason)
        kinds = ("badRevocationReason", "malformed") if reason < 0 else ("badRevocationReason",)
        p.need(answer.status == 400 and kind_of(answer) in kinds, f"reason {reason}: {shown(answer)}")
    p.need("1" in parsed(answer)["detail"] and "4" in parsed(answer)["detail"], f"detail {parsed(answer)['detail']!r}")
    stored(p, chain, "valid")


@row("1.2", "RFC 8555 §7.6", "a reason that is text, 1.5, null; no certificate; PEM; padded base64", "400 malformed or badRevocationReason; not revoked", "J20")
def revocation_of_bad_form(p):
    client = p.account()
    _, chain, _ = client.certify()
    good = jose.b64(chain[0].public_bytes(DER))
    for payload in ({"certificate": good, "reason": "1"}, {"certificate": good, "reason": 1.5}, {}, {"certificate": chain[0].public_bytes(serialization.Encoding.PEM).decode()},
                    {"certificate": good + "="}, {"certificate": 1}):
        answer = client.post("revokeCert", payload)
        p.need(answer.status == 400 and kind_of(answer) in ("malformed", "badRevocationReason"), f"{str(payload)[-20:]}: {shown(answer)}")
    stored(p, chain, "valid")


@row("5", "RFC 8555 §7.6", "revokeCert by an account that has nothing to do with it", "403 unauthorized; not revoked", "J20")
def revoked_by_a_stranger(p):
    client, stranger = p.account(), p.account()
    _, chain, _ = client.certify()
    p.problem(stranger.revoke(chain[0]), 403, "unauthorized")
    stored(p, chain, "valid")
    p.ok(client.revoke(chain[0]))


@row("5", "acme.md §1.2", "revokeCert of a self-signed certificate, of one with our serial by another issuer, of ours with one bit of its signature changed, of octets that are none, of the issuer's own", "404 malformed (400 for no certificate; 403 for the issuer)", "J20")
def revocation_of_a_foreign_certificate(p):
    client, key = p.account(), Key()
    _, chain, _ = client.certify()
    subject = pkcs10.name([("CN", p.name())])
    foreign = pkcs10.certificate(key.private, subject, Random())
    same_serial = pkcs10.certificate(key.private, subject, Random(), serial=chain[0].serial_number, issuer=chain[0].issuer.public_bytes(), issuer_key=key.private)
    spoilt = chain[0].public_bytes(DER)
    spoilt = spoilt[:-1] + bytes([spoilt[-1] ^ 1])
    for what, octets in {"self-signed": foreign, "our serial": same_serial, "one bit changed": spoilt, "octets": b"x" * 100, "empty": b""}.items():
        answer = client.post("revokeCert", {"certificate": jose.b64(octets)})
        p.need(answer.status in (404, 400) and kind_of(answer) == "malformed", f"{what}: {shown(answer)}")
        p.need(what in ("octets", "empty") or answer.status == 404, f"{what}: {shown(answer)}")
    answer = client.revoke(chain[-1])
    p.need(answer.status in (403, 404), f"the issuer: {shown(answer)}")
    stored(p, chain, "valid")


@row("5", "RFC 8555 §7.6", "revokeCert of a certificate of another directory of the server", "404 malformed (403 unauthorized)", "J20")
def revocation_at_another_directory(p):
    client = p.account()
    _, chain, key = client.certify()
    other = p.account(p.other("elsewhere"))
    p.problem(other.revoke(chain[0]), (403, 404), ("malformed", "unauthorized"))
    finder = p.client(p.other("elsewhere"), key=key)
    p.problem(finder.revoke(chain[0]), (403, 404), ("malformed", "unauthorized"))
    stored(p, chain, "valid")


@row("5", "RFC 8555 §7.6", "revokeCert with jwk, signed by the certificate's key, without an account", "200; stored as keyCompromise whatever reason was sent", "J21")
def revoked_by_its_key(p):
    client = p.account()
    _, chain, key = client.certify()
    p.ok(client.revoke_by_key(chain[0], key, 4))
    p.problem(client.revoke(chain[0]), 400, "alreadyRevoked")
    stored(p, chain, "revoked", KEY_COMPROMISE)


@row("5", "RFC 8555 §7.6", "revokeCert with jwk of another key", "403 unauthorized; not revoked", "J20")
def revoked_by_another_key(p):
    client = p.account()
    _, chain, _ = client.certify()
    p.problem(client.revoke_by_key(chain[0], Key()), (401, 403), "unauthorized")
    stored(p, chain, "valid")


@row("1.2", "acme.md §1.2", "a CSR and an account with a key that revoked its certificate", "400 badCSR or badPublicKey; 400 badPublicKey: it is blocked for good", "J21")
def compromised_key_is_blocked(p):
    client, name = p.account(), p.name()
    _, chain, key = client.certify()
    p.ok(client.revoke_by_key(chain[0], key))
    _, order = client.ready(name)
    answer = client.finalize(order, csr_for(key, name))
    p.need(answer.status in (400, 403) and kind_of(answer) in ("badCSR", "badPublicKey"), f"CSR: {shown(answer)}")
    p.problem(p.client(key=key).register(), 400, "badPublicKey")


@row("1.2", "acme.md §1.2", "a revoked certificate, revoked again by its own key", "200, and stored as keyCompromise", "J21")
def revocation_becomes_a_compromise(p):
    client = p.account()
    _, chain, key = client.certify()
    p.ok(client.revoke(chain[0], 4))
    p.ok(client.revoke_by_key(chain[0], key, 1))
    stored(p, chain, "revoked", KEY_COMPROMISE)


@row("5", "RFC 8555 §7.6", "revokeCert by another account that proved every name of it", "200; stored as cessationOfOperation whatever reason was sent", "J20")
def revoked_by_an_authorized_account(p):
    client, other = p.account(), p.account()
    names = [p.name(), p.name("www.")]
    _, chain, _ = client.certify(*names)
    other.ready(names[0])
    p.problem(other.revoke(chain[0]), 403, "unauthorized")
    other.ready(names[1])
    p.ok(other.revoke(chain[0], 4))
    stored(p, chain, "revoked", CESSATION_OF_OPERATION)


@row("1.2", "acme.md §1.2", "a key compromise (reason 1) said by another account that proved the names", "does not block the key: only its holder or an administrator can", "J21")
def stranger_blocks_no_key(p):
    client, other, name = p.account(), p.account(), p.name()
    _, chain, key = client.certify(name)
    other.ready(name)
    p.ok(other.revoke(chain[0], 1))
    url, order = client.ready(again := p.name())
    p.ok(client.finalize(order, csr_for(key, again)))
    client.fetched(url)


@row("1.2", "RFC 8555 §7.6", "revokeCert by a deactivated account; by the key after that", "401 unauthorized; 200", "J11")
def revocation_after_deactivation(p):
    client = p.account()
    _, chain, key = client.certify()
    p.ok(client.post(client.kid, {"status": "deactivated"}))
    p.problem(client.revoke(chain[0]), 401, "unauthorized")
    p.ok(client.revoke_by_key(chain[0], key))
