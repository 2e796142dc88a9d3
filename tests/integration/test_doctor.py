"""`postern doctor`: all is well where it is, and each thing that can be wrong is brought about and found."""
import contextlib
import datetime
import fcntl
import json
import os
import shutil
import socket
import socketserver
import sqlite3
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.environment import environment, executable
from harness.load import enroll
from harness.ports import free_port
from harness.server import ANY_PORTS, Postern

DAY = datetime.timedelta(days=1)


class Resolver(threading.Thread):
    """A recursive DNS server that has one answer for every question."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                query, peer = self.socket.recvfrom(4096)
                end = query.index(0, 12) + 5  # the question: name, type, class
                answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\xc0\x00\x02\x01"
                self.socket.sendto(query[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + query[12:end] + answer, peer)


@pytest.fixture(scope="module")
def resolver():
    thread = Resolver()
    thread.start()
    yield thread
    thread.socket.close()


@pytest.fixture(scope="module")
def configuration(tmp_path_factory, resolver):
    file = tmp_path_factory.mktemp("c") / "postern.toml"
    file.write_text(f'[dns]\nservers = ["127.0.0.1@{resolver.port}"]\nallow_loopback_servers = true\ndnssec = false\n')
    file.chmod(0o600)
    return file


LISTENERS = [word for name, address in ANY_PORTS.items() for word in (f"--{name}", address)]


class Patient:
    """A data folder of nobody's server, and what the doctor says of it."""

    def __init__(self, data, configuration):
        self.data = data
        self.configuration = configuration

    def examine(self, *more, lab=True, before=(), listeners=LISTENERS):
        command = [*before, executable(), "doctor", "--data", self.data, "--config", self.configuration, "--json",
                   *listeners, *(["--lab"] if lab else []), *more]
        done = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False, env=environment())
        assert done.stderr == "", done.stderr
        report = json.loads(done.stdout)
        assert report["failed"] == sum(f["verdict"] == "failed" for f in report["findings"])
        assert done.returncode == (1 if report["failed"] else 0)
        assert all(("advice" in f) == (f["verdict"] != "good") for f in report["findings"])
        return report["findings"]

    def sql(self, *statements):
        with contextlib.closing(sqlite3.connect(self.data / "postern.db", isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)

    def key_id(self, kind):
        with contextlib.closing(sqlite3.connect(self.data / "postern.db")) as database:
            return database.execute("SELECT key_id FROM authority WHERE kind = ?", (kind,)).fetchone()[0]

    def port(self, name):
        with contextlib.closing(sqlite3.connect(self.data / "postern.db")) as database:
            return int(database.execute("SELECT value FROM setting WHERE name = ?", ("port." + name,)).fetchone()[0])

    def key(self, kind):
        return self.data / "keys" / f"{self.key_id(kind)}.key"

    @contextlib.contextmanager
    def held(self):
        """As by a server that answers nobody."""
        with (self.data / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@pytest.fixture(scope="module")
def server(tmp_path_factory, configuration):
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), "integration.test", options=("--config", configuration))
    postern.listeners = dict(ANY_PORTS)
    try:
        postern.start()
        enroll(postern, tmp_path_factory.mktemp("load"))
        yield postern
    finally:
        postern.stop()


@pytest.fixture(scope="module")
def healthy(tmp_path_factory, configuration):
    """A folder whose server was stopped in good order; copied for each who harms it."""
    postern = Postern(executable(), tmp_path_factory.mktemp("h"), "integration.test", options=("--config", configuration))
    postern.listeners = dict(ANY_PORTS)
    postern.start()
    postern.stop()
    return postern.data


@pytest.fixture
def patient(healthy, configuration, tmp_path):
    shutil.copytree(healthy, tmp_path / "data")
    own = tmp_path / "postern.toml"
    shutil.copy(configuration, own)
    return Patient(tmp_path / "data", own)


def failed(findings):
    return {f["check"]: f["what"] for f in findings if f["verdict"] == "failed"}


