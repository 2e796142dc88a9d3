"""Each misbehaviour is what its name says, on the wire."""
import email.utils
import gzip
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.parse

import pytest
from intune import behaviours
from intune.behaviours import HUGE

pytestmark = pytest.mark.together


@pytest.fixture
def call(client, tenant, make_csr):
    """One validation that would succeed; the answer to what is scripted first."""
    body = client.validation(make_csr(tenant.mint_challenge()["challenge"]))
    client.discover(), client.token()

    def call(*scripted):
        tenant.script("validate", *scripted)
        return client.post("validate", body)

    return call


def test_well(call, standin):
    answer = call(behaviours.well())
    assert answer.json["code"] == "Success" and answer.headers.get_content_type() == "application/json" and standin.scripts_left() == {}


# name -> (behaviour, what is true of the answer)
ANSWERS = {
    "no_code": (behaviours.no_code(), lambda a: "code" not in a.json and a.json["errorDescription"] == ""),
    "null_code": (behaviours.fields(code=None), lambda a: a.json["code"] is None),
    "code_number": (behaviours.fields(code=0), lambda a: a.json["code"] == 0),
    "wrong_case": (behaviours.fields(code="success"), lambda a: a.json["code"] == "success"),
    "null_description": (behaviours.fields(errorDescription=None), lambda a: a.json["code"] == "Success" and a.json["errorDescription"] is None),
    "extra_fields": (behaviours.extra_fields(), lambda a: a.json["code"] == "Success" and a.json["nested"]["code"] == "ChallengeExpired"),
    "bom": (behaviours.bom(), lambda a: a.body.startswith(b"\xef\xbb\xbf{") and json.loads(a.body.decode("utf-8-sig"))["code"] == "Success"),
    "html": (behaviours.html(), lambda a: a.status == 200 and a.headers["Content-Type"] == "text/html" and a.body.startswith(b"<!DOCTYPE")),
    "empty": (behaviours.empty(), lambda a: a.status == 200 and a.body == b"" and a.headers["Content-Length"] == "0"),
    "no_content": (behaviours.no_content(), lambda a: a.status == 204 and a.body == b"" and a.headers["Content-Length"] is None),
    "malformed": (behaviours.malformed(), lambda a: a.status == 200 and a.json is None and b"Success" in a.body),
    "not_an_object": (behaviours.not_an_object(), lambda a: a.json == ["Success"]),
    "truncated": (behaviours.truncated(30), lambda a: a.status == 200 and len(a.body) == 30 and a.json is None),
    "gzip": (behaviours.gzip(), lambda a: a.headers["Content-Encoding"] == "gzip" and json.loads(gzip.decompress(a.body))["code"] == "Success"),
    "chunked": (behaviours.chunked(), lambda a: a.headers["Transfer-Encoding"] == "chunked" and a.json["code"] == "Success"),
    "huge": (behaviours.huge(), lambda a: len(a.body) > HUGE and a.json["code"] == "Success"),
    "body": (behaviours.body(b"\0\xff"), lambda a: a.body == b"\0\xff"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(call, name):
    behaviour, holds = ANSWERS[name]
    answer = call(behaviour)
    assert holds(answer), (answer.status, answer.headers.items(), answer.body[:200])
    assert call().json["code"] == "Success", "the next one is well again"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 410, 418, 500, 502, 503, 504])
def test_a_status(call, tenant, status):
    answer = call(behaviours.status(status))
    assert answer.status == status and answer.json["error"]["code"] == f"Scripted{status}"
    entry, = tenant.asked("validate")
    assert (entry.status, entry.wrong, entry.fields) == (status, [], None)
    assert tenant.transactions() == {}, "it was not carried out"


def test_headers_are_looked_at_all_the_same(client, tenant):
    tenant.script("validate", behaviours.status(503), behaviours.status(503))
    assert client.post("validate", {}, client_request_id=None).status == client.post("validate", {}, api_version=None).status == 503
    assert [len(entry.wrong) for entry in tenant.asked("validate")] == [1, 1]
    tenant.script("endpoints", behaviours.status(503))
    client.ask_endpoints(User_Agent=None)
    assert tenant.wrong("endpoints")[-1] == "no User-Agent"


