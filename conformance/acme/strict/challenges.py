"""Challenges: posting and reading them (RFC 8555 §7.5.1, §8)."""
import threading
import time

from harness.web import says

from .client import SECONDS
from .dns_01 import value_for
from .http_01 import named
from .names import TXT, txt
from .orders import RFC3339
from .probe import NotOffered, parsed, row, shown


@row("1.2", "RFC 8555 §7.5.1; certbot", "POST of {} to a challenge", "200: the challenge, its url as posted, Link up to the authorization")
def challenge_posted(p):
    client = p.account()
    _, order = client.order()
    authorization, challenge = client.challenge(order)
    p.world.serve(challenge["token"], client.authorize(challenge))
    answer = p.ok(client.post(challenge["url"], {}))
    said = parsed(answer)
    p.need(said.get("url") == challenge["url"] and said.get("token") == challenge["token"] and said.get("type") == "http-01", f"{said}")
    p.need(any(authorization in link and 'rel="up"' in link for link in answer.all("Link")), f"Link {answer.all('Link')}")
    p.need(said["status"] in ("pending", "processing", "valid"), f"status {said['status']}")
    p.need(client.until(challenge["url"], "pending", "processing")["status"] == "valid", "it failed")


@row("1.2", "RFC 8555 §7.5.1", "POST-as-GET of a challenge", "200: the challenge, Link up; nothing is started")
def challenge_read(p):
    client = p.account()
    _, order = client.order()
    authorization, challenge = client.challenge(order)
    for _ in range(2):
        answer = p.ok(client.post(challenge["url"]))
        p.need(parsed(answer)["status"] == "pending" and any('rel="up"' in link for link in answer.all("Link")), shown(answer))
    p.need(not p.world.requests_for(challenge["token"]), "the web server was asked")
    p.need(client.read(authorization)["status"] == "pending", "it is no longer pending")


@row("1.2", "RFC 8555 §7.5.1", "a payload that is a list, text, a number", "400 malformed, nothing is started")
def challenge_of_no_object(p):
    client = p.account()
    _, order = client.order()
    _, challenge = client.challenge(order)
    for payload in ("[]", '"x"', "1", "{"):
        p.problem(client.post(challenge["url"], payload), 400, "malformed")
    p.need(client.read(challenge["url"])["status"] == "pending" and not p.world.requests_for(challenge["token"]), "it was started")


@row("1.2", "acme.md §1.2", "a challenge posted with the old keyAuthorization and with unknown members", "200, and validated")
def challenge_with_key_authorization(p):
    client = p.account()
    _, order = client.order()
    _, challenge = client.challenge(order)
    p.world.serve(challenge["token"], client.authorize(challenge))
    p.ok(client.post(challenge["url"], {"keyAuthorization": client.authorize(challenge), "resource": "challenge", "unknown": 1}))
    p.need(client.until(challenge["url"], "pending", "processing")["status"] == "valid", "it failed")


@row("1.2", "RFC 8555 §8", "a challenge posted with another's keyAuthorization", "400 malformed or unauthorized, or ignored", "V06")
def challenge_with_a_wrong_key_authorization(p):
    client = p.account()
    _, order = client.order()
    _, challenge = client.challenge(order)
    wrong = f"{challenge['token']}.{'A' * 43}"
    p.world.serve(challenge["token"], wrong)
    answer = client.post(challenge["url"], {"keyAuthorization": wrong})
    p.need(answer.status in (200, 400, 401, 403), shown(answer))
    if answer.status == 200:
        p.need(client.until(challenge["url"], "pending", "processing")["status"] == "invalid", "a wrong key authorization was taken")


@row("5", "acme.md §1.2", "a challenge that is valid, and one that is invalid, posted again", "200, unchanged, and nobody is asked again", "V18")
def challenge_posted_again(p):
    client = p.account()
    for good in (True, False):
        _, order = client.order()
        _, challenge = client.challenge(order)
        if good:
            p.world.serve(challenge["token"], client.authorize(challenge))
        p.ok(client.post(challenge["url"], {}))
        decided = client.until(challenge["url"], "pending", "processing")
        asked = len(p.world.requests_for(challenge["token"]))
        answer = client.post(challenge["url"], {})
        p.need(answer.status == 200 and parsed(answer) == decided, f"{decided['status']}: {shown(answer)}")
        p.need(len(p.world.requests_for(challenge["token"])) == asked, "asked again")


@row("1.2", "RFC 8555 §7.1.5", "a challenge that failed", "invalid with error: a problem document that names the host", "V06")
def challenge_failed(p):
    client, name = p.account(), p.name()
    _, order = client.order(name)
    _, challenge = client.challenge(order)
    p.world.serve(challenge["token"], "something else")
    said = client.attempt(order)
    p.need(said["status"] == "invalid", f"status {said['status']}")
    error = p.error_of(said, "incorrectResponse", "unauthorized")
    p.need(error.get("detail") and ("validated" not in said or RFC3339.fullmatch(said["validated"])), f"{said}")


