"""The database goes away under a server and its clients: connections ended, the server restarted, crashed, or frozen.
What was acknowledged stays, nothing is doubled, unrecorded or forgotten, and Postern needs no restart."""
import os
import time

import pytest

import kill_table
from harness.environment import executable
from harness.load import Stream
from harness.management import await_readiness, readiness
from harness.wire import ask
from ledger import compare, open_store

TIMES = int(os.environ.get("POSTERN_KILLS", "3"))
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


BLOWS = {
    "connections ended": lambda cluster, database: database.terminate_backends(),
    "database restarted": lambda cluster, database: cluster.restart(),
    "database crashed": crash,
    "database frozen": freeze,
}


@pytest.mark.parametrize("blow", BLOWS)
def test_clients_go_on_when_the_database_comes_back(new_place, cluster, tmp_path, blow):
    place = new_place("postgres", executable())
    server, database = place.server, place.store
    server.start()
    pid = server.pid
    stream = Stream(server, tmp_path, ORDERS, WORKERS, seconds=240 + 60 * TIMES)
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
    kill_table.add("postgres", blow, TIMES, found)
    assert found.offences() == {}
    assert found.received == ORDERS


def await_settled(server, database):
    """Until the sweeper gave every intent its outcome: it is what a request that was told 503 left."""
    end = time.monotonic() + 120
    while left := database.value("SELECT count(*) FROM enrollment WHERE status = 'submitted'"):
        assert time.monotonic() < end, f"{left} intents are left:\n{server.log_tail()}"
        time.sleep(0.1)


def test_while_the_database_is_away_the_answer_is_503_and_says_so(new_place, cluster):
    place = new_place("postgres", executable())
    server = place.server
    server.start()
    cluster.stop()
    try:
        said = await_readiness(server, 503)
        assert said.startswith("the store takes no writes") or "store" in said, said
        answer = ask(server.directory().replace("/directory", "/new-account"), b"{}", server.root,
                     Content_Type="application/jose+json")
        assert answer.status in (400, 503)  # what is wrong with the request may be seen without a store
        assert ask(server.ready["management"] + "/healthz").status == 200
    finally:
        cluster.start()
    await_readiness(server, 200)
    assert readiness(server)[0] == 200
