"""postern copy: an installation moves from one engine to another, and everybody goes on with what they have."""
import contextlib
import json
import shutil
import sqlite3
import subprocess
import time

import pytest

from harness import pki
from harness.clients import Certbot, Lego
from harness.environment import environment

NET_SECONDS = 60


def copy(server, *arguments):
    return server.verb("copy", "--data", server.data, *arguments)


def run_copy(server, *arguments):
    done = copy(server, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(done, *words, status=1):
    assert done.returncode == status, done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.fixture
def database(cluster):
    made = cluster.database()
    yield made
    made.drop()


@pytest.fixture(scope="module")
def stopped(module_server):
    """A stopped installation with a certificate, never changed: take a copy of its folder."""
    module_server.start()
    module_server.stop()
    return module_server


@pytest.fixture
def server(new_server, stopped):
    """A stopped installation of one's own, as `stopped` is."""
    postern = new_server()
    shutil.copytree(stopped.data, postern.data)
    postern.listeners = dict(stopped.listeners)
    postern.http01_port = stopped.http01_port
    return postern


@pytest.mark.parametrize("kind", [Certbot, Lego])
def test_clients_renew_and_revoke_after_the_move(new_server, database, tmp_path, kind):
    server = new_server()
    server.start()
    client = kind(server, tmp_path)
    name = "moved." + server.suffix
    first = client.issue(name)
    assert first.status == 0, first.output
    serial, root, address = pki.serial(first.certificate), open(server.root, "rb").read(), server.directory()
    server.stop()

    report = run_copy(server, "--to", database.url)
    server.options = ("--store", database.url)
    server.start()
    assert (open(server.root, "rb").read(), server.directory()) == (root, address)
    renewed = client.renew(name)
    assert renewed.status == 0, renewed.output
    holds, said = pki.verify(renewed.certificate, renewed.chain, server.root, tmp_path)
    assert holds, said
    assert [row["serial"] for row in server.certificates(name)] == [serial, pki.serial(renewed.certificate)]
    assert any(record["action"] == "enrollment.issued" for record in server.explain(serial))
    assert client.revoke(name).status == 0
    holds, said = pki.verify(renewed.certificate, renewed.chain, server.root, tmp_path)
    assert not holds and "certificate revoked" in said
    # One account: the client was not made to register anew.
    assert database.value("SELECT count(*) FROM acme_account") == 1
    assert {table["name"]: table["rows"] for table in report["tables"]}["acme_account"] == 1


def test_every_row_is_there_and_the_record_says_so(server, database):
    report = run_copy(server, "--to", database.url)
    assert report["rows"] == sum(table["rows"] for table in report["tables"]) > 10
    assert all(len(table["digest"]) == 64 for table in report["tables"])
    record = database.rows("SELECT * FROM audit WHERE action = 'installation.copied'")
    assert [json.loads(row["detail"])["rows"] for row in record] == [report["rows"]]
    assert database.rows("SELECT name FROM setting WHERE name LIKE 'copy.%'") == []


def test_the_old_store_is_closed(server, database):
    run_copy(server, "--to", database.url)
    status, said = server.start_refused()
    assert status == 1
    assert "was moved: to postgresql://postern@" in said and "two live copies would be two CAs" in said
    done = server.verb("cert", "list", "--data", server.data)
    assert done.returncode == 1 and "was moved" in done.stderr


def test_and_back_again(server, database):
    there = run_copy(server, "--to", database.url)
    back = run_copy(server, "--from", database.url, "--to", "sqlite:back.db")
    digests = [{table["name"]: table["digest"] for table in report["tables"] if table["name"] not in ("audit", "number_block", "setting")}
               for report in (there, back)]
    assert digests[0] == digests[1]
    server.options = ("--store", "sqlite:back.db")
    server.start()
    assert server.all_certificates()


def test_what_was_moved_is_no_source(server, database, cluster):
    """Whatever was issued since would be missing, and its serials issued again."""
    run_copy(server, "--to", database.url)
    other = cluster.database()
    refused(copy(server, "--to", other.url), "was moved: to postgresql://postern@", "copy that store, not this one")
    assert other.rows("SELECT relname FROM pg_class WHERE relname = 'setting'") == []
    other.drop()
    refused(copy(server, "--to", database.url), "was moved: to postgresql://postern@")
    server.options = ("--store", database.url)
    server.start()
    assert server.all_certificates()


def test_a_copy_that_ended_between_its_last_two_marks_is_begun_anew(server, database, cluster):
    """The source is closed and the target still marked: this target alone may be filled again from it."""
    run_copy(server, "--to", database.url)
    source = sqlite3.connect(server.data / "postern.db")
    (name,) = source.execute("SELECT value FROM setting WHERE name = 'copy.name'").fetchone()
    source.close()
    database.execute(f"INSERT INTO setting (name, value) VALUES ('copy.unfinished', 'from here'), ('copy.name', '{name}')")
    other = cluster.database()
    refused(copy(server, "--to", other.url), "was moved: to postgresql://postern@")
    other.drop()
    run_copy(server, "--to", database.url)
    status, said = server.start_refused()
    assert status == 1 and "was moved" in said
    server.options = ("--store", database.url)
    server.start()
    assert server.all_certificates()


def test_while_the_server_runs_nothing_is_copied(server, database):
    server.start()
    refused(copy(server, "--to", database.url), f"{server.data} is in use by process {server.pid}")
    assert database.rows("SELECT relname FROM pg_class WHERE relname = 'setting'") == []


def test_while_another_node_runs_on_it_nothing_is_copied(new_server, database, cluster):
    other = cluster.database()
    server = new_server(options=("--store", other.url))
    server.start()
    elsewhere = server.data.parent / "elsewhere"
    elsewhere.mkdir()
    done = server.verb("copy", "--data", elsewhere, "--from", other.url, "--to", database.url)
    refused(done, "connections of running Posterns are open to postgresql://postern@")
    server.stop()
    other.drop()


def test_while_another_process_shares_the_file_nothing_is_copied(server, new_server, database):
    """It has a data folder of its own, and so another lock."""
    config = server.data.parent / "postern.toml"
    config.write_text(f'[store]\nurl = "sqlite:{server.data}/postern.db"\nshared = true\n[secrets]\nmaster_key_file = "{server.data}/keys/master"\n')
    server.options = ("--config", config)
    server.start()
    other = new_server(options=("--config", config))
    other.start()
    server.stop()
    refused(copy(server, "--config", config, "--to", database.url), "1 other Posterns work on sqlite:")
    other.stop()
    run_copy(server, "--config", config, "--to", database.url)


def doctor_on_copy(server, *options):
    found = json.loads(server.verb("doctor", "--data", server.data, *options, "--json").stdout)["findings"]
    finding, = [each for each in found if each["check"] == "store.copy"]
    return finding


def test_doctor_tells_of_each_mark(server, database):
    assert doctor_on_copy(server)["verdict"] == "good"
    marks = {
        "copy.unfinished": ("a copy into this store did not end: WORDS", "begin `postern copy` anew; it empties the target first"),
        "copy.leaving": ("a copy of this store has not ended: WORDS", "wait for its end; if it was killed, begin it anew"),
        "copy.moved": ("was moved: WORDS", "name that store in [store] url"),
    }
    for mark, (what, advice) in marks.items():
        with sqlite3.connect(server.data / "postern.db") as source:
            source.execute("INSERT INTO setting (name, value) VALUES (?, 'WORDS')", (mark,))
        finding = doctor_on_copy(server)
        assert finding["verdict"] == "failed" and what in finding["what"] and finding["advice"].startswith(advice), finding
        with sqlite3.connect(server.data / "postern.db") as source:
            source.execute("DELETE FROM setting WHERE name = ?", (mark,))
    run_copy(server, "--to", database.url)
    assert "was moved: to postgresql://postern@" in doctor_on_copy(server)["what"]


def test_a_target_that_holds_something_is_refused(server, new_server, database):
    other = new_server(options=("--store", database.url))
    other.start()
    other.stop()
    refused(copy(server, "--to", database.url), "is not empty: its table", "A copy never mixes two installations")
    server.start()


def test_a_target_of_another_program_is_refused(server, database):
    database.execute("SET ROLE postern; CREATE TABLE theirs (id BIGINT)")
    refused(copy(server, "--to", database.url), "is another program's database")


def test_a_target_of_another_schema_is_refused(server, database):
    assert server.verb("migrate", "--store", database.url).returncode == 0
    database.execute("DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)")
    refused(copy(server, "--to", database.url), "only equal schemas are copied")


def test_a_column_more_is_refused(server, database):
    assert server.verb("migrate", "--store", database.url).returncode == 0
    database.execute("ALTER TABLE certificate ADD COLUMN more TEXT")
    refused(copy(server, "--to", database.url), "table certificate has other columns in the target")


def test_source_and_target_are_two(server):
    refused(copy(server, "--to", "sqlite:postern.db"), "source and target are both sqlite:")


def test_a_source_that_holds_nothing_is_refused(new_server, database):
    server = new_server()
    server.data.mkdir()
    refused(copy(server, "--to", database.url), "holds no Postern data")


def test_a_password_on_the_command_line_is_refused_and_not_repeated(server):
    for url in ("postgres://postern:s3cret@127.0.0.1/x", "postgres://127.0.0.1/x?password=s3cret", "postgres://h/x?pass%77ord=s3cret"):
        done = copy(server, "--to", url)
        refused(done, "--to: everybody on this machine can read a command line", status=2)
        assert "s3cret" not in done.stdout + done.stderr


def test_with_a_password_file_over_tls(server, database, cluster):
    url = database.tcp_url(sslmode="verify-full", sslrootcert=cluster.root)
    run_copy(server, "--to", url, "--to-password-file", cluster.password_file)
    server.options = ("--config", server.data.parent / "postern.toml")
    server.options[1].write_text(f'[store]\nurl = "{url}"\npassword_file = "{cluster.password_file}"\n')
    server.start()
    assert server.all_certificates()


TRIGGER = ("CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {0}; RETURN NEW; END $$",
           "CREATE TRIGGER meddle BEFORE INSERT ON certificate FOR EACH ROW EXECUTE FUNCTION meddle()")


def meddle(server, database, what):
    """From now on something happens to each certificate that is written."""
    assert server.verb("migrate", "--store", database.url).returncode == 0
    for statement in TRIGGER:
        database.execute(statement.format(what))


@contextlib.contextmanager
def killed_in_the_middle(server, database, *arguments):
    meddle(server, database, "PERFORM pg_sleep(600)")
    process = subprocess.Popen([server.executable, "copy", "--data", server.data, "--to", database.url, *arguments], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    end = time.monotonic() + NET_SECONDS
    while not database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"):
        assert process.poll() is None, "the copy ended by itself"
        assert time.monotonic() < end, "the copy does not come to the certificates"
    try:
        yield
    finally:
        process.kill()
        process.wait()
        database.terminate_backends()


def must_be_begun_anew(server, database):
    """No server starts on what an interrupted copy left, the source is as it was, and a second copy is good."""
    server.options = ("--store", database.url)
    status, said = server.start_refused()
    assert status == 1
    assert "is the target of a `postern copy` that did not end: from sqlite:" in said and "Begin the copy anew" in said
    database.execute("DROP TRIGGER meddle ON certificate")
    server.options = ()
    server.start()
    server.stop()
    run_copy(server, "--to", database.url)
    server.options = ("--store", database.url)
    server.start()
    assert server.all_certificates()


def test_a_row_that_arrives_as_another_is_found(server, database):
    meddle(server, database, "NEW.subject = 'CN=somebody else'")
    refused(copy(server, "--to", database.url), "table certificate differs: its 2 rows have the digest")
    must_be_begun_anew(server, database)


def test_a_row_that_does_not_arrive_is_found(server, database):
    meddle(server, database, "RETURN NULL")
    refused(copy(server, "--to", database.url), "table certificate has 0 rows in the target where 2 were read from the source")
    must_be_begun_anew(server, database)


def test_a_row_that_is_refused_ends_the_copy(server, database):
    meddle(server, database, "RAISE EXCEPTION 'not this one'")
    refused(copy(server, "--to", database.url), "not this one", "writing table certificate")
    must_be_begun_anew(server, database)


def test_a_copy_that_is_killed_in_the_middle(server, database):
    with killed_in_the_middle(server, database):
        pass
    must_be_begun_anew(server, database)


def test_what_a_copy_left_half_done_is_no_source(server, database):
    meddle(server, database, "RETURN NULL")
    refused(copy(server, "--to", database.url), "table certificate has 0 rows")
    refused(copy(server, "--from", database.url, "--to", "sqlite:other.db"), "is not whole: it is the target of a `postern copy` that did not end: from sqlite:")
    assert not (server.data / "other.db").exists()


@contextlib.contextmanager
def session(url, sql):
    """A session of its own that has done `sql`, and does nothing more."""
    process = subprocess.Popen(["psql", "--quiet", "--no-psqlrc", "--tuples-only", url], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdin.write(f"{sql}; SELECT 'done';\n")
        process.stdin.flush()
        while "done" not in (line := process.stdout.readline()):
            assert line, "psql ended"
        yield
    finally:
        process.kill()
        process.wait()


def test_a_node_that_began_while_rows_went_over_is_seen_before_the_hand_over(server, database):
    """It had passed its look at the marks before the copy set them. What it writes, the target would never see."""
    meddle(server, database, "PERFORM pg_advisory_xact_lock(5)")
    end = time.monotonic() + NET_SECONDS
    process = subprocess.Popen([server.executable, "copy", "--data", server.data, "--to", database.url], text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    try:
        with contextlib.ExitStack() as late:
            with session(database.url, "SELECT pg_advisory_lock(5)"):
                # It stands in its middle, behind both of its looks at who else is there.
                while not database.rows("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
                    assert process.poll() is None, process.communicate()[1]
                    assert time.monotonic() < end, "the copy does not come to the certificates"
                late.enter_context(session(database.url + "&application_name=postern", "SELECT 1"))
            said = process.communicate(timeout=NET_SECONDS)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1 and "connections of running Posterns are open to postgresql://postern@" in said, said
    with sqlite3.connect(server.data / "postern.db") as source:
        assert source.execute("SELECT name FROM setting WHERE name IN ('copy.moved', 'copy.leaving', 'copy.leaver')").fetchall() == []
    must_be_begun_anew(server, database)


def test_no_node_starts_on_what_is_being_copied(server, new_server, database, cluster):
    source = cluster.database()
    run_copy(server, "--to", source.url)
    server.options = ("--store", source.url)
    key = server.data.parent / "other.toml"
    key.write_text(f'[store]\nurl = "{source.url}"\n[secrets]\nmaster_key_file = "{server.data}/keys/master"\n')
    other = new_server(options=("--config", key))
    with killed_in_the_middle(server, database, "--from", source.url):
        status, said = other.start_refused()
        assert status == 1 and "is being copied to postgresql://postern@" in said and f"with --data {server.data}" in said, said
    status, said = other.start_refused()
    assert status == 1 and "if it was killed, begin it anew, or start the server on that data folder first" in said
    server.start()
    other.start()
    other.stop()
    server.stop()
    source.drop()
