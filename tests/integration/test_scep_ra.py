"""The RA's certificate over its life: renewed, overlapping, over, and replaced when its key is lost."""
import json
import sqlite3
import time
from contextlib import closing

import pytest
from harness import scep_message
from harness.scep_device import Device
from harness.scep_reply import FAILURE, SUCCESS, Unacceptable
from harness.scep_style import STYLES

SECONDS = 30


@pytest.fixture(params=["sqlite", "postgres"])
def laboratory(request, new_server):
    """Started, with the access code of its SCEP endpoint as `code`."""
    database = request.getfixturevalue("cluster").database() if request.param == "postgres" else None
    server = new_server(options=("--store", database.url) if database else ())
    server.start()
    server.database = database
    server.code = (server.data / "first-account").read_text().split('access_code = "')[1].split('"')[0]
    return server


def until(condition, what):
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


def device(server):
    return Device(server.scep(), STYLES["android"], subject=[("CN", "phone")]).discover()


def test_the_ra_is_renewed_and_read_until_its_end(laboratory):
    """S16: a request that was made for the old certificate is read while that is valid, and then no more."""
    server = laboratory
    early = device(server)
    old = early.recipient
    server.cli("clock", "advance", "250d")  # of 365: less than a third is left
    until(lambda: device(server).recipient != old, "the RA's certificate was not renewed")
    # What it discovered before is what signs the answers, or Apple's clients would not take them.
    assert early.enroll(server.code).status == SUCCESS
    newest = device(server)
    assert newest.enroll(server.code).status == SUCCESS
    server.cli("clock", "advance", "116d")

    def answer():
        try:
            late = device(server)
            return late.ask(late.message(scep_message.PKCS_REQ, late.csr(server.code), leaf_key=late.key, recipients=[old]))
        except Unacceptable:  # the old one still answers, or the next is on its way
            return None

    refused = until(lambda: (reply := answer()) and reply.status == FAILURE and reply, "the old certificate is still read")
    assert refused.fail_info == "badMessageCheck"
    assert newest.recipient == device(server).recipient
    assert newest.renew(newest.new_key(), server.code).status == SUCCESS


def test_nothing_is_renewed_before_its_time(laboratory):
    server = laboratory
    first = device(server).recipient
    server.cli("clock", "advance", "240d")  # of 365: more than a third is left
    server.stop()
    server.start()
    assert device(server).recipient == first and server.events("scep_ra_certificate") == 1


def test_a_lost_key_is_replaced(laboratory):
    server = laboratory
    first = device(server).recipient
    server.stop()
    if server.database:
        server.database.execute("DELETE FROM sealed_key WHERE name IN (SELECT key_id FROM ra_certificate)")
    else:
        with closing(sqlite3.connect(server.data / "postern.db")) as store:
            [(key_id,)] = store.execute("SELECT key_id FROM ra_certificate").fetchall()
        (server.data / "keys" / f"{key_id}.key").unlink()
    server.start()
    assert server.events("scep_ra_key_lost") >= 1
    each = device(server)
    assert each.recipient != first and each.enroll(server.code).status == SUCCESS


def test_a_key_that_was_lost_before_its_certificate_came_is_replaced(laboratory):
    """Asked for and not there yet: the next start asks anew."""
    server = laboratory
    if server.database:
        pytest.skip("the same code; the row is made by hand once")
    server.cli("clock", "advance", "250d")
    until(lambda: server.events("scep_ra_certificate") == 2, "it is not renewed")
    server.stop()
    authority = [a["authority"] for a in json.loads(server.cli("ca", "authorities", "--json"))["authorities"] if a["role"] == "issuing"][0]
    with closing(sqlite3.connect(server.data / "postern.db")) as store:
        store.execute("DELETE FROM ra_certificate")
        store.execute("INSERT INTO ra_request (name, key_id, attempt, created_ms) VALUES (?, 'ab01', 'lost', 1)", (f"builtin {authority}",))
        store.commit()
    server.start()
    assert device(server).enroll(server.code).status == SUCCESS
    server.stop()
    with closing(sqlite3.connect(server.data / "postern.db")) as store:
        assert store.execute("SELECT count(*) FROM ra_request").fetchall() == [(0,)]