def ask_at_once(p, count):
    """Posts one challenge by that many at once: (how often the web server was asked, the statuses of the answers). The web server answers
    when all have been posted or are on their way."""
    client = p.account()
    _, order = client.order()
    _, challenge = client.challenge(order)
    gate = threading.Event()

    def answer(request):
        gate.wait(60)
        says(client.authorize(challenge).encode())(request)

    p.world.serve(challenge["token"], answer)
    posters = [p.client(key=client.key) for _ in range(count)]
    answers = []
    for each in posters:
        each.kid = client.kid
        each.keep(each.nonce())
    threads = [threading.Thread(target=lambda each=each: answers.append(each.post(challenge["url"], {}))) for each in posters]
    for each in threads:
        each.start()
    gate.set()
    for each in threads:
        each.join()
    p.need(client.until(challenge["url"], "pending", "processing")["status"] == "valid", "it failed")
    return len(p.world.requests_for(challenge["token"])), [answer.status for answer in answers]


@row("1.2", "RFC 8555 §7.5.1", "64 posts of one challenge at once", "one attempt: the web server is asked as often as for a single post", "V18")
def challenge_64_times(p):
    alone, _ = ask_at_once(p, 1)
    together, statuses = ask_at_once(p, 64)
    p.need(set(statuses) <= {200, 400, 403}, f"statuses {sorted(set(statuses))}")
    p.need(together == alone, f"asked {together} times instead of {alone}")


@row("1.1", "RFC 8555 §7.5.1, §8.2", "the authorization while its challenge is being validated", "pending, the challenge processing (or pending), with Retry-After in whole seconds")
def challenge_while_it_runs(p):
    client = p.account()
    _, order = client.order()
    authorization, challenge = client.challenge(order)
    asked, gate = threading.Event(), threading.Event()

    def answer(request):
        asked.set()
        gate.wait(60)
        says(client.authorize(challenge).encode())(request)

    p.world.serve(challenge["token"], answer)
    try:
        posted = p.ok(client.post(challenge["url"], {}))
        p.need(asked.wait(60), "nobody asked the web server")
        read, whole = client.post(challenge["url"]), client.post(authorization)
    finally:
        gate.set()
    p.need(parsed(whole)["status"] == "pending" and parsed(posted)["status"] in ("pending", "processing"), f"{parsed(whole)['status']}, {parsed(posted)['status']}")
    for what, each in {"the post": posted, "the challenge": read, "the authorization": whole}.items():
        p.need(each.get("Retry-After").isdigit(), f"{what}: Retry-After {each.get('Retry-After')!r}")
    p.need(client.until(challenge["url"], "pending", "processing")["status"] == "valid", "it failed")


def spreading(p):
    """(client, order URL, challenge, its value's owner) of dns-01 at a server that waits for its next attempt: the first one, which found no record, is over."""
    named(p)
    client, name = p.account(p.other("late")), p.name()
    url, order = client.order(name)
    _, challenge = client.challenge(order, "dns-01")
    owner = f"_acme-challenge.{name}"
    p.world.dns.says(owner, TXT)
    p.ok(client.post(challenge["url"], {}))
    end = time.monotonic() + SECONDS
    while "error" not in (said := client.read(challenge["url"])):
        p.need(time.monotonic() < end, "no error, however long one waits")
        time.sleep(0.02)
    if said["status"] == "invalid":
        raise NotOffered("a challenge has one attempt: invalid is final")
    return client, url, challenge, owner


@row("1.2", "RFC 8555 §8.2", "a challenge whose first attempt failed while a record spreads, read, and posted again when it is there",
     "processing with the error and Retry-After, its order pending; then another attempt at once, and valid")
def challenge_retried(p):
    client, url, challenge, owner = spreading(p)
    answer = p.ok(client.post(challenge["url"]))
    said = parsed(answer)
    p.need(said["status"] == "processing" and answer.get("Retry-After").isdigit(), f"{said['status']}, Retry-After {answer.get('Retry-After')!r}")
    p.error_of(said, "unauthorized", "incorrectResponse", "dns")
    p.need(client.read(url)["status"] == "pending", f"the order is {client.read(url)['status']}")
    p.world.dns.says(owner, TXT, txt(value_for(client, challenge)))
    p.ok(client.post(challenge["url"], {}))
    decided = client.until(challenge["url"], "pending", "processing")
    p.need(decided["status"] == "valid" and "error" not in decided, f"{decided}")
    p.need(client.read(url)["status"] == "ready", "the order is not ready")


@row("1.2", "RFC 8555 §8.2", "the same, and nobody posts again", "another attempt by itself, and valid")
def challenge_retried_by_itself(p):
    advance = p.hook("advance")
    client, url, challenge, owner = spreading(p)
    p.world.dns.says(owner, TXT, txt(value_for(client, challenge)))
    advance(3600)
    p.need(client.until(challenge["url"], "processing")["status"] == "valid", "it failed")
    p.need(client.read(url)["status"] == "ready", "the order is not ready")
