"""Two servers on one database are equal: what one began the other finishes, and what one was told the other keeps to."""
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from client import Client
from harness.wire import ask

NAME = "www.nodes.test"


def until(holds, what, nodes, seconds=60):
    """What `holds()` gives, once it gives something. The bound is for a test that would hang."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"{what}:\n{nodes.log_tail()}"
        time.sleep(0.02)
    return found


def refused(answer, kind):
    return answer.status >= 400 and answer.json["type"].endswith(kind)


def issued(client, one, other, web, name=NAME):
    """A certificate whose every step is asked of the other node than the step before."""
    url, order = client.order(one, name)
    client.prove(other, order, web)
    client.post(one, order["finalize"], client.csr(name))
    return until(lambda: (now := client.post(other, url).json)["status"] == "valid" and now, "no certificate", client.nodes)


def test_what_one_node_begins_the_other_finishes(new_nodes, web):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    files = web(nodes)
    client = Client(nodes).register(one)
    for first, second in ((one, two), (two, one)):
        order = issued(client, first, second, files)
        certificate = client.certificate(first, order)
        assert certificate == client.certificate(second, order)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [NAME]
    assert len({row["serial"] for row in nodes.certificates(NAME)}) == 2
    # Equal also in what they present: a key each, certificates of one CA.
    assert one.ready["root"] != two.ready["root"]
    assert one.data.joinpath("root.pem").read_bytes() == two.data.joinpath("root.pem").read_bytes()
    assert one.data.joinpath("tls/server.key").read_bytes() != two.data.joinpath("tls/server.key").read_bytes()
    # The keys of the CAs are in the database, where doctor finds them from either.
    for node in (one, two):
        assert not list(node.data.joinpath("keys").glob("*.key"))
        found = json.loads(node.verb("doctor", "--data", node.data, "--config", nodes.config, "--json").stdout)["findings"]
        judged = {check["check"]: check["verdict"] for check in found if check["check"].startswith("keys.")}
        assert judged["keys.root_key"] == judged["keys.issuing_key"] == "good", found


def test_a_nonce_of_either_is_good_once_at_either(new_nodes):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    client = Client(nodes).register(one)
    for issuer in (one, two):
        for first, second in ((one, two), (two, one)):
            nonce = client.nonce(issuer)
            assert client.send(first, client.kid, None, nonce).status == 200
            for again in (second, first):
                answer = client.send(again, client.kid, None, nonce)
                assert refused(answer, ":badNonce")
                # What comes with the refusal is good, and at the other node too.
                other = two if again is one else one
                assert client.send(other, client.kid, None, answer.headers["Replay-Nonce"]).status == 200


def test_of_many_at_once_one_redeems_a_nonce(new_nodes):
    nodes = new_nodes()
    nodes.start()
    client = Client(nodes).register(nodes.first)
    nonce = client.nonce(nodes.first)
    gate = threading.Barrier(16)

    def redeem(number):
        gate.wait()
        return client.send(nodes.nodes[number % 2], client.kid, None, nonce).status

    with ThreadPoolExecutor(16) as many:
        statuses = sorted(many.map(redeem, range(16)))
    assert statuses == [200] + [400] * 15


def test_a_database_that_crashed_accepts_no_earlier_nonce(new_nodes, database):
    """The tables of nonces are not logged on PostgreSQL: a crash empties them, and begins another epoch."""
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    client = Client(nodes).register(one)
    used, unused = client.nonce(one), client.nonce(two)
    assert client.send(two, client.kid, None, used).status == 200
    if database.cluster:
        database.cluster.crash()
        database.cluster.start()
    else:
        for node in nodes.nodes:
            node.kill()
            node.start()
    for node in (one, two):
        until(lambda node=node: client.post(node, client.kid).status == 200, "the node does not come back", nodes)
        assert refused(client.send(node, client.kid, None, used), ":badNonce")
    # SQLite keeps what was redeemed, so there one that was not is still good.
    assert client.send(two, client.kid, None, unused).status == (400 if database.cluster else 200)


def test_what_is_changed_at_one_is_refused_at_the_other(new_nodes, web, tmp_path):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    new_order = {"identifiers": [{"type": "dns", "value": NAME}]}

    # An ACME account.
    client = Client(nodes).register(one)
    assert client.post(two, client.kid).status == 200
    assert client.post(one, client.kid, {"status": "deactivated"}).status == 200
    until(lambda: refused(client.post(two, client.kid), ":unauthorized"), "a deactivated account is served", nodes)

    # The account behind it, and everybody's endpoint.
    for kind, name in (("account", "open"), ("endpoint", "default")):
        client = Client(nodes).register(one)
        url = client.directory["newOrder"]
        assert client.post(two, url, new_order).status == 201
        block = next(b for b in re.split(r"(?m)^(?=\[\[)", one.cli("export")) if b.startswith(f"[[{kind}]]") and f'name = "{name}"' in b)
        document = tmp_path / f"{kind}.toml"
        document.write_text(block + "\nenabled = false\n")
        one.cli("apply", document)
        until(lambda: refused(client.post(two, url, new_order), ":unauthorized"), f"a disabled {kind} is served", nodes)  # noqa: B023
        document.write_text(block)
        one.cli("apply", document)
        until(lambda: client.post(two, url, new_order).status == 201, f"an enabled {kind} is refused", nodes)  # noqa: B023


def crl(node):
    """The issuing CA's, as this node serves it."""
    text = ask(f"http://127.0.0.1:{node.port('http')}/ca/chain.pem").body
    certificate = x509.load_pem_x509_certificate(text)
    key_id = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()
    return x509.load_der_x509_crl(ask(f"http://127.0.0.1:{node.port('http')}/crl/{key_id}/0.crl").body)


