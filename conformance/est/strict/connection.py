"""TLS as EST wants it (est.md §1.4, §2)."""
import re
import ssl
import subprocess

from harness.environment import environment
from harness.http_wire import Closed, client_context

from .probe import row


@row("1.4", "TLS 1.2 and TLS 1.3", "both")
def both_versions(p):
    for tls in ("1.2", "1.3"):
        wire = p.connect(tls=tls)
        p.need(wire.version == tls, f"TLS {wire.version}")
        p.status(p.get("cacerts", wire=wire), 200)


@row("1.4", "TLS 1.0 and TLS 1.1 alone", "the server ends the handshake (RFC 8996)")
def old_versions(p):
    for tls in ("1.0", "1.1"):
        try:
            wire = p.connect(tls=tls)
        except ssl.SSLError as ended:
            p.need("ALERT" in (ended.reason or ""), str(ended))
        except OSError:
            pass
        else:
            p.need(False, f"TLS {wire.version}")
    return "refused"


@row("1.4", "cipher suites without authentication or encryption alone", "the server ends the handshake")
def null_and_anonymous_suites(p):
    for suites in ("aNULL:@SECLEVEL=0", "eNULL:@SECLEVEL=0"):
        try:
            p.connect(tls="1.2", ciphers=suites)
        except ssl.SSLError as ended:
            p.need("ALERT" in (ended.reason or ""), str(ended))
        except OSError:
            pass
        else:
            p.need(False, f"a connection with {suites}")
    return "refused"


@row("1.4", "the name in the server's certificate", "the host that was asked (RFC 7030 §3.6.1)")
def server_name(p):
    p.connect()  # Python compares
    return "as expected"


@row("2", "a client that offers its last session, TLS 1.2 and 1.3", "a full handshake or a resumed one, and an answer")
def offered_session(p):
    seen = []
    for tls in ("1.2", "1.3"):
        context = client_context(p.target.cacert, tls=tls)
        first = p.connect(context=context)
        p.status(p.get("cacerts", wire=first), 200)
        second = p.connect(context=context, session=first.tls.session)
        p.status(p.get("cacerts", wire=second), 200)
        seen.append(f"{tls} {'resumed' if second.tls.session_reused else 'full'}")
    return ", ".join(seen)


@row("2", "a client with a certificate that offers its last session", "whoever enrolls is judged as on a full handshake")
def offered_session_of_a_certificate(p):
    own = p.identity()
    for tls in ("1.2", "1.3"):
        context = client_context(p.target.cacert, tls=tls, identity=own.files)
        first = p.connect(context=context)
        p.status(p.get("cacerts", wire=first), 200)
        second = p.connect(context=context, session=first.tls.session)
        p.certificate(p.enroll(p.csr(own.key), "simplereenroll", wire=second, user=""), own.key)


def _s_client(p, *options, said=b""):
    host, port = p.target.main.place
    done = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", p.target.cacert, *options], input=said, capture_output=True, check=False,
                          timeout=60, env=environment())
    return (done.stdout + done.stderr).decode("utf-8", "replace")


@row("2", "the handshake's request for a client certificate", "there is one, with an empty list of CAs")
def empty_list_of_cas(p):
    said = _s_client(p, "-tls1_2")
    p.need("No client certificate CA names sent" in said, "a list of CAs")
    p.need("Client Certificate Types" in said, "no request for a certificate")
    return "asked, empty"


@row("2", "renegotiation of TLS 1.2, which the client begins", "refused")
def renegotiation(p):
    said = _s_client(p, "-tls1_2", said=b"R\n")
    p.need("RENEGOTIATING" in said, "openssl did not try")
    p.need(re.search("no renegotiation|alert|error", said.partition("RENEGOTIATING")[2]), "renegotiated")
    return "refused"


@row("2", "a client certificate behind 20 issuers", "the handshake ends, or 403")
def long_chain(p):
    from .credentials import forged
    stranger = forged(p)
    owner = p.owner(stranger.certificate, stranger.key, chain=[forged(p).certificate for _ in range(20)])
    try:
        answer = p.renew(owner, p.csr(owner.key), operation="simpleenroll")
    except (Closed, OSError):
        return "the handshake ended"
    p.refused(answer, 403)