def test_a_running_server_is_well(server, configuration):
    findings = Patient(server.data, configuration).examine()
    assert failed(findings) == {}
    good = {f["check"] for f in findings if f["verdict"] == "good"}
    assert good >= {"configuration.file", "configuration.permissions", "configuration.public_https", "folder.lock", "folder.modes",
                    "folder.space", "store.integrity", "store.intents", "store.open_endpoints", "store.journal", "clock.store", "clock.steps", "keys.master",
                    "keys.root_key", "keys.issuing_key", "keys.issuing_life", "keys.tls", "crl.age", "crl.served", "dns.resolver",
                    "listener.control", "listener.https", "listener.est", "listener.http", "listener.management"}
    assert f"held by process {server.pid}" in [f["what"] for f in findings if f["check"] == "folder.lock"]


def test_a_stopped_one_is_well_and_stays_as_it_is(patient):
    before = {path: path.read_bytes() for path in patient.data.rglob("*") if path.is_file()}
    assert failed(patient.examine()) == {}
    assert {path: path.read_bytes() for path in patient.data.rglob("*") if path.is_file()} == before


def test_people_read_what_to_do(patient):
    (patient.data / "keys/master").chmod(0o644)
    done = subprocess.run([executable(), "doctor", "--data", patient.data, "--config", patient.configuration, "--lab", *LISTENERS],
                          text=True, capture_output=True, check=False, env=environment())
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("[failed] folder.modes: "))
    assert lines[at] == f"[failed] folder.modes: {patient.data}/keys/master is open to others"
    assert lines[at + 1].startswith(f"    do: chmod go-rwx {patient.data}/keys/master")
    assert lines[-1].endswith("checks failed.")


def certificate_files(folder, begin, end):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another")])
    now = datetime.datetime.utcnow()
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
            .not_valid_before(now + begin).not_valid_after(now + end).sign(key, hashes.SHA256()))
    (folder / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                          serialization.NoEncryption()))
    return made.public_bytes(serialization.Encoding.PEM)


def torn_pages(p):
    with contextlib.closing(sqlite3.connect(p.data / "postern.db")) as database:
        page = database.execute("PRAGMA page_size").fetchone()[0]
        roots = [row[0] for row in database.execute("SELECT rootpage FROM sqlite_master WHERE name IN ('crl', 'setting')")]
    with (p.data / "postern.db").open("r+b") as file:
        for root in roots:
            file.seek((root - 1) * page)  # the header too: no reader can take it for a page
            file.write(b"\xff" * 64)


def expired_authority(p):
    pem = certificate_files(p.data.parent, -90 * DAY, -DAY)
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    p.sql(f"UPDATE authority SET certificate = x'{der.hex()}' WHERE kind = 'issuing'")


def unreadable_authority(p):
    p.sql("UPDATE authority SET certificate = x'00' WHERE kind = 'root'")


def writable_root_file(p):
    (p.data / "root.pem").chmod(0o666)


def linked_key(p):
    elsewhere = p.data.parent / "elsewhere.key"
    p.key("issuing").rename(elsewhere)
    p.key("issuing").symlink_to(elsewhere)


def open_master(p):
    (p.data / "keys/master").chmod(0o640)


def short_master(p):
    (p.data / "keys/master").write_bytes(b"x" * 31)


def another_master(p):
    (p.data / "keys/master").write_bytes(b"x" * 32)


def no_master(p):
    (p.data / "keys/master").unlink()


def lost_key(p):
    p.key("issuing").unlink()


def exchanged_key(p):
    shutil.copy(p.key("root"), p.key("issuing"))


def cut_chain(p):
    p.sql("UPDATE authority SET issuer_id = key_id WHERE kind = 'issuing'")


def no_authority(p):
    p.sql("DELETE FROM crl", "DELETE FROM authority")


def another_root(p):
    (p.data / "root.pem").write_bytes(certificate_files(p.data.parent, -DAY, DAY))


def another_tls_key(p):
    pem = (p.data / "tls/server.pem").read_bytes()
    certificate_files(p.data / "tls", -DAY, DAY)
    (p.data / "tls/server.pem").write_bytes(pem)


def foreign_tls(p):
    certificate_files(p.data / "tls", -DAY, 90 * DAY)


def old_tls(p):
    certificate_files(p.data / "tls", -90 * DAY, -DAY)


def no_tls(p):
    (p.data / "tls/server.pem").unlink()


def no_tls_key(p):
    (p.data / "tls/server.key").unlink()


def later_record(p):
    p.sql(f"UPDATE audit SET at_ms = {int(time.time() + 86400) * 1000}")


