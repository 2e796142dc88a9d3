"""A server on PostgreSQL from outside: what it refuses, what verbs and doctor say, and that no password is shown."""
import json
import re
import stat
import time

import pytest

from harness.clients import Lego

SECRET = "only for tests"  # the beginning of the cluster's password


@pytest.fixture(scope="module")
def database(cluster):
    made = cluster.database()
    yield made
    made.drop()


@pytest.fixture(scope="module")
def config(cluster, database, tmp_path_factory):
    """postern.toml of a server that comes over TLS with a password."""
    file = tmp_path_factory.mktemp("etc") / "postern.toml"
    url = database.tcp_url(sslmode="verify-full", sslrootcert=cluster.root)
    file.write_text(f'[store]\nurl = "{url}"\npassword_file = "{cluster.password_file}"\nconnections = 5\n')
    return file


@pytest.fixture(scope="module")
def server(module_server, config):
    """It runs."""
    module_server.options = ("--config", config)
    module_server.start()
    return module_server


@pytest.fixture
def fresh(cluster):
    made = cluster.database()
    yield made
    made.drop()


def test_it_serves_over_tls_with_a_password(server, database, tmp_path):
    run = Lego(server, tmp_path).issue("a." + server.suffix)
    assert run.status == 0, run.output
    sessions = database.rows("SELECT s.ssl, a.usename FROM pg_stat_activity a JOIN pg_stat_ssl s ON s.pid = a.pid "
                             "WHERE a.application_name = 'postern' AND a.datname = current_database()")
    assert len(sessions) == 5
    assert all(session == {"ssl": True, "usename": "postern"} for session in sessions)


def test_no_password_is_shown(server):
    shown = server.log.read_text() + server.cli("export") + server.cli("reload")
    shown += server.verb("doctor", "--data", server.data, "--config", server.options[1]).stdout
    with open(f"/proc/{server.pid}/cmdline", "rb") as line:
        shown += line.read().decode()
    assert SECRET not in shown and "only%20for" not in shown


def findings(server, *arguments):
    done = server.verb("doctor", "--data", server.data, "--json", *arguments)
    return {f["check"]: f for f in json.loads(done.stdout)["findings"]}


def test_doctor_examines_the_database(server, config):
    found = findings(server, "--config", config)
    store = {check: f["verdict"] for check, f in found.items() if check.startswith(("store.", "clock."))}
    assert set(store.values()) == {"good"}, found
    for check in ("version", "role", "durability", "connections", "tls", "vacuum", "schema", "copy", "intents"):
        assert "store." + check in store
    assert "clock.database" in store
    assert re.match(r"PostgreSQL 1\d\.\d+ .* at postgresql://postern@127\.0\.0\.1:\d+/", found["store.version"]["what"])


HARM = {
    "store.durability": (["ALTER ROLE postern SET synchronous_commit = off"], ["ALTER ROLE postern RESET synchronous_commit"],
                         "synchronous_commit is off: what Postern acknowledged may be lost"),
    "store.role": (["ALTER ROLE postern SUPERUSER"], ["ALTER ROLE postern NOSUPERUSER"], "Postern's role is a superuser"),
    "store.connections": (["ALTER ROLE postern CONNECTION LIMIT 12"], ["ALTER ROLE postern CONNECTION LIMIT -1"], "but the role may have 12"),
    "store.schema": (["CREATE TABLE kept AS SELECT * FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)",
                      "DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)"],
                     ["INSERT INTO schema_migration SELECT * FROM kept", "DROP TABLE kept"], "is missing"),
    "store.copy": (["INSERT INTO setting (name, value) VALUES ('copy.unfinished', 'from elsewhere')"],
                   ["DELETE FROM setting WHERE name = 'copy.unfinished'"], "a copy into this store did not end: from elsewhere"),
}


@pytest.fixture
def stopped(new_server, fresh):
    """A stopped installation on a database of its own, over the socket."""
    server = new_server(options=("--store", fresh.url))
    server.start()
    server.stop()
    return server


def test_doctor_learns_the_store_of_a_running_server(new_server, fresh):
    """It was named on the command line, which nobody repeats."""
    server = new_server(options=("--store", fresh.url))
    server.start()
    found = findings(server)
    assert {check: f for check, f in found.items() if f["verdict"] == "failed"} == {}
    assert found["store.version"]["what"].startswith("PostgreSQL 1")


@pytest.mark.parametrize("check", HARM)
def test_doctor_finds_what_is_wrong(stopped, fresh, check):
    harm, mend, says = HARM[check]
    fresh.execute(*harm)
    try:
        found = findings(stopped, "--store", fresh.url)
    finally:
        fresh.execute(*mend)
    assert found[check]["verdict"] == "failed" and says in found[check]["what"], found
    assert findings(stopped, "--store", fresh.url)[check]["verdict"] == "good"


def test_doctor_says_when_the_database_is_not_there(stopped):
    found = findings(stopped, "--store", "postgres://postern@127.0.0.1:1/none?connect_timeout=2")
    assert found["store.readable"]["verdict"] == "failed"
    assert "see that the database server runs" in found["store.readable"]["advice"]


