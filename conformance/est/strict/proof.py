"""Proof of possession, and a request that is bound to its connection (est.md §1.5, §6)."""
import base64

from harness import der, pkcs10

from .probe import row

IDENTITY_LINKING, OTP_CHALLENGE = "1.2.840.113549.1.9.16.2.58", "1.2.840.113549.1.9.16.2.56"


@row("1.5", "a CSR with a broken signature; signed by another key", "400")
def broken_signature(p):
    p.refused(p.enroll(p.csr(bad_signature=True)), 400)
    p.refused(p.enroll(p.csr(spki_of=p.key())), 400)
    p.refused(p.enroll(p.csr(p.key(), spki_of=p.key("rsa2048"))), 400)


@row("1.5", "TLS 1.2, challengePassword with base64 of tls-unique", "200")
def tls_unique(p):
    wire, key = p.connect(tls="1.2"), p.key()
    p.certificate(p.enroll(p.bound_csr(wire, key), wire=wire), key)


@row("1.5", "TLS 1.3, challengePassword with base64 of tls-exporter (RFC 9266)", "200")
def tls_exporter(p):
    wire, key = p.connect(tls="1.3"), p.key()
    p.certificate(p.enroll(p.bound_csr(wire, key), wire=wire), key)


@row("1.5", "the same with a line end behind the base64, as a shell leaves it", "200")
def binding_with_a_line_end(p):
    wire, key = p.connect(tls="1.3"), p.key()
    text = base64.b64encode(wire.binding()).decode() + "\n"
    p.certificate(p.enroll(p.csr(key, challenges=[pkcs10.challenge(text)]), wire=wire), key)


@row("6", "TLS 1.3, base64 of the client's Finished message", "400: it binds nothing there")
def finished_of_tls_1_3(p):
    wire = p.connect(tls="1.3")
    p.refused(p.enroll(p.bound_csr(wire, value=wire.finished()), wire=wire), 400)


@row("6", "challengePassword that is no binding, where none is asked for", "400, in TLS 1.2 and 1.3")
def wrong_binding(p):
    for tls in ("1.2", "1.3"):
        wire = p.connect(tls=tls)
        for octets in (bytes(12), bytes(32), b"password"):
            p.refused(p.enroll(p.bound_csr(wire, value=octets), wire=wire), 400)


@row("6", "the binding of another connection; a bound CSR sent again on a new one", "400")
def binding_of_another_connection(p):
    for tls in ("1.2", "1.3"):
        first, key = p.connect(tls=tls), p.key()
        bound = p.bound_csr(first, key)
        p.certificate(p.enroll(bound, wire=first), key)
        p.refused(p.enroll(bound, wire=p.connect(tls=tls)), 400)


@row("6", "the right binding cut, with more behind it, twice", "400")
def binding_with_more(p):
    wire = p.connect(tls="1.3")
    right = base64.b64encode(wire.binding()).decode()
    values = [[right[:-4]], [right[:16]], [right + "A"], [right + "\0"], [right + "\n\n"], [right + " "], [right, right], [right, "other"]]
    for each in values:
        p.refused(p.enroll(p.csr(challenges=[pkcs10.challenge(text) for text in each]), wire=wire), 400)
    both = pkcs10.attribute(pkcs10.CHALLENGE_PASSWORD, pkcs10.challenge(right), pkcs10.challenge("other"))
    p.refused(p.enroll(p.csr(attributes=[both]), wire=wire), 400)


@row("6", "challengePassword that is empty, longer than 255, no string", "400")
def malformed_challenge(p):
    wire = p.connect()
    for value in (pkcs10.challenge(""), pkcs10.challenge("a" * 256), der.integer(5), der.sequence()):
        p.refused(p.enroll(p.csr(challenges=[value]), wire=wire), 400)
    p.refused(p.enroll(p.csr(attributes=[der.sequence(der.oid(pkcs10.CHALLENGE_PASSWORD), der.set_of())]), wire=wire), 400)


@row("1.5", "estIdentityLinking (RFC 7894) with the binding, and with another", "200; 400")
def identity_linking(p):
    wire, key = p.connect(tls="1.3"), p.key()
    text = base64.b64encode(wire.binding()).decode()
    p.certificate(p.enroll(p.csr(key, attributes=[pkcs10.attribute(IDENTITY_LINKING, der.utf8(text))]), wire=wire), key)
    p.refused(p.enroll(p.csr(attributes=[pkcs10.attribute(IDENTITY_LINKING, der.utf8(text[:-4] + "AAA="))]), wire=wire), 400)


@row("1.5", "otpChallenge (RFC 7894), which nobody gave out", "400")
def one_time_challenge(p):
    p.refused(p.enroll(p.csr(attributes=[pkcs10.attribute(OTP_CHALLENGE, der.utf8("12345678"))])), 400)


@row("1.5", "where binding is required: none, the binding, TLS 1.2 and 1.3", "400; 200")
def required_binding(p):
    endpoint = p.other("bound")
    for tls in ("1.2", "1.3"):
        wire, key = p.connect(endpoint, tls=tls), p.key()
        p.refused(p.enroll(p.csr(key), endpoint=endpoint, wire=wire), 400)
        p.certificate(p.enroll(p.bound_csr(wire, key), endpoint=endpoint, wire=wire), key)


@row("6", "where binding is required: TLS 1.2 without extended master secret", "400")
def required_binding_without_extended_master_secret(p):
    endpoint = p.other("bound")
    wire = p.connect(endpoint, tls="1.2", extended_master_secret=False)
    p.refused(p.enroll(p.bound_csr(wire), endpoint=endpoint, wire=wire), 400)


@row("1.5", "where binding is required: csrattrs", "lists challengePassword or estIdentityLinking")
def required_binding_is_announced(p):
    from .probe import decoded
    answer = p.status(p.get("csrattrs", p.other("bound")), 200)
    p.need(any(der.oid(each) in decoded(answer) for each in (pkcs10.CHALLENGE_PASSWORD, IDENTITY_LINKING)), "neither is there")
