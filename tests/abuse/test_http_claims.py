"""What a request claims to be: for whose server, from where, about whom, and what it would write into the log (RFC 9112;
rows H08, H09, H11, H12)."""
import json
import re

import pytest

from client import csr_der
from harness import jose
from harness.jose import Key, b64
from octets import refused, request
from oracle import Oracle
from rows import row

DIRECTORY = "/acme/default/directory"

# ---- H08, H09: whose server, and who asks ----------------------------------------------------------

@row("H08")
@pytest.mark.parametrize("listener", ["https", "http", "management", "est"])
def test_a_host_that_is_absent_or_there_twice_is_400(laboratory, oracle, listener):
    with oracle.refuses():
        refused(laboratory, request("GET", "/nothing", host=None), 400, listener)
    with oracle.refuses():
        refused(laboratory, request("GET", "/nothing", "Host: localhost", host="localhost"), 400, listener)
    for host in ("", ":8443", "::1", "a/b", "a@b", "a b", "a,b\0"):
        with oracle.refuses():
            refused(laboratory, request("GET", "/nothing", host=host), 400, listener)


@row("H08")
@pytest.mark.parametrize("listener", ["https", "est"])
@pytest.mark.parametrize("host", ["evil.test", "evil.test:8443", "localhost.evil.test", "xlocalhost", "127.0.0.2", "[::1]",
                                  "127.0.0.1.evil.test"])
def test_a_host_that_is_not_ours_is_421(laboratory, oracle, listener, host):
    path = DIRECTORY if listener == "https" else "/api/postern/v1/export"
    with oracle.refuses():
        answer = refused(laboratory, request("GET", path, host=host), 421, listener)
    assert b"evil" not in answer.octets
    with oracle.refuses():
        refused(laboratory, request("GET", f"http://{host}{path}", host="localhost"), 421, listener)


@row("H08")
def test_urls_come_from_the_configuration_whatever_the_request_says(laboratory):
    headers = ("X-Forwarded-Host: evil.test", "X-Forwarded-Proto: http", "Forwarded: host=evil.test;proto=http",
               "X-Original-URL: /evil", "X-Rewrite-URL: /evil")
    with laboratory.connect() as connection:
        expected = connection.ask(request("GET", DIRECTORY, host=laboratory.host)).json
        for host, target, version in (("localhost", DIRECTORY, "HTTP/1.1"), ("LOCALHOST.:1", DIRECTORY, "HTTP/1.1"),
                                      ("127.0.0.1", DIRECTORY, "HTTP/1.1"), ("evil.test", "http://localhost" + DIRECTORY, "HTTP/1.1"),
                                      (None, DIRECTORY, "HTTP/1.0")):
            answer = connection.ask(request("GET", target, *headers, host=host, version=version))
            assert (answer.status, answer.json) == (200, expected)
            assert b"evil" not in answer.octets
    assert expected["newOrder"].startswith(laboratory.https)


def log_lines(laboratory):
    found = []
    for line in laboratory.server.log.read_text(errors="replace").splitlines():
        if line.startswith("{"):
            found.append(json.loads(line))
    return found


ADDRESSES = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: local", "Forwarded: for=203.0.113.9;by=127.0.0.1", "X-Real-IP: 203.0.113.9",
             "X-Client-IP: 203.0.113.9", "True-Client-IP: 203.0.113.9", "Via: 1.1 evil.test")


@row("H09")
def test_the_address_stays_the_peers(laboratory, oracle, client):
    with oracle.refuses(), laboratory.connect() as connection:
        answer = connection.ask(request("GET", "/nothing", *ADDRESSES, host=laboratory.host))
        assert answer.status == 404
    lines = [line for line in log_lines(laboratory) if line.get("request") == answer.header("X-Request-Id")]
    assert [line["peer"] for line in lines] == ["127.0.0.1"]
    with oracle.refuses(audited=1) as refusal:
        client.send(client.kid, client.message(client.kid, "[]"), *ADDRESSES)
    assert "203.0.113" not in json.dumps(refusal.records)
    assert "203.0.113" not in laboratory.server.log.read_text()


@row("H09", "H10")
@pytest.mark.parametrize("listener", ["https", "est"])
def test_a_header_makes_nobody_an_administrator(laboratory, oracle, listener):
    claims = (*ADDRESSES, "X-Forwarded-User: root", "Remote-User: root", "X-Client-Cert: MIIB", "X-SSL-Client-Verify: SUCCESS",
              "X-SSL-Client-S-DN: CN=root", "X-Forwarded-Client-Cert: By=spiffe://x;Hash=0")
    with oracle.refuses(), laboratory.connect(listener) as connection:
        assert connection.ask(request("GET", "/api/postern/v1/export", *claims, host=laboratory.host)).status == 401