def old_crl(p):
    p.sql(f"UPDATE crl SET this_update_ms = 1, next_update_ms = {int(time.time() - 60) * 1000}")


def future_crl(p):
    now = int(time.time() * 1000)
    p.sql(f"UPDATE crl SET this_update_ms = {now + 3_600_000}, next_update_ms = {now + 90_000_000}")


def revoked_tls(p):
    serial = x509.load_pem_x509_certificate((p.data / "tls/server.pem").read_bytes()).serial_number
    p.sql(f"UPDATE certificate SET status = 'revoked', revoked_ms = 1800000000000, revoked_reason = 4 WHERE hex(serial) = '{serial:032X}'")


def no_crl(p):
    p.sql("DELETE FROM crl")


def number_lost(p):
    p.sql("UPDATE authority SET crl_number = 0")


def broken_index(p):
    p.sql("PRAGMA writable_schema = ON", "UPDATE sqlite_master SET sql = 'CREATE INDEX audit_request ON audit (actor)' WHERE name = 'audit_request'")


def torn(p):
    p.sql("PRAGMA foreign_keys = OFF", "DELETE FROM tenant WHERE name = 'default'")


def another_journal(p):
    p.sql("PRAGMA journal_mode = DELETE")


def long_log(p):
    os.truncate(os.open(p.data / "postern.db-wal", os.O_CREAT | os.O_RDWR, 0o600), 200 * 1024 * 1024)


def open_intent(p):
    p.sql("UPDATE enrollment SET status = 'submitted'")


def no_database(p):
    (p.data / "postern.db").write_bytes(b"this is a letter to my aunt, not a database" * 100)


def lost_database(p):
    (p.data / "postern.db").unlink()


def older_schema(p):
    p.sql("DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)")


def newer_schema(p):
    p.sql("INSERT INTO schema_migration (number, name, checksum, applied_ms) VALUES (999, 'later', 'x', 0)")


def unknown_key(p):
    p.configuration.write_text(p.configuration.read_text() + "\n[listen]\nhtps = 1\n")


def writable_file(p):
    p.configuration.chmod(0o666)


def another_public_url(p):
    p.configuration.write_text(p.configuration.read_text() + '\n[public]\nhttps = "https://ca.elsewhere.test"\n')


def dead_resolver(p):
    p.configuration.write_text(f'[dns]\nservers = ["127.0.0.1@{free_port()}"]\nallow_loopback_servers = true\ndnssec = false\ntimeout = "1s"\n')


def unsigned_answers(p):
    anchor = "example.com. IN DS 31589 8 2 " + "AB" * 32
    p.configuration.write_text(p.configuration.read_text().replace("dnssec = false", f'dnssec = true\ntrust_anchors = ["{anchor}"]'))


def impossible_resolver(p):
    p.configuration.write_text('[dns]\nservers = ["everywhere"]\n')


