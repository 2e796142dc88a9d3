"""A stream of enrollments through a balancer in front of two nodes, of which one is killed or stopped and comes back:
what was acknowledged stays, nothing is doubled, unrecorded or forgotten."""
import sys
from pathlib import Path

import pytest

from harness.load import Stream
from test_nodes import until

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fault"))
from ledger import compare, open_store  # noqa: E402

WORKERS = 8
GROWTH = 24
ORDERS = 2 * GROWTH + 2 * WORKERS
# How one node goes, in turn: the other serves on.
ENDS = {"killed": lambda node: node.kill(), "stopped": lambda node: node.stop()}


@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("end", ENDS)
def test_clients_go_on_at_the_other_node(new_nodes, database, tmp_path, end, lost):
    nodes = new_nodes()
    nodes.start()
    streams = []

    def stream(orders):
        folder = tmp_path / f"stream-{len(streams)}"
        folder.mkdir()
        streams.append(Stream(nodes, folder, orders, WORKERS))
        return streams[-1]

    try:
        under_way = stream(ORDERS)
        under_way.await_growth(GROWTH)
        ENDS[end](nodes.nodes[lost])
        journal = under_way.await_end()
        journal += stream(GROWTH).await_end()  # by the other one alone
        nodes.nodes[lost].start()
        journal += stream(GROWTH).await_end()
    finally:
        for one in streams:
            one.kill()
    assert all(count > 0 for count in nodes.connections())
    store = database if database.cluster else Path(database.url.removeprefix("sqlite:"))

    def settled():
        with open_store(store) as held:
            return not held.execute("SELECT 1 FROM enrollment WHERE status = 'submitted'").fetchone()

    until(settled, "an intent is left", nodes)
    with open_store(store) as held:
        found = compare(journal, held)
    assert not found.offences(), found.offences()
    assert found.received == ORDERS + 2 * GROWTH
