"""A full disk: 503 and nothing half-stored, reads go on, and service returns with the space, without a restart."""
import pytest

from account import Account, assert_try_later
from harness.environment import executable
from harness.load import Stream, enroll
from harness.management import await_readiness, crl_url, metrics, readiness
from harness.server import Postern
from harness.wire import ask
from ledger import compare, open_store
from rows import content


@pytest.fixture
def server(disk, tmp_path_factory):
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), "bench.test")
    postern.variables = disk.variables(postern.data)
    try:
        postern.start()
        yield postern
    finally:
        postern.stop()


@pytest.mark.parametrize("cause", ["full", "quota"])
def test_a_full_disk_is_told_and_left_behind(server, disk, cause):
    account = Account(server)
    assert account.register().status == 201
    (_, serial, _), = enroll(server, server.data.parent)
    crl = crl_url(server)
    pid = server.pid
    before = content(server)

    disk.break_(cause)
    assert_try_later(account.order("a.bench.test"))
    assert_try_later(Account(server).register())
    status, why = readiness(server)
    assert status == 503
    assert why.startswith("the store takes no writes: ")
    assert metrics(server)["postern_store_writable"] == 0
    refused = server.verb("principal", "create", "robot", "--role", "auditor", "--data", server.data)
    assert refused.returncode == 1
    assert "try again later" in refused.stderr
    assert content(server) == before
    # What needs no room goes on.
    assert ask(crl).status == 200
    assert serial in [row["serial"] for row in server.all_certificates()]
    assert account.nonce()

    disk.mend(cause)
    await_readiness(server, 200)
    assert metrics(server)["postern_store_writable"] == 1
    assert account.order("a.bench.test").status == 201
    assert enroll(server, server.data.parent / "data")[-1][1] != serial
    assert server.pid == pid


def test_a_disk_that_fills_up_in_a_stream_loses_and_doubles_nothing(server, disk):
    stream = Stream(server, server.data.parent, 5000)
    try:
        stream.await_growth(40)
        disk.break_("full")
        await_readiness(server, 503)
        disk.mend("full")
        await_readiness(server, 200)
        stream.await_growth(40)
        server.stop()
    finally:
        stream.kill()
    server.start()  # settles what lost its outcome
    server.stop()
    with open_store(server.data / "postern.db") as database:
        found = compare(stream.journal(), database)
    assert found.offences() == {}
