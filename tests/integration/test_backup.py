"""Backup and restore of a laboratory: what is in it comes back, what must not come back does not."""
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harness.environment import environment, executable
from harness.clients import Certbot, Eab
from harness.load import Stream, enroll
from harness.server import Postern
from harness.wire import ask

SUFFIX = "integration.test"


def verb(*words):
    return subprocess.run([executable(), *map(str, words)], text=True, capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, env=environment())


def refused(*words):
    done = verb(*words)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def crl_urls(data):
    """Of the issuing and the root CA, as certificates name the first and by the same pattern the second."""
    with sqlite3.connect(f"file:{data}/postern.db?mode=ro", uri=True) as database:
        base = database.execute("SELECT value FROM setting WHERE name = 'public.http'").fetchone()[0]
        ids = [row[0] for row in database.execute("SELECT key_id FROM authority ORDER BY kind")]
    return [f"{base}/crl/{key_id}/0.crl" for key_id in ids]


def published(server):
    lists = [ask(url) for url in crl_urls(server.data)]
    assert [answer.status for answer in lists] == [200, 200]
    return [x509.load_der_x509_crl(answer.body) for answer in lists]


def number(crl):
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def serials(crl):
    return {f"{entry.serial_number:032x}" for entry in crl}


def save(crls, folder):
    """DER files, and the options that name them."""
    options = []
    for i, crl in enumerate(crls):
        file = folder / f"{i}.crl"
        file.write_bytes(crl.public_bytes(Encoding.DER))
        options += ["--crl", file]
    return options


def client(server, folder, eab):
    folder.mkdir()
    return Certbot(server, folder, "bound", eab)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A CA that goes on after its backup, and is lost: (backup folder, server now stopped, facts)."""
    folder = tmp_path_factory.mktemp("s")
    server = Postern(executable(), folder, SUFFIX)
    server.start()
    try:
        kept, revoked_later = (serial for _, serial, _ in enroll(server, folder, 2))
        document = folder / "more.toml"
        document.write_text('[[endpoint]]\nname = "bound"\nprotocol = "acme"\nprofiles = ["tls-server"]\n\n'
                            '[[account]]\nname = "team"\nendpoint = "bound"\nmethod = "eab"\nnames = ["*"]\nsecret = {generate = true}\n')
        key = server.apply(document)["team"]
        bound = client(server, folder / "bound", Eab(key["keyId"], key["macKey"]))
        assert bound.register().status == 0
        token = json.loads(server.cli("principal", "create", "robot", "--role", "auditor", "--json"))["token"]
        backup = folder / "backup"
        made = json.loads(server.cli("backup", backup, "--json"))
        server.cli("cert", "revoke", revoked_later, "--reason", "1")
        late = enroll(server, folder)[0][1]
        last = published(server)
        facts = {"folder": folder, "bound": bound, "eab": bound.eab, "kept": kept, "revoked": revoked_later, "late": late, "token": token, "last": last, "made": made,
                 "options": save(last, folder), "document": document}
    finally:
        server.stop()
    return backup, server, facts


@pytest.fixture
def restored(story, new_server, tmp_path):
    """A server on what the backup gave, not started; the lost one's public URLs are its own."""
    backup, lost, _ = story
    server = new_server()
    server.listeners = dict(lost.listeners)
    server.restore_report = json.loads(verb("restore", backup, "--data", server.data, "--json").stdout)
    return server


def test_a_backup_of_a_running_server_is_whole(story):
    backup, server, facts = story
    report = facts["made"]["report"]
    assert facts["made"]["state"] == "done" and report["masterKey"] and report["backup"] == str(backup)
    manifest = json.loads((backup / "manifest.json").read_text())
    assert {"postern.db", "root.pem", "keys/master", "tls/server.pem", "tls/server.key"} < {f["name"] for f in manifest["files"]}
    assert len([f for f in manifest["files"] if f["name"].endswith(".key")]) == 4
    for file in manifest["files"]:
        path = backup / file["name"]
        content = path.read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
        assert path.stat().st_mode & 0o777 == 0o600
    assert backup.stat().st_mode & 0o777 == 0o700
    assert sorted(p.name for p in backup.iterdir()) == ["keys", "manifest.json", "postern.db", "root.pem", "tls"]
    audits = sqlite3.connect(server.data / "postern.db").execute("SELECT count(*) FROM audit WHERE action = 'installation.backed_up'")
    assert audits.fetchone() == (1,)


