"""CAA (RFC 8659, RFC 8657)."""
import json

from harness.jose import Key

from .dns_01 import value_for
from .http_01 import named
from .names import CAA, SERVFAIL, TXT, caa, txt
from .order_names import wildcard
from .probe import NotOffered, kind_of, row, shown
from .requests import csr_for


def identities(p, endpoint=None):
    named(p)
    found = p.meta(endpoint).get("caaIdentities")
    if not found:
        raise NotOffered("meta has no caaIdentities: CAA is not looked up")
    return found


def attempt(p, client, order, *names):
    """The whole way with whatever CAA says: (the certificate's chain, None), or (None, the problem that ended it)."""
    for number in range(len(order["authorizations"])):
        _, challenge = client.challenge(order, "http-01", number)
        p.world.serve(challenge["token"], client.authorize(challenge))
        p.ok(client.post(challenge["url"], {}))
        said = client.until(challenge["url"], "pending", "processing")
        if said["status"] == "invalid":
            return None, said["error"]
    answer = client.finalize(order, csr_for(Key(), *names))
    return (None, json.loads(answer.body)) if answer.status >= 400 else (True, None)


def allowed(p, *records, name=None, below=""):
    identities(p)
    client, name = p.account(), name or p.name()
    p.world.dns.says(name, CAA, *records)
    url, order = client.order(below + name)
    done, problem = attempt(p, client, order, below + name)
    p.need(done, f"refused: {json.dumps(problem)[:150]}")
    client.fetched(url)


def refused(p, *records, name=None, below="", names=(), endpoint=None):
    identities(p)
    client, name = p.account(endpoint), name or p.name()
    if records:
        p.world.dns.says(name, CAA, *records)
    all_names = [below + name, *names]
    _, order = client.order(*all_names)
    done, problem = attempt(p, client, order, *all_names)
    p.need(not done, "issued")
    p.need(problem["type"].endswith(":caa"), f"{problem['type']}: {problem.get('detail', '')[:80]}")
    return problem


@row("2.3", "RFC 8659 §3", "no CAA; one of ours; one of ours beside another's", "issued")
def caa_permits(p):
    ours = identities(p)[0]
    allowed(p)
    allowed(p, caa("issue", ours))
    allowed(p, caa("issue", "other.example"), caa("issue", ours), caa("iodef", "mailto:a@example.org"))
    allowed(p, caa("issue", f" {ours.upper()} ; unknown=1"))


@row("2.3", "RFC 8659 §4.2", 'another\'s issue, issue ";", issue of malformed text', "caa", "V16")
def caa_forbids(p):
    for value in ("other.example", ";", "%%%%%"):
        refused(p, caa("issue", value))


@row("2.3", "RFC 8659 §3", "a parent that forbids, below it nothing; below it a set that permits; a parent that permits below one that forbids",
     "the nearest set decides", "V16")
def caa_climbs(p):
    ours = identities(p)[0]
    refused(p, caa("issue", ";"), below="www.")
    for parents, own, good in ((";", ours, True), (ours, ";", False)):
        name = p.name()
        p.world.dns.says(f"www.{name}", CAA, caa("issue", own))
        (allowed if good else refused)(p, caa("issue", parents), name=name, below="www.")


@row("2.3", "RFC 8659 §4.3", 'wildcards: issuewild ";" beside issue ours; issue ";" alone; issuewild ours beside issue ";"', "caa; caa; issued", "V16")
def caa_wildcard(p):
    ours = identities(p)[0]
    for records, good in (((caa("issue", ours), caa("issuewild", ";")), False), ((caa("issue", ";"),), False), ((caa("issue", ";"), caa("issuewild", ours)), True)):
        client, name, order = wildcard(p)
        p.world.dns.says(name, CAA, *records)
        _, challenge = client.challenge(order, "dns-01")
        p.world.dns.says(f"_acme-challenge.{name}", TXT, txt(value_for(client, challenge)))
        p.ok(client.post(challenge["url"], {}))
        said = client.until(challenge["url"], "pending", "processing")
        answer = client.finalize(order, csr_for(Key(), f"*.{name}"))
        kind = said["error"]["type"].rsplit(":", 1)[1] if said["status"] == "invalid" else kind_of(answer)
        p.need((answer.status == 200) if good else kind == "caa", f"{kind}: {shown(answer)}")


