"""Accounts (RFC 8555 §7.1.2, §7.3)."""
import threading

from harness.jose import DROP, Key

from .jws import AGREED
from .probe import NotOffered, kind_of, parsed, row, shown


@row("1.2", "RFC 8555 §7.3", "newAccount with a contact", "201 with Location and status, contact and orders")
def account_is_made(p):
    client = p.client()
    answer = p.ok(client.register(contact=["mailto:admin@example.org"]), 201)
    said = parsed(answer)
    p.need(answer.get("Location").startswith("https://"), f"Location {answer.get('Location')!r}")
    p.need(said.get("status") == "valid" and said.get("contact") == ["mailto:admin@example.org"], f"{said}")
    p.need(str(said.get("orders", "")).startswith("https://"), "no orders")


@row("1.2", "RFC 8555 §7.3.1", "newAccount again with the same key and another contact", "200 with the same Location; the request's fields are ignored")
def account_again(p):
    client = p.account(contact=["mailto:one@example.org"])
    answer = p.ok(client.post("newAccount", {**AGREED, "contact": ["mailto:two@example.org"]}))
    p.need(answer.get("Location") == client.kid, f"Location {answer.get('Location')!r}")
    p.need(client.read(client.kid).get("contact") == ["mailto:one@example.org"], "the contact was changed")


@row("1.2", "RFC 8555 §7.3.1", "onlyReturnExisting with a key that has an account", "200 with Location")
def only_existing_hit(p):
    client = p.account()
    p.need(p.ok(client.post("newAccount", {"onlyReturnExisting": True})).get("Location") == client.kid, "another Location")


@row("1.2", "RFC 8555 §7.3.1", "onlyReturnExisting and a second newAccount, both without a binding, where one is required and the account exists", "200 with Location: bindings are asked of new accounts")
def only_existing_without_a_binding(p):
    endpoint = p.target.main if p.meta().get("externalAccountRequired") else p.other("bound")
    client = p.account(endpoint)
    for payload in ({"onlyReturnExisting": True}, AGREED):
        answer = client.post("newAccount", payload)
        p.need(answer.status == 200 and answer.get("Location") == client.kid, f"{payload}: {shown(answer)}")


@row("1.2", "RFC 8555 §7.3.1", "onlyReturnExisting with a new key, twice; with a bad contact; without agreement", "400 accountDoesNotExist each time: nothing is made or checked before")
def only_existing_miss(p):
    client = p.client()
    for more in ({}, {}, {"contact": ["tel:+15550100"]}):
        p.problem(client.post("newAccount", {"onlyReturnExisting": True, **more}), 400, "accountDoesNotExist")


@row("1.2", "RFC 8555 §7.3", "newAccount by 16 at once with one key", "one account: 201 once, then 200, all with one Location")
def account_16_times(p):
    key, answers = Key(), []
    clients = [p.client(key=key) for _ in range(16)]
    each = [threading.Thread(target=lambda client=client: answers.append(client.register())) for client in clients]
    for one in each:
        one.start()
    for one in each:
        one.join()
    p.need(sorted(answer.status for answer in answers) == [200] * 15 + [201], f"{sorted(answer.status for answer in answers)}")
    p.need(len({answer.get("Location") for answer in answers}) == 1, "several Locations")


def with_terms(p):
    """An endpoint that has terms of service."""
    return None if p.meta().get("termsOfService") else p.other("terms")


@row("1.2", "RFC 8555 §7.3.3", "newAccount without agreement, and with false", "403 userActionRequired with Link terms-of-service, and no account")
def terms_not_agreed(p):
    client = p.client(with_terms(p))
    terms = parsed(client.ask("GET", client.endpoint.url))["meta"]["termsOfService"]
    for agreed in (DROP, False):
        answer = client.register(termsOfServiceAgreed=agreed)
        p.problem(answer, 403, "userActionRequired")
        p.need(any(terms in link and 'rel="terms-of-service"' in link for link in answer.all("Link")), f"Link {answer.all('Link')}")
    p.problem(client.post("newAccount", {"onlyReturnExisting": True}), 400, "accountDoesNotExist")


@row("1.2", "RFC 8555 §7.3.3", "newOrder after the terms changed; agreement by an update; newOrder", "403 userActionRequired with Link terms-of-service and instance; then 201")
def terms_changed(p):
    change = p.hook("change_terms")
    client = p.account(p.other("terms"))
    change()
    answer = client.new_order(p.name())
    said = p.problem(answer, 403, "userActionRequired")
    p.need(str(said.get("instance", "")).startswith("https://"), "no instance")
    p.need(any('rel="terms-of-service"' in link for link in answer.all("Link")), f"Link {answer.all('Link')}")
    p.ok(client.post(client.kid, AGREED))
    p.ok(client.new_order(p.name()), 201)