def test_a_backup_under_load_is_one_moment(new_server, tmp_path):
    """Orders go on; each certificate of the copy has its enrollment and its records, none is half there."""
    server = new_server()
    server.start()
    stream = Stream(server, tmp_path, 150)
    try:
        stream.await_growth(20)
        server.cli("backup", tmp_path / "backup")
        at_backup = stream.received()
        stream.await_end()
    finally:
        stream.kill()
    with sqlite3.connect(tmp_path / "backup/postern.db") as copy:
        certificates, = copy.execute("SELECT count(*) FROM certificate").fetchone()
        issued, = copy.execute("SELECT count(*) FROM enrollment WHERE status = 'issued'").fetchone()
        records, = copy.execute("SELECT count(*) FROM audit WHERE action = 'enrollment.issued'").fetchone()
    assert certificates == issued == records
    assert 20 <= certificates and at_backup < 150


def test_a_kill_leaves_a_whole_backup_or_none(new_server, tmp_path):
    server = new_server()
    server.start()
    with sqlite3.connect(server.data / "postern.db") as database:
        database.execute("CREATE TABLE filler (x BLOB)")
        database.executemany("INSERT INTO filler VALUES (zeroblob(1000000))", [()] * 60)
    target = tmp_path / "backup"
    asking = subprocess.Popen([executable(), "backup", target, "--data", server.data], env=environment(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(tmp_path.glob("backup*")):
        assert asking.poll() is None
    server.kill()
    asking.wait()
    if target.exists():
        assert verb("restore", target, "--data", tmp_path / "new").returncode == 0
    else:
        assert "is no backup of Postern" in refused("restore", next(tmp_path.glob("backup.partial-*")), "--data", tmp_path / "new")
    server.start()
    server.cli("backup", tmp_path / "again")
    assert verb("restore", tmp_path / "again", "--data", tmp_path / "newer").returncode == 0


def test_the_configuration_is_inside(new_server, tmp_path):
    file = tmp_path / "postern.toml"
    file.write_text("[limits]\nidle = \"5s\"\n")
    server = new_server(options=("--config", file))
    server.start()
    server.cli("backup", tmp_path / "running")
    server.stop()
    server.cli("backup", tmp_path / "stopped", "--config", file)
    for name in ("running", "stopped"):
        assert (tmp_path / name / "postern.toml").read_text() == file.read_text()


def test_a_stopped_server_is_backed_up_in_process(story, tmp_path):
    _, server, _ = story
    done = verb("backup", tmp_path / "backup", "--without-master-key", "--data", server.data)
    assert done.returncode == 0, done.stderr
    assert "The master key is NOT inside" in done.stdout
    assert not (tmp_path / "backup/keys/master").exists()
    data = tmp_path / "new"
    said = refused("restore", tmp_path / "backup", "--data", data)
    assert "was made without the master key; name it with --master-key-file" in said
    wrong = tmp_path / "wrong"
    wrong.write_bytes(bytes(32))
    wrong.chmod(0o600)
    assert "sealed under another master key" in refused("restore", tmp_path / "backup", "--data", data, "--master-key-file", wrong)
    assert not data.exists() and sorted(p.name for p in tmp_path.iterdir()) == ["backup", "wrong"]
    done = verb("restore", tmp_path / "backup", "--data", data, "--master-key-file", server.data / "keys/master")
    assert done.returncode == 0, done.stderr
    assert not (data / "keys/master").exists() and "[secrets] master_key_file" in done.stdout


def order_backup(server, **members):
    """As another process on this machine would ask for one; status and answer."""
    body = json.dumps(members).encode()
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(server.data / "control.sock"))
        control.sendall(b"POST /api/postern/v1/backup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        answer = b""
        while piece := control.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def test_a_server_that_sees_another_folder_of_that_name_refuses(new_server, tmp_path):
    """A unit with PrivateTmp: its /tmp is not the operator's."""
    server = new_server()
    server.start()
    status, answer = order_backup(server, target=str(tmp_path / "b"), parentSeen="1:2")
    assert status == 400 and "of its own (PrivateTmp, or a container)" in answer
    status, answer = order_backup(server, target=str(tmp_path / "b\x1b[2J"))
    assert status == 400 and "characters that cannot be seen" in answer
    assert list(tmp_path.glob("b*")) == []


def test_refused_targets(story, tmp_path):
    backup, server, _ = story
    assert f"{backup} exists; a backup never overwrites anything" in refused("backup", backup, "--data", server.data)
    assert "there is no folder" in refused("backup", tmp_path / "no/where", "--data", server.data)
    key = min((server.data / "keys").glob("*.key"), key=lambda path: path.stat().st_mtime_ns)
    sealed = key.read_bytes()
    key.write_bytes(sealed[:-1] + b"\0")
    try:
        assert "it does not open" in refused("backup", tmp_path / "b", "--data", server.data)
    finally:
        key.write_bytes(sealed)
    assert list(tmp_path.iterdir()) == []


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def forget(backup, is_forgotten):
    """Takes files out of the manifest, as one that was made up would lack them."""
    manifest = json.loads((backup / "manifest.json").read_text())
    keys = [f for f in manifest["files"] if f["name"].endswith(".key") and f["name"].startswith("keys/")]
    manifest["files"] = [f for f in manifest["files"] if f not in is_forgotten(keys)]
    (backup / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("harm, said", [
    (lambda b: forget(b, lambda keys: keys), "it names no CA key"),
    (lambda b: forget(b, lambda keys: keys[:2]), "the backup lacks the key of CA"),
    (lambda b: edit(b / "manifest.json", "root.pem", "lock"), '"lock" is no part of a backup'),
    (lambda b: edit(b / "manifest.json", "root.pem", "control.sock"), '"control.sock" is no part of a backup'),
    (lambda b: edit(b / "manifest.json", '"createdMs":', '"createdMs":-'), "is no time that a backup was made at"),
    (lambda b: cut(b / "postern.db"), "postern.db is damaged"),
    (lambda b: cut(b / "tls/server.key"), "tls/server.key is damaged"),
    (lambda b: (b / "root.pem").unlink(), "root.pem is missing"),
    (lambda b: (b / "manifest.json").unlink(), "it has no manifest.json"),
    (lambda b: cut(b / "manifest.json") or cut(b / "manifest.json"), "manifest.json"),
    (lambda b: edit(b / "manifest.json", '"schema":', '"schema":9'), "Restore it with that version or a newer one"),
    (lambda b: edit(b / "manifest.json", '"format":1', '"format":2'), "it has format 2"),
    (lambda b: edit(b / "manifest.json", "root.pem", "../root.pem"), 'is no part of a backup'),
    (lambda b: (b / "keys/master").chmod(0o644), "keys/master can be read by others"),
])
def test_a_backup_that_cannot_be_trusted_is_refused(story, tmp_path, harm, said):
    backup = tmp_path / "backup"
    shutil.copytree(story[0], backup)
    harm(backup)
    assert said in refused("restore", backup, "--data", tmp_path / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backup"]


def test_a_folder_in_use_is_never_overwritten(story, tmp_path):
    (tmp_path / "precious").touch()
    assert "is not empty; a restore never overwrites anything" in refused("restore", story[0], "--data", tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand files over")
def test_what_root_restores_belongs_to_the_owner_of_the_empty_folder(story, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 12345, 12345)
    assert verb("restore", story[0], "--data", data).returncode == 0
    assert {path.stat().st_uid for path in [data, *data.rglob("*")]} == {12345}


def test_another_machine_is_no_place_for_these(story, tmp_path):
    for words in (("backup", tmp_path / "b"), ("restore", story[0], "--data", tmp_path / "new")):
        assert "on th" in refused(*words, "--server", "https://ca.example", "--token-file", "/nowhere")
    assert list(tmp_path.iterdir()) == []


def ready(server):
    answer = ask(server.ready["management"] + "/readyz")
    return answer.status, answer.body.decode()


def test_a_restored_server_starts_closed_and_opens_with_the_last_crls(story, restored, tmp_path):
    _, _, facts = story
    assert restored.restore_report["voidTokens"] == ["robot"]
    assert "default/team" in restored.restore_report["voidKeys"]
    assert sorted(restored.restore_report["crlUrls"]) == sorted(crl_urls(restored.data))
    restored.start()
    status, text = ready(restored)
    assert status == 503 and text.startswith("restore.open: this server was restored from a backup of")
    # Nothing is issued, no list is published, and what is there can be read.
    bound = facts["bound"]
    bound.server = restored
    name = "bound." + SUFFIX
    refusal = bound.issue(name)
    assert refusal.status != 0 and "restore.open" in refusal.output and "is not opened yet" in refusal.words
    assert [ask(url).status for url in crl_urls(restored.data)] == [503, 503]
    assert {row["serial"] for row in restored.all_certificates()} >= {facts["kept"], facts["revoked"]}
    base = restored.directory().removesuffix("/acme/default/directory")
    denied = ask(base + "/api/postern/v1/certificates", root=restored.root, Authorization="Bearer " + facts["token"])
    assert denied.status == 401

    said = refused("restore", "open", "--data", restored.data)
    assert "give the last published CRLs" in said
    said = refused("restore", "open", "--data", restored.data, *facts["options"][:2])
    assert "the last published CRL is missing of: root CA" in said
    report = json.loads(restored.cli("restore", "open", *facts["options"], "--json"))
    assert sum(crl["takenOver"] for crl in report["crls"]) == 1
    assert ready(restored) == (200, "ready\n")

    states = {row["serial"]: row["status"] for row in restored.all_certificates()}
    assert (states[facts["kept"]], states[facts["revoked"]]) == ("issued", "revoked")
    # The key is as compromised as it was before the loss, and the revocation is explained.
    assert "keyCompromise" in restored.cli("key", "list")
    assert "certificate.revoked" in [record["action"] for record in restored.explain(facts["revoked"])]
    now = published(restored)
    for before, after in zip(facts["last"], now):
        assert number(after) > number(before)
        assert serials(after) >= serials(before)
    fresh = enroll(restored, tmp_path)[0][1]
    assert fresh not in {facts["kept"], facts["revoked"], facts["late"]}
    assert "nothing to open" in refused("restore", "open", "--data", restored.data, "--no-crl-published-since")
    with sqlite3.connect(restored.data / "postern.db") as database:
        actions = {row[0] for row in database.execute("SELECT action FROM audit WHERE object_kind = 'installation'")}
    assert actions == {"installation.restored", "installation.opened"}
    # An account that was bound before goes on with its own key; the MAC key binds nobody any more.
    issued = bound.issue(name)
    assert issued.status == 0, issued.output
    late = client(restored, tmp_path / "late", facts["eab"]).register()
    assert late.status != 0 and "is unknown at this endpoint" in late.words
    fresh = restored.apply(facts["document"])["team"]
    again = client(restored, tmp_path / "again", Eab(fresh["keyId"], fresh["macKey"])).register()
    assert again.status == 0, again.output


def test_it_stays_closed_over_restarts_until_the_operator_says_that_no_crl_was_published(restored, tmp_path):
    restored.start()
    restored.stop()
    restored.start()
    assert ready(restored)[0] == 503
    restored.stop()
    done = verb("restore", "open", "--no-crl-published-since", "--data", restored.data)
    assert done.returncode == 0 and "no CRL, as you said" in done.stdout, done.stderr
    restored.start()
    assert ready(restored)[0] == 200
    assert all(number(crl) > 1000 for crl in published(restored))
    enroll(restored, tmp_path)


def test_an_intent_that_was_open_at_the_backup_is_left_unknown(new_server, tmp_path):
    """The lost server may have delivered its certificate: the serial is neither revoked nor issued anew."""
    lost = new_server()
    lost.start()
    lost.stop()
    serial = bytes.fromhex("77" * 16)
    with sqlite3.connect(lost.data / "postern.db") as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(enrollment)")]
        other = {"id": 999_999, "status": "'submitted'", "attempt_key": "x'77'", "serial": f"x'{serial.hex()}'"}
        database.execute(f"INSERT INTO enrollment ({', '.join(columns)}) SELECT {', '.join(str(other.get(c, c)) for c in columns)} "
                         "FROM enrollment WHERE status = 'issued' ORDER BY id LIMIT 1")
    lost.cli("backup", tmp_path / "backup")
    restored = new_server()
    restored.listeners = dict(lost.listeners)
    report = json.loads(verb("restore", tmp_path / "backup", "--data", restored.data, "--json").stdout)
    assert report["unknown"] == [999_999]
    restored.start()
    restored.cli("restore", "open", "--no-crl-published-since")
    restored.stop()
    restored.start()
    assert restored.events("intents_settled") == restored.events("enrollment_settled") == 0
    with sqlite3.connect(restored.data / "postern.db") as database:
        status, problem = database.execute("SELECT status, problem FROM enrollment WHERE id = 999999").fetchone()
    assert status == "unknown" and json.loads(problem)["check"] == "restore.unknown"
    assert serial.hex() not in serials(published(restored)[0])


def test_a_crl_that_is_not_the_last_one_of_ours_is_refused(story, restored, new_server, tmp_path):
    _, _, facts = story
    restored.start()
    opening = ("restore", "open", "--data", restored.data, "--no-crl-published-since", "--crl")
    junk = tmp_path / "junk"
    junk.write_bytes(b"junk")
    assert "the CRL cannot be read" in refused(*opening, junk)
    der = bytearray(facts["options"][1].read_bytes())
    der[-1] ^= 1
    junk.write_bytes(der)
    assert "its signature is not that of" in refused(*opening, junk)
    other = new_server()
    other.start()
    foreign = save(published(other)[:1], tmp_path)[1]
    assert "which is none of this installation" in refused(*opening, foreign)
    assert ready(restored)[0] == 503


def test_the_own_certificate_of_elsewhere_serves_until_the_opening(story, new_server):
    """Its names are not this machine's, and a new one cannot be issued yet."""
    server = new_server()
    assert verb("restore", story[0], "--data", server.data).returncode == 0
    server.listeners = {**story[1].listeners, "est": "127.0.0.2:0"}
    server.start()
    assert server.events("own_tls_old") == 1
    assert ask(server.directory(), root=server.root).status == 200