@pytest.mark.parametrize("given, header", [(None, None), (0, "0"), (7, "7"), (86400, "86400"), ("soon", "soon"), ("-1", "-1"), ("1.5", "1.5")])
def test_retry_after(call, given, header):
    answer = call(behaviours.throttled(given))
    assert (answer.status, answer.headers["Retry-After"]) == (429, header)


def test_retry_after_as_a_date(call, standin):
    before = standin.move_clock(seconds=0)
    answer = call(behaviours.throttled({"in": 120}))
    named = email.utils.parsedate_to_datetime(answer.headers["Retry-After"]).timestamp()
    assert int(before) <= named - 120 <= standin.move_clock(seconds=0)
    standin.move_clock(seconds=1000)
    later = email.utils.parsedate_to_datetime(call(behaviours.status(503, {"in": 120})).headers["Retry-After"]).timestamp()
    assert later - named >= 1000


def test_a_delayed_answer_is_whole(call):
    begin = time.monotonic()
    assert call(behaviours.slow(0.3)).json["code"] == "Success"
    assert time.monotonic() - begin >= 0.3


def test_a_dripping_answer_is_whole(call):
    begin = time.monotonic()
    answer = call(behaviours.drip(0.001))
    assert answer.json["code"] == "Success" and time.monotonic() - begin >= 0.001 * len(answer.body)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirection(call, standin, status):
    answer = call(behaviours.redirect(standin.urls()["trap"] + "/x", status))
    assert (answer.status, answer.headers["Location"], answer.body) == (status, standin.urls()["trap"] + "/x", b"")


@pytest.mark.parametrize("site", ["entra", "graph", "intune"])
def test_a_service_is_down_and_comes_back(client, call, standin, site):
    def ask():
        return {"entra": client.ask_token, "graph": client.ask_endpoints, "intune": call}[site]()

    standin.down(site=site)
    with pytest.raises(ConnectionRefusedError):
        ask()
    for certificate in ("stranger", "misnamed"):
        standin.up(site=site, certificate=certificate)
        with pytest.raises(ssl.SSLCertVerificationError):
            ask()
    standin.up(site=site, certificate="mute")
    client.timeout = 0.2
    with pytest.raises(TimeoutError):
        ask()
    client.timeout = 10
    standin.up(site=site)
    assert ask().status == 200
    with pytest.raises(ValueError, match="no certificate 'bad'"):
        standin.up(site=site, certificate="bad")


def test_silence_lasts_until_it_is_released_or_left(client, call, standin, tenant):
    tenant.script("validate", behaviours.silence())
    url = urllib.parse.urlsplit(client.discover()["sceprequestvalidationfeservice"])
    connection = client.connect(url.geturl())
    connection.request("POST", url.path + "/ScepActions/validateRequest", b"{}", dict(client.headers("intune_scope", "2018-02-20")))
    standin.wait_for("validate")
    connection.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call(behaviours.silence(carried_out=True))))
    thread.start()
    standin.wait_for("validate", asked=2)
    assert not answers
    standin.release()
    thread.join()
    assert answers[0].json["code"] == "Success" and [each["code"] for each in tenant.transactions().values()] == ["Success"]


@pytest.mark.parametrize("after", [0, 10, 100, -5])
def test_a_reset(call, after):
    with pytest.raises((ConnectionResetError, http.client.HTTPException)):
        call(behaviours.reset(after, carried_out=True))


@pytest.mark.parametrize("behaviour, resets", [(behaviours.reset(), True), (behaviours.closed(), False)], ids=["reset", "closed"])
def test_a_reset_is_one(client, tenant, behaviour, resets):
    """Python's TLS makes an end of both; the kernel knows."""
    tenant.script("token", behaviour)
    connection = client.connect(client.token_url())
    connection.request("POST", urllib.parse.urlsplit(client.token_url()).path, client.form(), {"User-Agent": "x"})
    with socket.socket(fileno=connection.sock.detach()) as plain:
        plain.settimeout(30)
        if not resets:  # an orderly end waits for the other side's
            plain.shutdown(socket.SHUT_WR)
        try:
            while plain.recv(4096):
                pass
            ended = False
        except ConnectionResetError:
            ended = True
    assert ended is resets


