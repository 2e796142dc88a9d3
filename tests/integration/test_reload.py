"""SIGHUP and `postern reload`: what can change while running changes, and a mistake changes nothing."""
import datetime
import json
import os
import signal
import socket
import ssl
import time
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LIMIT_SECONDS = 30


def write_pair(folder, name, days=30):
    """A self-signed certificate and its key; gives the serial."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=60))
                   .not_valid_after(now + datetime.timedelta(days=days)).sign(key, hashes.SHA256()))
    (folder / "tls.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    file = folder / "tls.key"
    file.touch(0o600)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate.serial_number


@pytest.fixture
def configured(new_server, tmp_path):
    """A server with a configuration file of its own: (server, write the file)."""
    file = tmp_path / "postern.toml"
    server = new_server(options=("--config", file))

    def configure(text=""):
        file.write_text(f'[tls]\ncertificate = "{tmp_path}/tls.pem"\nkey = "{tmp_path}/tls.key"\n\n{text}\n')

    server.folder = tmp_path
    return server, configure


def connect(server):
    """A TLS connection to the https listener, kept open."""
    host, port = urlsplit(server.directory()).netloc.split(":")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection((host, int(port)), timeout=LIMIT_SECONDS))


def presented(connection):
    return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True)).serial_number


def request(connection, header="X-Nothing: 1", host="x"):
    """One request on a kept connection; the status line."""
    connection.sendall(f"GET /acme/default/directory HTTP/1.1\r\nHost: {host}\r\n{header}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(65536)
        if not piece:
            break
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head.split(b"\r\n")[0].decode()


def hang_up(server, event):
    """SIGHUP, and what it logged."""
    before = server.events(event)
    os.kill(server.pid, signal.SIGHUP)
    end = time.monotonic() + LIMIT_SECONDS
    while server.events(event) == before:
        assert time.monotonic() < end, server.log_tail()
        time.sleep(0.01)
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == event][-1]


def test_a_new_certificate_is_for_new_handshakes_and_an_open_connection_goes_on(configured):
    server, configure = configured
    configure()
    first = write_pair(server.folder, "first")
    server.start()
    old = connect(server)
    assert presented(old) == first
    second = write_pair(server.folder, "second")
    with connect(server) as unchanged:
        assert presented(unchanged) == first
    assert hang_up(server, "reloaded")["new_certificate"] is True
    with connect(server) as new:
        assert presented(new) == second
    assert request(old) == "HTTP/1.1 200 OK"
    assert presented(old) == first
    old.close()
    assert hang_up(server, "reloaded")["new_certificate"] is False


def status_for(server, host):
    with connect(server) as connection:
        return request(connection, host=host).split()[1]


def test_the_names_that_are_answered_for_follow_the_certificate(new_server, tmp_path):
    """An operator's certificate may name more than we know; our own names exactly what we are."""
    file = tmp_path / "postern.toml"
    file.write_text("")
    write_pair(tmp_path, "op.test")
    server = new_server(options=("--config", file))
    server.start()
    assert (status_for(server, "localhost"), status_for(server, "op.test")) == ("200", "421")
    file.write_text(f'[tls]\ncertificate = "{tmp_path}/tls.pem"\nkey = "{tmp_path}/tls.key"\n')
    hang_up(server, "reloaded")
    assert status_for(server, "op.test") == "200"
    file.write_text("")
    hang_up(server, "reloaded")
    assert (status_for(server, "localhost"), status_for(server, "op.test")) == ("200", "421")


def test_limits_hold_for_connections_that_come_later(configured):
    server, configure = configured
    configure()
    write_pair(server.folder, "only")
    server.start()
    old = connect(server)
    long_header = "X-Long: " + "x" * 2000
    assert request(old, long_header) == "HTTP/1.1 200 OK"
    configure('[limits]\nheader_bytes = "1KiB"\n[log]\nlevel = "debug"\n[dns]\ntimeout = "9s"')
    said = hang_up(server, "reloaded")
    assert "limits.header_bytes: 16384 -> 1024" in said["changed"] and "log.level: info -> debug" in said["changed"]
    assert said["needs_restart"].startswith("dns.timeout: ")
    assert request(old, long_header) == "HTTP/1.1 200 OK"
    old.close()
    with connect(server) as new:
        assert request(new, long_header).startswith("HTTP/1.1 431 ")
    # What waits for a restart is told each time; what was taken over is not.
    again = hang_up(server, "reloaded")
    assert again["changed"] == "" and again["needs_restart"].startswith("dns.timeout: ")


