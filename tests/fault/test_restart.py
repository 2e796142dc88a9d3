"""SIGTERM in a stream of enrollments: what has begun is finished, so that no start has anything to settle."""
from harness.environment import executable
from harness.load import Stream
from harness.server import Postern
from ledger import compare, open_store

ORDERS = 400
GROWTH = (29, 3, 47, 1, 31, 11, 5, 23)


def test_restarts_leave_nothing_to_settle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    server = Postern(executable(), folder, "bench.test")
    server.start()
    stream = Stream(server, folder, ORDERS)
    try:
        for growth in GROWTH:
            stream.await_growth(growth)
            server.stop()
            server.start()
        journal = stream.await_end()
    finally:
        stream.kill()
        server.stop()
    with open_store(server.data / "postern.db") as database:
        found = compare(journal, database)
    assert found.offences() == {}
    assert (found.received, found.settled) == (ORDERS, 0)
