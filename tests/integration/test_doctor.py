"""`postern doctor`: all is well where it is, and what is wrong around the folder is found: listeners, the network, another server."""
import datetime
import json
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509

from harness.environment import environment, executable
from harness.load import enroll
from harness.server import ANY_PORTS, Postern
from patient import LISTENERS, Patient, certificate_files, configuration, failed, healthy, old_crl, patient, resolver  # noqa: F401  (fixtures)

DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory, configuration):
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), "integration.test", options=("--config", configuration))
    postern.listeners = dict(ANY_PORTS)
    try:
        postern.start()
        enroll(postern, tmp_path_factory.mktemp("load"))
        yield postern
    finally:
        postern.stop()


def test_a_running_server_is_well(server, configuration):
    findings = Patient(server.data, configuration).examine()
    assert failed(findings) == {}
    good = {f["check"] for f in findings if f["verdict"] == "good"}
    assert good >= {"configuration.file", "configuration.permissions", "configuration.public_https", "folder.lock", "folder.modes",
                    "folder.space", "store.integrity", "store.intents", "store.open_endpoints", "store.journal", "clock.store", "clock.steps", "keys.master",
                    "keys.root_key", "keys.issuing_key", "keys.issuing_life", "keys.tls", "crl.age", "crl.served", "dns.resolver",
                    "listener.control", "listener.https", "listener.est", "listener.http", "listener.management"}
    assert f"held by process {server.pid}" in [f["what"] for f in findings if f["check"] == "folder.lock"]


def test_a_stopped_one_is_well_and_stays_as_it_is(patient):
    before = {path: path.read_bytes() for path in patient.data.rglob("*") if path.is_file()}
    assert failed(patient.examine()) == {}
    assert {path: path.read_bytes() for path in patient.data.rglob("*") if path.is_file()} == before


def test_people_read_what_to_do(patient):
    (patient.data / "keys/master").chmod(0o644)
    done = subprocess.run([executable(), "doctor", "--data", patient.data, "--config", patient.configuration, "--lab", *LISTENERS],
                          text=True, capture_output=True, check=False, env=environment())
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("[failed] folder.modes: "))
    assert lines[at] == f"[failed] folder.modes: {patient.data}/keys/master is open to others"
    assert lines[at + 1].startswith(f"    do: chmod go-rwx {patient.data}/keys/master")
    assert lines[-1].endswith("checks failed.")


def test_what_is_only_worth_knowing_does_not_fail(patient):
    (patient.data / "tls/server.key.new").touch(0o600)
    (patient.data / "control.sock").touch(0o600)
    findings = patient.examine()
    assert failed(findings) == {}
    notices = {f["check"]: f["what"] for f in findings if f["verdict"] == "notice"}
    assert "server.key.new: of a write that was interrupted" in notices["folder.leftovers"]
    assert notices["folder.stopped"] == "the last server ended without being stopped"
    assert notices["dns.dnssec"] == "answers are not validated"


def test_a_folder_where_nothing_ever_ran(patient):
    (patient.data / "lock").unlink()
    patient.sql("DELETE FROM setting")
    notices = {f["check"]: f["what"] for f in patient.examine() if f["verdict"] == "notice"}
    assert notices["folder.lock"] == "there is no lock file: no server ever ran here"
    assert notices["configuration.public_http"] == "no URL is fixed yet"


def test_another_crl_is_served_than_the_newest(new_server, configuration):
    server = new_server()
    server.options = ("--config", configuration)
    server.start()
    patient = Patient(server.data, configuration)
    assert "crl.served" not in failed(patient.examine())
    patient.sql("UPDATE crl SET der = x'3000'")
    assert "gives another CRL than the newest" in failed(patient.examine())["crl.served"]


def test_too_little_space(patient):
    assert "are free, fewer than" in failed(patient.examine("--least-free", "4000000GiB"))["folder.space"]


def test_a_listener_that_is_elsewhere_now(patient):
    found = failed(patient.examine(listeners=["--https", "127.0.0.1:1", *LISTENERS[2:]]))
    assert f"the listener is at https://127.0.0.1:1, but accounts and certificates say https://127.0.0.1:{patient.port('https')}" in found["configuration.public_https"]


