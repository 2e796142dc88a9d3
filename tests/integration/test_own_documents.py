"""An installation of an older version gets what the server itself needs at its next start, and nothing else."""
import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from harness.management import readiness
from harness.scep_device import Device
from harness.scep_style import STYLES
from harness.wire import ask

MIGRATIONS = Path(__file__).resolve().parents[2] / "src/store/migrations/sqlite"
# What the versions of SCEP and EST added at the first start: the server's own, and an endpoint each.
OLDER = """
DELETE FROM ra_certificate;
DELETE FROM certificate WHERE enrollment_id IN (SELECT id FROM enrollment WHERE profile_id IN (SELECT id FROM profile WHERE name = 'scep-ra'));
DELETE FROM enrollment WHERE profile_id IN (SELECT id FROM profile WHERE name = 'scep-ra');
DELETE FROM account WHERE name IN ('devices', 'equipment');
DELETE FROM endpoint WHERE name IN ('devices', 'equipment');
DELETE FROM profile WHERE name IN ('scep-ra', 'device');
UPDATE endpoint SET body = '{"profiles":["server-tls"]}', version = 1 WHERE name = 'system';
UPDATE account SET body = '{"names":["*"]}', version = 1 WHERE name = 'server';
DELETE FROM setting WHERE name = 'own_documents.edition';
"""
SCEP = """
[[profile]]
name = "router"
lifetime = "365d"
keys = ["rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
[[endpoint]]
name = "devices"
protocol = "scep"
profiles = ["router"]
[[account]]
name = "routers"
endpoint = "devices"
method = "access_code"
common_names = ["router-*"]
secret = {generate = true}
"""


class Store:
    """The store of a server that is stopped."""

    def __init__(self, server, database):
        self.server, self.database = server, database

    def run(self, script):
        if self.database:
            self.database.execute(*(line for line in script.split(";\n") if line.strip()))
            return
        with closing(sqlite3.connect(self.server.data / "postern.db")) as connection:
            connection.executescript("PRAGMA foreign_keys = ON; BEGIN;" + script + "COMMIT;")

    def rows(self, sql):
        if self.database:
            return [tuple(row.values()) for row in self.database.rows(sql)]
        with closing(sqlite3.connect(self.server.data / "postern.db")) as connection:
            return connection.execute(sql).fetchall()

    def objects(self):
        return {kind: self.rows(f"SELECT name, version, status, body FROM {kind} ORDER BY id") for kind in ("tenant", "profile", "endpoint", "account")}


@pytest.fixture(params=["sqlite", "postgres"])
def older(request, new_server):
    """Stopped, as the version before SCEP left it; with its store."""
    database = request.getfixturevalue("cluster").database() if request.param == "postgres" else None
    server = new_server(options=("--store", database.url) if database else ())
    server.start()
    server.stop()
    store = Store(server, database)
    store.run(OLDER)
    return server, store


def test_it_serves_scep_after_the_upgrade(older, tmp_path):
    server, store = older
    before = store.objects()
    server.start()
    assert readiness(server) == (200, "ready\n")
    assert server.events("scep_ra_certificate_failed") == 0 and server.events("own_document_renewed") == 3
    document = tmp_path / "scep.toml"
    document.write_text(SCEP)
    code = server.apply(document)["routers"]["accessCode"]
    url = server.ready["acme"]["default"].split("/acme/")[0] + "/scep/devices"
    # Its RA certificate is enrolled when the endpoint is applied.
    end = time.monotonic() + 30
    while (answer := ask(url + "?operation=GetCACert", root=server.root).status) != 200:
        assert answer == 503 and time.monotonic() < end, server.log_tail()
        time.sleep(0.1)
    router = Device(url, STYLES["strongswan"], subject=[("CN", "router-1")], root=server.root).discover()
    assert router.enroll(code).certificate.subject.rfc4514_string() == "CN=router-1"
    server.stop()
    after = store.objects()
    # Operators' own, and what they had removed, are as they were; the server's own tenant was not touched.
    assert after["tenant"] == before["tenant"]
    assert [row for row in after["profile"] if row[0] not in ("scep-ra", "router")] == before["profile"]
    assert [row for row in after["endpoint"] if row[0] not in ("system", "devices")] == [row for row in before["endpoint"] if row[0] != "system"]
    assert not [row for row in after["account"] if row[0] == "devices"]
    changes = store.rows("SELECT actor_kind, actor, object_kind, object_id FROM audit WHERE actor = 'upgrade' ORDER BY id")
    assert changes == [("system", "upgrade", "profile", "system/scep-ra"), ("system", "upgrade", "endpoint", "system/system"),
                       ("system", "upgrade", "account", "system/server")]
    # Once.
    server.start()
    server.stop()
    assert store.objects() == after and server.events("own_document_renewed") == 3


def test_what_is_gone_comes_back_and_a_later_edition_is_left_alone(older):
    server, store = older
    store.run("INSERT INTO setting (name, value) VALUES ('own_documents.edition', '2');\n")
    server.start()
    server.stop()
    assert server.events("own_document_renewed") == 3
    store.run(OLDER + "INSERT INTO setting (name, value) VALUES ('own_documents.edition', '99');\n")
    before = store.objects()
    server.start()
    server.stop()
    assert store.objects() == before and server.events("own_document_renewed") == 3


def test_a_verb_leaves_it_to_the_next_start(older):
    server, store = older
    before = store.objects()
    assert json.loads(server.cli("clock", "--json", *server.options))["agree"]
    assert store.objects() == before


def test_a_new_installation_is_of_this_edition(new_server):
    server = new_server()
    server.start()
    server.stop()
    store = Store(server, None)
    assert store.rows("SELECT value FROM setting WHERE name = 'own_documents.edition'") == [("2",)]
    before = store.objects()
    server.start()
    server.stop()
    assert store.objects() == before and server.events("own_document_renewed") == 0


def test_the_schema_of_the_version_before_scep_is_brought_up_too(older):
    """As V0009 left it: `serve --migrate` applies the steps after it, and the server's own objects follow."""
    server, store = older
    if store.database:
        pytest.skip("the schema's steps are the engine's own; SQLite's are undone here")
    later = "\n".join(path.read_text() for path in sorted(MIGRATIONS.glob("V*.sql")) if int(path.name[1:5]) > 9)
    made = [table for table in re.findall(r"^CREATE TABLE (\w+)", later, re.MULTILINE) if not table.endswith("_next")]
    undone = [f"DROP TABLE {table};" for table in made]
    undone += [f"DROP INDEX IF EXISTS {index};" for index in re.findall(r"^CREATE (?:UNIQUE )?INDEX (\w+)", later, re.MULTILINE)]
    for table, verb, column, name in re.findall(r"^ALTER TABLE (\w+) (ADD|RENAME) COLUMN (\w+)(?: TO (\w+))?", later, re.MULTILINE):
        if table not in made:
            undone.append(f"ALTER TABLE {table} RENAME COLUMN {name} TO {column};" if verb == "RENAME" else f"ALTER TABLE {table} DROP COLUMN {column};")
    store.run("".join(undone) + "DELETE FROM schema_migration WHERE number > 9;\n")
    status, said = server.start_refused()
    assert status == 1 and "lacks the migration V0010__scep.sql" in said
    server.options = ("--migrate",)
    server.start()
    assert readiness(server) == (200, "ready\n") and server.events("own_document_renewed") == 3
    assert store.rows("SELECT count(*) FROM ra_certificate") == [(0,)]  # no SCEP endpoint yet: none is needed
