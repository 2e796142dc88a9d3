"""External account bindings (RFC 8555 §7.3.4)."""
import threading

from harness import jose
from harness.jose import DROP, Key, b64

from .probe import kind_of, parsed, row, shown

# RFC 8555 names no type for a binding that is none.
FORM = ("malformed", "unauthorized", "badSignatureAlgorithm", "badPublicKey", "externalAccountRequired")


def bound(p):
    """An endpoint that requires bindings, and one of them."""
    endpoint = p.target.main if p.meta().get("externalAccountRequired") else p.other("bound")
    return endpoint, endpoint.bindings[0]


def binding(p, client, kid_and_key=None, key=None, **how):
    kid, mac_key = kid_and_key or client.endpoint.bindings[0]
    url = how.pop("url", p.directory(client.endpoint)["newAccount"])
    return jose.binding(kid, mac_key, url, key or client.key, **how)


def refused(p, what, make, statuses, types):
    endpoint, _ = bound(p)
    client = p.client(endpoint)
    answer = client.register(binding=make(client))
    p.need(answer.status in statuses and kind_of(answer) in types, f"{what}: {shown(answer)}")
    after = client.post("newAccount", {"onlyReturnExisting": True})
    p.need(kind_of(after) == "accountDoesNotExist", f"{what}: an account was made")


@row("1.2", "RFC 8555 §7.3.4", "newAccount without a binding where it is required, and with null", "403 externalAccountRequired, and no account", "J13")
def binding_left_out(p):
    endpoint, _ = bound(p)
    p.need(p.meta(endpoint).get("externalAccountRequired") is True, "meta.externalAccountRequired is not true")
    client = p.client(endpoint)
    p.problem(client.post("newAccount", {"termsOfServiceAgreed": True}), 403, "externalAccountRequired")
    p.problem(client.post("newAccount", {"onlyReturnExisting": True}), 400, "accountDoesNotExist")


@row("1.2", "RFC 8555 §7.3.4", "newOrder by an account without a binding, once bindings are required", "403 externalAccountRequired", "J13")
def order_of_an_account_without_binding(p):
    require = p.hook("require_binding")
    client = p.account(p.other("loose"))
    require()
    p.problem(client.new_order(p.name()), 403, "externalAccountRequired")


@row("1.2", "RFC 8555 §7.3.4", "a good binding with HS256", "201, and the account shows the binding")
def binding_good(p):
    endpoint, _ = bound(p)
    client = p.client(endpoint)
    sent = binding(p, client)
    answer = p.ok(client.register(binding=sent), 201)
    p.need(parsed(answer).get("externalAccountBinding") == sent or client.read(client.kid).get("externalAccountBinding") == sent, "not shown")


@row("1.2", "RFC 8555 §7.3.4", "good bindings with HS384 and HS512", "201")
def binding_longer_hashes(p):
    endpoint, (kid, mac_key) = bound(p)
    for alg, digest in (("HS384", "sha384"), ("HS512", "sha512")):
        client = p.client(endpoint)
        answer = client.register(binding=binding(p, client, alg=alg, sign=jose.mac(jose.unb64(mac_key), digest)))
        p.need(answer.status == 201, f"{alg}: {shown(answer)}")


@row("1.2", "RFC 8555 §7.3.4", "a wrong MAC key, an unknown key id, another's key", "401 or 403 unauthorized, and no account; the same words for all", "J14")
def binding_wrong_mac(p):
    endpoint, (kid, mac_key) = bound(p)
    said = set()
    for what, pair in {"wrong key": (kid, b64(bytes(32))), "unknown key id": ("nobody", mac_key)}.items():
        refused(p, what, lambda client, pair=pair: binding(p, client, pair), (401, 403), ("unauthorized",))
        said.add(str(parsed(p.exchanges[-2].answer)["detail"]).replace(pair[0], "*").split(" [")[0])
    p.need(len(said) == 1, f"who asks learns which key ids exist: {said}")


@row("1.2", "RFC 8555 §7.3.4", "the JWK of another key, another url, another payload than a JWK, none", "400, 401 or 403 (malformed, unauthorized), and no account", "J14")
def binding_of_another_key(p):
    for what, how in {"another JWK": {"payload": Key().jwk}, "another url": {"url": "https://evil.example/new-account"}, "no url": {"url": DROP}, "no JWK": {"payload": {}},
                      "text": {"payload": "x"}, "empty": {"payload": ""}}.items():
        refused(p, what, lambda client, how=how: binding(p, client, **how), (400, 401, 403), FORM)


