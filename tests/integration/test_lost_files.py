"""Key files and the database, damaged or disclosed: the start stops and nothing is made in their place."""
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.environment import executable
from harness.server import Postern
from harness.wire import ask


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A data folder that was used once."""
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), "integration.test")
    postern.start()
    postern.stop()
    return postern


@pytest.fixture
def copy(stopped, new_server):
    server = new_server()
    shutil.copytree(stopped.data, server.data)
    server.listeners = dict(stopped.listeners)
    return server


def contents(folder):
    """All that a start could change; the lock says who holds it and no more."""
    return {str(path.relative_to(folder)): (oct(path.lstat().st_mode), path.read_bytes())
            for path in folder.rglob("*") if path.is_file() and path.name != "lock"}


def ca_key(data):
    # The RA's is made after the CA's.
    return min((data / "keys").glob("*.key"), key=lambda path: path.stat().st_mtime_ns)


def link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


DAMAGE = {
    "master key for the group": (
        lambda data: (data / "keys/master").chmod(0o640),
        "{data}/keys/master can be read by others; run: chmod 600 {data}/keys/master"),
    "master key missing": (
        lambda data: (data / "keys/master").unlink(),
        "the master key {data}/keys/master is missing: restore it from your backup"),
    "master key cut": (
        lambda data: (data / "keys/master").write_bytes(b"short"),
        "the master key {data}/keys/master must have exactly 32 octets"),
    "another master key": (
        lambda data: (data / "keys/master").write_bytes(bytes(32)),
        "the master key is not the one that this store was made with"),
    "master key behind a link": (
        lambda data: link(data / "keys/master"),
        "{data}/keys/master is a symbolic link; key files must be plain files"),
    "CA key for everybody": (
        lambda data: ca_key(data).chmod(0o644),
        "{key}: mode 0644 lets others in; consider the key disclosed"),
    "CA key missing": (
        lambda data: ca_key(data).unlink(),
        "{key}: it is missing; restore it from the backup of the keys folder"),
    "CA key changed": (
        lambda data: ca_key(data).write_bytes(ca_key(data).read_bytes()[:-1] + b"\0"),
        "{key}: it does not open"),
    "database missing": (
        lambda data: (data / "postern.db").unlink(),
        "{data}/root.pem exists, but the database {data}/postern.db does not: it was lost or moved. Restore it"),
    "database and master key missing": (
        lambda data: [(data / name).unlink() for name in ("postern.db", "keys/master")],
        "{data}/root.pem exists, but the database {data}/postern.db does not"),
    "database of something else": (
        lambda data: (data / "postern.db").write_bytes(b"not a database, but long enough to look at" * 30),
        "{data}/postern.db is no SQLite database"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_stops_the_start_and_nothing_is_made(copy, damage):
    harm, expected = DAMAGE[damage]
    key = ca_key(copy.data)
    harm(copy.data)
    before = contents(copy.data)
    status, said = copy.start_refused()
    assert expected.format(data=copy.data, key=f"CA key {key}") in said
    assert said.splitlines()[-1].startswith("postern: ")
    assert status == 1
    assert contents(copy.data) == before


def test_no_verb_works_around_a_refusal(copy):
    (copy.data / "keys/master").chmod(0o640)
    done = copy.verb("cert", "list", "--data", copy.data)
    assert done.returncode == 1
    assert done.stderr == (f"postern: {copy.data}/keys/master can be read by others; "
                           f"run: chmod 600 {copy.data}/keys/master\n")


def test_a_restored_database_is_taken_up_again(copy):
    root = (copy.data / "root.pem").read_bytes()
    backup = copy.data.parent / "backup.db"
    (copy.data / "postern.db").rename(backup)
    assert copy.start_refused()[0] == 1
    backup.rename(copy.data / "postern.db")
    copy.start()
    assert Path(copy.root).read_bytes() == root


def test_a_missing_root_file_is_written_again(copy):
    root = (copy.data / "root.pem").read_bytes()
    (copy.data / "root.pem").unlink()
    copy.start()
    assert Path(copy.root).read_bytes() == root


@pytest.mark.parametrize("file", ["server.pem", "server.key"])
def test_a_lost_own_certificate_is_enrolled_again(copy, file):
    (copy.data / "tls" / file).unlink()
    copy.start()
    assert len(copy.all_certificates()) == 3  # and the RA's


def test_an_own_key_that_is_not_the_certificates_is_replaced(copy):
    """As a kill within a renewal leaves it."""
    key = copy.data / "tls/server.key"
    key.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    copy.start()
    assert ask(copy.directory(), root=copy.root).status == 200
    assert len(copy.all_certificates()) == 3  # and the RA's
