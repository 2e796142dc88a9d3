"""From the command to the ready file, and every start that is refused."""
import json
import socket
import sqlite3
import stat
from pathlib import Path

import pytest

from harness.ports import free_port
from harness.server import ANY_PORTS
from harness.wire import ask


def ports(server):
    """What was chosen for port 0, by listener."""
    with sqlite3.connect(f"file:{server.data}/postern.db?mode=ro", uri=True) as database:
        return {name.removeprefix("port."): int(value) for name, value in database.execute(
            "SELECT name, value FROM setting WHERE name LIKE 'port.%'")}


def test_the_ready_file_says_where_everything_is(server):
    ready = server.ready
    assert set(ready) == {"acme", "scep", "est", "management", "root", "pid"}
    assert list(ready["acme"]) == ["default"]
    assert ready["scep"].keys() == {"devices"} and ready["scep"]["devices"].endswith("/scep/devices")
    assert ready["est"].keys() == {"equipment"} and ready["est"]["equipment"].endswith("/.well-known/est/equipment")
    assert ready["pid"] == server.pid
    assert Path(ready["root"]).is_absolute()
    assert Path(ready["root"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    directory = json.loads(ask(ready["acme"]["default"], root=ready["root"]).body)
    assert directory["newOrder"].startswith(ready["acme"]["default"].removesuffix("directory"))


def test_the_ready_file_comes_whole_and_when_all_listeners_accept(new_server):
    server = new_server()
    server.listeners = dict(ANY_PORTS)
    server.start()  # reads the file in the moment it sees it
    assert json.loads(server.ready_file.read_text()) == server.ready
    assert list(server.ready_file.parent.glob("ready.json?*")) == []
    for port in ports(server).values():
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(server.data / "control.sock"))
    assert ask(server.ready["management"] + "/readyz").status == 200


def test_free_ports_are_kept(new_server):
    server = new_server()
    server.listeners = dict(ANY_PORTS)
    server.start()
    before, chosen = dict(server.ready), ports(server)
    server.stop()
    server.start()
    assert ports(server) == chosen
    assert sorted(chosen) == ["est", "http", "https", "management"] and len(set(chosen.values())) == 4
    assert {**before, "pid": server.pid} == server.ready


def test_a_restart_keeps_the_ca(new_server):
    server = new_server()
    server.start()
    root = Path(server.root).read_bytes()
    server.stop()
    server.start()
    assert Path(server.root).read_bytes() == root


def test_a_second_server_is_refused_and_names_the_first(server):
    before = server.ready_file.read_text()
    status, said = server.start_refused()
    assert status == 1
    assert said == f"postern: {server.data} is in use by process {server.pid}; stop it or choose another --data\n"
    assert server.ready_file.read_text() == before
    assert ask(server.ready["management"] + "/readyz").status == 200


def test_a_port_in_use_is_named_and_the_next_start_works(new_server):
    server = new_server()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for _ in range(5):
            server.ready_file.write_text("an earlier run's")
            server.listeners["https"] = f"127.0.0.1:{port}"
            status, said = server.start_refused()
            assert said.splitlines()[-1] == f"postern: https: cannot listen on 127.0.0.1:{port}: address in use"
            assert status == 1
            assert not server.ready_file.exists()
            left = {path.name for path in server.data.iterdir()}
            assert left == {"first-account", "keys", "tls", "lock", "postern.db", "root.pem"}
    server.start()
    assert server.directory().startswith(f"https://127.0.0.1:{port}/")


REFUSED_OPTIONS = {
    "--http01-port 5002": "--http01-port is for laboratories; add --lab",
    "--tls-alpn01-port 5003": "--tls-alpn01-port is for laboratories; add --lab",
    "--lab --tls-alpn01-port 0": "--tls-alpn01-port: expected 1 to 65535",
    "--resolve a.test=127.0.0.1": "--resolve is for laboratories; add --lab",
    "--lab --resolve a.test": "--resolve a.test: expected NAME=ADDRESS or *.SUFFIX=ADDRESS",
    "--lab --resolve a.test=b.test": "--resolve a.test=b.test: expected NAME=ADDRESS or *.SUFFIX=ADDRESS",
    "--lab --http01-port 0": "--http01-port: expected 1 to 65535",
    "--store foo": 'store url "foo…": expected sqlite:PATH or postgres://USER@HOST/DATABASE',
    "--store postgres://": 'store url "postgres://": name a host or a database',
    "--store postgres://u@h/%zz": "store url: a % in it must begin %XX with two hexadecimal digits",
    "--store postgres://u@h/d?nothing=1": "the store's URL is not postgresql://user@host/database?option=value as libpq reads it",
    "--store postgres://u:p@h/d": "--store: everybody on this machine can read a command line; take the password out of it",
    "--store sqlite:": 'store url "sqlite…": expected sqlite:PATH or postgres://USER@HOST/DATABASE',
    "--config none.toml": "cannot read none.toml: No such file or directory",
}


@pytest.mark.parametrize("options", REFUSED_OPTIONS)
def test_wrong_options_are_explained_and_leave_nothing(new_server, options):
    server = new_server(lab=False)
    status, said = server.start_refused(*options.split())
    assert said.startswith("postern: " + REFUSED_OPTIONS[options])
    assert status == 2
    assert list(server.data.parent.iterdir()) == []


@pytest.mark.parametrize("listener, address", [("https", "8443"), ("est", "host.test:1"), ("http", "127.0.0.1:65536"),
                                               ("management", "127.0.0.1:")])
def test_a_wrong_address_is_explained(new_server, listener, address):
    server = new_server()
    server.listeners[listener] = address
    status, said = server.start_refused()
    assert said.startswith(f'postern: --{listener}: "{address}" is no address; expected HOST:PORT with an IP address '
                           "or localhost, such as 127.0.0.1:8443")
    assert status == 2
    assert list(server.data.parent.iterdir()) == []


REFUSED_CONFIGURATIONS = {
    "unknown key": ('[listen]\nhttps = "127.0.0.1:0"\nhtps = "x"\n',
                    ":3: listen.htps: unknown key; known here: https, est, http, management"),
    "unknown table": ("\n[lissen]\n", ":2: lissen: unknown"),
    "wrong type": ("[limits]\nconnections = \"many\"\n", ":2: limits.connections: \"many\" is not a size in bytes such as 512"),
    "another store": ('[store]\nurl = "mysql:x"\n', ":2: store.url: expected sqlite:PATH"),
    "weak key": ('[ca]\n\nroot_key = "rsa-1024"\n',
                 ":3: ca.root_key: expected ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096"),
    "path in a URL": ('[public]\nhttps = "https://ca.test/acme"\n', ":2: public.https: expected a base URL"),
    "no TOML": ("[log]\nlevel =\n", ":2: not TOML"),
}


@pytest.mark.parametrize("case", REFUSED_CONFIGURATIONS)
def test_a_wrong_configuration_is_refused_by_file_and_line(new_server, case):
    text, expected = REFUSED_CONFIGURATIONS[case]
    server = new_server()
    file = server.data.parent / "postern.toml"
    file.write_text(text)
    status, said = server.start_refused("--config", file)
    assert said.startswith(f"postern: {file}{expected}")
    assert status == 2
    assert list(server.data.parent.iterdir()) == [file]


def test_another_public_url_is_refused_because_certificates_carry_the_first(new_server):
    server = new_server()
    server.start()
    kept = server.directory().removesuffix("/acme/default/directory")
    server.stop()
    file = server.data.parent / "postern.toml"
    file.write_text('[public]\nhttps = "https://ca.integration.test"\n')
    status, said = server.start_refused("--config", file)
    assert said.splitlines()[-1].startswith(
        f'postern: [public] https = "https://ca.integration.test", but this store was set up as "{kept}"')
    assert status == 1


def test_everything_private_is_private(server):
    def mode(path):
        return f"{stat.S_IMODE(path.stat().st_mode):o}"

    data = server.data
    assert {mode(folder) for folder in (data, data / "keys", data / "tls")} == {"700"}
    keys = sorted((data / "keys").iterdir())
    assert len(keys) == 4 and data / "keys/master" in keys
    private = [*keys, data / "tls/server.key", data / "lock", data / "control.sock", *data.glob("postern.db*")]
    assert {path.name: mode(path) for path in private} == {path.name: "600" for path in private}


def test_the_laboratory_says_that_it_is_one(server, new_server):
    assert "LABORATORY" in server.log.read_text()
    assert server.events("laboratory") == 1
    normal = new_server(lab=False)
    normal.start()
    assert "laboratory" not in normal.log.read_text().lower()


def test_the_file_counts_where_the_command_line_is_silent(new_server):
    server = new_server()
    port, unused = free_port(), free_port()
    file = server.data.parent / "postern.toml"
    file.write_text(f'[listen]\nhttps = "127.0.0.1:{port}"\nhttp = "127.0.0.1:{unused}"\n[log]\nformat = "text"\n')
    server.options = ("--config", file)
    server.listeners = dict(ANY_PORTS)
    del server.listeners["https"]
    server.start()
    assert server.directory().startswith(f"https://127.0.0.1:{port}/")
    assert ports(server)["http"] != unused
    assert '"event"' not in server.log.read_text()
