"""A failed fsync ends the process before it acknowledges anything; what was acknowledged before is there after the restart. A file of
credentials that cannot be made durable is none."""
import json
import subprocess

import pytest

from harness.environment import environment, executable
from harness.load import Stream, enroll
from harness.server import Postern
from ledger import compare, open_store

ORDERS = 250
INPUT_OUTPUT_ERROR = 74  # EX_IOERR


@pytest.fixture
def server(disk, tmp_path_factory):
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), "bench.test")
    postern.variables = disk.variables(postern.data)
    try:
        yield postern
    finally:
        postern.stop()


def test_a_failed_fsync_is_fatal_and_never_retried(server, disk):
    server.start()
    stream = Stream(server, server.data.parent, ORDERS)
    try:
        for failures, growth in ((1, 31), (2, 17), (3, 47)):
            stream.await_growth(growth)
            disk.break_("sync")
            assert server.await_own_end() == INPUT_OUTPUT_ERROR
            assert server.events("store_disk_failed") == failures
            assert disk.failed_syncs() == failures
            disk.mend("sync")
            server.start()
        journal = stream.await_end()
    finally:
        stream.kill()
    server.stop()
    with open_store(server.data / "postern.db") as database:
        found = compare(journal, database)
    assert found.offences() == {}
    assert found.received == ORDERS


def test_a_first_start_that_cannot_sync_its_keys_stops_and_the_next_one_is_whole(server, disk):
    disk.break_("sync")
    status, said = server.start_refused()
    assert status == 1
    assert "cannot sync" in said
    assert not (server.data / "keys/master").exists()
    assert not (server.data / "root.pem").exists()
    disk.mend("sync")
    server.start()
    (_, serial, _), = enroll(server, server.data.parent)
    assert serial in [row["serial"] for row in server.all_certificates()]


TOKENS = """
[[profile]]
name = "batch"
lifetime = "30d"
keys = ["ec-p256"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]

[[endpoint]]
name = "batch"
protocol = "est"
profiles = ["batch"]

[[account]]
name = "batch"
endpoint = "batch"
method = "one_time"
common_names = ["*"]
"""


@pytest.mark.parametrize("what", ["sync", "names"])
@pytest.mark.parametrize("older", [None, "of yesterday"], ids=["new", "replaced"])
def test_credentials_that_cannot_be_made_durable_are_withdrawn_and_their_file_is_not_there(disk, tmp_path_factory, what, older):
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), "bench.test")
    try:
        postern.start()
        document, folder = postern.data.parent / "batch.toml", tmp_path_factory.mktemp("o")
        document.write_text(TOKENS)
        postern.apply(document)
        file = folder / "batch.csv"
        if older:
            file.write_text(older)
        disk.break_(what)
        done = subprocess.run([executable(), "est", "enroll-bundle", "batch", "--devices", "-", "--out", file, "--replace", "--data", postern.data], input="gw-1\ngw-2\n",
                              text=True, capture_output=True, check=False, env=environment(**disk.variables(folder)))
        assert done.returncode == 1, done.stdout + done.stderr
        assert f"2 tokens were minted, and {file} was not written\npostern: the tokens were withdrawn\npostern: cannot sync " in done.stderr, done.stderr
        assert {path.name: path.read_text() for path in folder.iterdir()} == ({"batch.csv": older} if older else {})
        states = [json.loads(line)["state"] for line in postern.cli("est", "token", "list", "batch", "--json").splitlines()]
        assert states == ["withdrawn", "withdrawn"]
    finally:
        postern.stop()