HARM = [
    (open_master, "folder.modes", "keys/master is open to others"),
    (open_master, "keys.master", "can be read by others"),
    (short_master, "keys.master", "has 31 octets; a master key has 32"),
    (another_master, "keys.issuing_key", "it does not open"),
    (another_master, "keys.root_key", "it does not open"),
    (no_master, "keys.master", "cannot look at"),
    (lost_key, "keys.issuing_key", "it is missing"),
    (exchanged_key, "keys.issuing_key", "it does not open"),
    (cut_chain, "keys.issuing_certificate", "is not signed by"),
    (no_authority, "keys.authorities", "the database knows no CA"),
    (another_root, "keys.root_file", "is not the root of this CA"),
    (another_tls_key, "keys.tls", "is not the key of tls/server.pem"),
    (foreign_tls, "keys.tls", "was not issued by this CA"),
    (old_tls, "keys.tls", "it is over"),
    (no_tls, "keys.tls", "holds no certificate"),
    (no_tls_key, "keys.tls", "server.key is missing"),
    (later_record, "clock.store", "later than this clock says"),
    (old_crl, "crl.age", "it is over, and relying parties refuse"),
    (no_crl, "crl.age", "has no CRL"),
    (future_crl, "crl.age", "which is in the future: relying parties refuse it"),
    (revoked_tls, "keys.tls", "the server's own certificate was revoked at 2027-01-15T08:00:00Z"),
    (number_lost, "crl.number", "is newer than the last number used, 0"),
    (broken_index, "store.integrity", "audit_request"),
    (torn_pages, "store.integrity", "malformed"),
    (torn_pages, "store.readable", "malformed"),
    (torn, "store.references", "refer to others that are gone"),
    (another_journal, "store.journal", "the journal mode is delete"),
    (long_log, "store.log", "the write-ahead log has 200 MiB"),
    (open_intent, "store.intents", "issuances were begun and have no outcome"),
    (no_database, "store.readable", "is no SQLite database; name another file"),
    (lost_database, "store.readable", "does not exist"),
    (newer_schema, "store.readable", "install the newer Postern"),
    (older_schema, "store.schema", "is missing"),
    (unknown_key, "configuration.file", "listen.htps: unknown key"),
    (writable_file, "configuration.permissions", "can be written by others"),
    (another_public_url, "configuration.public_https", "was set up as"),
    (dead_resolver, "dns.resolver", "example.com"),
    (impossible_resolver, "dns.resolver", "everywhere"),
    (unsigned_answers, "dns.resolver", "example.com"),
    (expired_authority, "keys.issuing_life", "it is over"),
    (expired_authority, "keys.issuing_key", "the key is not the one of its certificate"),
    (unreadable_authority, "keys.root_certificate", "root CA"),
    (writable_root_file, "folder.modes", "root.pem can be written by others"),
    (linked_key, "folder.modes", ".key is a symbolic link"),
    (linked_key, "keys.issuing_key", "this is a symbolic link"),
]


@pytest.mark.parametrize("harm, check, says", HARM, ids=[f"{harm.__name__}-{check}" for harm, check, _ in HARM])
def test_what_is_wrong_is_found(patient, harm, check, says):
    harm(patient)
    found = failed(patient.examine())
    assert says in found.get(check, ""), found


def test_what_is_only_worth_knowing_does_not_fail(patient):
    (patient.data / "tls/server.key.new").touch(0o600)
    (patient.data / "control.sock").touch(0o600)
    findings = patient.examine()
    assert failed(findings) == {}
    notices = {f["check"]: f["what"] for f in findings if f["verdict"] == "notice"}
    assert "server.key.new: of a write that was interrupted" in notices["folder.leftovers"]
    assert notices["folder.stopped"] == "the last server ended without being stopped"
    assert notices["dns.dnssec"] == "answers are not validated"


def test_a_folder_where_nothing_ever_ran(patient):
    (patient.data / "lock").unlink()
    patient.sql("DELETE FROM setting")
    notices = {f["check"]: f["what"] for f in patient.examine() if f["verdict"] == "notice"}
    assert notices["folder.lock"] == "there is no lock file: no server ever ran here"
    assert notices["configuration.public_http"] == "no URL is fixed yet"


def test_another_crl_is_served_than_the_newest(new_server, configuration):
    server = new_server()
    server.options = ("--config", configuration)
    server.start()
    patient = Patient(server.data, configuration)
    assert "crl.served" not in failed(patient.examine())
    patient.sql("UPDATE crl SET der = x'3000'")
    assert "gives another CRL than the newest" in failed(patient.examine())["crl.served"]


def test_a_quick_look_leaves_indexes_out(patient):
    broken_index(patient)
    assert "store.integrity" not in failed(patient.examine("--quick"))


def test_too_little_space(patient):
    assert "are free, fewer than" in failed(patient.examine("--least-free", "4000000GiB"))["folder.space"]


def test_a_listener_that_is_elsewhere_now(patient):
    found = failed(patient.examine(listeners=["--https", "127.0.0.1:1", *LISTENERS[2:]]))
    assert f"the listener is at https://127.0.0.1:1, but accounts and certificates say https://127.0.0.1:{patient.port('https')}" in found["configuration.public_https"]