def number(listed):
    return listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_crl_numbers_rise_whoever_signs_and_both_serve_the_newest(new_nodes, web):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    files = web(nodes)
    client = Client(nodes).register(one)
    serials = [client.certificate(one, issued(client, one, two, files, f"n{n}.nodes.test")).serial_number for n in range(6)]
    seen = {node: [number(crl(node))] for node in (one, two)}
    done = threading.Event()

    def watch(node):
        while not done.is_set():
            seen[node].append(number(crl(node)))

    def revoke(node, mine):
        for serial in mine:
            node.cli("cert", "revoke", f"{serial:032x}")
            listed = crl(node)
            assert listed.get_revoked_certificate_by_serial_number(serial), "who revoked is told before its CRL lists it"

    with ThreadPoolExecutor(4) as both:
        watching = [both.submit(watch, node) for node in (one, two)]
        revoking = [both.submit(revoke, node, serials[at::2]) for at, node in enumerate((one, two))]
        for work in revoking:
            work.result()
        last = max(number(crl(node)) for node in (one, two))
        until(lambda: all(number(crl(node)) == last for node in (one, two)), "a node serves an old CRL", nodes)
        done.set()
        for work in watching:
            work.result()
    for numbers in seen.values():
        assert numbers == sorted(numbers)
    assert crl(one).public_bytes(Encoding.DER) == crl(two).public_bytes(Encoding.DER)
    for serial in serials:
        assert crl(one).get_revoked_certificate_by_serial_number(serial)
    assert last >= seen[one][0] + 3


def test_two_that_start_at_once_on_an_empty_store_are_one_installation(new_nodes):
    nodes = new_nodes()
    for relay in nodes.relays.values():
        relay.start()
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda node: node.start(), nodes.nodes))
    one, two = nodes.nodes
    assert one.data.joinpath("root.pem").read_bytes() == two.data.joinpath("root.pem").read_bytes()
    assert one.cli("export") == two.cli("export")
    client = Client(nodes).register(one)
    assert client.post(two, client.kid).status == 200


def test_another_master_key_stops_the_start(new_nodes, tmp_path):
    nodes = new_nodes()
    nodes.first.start()
    second = nodes.nodes[1]
    config = tmp_path / "postern.toml"
    text = nodes.config.read_text()
    other = tmp_path / "master"
    other.touch(0o600)
    other.write_bytes(b"x" * 32)
    config.write_text(re.sub(r'master_key_file = ".*"', f'master_key_file = "{other}"', text))
    second.options = ("--config", config)
    status, said = second.start_refused()
    assert status != 0
    assert "the master key is not the one that this store was made with" in said
    assert Client(nodes).register(nodes.first).kid  # nothing happened to the first one


def test_other_public_urls_stop_the_start(new_nodes, tmp_path):
    nodes = new_nodes()
    nodes.first.start()
    second = nodes.nodes[1]
    config = tmp_path / "postern.toml"
    config.write_text(re.sub(r'https = "https://[^"]*"', 'https = "https://elsewhere.example"', nodes.config.read_text()))
    second.options = ("--config", config)
    status, said = second.start_refused()
    assert status != 0
    assert "this store was set up as" in said


def test_a_copied_data_folder_is_no_second_node(new_nodes, tmp_path):
    """Both believe to be the same node: the one that was there first issues nothing until the other is gone."""
    nodes = new_nodes()
    one, two = nodes.nodes
    one.start()
    client = Client(nodes).register(one)
    url, new_order = client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": NAME}]}
    two.data.mkdir(mode=0o700)
    copied = two.data / "node"
    copied.touch(0o600)
    copied.write_bytes(one.data.joinpath("node").read_bytes())
    two.start()
    refusal = until(lambda: (now := client.post(one, url, new_order)).status == 503 and now, "it issues on", nodes)
    assert "another process has joined under this node's name" in refusal.json["detail"]
    assert client.post(two, url, new_order).status == 201
    assert one.events("node_replaced") == 1
    # One of the two gets a name of its own; the other one's start takes the name back.
    two.stop()
    copied.unlink()
    two.start()
    one.stop()
    one.start()
    for node in (one, two):
        until(lambda: client.post(node, url, new_order).status == 201, "a node of its own name refuses", nodes)  # noqa: B023
