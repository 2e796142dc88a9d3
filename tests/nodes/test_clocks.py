"""Each node judges its own clock against the database's: one that is wrong stops or does not start, and no other notices."""
import json
import subprocess
from pathlib import Path

import pytest

from client import Client
from harness.environment import environment
from harness.management import await_metric, await_readiness, readiness
from test_nodes import issued, until

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
HOUR = 3600
NEW_ORDER = {"identifiers": [{"type": "dns", "value": "www.nodes.test"}]}

# An SQLite file's nodes are on one machine, with one clock.
pytestmark = [pytest.mark.skipif(LIBRARY is None, reason="needs Debian's package faketime"),
              pytest.mark.parametrize("database", ["postgres"], indirect=True)]


class Clock:
    """The wall clock of one node, some seconds off the machine's; its monotonic clocks are left alone."""

    def __init__(self, node):
        self._file = node.data.parent / "clock"
        self.set(0)
        node.variables = {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
                          "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}

    def set(self, seconds):
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}s\n")
        fresh.rename(self._file)


def stamp(database):
    return int(database.value("SELECT value FROM setting WHERE name = 'clock.stamp'"))


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_a_node_whose_clock_is_wrong_does_not_start_and_the_others_go_on(new_nodes, database, web, seconds):
    nodes = new_nodes()
    one, two = nodes.nodes
    clock = Clock(two)
    one.start()
    before = stamp(database)
    clock.set(seconds)
    status, said = two.start_refused()
    assert status == 1
    assert "this machine's clock says " in said and "more than five minutes apart" in said and "postern clock accept" in said, said
    assert stamp(database) - before < 60_000 + 30_000
    assert not database.rows("SELECT 1 AS found FROM audit WHERE at_ms > extract(epoch FROM clock_timestamp()) * 1000 + 60000")
    client = Client(nodes).register(one)
    assert client.post(one, client.directory["newOrder"], NEW_ORDER).status == 201
    # A restart of the healthy one finds nothing of the wrong time, and the other starts once its clock is right.
    one.stop()
    one.start()
    assert readiness(one) == (200, "ready\n")
    clock.set(0)
    two.start()
    for relay in nodes.relays.values():
        relay.start()
    issued(client, one, two, web(nodes))


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_a_node_whose_clock_jumps_stops_alone(new_nodes, database, web, seconds):
    nodes = new_nodes()
    one, two = nodes.nodes
    clock = Clock(two)
    nodes.start()
    client = Client(nodes).register(one)
    url = client.directory["newOrder"]
    clock.set(seconds)
    said = await_readiness(two, 503)
    assert said.startswith("the clocks disagree: ") and "the database's clock says" in said
    await_metric(two, "postern_clock_agreement", 0)
    answer = client.post(two, url, NEW_ORDER)
    assert answer.status == 503 and "check clock.agreement" in answer.json["detail"], answer.body
    assert readiness(one) == (200, "ready\n")
    assert client.post(one, url, NEW_ORDER).status == 201
    one.stop()
    one.start()
    assert readiness(one) == (200, "ready\n")
    clock.set(0)
    await_readiness(two, 200)
    issued(client, two, one, web(nodes))


def test_a_wrong_clock_of_the_databases_is_accepted_node_by_node(new_nodes, database):
    """Both nodes are an hour behind the database: so the database is wrong, says somebody."""
    nodes = new_nodes()
    clocks = [Clock(node) for node in nodes.nodes]
    for clock in clocks:
        clock.set(-HOUR)
    one, two = nodes.nodes
    status, said = one.start_refused()
    assert status == 1 and "postern clock accept" in said
    clocks[0].set(0)
    one.start()  # an installation
    one.stop()
    clocks[0].set(-HOUR)
    accepted = subprocess.run([one.executable, "clock", "accept", "--json", "--data", one.data, "--config", nodes.config], text=True, check=True,
                              stdin=subprocess.DEVNULL, capture_output=True, env=environment(**one.variables))
    assert json.loads(accepted.stdout)["agree"] is True
    one.start()
    assert readiness(one) == (200, "ready\n")
    shown = json.loads(one.cli("clock", "--json"))
    assert shown["agree"] is True and shown["database"] > shown["wall"]
    status, said = two.start_refused()
    assert status == 1 and "more than five minutes apart" in said
    # Right again, the database needs no acceptance: it is forgotten, and would not hide a wrong clock later.
    clocks[0].set(0)
    await_readiness(one, 503)  # by the monotonic clock it was the wall clock that moved
    one.cli("clock", "accept")
    until(lambda: readiness(one) == (200, "ready\n"), "it does not agree", nodes)
    clocks[1].set(0)
    two.start()
