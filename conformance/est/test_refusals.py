"""Refusals in the words that the client, or whoever applies a document, reads."""
import base64
from pathlib import Path

import pytest

from device import Site, body, certificate, new_key, refused, request, write_pair
from harness.est_connection import Connection
from harness.row_table import row

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def strict_site(server):
    return Site(server, server.apply(HERE / "refusals.toml"))


def reads(answer, status, check, text):
    """The whole line but for its reference."""
    refused(answer, status, check)
    assert answer.text.startswith(f"{status} {check}: {text} (ref "), answer.text


# ---- serverkeygen and renewal

def test_first_key_of_a_device_is_not_made_here(strict_site, name):
    answer = strict_site.enroll("refused-keys", request(new_key(), name), operation="serverkeygen")
    reads(answer, 403, "serverkeygen.first_use", "the first key of this device stays its own, and a key made here is another one each time; make the key yourself")


@pytest.mark.parametrize("operation", ["simplereenroll", "simpleenroll"])
def test_endpoint_that_renews_nothing(strict_site, name, tmp_path, operation):
    key = new_key()
    pair = write_pair(tmp_path, key, certificate(strict_site.enroll("refused-renewal", request(key, name))))
    with strict_site.connect("refused-renewal", certificate=pair) as connection:
        reads(connection.ask("POST", operation, body(request(key, name))), 403, "renewal.allowed", "this endpoint renews no certificates")


# ---- bodies

def armoured(octets, label="CERTIFICATE REQUEST", end=None):
    return b"-----BEGIN " + label.encode() + b"-----\n" + base64.encodebytes(octets) + b"-----END " + (end or label).encode() + b"-----\n"


