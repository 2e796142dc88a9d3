"""A node that stands still between an intent and its outcome, while another one takes its work over. When it goes on,
what it signed is given to nobody, and its serial is listed as revoked (docs/nodes.md)."""
import os
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Client
from harness.environment import faulty_executable
from test_nodes import crl, until

BETWEEN = ("intent_committed", "sent", "signed", "checked")
NAME = "stalled.nodes.test"
# Longer than a node is silent before others take it to be gone.
SECONDS = 120


def rows(database, sql):
    if database.cluster:
        return [tuple(row.values()) for row in database.rows(sql)]
    with sqlite3.connect(f"file:{database.url.removeprefix('sqlite:')}?mode=ro", uri=True) as held:
        return held.execute(sql).fetchall()


def state(pid):
    """T while a process stands still."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rsplit(") ", 1)[1][0]


def submitted_serial(database):
    """Of the one intent without outcome, as hexadecimal digits."""
    digits = "encode(serial, 'hex')" if database.cluster else "lower(hex(serial))"
    (serial,), = rows(database, f"SELECT {digits} FROM enrollment WHERE status = 'submitted' ORDER BY id DESC LIMIT 1")
    return int(serial, 16)


# A process that stands still may hold the lock of an SQLite file, and then nobody gets on.
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
@pytest.mark.parametrize("point", BETWEEN)
def test_what_a_stalled_node_signed_is_given_to_nobody(new_nodes, web, database, point):
    nodes = new_nodes(program=faulty_executable())
    one, two = nodes.nodes
    # Its own TLS and the RA's certificate are the first two passages.
    one.variables = {"POSTERN_FAIL": f"{point}@3:freeze"}
    nodes.start()
    files = web(nodes)
    client = Client(nodes, seconds=SECONDS).register(two)
    url, order = client.ready(two, NAME, files)
    ready = until(lambda: (now := client.post(two, url).json)["status"] == "ready" and now, "the order is not ready", nodes)

    nonce = client.nonce(one)
    with ThreadPoolExecutor(1) as stalled:
        finalize = stalled.submit(client.send, one, ready["finalize"], client.csr(NAME), nonce)
        try:
            until(lambda: state(one.pid) == "T", f"nothing passed {point}", nodes)
            given_up = submitted_serial(database)
            settled = until(lambda: (now := client.post(two, url).json)["status"] == "valid" and now,
                            "the other node does not take over", nodes, SECONDS)
        finally:
            os.kill(one.pid, signal.SIGCONT)
        answer = finalize.result()
    certificate = client.certificate(two, settled)
    assert certificate.serial_number != given_up

    # The one that slept says what is so, whatever it had in hand.
    assert answer.status in (200, 409, 500, 503), answer.body
    if answer.status == 200:
        assert answer.json["status"] in ("processing", "valid")
    late = until(lambda: (now := client.post(one, url).json)["status"] == "valid" and now, "the slept node does not follow", nodes)
    assert client.certificate(one, late) == certificate

    # Of both serials one is a certificate, and the other revoked, on both nodes' CRLs.
    held = rows(database, "SELECT count(*) FROM certificate c JOIN enrollment e ON e.id = c.enrollment_id WHERE e.protocol = 'acme'")
    assert held == [(1,)]
    for node in (one, two):
        until(lambda: crl(node).get_revoked_certificate_by_serial_number(given_up), "the serial given up is not listed", nodes)  # noqa: B023
        assert not crl(node).get_revoked_certificate_by_serial_number(certificate.serial_number)
    assert rows(database, "SELECT count(*) FROM enrollment WHERE status = 'submitted'") == [(0,)]
    assert one.events("enrollment_settled") == 0 and two.events("enrollment_settled") == 1


def test_a_node_that_was_killed_is_taken_over_without_a_restart(new_nodes, web, database):
    nodes = new_nodes(program=faulty_executable())
    one, two = nodes.nodes
    one.variables = {"POSTERN_FAIL": "signed@3:kill"}
    nodes.start()
    files = web(nodes)
    client = Client(nodes, seconds=SECONDS).register(two)
    url, order = client.ready(two, NAME, files)
    ready = until(lambda: (now := client.post(two, url).json)["status"] == "ready" and now, "the order is not ready", nodes)
    with pytest.raises(OSError):
        client.send(one, ready["finalize"], client.csr(NAME), client.nonce(one))
    assert one.await_own_end() == -signal.SIGKILL
    begun = time.monotonic()
    given_up = submitted_serial(database)
    settled = until(lambda: (now := client.post(two, url).json)["status"] == "valid" and now, "nobody takes over", nodes, SECONDS)
    assert client.certificate(two, settled).serial_number != given_up
    print(f"taken over {time.monotonic() - begun:.1f} s after the kill")
    # A node that comes back finds its earlier life's work done.
    one.variables = {}
    one.start()
    assert client.certificate(one, settled).serial_number != given_up
    assert one.events("intents_settled") == 0


def test_a_node_that_stopped_in_order_is_not_waited_for(new_nodes):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    client = Client(nodes).register(one)
    one.stop()
    assert client.post(two, client.kid).status == 200
    one.start()
    assert client.post(one, client.kid).status == 200
