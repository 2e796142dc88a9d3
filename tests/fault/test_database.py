"""The database goes away under a server and its clients: connections ended, the server restarted, crashed, or frozen.
What was acknowledged stays, nothing is doubled, unrecorded or forgotten, and Postern needs no restart."""
import os
import time

import pytest

import kill_table
from account import Account, assert_try_later
from harness.environment import executable
from harness.load import EstStream, ScepStream, Stream
from harness.management import await_metric, await_readiness, metrics
from harness.wire import ask
from ledger import compare, open_store

FULL = "POSTERN_KILLS" in os.environ  # every blow under clients of every protocol; else of one each
TIMES = min(10, int(os.environ.get("POSTERN_KILLS", "3")))  # a frozen database takes seconds each time
WORKERS = 16
GROWTH = 2 * WORKERS + 5  # certificates between two blows
ORDERS = (TIMES + 1) * GROWTH + 2 * WORKERS


def crash(cluster, _):
    cluster.crash()
    cluster.start()


def freeze(cluster, database):
    """Longer than a statement may take: whoever waits for an answer is told, and what was sent is carried out later."""
    with cluster.suspended():
        time.sleep(7)
    assert database.value("SELECT 1") == 1


def end_connections(_, database):
    assert database.terminate_backends() > 0


BLOWS = {
    "connections ended": end_connections,
    "database restarted": lambda cluster, database: cluster.restart(),
    "database crashed": crash,
    "database frozen": freeze,
}


STREAMS = {"acme": Stream, "scep": ScepStream, "est": EstStream}


@pytest.mark.parametrize("protocol, blow", [(protocol, blow) for p, protocol in enumerate(STREAMS) for b, blow in enumerate(BLOWS)
                                            if FULL or (p + b) % 2 == 0])
def test_clients_go_on_when_the_database_comes_back(new_place, cluster, tmp_path, blow, protocol):
    place = new_place("postgres", executable())
    server, database = place.server, place.store
    server.start()
    pid = server.pid
    stream = STREAMS[protocol](server, tmp_path, ORDERS, WORKERS, seconds=240 + 60 * TIMES)
    try:
        for _ in range(TIMES):
            stream.await_growth(GROWTH)
            assert stream.running(), "a blow came after the stream's end"
            BLOWS[blow](cluster, database)
        journal = stream.await_end()
    finally:
        stream.kill()
    await_readiness(server, 200)
    assert server.pid == pid
    await_settled(server, database)
    server.stop()
    with open_store(database) as held:
        found = compare(journal, held)
    kill_table.add("postgres", f"{protocol}: {blow}", TIMES, found)
    assert found.offences() == {}
    assert found.received == ORDERS


def await_settled(server, database):
    """Until the sweeper gave every intent its outcome: it is what a request that was told 503 left."""
    end = time.monotonic() + 120
    while left := database.value("SELECT count(*) FROM enrollment WHERE status = 'submitted'"):
        assert time.monotonic() < end, f"{left} intents are left:\n{server.log_tail()}"
        time.sleep(0.1)


def test_while_the_database_is_away_clients_are_told_to_come_again(new_place, cluster):
    """No account, no name and no key is blamed; what needs no database goes on, and nobody restarts anything."""
    server = new_place("postgres", executable()).server
    server.start()
    pid = server.pid
    account = Account(server)
    assert account.register().status == 201
    cluster.stop()
    try:
        assert_try_later(account.order("a.bench.test"))
        said = await_readiness(server, 503)
        assert said.startswith("the store takes no writes: "), said
        assert metrics(server)["postern_store_writable"] == 0
        assert ask(server.ready["management"] + "/healthz").status == 200
        assert account.nonce()
        refused = server.verb("principal", "create", "robot", "--role", "auditor", "--data", server.data)
        assert refused.returncode == 1 and "try again later" in refused.stderr, refused.stderr
    finally:
        cluster.start()
    await_readiness(server, 200)
    assert account.order("a.bench.test").status == 201
    assert server.pid == pid
    assert server.events("store_connection_lost") >= 1
    await_metric(server, "postern_store_connections", 16)
    end = time.monotonic() + 60
    while not server.events("store_connected"):
        assert time.monotonic() < end, server.log_tail()
        time.sleep(0.05)


def test_a_start_without_a_database_ends_and_says_why(new_place, cluster):
    server = new_place("postgres", executable()).server
    cluster.stop()
    try:
        status, said = server.start_refused()
    finally:
        cluster.start()
    assert status == 1
    assert "connection to server on socket" in said and "failed" in said, said
    server.start()
