"""A failed fsync ends the process before it acknowledges anything; what was acknowledged before is there after the restart."""
import pytest

from harness.environment import executable
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
