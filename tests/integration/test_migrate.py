"""postern migrate, and what becomes of a server that lacks migrations."""
import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

MIGRATIONS = sorted((Path(__file__).resolve().parents[2] / "src/store/migrations/sqlite").glob("V*.sql"))
LAST = MIGRATIONS[-1].name


def older_database(path):
    """As the Postern before the last migration left it at its first start's very beginning."""
    database = sqlite3.connect(path)
    database.executescript("PRAGMA application_id = 0x5053544e; PRAGMA journal_mode = WAL;"
                           "CREATE TABLE schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms BIGINT NOT NULL)")
    for number, file in enumerate(MIGRATIONS[:-1], 1):
        database.executescript(file.read_text())
        database.execute("INSERT INTO schema_migration VALUES (?, ?, ?, ?)",
                         (number, file.stem.split("__")[1], hashlib.sha256(file.read_bytes()).hexdigest(), 1_800_000_000_000))
    database.commit()
    database.close()
    path.chmod(0o600)


@pytest.fixture
def older(new_server):
    """Not started, on an older schema."""
    server = new_server()
    server.data.mkdir(0o700)
    older_database(server.data / "postern.db")
    return server


def migrate(server, *arguments):
    done = server.verb("migrate", "--data", server.data, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_server_that_lacks_a_migration_names_it_and_what_applies_it(older):
    before = (older.data / "postern.db").read_bytes()
    status, said = older.start_refused()
    assert status == 1
    assert f"lacks the migration {LAST}: it was made by an older Postern" in said
    assert "run `postern migrate`" in said and "postern serve --migrate" in said
    assert (older.data / "postern.db").read_bytes() == before
    assert not (older.data / "keys/master").exists()


def test_a_verb_that_opens_the_folder_does_not_migrate_either(older):
    done = older.verb("cert", "list", "--data", older.data)
    assert done.returncode == 1 and f"lacks the migration {LAST}" in done.stderr


def test_the_plan_shows_and_changes_nothing(older):
    for _ in range(2):
        said = migrate(older, "--plan")
        assert f"  {MIGRATIONS[0].name}  applied at 2027-01-15T08:00:00Z\n" in said
        assert f"  {LAST}  missing\n" in said
        assert said.endswith("1 missing; `postern migrate` applies all of them or none.\n")


def test_after_migrate_the_server_starts(older):
    said = migrate(older)
    assert f"  {LAST}  applied at " in said and said.endswith("Applied 1.\n")
    assert migrate(older).endswith("Nothing is missing.\n")
    older.start()
    assert older.all_certificates()


def test_serve_migrate_does_both(older):
    older.options = ("--migrate",)
    older.start()
    assert [m for m in json.loads(migrate(older, "--plan", "--json"))["migrations"] if "applied" not in m] == []


def test_a_first_start_needs_no_migrate(new_server):
    server = new_server()
    server.start()
    plan = json.loads(migrate(server, "--plan", "--json"))
    assert plan["missing"] == 0 and len(plan["migrations"]) == len(MIGRATIONS)


def test_while_the_server_runs_only_the_plan_is_shown(new_server):
    server = new_server()
    server.start()
    assert "Nothing is missing." in migrate(server, "--plan")
    done = server.verb("migrate", "--data", server.data)
    assert done.returncode == 1 and f"is in use by process {server.pid}" in done.stderr


def test_an_empty_folder_is_left_alone(new_server):
    server = new_server()
    server.data.mkdir(0o700)
    done = server.verb("migrate", "--data", server.data)
    assert done.returncode == 1 and "holds no Postern data; `postern serve` makes it" in done.stderr
    assert not (server.data / "postern.db").exists()


@pytest.fixture
def database(cluster):
    made = cluster.database()
    yield made
    made.drop()


def test_a_postgresql_schema_can_be_made_beforehand(new_server, database):
    server = new_server(options=("--store", database.url))
    said = migrate(server, "--store", database.url)
    assert said.startswith("postgresql://postern@") and said.endswith(f"Applied {len(MIGRATIONS)}.\n")
    server.start()
    assert server.all_certificates()
    # While it runs: other nodes may be older.
    assert migrate(server, "--store", database.url).endswith("Nothing is missing.\n")


def test_a_postgresql_schema_that_lacks_a_migration_is_refused_by_name(new_server, database):
    server = new_server(options=("--store", database.url))
    migrate(server, "--store", database.url)
    database.execute("DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)")
    status, said = server.start_refused()
    assert status == 1 and f"lacks the migration {LAST}" in said
    assert f"  {LAST}  missing\n" in migrate(server, "--store", database.url, "--plan")


def test_a_newer_postgresql_schema_is_refused(new_server, database):
    server = new_server(options=("--store", database.url))
    migrate(server, "--store", database.url)
    database.execute("INSERT INTO schema_migration (number, name, checksum, applied_ms) VALUES (999, 'later', 'x', 0)")
    status, said = server.start_refused()
    assert status == 1 and "install the newer Postern" in said


def later_migration(readable_by):
    return (f"INSERT INTO schema_migration (number, name, checksum, applied_ms, readable_by) VALUES ({len(MIGRATIONS) + 1}, 'later', 'x', 0, {readable_by})",
            "ALTER TABLE certificate ADD COLUMN later TEXT")


@pytest.fixture(params=["sqlite", "postgres"])
def upgraded(request, new_server):
    """A server, stopped, and how to do something to its store."""
    server = new_server()
    if request.param == "postgres":
        database = request.getfixturevalue("database")
        server.options = ("--store", database.url)
        execute = database.execute
    else:
        def execute(*statements):
            with sqlite3.connect(server.data / "postern.db") as held:
                for statement in statements:
                    held.execute(statement)
    server.start()
    server.stop()
    return server, execute


def test_the_version_before_runs_on_a_schema_that_says_so(upgraded):
    """Nodes are upgraded one after another: one of the version before goes on, and starts again, on the next schema."""
    server, execute = upgraded
    execute(*later_migration(len(MIGRATIONS)))
    server.start()
    assert server.events("schema_newer") == 1
    assert server.all_certificates()
    said = migrate(server, "--plan", *server.options)
    assert f"A later Postern made schema {len(MIGRATIONS) + 1}; this one knows {len(MIGRATIONS)}, and may run on it." in said
    found = json.loads(server.verb("doctor", "--data", server.data, *server.options, "--json").stdout)["findings"]
    schema, = [finding for finding in found if finding["check"] == "store.schema"]
    assert schema["verdict"] == "good" and "which a later version made" in schema["what"]
    server.stop()
    done = server.verb("copy", "--data", server.data, *(["--from", server.options[1]] if server.options else []), "--to", f"sqlite:{server.data}/copy.db")
    assert done.returncode == 1 and "has the schema of a newer Postern; only equal schemas are copied" in done.stderr


def test_a_schema_that_shuts_the_version_before_out_is_refused_and_says_what_to_do(upgraded):
    server, execute = upgraded
    execute(*later_migration("NULL"))
    status, said = server.start_refused()
    assert status == 1
    number = len(MIGRATIONS) + 1
    assert f"has schema {number}, this Postern knows schemas up to {number - 1}; install the newer Postern, or restore the backup made before the upgrade" in said
    assert f"(V{number:04}__later.sql is for versions that know schema {number})" in said
