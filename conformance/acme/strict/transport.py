"""HTTP below the signed messages (RFC 8555 §6.1 to §6.3, §6.7, §7.1, §7.2)."""
import re
from urllib.parse import urlsplit

from harness.jose import DROP

from .answers import REGISTERED
from .probe import kind_of, parsed, row, shown

NONCE = re.compile(r"[A-Za-z0-9_-]{16,}")
EXPOSED = {"link", "replay-nonce", "location", "retry-after"}


def several(p):
    """One answer of each kind: (what, answer), the directory first."""
    owner, stranger = p.account(), p.client()
    url, order = owner.order()
    return [("directory", owner.ask("GET", owner.endpoint.url)), ("newNonce", owner.ask("HEAD", "newNonce")), ("account", owner.post(owner.kid)),
            ("order", owner.post(url)), ("authorization", owner.post(order["authorizations"][0])), ("newOrder", owner.new_order(p.name())),
            ("a refusal", owner.post("newOrder", "no JSON")), ("a stranger's refusal", stranger.post("newAccount", {}, alg="none")),
            ("badNonce", owner.post(owner.kid, nonce="AAAA"))]


@row("1.2", "RFC 8555 §7.1.1", "GET of the directory", "200 application/json with newNonce, newAccount, newOrder, revokeCert and keyChange as https URLs")
def directory(p):
    client = p.client()
    answer = p.ok(client.ask("GET", client.endpoint.url))
    p.need(answer.media_type == "application/json", f"Content-Type {answer.get('Content-Type')!r}")
    said = parsed(answer)
    lacking = [name for name in ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange") if not str(said.get(name, "")).startswith("https://")]
    p.need(not lacking, f"no {', '.join(lacking)}")


@row("1.2", "RFC 8555 §7.1.1", "POST-as-GET of the directory", "200, the same object")
def directory_by_post_as_get(p):
    client = p.account()
    p.need(parsed(p.ok(client.post(client.endpoint.url))).keys() == p.directory().keys(), "another directory")


@row("1.2", "RFC 8555 §7.1.1", "an empty POST to every resource of the directory", "none is 404 or 501: only what works is advertised")
def advertised_resources_work(p):
    client = p.account()
    for name, url in p.directory().items():
        if isinstance(url, str) and name not in ("newNonce", "renewalInfo"):
            answer = client.post(name, {})
            p.need(answer.status not in (404, 405, 501), f"{name}: {shown(answer)}")


@row("1.1", "RFC 8555 §6.1", "GET of the directory with Origin", "Access-Control-Allow-Origin: *")
def cors_directory(p):
    client = p.client()
    answer = p.ok(client.ask("GET", client.endpoint.url, headers=[("Origin", "https://client.example")]))
    p.need(answer.get("Access-Control-Allow-Origin") == "*", f"Access-Control-Allow-Origin {answer.get('Access-Control-Allow-Origin')!r}")


@row("1.1", "RFC 8555 §6.1", "newNonce and a signed POST with Origin", "any origin, and Link, Replay-Nonce, Location and Retry-After exposed")
def cors_exposed_headers(p):
    client, origin = p.account(), [("Origin", "https://client.example")]
    for answer in (client.ask("HEAD", "newNonce", headers=origin), client.post(client.kid, headers=origin)):
        exposed = {each.strip().lower() for each in answer.get("Access-Control-Expose-Headers").split(",")}
        p.need(answer.get("Access-Control-Allow-Origin") == "*", f"Access-Control-Allow-Origin {answer.get('Access-Control-Allow-Origin')!r}")
        p.need("*" in exposed or exposed >= EXPOSED, f"Access-Control-Expose-Headers {answer.get('Access-Control-Expose-Headers')!r}")


@row("1.1", "RFC 8555 §6.1", "OPTIONS of newOrder, as a browser asks before its POST", "2xx: any origin, POST, Content-Type")
def cors_preflight(p):
    client = p.client()
    asked = [("Origin", "https://client.example"), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "content-type")]
    answer = client.ask("OPTIONS", "newOrder", headers=asked)
    p.need(answer.status in (200, 204), shown(answer))
    p.need(answer.get("Access-Control-Allow-Origin") == "*" and "content-type" in answer.get("Access-Control-Allow-Headers").lower(),
           f"{answer.status} with Access-Control-Allow-Headers {answer.get('Access-Control-Allow-Headers')!r}")