def test_verbs_work_in_process_on_a_stopped_server(stopped, fresh):
    done = stopped.verb("cert", "list", "--data", stopped.data, "--store", fresh.url, "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["issued", "issued"]


def test_a_verb_makes_no_installation(stopped, fresh, cluster):
    empty = cluster.database()
    elsewhere = stopped.data.parent / "elsewhere"
    elsewhere.mkdir(0o700)
    done = stopped.verb("cert", "list", "--data", elsewhere, "--store", empty.url)
    assert done.returncode == 1 and "holds no Postern data" in done.stderr
    assert empty.rows("SELECT relname FROM pg_class WHERE relname = 'setting'") == []
    empty.drop()


def test_backup_says_who_makes_it(server):
    done = server.verb("backup", server.data.parent / "b", "--data", server.data)
    assert done.returncode == 1
    assert "pg_basebackup" in done.stderr and "pg_dump" in done.stderr and f"{server.data}/keys/master" in done.stderr
    assert not (server.data.parent / "b").exists()


def test_another_database_under_a_known_root_is_refused(stopped, cluster):
    empty = cluster.database()
    stopped.options = ("--store", empty.url)
    status, said = stopped.start_refused()
    assert status == 1 and f"is empty: it was lost or exchanged" in said and "root.pem" in said
    assert empty.rows("SELECT relname FROM pg_class WHERE relname = 'setting'") == []
    empty.drop()


def test_a_wrong_password_is_told_without_it(new_server, fresh, tmp_path):
    secret = tmp_path / "password"
    secret.touch(0o600)
    secret.write_text("n0t this\n")
    config = tmp_path / "postern.toml"
    config.write_text(f'[store]\nurl = "{fresh.tcp_url()}"\npassword_file = "{secret}"\n')
    server = new_server(options=("--config", config))
    status, said = server.start_refused()
    assert status == 1 and "password authentication failed" in said
    assert "n0t" not in said
    secret.write_text("\n")
    assert server.start_refused()[1].endswith(f"postern: {secret} holds no password\n")
    secret.chmod(0o644)
    status, said = server.start_refused()
    assert status == 1 and f"{secret} can be read by others" in said


def test_a_wrong_root_is_told(new_server, fresh, server, cluster):
    other = new_server(options=("--store", fresh.tcp_url(sslmode="verify-full", sslrootcert=server.root)))
    status, said = other.start_refused()
    assert status == 1 and "certificate verify failed" in said


def test_a_password_in_the_file_works_and_is_a_notice(new_server, fresh, cluster, tmp_path):
    password = cluster.password_file.read_text().strip()
    encoded = "".join(f"%{octet:02x}" for octet in password.encode())
    config = tmp_path / "postern.toml"
    config.write_text(f'[store]\nurl = "{fresh.tcp_url().replace("postern@", f"postern:{encoded}@")}"\n')
    server = new_server(options=("--config", config))
    server.start()
    found = findings(server, "--config", config)
    assert found["store.password"]["verdict"] == "notice"
    assert encoded not in server.log.read_text() + json.dumps(found)


def test_a_database_put_back_to_an_earlier_moment_starts_closed(stopped, fresh, tmp_path):
    newest = fresh.value("SELECT max(at_ms) FROM audit")
    moment = fresh.value(f"SELECT to_char(to_timestamp(ceil({newest} / 1000.0)) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    while time.time() * 1000 < newest + 1000:
        time.sleep(0.05)  # until that second is over: a moment of the future is refused
    where = ("--data", stopped.data, "--store", fresh.url)
    early = stopped.verb("restore", "close", "--to-time", "2001-01-01T00:00:00Z", *where)
    assert early.returncode == 1 and "so it was restored to a later moment than 2001-01-01T00:00:00Z" in early.stderr
    late = stopped.verb("restore", "close", "--to-time", "2101-01-01T00:00:00Z", *where)
    assert late.returncode == 1 and "is in the future" in late.stderr
    wrong = stopped.verb("restore", "close", "--to-time", "yesterday", *where)
    assert wrong.returncode == 1 and "--to-time: expected a time" in wrong.stderr
    done = stopped.verb("restore", "close", "--to-time", moment, *where)
    assert done.returncode == 0, done.stderr
    assert "is CLOSED" in done.stdout and "/crl/" in done.stdout
    stopped.start()
    run = Lego(stopped, tmp_path).issue("a." + stopped.suffix)
    assert run.status != 0 and "restore" in run.words
    opened = stopped.verb("restore", "open", "--no-crl-published-since", "--data", stopped.data)
    assert opened.returncode == 0, opened.stderr
    run = Lego(stopped, tmp_path).issue("b." + stopped.suffix)
    assert run.status == 0, run.output


def test_close_is_refused_while_a_node_runs_and_on_sqlite(server, config, stopped):
    done = server.verb("restore", "close", "--to-time", "2020-01-01T00:00:00Z", "--data", stopped.data, "--config", config)
    assert done.returncode == 1 and "connections of running Posterns are open to" in done.stderr
    done = server.verb("restore", "close", "--to-time", "2020-01-01T00:00:00Z", "--data", stopped.data, "--store", "sqlite:x")
    assert done.returncode == 1 and "restored from a backup of Postern's: postern restore BACKUP" in done.stderr


def test_the_data_folder_is_locked_all_the_same(server, fresh):
    status, said = server.start_refused()
    assert status == 1 and f"{server.data} is in use by process {server.pid}" in said
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
