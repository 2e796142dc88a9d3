"""Issuing by dns-01 and tls-alpn-01 with those clients that can, for names, wildcards and addresses."""
import contextlib
import ssl
from types import SimpleNamespace

import pytest

from harness import pki
from harness.clients import KINDS, own_folder, unprivileged_folder
from harness.ports import free_port
from harness.report import cannot
from harness.suite import serving
from strict.world import TlsWeb
from zone import Zone

BELOW = "zone.test"
DOCUMENT = """
[[profile]]
name = "addresses"
ip_names = true

[[endpoint]]
name = "addresses"
protocol = "acme"
profiles = ["addresses"]
external_account_required = false

[[account]]
name = "addresses"
endpoint = "addresses"
method = "open"
names = ["127.0.0.0/8"]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory, database):
    """A server that asks the name server for everything; its default endpoint certifies wildcards, the endpoint `addresses` addresses of this machine."""
    with contextlib.ExitStack() as stack:
        records = own_folder(stack.enter_context(unprivileged_folder()) / "zone")
        zone = Zone("127.0.0.1", free_port(), records)
        stack.callback(zone.close)
        folder = tmp_path_factory.mktemp("challenges")
        asks = f'[dns]\nservers = ["127.0.0.1@{zone.port}"]\nallow_loopback_servers = true\ndnssec = false\n'
        server = stack.enter_context(serving(folder, database.cluster.database() if database else None, asks))
        document = folder / "addresses.toml"
        document.write_text(DOCUMENT)
        server.apply(document)
        yield SimpleNamespace(server=server, zone=zone, records=records)


@pytest.fixture
def client(house, client_kind, scratch):
    """Makes the client with a challenge, or ends the case where it has none."""

    def make(challenge, **options):
        if challenge not in KINDS[client_kind].challenges:
            cannot(f"{client_kind} does not answer {challenge}, or is not set up to")
        return KINDS[client_kind](house.server, own_folder(scratch / "client"), challenge=challenge, zone=house.records, **options)

    return make


def below(client_kind, what):
    return f"{what}-{client_kind.replace('_', '-')}.{BELOW}"


def assert_issued(house, run, names, folder):
    assert run.status == 0, run.output
    holds, said = pki.verify(run.certificate, run.chain, house.server.root, folder)
    assert holds, said
    assert pki.names(run.certificate) == sorted(names)


def test_by_dns(house, client, client_kind, tmp_path):
    name = below(client_kind, "dns")
    made = client("dns-01")
    assert_issued(house, made.issue(name), [name], tmp_path)
    assert f"_acme-challenge.{name}" in {asked for asked, _ in house.zone.asked}


def test_wildcard(house, client, client_kind, tmp_path):
    """With the name itself: two records at one owner."""
    name = below(client_kind, "wild")
    made = client("dns-01")
    assert_issued(house, made.issue(f"*.{name}", name), [name, f"*.{name}"], tmp_path)


def test_wrong_record(house, client, client_kind):
    name = below(client_kind, "wrong")
    made = client("dns-01")
    made.zone = own_folder(made.folder / "elsewhere")
    run = made.issue(name)
    assert run.status != 0 and "no TXT record" in run.words and f"_acme-challenge.{name}" in run.words, run.output
    assert house.server.certificates(name) == []


@contextlib.contextmanager
def tls_server_of(made):
    """For a client that makes the certificate and leaves the serving to others."""
    if not hasattr(made, "alpn_folder"):
        yield
        return

    def behave(connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["acme-tls/1"])

        def named(socket, name, _):
            chosen = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            chosen.set_alpn_protocols(["acme-tls/1"])
            chosen.load_cert_chain(made.alpn_folder / f"{name}.crt.pem", made.alpn_folder / f"{name}.key.pem")
            socket.context = chosen
        context.sni_callback = named
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(1)
    with contextlib.closing(TlsWeb("127.0.0.1", made.server.tls_alpn01_port)) as web:
        web.behaviour = behave
        yield


def test_by_tls_alpn(house, client, client_kind, tmp_path):
    name = below(client_kind, "alpn")
    made = client("tls-alpn-01")
    with tls_server_of(made):
        assert_issued(house, made.issue(name), [name], tmp_path)


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_address(house, client, client_kind, challenge, tmp_path):
    if not KINDS[client_kind].addresses:
        cannot(f"{client_kind} orders no addresses")
    run = client(challenge, endpoint="addresses").issue("127.0.0.1")
    assert run.status == 0, run.output
    holds, said = pki.verify(run.certificate, run.chain, house.server.root, tmp_path)
    assert holds, said
    assert pki.addresses(run.certificate) == ["127.0.0.1"] and pki.names(run.certificate) == []
