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
ORDERS = 3 * GROWTH + 2 * WORKERS
# How one node goes, in turn: the other serves on.
ENDS = {"killed": lambda node: node.kill(), "stopped": lambda node: node.stop()}


@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("end", ENDS)
def test_clients_go_on_at_the_other_node(new_nodes, database, tmp_path, end, lost):
    nodes = new_nodes()
    nodes.start()
    stream = Stream(nodes, tmp_path, ORDERS, WORKERS)
    try:
        stream.await_growth(GROWTH)
        assert stream.running(), "the stream ended before a node did"
        ENDS[end](nodes.nodes[lost])
        stream.await_growth(GROWTH)  # from the other one alone
        nodes.nodes[lost].start()
        journal = stream.await_end()
    finally:
        stream.kill()
    assert all(count > 0 for count in nodes.connections())
    store = database if database.cluster else Path(database.url.removeprefix("sqlite:"))

    def settled():
        with open_store(store) as held:
            return not held.execute("SELECT 1 FROM enrollment WHERE status = 'submitted'").fetchone()

    until(settled, "an intent is left", nodes)
    with open_store(store) as held:
        found = compare(journal, held)
    assert not found.offences(), found.offences()
    assert found.received == ORDERS
