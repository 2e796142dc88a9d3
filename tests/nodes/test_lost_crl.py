"""What CRLs must list when a node dies between a revocation and its CRL, and when the database forgets commits."""
import json
import time
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from client import Client
from harness.environment import executable
from harness.management import await_readiness, readiness
from harness.nodes import Nodes
from harness.postgres import Cluster, Standby
from harness.wire import ask
from test_nodes import crl, issued, number, until

# Longer than a node is silent before others take it to be gone, and a look a minute.
SECONDS = 180


def certificate(nodes, files, name="www.nodes.test"):
    one, two = nodes.nodes
    client = Client(nodes).register(one)
    return client.certificate(one, issued(client, one, two, files, name)).serial_number


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_revocation_whose_node_is_killed_before_its_crl_is_listed_by_the_other(new_nodes, database, web):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    serial = certificate(nodes, web(nodes))
    # CRLs cannot be stored, so the revocation is recorded and its CRL is not.
    database.execute("CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '53100'; END $$",
                     "CREATE TRIGGER stop BEFORE INSERT OR UPDATE ON crl FOR EACH ROW EXECUTE FUNCTION stop()")
    one.cli("cert", "revoke", f"{serial:032x}")  # durable, so the answer is yes
    assert not crl(one).get_revoked_certificate_by_serial_number(serial)
    one.kill()
    database.execute("DROP TRIGGER stop ON crl")
    assert not crl(two).get_revoked_certificate_by_serial_number(serial)
    # Whoever asks once more is told that it is revoked, and no more.
    again = two.verb("cert", "revoke", f"{serial:032x}", "--data", two.data)
    assert again.returncode != 0 and "is revoked already" in again.stderr
    begun = time.monotonic()
    until(lambda: crl(two).get_revoked_certificate_by_serial_number(serial), "nobody lists it", nodes, SECONDS)
    print(f"listed {time.monotonic() - begun:.1f} s after the kill")
    assert two.events("crl_unlisted") == 1


def published(node, authorities, folder):
    """Options of `restore open`: each authority's CRL as that node serves it."""
    options = []
    for authority in authorities:
        file = folder / f"{authority}.crl"
        file.write_bytes(ask(f"http://127.0.0.1:{node.port('http')}/crl/{authority}/0.crl").body)
        options += ["--crl", file]
    return options


def set_back(database, key, to):
    """As a standby that lagged has it."""
    database.execute(f"UPDATE authority SET crl_number = {to} WHERE key_id = '{key}'", f"DELETE FROM crl WHERE key_id = '{key}' AND number > {to}")


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_database_that_lost_commits_stops_all_nodes_until_the_last_crl_is_taken_over(new_nodes, database, web, tmp_path):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    files = web(nodes)
    lost, kept = certificate(nodes, files, "lost.nodes.test"), certificate(nodes, files, "kept.nodes.test")
    one.cli("cert", "revoke", f"{lost:032x}")
    last = crl(one)
    key = last.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier.hex()
    until(lambda: number(crl(two)) == number(last), "the other one does not follow", nodes)
    # The failover forgets the revocation and its CRL.
    database.execute(f"DELETE FROM revocation WHERE encode(serial, 'hex') = '{lost:032x}'",
                     "UPDATE certificate SET status = 'issued', revoked_ms = NULL, revoked_reason = NULL")
    set_back(database, key, number(last) - 1)

    for node in (one, two):
        said = await_readiness(node, 503)
        assert "restore.open: the database lost commits" in said and f"number {number(last)} was published here" in said, said
        assert "postern restore open" in said
        # What was published is served on, and no lower number is ever signed.
        assert crl(node).public_bytes(Encoding.DER) == last.public_bytes(Encoding.DER)
    assert one.events("commits_lost") + two.events("commits_lost") >= 1
    client = Client(nodes).register(one)
    answer = client.post(two, client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "x.nodes.test"}]})
    assert answer.status == 503 and "restore.open" in answer.json["detail"], answer.body
    one.cli("cert", "revoke", f"{kept:032x}")  # recorded
    assert number(crl(one)) == number(last)
    two.stop()
    two.start()  # a restart does not forget it
    assert readiness(two)[0] == 503

    authorities = [row["key_id"] for row in database.rows("SELECT key_id FROM authority")]
    one.cli("restore", "open", *published(one, authorities, tmp_path))
    for node in (one, two):
        await_readiness(node, 200)
        until(lambda: number(crl(node)) > number(last), "no CRL is signed", nodes)  # noqa: B023
        for serial in (lost, kept):
            until(lambda: crl(node).get_revoked_certificate_by_serial_number(serial), "it is not listed", nodes)  # noqa: B023
    assert json.loads(one.cli("cert", "show", f"{lost:032x}", "--json"))["status"] == "revoked"
    certificate(nodes, files, "after.nodes.test")


