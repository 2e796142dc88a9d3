"""One implementation, three doors: control socket, in process, network with a token."""
import json

import pytest

from harness.environment import executable
from harness.load import enroll
from harness.server import Postern
from harness.wire import ask


@pytest.fixture(scope="module")
def base(server):
    return server.directory().removesuffix("/acme/default/directory")


@pytest.fixture(scope="module")
def serial(server, tmp_path_factory):
    """Of a certificate that an ACME client obtained."""
    return enroll(server, tmp_path_factory.mktemp("load"))[0][1]


@pytest.fixture(scope="module")
def token_file(server, tmp_path_factory):
    """Token files by role, made when first asked for."""
    folder = tmp_path_factory.mktemp("tokens")

    def make(role):
        file = folder / role
        if not file.exists():
            made = json.loads(server.cli("principal", "create", role + "-1", "--role", role, "--json"))
            assert (made["name"], made["role"]) == (role + "-1", role)
            file.touch(0o600)
            file.write_text(made["token"] + "\n")
        return file

    return make


@pytest.fixture
def remote(server, base, token_file):
    """Runs a verb over the network as a role."""
    return lambda role, *words: server.verb(*words, "--server", base, "--token-file", token_file(role),
                                            "--ca-file", server.root)


def status_of(server, serial):
    return {row["serial"]: row["status"] for row in server.all_certificates()}[serial]


READERS = (("cert", "list"), ("cert", "list", "--json"), ("export",))


def test_control_socket_and_in_process_answer_alike(new_server, tmp_path):
    server = new_server()
    server.start()
    serials = [entry[1] for entry in enroll(server, tmp_path, 3)]
    over_socket = [server.cli(*words) for words in READERS]
    explained = server.explain(serials[0])
    server.stop()
    assert [server.cli(*words) for words in READERS] == over_socket
    assert server.explain(serials[0]) == explained
    listed = [row["serial"] for row in server.all_certificates()]
    assert len(listed) == 4 and listed[1:] == serials
    assert {"names", "status"} <= set(server.all_certificates()[0])


def test_a_verb_in_process_can_change_and_the_server_sees_it(new_server, tmp_path):
    server = new_server()
    server.start()
    serial = enroll(server, tmp_path)[0][1]
    server.stop()
    assert server.cli("cert", "revoke", serial, "--reason", "4") == f"Revoked {serial}.\n"
    server.start()
    assert status_of(server, serial) == "revoked"


def test_the_network_door_shows_the_same_list(server, serial, remote):
    done = remote("auditor", "cert", "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == server.cli("cert", "list", "--json")
    assert serial in done.stdout


def test_an_auditor_may_not_revoke(server, serial, remote, base, token_file):
    done = remote("auditor", "cert", "revoke", serial)
    assert done.returncode == 1
    assert (done.stdout, done.stderr) == ("", "postern: auditor-1 is auditor; this needs officer\n")
    answer = ask(f"{base}/api/postern/v1/certificates/{serial}/revoke", body=b"{}", root=server.root,
                 Content_Type="application/json", Authorization="Bearer " + token_file("auditor").read_text().strip())
    assert answer.status == 403
    assert json.loads(answer.body)["description"] == "auditor-1 is auditor; this needs officer"
    assert status_of(server, serial) == "issued"


@pytest.mark.parametrize("role", ["auditor", "officer"])
def test_only_an_administrator_makes_principals(remote, role):
    done = remote(role, "principal", "create", "sneaky", "--role", "administrator")
    assert done.returncode == 1
    assert done.stderr == f"postern: {role}-1 is {role}; this needs administrator\n"


def test_an_officer_may_revoke_and_is_on_record(server, remote, tmp_path):
    serial = enroll(server, tmp_path)[0][1]
    done = remote("officer", "cert", "revoke", serial, "--reason", "1")
    assert (done.returncode, done.stdout) == (0, f"Revoked {serial}.\n")
    assert status_of(server, serial) == "revoked"
    record = [r for r in server.explain(serial) if r["action"] == "certificate.revoked"]
    assert len(record) == 1 and "officer-1" in record[0]["actor"]
    again = remote("officer", "cert", "revoke", serial)
    assert again.returncode == 1 and "is revoked already" in again.stderr


def test_a_token_that_nobody_minted(server, base, tmp_path):
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text("postern_" + "A" * 43)
    done = server.verb("cert", "list", "--server", base, "--token-file", file, "--ca-file", server.root)
    assert done.returncode == 1
    assert done.stderr == ("postern: authenticate with a token of `postern principal create` as Authorization: Bearer\n")
    assert ask(base + "/api/postern/v1/certificates", root=server.root).status == 401


def test_a_server_whose_ca_is_not_named_is_not_spoken_to(server, base, token_file):
    done = server.verb("cert", "list", "--server", base, "--token-file", token_file("auditor"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("postern: cannot reach the server at 127.0.0.1: ")
    assert "certificate" in done.stderr


def test_a_token_that_others_can_read_is_not_sent(server, base, token_file, tmp_path):
    file = tmp_path / "token"
    file.write_text(token_file("auditor").read_text())
    file.chmod(0o644)
    done = server.verb("cert", "list", "--server", base, "--token-file", file, "--ca-file", server.root)
    assert (done.returncode, done.stderr) == (1, f"postern: {file} can be read by others; run: chmod 600 {file}\n")


def test_the_network_door_needs_a_token_and_tls(server, base):
    bare = server.verb("cert", "list", "--server", base)
    assert (bare.returncode, bare.stderr) == (
        1, "postern: --server needs --token-file with a token of `postern principal create`\n")
    plain = server.verb("cert", "list", "--server", "http://127.0.0.1:1")
    assert (plain.returncode, plain.stderr) == (
        1, "postern: --server: expected https://HOST[:PORT], got http://127.0.0.1:1\n")


def test_an_unknown_role_is_refused(server):
    done = server.verb("principal", "create", "x", "--role", "king", "--data", server.data)
    assert done.returncode == 1
    assert "known here: administrator, officer, auditor" in done.stderr


def test_an_unknown_serial_is_refused(server):
    done = server.verb("cert", "show", "0123456789abcdef", "--data", server.data)
    assert done.returncode == 1 and done.stderr.startswith("postern: ")


@pytest.mark.parametrize("verb", ["show", "revoke"])
@pytest.mark.parametrize("text", ["zz", "a", "0" * 41, "01/../01", "01?x", ""])
def test_what_is_no_serial_is_told_what_is(server, verb, text):
    done = server.verb("cert", verb, text, "--data", server.data)
    assert done.returncode != 0 and done.stdout == ""
    assert "a serial is 2 to 40 hexadecimal digits" in done.stderr


def test_a_serial_in_capitals_is_found(server, serial):
    shown = [server.cli("cert", "show", text) for text in (serial, serial.upper())]
    assert shown[0] == shown[1] and serial in shown[0]


def test_no_verb_makes_a_data_folder(tmp_path):
    server = Postern(executable(), tmp_path, "integration.test")
    done = server.verb("cert", "list", "--data", server.data)
    assert done.returncode == 1
    assert done.stderr == (f"postern: {server.data} holds no Postern data; start `postern serve --data {server.data}` "
                           "first, or name its folder with --data\n")
    assert list(tmp_path.iterdir()) == []
