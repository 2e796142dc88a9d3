"""A server as it comes, not a laboratory: nobody enrolls without the account that the first start made."""
import os
import pty
import re
import subprocess

import pytest

from harness.clients import KINDS, Eab
from harness.environment import environment, executable
from harness.server import Postern

NAME = "closed.integration.test"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    config = folder / "postern.toml"
    config.write_text(f'[dns.hosts]\n"{NAME}" = "127.0.0.1"\n')
    server = Postern(executable(), folder, "integration.test", lab=False, options=("--config", config))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def kept(server):
    """The credentials in the file that a start without a terminal leaves."""
    text = (server.data / "first-account").read_text()
    return Eab(*(re.search(rf'^{key} = "(\S+)"$', text, re.MULTILINE).group(1) for key in ("key_id", "mac_key")))


@pytest.fixture(params=["certbot", "lego"])
def new_client(request, keyed, tmp_path):
    return lambda **options: KINDS[request.param](keyed, tmp_path, **options)


def test_without_the_account_nobody_comes_in(keyed, new_client):
    run = new_client().issue(NAME)
    assert run.status != 0
    assert "external account" in run.words.lower()
    assert keyed.certificates(NAME) == []


def test_with_the_account_a_private_address_still_proves_nothing(keyed, new_client):
    run = new_client(eab=kept(keyed)).issue(NAME)
    assert run.status != 0
    assert "127.0.0.1 is loopback; only public addresses are contacted" in run.words
    assert keyed.certificates(NAME) == []


def test_certbot_registers_with_the_account(keyed, tmp_path):
    run = KINDS["certbot"](keyed, tmp_path, eab=kept(keyed)).register()
    assert run.status == 0, run.output


def test_certbot_does_not_register_without(keyed, tmp_path):
    run = KINDS["certbot"](keyed, tmp_path).register()
    assert run.status != 0
    assert "external account" in run.words.lower()


def test_without_a_terminal_the_account_is_in_a_file_of_the_owner(new_server):
    server = new_server(lab=False)
    server.start()
    account = kept(server)
    file = server.data / "first-account"
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"are in {file} (0600)" in server.log.read_text()
    assert "--eab-kid=KEY_ID --eab-hmac-key=MAC_KEY" in server.log.read_text()
    assert account.mac_key not in server.log.read_text() and account.key_id not in server.log.read_text()
    server.stop()
    file.unlink()
    server.start()
    assert not file.exists()
    assert account.mac_key not in server.cli("export")
    server.stop()
    assert account.mac_key.encode() not in (server.data / "postern.db").read_bytes()


def test_the_account_is_printed_once_on_a_terminal_and_kept_sealed(tmp_path_factory):
    # A short name: the control socket's whole path must fit into 107 characters.
    data = tmp_path_factory.mktemp("t") / "data"

    def start():
        """What one start prints on a terminal."""
        ours, theirs = pty.openpty()
        listeners = [word for name in ("https", "est", "http", "management") for word in (f"--{name}", "127.0.0.1:0")]
        process = subprocess.Popen([executable(), "serve", "--data", data, *listeners], stdin=subprocess.DEVNULL, stdout=theirs,
                                   stderr=subprocess.DEVNULL, env=environment())
        os.close(theirs)
        said = b""
        try:
            while b"false; }\r\n" not in said:  # the greeting's last line
                said += os.read(ours, 4096)
        finally:
            process.terminate()
            assert process.wait(60) == 0
            os.close(ours)
        return said.decode()

    said = start()
    [(key_id, mac_key)] = re.findall(r"--eab-kid=(\S+) --eab-hmac-key=(\S+)", said)
    assert f"--eab --kid={key_id} --hmac={mac_key} " in said
    [password] = re.findall(r"user = \"equipment:(\w+)\"", said)
    assert not (data / "first-account").exists()
    again = start()
    assert mac_key not in again and password not in again and 'user = "USER:PASSWORD"' in again
    assert mac_key.encode() not in (data / "postern.db").read_bytes()
