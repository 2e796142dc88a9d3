"""TLS as nobody should speak it (RFC 8446, RFC 9325; rows H01 and H03)."""
import datetime
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from harness.environment import environment
from hello import MODERN, client_hello, server_hello
from octets import Ended, request, trusting
from oracle import Oracle, Snapshot
from rows import row

FAILED = "postern_tls_handshakes_failed_total"
PROTOCOL_VERSION, HANDSHAKE_FAILURE, NO_APPLICATION_PROTOCOL = 70, 40, 120
SILENT = 200


@row("H01")
def test_connections_without_a_hello_are_closed_and_others_are_served(new_laboratory):
    laboratory = new_laboratory('[limits]\nhandshake = "1s"\n')
    oracle = Oracle(laboratory)
    with oracle.refuses(counter=FAILED):
        before = Snapshot(laboratory).total(FAILED)
        silent = [laboratory.tcp(listener) for listener in ("https", "est") for _ in range(SILENT // 2)]
        # Half a hello is as silent.
        for connection in silent[::2]:
            connection.send(client_hello()[:40])
        oracle.alive()
        for connection in silent:
            assert connection.at_end()
            connection.close()
        assert Snapshot(laboratory).total(FAILED) - before == SILENT


@row("H01")
def test_a_plain_connection_that_says_nothing_is_closed(new_laboratory):
    laboratory = new_laboratory('[limits]\nhead = "300ms"\n')
    for listener in ("http", "management"):
        with laboratory.tcp(listener) as connection:
            assert connection.at_end()
    Oracle(laboratory).alive()


def test_the_hello_of_these_tests_is_a_good_one(laboratory):
    with laboratory.tcp() as connection:
        connection.send(client_hello())
        assert server_hello(connection) == (MODERN[0], 0)


def refused_with(laboratory, oracle, alert, **hello):
    with oracle.refuses(counter=FAILED):
        for listener in ("https", "est"):
            with laboratory.tcp(listener) as connection:
                connection.send(client_hello(**hello))
                assert connection.alert() in alert
                assert connection.at_end()


@row("H03")
@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302], ids=["SSL 3.0", "TLS 1.0", "TLS 1.1"])
def test_old_versions_are_refused(laboratory, oracle, version):
    # Of SSL 3.0 OpenSSL knows too little to say more.
    refused_with(laboratory, oracle, [PROTOCOL_VERSION if version > 0x0300 else HANDSHAKE_FAILURE], version=version)


SUITES = {
    "NULL": (0x0001, 0x0002, 0x003B, 0xC006, 0xC010), "RC4": (0x0004, 0x0005, 0xC007, 0xC011),
    "export": (0x0003, 0x0006, 0x0008), "DES": (0x0009, 0x000A, 0xC008, 0xC012),
    "anonymous": (0x0018, 0x0034, 0x00A6, 0xC018), "CBC": (0x002F, 0x0035, 0xC009, 0xC013, 0xC023),
    "without forward secrecy": (0x009C, 0x009D, 0xC02D), "PSK": (0x008C, 0x00A8, 0xC035), "none known": (0x1A1A,),
}


@row("H03")
@pytest.mark.parametrize("kind", SUITES)
def test_weak_suites_are_refused(laboratory, oracle, kind):
    refused_with(laboratory, oracle, [HANDSHAKE_FAILURE], suites=SUITES[kind])


@row("H03")
def test_compression_is_never_chosen_and_alone_it_is_refused(laboratory, oracle):
    with laboratory.tcp() as connection:
        connection.send(client_hello(compressions=(1, 64, 0)))
        assert server_hello(connection) == (MODERN[0], 0)
    refused_with(laboratory, oracle, [47, 50], compressions=(1,))


@row("H03")
def test_another_protocol_over_tls_is_refused(laboratory, oracle):
    refused_with(laboratory, oracle, [NO_APPLICATION_PROTOCOL], alpn=(b"h2", b"acme-tls/1"))


def s_client(laboratory, *arguments, words=b""):
    host, port = laboratory.address()
    done = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", laboratory.server.root, *arguments],
                          input=words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60,
                          env=environment())
    return done.stdout.decode(errors="replace")


@row("H03")
def test_renegotiation_is_refused(laboratory, oracle):
    with oracle.refuses(counter=""):
        said = s_client(laboratory, "-tls1_2", words=b"R\n")
    assert "Verify return code: 0 (ok)" in said, said
    assert "RENEGOTIATING" in said and "no renegotiation" in said, said


@row("H03")
def test_there_is_no_early_data(laboratory, oracle, tmp_path):
    ask = request("GET", "/acme/default/directory", "Connection: close", host=laboratory.host)
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_bytes(ask)
    said = s_client(laboratory, "-tls1_3", "-ign_eof", "-sess_out", session, words=ask)
    assert "HTTP/1.1 200" in said and "Max Early Data: 0" in said, said
    said = s_client(laboratory, "-tls1_3", "-ign_eof", "-sess_in", session, "-early_data", early, words=ask)
    assert "Reused, TLSv1.3" in said and "Early data was not sent" in said, said
    assert said.count("HTTP/1.1 200") == 1, said


def client_certificate(folder, octets):
    """The file of a self-signed certificate with an extension of so many octets, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")])
    at = datetime.datetime(2026, 1, 1)
    filler = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), bytes(octets))
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(1).not_valid_before(at).not_valid_after(at + datetime.timedelta(days=3650))
                   .add_extension(filler, False).sign(key, hashes.SHA256()))
    pem = folder / f"{octets}.pem"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM) +
                    key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pem


@row("H13")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_of_1_mib_is_refused_and_a_usual_one_is_not(laboratory, oracle, tmp_path, version):
    def ask(octets):
        context = trusting(laboratory.server.root)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(client_certificate(tmp_path, octets))
        with laboratory.connect("est", context) as connection:
            return connection.ask(request("GET", "/nothing", host=laboratory.host)).status
    assert ask(2000) == 404
    with oracle.refuses(counter=FAILED), pytest.raises((ssl.SSLError, ConnectionError, Ended)):
        ask(1024 * 1024)


@row("H03")
def test_plain_words_on_a_tls_port_end_the_connection(laboratory, oracle):
    with oracle.refuses(counter=FAILED), laboratory.tcp() as connection:
        connection.send(request("GET", "/acme/default/directory"))
        while connection.socket.recv(65536):
            pass