BODIES = {
    "empty": (lambda csr: b"", "the body is empty; send a PKCS #10 request as base64 of its DER"),
    "no base64": (lambda csr: b"!" + base64.b64encode(csr), "the body is not base64 of DER (RFC 8951 section 3)"),
    "space alone": (lambda csr: b" \r\n\t", "the body is not base64 of DER (RFC 8951 section 3)"),
    "binary": (lambda csr: csr, "the body is not base64 of DER (RFC 8951 section 3)"),
    "broken armour": (lambda csr: b"-----BEGIN CERTIFICATE REQUEST\n" + base64.encodebytes(csr), "the PEM armour is broken"),
    "another label": (lambda csr: armoured(csr, "CERTIFICATE"), "the PEM is no CERTIFICATE REQUEST"),
    "no end": (lambda csr: armoured(csr).split(b"-----END")[0], "the PEM armour has no end"),
    "another end": (lambda csr: armoured(csr, end="NEW CERTIFICATE REQUEST"), "the PEM armour ends as something else than it began"),
    "cut end": (lambda csr: armoured(csr).rstrip(b"-\n"), "the PEM armour ends as something else than it began"),
    "two requests": (lambda csr: armoured(csr) * 2, "something follows the PEM armour; send one request"),
    "text behind": (lambda csr: armoured(csr) + b"thanks", "something follows the PEM armour; send one request"),
    "no base64 in armour": (lambda csr: armoured(csr).replace(b"\nMI", b"\n!!"), "the body is not base64 of DER (RFC 8951 section 3)"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_body_that_is_no_request(strict_site, name, kind):
    make, text = BODIES[kind]
    with strict_site.connect("refused-renewal") as connection:
        reads(connection.ask("POST", "simpleenroll", make(request(new_key(), name)), **strict_site.credentials("refused-renewal")), 400, "est.body", text)


@pytest.mark.parametrize("label", ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"])
def test_body_in_armour_is_one(strict_site, name, label):
    """What the refusals above are next to."""
    with strict_site.connect("refused-renewal") as connection:
        assert connection.ask("POST", "simpleenroll", b" \n" + armoured(request(new_key(), name), label) + b"\r\n ", **strict_site.credentials("refused-renewal")).status == 200


def test_binary_body_where_the_endpoint_takes_them(strict_site, name):
    with strict_site.connect("refused-binary") as connection:
        octets = request(new_key(), name)
        credentials = strict_site.credentials("refused-binary")
        assert connection.ask("POST", "simpleenroll", octets, **credentials).status == 200
        assert connection.ask("POST", "simpleenroll", body(octets), **credentials).status == 200  # and base64 as before
        refused(connection.ask("POST", "simpleenroll", octets[:-1], **credentials), 400, "bad_csr")
        reads(connection.ask("POST", "simpleenroll", b"\x31" + octets[1:], **credentials), 400, "est.body", BODIES["no base64"][1])


# ---- Authorization

def credentials(octets):
    return "Basic " + base64.b64encode(octets).decode()


NOT_UNDERSTOOD = "Basic, and Bearer with a one-time token, are understood in Authorization"
AUTHORIZATIONS = {
    "no colon": (credentials(b"no-colon"), "the credentials in Authorization have no colon"),
    "769 octets": (credentials(b"u:" + b"p" * 767), "user name and password are longer than 768 octets"),
    "768 octets": (credentials(b"u:" + b"p" * 766), "user name or password is wrong"),
    "no base64": ("Basic ?", "the credentials in Authorization are not base64"),
    "scheme alone": ("Basic", NOT_UNDERSTOOD),
    "another scheme": ("Digest username=x", NOT_UNDERSTOOD),
    "no token": ("Bearer", "the token in Authorization is empty or longer than 255 octets"),
    "token of 256 octets": ("Bearer " + "A" * 256, "the token in Authorization is empty or longer than 255 octets"),
    "token of 255 octets": ("Bearer " + "A" * 255, "the token is not known at this endpoint"),
}


@pytest.mark.parametrize("kind", AUTHORIZATIONS)
def test_authorization(strict_site, name, kind):
    value, text = AUTHORIZATIONS[kind]
    with strict_site.connect("refused-renewal") as connection:
        answer = connection.ask("POST", "simpleenroll", body(request(new_key(), name)), Authorization=value)
    reads(answer, 401, "credential.known", text)


# ---- endpoints

def test_nothing_answers_without_a_label(own_server, tmp_path):
    """The endpoint of the first start does, for any host, until its document says otherwise."""
    def ask():
        with Connection(own_server.est("equipment"), own_server.root) as connection:
            return connection.ask("GET", "/.well-known/est/cacerts"), connection.ask("GET", "cacerts")

    assert [answer.status for answer in ask()] == [200, 200]
    document = tmp_path / "equipment.toml"
    document.write_text('[[endpoint]]\nname = "equipment"\nprotocol = "est"\nprofiles = ["device"]\ndefault_hosts = ["est.elsewhere.test"]\n')
    own_server.apply(document)
    without, labelled = ask()
    reads(without, 404, "est.endpoint", "no EST endpoint answers here without a label")
    assert labelled.status == 200


@pytest.mark.parametrize("label", ["refused-nowhere", "default"])
def test_no_such_label(strict_site, label):
    with strict_site.connect(label) as connection:
        reads(connection.ask("GET", "cacerts"), 404, "est.endpoint", "there is no such EST endpoint")


@row("H12")
@pytest.mark.parametrize("label", ["..", "..%2frefused-binary", "%2e%2e", "refused-binary%00", "%72efused-binary", "refused%c0%afbinary", "refused-binary%2f..", "-refused-binary", "REFUSED-BINARY"])
def test_label_that_is_a_path_names_nothing(strict_site, label):
    """It comes as far as the router: no endpoint is looked for under such a name."""
    with strict_site.connect("refused-binary") as connection:
        answer = connection.ask("GET", f"/.well-known/est/{label}/cacerts")
    assert answer.status == 404 and answer.text.startswith("404 http: "), answer.text


@pytest.mark.parametrize("method, operation", [("GET", "cacerts"), ("GET", "csrattrs"), ("POST", "simpleenroll")])
def test_disabled_endpoint(strict_site, name, method, operation):
    with strict_site.connect("refused-closed") as connection:
        answer = connection.ask(method, operation, body(request(new_key(), name)) if method == "POST" else None)
    reads(answer, 403, "endpoint.active", "the administrator disabled this EST endpoint")


# ---- documents

ENDPOINT = '[[endpoint]]\nname = "NAME"\nprotocol = "est"\nprofiles = ["refused-device"]\n'
ACCOUNT = '[[account]]\nname = "refused-binary"\nendpoint = "refused-binary"\nmethod = "basic"\ncommon_names = ["*"]\nsecret = {generate = true}\n'
DOCUMENTS = {
    **{f"named {name}": (ENDPOINT.replace("NAME", name), f"default/{name}: name: is the name of an operation of EST")
       for name in ("cacerts", "simpleenroll", "simplereenroll", "csrattrs", "serverkeygen", "fullcmc")},
    "default host with a wildcard": (ENDPOINT.replace("NAME", "refused-new") + 'default_hosts = ["*.example.com"]\n', 'default/refused-new: default_hosts[0]: expected a host name, or "*" for any'),
    "default host that is none": (ENDPOINT.replace("NAME", "refused-new") + 'default_hosts = ["a..b"]\n', 'default/refused-new: default_hosts[0]: expected a host name, or "*" for any'),
    "default host with a port": (ENDPOINT.replace("NAME", "refused-new") + 'default_hosts = ["example.com:8444"]\n', 'default/refused-new: default_hosts[0]: expected a host name, or "*" for any'),
    "user with a colon": (ACCOUNT.replace("refused-binary\"\nendpoint", "refused-new\"\nendpoint") + 'user = "a:b"\n', "default/refused-new: user: expected printable ASCII without a colon"),
    "user that is not ASCII": (ACCOUNT.replace("refused-binary\"\nendpoint", "refused-new\"\nendpoint") + 'user = "Jürgen"\n', "default/refused-new: user: expected printable ASCII without a colon"),
    "another user for a drawn password": (ACCOUNT + 'user = "another"\n',
                                          "user: the password was drawn for user refused-binary; make another account for another user"),
    "binary bodies that are no flag": (ENDPOINT.replace("NAME", "refused-new") + 'binary_bodies = "yes"\n', "binary_bodies: "),
    "binary bodies of another protocol": (ENDPOINT.replace("NAME", "refused-new").replace('"est"', '"acme"') + "binary_bodies = true\n", "binary_bodies"),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_document(strict_site, tmp_path, kind):
    text, part = DOCUMENTS[kind]
    document = tmp_path / "document.toml"
    document.write_text(text)
    before = strict_site.server.cli("export")
    done = strict_site.server.verb("apply", document, "--data", strict_site.server.data)
    assert done.returncode != 0 and part in done.stderr, done.stdout + done.stderr
    assert strict_site.server.cli("export") == before