@pytest.fixture
def pair():
    """A primary, and a standby that follows it asynchronously."""
    with Cluster() as primary:
        standby = Standby(primary)
        try:
            yield primary, standby
        finally:
            standby.remove()


def test_a_failover_to_a_standby_that_lagged_is_found_out_and_opened_again(pair, tmp_path):
    primary, standby = pair
    name = primary.database().name
    database = SimpleNamespace(url=f"postgres://postern@/{name}?host={primary.folder},{standby.folder}&port={primary.port},{standby.port}")
    nodes = Nodes(executable(), tmp_path, "nodes.test", database, 2)
    try:
        standby.start()
        nodes.start()
        one, two = nodes.nodes
        serial = one.all_certificates()[-1]["serial"]
        standby.caught_up()
        standby.stop()
        one.cli("cert", "revoke", serial)
        last = crl(one)
        assert last.get_revoked_certificate_by_serial_number(int(serial, 16))
        until(lambda: number(crl(two)) == number(last), "the other one does not follow", nodes)
        primary.crash()
        standby.start()
        standby.promote()
        for node in (one, two):
            until(lambda: "the database lost commits" in readiness(node)[1], "it goes on without what it lost", nodes)  # noqa: B023
            assert crl(node).public_bytes(Encoding.DER) == last.public_bytes(Encoding.DER)
        authorities = json.loads(standby.psql("SELECT json_agg(key_id) FROM authority", name))
        two.cli("restore", "open", *published(one, authorities, tmp_path))
        for node in (one, two):
            await_readiness(node, 200)
            until(lambda: number(crl(node)) > number(last), "no CRL is signed", nodes)  # noqa: B023
            assert crl(node).get_revoked_certificate_by_serial_number(int(serial, 16))
    finally:
        nodes.stop()


def test_a_node_whose_row_was_taken_away_goes_on(new_nodes, database, web):
    if not database.cluster:
        pytest.skip("the row of an SQLite node goes the same way (test_contract)")
    nodes = new_nodes()
    nodes.start()
    one, _ = nodes.nodes
    life = database.value("SELECT life FROM node ORDER BY started_ms LIMIT 1")
    database.execute("DELETE FROM node")
    until(lambda: database.value("SELECT count(*) FROM node") == 2, "a node stays away", nodes)
    assert not database.rows(f"SELECT 1 AS same FROM node WHERE life = {life}")
    until(lambda: one.events("node_reborn") == 1, "it says nothing", nodes)
    assert readiness(one) == (200, "ready\n")
    certificate(nodes, web(nodes))


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_of_nodes_with_different_keys_the_one_that_is_not_first_fixes_nothing(new_nodes, database):
    """Both found the store unused. Whoever comes second with its key must not have said which URLs hold for good."""
    nodes = new_nodes(count=1)
    # The other one is first at the very moment that this one says which key it has.
    one = nodes.first
    assert one.verb("migrate", "--store", database.url).returncode == 0
    database.execute("CREATE FUNCTION overtake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.value = 'of another key'; RETURN NEW; END $$",
                     "CREATE TRIGGER overtake BEFORE INSERT ON setting FOR EACH ROW WHEN (NEW.name = 'master_key.check') EXECUTE FUNCTION overtake()")
    status, said = one.start_refused()
    assert status == 1 and "the master key is not the one that this store was made with" in said, said
    assert database.rows("SELECT name FROM setting") == [{"name": "master_key.check"}]