def contact_refused(p, contact, *types):
    answer = p.client().register(contact=[contact])
    p.need(answer.status == 400 and kind_of(answer) in types, f"{contact!r}: {shown(answer)}")


@row("1.2", "RFC 8555 §7.3", "contacts tel:, https:, without a scheme", "400 unsupportedContact (invalidContact without a scheme)", "J23")
def contact_of_another_scheme(p):
    contact_refused(p, "tel:+15550100", "unsupportedContact")
    contact_refused(p, "https://example.org/", "unsupportedContact")
    contact_refused(p, "admin@example.org", "unsupportedContact", "invalidContact")


@row("1.2", "RFC 8555 §7.3", "mailto with ?cc=, with two addresses, with CR LF (plain and %0D%0A)", "400 invalidContact (or unsupportedContact)", "J23")
def contact_with_more(p):
    for each in ("mailto:a@example.org?cc=b@example.org", "mailto:a@example.org?subject=x", "mailto:a@example.org,b@example.org", "mailto:a@example.org%2Cb@example.org",
                 "mailto:a@example.org\r\nBcc: b@example.org", "mailto:a@example.org%0D%0ABcc:b@example.org"):
        contact_refused(p, each, "invalidContact", "unsupportedContact")


@row("1.2", "RFC 8555 §7.3", "mailto without an address, without @, with two @, non-ASCII, of 300 octets", "400 invalidContact (or unsupportedContact)", "J23")
def contact_of_no_address(p):
    for each in ("mailto:", "mailto:admin", "mailto:a@b@example.org", "mailto:\u00e4@example.org", f"mailto:{'a' * 300}@example.org", "mailto:admin@", "mailto:@example.org"):
        contact_refused(p, each, "invalidContact", "unsupportedContact")


@row("1.2", "acme.md §1.2", "a hundred contacts", "400 invalidContact (or malformed): their number has a bound", "J23")
def contacts_in_plenty(p):
    answer = p.client().register(contact=[f"mailto:a{n}@example.org" for n in range(100)])
    p.problem(answer, 400, ("invalidContact", "malformed", "unsupportedContact"))


@row("1.2", "RFC 8555 §7.1.2", "contact as text, as numbers, as objects", "400 malformed (or invalidContact)", "J23")
def contact_of_another_type(p):
    for contact in ("mailto:a@example.org", [1], [{}], {"a": 1}):
        answer = p.client().register(contact=contact)
        p.need(answer.status == 400 and kind_of(answer) in ("malformed", "invalidContact"), f"{contact}: {shown(answer)}")


@row("1.2", "RFC 8555 §7.3", "an empty list of contacts, none, a mailto in capitals", "201")
def contact_left_out(p):
    for contact in ([], DROP, ["MAILTO:Admin@Example.org"]):
        p.ok(p.client().register(contact=contact), 201)


@row("1.2", "RFC 8555 §7.3.2", "POST-as-GET of the account", "200 with the object")
def account_read(p):
    client = p.account(contact=["mailto:a@example.org"])
    said = client.read(client.kid)
    p.need(said.get("status") == "valid" and said.get("contact") == ["mailto:a@example.org"], f"{said}")


@row("1.2", "RFC 8555 §7.3.2", "an update with {} and with unknown members", "200 with the object, nothing changed")
def account_empty_update(p):
    client = p.account(contact=["mailto:a@example.org"])
    for payload in ({}, {"unknown": True, "orders": "https://evil.example/"}):
        said = parsed(p.ok(client.post(client.kid, payload)))
        p.need(said.get("contact") == ["mailto:a@example.org"] and "evil" not in str(said), f"{said}")


@row("1.2", "RFC 8555 §7.3.2", "an update of the contact; of the contact to none; to a bad one", "200 and stored; 400 and as before")
def account_contact_update(p):
    client = p.account(contact=["mailto:a@example.org"])
    p.ok(client.post(client.kid, {"contact": ["mailto:b@example.org"]}))
    p.need(client.read(client.kid).get("contact") == ["mailto:b@example.org"], "not stored")
    p.problem(client.post(client.kid, {"contact": ["tel:+15550100"]}), 400, "unsupportedContact")
    p.need(client.read(client.kid).get("contact") == ["mailto:b@example.org"], "a refused one was stored")
    p.ok(client.post(client.kid, {"contact": []}))
    p.need(not client.read(client.kid).get("contact"), "still a contact")


@row("1.2", "RFC 8555 §7.3.2", "status valid, revoked, a number, in an update", "400 malformed, and the account is valid")
def account_other_status(p):
    client = p.account()
    for status in ("revoked", 1, "pending"):
        answer = client.post(client.kid, {"status": status})
        p.need(answer.status in (400, 403) and kind_of(answer) in ("malformed", "unauthorized"), f"{status}: {shown(answer)}")
    p.need(client.read(client.kid)["status"] == "valid", "not valid")