@row("1.2", "RFC 8555 §7.3.4", "a nonce inside, alg ES256, none, HS1, no alg, no kid, a number as kid", "400, 401 or 403 (malformed, unauthorized, badSignatureAlgorithm), and no account", "J14")
def binding_of_another_form(p):
    _, (kid, mac_key) = bound(p)
    for what, how in {"nonce": {"nonce": "AAAA"}, "ES256": {"alg": "ES256"}, "none": {"alg": "none", "sign": lambda octets: b""}, "HS1": {"alg": "HS1"},
                      "no alg": {"alg": DROP}, "kid a number": {"kid_and_key": (5, mac_key)}, "no kid": {"kid_and_key": (DROP, mac_key)}}.items():
        refused(p, what, lambda client, how=how: binding(p, client, **how), (400, 401, 403), FORM)


@row("1.2", "RFC 7515 §7.2.2", "a binding that is text, a list, empty, without signature, general JSON, with an unprotected header", "400, 401 or 403 (malformed), and no account", "J14")
def binding_that_is_no_jws(p):
    for what, spoil in {"text": lambda b: "x", "list": lambda b: [b], "empty": lambda b: {}, "no signature": lambda b: {**b, "signature": DROP},
                        "header": lambda b: {**b, "header": {}}, "general": lambda b: {"payload": b["payload"], "signatures": [b]}}.items():
        def make(client, spoil=spoil):
            made = spoil(binding(p, client))
            return {name: value for name, value in made.items() if value is not DROP} if isinstance(made, dict) else made
        refused(p, what, make, (400, 401, 403), FORM)


@row("1.2", "RFC 8555 §7.3.4", "a binding at an endpoint that does not require one, made with no key of its", "refused, or ignored and not shown")
def binding_where_none_is_needed(p):
    if p.meta().get("externalAccountRequired"):
        return "required here"
    client = p.client()
    answer = client.register(binding=binding(p, client, ("nobody", b64(bytes(32)))))
    p.need(answer.status >= 400 or "externalAccountBinding" not in parsed(answer), "shown though nobody verified it")
    return shown(answer)


@row("1.2", "acme.md §1.2", "newOrder and newAccount by a key id that the administrator disabled", "401 or 403 unauthorized: its accounts stop too")
def binding_disabled(p):
    disable = p.hook("disable_binding")
    endpoint = p.other("bound")
    client, late = p.client(endpoint), p.client(endpoint)
    p.ok(client.register(binding=binding(p, client, endpoint.bindings[1])), 201)
    disable()
    p.problem(client.new_order(p.name()), (401, 403), "unauthorized")
    p.problem(late.register(binding=binding(p, late, endpoint.bindings[1])), (401, 403), "unauthorized")


@row("1.2", "acme.md §1.2", "a key id whose time is over", "401 or 403 unauthorized, and no account", "J14")
def binding_expired(p):
    endpoint = p.other("ended")
    client = p.client(endpoint)
    p.problem(client.register(binding=binding(p, client)), (401, 403), "unauthorized")
    p.problem(client.post("newAccount", {"onlyReturnExisting": True}), 400, "accountDoesNotExist")


@row("1.2", "acme.md §1.2", "a one-shot key id a second time, with another account key", "401 or 403 unauthorized, and no account", "J14")
def binding_used(p):
    endpoint = p.other("once")
    first = p.client(endpoint)
    p.ok(first.register(binding=binding(p, first, endpoint.bindings[-1])), 201)
    second = p.client(endpoint)
    p.problem(second.register(binding=binding(p, second, endpoint.bindings[-1])), (401, 403), "unauthorized")


@row("1.2", "acme.md §1.2", "a one-shot key id by 64 clients at once", "one account: 201 once, 401 or 403 the others", "J15")
def binding_by_64_at_once(p):
    endpoint = p.other("once")
    if len(endpoint.bindings) < 2:
        p.need(False, "no second one-shot key id was named")
    clients, answers = [p.client(endpoint) for _ in range(64)], []
    for client in clients:
        client.keep(client.nonce())
    each = [threading.Thread(target=lambda c=c: answers.append(c.register(binding=binding(p, c, endpoint.bindings[0])))) for c in clients]
    for one in each:
        one.start()
    for one in each:
        one.join()
    made = [answer for answer in answers if answer.status == 201]
    p.need(len(made) == 1 and all(answer.status in (201, 401, 403) for answer in answers), f"{len(made)} accounts")
