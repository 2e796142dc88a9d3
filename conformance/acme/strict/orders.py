"""Orders (RFC 8555 §7.1.3, §7.4) and who may see them (§10.5)."""
import datetime
import re

from harness import jose
from harness.jose import Key

from .probe import NotOffered, kind_of, parsed, row, shown
from .requests import csr_for

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def moment(days, seconds=0):
    """RFC 3339, from now."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days, seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@row("1.2", "RFC 8555 §7.1.3, §7.4", "newOrder of two names", "201 with Location; status, expires, identifiers as sent, one authorization each, finalize")
def order_is_made(p):
    client = p.account()
    names = [p.name(), p.name("www.")]
    answer = p.ok(client.new_order(*names), 201)
    said = parsed(answer)
    p.need(answer.get("Location").startswith("https://"), f"Location {answer.get('Location')!r}")
    p.need(said.get("status") == "pending" and RFC3339.fullmatch(str(said.get("expires"))), f"status {said.get('status')}, expires {said.get('expires')}")
    p.need(sorted(each["value"] for each in said["identifiers"]) == sorted(names), f"identifiers {said['identifiers']}")
    p.need(len(set(said["authorizations"])) == 2 and said["finalize"].startswith("https://"), f"{said}")
    p.need("certificate" not in said and "error" not in said, f"{said}")


@row("4", "dehydrated, golang x/crypto", "POST-as-GET of the order at once", "200, the same object, with Location")
def order_is_readable_at_once(p):
    client = p.account()
    url, order = client.order()
    answer = p.ok(client.post(url))
    p.need(parsed(answer) == order, "another object")
    p.need(answer.get("Location") == url, f"Location {answer.get('Location')!r}")


@row("1.2", "RFC 8555 §7.1.3", "the order when it is ready and when it is valid", "identifiers, authorizations and finalize as at the beginning; certificate only at the end")
def order_keeps_its_parts(p):
    client, names = p.account(), [p.name(), p.name("www.")]
    url, order = client.order(*names)
    client.prove(order)
    ready = client.until(url, "pending")
    p.need("certificate" not in ready, "a certificate before it is issued")
    p.ok(client.finalize(order, csr_for(Key(), *names)))
    client.fetched(url)
    for what, each in {"ready": ready, "valid": client.read(url)}.items():
        p.need(sorted(each["authorizations"]) == sorted(order["authorizations"]) and each["finalize"] == order["finalize"], f"{what}: {each}"[:150])
        p.need(sorted(one["value"] for one in each["identifiers"]) == sorted(names), f"{what}: {each['identifiers']}")


@row("1.2", "RFC 8555 §7.1.3", "POST of {} and of a member to an order", "400 malformed (or 200 with nothing changed)")
def order_is_only_read(p):
    client = p.account()
    url, order = client.order()
    for payload in ({}, {"status": "ready"}):
        p.need(client.post(url, payload).status in (200, 400, 405), shown(p.exchanges[-1].answer))
    p.need(client.read(url) == order, "the order changed")


@row("1.2", "RFC 8555 §7.4", "no identifiers, an empty list, text, objects without type or value, numbers", "400 malformed", "J22")
def order_of_nothing(p):
    client, name = p.account(), p.name()
    for identifiers in ([], None, "x", {}, [{}], [{"type": "dns"}], [{"value": name}], [name], [{"type": "dns", "value": 1}], [{"type": 1, "value": name}]):
        answer = client.post("newOrder", {"identifiers": identifiers})
        p.need(answer.status == 400 and kind_of(answer) in ("malformed", "rejectedIdentifier", "unsupportedIdentifier"), f"{identifiers}: {shown(answer)}")
    p.problem(client.post("newOrder", {}), 400, "malformed")


@row("5", "acme.md §1.2", "newOrder of 101 names, and of 500", "400 malformed or rejectedIdentifier", "J22")
def order_of_too_many_names(p):
    client = p.account()
    for count in (101, 500):
        answer = client.new_order(*(f"n{number}.{p.target.suffix}" for number in range(count)))
        p.problem(answer, 400, ("malformed", "rejectedIdentifier"))


@row("1.2", "RFC 8555 §7.4", "newOrder of a hundred names", "201: a bound lies above")
def order_of_a_hundred_names(p):
    client, name = p.account(), p.name()
    said = parsed(p.ok(client.new_order(*(f"n{number}.{name}" for number in range(100))), 201))
    p.need(len(said["authorizations"]) == 100, f"{len(said['authorizations'])} authorizations")


@row("1.2", "RFC 8555 §7.4; lego", "newOrder of a name twice, and once in capitals", "201 with that name once, in lower case", "J22")
def order_of_duplicates(p):
    client, name = p.account(), p.name()
    said = parsed(p.ok(client.new_order(name, name, name.upper()), 201))
    p.need(said["identifiers"] == [{"type": "dns", "value": name}] and len(said["authorizations"]) == 1, f"{said['identifiers']}")


@row("4", "golang x/crypto, lego", "newOrder with unknown members", "201, ignored")
def order_with_unknown_members(p):
    p.ok(p.account().new_order(p.name(), unknown={"a": 1}), 201)


@row("1.2", "RFC 8555 §7.4", "notBefore and notAfter within the profile", "201 with both, and a certificate that has them")
def order_with_dates(p):
    client, name = p.account(), p.name()
    begin, end = moment(0, -30), moment(3)
    answer = client.new_order(name, notBefore=begin, notAfter=end)
    if answer.status == 400 and kind_of(answer) in ("malformed", "rejectedIdentifier"):
        raise NotOffered(shown(answer))
    said = parsed(p.ok(answer, 201))
    p.need(said.get("notAfter") == end and said.get("notBefore") == begin, f"notBefore {said.get('notBefore')}, notAfter {said.get('notAfter')}")
    client.prove(said)
    p.ok(client.finalize(said, csr_for(Key(), name)))
    leaf = client.fetched(answer.get("Location"))[0]
    wanted = datetime.datetime.strptime(end, "%Y-%m-%dT%H:%M:%SZ")
    p.need(abs((leaf.not_valid_after - wanted).total_seconds()) <= 1, f"notAfter {leaf.not_valid_after}, asked for {wanted}")


@row("1.2", "RFC 8555 §7.4", "notAfter in the past, in year 10000, no date, before notBefore, a number", "400 malformed (or rejectedIdentifier)", "J22")
def order_with_bad_dates(p):
    client = p.account()
    for dates in ({"notAfter": moment(-1)}, {"notAfter": "10000-01-01T00:00:00Z"}, {"notAfter": "tomorrow"}, {"notBefore": moment(2), "notAfter": moment(1)}, {"notAfter": 1},
                  {"notBefore": "2027-02-30T00:00:00Z"}, {"notAfter": moment(10)[:-1]}):
        answer = client.new_order(p.name(), **dates)
        p.need(answer.status == 400 and kind_of(answer) in ("malformed", "rejectedIdentifier"), f"{dates}: {shown(answer)}")


@row("1.2", "RFC 8555 §7.4", "notAfter in a hundred years; notBefore a year ago", "refused: a server rejects and does not alter", "J22")
def order_with_dates_beyond_the_profile(p):
    client = p.account()
    for dates in ({"notAfter": moment(36_500)}, {"notBefore": moment(-366)}):
        answer = client.new_order(p.name(), **dates)
        p.need(answer.status in (400, 403) and kind_of(answer) in ("malformed", "rejectedIdentifier", "unauthorized", "invalidProfile"), f"{dates}: {shown(answer)}")


def absent_like(p, client, foreign, payload=""):
    """What is another's answers as what is nobody's: same status, header and body but for ids."""
    token = max(re.findall(r"[A-Za-z0-9_-]{8,}", foreign.split("/", 3)[3]), key=len)
    theirs, nobodys = client.post(foreign, payload), client.post(foreign.replace(token, jose.b64(bytes(range(64)))[:len(token)]), payload)
    p.need(theirs.status in (403, 404) and kind_of(theirs) in ("malformed", "unauthorized"), f"{foreign}: {shown(theirs)}")
    p.need(theirs.status == nobodys.status == 404, f"another's is {theirs.status}, an absent one {nobodys.status}")

    def masked(answer):
        ids = answer.get("X-Request-Id")
        body = answer.body.decode("utf-8", "replace")
        for each in (ids, token, jose.b64(bytes(range(64)))[:len(token)]):
            body = body.replace(each, "*") if each else body
        return body, sorted(name.lower() for name, _ in answer.headers)
    p.need(masked(theirs) == masked(nobodys), "the octets tell them apart")


@row("5", "RFC 8555 §10.5", "another's order, authorization, challenge, finalize and account; the same of nobody", "404 malformed, the same octets", "J12")
def another_account_sees_nothing(p):
    owner, stranger = p.account(), p.account()
    url, order = owner.order()
    authorization, challenge = owner.challenge(order)
    for each, payload in ((url, ""), (authorization, ""), (authorization, {"status": "deactivated"}), (challenge["url"], ""), (challenge["url"], {}), (owner.kid, ""),
                          (order["finalize"], {"csr": jose.b64(csr_for(Key(), "a.example"))})):
        absent_like(p, stranger, each, payload)
    p.need(owner.read(authorization)["status"] == "pending", "the stranger did something")


@row("5", "RFC 8555 §10.5", "another's certificate; nobody's", "404 malformed, the same octets", "J12")
def another_account_sees_no_certificate(p):
    owner, stranger = p.account(), p.account()
    url, _, _ = owner.certify()
    absent_like(p, stranger, owner.read(url)["certificate"])


@row("1.2", "RFC 8555 §7.4", "the same newOrder twice", "201 each time, with orders that can be used")
def order_twice(p):
    client, name = p.account(), p.name()
    for _ in range(2):
        url, order = client.order(name)
        p.need(order["status"] in ("pending", "ready"), f"status {order['status']}")
        p.ok(client.post(url))


@row("1.2", "draft-ietf-acme-profiles §3", "newOrder without a profile, with one of the directory", "201 with that profile in the order")
def order_with_a_profile(p):
    profiles = p.meta().get("profiles")
    if not profiles:
        raise NotOffered("meta has no profiles")
    client = p.account()
    p.need(all(isinstance(text, str) for text in profiles.values()), "a profile whose text is none (instant-acme)")
    p.need(parsed(p.ok(client.new_order(p.name()), 201)).get("profile") in profiles, "none where the server chose")
    for profile in profiles:
        p.need(parsed(p.ok(client.new_order(p.name(), profile=profile), 201)).get("profile") == profile, f"{profile} is not in the order")


@row("1.2", "draft-ietf-acme-profiles §3", "newOrder with a profile that the directory has not, empty, a number", "400 invalidProfile (malformed for a number)", "J24")
def order_with_an_unknown_profile(p):
    if not p.meta().get("profiles"):
        raise NotOffered("meta has no profiles")
    client = p.account()
    p.problem(client.new_order(p.name(), profile="nobody's"), 400, "invalidProfile")
    p.problem(client.new_order(p.name(), profile=1), 400, ("malformed", "invalidProfile"))


@row("1.2", "draft-ietf-acme-profiles §3", "newOrder with a profile of another directory of the server", "400 invalidProfile", "J24")
def order_with_a_foreign_profile(p):
    profiles = p.meta(p.other("elsewhere")).get("profiles") or {}
    foreign = next((each for each in profiles if each not in p.meta().get("profiles", {})), None)
    if not foreign:
        raise NotOffered("the other directory has no other profile")
    p.problem(p.account().new_order(p.name(), profile=foreign), 400, "invalidProfile")


@row("1.2", "RFC 8555 §7.4", "newOrder of a name that is outside the account's scope", "400 rejectedIdentifier or 403 unauthorized; inside it 201", "V13")
def order_outside_the_scope(p):
    client = p.account(p.other("scoped"))
    p.problem(client.new_order(p.name()), (400, 403), ("rejectedIdentifier", "unauthorized"))
    p.ok(client.new_order(p.name(below=f"inside.{p.target.suffix}")), 201)