@pytest.mark.parametrize("name", ["https", "est", "http", "management"])
def test_a_port_that_somebody_else_has(patient, name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", patient.port(name)))
        taken.listen()
        assert f"a server could not listen on 127.0.0.1:{patient.port(name)}" in failed(patient.examine())["listener." + name]


def test_a_server_that_answers_nobody(patient):
    with patient.held():
        found = failed(patient.examine())
    assert {"listener.control", "listener.https", "listener.est", "listener.http", "listener.management", "crl.served"} <= set(found)
    assert f"/crl/{patient.key_id('issuing')}/0.crl" in found["crl.served"] or f"/crl/{patient.key_id('root')}/0.crl" in found["crl.served"]


def test_what_a_running_server_should_have_renewed(patient):
    certificate_files(patient.data / "tls", -90 * DAY, 5 * DAY)
    now = int(time.time() * 1000)
    patient.sql(f"UPDATE crl SET this_update_ms = {now - 80_000_000}, next_update_ms = {now + 20_000_000}")
    assert {"crl.age"} & set(failed(patient.examine())) == set()  # nobody was there to sign
    with patient.held():
        found = failed(patient.examine())
    assert "80 % of its time used; it should have been replaced" in found["crl.age"]
    assert "and was not renewed" in found["keys.tls"]


def test_a_running_server_says_how_it_was_started(server):
    done = subprocess.run([executable(), "doctor", "--data", server.data, "--json"], text=True, capture_output=True, check=False,
                          env=environment())
    findings = json.loads(done.stdout)["findings"]
    assert failed(findings) == {}
    good = {f["check"] for f in findings if f["verdict"] == "good"}
    assert good >= {"configuration.public_https", "listener.https", "listener.est", "listener.http", "listener.management", "dns.resolver"}


def test_a_store_that_was_named_at_the_start_is_examined(new_server, tmp_path):
    server = new_server(options=("--store", f"sqlite:{tmp_path}/elsewhere.db"))
    server.start()
    done = subprocess.run([executable(), "doctor", "--data", server.data, "--json"], text=True, capture_output=True, check=False, env=environment())
    findings = json.loads(done.stdout)["findings"]
    assert failed(findings) == {}
    assert "keys.root_key" in {f["check"] for f in findings}


class Older(socketserver.StreamRequestHandler):
    """The control socket of a version that does not say how it was started."""

    def handle(self):
        path = self.rfile.readline().split()[1]
        while self.rfile.readline().strip():
            pass
        status = b"400 Bad Request" if path.endswith(b"/explain") else b"404 Not Found"
        self.wfile.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")


def test_a_server_of_another_version_is_not_guessed_at(patient):
    with patient.held(), socketserver.ThreadingUnixStreamServer(str(patient.data / "control.sock"), Older) as older:
        (patient.data / "control.sock").chmod(0o600)
        threading.Thread(target=older.serve_forever, daemon=True).start()
        findings = patient.examine()
        older.shutdown()
    listeners = {f["check"]: (f["verdict"], f["what"]) for f in findings if f["check"].startswith("listener.")}
    assert listeners.pop("listener.control")[0] == "good"
    assert set(listeners.values()) == {("notice", "the server, of another version, does not say where it listens")}
    assert len(listeners) == 4


def serial_shown(server):
    pem = ssl.get_server_certificate(("127.0.0.1", int(server.directory().split(":")[2].split("/")[0])))
    return f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:032x}"


def test_a_revoked_certificate_of_the_server_itself_is_replaced(new_server, configuration):
    server = new_server()
    server.options = ("--config", configuration)
    server.start()
    serial = serial_shown(server)
    server.cli("cert", "revoke", serial)
    [finding] = [f for f in Patient(server.data, configuration).examine() if f["check"] == "keys.tls"]
    assert "the server's own certificate was revoked at" in finding["what"]
    assert finding["advice"].startswith("the server replaces it within a minute")
    server.stop()
    server.start()
    assert serial_shown(server) != serial
    assert failed(Patient(server.data, configuration).examine()) == {}


def test_a_restored_and_closed_one_is_told_to_be_opened(new_server, configuration, tmp_path):
    server = new_server()
    server.listeners = dict(ANY_PORTS)
    server.options = ("--config", configuration)
    server.start()
    server.cli("backup", tmp_path / "backup")
    server.stop()
    server.data.rename(tmp_path / "lost")
    server.cli("restore", tmp_path / "backup")
    patient = Patient(server.data, configuration)
    [finding] = [f for f in patient.examine() if f["verdict"] == "failed"]
    assert finding["check"] == "store.restored"
    assert finding["advice"].startswith("start the server, then postern restore open")
    server.start()
    findings = patient.examine()
    assert set(failed(findings)) == {"store.restored"}
    [served] = {(f["verdict"], f["advice"]) for f in findings if f["check"] == "crl.served"}
    assert served == ("notice", "open the restored installation; with that, CRLs are signed and served again")
    # What else is wrong is not mended by a start either.
    server.stop()
    old_crl(patient)
    [advice] = {f["advice"] for f in patient.examine() if f["check"] == "crl.age"}
    assert advice.startswith("open the restored installation")


