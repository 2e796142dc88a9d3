"""Operations, methods and statuses (est.md §1.1, §1.3)."""
from cryptography import x509

from .probe import Deviation, NotOffered, WELL_KNOWN, certificates, lines, row, shown


@row("1.1", "GET cacerts, nobody said who asks", "200 application/pkcs7-mime, certificates alone")
def cacerts_without_credential(p):
    answer = p.status(p.get("cacerts"), 200)
    p.need(answer.media_type == "application/pkcs7-mime", f"Content-Type {answer.get('Content-Type')!r}")
    p.need(len(certificates(answer)) > 0, "no certificate")


@row("1.1", "POST cacerts", "405 with Allow")
def cacerts_posted(p):
    p.refused(p.post("cacerts", b"", headers=[]), 405)


@row("1.1", "simpleenroll with Basic, EC P-256", "200 certs-only with the issued certificate alone")
def simpleenroll_ec(p):
    key = p.key()
    made = p.certificate(p.enroll(p.csr(key)), key)
    p.need(made.subject.rfc4514_string() == f"CN={p.common_name}", f"subject {made.subject.rfc4514_string()}")


@row("1.1", "simpleenroll with Basic, RSA 2048", "200 certs-only with the issued certificate alone")
def simpleenroll_rsa(p):
    key = p.key("rsa2048")
    p.certificate(p.enroll(p.csr(key)), key)


@row("1.1", "simplereenroll with the certificate that is renewed", "200 certs-only, another certificate")
def simplereenroll_by_certificate(p):
    own = p.identity()
    made = p.certificate(p.renew(own, p.csr(own.key)), own.key)
    p.need(made.subject == own.certificate.subject, "another subject")


@row("1.1", "simpleenroll, nobody said who asks", "401 with WWW-Authenticate")
def simpleenroll_without_credential(p):
    answer = p.enroll(user="")
    p.refused(answer, 401)
    p.need(answer.get("WWW-Authenticate").startswith("Basic realm="), f"WWW-Authenticate {answer.get('WWW-Authenticate')!r}")


@row("1.1", "simplereenroll, nobody said who asks", "401 or 403")
def simplereenroll_without_credential(p):
    p.refused(p.enroll(operation="simplereenroll", user=""), 401, 403)


@row("1.1", "simplereenroll with a password alone", "401 or 403: there is nothing to renew")
def simplereenroll_by_password(p):
    p.refused(p.enroll(operation="simplereenroll"), 401, 403)


@row("1.1", "GET simpleenroll", "405 with Allow")
def simpleenroll_by_get(p):
    answer = p.get("simpleenroll")
    p.refused(answer, 405)
    p.need("POST" in answer.get("Allow"), f"Allow {answer.get('Allow')!r}")


@row("1.1", "PUT, DELETE, PATCH simpleenroll", "405")
def simpleenroll_by_other_methods(p):
    for method in ("PUT", "DELETE", "PATCH"):
        p.refused(p.get("simpleenroll", method=method, headers=[("Content-Length", "0")]), 405, 501)


@row("1.1", "fullcmc, junk", "404 or 501")
def fullcmc(p):
    p.refused(p.post("fullcmc", lines(b"\x30\x03junk"), media_type="application/pkcs7-mime; smime-type=CMC-request"), 404, 501)


@row("1.1", "an operation that nobody knows", "404 or 501")
def unknown_operation(p):
    p.refused(p.get("simpleunenroll"), 404, 501)
    p.refused(p.post("simpleunenroll", b"x"), 404, 405, 501)


@row("1.1", "cacerts without a label", "200 where the host has a default endpoint")
def without_a_label(p):
    wire = p.connect()
    answer = p._keep(wire.ask("GET", WELL_KNOWN + "/cacerts"))
    if answer.status == 404 and p.target.main.label:
        raise NotOffered("this host has no default endpoint")
    p.need(len(certificates(p.status(answer, 200))) > 0, shown(answer))


@row("1.3", "simpleenroll where an officer decides", "202 with Retry-After in seconds, 30 to 86400; again for a new CSR of the same key and names")
def waits_for_approval(p):
    endpoint, key = p.other("pending"), p.key()
    for _ in range(2):
        answer = p.status(p.enroll(p.csr(key), endpoint=endpoint), 202)
        wait = answer.get("Retry-After")
        p.need(wait.isdigit() and 30 <= int(wait) <= 86400, f"202 with Retry-After {wait!r}")


@row("1.3", "simpleenroll with another media type", "415, or 400")
def wrong_media_type(p):
    for kind in ("application/pkcs7-mime", "text/plain", "application/pkcs10x", "application/x-www-form-urlencoded"):
        p.refused(p.enroll(media_type=kind), 400, 415)


@row("1.3", "simpleenroll without a media type", "415, or 400")
def no_media_type(p):
    p.refused(p.post("simpleenroll", lines(p.csr()), headers=[]), 400, 415)


@row("1.3", "cacerts of a host that is not this server's", "an error, and no redirect")
def other_host(p):
    wire = p.connect()
    answer = p._keep(wire.ask("GET", p.path("cacerts"), host="elsewhere.example"))
    p.need(answer.status // 100 == 4, shown(answer))


@row("4", "what was issued, against cacerts", "it verifies by openssl with the last certificate as its only anchor")
def issued_verifies(p):
    import subprocess
    from harness.environment import environment
    from cryptography.hazmat.primitives.serialization import Encoding
    own = p.identity()
    chain = [x509.load_der_x509_certificate(each) for each in certificates(p.get("cacerts"))]
    anchor, rest = p.folder / "anchor.pem", p.folder / "rest.pem"
    anchor.write_bytes(chain[-1].public_bytes(Encoding.PEM))
    rest.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain))
    done = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", anchor, "-untrusted", rest, own.files[0]], text=True, capture_output=True,
                          check=False, env=environment())
    if done.returncode != 0:
        raise Deviation((done.stdout + done.stderr).strip().splitlines()[-1])
    return "verified"