@pytest.mark.parametrize("name", ["https", "est", "http", "management"])
def test_a_port_that_somebody_else_has(patient, name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", patient.port(name)))
        taken.listen()
        assert f"a server could not listen on 127.0.0.1:{patient.port(name)}" in failed(patient.examine())["listener." + name]


def test_a_server_that_answers_nobody(patient):
    with patient.held():
        found = failed(patient.examine())
    assert {"listener.control", "listener.https", "listener.est", "listener.http", "listener.management", "crl.served"} <= set(found)
    assert f"/crl/{patient.key_id('issuing')}/0.crl" in found["crl.served"] or f"/crl/{patient.key_id('root')}/0.crl" in found["crl.served"]


def test_what_a_running_server_should_have_renewed(patient):
    certificate_files(patient.data / "tls", -90 * DAY, 5 * DAY)
    now = int(time.time() * 1000)
    patient.sql(f"UPDATE crl SET this_update_ms = {now - 80_000_000}, next_update_ms = {now + 20_000_000}")
    assert {"crl.age"} & set(failed(patient.examine())) == set()  # nobody was there to sign
    with patient.held():
        found = failed(patient.examine())
    assert "80 % of its time used; it should have been replaced" in found["crl.age"]
    assert "and was not renewed" in found["keys.tls"]


def test_a_running_server_says_how_it_was_started(server):
    done = subprocess.run([executable(), "doctor", "--data", server.data, "--json"], text=True, capture_output=True, check=False,
                          env=environment())
    findings = json.loads(done.stdout)["findings"]
    assert failed(findings) == {}
    good = {f["check"] for f in findings if f["verdict"] == "good"}
    assert good >= {"configuration.public_https", "listener.https", "listener.est", "listener.http", "listener.management", "dns.resolver"}


def test_a_store_that_was_named_at_the_start_is_examined(new_server, tmp_path):
    server = new_server(options=("--store", f"sqlite:{tmp_path}/elsewhere.db"))
    server.start()
    done = subprocess.run([executable(), "doctor", "--data", server.data, "--json"], text=True, capture_output=True, check=False, env=environment())
    findings = json.loads(done.stdout)["findings"]
    assert failed(findings) == {}
    assert "keys.root_key" in {f["check"] for f in findings}


class Older(socketserver.StreamRequestHandler):
    """The control socket of a version that does not say how it was started."""

    def handle(self):
        path = self.rfile.readline().split()[1]
        while self.rfile.readline().strip():
            pass
        status = b"400 Bad Request" if path.endswith(b"/explain") else b"404 Not Found"
        self.wfile.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")


def test_a_server_of_another_version_is_not_guessed_at(patient):
    with patient.held(), socketserver.ThreadingUnixStreamServer(str(patient.data / "control.sock"), Older) as older:
        (patient.data / "control.sock").chmod(0o600)
        threading.Thread(target=older.serve_forever, daemon=True).start()
        findings = patient.examine()
        older.shutdown()
    listeners = {f["check"]: (f["verdict"], f["what"]) for f in findings if f["check"].startswith("listener.")}
    assert listeners.pop("listener.control")[0] == "good"
    assert set(listeners.values()) == {("notice", "the server, of another version, does not say where it listens")}
    assert len(listeners) == 4


def serial_shown(server):
    pem = ssl.get_server_certificate(("127.0.0.1", int(server.directory().split(":")[2].split("/")[0])))
    return f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:032x}"


def test_a_revoked_certificate_of_the_server_itself_is_replaced(new_server, configuration):
    server = new_server()
    server.options = ("--config", configuration)
    server.start()
    serial = serial_shown(server)
    server.cli("cert", "revoke", serial)
    [finding] = [f for f in Patient(server.data, configuration).examine() if f["check"] == "keys.tls"]
    assert "the server's own certificate was revoked at" in finding["what"]
    assert finding["advice"].startswith("the server replaces it within a minute")
    server.stop()
    server.start()
    assert serial_shown(server) != serial
    assert failed(Patient(server.data, configuration).examine()) == {}


def test_a_restored_and_closed_one_is_told_to_be_opened(new_server, configuration, tmp_path):
    server = new_server()
    server.listeners = dict(ANY_PORTS)
    server.options = ("--config", configuration)
    server.start()
    server.cli("backup", tmp_path / "backup")
    server.stop()
    server.data.rename(tmp_path / "lost")
    server.cli("restore", tmp_path / "backup")
    patient = Patient(server.data, configuration)
    [finding] = [f for f in patient.examine() if f["verdict"] == "failed"]
    assert finding["check"] == "store.restored"
    assert finding["advice"].startswith("start the server, then postern restore open")
    server.start()
    findings = patient.examine()
    assert set(failed(findings)) == {"store.restored"}
    [served] = {(f["verdict"], f["advice"]) for f in findings if f["check"] == "crl.served"}
    assert served == ("notice", "open the restored installation; with that, CRLs are signed and served again")
    # What else is wrong is not mended by a start either.
    server.stop()
    old_crl(patient)
    [advice] = {f["advice"] for f in patient.examine() if f["check"] == "crl.age"}
    assert advice.startswith("open the restored installation")