def test_a_certificate_of_the_operators_is_looked_at_instead(patient):
    folder = patient.data.parent
    certificate_files(folder, -DAY, DAY)
    (folder / "server.key").chmod(0o600)
    patient.configuration.write_text(patient.configuration.read_text() + f'[tls]\ncertificate = "{folder}/server.pem"\nkey = "{folder}/server.key"\n')
    shutil.rmtree(patient.data / "tls")
    assert failed(patient.examine()) == {}
    certificate_files(folder, -DAY, -DAY / 2)
    assert f"{folder}/server.pem ends at" in failed(patient.examine())["keys.tls"]
    (folder / "server.key").chmod(0o644)
    assert "can be read by others" in failed(patient.examine())["keys.tls"]


def test_a_clock_that_was_set(server, configuration):
    lock = server.data / "lock"
    kept = lock.stat()
    try:
        os.utime(lock, (kept.st_mtime - 3600, kept.st_mtime - 3600))
        found = failed(Patient(server.data, configuration).examine())
        assert "the wall clock was set by 36" in found["clock.steps"]
    finally:
        os.utime(lock, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def test_an_issuing_ca_that_ends_before_its_certificates(new_server, tmp_path, configuration):
    server = new_server()
    file = tmp_path / "postern.toml"
    file.write_text(configuration.read_text() + '[ca]\nissuing_lifetime = "100d"\n')
    file.chmod(0o600)
    server.options = ("--config", file)
    server.start()
    document = tmp_path / "long.toml"
    document.write_text('[[profile]]\nname = "long"\nlifetime = "400d"\n')
    server.apply(document)
    assert "before a certificate of the longest profile (400 days) would" in failed(Patient(server.data, file).examine())["keys.issuing_life"]


def test_no_way_out(patient):
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        alone = ["unshare", "--net"]
        if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
            pytest.skip("this machine permits no network namespace")
    assert failed(patient.examine(lab=False, before=alone))["outbound.route"] == "there is no way to public addresses"
    kind = {f["check"]: f["verdict"] for f in patient.examine(before=alone)}
    assert kind["outbound.route"] == "notice"


def test_the_proxy_of_calls_outwards(patient):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        port = proxy.getsockname()[1]
        password = patient.configuration.with_name("proxy-password")
        with patient.configuration.open("a") as file:
            file.write(f'[outbound]\nproxy = "http://127.0.0.1:{port}"\nno_proxy = ["corp.example", "192.0.2.1"]\n'
                       f'proxy_user = "postern"\nproxy_password_file = "{password}"\n')
        password.touch(0o600)
        found = {f["check"]: f for f in patient.examine()}
        assert found["outbound.proxy"]["verdict"] == "good" and found["outbound.proxy_password_file"]["verdict"] == "good"
        assert found["outbound.proxy"]["what"] == f"http://127.0.0.1:{port} takes connections, but not for corp.example, 192.0.2.1"
        password.unlink()
    found = failed(patient.examine())
    assert found["outbound.proxy"] == f"http://127.0.0.1:{port}: Connection refused"
    assert found["outbound.proxy_password_file"] == f"{password}: No such file or directory"


@pytest.mark.parametrize("options, says", [
    (("--https", "8443"), '--https: "8443" is no address'),
    (("--least-free", "much"), "--least-free: expected a size such as"),
    (("--store", "foo"), 'store url "foo…": expected sqlite:PATH or postgres://USER@HOST/DATABASE'),
    (("--data", "nowhere"), "nowhere is no data folder"),
])
def test_a_command_line_that_cannot_be_used(patient, options, says):
    done = subprocess.run([executable(), "doctor", *(() if "--data" in options else ("--data", patient.data)), *options],
                          text=True, capture_output=True, check=False, env=environment())
    assert done.returncode == 2
    assert done.stdout == "" and says in done.stderr
    assert not Path("nowhere").exists()
