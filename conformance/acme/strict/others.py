"""Many at once, limits, and what test endpoints do on purpose (acme.md §1.1, §5)."""
import threading

from harness.jose import Key

from .client import certificates
from .probe import Deviation, parsed, row
from .requests import csr_for


@row("5", "RFC 8555 §6.5", "a directory that refuses nonces at random: twenty accounts and orders, retried as clients do", "all come through")
def chaos_of_nonces(p):
    endpoint = p.other("chaos")
    for _ in range(20):
        client = p.account(endpoint)
        client.order()
    refused = [each for each in p.exchanges if each.answer.status == 400 and b"badNonce" in each.answer.body]
    p.need(refused, "none was refused")
    p.need(all(len(each.answer.all("Replay-Nonce")) == 1 for each in refused), "badNonce without Replay-Nonce")
    return f"{len(refused)} refused"


@row("1.1", "RFC 8555 §6.6", "newOrder until there are too many", "429 rateLimited with Retry-After in whole seconds and Link help")
def rate_limited(p):
    client = p.account(p.other("limited"))
    for _ in range(200):
        answer = client.new_order(p.name())
        if answer.status != 201:
            break
    p.problem(answer, 429, "rateLimited")
    p.need(answer.get("Retry-After").isdigit(), f"Retry-After {answer.get('Retry-After')!r}")
    p.need(any('rel="help"' in link for link in answer.all("Link")), f"Link {answer.all('Link')}")


@row("5", "boulder load-generator", "eight clients at once, each: account, three times order, http-01, finalize, download, revoke", "201 and 200 as RFC 8555 says, each with Location; every certificate its own")
def many_at_once(p):
    failures, serials = [], []

    def one(client):
        try:
            for _ in range(3):
                name = p.name()
                answer = p.ok(client.new_order(name), 201)
                url, order = answer.get("Location"), parsed(answer)
                client.prove(order)
                p.ok(client.finalize(client.until(url, "pending"), csr_for(Key(), name)))
                valid = client.until(url, "processing", "ready")
                p.need(valid["status"] == "valid" and valid["certificate"].startswith("https://"), f"{valid['status']}")
                leaf = certificates(p.ok(client.post(valid["certificate"])).body)[0]
                serials.append(leaf.serial_number)
                p.issued.append(leaf)
                p.ok(client.revoke(leaf))
        except (Deviation, OSError) as wrong:
            failures.append(str(wrong))

    clients = [p.account() for _ in range(8)]
    threads = [threading.Thread(target=one, args=(client,)) for client in clients]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    p.need(not failures, f"{len(failures)}: {failures[:1]}")
    p.need(len(set(serials)) == 24, f"{len(set(serials))} serials of 24")