def test_an_end_amid_the_body(call):
    with pytest.raises(http.client.IncompleteRead):
        call(behaviours.closed(-5, carried_out=True))
    with pytest.raises(http.client.RemoteDisconnected):
        call(behaviours.closed(0))


def test_what_is_lost_was_done(call, tenant):
    with pytest.raises(ConnectionResetError):
        call(behaviours.lost_reply())
    assert len(tenant.transactions()) == 1
    with pytest.raises(ConnectionResetError):
        call(behaviours.reset())
    assert tenant.asked("validate")[1].fields is None


def test_a_connection_is_kept_and_may_be_dead(client, tenant, standin, make_csr):
    url = urllib.parse.urlsplit(client.discover()["sceprequestvalidationfeservice"] + "/ScepActions/validateRequest")
    body = json.dumps(client.validation(make_csr(tenant.mint_challenge()["challenge"]))).encode()

    def ask(connection):
        return client.exchange(connection, "POST", url.path, body, client.headers("intune_scope", "2018-02-20"))

    connection = client.connect(url.geturl())
    assert ask(connection).json["code"] == ask(connection).json["code"] == "Success"
    assert len({entry.connection for entry in tenant.asked("validate")}) == 1
    tenant.script("validate", behaviours.stale())
    assert ask(connection).json["code"] == "Success"
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        ask(connection)
    connection.close()
    assert standin.counters()["stale"]["asked"] == 1 and len(tenant.asked("validate")) == 3


def test_scripts_are_in_order_and_of_one_tenant(standin, tenant, call):
    other = standin.of(standin.add_tenant()["id"])
    other.script("validate", behaviours.status(500))
    standin.script("validate", behaviours.status(502))
    assert [call(behaviours.status(503), behaviours.status(504)).status, *(call().status for _ in range(3))] == [503, 504, 502, 200]
    assert standin.scripts_left() == {f"validate {other.id}": 1}


def test_a_script_for_ever(call, tenant, standin):
    tenant.script("validate", behaviours.status(500), behaviours.status(503), always=True)
    assert [call().status for _ in range(4)] == [500, 503, 503, 503]
    standin.clear_scripts()
    assert call().status == 200


def test_what_nobody_knows_is_said(standin, tenant):
    with pytest.raises(ValueError, match="no call 'valdate'"):
        standin.script("valdate", behaviours.well())
    with pytest.raises(ValueError, match="unexpected keyword argument 'flav'"):
        tenant.mint_challenge(flav="signature")
    with pytest.raises(ValueError, match="AssertionError: smell"):
        tenant.mint_challenge(flaw="smell")
    with pytest.raises(ValueError, match="no tenant nobody"):
        standin.tenant(tenant="nobody")
    with pytest.raises(ValueError, match="old is 'gone'"):
        tenant.move_endpoint(old="gone")
    with pytest.raises(AttributeError):
        standin.no_such_method()
    with pytest.raises(ValueError, match="no method"):
        standin.call("_tenant", tenant=None)


def test_waiting_ends(standin, tenant):
    with pytest.raises(AssertionError, match="validate: .*, not 1 asked"):
        standin.wait_for("validate", seconds=0)


def test_octets_that_are_no_request(client, standin):
    port = urllib.parse.urlsplit(client.tenant["graph"]).port
    for octets in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                   b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                   b"GET / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
                   b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" + b"x" * 0x100001 + b"\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as plain, client.context.wrap_socket(plain, server_hostname="localhost") as made:
            made.sendall(octets)
            assert made.recv(100).startswith(b"HTTP/1.1 400 ")
    with socket.create_connection(("127.0.0.1", port)) as plain, client.context.wrap_socket(plain, server_hostname="localhost") as made:
        made.sendall(b"GET / HT")
        made.settimeout(10)
        made.unwrap().close()
    standin.wait_for("octets", asked=8, seconds=10)
    assert standin.wrong("octets")[-1] == ("octets", "the head breaks off")


def test_a_chunked_request_is_read(client, tenant, make_csr):
    body = json.dumps(client.validation(make_csr(tenant.mint_challenge()["challenge"]))).encode()
    octets = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 100]), body[i:i + 100]) for i in range(0, len(body), 100)) + b"0\r\n\r\n"
    assert client.post("validate", octets, Transfer_Encoding="chunked").json["code"] == "Success" and tenant.wrong() == []
