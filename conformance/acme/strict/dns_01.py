"""Validation by dns-01 (RFC 8555 §8.4) and dns-account-01 (draft-ietf-acme-dns-account-label)."""
import base64
import hashlib
import json

from harness.jose import Key, b64

from .http_01 import named
from .names import NXDOMAIN, SERVFAIL, TXT, A, txt
from .order_names import wildcard
from .probe import row
from .requests import csr_for


def value_for(client, challenge):
    return b64(hashlib.sha256(client.authorize(challenge).encode()).digest())


def account_label(client):
    """draft-ietf-acme-dns-account-label-02 §3.1."""
    return "_" + base64.b32encode(hashlib.sha256(client.kid.encode()).digest()[:10]).decode().lower()


def started(p, kind="dns-01", name=None, order=None):
    """(client, order URL, order, challenge, owner of the record)"""
    named(p)
    client, name = p.account(), name or p.name()
    if order:
        wildcard(p)
    url, order = client.order(order or name)
    _, challenge = client.challenge(order, kind)
    owner = f"_acme-challenge.{name}"
    return client, url, order, challenge, owner if kind == "dns-01" else f"{account_label(client)}.{owner}"


def decided(p, client, challenge):
    p.ok(client.post(challenge["url"], {}))
    return client.until(challenge["url"], "pending", "processing")


def holds(p, set_up, **how):
    client, url, order, challenge, owner = started(p, **how)
    set_up(p.world.dns, owner, value_for(client, challenge))
    said = decided(p, client, challenge)
    p.need(said["status"] == "valid", f"{said['status']}: {json.dumps(said.get('error'))[:120]}")
    return client, url


def fails(p, set_up, *types, **how):
    client, url, order, challenge, owner = started(p, **how)
    set_up(p.world.dns, owner, value_for(client, challenge))
    said = decided(p, client, challenge)
    p.need(said["status"] == "invalid", f"the challenge is {said['status']}")
    return p.error_of(said, *types)


@row("2.1", "RFC 8555 §8.4", "the right TXT record", "valid")
def dns_01(p):
    holds(p, lambda dns, owner, value: dns.says(owner, TXT, txt(value)))


@row("2.1", "RFC 8555 §8.4", "the right record among others, last of five", "valid: any of them may match", "V07")
def dns_01_of_several(p):
    holds(p, lambda dns, owner, value: dns.says(owner, TXT, *(txt(f"other {n}") for n in range(4)), txt(value)))


@row("2.1", "RFC 8555 §8.4, RFC 1035 §3.3.14", "the right value in several strings of one record", "valid: strings are put together", "V07")
def dns_01_split_strings(p):
    holds(p, lambda dns, owner, value: dns.says(owner, TXT, txt(value[:10], value[10:20], "", value[20:])))


@row("2.1", "RFC 8555 §8.4", "the right value in two records, half in each", "invalid: unauthorized", "V07")
def dns_01_split_records(p):
    fails(p, lambda dns, owner, value: dns.says(owner, TXT, txt(value[:20]), txt(value[20:])), "unauthorized", "incorrectResponse")


@row("2.1", "RFC 8555 §8.4", "another value, the value in quotes, with spaces, in lower case, the key authorization itself", "invalid: unauthorized (or incorrectResponse)")
def dns_01_wrong_value(p):
    for spoil in (lambda v: "x" * 43, lambda v: f'"{v}"', lambda v: f" {v}", lambda v: v.swapcase(), lambda v: v + "="):
        fails(p, lambda dns, owner, value, spoil=spoil: dns.says(owner, TXT, txt(spoil(value))), "unauthorized", "incorrectResponse")


@row("2.1", "RFC 8555 §8.4", "no record, no such name", "invalid: unauthorized or dns")
def dns_01_without_a_record(p):
    fails(p, lambda dns, owner, value: dns.says(owner, TXT), "unauthorized", "dns", "incorrectResponse")
    fails(p, lambda dns, owner, value: dns.does(owner, TXT, NXDOMAIN), "unauthorized", "dns", "incorrectResponse")


@row("2.1", "RFC 8555 §8.4", "SERVFAIL, silence", "invalid: dns (or connection)", "V08")
def dns_01_servfail(p):
    fails(p, lambda dns, owner, value: dns.does(owner, TXT, SERVFAIL), "dns")


