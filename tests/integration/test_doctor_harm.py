"""`postern doctor` on a folder: each thing that can be wrong with it is brought about and found."""
import contextlib
import datetime
import os
import shutil
import sqlite3
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.ports import free_port
from patient import certificate_files, configuration, failed, healthy, old_crl, patient, resolver  # noqa: F401  (fixtures)

DAY = datetime.timedelta(days=1)


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


def test_a_quick_look_leaves_indexes_out(patient):
    broken_index(patient)
    assert "store.integrity" not in failed(patient.examine("--quick"))
