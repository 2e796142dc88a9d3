"""One node's laboratory clock is set forward: every node follows, and one without --lab stops issuing."""
import json
from datetime import datetime, timedelta, timezone

from client import Client
from harness.management import await_readiness, readiness
from test_nodes import issued, until

SET = "the laboratory's clock is 30d ahead"


def test_every_node_follows_and_issues_by_it(new_nodes, web):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    one.cli("clock", "advance", "30d")
    until(lambda: readiness(two) == (200, f"ready\n{SET}\n"), "the other node does not follow", nodes)
    assert json.loads(two.cli("clock", "--json"))["laboratory_ahead_seconds"] == 30 * 86400
    client = Client(nodes).register(one)
    well_known = web(nodes)
    future = datetime.now(timezone.utc) + timedelta(days=30)
    for first, second in ((one, two), (two, one)):
        begin = client.certificate(first, issued(client, first, second, well_known)).not_valid_before.replace(tzinfo=timezone.utc)
        assert abs(begin - future) < timedelta(minutes=15)
    # Set forward on both at about the same time, nothing is lost.
    one.cli("clock", "advance", "1d")
    two.cli("clock", "advance", "1d")
    for node in nodes.nodes:
        until(lambda node=node: "32d ahead" in readiness(node)[1], "they are apart", nodes)
    # A node that comes later has it at once.
    two.stop()
    two.start()
    assert "32d ahead" in readiness(two)[1]


def test_a_node_without_lab_stops_issuing(new_nodes):
    nodes = new_nodes()
    one, two = nodes.nodes
    two.lab = False
    nodes.start()
    one.cli("clock", "advance", "30d")
    said = await_readiness(two, 503)
    assert said.startswith("laboratory.clock: this installation is a laboratory's") and "runs without --lab and issues nothing" in said
    assert readiness(one) == (200, f"ready\n{SET}\n")
    refused = two.verb("clock", "advance", "1d", "--data", two.data)
    assert refused.returncode == 1 and "without --lab" in refused.stderr
    two.stop()
    status, said = two.start_refused()
    assert status == 1 and "set 30d forward" in said, said
