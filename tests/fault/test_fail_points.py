"""SIGKILL at each fail point of an issuance: what was acknowledged stays, nothing is doubled, unrecorded or forgotten.

POSTERN_KILLS says how many kills a point, and asks for every protocol at every point on every engine. Without it there are
three kills, and only the points where protocols differ are tried by each. POSTERN_KILL_TABLE says where the table goes as well.
"""
import os
import random
import re

import pytest

import kill_table
import test_intune
from harness.environment import faulty_executable
from harness.load import EstStream, ScepStream, Stream
from harness.server import Postern
from ledger import await_messages, compare, open_store, waiting_messages

POINTS = ("authorised", "linted", "intent_committed", "sent", "signed", "checked", "outcome_committed",
          "reply_half_sent", "outbox_sent")
FULL = "POSTERN_KILLS" in os.environ
KILLS = int(os.environ.get("POSTERN_KILLS", "3"))
WORKERS = 16
# Which passage a start is killed at. A start settles what the kill before it left, at most one intent a worker: so
# the first kill falls in the stream, the second, where the point left intents, in the start itself, and so on.
IN_STREAM, IN_START = (WORKERS + 4, 2 * WORKERS + 8), (3, WORKERS - 4)
# Before and after the waist an order is answered eight times or so, a request by SCEP or EST once.
STREAMS = {"acme": (Stream, 8), "scep": (ScepStream, 1), "est": (EstStream, 1)}
ORDERS = KILLS * IN_STREAM[1] + 2 * WORKERS
ENGINES = ("sqlite", "postgres")
# Where the request that is repeated meets an intent, an outcome or half an answer: that is each protocol's own matter.
# Elsewhere it passes the same waist as all others.
OWN = ("intent_committed", "outcome_committed", "reply_half_sent")


def matrix(full):
    """(engine, protocol, point). The smaller one tries each point on each engine, and by each protocol."""
    return [(engine, protocol, point) for e, engine in enumerate(ENGINES) for p, protocol in enumerate(STREAMS)
            for n, point in enumerate(POINTS) if full or point in OWN or (e + p + n) % 2 == 0]


def passages(point, answers):
    """For each kill: uneven, the same ones in every run."""
    chance = random.Random(point)
    factor = answers if point == "reply_half_sent" else 1
    return [factor * chance.randint(*(IN_START if number % 2 else IN_STREAM)) for number in range(KILLS)]


def after_a_kill(stream, store):
    """What must hold at any moment, also of the store of a dead process. Intents and messages may be open."""
    journal = stream.journal()
    with open_store(store) as database:
        found = compare(journal, database).offences()
    found.pop("unfinished", None)
    return found


def stream_with_kills(place, folder, protocol, point):
    """A stream of orders through one start after the other, each killed at the point, and one that is not."""
    server, store = place.server, place.store
    sink = folder / "sink"
    sink.touch()
    server.variables = {"POSTERN_OUTBOX_FILE": str(sink)}
    server.start()
    make_stream, answers = STREAMS[protocol]
    stream = make_stream(server, folder, ORDERS, WORKERS, seconds=240 + 30 * KILLS)
    found = []
    try:
        stream.await_growth(1)
        server.stop()
        for passage in passages(point, answers):
            server.variables["POSTERN_FAIL"] = f"{point}@{passage}:kill"
            # Messages leave a second later: then the stream may be over, as long as some of them wait.
            waits = (lambda: waiting_messages(store)) if point == "outbox_sent" else (lambda: False)
            server.start_and_die(lambda: not stream.running() and not waits() and "the stream ended before the kill")
            found.append(after_a_kill(stream, store))
        del server.variables["POSTERN_FAIL"]
        server.start()
        journal = stream.await_end()
    finally:
        stream.kill()
    await_messages(store, lambda: server.log_tail())
    server.stop()
    with open_store(store) as database:
        return found, compare(journal, database, sink.read_text()), len(journal)


@pytest.mark.parametrize("engine, protocol, point", matrix(FULL))
def test_kills_at_a_fail_point_lose_nothing(new_place, tmp_path, engine, protocol, point):
    after_each, found, received = stream_with_kills(new_place(engine, faulty_executable()), tmp_path, protocol, point)
    kill_table.add(engine, f"{protocol}: {point}", KILLS, found)
    assert [offences for offences in after_each if offences] == []
    assert found.offences() == {}
    assert received == ORDERS
    if point in ("intent_committed", "sent", "signed", "checked"):
        assert found.settled >= 1, "no kill left an intent: it did not happen where it was meant to"
    if point == "outbox_sent":
        assert found.repeated_messages >= 1, "every message was sent once: no kill came before one was marked"


def test_the_smaller_matrix_leaves_out_no_point():
    small, full = set(matrix(full=False)), set(matrix(full=True))
    assert len(full) == len(ENGINES) * len(STREAMS) * len(POINTS) and small < full
    for one in (lambda engine, protocol, point: (engine, point), lambda engine, protocol, point: (protocol, point),
                lambda engine, protocol, point: (engine, protocol, point in OWN and point)):
        assert {one(*case) for case in small} == {one(*case) for case in full}


def test_every_fail_point_of_the_program_is_tried(tmp_path):
    server = Postern(faulty_executable(), tmp_path, "bench.test")
    server.variables = {"POSTERN_FAIL": "nowhere:kill"}
    status, said = server.start_refused()
    assert status == 2
    # Those of Intune are passed where there is an Intune.
    assert set(re.search(r"one of ([\w ]+)\n", said)[1].split()) == {*POINTS, *test_intune.POINTS}


@pytest.mark.parametrize("plan, why", [
    ("nowhere:kill", "there is no such point"),
    ("sent:explode", "there is no such verb"),
    ("sent", "it has no verb"),
    ("sent@0:kill", "the passage is no number from 1"),
    ("sent@x:kill", "the passage is no number from 1"),
    ("sent:kill,linted:wait", '"linted:wait": there is no such verb'),
])
def test_a_plan_that_makes_no_sense_stops_the_start(tmp_path, plan, why):
    server = Postern(faulty_executable(), tmp_path, "bench.test")
    server.variables = {"POSTERN_FAIL": plan}
    status, said = server.start_refused()
    assert (status, why in said) == (2, True), said
    assert not server.data.exists()