# ---- H11: what a stranger writes into the log ------------------------------------------------------

EVIL = "evil\r\n\x1b[2Jforged\0\u2028\u202e\x9b"


def strange_requests(laboratory):
    """Sends the text in every place where somebody might print it."""
    with laboratory.connect() as connection:
        for target in ("/%0d%0aforged", "/a%00%1b[2J", "/%e2%80%a8", "/acme/%0aforged/directory"):
            connection.ask(request("GET", target, "User-Agent: \u00e2\u0080\u00a8forged", "Referer: x\x85forged", host=laboratory.host))
    for octets in (b"GET /a\x1b[2J HTTP/1.1\r\n\r\n", b"GET /a\0forged HTTP/1.1\r\n\r\n", b"GET /\xe2\x80\xa8forged HTTP/1.1\r\n\r\n",
                   b"GET / HTTP/1.1\r\nUser-Agent: a\x1b[2Jforged\r\n\r\n", b"GET / HTTP/1.1\r\nUser-Agent: a\rforged\r\n\r\n",
                   b"FOR\nGED / HTTP/1.1\r\n\r\n", b"GET /x\nforged\n\n"):
        with laboratory.connect() as connection:
            connection.ask(octets)
    stranger = laboratory.acme()
    for payload in ({"contact": ["mailto:" + EVIL]}, {"contact": [EVIL]}):
        stranger.post("new-account", payload)
    binding = jose.binding(EVIL, b64(b"k" * 32), stranger.url("new-account"), stranger.key)
    stranger.post("new-account", {"externalAccountBinding": binding})
    stranger.post("new-account", {}, alg=EVIL)
    stranger.register()
    name = laboratory.fresh_name()
    for members in ({"identifiers": [{"type": "dns", "value": EVIL}]}, {"identifiers": [{"type": EVIL, "value": name}]},
                    {"identifiers": [{"type": "dns", "value": name}], "profile": EVIL},
                    {"identifiers": [{"type": "dns", "value": name}], "notAfter": EVIL}):
        stranger.post("new-order", members)
    _, order = stranger.ready_order(name)
    common_name = ((_common_name(), EVIL.replace("\0", "")),)
    for subject, names in ((common_name, [name]), (common_name, [])):
        stranger.finalize(order, csr_der(Key(), names, subject=subject))
    stranger.close()
    return name


def _common_name():
    from cryptography.x509.oid import NameOID
    return NameOID.COMMON_NAME


@row("H11")
@pytest.mark.parametrize("format", ["json", "text"])
def test_nobody_writes_a_line_of_the_log(new_laboratory, tmp_path, format):
    log = tmp_path / "postern.log"
    laboratory = new_laboratory(f'[log]\nlevel = "debug"\nformat = "{format}"\nfile = "{log}"\n')
    strange_requests(laboratory)
    Oracle(laboratory).alive()
    text = log.read_bytes().decode("utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text)
    lines = text.split("\n")
    assert lines.pop() == ""
    for line in lines:
        if format == "json":
            assert json.loads(line)["event"]
        else:
            assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) +[a-z0-9_]+( |$)", line), line
    escaped = [line for line in lines if "forged" in line]
    assert any("\\u001b[2Jforged\\u0000\\u2028" in line for line in escaped), escaped


@row("H11")
def test_what_the_command_line_prints_of_it_is_escaped_too(new_laboratory):
    laboratory = new_laboratory()
    client = laboratory.acme().register()
    answer = client.post("new-order", {"identifiers": [{"type": "dns", "value": EVIL}]})
    client.close()
    done = laboratory.server.verb("explain", answer.header("X-Request-Id"), "--json", "--data", laboratory.server.data)
    assert done.returncode == 0 and "forged" in done.stdout, done
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]", done.stdout), done.stdout


# ---- H12: labels that are paths --------------------------------------------------------------------

@row("H12")
@pytest.mark.parametrize("label", ["..%2f", "..", "%2e%2e", "..%5c", "a%00", "%c0%ae%c0%ae", "%c0%af", "a%2fb", "", ".", "a/../default",
                                   "A", "a" * 65, "-a"])
def test_a_label_that_is_a_path_names_nothing(laboratory, oracle, label):
    for path, listener in ((f"/acme/{label}/directory", "https"), (f"/ca/{label}", "http"), (f"/crl/{label}/0.crl", "http")):
        with oracle.refuses(), laboratory.connect(listener) as connection:
            answer = connection.ask(request("GET", path, host=laboratory.host))
            assert answer.status == 404, answer