@row("2.3", "RFC 8659 §4.3", 'a plain name: issuewild ";" alone', "issued: issuewild says nothing of it")
def caa_issuewild_for_a_name(p):
    allowed(p, caa("issuewild", ";"))


@row("2.3", "RFC 8659 §4.1", "an unknown tag with the critical flag beside one that permits; without it", "caa; issued", "V16")
def caa_critical(p):
    ours = identities(p)[0]
    refused(p, caa("issue", ours), caa("tbs", "unknown", 128))
    allowed(p, caa("issue", ours), caa("tbs", "unknown"))


@row("2.3", "RFC 8657 §3", "accounturi of the account, of another, twice", "issued; caa; caa", "V16")
def caa_account(p):
    ours = identities(p)[0]
    client, other = p.account(), p.account()
    for parameters, good in ((f"accounturi={client.kid}", True), (f"accounturi={other.kid}", False), (f"accounturi={client.kid}; accounturi={other.kid}", False)):
        name = p.name()
        p.world.dns.says(name, CAA, caa("issue", f"{ours}; {parameters}"))
        url, order = client.order(name)
        done, problem = attempt(p, client, order, name)
        if done:
            client.fetched(url)
        p.need(bool(done) == good and (good or problem["type"].endswith(":caa")), f"{parameters}: {problem or 'issued'}"[:150])


@row("2.3", "RFC 8657 §4", "validationmethods with http-01, with dns-01 alone, with nothing", "issued; caa; caa", "V16")
def caa_methods(p):
    ours = identities(p)[0]
    allowed(p, caa("issue", f"{ours}; validationmethods=dns-01,http-01"))
    refused(p, caa("issue", f"{ours}; validationmethods=dns-01"))
    refused(p, caa("issue", f"{ours}; validationmethods="))


@row("2.3", "RFC 8659 §3", "SERVFAIL for CAA, at the name and at its parent", "caa (or dns)", "V16")
def caa_servfail(p):
    identities(p)
    for below in ("", "www."):
        client, name = p.account(), p.name()
        p.world.dns.does(name, CAA, SERVFAIL)
        _, order = client.order(below + name)
        done, problem = attempt(p, client, order, below + name)
        p.need(not done and problem["type"].rsplit(":", 1)[1] in ("caa", "dns"), f"{problem or 'issued'}"[:150])


@row("2.3", "RFC 8659 §3", "silence for CAA", "caa, dns or connection: no answer is no permission", "V16")
def caa_silence(p):
    identities(p)
    client, name = p.account(), p.name()
    p.world.dns.does(name, CAA, lambda question: None)
    _, order = client.order(name)
    done, problem = attempt(p, client, order, name)
    p.need(not done and problem["type"].rsplit(":", 1)[1] in ("caa", "dns", "connection"), f"{problem or 'issued'}"[:150])


@row("2.3", "LE 2020", "twenty names of which one forbids, each in its turn of four", "caa, and the detail or subproblem names it", "V15")
def caa_of_one_name_among_many(p):
    identities(p)
    for forbidding in (0, 7, 13, 19):
        names = [p.name() for _ in range(20)]
        p.world.dns.says(names[forbidding], CAA, caa("issue", ";"))
        problem = refused(p, name=names[0], names=names[1:])
        p.need(names[forbidding] in json.dumps(problem), f"{problem}"[:150])


@row("2.3", "CA/B BR 3.2.2.8", "a ready order whose CAA changed nine hours later", "caa at finalize: it is looked up again", "V15")
def caa_again_before_issuance(p):
    advance, late = p.hook("advance"), p.other("late")
    identities(p, late)
    client, name = p.account(late), p.name()
    _, order = client.ready(name)
    p.world.dns.says(name, CAA, caa("issue", ";"))
    advance(9 * 3600)
    p.problem(client.finalize(order, csr_for(Key(), name)), 403, "caa")