@row("1.1", "RFC 8555 §6.1", "a request without User-Agent", "served: its absence is the log's")
def without_user_agent(p):
    p.ok(p.client().ask("GET", "newNonce"), 204)


@row("1.1", "RFC 8555 §6.2", "POST as application/json, as text/plain, without a type", "415 malformed")
def content_type_of_another(p):
    client = p.account()
    for kind in ("application/json", "text/plain", "application/jose", None):
        p.problem(client.send(client.kid, client.message(client.kid), content_type=kind), 415, "malformed")


@row("1.1", "RFC 8555 §6.2", "application/jose+json with a parameter, in capitals", "200")
def content_type_with_parameter(p):
    client = p.account()
    for kind in ("application/jose+json; charset=utf-8", "Application/JOSE+JSON"):
        answer = client.send(client.kid, client.message(client.kid), content_type=kind)
        p.need(answer.status == 200, f"{kind}: {shown(answer)}")


@row("1.1", "RFC 8555 §6.3", "plain GET of newAccount, newOrder, an account, an order, an authorization", "405 malformed with Allow")
def plain_get(p):
    client = p.account()
    url, order = client.order()
    for each in ("newAccount", "newOrder", client.kid, url, order["authorizations"][0], order["finalize"]):
        answer = client.ask("GET", each)
        p.problem(answer, 405, "malformed")
        p.need("POST" in answer.get("Allow"), f"Allow {answer.get('Allow')!r}")


@row("1.1", "RFC 8555 §7.2", "HEAD of newNonce", "200 with Replay-Nonce and Cache-Control: no-store, no body")
def new_nonce_by_head(p):
    answer = p.ok(p.client().ask("HEAD", "newNonce"))
    p.need(NONCE.fullmatch(answer.get("Replay-Nonce")), f"Replay-Nonce {answer.get('Replay-Nonce')!r}")
    p.need("no-store" in answer.get("Cache-Control"), f"Cache-Control {answer.get('Cache-Control')!r}")


@row("1.1", "RFC 8555 §7.2", "GET of newNonce", "204 with Replay-Nonce and Cache-Control: no-store")
def new_nonce_by_get(p):
    answer = p.ok(p.client().ask("GET", "newNonce"), 204)
    p.need(NONCE.fullmatch(answer.get("Replay-Nonce")) and "no-store" in answer.get("Cache-Control"), f"{answer.headers}")


@row("1.1", "RFC 8555 §6.3, §7.2", "POST-as-GET of newNonce", "200 or 204 with Replay-Nonce")
def new_nonce_by_post_as_get(p):
    client = p.account()
    answer = p.ok(client.post("newNonce"), 200, 204)
    p.need(NONCE.fullmatch(answer.get("Replay-Nonce")), "no Replay-Nonce")


@row("4", "acme-tiny", "GET of directory and newNonce with a Content-Type", "served")
def content_type_of_a_get(p):
    client, typed = p.client(), [("Content-Type", "application/jose+json")]
    p.ok(client.ask("GET", client.endpoint.url, headers=typed))
    p.ok(client.ask("GET", "newNonce", headers=typed), 204)


@row("1.1", "RFC 8555 §6.5", "each kind of answer to a POST, refusals too", "one Replay-Nonce, another one each time")
def nonce_in_every_answer(p):
    found = []
    for what, answer in several(p)[1:]:
        p.need(len(answer.all("Replay-Nonce")) == 1, f"{what}: {len(answer.all('Replay-Nonce'))} Replay-Nonce")
        found.append(answer.get("Replay-Nonce"))
    p.need(len(set(found)) == len(found), "the same nonce twice")


@row("1.1", "RFC 8555 §7.1", "each kind of answer", "Link index on all but the directory, each Link on a line of its own with rel in quotes")
def index_link(p):
    for what, answer in several(p):
        links = answer.all("Link")
        p.need(all(re.fullmatch(r'<[^<>]*>; ?rel="[^"]+"', each) for each in links), f"{what}: Link {links}")
        index = [each for each in links if 'rel="index"' in each]
        p.need(bool(index) != (what == "directory"), f"{what}: Link {links}")
        p.need(all(p.target.main.url in each for each in index), f"{what}: Link {index}")