def test_a_start_goes_on_with_an_expired_certificate_and_says_so(configured):
    server, configure = configured
    configure('[log]\nlevel = "error"')
    serial = write_pair(server.folder, "old", days=-1)
    server.start()
    with connect(server) as connection:
        assert presented(connection) == serial
    assert server.events("tls_expired") == 1
    configure()
    assert "the certificate expired at" in hang_up(server, "reload_failed")["why"]
    write_pair(server.folder, "new")
    assert "log.level: error -> info" in hang_up(server, "reloaded")["changed"]
    configure('[log]\nlevel = "error"')
    assert "log.level: info -> error" in hang_up(server, "reloaded")["changed"]


def cut_key(folder):
    (folder / "tls.key").write_text("no key")


def other_key(folder):
    kept = (folder / "tls.pem").read_bytes()
    write_pair(folder, "other")
    (folder / "tls.pem").write_bytes(kept)


@pytest.mark.parametrize("harm, text, said", [
    (cut_key, "", "tls.key: the TLS private key is not an unencrypted PKCS#8 PEM"),
    (other_key, "", "does not belong to the first certificate"),
    (lambda folder: (folder / "tls.key").chmod(0o644), "", "can be read by others"),
    (lambda folder: (folder / "tls.pem").unlink(), "", "cannot read"),
    (lambda folder: (folder / "tls.pem").write_text("junk"), "", "holds no PEM certificate"),
    (lambda folder: write_pair(folder, "old", days=-1), "", "the certificate expired at"),
    (lambda folder: None, '[limits]\nheader_bytes = "lots"', "header_bytes"),
    (lambda folder: None, "[limits]\nunknown = 1", "unknown"),
])
def test_a_mistake_changes_nothing(configured, harm, text, said):
    server, configure = configured
    configure()
    serial = write_pair(server.folder, "first")
    server.start()
    harm(server.folder)
    # With a change that would be fine on its own.
    configure((text or "[limits]") + '\nuri_bytes = "1KiB"')
    why = hang_up(server, "reload_failed")
    assert said in why["why"] and why["unchanged"] is True
    with connect(server) as new:
        assert presented(new) == serial
        new.sendall(b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert new.recv(65536).startswith(b"HTTP/1.1 404 ")
    done = server.verb("reload", "--data", server.data)
    assert done.returncode == 1 and said in done.stderr


def test_the_verb_reports_and_the_log_file_is_opened_anew(new_server, tmp_path):
    file, log = tmp_path / "postern.toml", tmp_path / "postern.log"
    file.write_text(f'[log]\nfile = "{log}"\n')
    server = new_server(options=("--config", file))
    server.start()
    log.rename(tmp_path / "postern.log.1")
    file.write_text(f'[log]\nfile = "{log}"\n[limits]\nidle = "5s"\n')
    report = json.loads(server.cli("reload", "--json"))
    assert report == {"newCertificate": False, "changed": ["limits.idle: 75000ms -> 5000ms"], "restart": []}
    assert '"event":"reloaded"' in log.read_text()
    assert '"event":"reloaded"' not in (tmp_path / "postern.log.1").read_text()


def test_without_a_server_there_is_nothing_to_reload(new_server):
    server = new_server()
    server.start()
    server.stop()
    done = server.verb("reload", "--data", server.data)
    assert done.returncode == 1 and "no server runs on this data folder" in done.stderr


def test_half_a_pair_is_refused_at_the_start(new_server, tmp_path):
    file = tmp_path / "postern.toml"
    file.write_text('[tls]\ncertificate = "/nowhere.pem"\n')
    status, said = new_server().start_refused("--config", file)
    assert status == 2 and "certificate and key belong together" in said
