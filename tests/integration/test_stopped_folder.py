"""Verbs on a folder where no server runs: configured as the server is, and as the folder's owner."""
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.environment import environment, executable
from harness.server import ANY_PORTS, Postern

NOBODY = 65534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can work as another user")


def run(*words, **options):
    return subprocess.run([str(word) for word in words], text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
                          env=environment(), **options)


def test_store_and_master_key_are_found_as_by_the_server(new_server, tmp_path):
    """Both outside the data folder, as postern.toml says."""
    key = tmp_path / "master"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    file = tmp_path / "postern.toml"
    file.write_text(f'[secrets]\nmaster_key_file = "{key}"\n[store]\nurl = "sqlite:{tmp_path}/elsewhere.db"\n')
    server = new_server(options=("--config", file))
    server.start()
    before = server.cli("export")
    server.stop()
    assert server.cli("export", "--config", file) == before
    assert "one" in server.cli("principal", "create", "one", "--role", "auditor", "--config", file)
    assert json.loads(server.cli("principal", "list", "--json", "--config", file))["principals"][0]["name"] == "one"

    # Without the file the store is not where it should be, and none is made.
    refused = server.verb("export", "--data", server.data)
    assert refused.returncode == 1 and f"{server.data} holds no Postern data" in refused.stderr
    assert not (server.data / "postern.db").exists()
    refused = server.verb("export", "--data", server.data, "--store", f"sqlite:{tmp_path}/elsewhere.db")
    assert refused.returncode == 1 and "master" in refused.stderr
    gone = tmp_path / "gone.toml"
    gone.write_text(file.read_text().replace("elsewhere.db", "gone.db"))
    refused = server.verb("export", "--data", server.data, "--config", gone)
    assert refused.returncode == 1 and "gone.db is missing" in refused.stderr
    file.write_text("[store]\nurll = 1\n")
    refused = server.verb("export", "--data", server.data, "--config", file)
    assert refused.returncode == 1 and "store.urll: unknown key" in refused.stderr


def test_a_restore_takes_neither(new_server, tmp_path):
    file = tmp_path / "postern.toml"
    file.touch()
    refused = new_server().verb("restore", tmp_path, "--data", tmp_path / "new", "--config", file)
    assert refused.returncode == 1 and "a restore makes a folder with its store inside" in refused.stderr


@pytest.fixture
def service(tmp_path):
    """A stopped installation of another user's, in a folder that the user may reach."""
    folder = Path(tempfile.mkdtemp(prefix="postern-"))
    folder.chmod(0o755)
    server = Postern(executable(), folder, "integration.test")
    server.listeners = dict(ANY_PORTS)
    try:
        server.start()
        server.stop()
        for path in (server.data, *server.data.rglob("*")):
            os.lchown(path, NOBODY, NOBODY)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def owners(server):
    return {path.lstat().st_uid for path in (server.data, *server.data.rglob("*"))}


@root_only
def test_root_works_on_a_services_folder_as_the_service(service, tmp_path):
    document = tmp_path / "only-root-reads-it.toml"
    document.write_text('[[organization]]\nname = "corp"\n')
    document.chmod(0o600)
    service.apply(document)
    assert owners(service) == {NOBODY}
    keys = tmp_path / "keys"
    keys.write_text("ab" * 32 + "\n")
    keys.chmod(0o600)
    assert "Blocked 1 key" in service.cli("key", "block", "--file", keys, "--reason", "test")
    assert "ab" * 32 in service.cli("key", "list")
    # The audit names who asked, not whose folder it is.
    assert 'name = "corp"' in service.cli("export")
    assert owners(service) == {NOBODY}


@root_only
def test_the_audit_names_root(service):
    service.cli("principal", "create", "watch", "--role", "auditor")
    assert json.loads(service.cli("principal", "list", "--json"))["principals"][0]["createdBy"] == "uid 0"


@root_only
def test_roots_doctor_sees_what_the_service_sees(service):
    before = {path: path.read_bytes() for path in service.data.rglob("*") if path.is_file()}
    done = run(executable(), "doctor", "--data", service.data, "--lab", "--json",
               *(word for name, address in ANY_PORTS.items() for word in (f"--{name}", address)))
    findings = json.loads(done.stdout)["findings"]
    assert [f for f in findings if f["verdict"] == "failed" and not f["check"].startswith(("dns.", "outbound."))] == []
    assert {"folder.modes", "keys.master", "keys.issuing_key"} <= {f["check"] for f in findings if f["verdict"] == "good"}
    assert {path: path.read_bytes() for path in service.data.rglob("*") if path.is_file()} == before
    assert owners(service) == {NOBODY}


@root_only
@pytest.mark.parametrize("verb, status", [(("cert", "list"), 1), (("doctor",), 2)])
def test_others_are_told_whose_it_is(service, verb, status):
    # A copy, for the tree may lie where only root looks.
    program = service.data.parent / "postern"
    shutil.copy(executable(), program)
    program.chmod(0o755)
    done = run("setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", program, *verb, "--data", service.data, cwd="/")
    assert done.returncode == status
    assert done.stderr == f"postern: {service.data} belongs to nobody: run this with sudo, or as nobody\n"
