"""An error or a stall at every fail point: the client gets a clean answer or a clean end, others are served,
and in the end every order has its one certificate."""
import re

import pytest

from harness.environment import faulty_executable
from harness.load import Stream
from harness.server import Postern
from harness.wire import ask
from ledger import await_messages, compare, open_store
from test_fail_points import POINTS

ORDERS, WORKERS = 60, 16
# Passages in the middle of the stream; answers are counted one by one, and an order has eight.
PASSAGE = {point: 9 + 3 * number for number, point in enumerate(POINTS)} | {"reply_half_sent": 150, "outbox_sent": 12}
AFTER_INTENT = ("intent_committed", "sent", "signed", "checked")


def plan(verb, points=POINTS):
    return ",".join(f"{point}@{PASSAGE[point]}:{verb}" for point in points)


@pytest.fixture
def server(tmp_path):
    postern = Postern(faulty_executable(), tmp_path, "bench.test")
    postern.sink = tmp_path / "sink"
    postern.variables = {"POSTERN_OUTBOX_FILE": str(postern.sink)}
    postern.start()  # with its own TLS certificate, so that the stream alone passes the points below
    postern.stop()
    try:
        yield postern
    finally:
        if postern.pid:
            postern.kill()


def compared(server, journal):
    await_messages(server.data / "postern.db", server.log_tail)
    with open_store(server.data / "postern.db") as database:
        return compare(journal, database, server.sink.read_text())


def metric(server, pattern):
    text = ask(server.ready["management"] + "/metrics").body.decode()
    return sum(int(value) for value in re.findall(rf"^{pattern} (\d+)$", text, re.M))


def requests(server, route):
    """How many requests the running server answered on a route."""
    return metric(server, r'postern_http_requests_total\{[^}]*route="' + re.escape(route) + r'"[^\n]*')


def settled_by(server):
    """How many intents the running server gave an outcome since its start."""
    return metric(server, "postern_intents_settled_total")


def submitted(server):
    with open_store(server.data / "postern.db") as database:
        return database.execute("SELECT count(*) FROM enrollment WHERE status = 'submitted'").fetchone()[0]


def test_an_error_at_each_point_is_a_clean_answer_and_later_a_certificate(server, tmp_path):
    server.variables["POSTERN_FAIL"] = plan("error")
    server.start()
    stream = Stream(server, tmp_path, ORDERS, WORKERS, options=["--retry-faults"])
    try:
        journal = stream.await_end()
    finally:
        stream.kill()
    found = compared(server, journal)
    assert found.offences() == {}
    assert found.received == ORDERS
    # Settled by the running server: it was never started anew.
    assert found.settled == settled_by(server) == len(AFTER_INTENT)
    assert found.repeated_messages == 1
    # Seven reached a client as 500; a half-sent answer is a connection that ends, a message no client's matter.
    log = server.log.read_text()
    assert sorted(re.findall(r'"event":"handler_fault".*planned fault at (\w+)', log)) == sorted(POINTS[:7])
    assert re.findall(r'"event":"outbox_failed".*planned fault at (\w+)', log) == ["outbox_sent"]
    report = stream.report()
    assert (report["answered_500"], report["lost_exchanges"]) == (7, 1)
    server.stop()


def stalled_stream(server, folder, points, step_time, held):
    """A stream of which all but `held` orders end while flows stand still at `points`; then a kill, and its end."""
    server.variables["POSTERN_FAIL"] = plan("stall", points)
    server.start()
    stream = Stream(server, folder, ORDERS, WORKERS, options=["--step-time", str(step_time)])
    try:
        stream.await_received(ORDERS - held)
        assert submitted(server) == held
        polled = requests(server, "/acme/{endpoint:label}/order/{token:token}")
        server.kill()
        del server.variables["POSTERN_FAIL"]
        server.start()
        journal = stream.await_end()
    finally:
        stream.kill()
    found = compared(server, journal)
    assert found.offences() == {}
    assert (found.received, found.settled) == (ORDERS, held)
    server.stop()
    return found, polled


def test_a_stall_in_the_waist_ends_the_clients_wait_and_holds_nobody_up(server, tmp_path):
    # The client would wait for a minute: it is the server that answers in time. Without an intent 503, and the
    # repeated step is a new attempt; behind one `processing`, which the client polls, or `valid`.
    _, polled = stalled_stream(server, tmp_path, POINTS[:7], 60, len(AFTER_INTENT))
    assert server.log.read_text().count('"event":"handler_unavailable"') == 2
    assert polled > 0


def test_a_stall_behind_the_waist_holds_nobody_up(server, tmp_path):
    # Half an answer is nothing that a client could use: it gives up and asks again.
    found, _ = stalled_stream(server, tmp_path, POINTS[7:], 2, 0)
    assert found.repeated_messages == 1
