"""The judge is judged: it must see what it is there to see."""
import pytest

from laboratory import HEAP_COUNTER
from octets import request
from oracle import HEAP, Snapshot, tables


def test_it_sees_a_certificate(laboratory, oracle, client):
    with pytest.raises(AssertionError, match="a certificate was recorded"):
        with oracle.refuses(changes=("acme_order", "acme_authorization", "acme_order_authorization", "acme_challenge")):
            client.certify(laboratory.fresh_name())


def test_it_sees_a_row_in_a_table_that_nobody_allowed(laboratory, oracle, client):
    with pytest.raises(AssertionError, match="acme_"):
        with oracle.refuses():
            client.order(laboratory.fresh_name())


def test_it_sees_that_something_was_done(laboratory, oracle, client):
    with pytest.raises(AssertionError, match="refusals in the audit log|something was done"):
        with oracle.refuses(changes=("acme_account",)):
            client.post(client.kid, {"contact": ["mailto:someone@abuse.test"]})


def test_it_sees_that_nothing_was_refused(laboratory, oracle):
    with pytest.raises(AssertionError, match="no refusal was counted"):
        with oracle.refuses(), laboratory.connect() as connection:
            connection.ask(request("GET", "/acme/default/directory", host=laboratory.host))


def test_it_sees_an_answer_that_tells_of_the_inside(laboratory, oracle):
    with pytest.raises(AssertionError, match="tells of the inside"):
        with oracle.refuses(), laboratory.connect() as connection:
            answer = connection.ask(request("GET", "/nothing", host=laboratory.host))
            answer.octets += b"at src/acme/routes.cpp:40"


@pytest.mark.skipif(not HEAP_COUNTER.exists(), reason="heap_count.so was not built")
def test_it_sees_the_heap(laboratory):
    assert Snapshot(laboratory).total(HEAP) > 0


def test_it_reads_every_table(laboratory):
    assert {"certificate", "enrollment", "audit", "acme_account"} <= set(tables(laboratory.server.data / "postern.db"))
