"""A server as it comes, not a laboratory: nobody enrolls without the account that the first start made."""
import re

import pytest

from harness.clients import KINDS, Eab
from harness.environment import executable
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


def printed(server):
    """The credentials in the certbot line of the greeting."""
    found = re.findall(r"--eab-kid=(\S+) --eab-hmac-key=(\S+)", server.log.read_text())
    return [Eab(*pair) for pair in found]


@pytest.fixture(params=sorted(KINDS))
def new_client(request, keyed, tmp_path):
    return lambda **options: KINDS[request.param](keyed, tmp_path, **options)


def test_without_the_account_nobody_comes_in(keyed, new_client):
    run = new_client().issue(NAME)
    assert run.status != 0
    assert "external account" in run.words.lower()
    assert keyed.certificates(NAME) == []


def test_with_the_account_a_private_address_still_proves_nothing(keyed, new_client):
    run = new_client(eab=printed(keyed)[0]).issue(NAME)
    assert run.status != 0
    assert "127.0.0.1 is loopback; only public addresses are contacted" in run.words
    assert keyed.certificates(NAME) == []


def test_certbot_registers_with_the_account(keyed, tmp_path):
    run = KINDS["certbot"](keyed, tmp_path, eab=printed(keyed)[0]).register()
    assert run.status == 0, run.output


def test_the_lego_line_has_the_same_account(keyed):
    account = printed(keyed)[0]
    assert f"--eab --kid={account.key_id} --hmac={account.mac_key} " in keyed.log.read_text()


def test_certbot_does_not_register_without(keyed, tmp_path):
    run = KINDS["certbot"](keyed, tmp_path).register()
    assert run.status != 0
    assert "external account" in run.words.lower()


def test_the_account_is_printed_once_and_kept_sealed(new_server):
    server = new_server(lab=False)
    server.start()
    first = printed(server)
    assert len(first) == 1
    server.stop()
    server.start()
    assert printed(server) == first
    assert first[0].mac_key.encode() not in (server.data / "postern.db").read_bytes()
    assert first[0].mac_key not in server.cli("export")
    server.stop()
    assert first[0].mac_key.encode() not in (server.data / "postern.db").read_bytes()
