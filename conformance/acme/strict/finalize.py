"""Finalizing (RFC 8555 §7.4)."""
import threading

from harness.jose import Key

from .probe import kind_of, parsed, row, shown
from .requests import csr_for


@row("5", "RFC 8555 §7.4", "finalize of a pending order", "403 orderNotReady; the order stays pending and can be proven and finalized", "J17")
def finalize_early(p):
    client, name = p.account(), p.name()
    url, order = client.order(name)
    csr = csr_for(Key(), name)
    p.problem(client.finalize(order, csr), 403, "orderNotReady")
    p.need(client.read(url)["status"] == "pending", f"the order is {client.read(url)['status']}")
    client.prove(order)
    p.ok(client.finalize(client.until(url, "pending"), csr))
    client.fetched(url)


@row("1.2", "RFC 8555 §7.4", "finalize of an invalid order", "403 orderNotReady", "J17")
def finalize_of_an_invalid_order(p):
    client, name = p.account(), p.name()
    url, order = client.order(name)
    client.attempt(order)
    p.need(client.until(url, "pending")["status"] == "invalid", "not invalid")
    p.problem(client.finalize(order, csr_for(Key(), name)), 403, "orderNotReady")


@row("4", "golang x/crypto, uacme, acme-tiny", "finalize of a ready order", "200 with Location of the order; status processing (with Retry-After) or valid, never ready")
def finalize_answer(p):
    client, name = p.account(), p.name()
    url, order = client.ready(name)
    answer = p.ok(client.finalize(order, csr_for(Key(), name)))
    client.fetched(url)
    p.need(answer.get("Location") == url, f"Location {answer.get('Location')!r}")
    status = parsed(answer)["status"]
    p.need(status in ("processing", "valid"), f"status {status}")
    p.need(status == "valid" or answer.get("Retry-After").isdigit(), f"processing with Retry-After {answer.get('Retry-After')!r}")
    p.need(status != "valid" or parsed(answer).get("certificate", "").startswith("https://"), "valid without certificate")


@row("1.2", "acme.md §1.2", "finalize again with the same CSR, with another", "200 with the order; 403 orderNotReady; one certificate", "J17")
def finalize_twice(p):
    client, name = p.account(), p.name()
    url, order = client.ready(name)
    csr = csr_for(Key(), name)
    p.ok(client.finalize(order, csr))
    client.fetched(url)
    certificate = client.read(url)["certificate"]
    again = client.finalize(order, csr)
    p.need(again.status == 200 and parsed(again).get("certificate") == certificate, f"the same: {shown(again)}")
    p.problem(client.finalize(order, csr_for(Key(), name)), 403, "orderNotReady")
    p.need(client.read(url).get("certificate") == certificate, "another certificate")


@row("1.2", "RFC 8555 §7.4", "64 finalizes of one order at once, each with another CSR", "one wins with 200, the others get 403 orderNotReady; one certificate, of the winner's key", "J17")
def finalize_64_times(p):
    client, name = p.account(), p.name()
    url, order = client.ready(name)
    posters, answers = [p.client(key=client.key) for _ in range(64)], []
    for each in posters:
        each.kid = client.kid
        each.csr_key = Key()
        each.keep(each.nonce())
    threads = [threading.Thread(target=lambda each=each: answers.append((each, each.finalize(order, csr_for(each.csr_key, name))))) for each in posters]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    leaf = client.fetched(url)[0]
    won = [each for each, answer in answers if answer.status == 200]
    p.need(len(won) == 1, f"{len(won)} got 200: {sorted({shown(answer)[:60] for _, answer in answers})}")
    p.need(all(kind_of(answer) == "orderNotReady" and answer.status == 403 for _, answer in answers if answer.status != 200),
           f"{sorted({shown(answer)[:60] for _, answer in answers})}")
    p.need(leaf.public_key().public_numbers() == won[0].csr_key.private.public_key().public_numbers(), "a certificate of a loser's key")


@row("1.2", "RFC 8555 §7.4", "an order whose certificate takes a while: finalize, poll, get it", "processing with Location and Retry-After in whole seconds, then valid")
def finalize_that_takes_a_while(p):
    approve = p.hook("approve")
    client, name = p.account(p.other("pending")), p.name()
    url, order = client.ready(name)
    answer = p.ok(client.finalize(order, csr_for(Key(), name)))
    read = p.ok(client.post(url))
    for what, each in {"finalize": answer, "the order": read}.items():
        p.need(parsed(each)["status"] == "processing", f"{what}: {parsed(each)['status']}")
        p.need(each.get("Location") == url and each.get("Retry-After").isdigit(), f"{what}: Location {each.get('Location')!r}, Retry-After {each.get('Retry-After')!r}")
        p.need("certificate" not in parsed(each), "a certificate already")
    approve(name)
    client.fetched(url)


@row("1.2", "RFC 8555 §7.4", "finalize by another account, of an order that is ready", "404 malformed, and it stays ready", "J12")
def finalize_by_another_account(p):
    client, other, name = p.account(), p.account(), p.name()
    url, order = client.ready(name)
    p.problem(other.finalize(order, csr_for(Key(), name)), (403, 404), ("malformed", "unauthorized"))
    p.need(client.read(url)["status"] == "ready", "not ready")