@row("2.1", "RFC 8555 §8.4", "a CNAME to another name that has the record, and over three CNAMEs", "valid")
def dns_01_by_alias(p):
    def alias(dns, owner, value):
        dns.alias(owner, f"elsewhere.{owner.partition('.')[2]}")
        dns.says(f"elsewhere.{owner.partition('.')[2]}", TXT, txt(value))

    def aliases(dns, owner, value):
        below = owner.partition(".")[2]
        for here, there in ((owner, f"a.{below}"), (f"a.{below}", f"b.{below}"), (f"b.{below}", f"c.{below}")):
            dns.alias(here, there)
        dns.says(f"c.{below}", TXT, txt(value))
    holds(p, alias)
    holds(p, aliases)


@row("2.1", "threats.md V07", "CNAMEs in a circle", "invalid: dns or unauthorized", "V07")
def dns_01_alias_loop(p):
    def circle(dns, owner, value):
        below = owner.partition(".")[2]
        dns.alias(owner, f"a.{below}")
        dns.alias(f"a.{below}", owner)
    fails(p, circle, "dns", "unauthorized", "incorrectResponse")


@row("2.1", "threats.md V07", "a thousand records with the right one last (TCP); 60 KiB in one answer", "decided either way, and the server goes on", "V07")
def dns_01_many_records(p):
    client, url, order, challenge, owner = started(p)
    value = value_for(client, challenge)
    p.world.dns.says(owner, TXT, *(txt(f"{n:05}") for n in range(999)), txt(value))
    first = decided(p, client, challenge)["status"]
    client, url, order, challenge, owner = started(p)
    p.world.dns.says(owner, TXT, *(txt("x" * 255) for _ in range(210)), txt(value_for(client, challenge)))
    second = decided(p, client, challenge)["status"]
    p.ok(client.post(client.kid))
    return f"{first}, {second}"


@row("2.1", "RFC 5452", "an answer with another id, of another question, from another port, before the right one", "valid: forgeries are passed over", "V08")
def dns_01_forged_answers(p):
    def forge(dns, owner, value):
        def answer(question):
            wrong = bytes([question.id[0] ^ 0x55, question.id[1]])
            return [question.answer([(TXT, txt("forged"))], number=wrong), question.answer([(TXT, txt(value))])]
        dns.does(owner, TXT, answer)
    holds(p, forge)


@row("2.1", "RFC 8555 §8.4", "a wildcard: the record at the name below", "valid; a certificate with the wildcard alone")
def dns_01_wildcard(p):
    name = p.name()
    client, url = holds(p, lambda dns, owner, value: dns.says(owner, TXT, txt(value)), name=name, order=f"*.{name}")
    order = client.until(url, "pending")
    p.ok(client.finalize(order, csr_for(Key(), f"*.{name}")))
    client.fetched(url)


@row("2.1", "RFC 8555 §8.4", "name and wildcard in one order: both records at one owner", "both valid")
def dns_01_name_and_wildcard(p):
    named(p)
    client, name, _ = wildcard(p)
    url, order = client.order(name, f"*.{name}")
    challenges = [client.challenge(order, "dns-01", number)[1] for number in range(2)]
    p.world.dns.says(f"_acme-challenge.{name}", TXT, *(txt(value_for(client, each)) for each in challenges))
    for each in challenges:
        p.need(decided(p, client, each)["status"] == "valid", "one is not valid")
    p.need(client.until(url, "pending")["status"] == "ready", "not ready")


@row("2.1", "RFC 8555 §8.4", "a name without an address that has the record", "valid: no address is needed")
def dns_01_without_an_address(p):
    def record(dns, owner, value):
        dns.does(owner.partition(".")[2], A, NXDOMAIN)
        dns.says(owner, TXT, txt(value))
    holds(p, record)


@row("2.1", "RFC 8555 §8.1", "the record of another order of the same account and name", "invalid: unauthorized", "V17")
def dns_01_record_of_another_order(p):
    named(p)
    client, name = p.account(), p.name()
    _, first = client.order(name)
    _, foreign = client.challenge(first, "dns-01")
    fails(p, lambda dns, owner, value: dns.says(owner, TXT, txt(value_for(client, foreign))), "unauthorized", "incorrectResponse")


@row("2.1", "draft-ietf-acme-dns-account-label §3", "the record at the account's label", "valid")
def dns_account_01(p):
    holds(p, lambda dns, owner, value: dns.says(owner, TXT, txt(value)), kind="dns-account-01")


@row("2.1", "draft-ietf-acme-dns-account-label §3", "the record at another account's label, and at dns-01's", "invalid: unauthorized or dns")
def dns_account_01_elsewhere(p):
    for label in ("_aaaaaaaaaaaaaaaa.", ""):
        fails(p, lambda dns, owner, value, label=label: dns.says(label + owner.partition(".")[2], TXT, txt(value)), "unauthorized", "dns", "incorrectResponse",
              kind="dns-account-01")