def test_a_certificate_of_the_operators_is_looked_at_instead(patient):
    folder = patient.data.parent
    certificate_files(folder, -DAY, DAY)
    (folder / "server.key").chmod(0o600)
    patient.configuration.write_text(patient.configuration.read_text() + f'[tls]\ncertificate = "{folder}/server.pem"\nkey = "{folder}/server.key"\n')
    shutil.rmtree(patient.data / "tls")
    assert failed(patient.examine()) == {}
    certificate_files(folder, -DAY, -DAY / 2)
    assert f"{folder}/server.pem ends at" in failed(patient.examine())["keys.tls"]
    (folder / "server.key").chmod(0o644)
    assert "can be read by others" in failed(patient.examine())["keys.tls"]


def test_a_clock_that_was_set(server, configuration):
    lock = server.data / "lock"
    kept = lock.stat()
    try:
        os.utime(lock, (kept.st_mtime - 3600, kept.st_mtime - 3600))
        found = failed(Patient(server.data, configuration).examine())
        assert "the wall clock was set by 36" in found["clock.steps"]
    finally:
        os.utime(lock, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def test_an_issuing_ca_that_ends_before_its_certificates(new_server, tmp_path, configuration):
    server = new_server()
    file = tmp_path / "postern.toml"
    file.write_text(configuration.read_text() + '[ca]\nissuing_lifetime = "100d"\n')
    file.chmod(0o600)
    server.options = ("--config", file)
    server.start()
    document = tmp_path / "long.toml"
    document.write_text('[[profile]]\nname = "long"\nlifetime = "400d"\n')
    server.apply(document)
    assert "before a certificate of the longest profile (400 days) would" in failed(Patient(server.data, file).examine())["keys.issuing_life"]


def test_no_way_out(patient):
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        alone = ["unshare", "--net"]
        if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
            pytest.skip("this machine permits no network namespace")
    assert failed(patient.examine(lab=False, before=alone))["outbound.route"] == "there is no way to public addresses"
    kind = {f["check"]: f["verdict"] for f in patient.examine(before=alone)}
    assert kind["outbound.route"] == "notice"


def test_the_proxy_of_calls_outwards(patient):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        port = proxy.getsockname()[1]
        password = patient.configuration.with_name("proxy-password")
        with patient.configuration.open("a") as file:
            file.write(f'[outbound]\nproxy = "http://127.0.0.1:{port}"\nno_proxy = ["corp.example", "192.0.2.1"]\n'
                       f'proxy_user = "postern"\nproxy_password_file = "{password}"\n')
        password.touch(0o600)
        found = {f["check"]: f for f in patient.examine()}
        assert found["outbound.proxy"]["verdict"] == "good" and found["outbound.proxy_password_file"]["verdict"] == "good"
        assert found["outbound.proxy"]["what"] == f"http://127.0.0.1:{port} takes connections, but not for corp.example, 192.0.2.1"
        password.unlink()
    found = failed(patient.examine())
    assert found["outbound.proxy"] == f"http://127.0.0.1:{port}: Connection refused"
    assert found["outbound.proxy_password_file"] == f"{password}: No such file or directory"


@pytest.mark.parametrize("options, says", [
    (("--https", "8443"), '--https: "8443" is no address'),
    (("--least-free", "much"), "--least-free: expected a size such as"),
    (("--store", "foo"), 'store url "foo…": expected sqlite:PATH or postgres://USER@HOST/DATABASE'),
    (("--data", "nowhere"), "nowhere is no data folder"),
])
def test_a_command_line_that_cannot_be_used(patient, options, says):
    done = subprocess.run([executable(), "doctor", *(() if "--data" in options else ("--data", patient.data)), *options],
                          text=True, capture_output=True, check=False, env=environment())
    assert done.returncode == 2
    assert done.stdout == "" and says in done.stderr
    assert not Path("nowhere").exists()