@row("1.2", "RFC 8555 §7.3.6", "status deactivated; then every resource", "200; then 401 unauthorized each time, and by newAccount too: the key stays burnt", "J11")
def account_deactivated(p):
    client = p.account()
    url, order = client.order()
    said = parsed(p.ok(client.post(client.kid, {"status": "deactivated"})))
    p.need(said.get("status") == "deactivated", f"status {said.get('status')}")
    for each, payload in ((client.kid, ""), ("newOrder", {"identifiers": [{"type": "dns", "value": p.name()}]}), (url, ""), (order["authorizations"][0], ""),
                          (client.kid, {"contact": []})):
        p.problem(client.post(each, payload), 401, "unauthorized")
    answer = p.client(key=client.key).post("newAccount", AGREED)
    p.problem(answer, (401, 403), "unauthorized")


@row("1.1", "RFC 8555 §6.2", "a kid that is nobody's, of another host, empty, a path, with a query", "400 accountDoesNotExist (malformed where it is no URL of the server)", "J11")
def kid_of_nobody(p):
    client = p.account()
    token = client.kid.rsplit("/", 1)[1]
    for kid in (client.kid.replace(token, "0" * len(token)), client.kid.replace(client.kid.split("/")[2], "evil.example"), "", "1", "/" + client.kid.split("/", 3)[3],
                client.kid + "?a=b", client.kid + "/"):
        answer = client.post("newOrder", {"identifiers": []}, kid=kid)
        p.need(answer.status == 400 and kind_of(answer) in ("accountDoesNotExist", "malformed"), f"{kid}: {shown(answer)}")
        own = kid.startswith(client.kid.removesuffix(token)) and "?" not in kid and not kid.endswith("/")
        p.need(not own or kind_of(answer) == "accountDoesNotExist", f"{kid}: {shown(answer)}")


@row("1.2", "RFC 8555 §7.3", "the kid of another directory of the server", "400 accountDoesNotExist", "J11")
def kid_of_another_directory(p):
    client, other = p.account(), p.account(p.other("elsewhere"))
    p.problem(other.post("newOrder", {"identifiers": []}, kid=client.kid), 400, "accountDoesNotExist")
    other.key = client.key
    p.problem(other.post("newOrder", {"identifiers": []}, kid=client.kid), 400, "accountDoesNotExist")


@row("1.2", "RFC 8555 §7.3", "newAccount at another directory with the same key", "201: an account is unique by directory and key")
def key_at_another_directory(p):
    client = p.account()
    other = p.account(p.other("elsewhere"), key=client.key)
    p.need(other.kid != client.kid, "the same account")


@row("1.2", "RFC 8555 §7.1.2", "termsOfServiceAgreed and onlyReturnExisting that are no booleans", "400 malformed")
def flags_of_another_type(p):
    for member in ("onlyReturnExisting", "termsOfServiceAgreed"):
        p.problem(p.client().register(**{member: "true"}), 400, "malformed")


@row("1.2", "RFC 8555 §7.1.2.1", "POST-as-GET of the orders list after two orders; of a third account's", "200 with both; 404 for the other")
def orders_list(p):
    client, other = p.account(), p.account()
    orders = client.read(client.kid).get("orders")
    if not orders:
        raise NotOffered("accounts have no orders list")
    made = [client.order()[0] for _ in range(2)]
    listed = client.read(orders).get("orders")
    p.need(set(made) <= set(listed or []), f"listed {len(listed or [])} of 2")
    p.need(other.post(orders).status in (401, 403, 404), f"another's: {shown(other.post(orders))}")


@row("1.2", "RFC 8555 §7.1.2.1", "the orders list, with Link next while there is one, of 110 orders", "every pending order once")
def orders_list_pages(p):
    client = p.account()
    orders = client.read(client.kid).get("orders")
    if not orders:
        raise NotOffered("accounts have no orders list")
    made = {client.order(p.name())[0] for _ in range(110)}
    listed, pages = [], 0
    while orders:
        answer = p.ok(client.post(orders))
        listed += parsed(answer)["orders"]
        pages += 1
        orders = next((link.split("<")[1].split(">")[0] for link in answer.all("Link") if 'rel="next"' in link), None)
    p.need(set(listed) == made and len(listed) == len(made), f"{len(listed)} listed, {len(made)} made")
    return f"{pages} pages"


@row("1.2", "RFC 8555 §7.1.2.1", "the orders list after an order became invalid", "invalid orders are not listed")
def orders_list_without_invalid(p):
    client = p.account()
    orders = client.read(client.kid).get("orders")
    if not orders:
        raise NotOffered("accounts have no orders list")
    url, order = client.order()
    p.ok(client.post(order["authorizations"][0], {"status": "deactivated"}))
    p.need(client.read(url)["status"] == "invalid", f"the order is {client.read(url)['status']}")
    p.need(url not in client.read(orders)["orders"], "listed")
