"""SIGKILL in a stream of enrollments: nothing a client received is lost, doubled or unrecorded."""
import shutil
import sqlite3
from types import SimpleNamespace

import pytest
from cryptography import x509

from harness.environment import executable, faulty_executable
from harness.load import Stream
from harness.server import Postern
from harness.wire import ask
from ledger import compare, open_store, voided_serials

SUFFIX = "bench.test"
ORDERS = 600
# How many certificates clients receive between a start and its kill: uneven, so that the kills meet
# the workers in different steps, and small, so that all fall within the stream.
GROWTH = (31, 7, 53, 1, 79, 17, 43, 3, 61, 23)
# After these the next start is killed too, as soon as it settles an intent that the first kill left.
KILLED_AGAIN = (7, 79, 43, 61)


def issuing_crl(database):
    """The serials on the list that the newest certificate names, as it is served now."""
    der = database.execute("SELECT der FROM certificate ORDER BY id DESC LIMIT 1").fetchone()["der"]
    points = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    answer = ask(points[0].full_name[0].value)
    assert answer.status == 200
    return {f"{entry.serial_number:032x}" for entry in x509.load_der_x509_crl(answer.body)}


def leave_intents(server, stream):
    """One more kill, behind a signature that nobody has seen: there is a serial to be voided, whatever the others met."""
    server.stop()
    server.executable, server.variables = faulty_executable(), {"POSTERN_FAIL": "signed@5:kill"}
    server.start_and_die(lambda: not stream.running() and "the stream ended before the kill")
    server.executable, server.variables = executable(), {}
    server.start()


def stream_with_kills(server, folder):
    """The stream, its kills, and what was served and stored after them."""
    server.start()
    address = server.directory()
    stream = Stream(server, folder, ORDERS)
    try:
        for growth in GROWTH:
            stream.await_growth(growth)
            assert stream.running(), "a kill came after the stream's end"
            server.kill()
            if growth in KILLED_AGAIN:
                settled = server.events("enrollment_settled")
                server.kill_in_start(lambda: server.events("enrollment_settled") > settled)
            server.start()
            assert server.directory() == address
        leave_intents(server, stream)
        journal = stream.await_end()
    finally:
        stream.kill()
    store = server.data / "postern.db"
    with open_store(store) as database:
        served_crl = issuing_crl(database)
    server.stop()
    return SimpleNamespace(server=server, store=store, served_crl=served_crl, journal=journal)


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kill")
    server = Postern(executable(), folder, SUFFIX)
    try:
        yield stream_with_kills(server, folder)
    finally:
        server.stop()


def test_kills_lose_and_double_nothing(aftermath, capsys):
    with open_store(aftermath.store) as database:
        found = compare(aftermath.journal, database)
    with capsys.disabled():
        print(f"\nkills {len(GROWTH) + len(KILLED_AGAIN) + 1}, {found}")
    assert found.offences() == {}
    assert found.received == ORDERS


def test_the_served_crl_lists_what_was_voided(aftermath):
    with open_store(aftermath.store) as database:
        voided = set(voided_serials(database))
    assert voided and voided <= aftermath.served_crl
    assert not {serial for _, serial, _ in aftermath.journal} & aftermath.served_crl


def test_the_command_line_shows_what_clients_received(aftermath):
    shown = {row["serial"]: row["status"] for row in aftermath.server.all_certificates()}
    assert [entry for entry in aftermath.journal if shown.get(entry[1]) != "issued"] == []
    with open_store(aftermath.store) as database:
        assert len(shown) == database.execute("SELECT count(*) FROM certificate").fetchone()[0]


# What each kind of damage looks like to the comparison: it would have failed above.
VICTIM = "(SELECT enrollment_id FROM acme_order WHERE token = :order)"
DAMAGE = {
    "lost": [f"DELETE FROM certificate WHERE enrollment_id = {VICTIM}"],
    "lost, another certificate in its place": [f"UPDATE certificate SET sha256 = zeroblob(32) WHERE enrollment_id = {VICTIM}"],
    "lost, the order forgot": ["UPDATE acme_order SET enrollment_id = NULL WHERE token = :order"],
    "double": [f"CREATE TEMP TABLE e AS SELECT * FROM enrollment WHERE id = {VICTIM}",
               "UPDATE e SET id = -1, attempt_bound = 0", "INSERT INTO enrollment SELECT * FROM e",
               f"CREATE TEMP TABLE c AS SELECT * FROM certificate WHERE enrollment_id = {VICTIM}",
               "UPDATE c SET id = -1, enrollment_id = -1, token = 'x', serial = zeroblob(16), sha256 = zeroblob(32)",
               "INSERT INTO certificate SELECT * FROM c"],
    "unrecorded": [f"DELETE FROM audit WHERE action = 'enrollment.issued' AND object_id = CAST({VICTIM} AS TEXT)"],
    "unrecorded, no intent": ["DELETE FROM audit WHERE action IN ('enrollment.intent', 'enrollment.settled') "
                              f"AND object_id = CAST({VICTIM} AS TEXT)"],
    "unrecorded, the record names another": [
        "UPDATE audit SET detail = json_set(detail, '$.serial', '00') WHERE action = 'enrollment.issued' "
        f"AND object_id = CAST({VICTIM} AS TEXT)"],
    "unfinished": [f"UPDATE enrollment SET status = 'submitted' WHERE id = {VICTIM}"],
    "unlisted": ["CREATE TEMP TABLE a AS SELECT * FROM audit WHERE action = 'enrollment.intent' LIMIT 1",
                 "UPDATE a SET id = -1, action = 'enrollment.settled', "
                 "detail = json_set(detail, '$.voided_serial', '0123456789abcdef')",
                 "INSERT INTO audit SELECT * FROM a"],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(aftermath, damage, tmp_path):
    copy = tmp_path / "postern.db"
    shutil.copy(aftermath.store, copy)
    database = sqlite3.connect(copy)
    for statement in DAMAGE[damage]:
        database.execute(statement, {"order": aftermath.journal[0][0]} if ":order" in statement else {})
    database.commit()
    database.close()
    with open_store(copy) as damaged:
        found = compare(aftermath.journal, damaged).offences()
    assert damage.split(",")[0] in found


@pytest.mark.parametrize("damage", [
    "DELETE FROM certificate WHERE id = (SELECT max(id) FROM certificate)",
    "UPDATE certificate SET serial = zeroblob(16) WHERE id = (SELECT max(id) FROM certificate)",
])
def test_a_message_without_its_certificate_and_the_reverse_are_found(aftermath, damage, tmp_path):
    copy = tmp_path / "postern.db"
    shutil.copy(aftermath.store, copy)
    database = sqlite3.connect(copy)
    sink = "".join(f'certificate.issued/{number} 1 {{"serial":"{serial.lower()}"}}\n' for number, serial in
                   database.execute("SELECT id, hex(serial) FROM certificate"))
    with open_store(copy) as whole:
        assert compare(aftermath.journal, whole, sink).untold == []
        assert compare(aftermath.journal, whole, sink.partition("\n")[2]).untold != []
    database.execute(damage)
    database.commit()
    database.close()
    with open_store(copy) as damaged:
        assert compare(aftermath.journal, damaged, sink).untold != []


def test_an_order_answered_twice_is_found(aftermath):
    order, serial, sha256 = aftermath.journal[0]
    with open_store(aftermath.store) as database:
        found = compare([*aftermath.journal, (order, serial[::-1], sha256)], database).offences()
    assert order in found["double"]
