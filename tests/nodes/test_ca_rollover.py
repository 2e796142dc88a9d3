"""A successor that one node prepares is every node's."""
import json
import os
import signal
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from harness.scep_device import Device
from harness.scep_reply import SUCCESS
from harness.scep_style import STYLES
from harness.wire import ask
from test_nodes import until


def device(node):
    url = f"http://127.0.0.1:{node.port('http')}/scep/devices"
    return Device(url, STYLES["android"], subject=[("CN", "phone")]).discover()


def roles(node):
    return [row["role"] for row in json.loads(node.cli("ca", "authorities", "--json"))["authorities"]]


def crl(node, key_id):
    answer = ask(f"http://127.0.0.1:{node.port('http')}/crl/{key_id}/0.crl")
    assert answer.status == 200
    return x509.load_der_x509_crl(answer.body)


def root_file(node):
    return (node.data / "root.pem").read_bytes()


def issuer(reply):
    return reply.certificate.issuer.rfc4514_string()


def test_every_node_issues_by_the_successor(new_nodes):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    code = next((node.data / "first-account").read_text() for node in nodes.nodes if (node.data / "first-account").exists())
    code = code.split('access_code = "')[1].split('"')[0]
    at = (datetime.now(timezone.utc) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    one.cli("ca", "rollover", "--at", at)
    for node in nodes.nodes:
        until(lambda node=node: "GetNextCACert" in device(node).caps, "it is not known everywhere", nodes)
        assert roles(node) == ["root", "issuing", "successor"]
    bags = [device(node).get_next_ca_cert() for node in nodes.nodes]
    assert bags[0] == bags[1], "one RA certificate for all nodes"
    assert "a successor waits already" in two.verb("ca", "rollover", "--at", at, "--data", two.data).stderr
    # Asked of the other node.
    asking = device(two)
    asking.recipient = bags[0][0]
    assert issuer(asking.enroll(code)) == "CN=Postern Issuing CA 2,O=Postern"

    one.cli("clock", "advance", "31d")
    for node in nodes.nodes:
        until(lambda node=node: device(node).recipient == bags[0][0], "it does not take over everywhere", nodes)
        reply = device(node).enroll(code)
        assert (reply.status, issuer(reply)) == (SUCCESS, "CN=Postern Issuing CA 2,O=Postern")
    # Each publishes for both.
    for node in nodes.nodes:
        shown = json.loads(node.cli("ca", "authorities", "--json"))["authorities"]
        assert [row["role"] for row in shown] == ["root", "former", "issuing"]
    newest = nodes.all_certificates()[-1]
    two.cli("cert", "revoke", newest["serial"])
    until(lambda: crl(one, newest["issuer"]).get_revoked_certificate_by_serial_number(int(newest["serial"], 16)), "the other node's CRL lacks it", nodes)


def test_what_one_node_withdraws_no_node_offers(new_nodes):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    at = (datetime.now(timezone.utc) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    one.cli("ca", "rollover", "--at", at)
    for node in nodes.nodes:
        until(lambda node=node: "GetNextCACert" in device(node).caps, "it is not known everywhere", nodes)
    two.cli("ca", "rollover", "--withdraw")
    for node in nodes.nodes:
        until(lambda node=node: "GetNextCACert" not in device(node).caps, "it is still offered", nodes)
        until(lambda node=node: roles(node) == ["root", "issuing", "withdrawn"], "it still waits", nodes)
    one.cli("clock", "advance", "31d")
    for node in nodes.nodes:
        assert roles(node) == ["root", "issuing", "withdrawn"]


# A process that stands still may hold the lock of an SQLite file, and then nobody gets on.
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_node_that_missed_a_withdrawal_until_the_day(new_nodes, database):
    """It stands still while another one withdraws, and its clock passes the day before it looks."""
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    code = next((node.data / "first-account").read_text() for node in nodes.nodes if (node.data / "first-account").exists())
    code = code.split('access_code = "')[1].split('"')[0]
    one.cli("ca", "rollover", "--at", (datetime.now(timezone.utc) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    until(lambda: roles(two) == ["root", "issuing", "successor"], "it is not known everywhere", nodes)
    os.kill(two.pid, signal.SIGSTOP)
    try:
        one.cli("ca", "rollover", "--withdraw")
        one.cli("clock", "advance", "31d")
    finally:
        os.kill(two.pid, signal.SIGCONT)
    for node in nodes.nodes:
        until(lambda node=node: roles(node) == ["root", "issuing", "withdrawn"], "it takes over", nodes)
        reply = device(node).enroll(code)
        assert (reply.status, issuer(reply)) == (SUCCESS, "CN=Postern Issuing CA,O=Postern")


def test_the_nodes_share_the_ras_certificate(new_nodes):
    """The one that holds the lease enrolls; when it is gone another goes on with the same certificate, and renews it."""
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    first = device(one).recipient
    assert device(two).recipient == first
    one.stop()
    assert device(two).recipient == first
    two.cli("clock", "advance", "250d")
    until(lambda: device(two).recipient != first, "nobody renews it", nodes)
    renewed = device(two).recipient
    one.start()
    until(lambda: device(one).recipient == renewed, "the one that comes back has another", nodes)


def test_a_new_root_is_every_node_s(new_nodes):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    code = next((node.data / "first-account").read_text() for node in nodes.nodes if (node.data / "first-account").exists())
    code = code.split('access_code = "')[1].split('"')[0]
    old = root_file(one)
    at = (datetime.now(timezone.utc) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = json.loads(one.cli("ca", "rollover", "--root", "--at", at, "--json"))
    waiting = ["root", "next_root", "issuing", "successor"]
    for node in nodes.nodes:
        until(lambda node=node: roles(node) == waiting, "it is not known everywhere", nodes)
        assert json.loads(node.cli("ca", "authorities", "--json")) == json.loads(one.cli("ca", "authorities", "--json"))
    assert made["root"]["authority"] in two.verb("ca", "rollover", "--root", "--at", at, "--data", two.data).stderr
    # Each publishes for both roots.
    for node in nodes.nodes:
        for row in json.loads(node.cli("ca", "authorities", "--json"))["authorities"]:
            until(lambda node=node, row=row: ask(f"http://127.0.0.1:{node.port('http')}/crl/{row['authority']}/0.crl").status == 200, "a CRL is missing", nodes)

    two.cli("clock", "advance", "31d")
    for node in nodes.nodes:
        until(lambda node=node: roles(node) == ["root", "former_root", "former", "issuing"], "it does not take over everywhere", nodes)
        until(lambda node=node: root_file(node) != old, "root.pem stays the old one", nodes)
        until(lambda node=node: issuer(device(node).enroll(code)) == "CN=Postern Issuing CA 2,O=Postern", "another CA issues", nodes)
    assert root_file(one) == root_file(two) and x509.load_pem_x509_certificate(root_file(one)).subject.rfc4514_string() == "CN=Postern Root CA 2,O=Postern"


def test_a_root_that_one_node_withdraws(new_nodes):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    at = (datetime.now(timezone.utc) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    one.cli("ca", "rollover", "--root", "--at", at)
    until(lambda: roles(two) == ["root", "next_root", "issuing", "successor"], "it is not known everywhere", nodes)
    two.cli("ca", "rollover", "--withdraw")
    told = json.loads(two.cli("ca", "authorities", "--json"))["crossCertificates"][0]
    for node in nodes.nodes:
        until(lambda node=node: roles(node) == ["root", "withdrawn_root", "issuing", "withdrawn"], "it still waits", nodes)
        until(lambda node=node: crl(node, told["issuer"]).get_revoked_certificate_by_serial_number(int(told["serial"], 16)), "the old root's CRL lacks it", nodes)