@row("1.1", "RFC 8555 §7.1", "what is refused before the message is looked at: GET of newOrder, a body of 1 MiB, another Content-Type", "Link index, and Replay-Nonce on POSTs")
def index_link_of_http_refusals(p):
    client = p.account()
    answers = {"GET": client.ask("GET", "newOrder"), "1 MiB": client.send("newOrder", b"x" * 2 ** 20), "type": client.send("newOrder", b"{}", content_type="text/plain")}
    for what, answer in answers.items():
        p.need(any('rel="index"' in link for link in answer.all("Link")), f"{what}: {answer.status} with Link {answer.all('Link')}")
        p.need(what == "GET" or answer.get("Replay-Nonce"), f"{what}: {answer.status} without Replay-Nonce")


@row("1.1", "RFC 8555 §6.7, RFC 7807", "refusals of several kinds", "application/problem+json with type, detail and status; types of the registry")
def problem_documents(p):
    for what, answer in several(p):
        if answer.status >= 400:
            said = p.problem(answer, answer.status, REGISTERED)
            p.need(said.get("status") == answer.status, f"{what}: status {said.get('status')} in the body of {answer.status}")
            p.need("identifier" not in said, f"{what}: identifier at the top level")


@row("1.1", "RFC 8555 §6.7", "a POST below the directory to a path that is nobody's", "404 malformed, as a problem document")
def unknown_path(p):
    client = p.account()
    p.problem(client.post(p.directory()["newOrder"] + "-none"), 404, "malformed")


@row("1.1", "acme.md §1.1", "a message of 60 000 octets", "taken: attestation objects are as large", "H07")
def large_body(p):
    client = p.account()
    answer = client.post("newAccount", {"onlyReturnExisting": True, "x": "A" * 42_000})
    p.need(answer.status == 200 and answer.get("Location") == client.kid, shown(answer))


@row("1.1", "acme.md §1.1", "a message of 1 MiB", "413 malformed", "H07")
def oversized_body(p):
    client = p.account()
    p.problem(client.send("newAccount", client.message("newAccount", {"onlyReturnExisting": True, "x": "A" * 800_000})), 413, "malformed")


@row("4", "acme.sh, getssl", "directory, order, authorization", "slashes in JSON are not escaped, URLs are absolute")
def plain_json(p):
    for what, answer in several(p)[:5]:
        p.need(b"\\/" not in answer.body, f"{what} has escaped slashes")
    for url in [each for each in p.directory().values() if isinstance(each, str)]:
        p.need(urlsplit(url).scheme == "https" and urlsplit(url).netloc, f"{url} is not absolute")


@row("4", "acme.md §4", "forty requests", "one connection serves them all")
def keep_alive(p):
    client = p.account()
    with client.endpoint.connect() as wire:
        for _ in range(40):
            answer = wire.ask("HEAD", urlsplit(p.directory()["newNonce"]).path)
            p.need(answer.get("Connection").lower() != "close", "Connection: close")


@row("5", "RFC 9110 §9.3.2", "HEAD and GET of the directory", "the same Content-Length")
def head_of_the_directory(p):
    client = p.client()
    got, head = client.ask("GET", client.endpoint.url), client.ask("HEAD", client.endpoint.url)
    p.need(head.status == 200 and head.get("Content-Length") in ("", str(len(got.body))), f"HEAD: {head.status}, Content-Length {head.get('Content-Length')!r}")


@row("5", "RFC 8555 §6.5", "the nonce as a header of HTTP, none in the JWS", "400 badNonce or malformed, and the nonce stays good")
def nonce_as_http_header(p):
    client = p.account()
    nonce = client.nonce()
    answer = client.post(client.kid, nonce=DROP, headers=[("Replay-Nonce", nonce)])
    p.problem(answer, 400, ("badNonce", "malformed"))
    p.ok(client.post(client.kid, nonce=nonce))


@row("1.1", "RFC 8555 §7.1", "an unsupported method on newOrder: PUT, DELETE, PATCH", "405 with Allow")
def other_methods(p):
    client = p.client()
    for method in ("PUT", "DELETE", "PATCH"):
        answer = client.ask(method, "newOrder", b"{}")
        p.need(answer.status == 405 and "POST" in answer.get("Allow"), f"{method}: {shown(answer)} Allow {answer.get('Allow')!r} {kind_of(answer) or ''}")
