"""Which names can be ordered (RFC 8555 §7.1.3, §7.1.4; RFC 5890, RFC 8738)."""
from cryptography import x509

from harness.jose import Key

from .probe import NotOffered, kind_of, parsed, row, shown
from .requests import csr_for, ip_name

REFUSED = ("malformed", "rejectedIdentifier", "unsupportedIdentifier")


def refused(p, *names, types=REFUSED):
    client = p.account()
    for name in names:
        answer = client.new_order(name)
        p.need(answer.status == 400 and kind_of(answer) in types, f"{name!r}: {shown(answer)}"[:200])


def filled(size):
    """Labels and dots of so many octets together."""
    labels = []
    while size > 63:
        labels.append("a" * (63 if size > 64 else 62))
        size -= len(labels[-1]) + 1
    return ".".join([*labels, "a" * size])


@row("1.2", "RFC 8555 §7.1.3, RFC 1123 §2.1", "empty, a..b, .a, -a, a-, a_b, with a space, a slash, NUL, a port", "400 malformed or rejectedIdentifier", "V11")
def name_of_bad_form(p):
    below = p.target.suffix
    refused(p, "", f"a..{below}", f".{below}", f"-a.{below}", f"a-.{below}", f"a b.{below}", f"a/b.{below}", f"a\0.{below}", f"{below}:80", f"a@{below}", f"a\n.{below}",
            f"http://{below}")


@row("1.2", "RFC 8555 §7.1.3", "a trailing dot", "400 malformed or rejectedIdentifier", "V11")
def name_with_a_trailing_dot(p):
    refused(p, p.name() + ".")


@row("1.2", "RFC 1035 §2.3.4", "a label of 64 octets, a name of 254", "400 malformed or rejectedIdentifier", "V11")
def name_too_long(p):
    below = p.target.suffix
    refused(p, f"{'a' * 64}.{below}", f"{filled(253 - len(below))}.{below}")


@row("1.2", "RFC 1035 §2.3.4", "a label of 63 octets, a name of 253", "201", "V11")
def name_of_full_length(p):
    client, below = p.account(), p.name()
    for name in (f"{'a' * 63}.{below}", f"{filled(252 - len(below))}.{below}"):
        answer = client.new_order(name)
        p.need(answer.status == 201, f"{len(name)} octets: {shown(answer)}"[:150])


@row("1.2", "RFC 8555 §7.1.3", "*, *.*.x, a.*.x, a*.x, **.x, *x", "400 malformed or rejectedIdentifier", "V11")
def wildcard_elsewhere(p):
    below = p.target.suffix
    refused(p, "*", f"*.*.{below}", f"a.*.{below}", f"a*.{below}", f"**.{below}", f"*a.{below}", "*.")


@row("1.2", "RFC 8738 §3, acme.md §1.2", "IPv4 and IPv6 addresses as type dns, decimal and hexadecimal ones too", "400 malformed or rejectedIdentifier", "V11")
def address_as_name(p):
    refused(p, "192.0.2.1", "[2001:db8::1]", "2001:db8::1", "127.0.0.1", "2130706433", "0x7f000001")


@row("1.2", "RFC 5891", "U-labels, as they are and percent-encoded", "400 malformed or rejectedIdentifier: ACME wants A-labels", "V12")
def name_in_unicode(p):
    refused(p, f"b\u00fccher.{p.target.suffix}", f"bu\u0308cher.{p.target.suffix}", f"b%C3%BCcher.{p.target.suffix}")


@row("1.2", "RFC 5891 §4, RFC 5892", "A-labels that decode to nothing, to capitals, to what is not NFC, to ASCII; R-LDH labels (ab--c)", "400 rejectedIdentifier or malformed", "V12")
def name_of_bad_punycode(p):
    below = p.target.suffix
    refused(p, *(f"{label}.{below}" for label in ("xn--", "xn--a", "xn--999999999", "xn--bcher-kva8445foa", "xn--abc-", "xn--buecher-7ea0000000", "ab--c", "xn--u-ccb")),
            types=("rejectedIdentifier", "malformed"))


@row("1.2", "RFC 5890, UTS #39", "labels of mixed scripts: Latin a with Cyrillic letters", "400 rejectedIdentifier", "V12")
def name_of_mixed_scripts(p):
    label = "\u0440\u0430ypal".encode("idna").decode()
    refused(p, f"{label}.{p.target.suffix}", types=("rejectedIdentifier",))


@row("1.2", "RFC 5891", "an A-label that is right (xn--bcher-kva)", "201, as sent")
def name_of_good_punycode(p):
    name = f"xn--bcher-kva.{p.name()}"
    p.need(parsed(p.ok(p.account().new_order(name), 201))["identifiers"][0]["value"] == name, "another name")


@row("1.2", "threats.md V13", "public suffixes: com, co.uk, *.co.uk, *.com", "400 rejectedIdentifier (403 unauthorized)", "V13")
def name_that_is_a_public_suffix(p):
    client = p.account()
    for name in ("com", "co.uk", "*.co.uk", "*.com", "github.io"):
        answer = client.new_order(name)
        p.need(answer.status in (400, 403) and kind_of(answer) in ("rejectedIdentifier", "unauthorized", "malformed"), f"{name}: {shown(answer)}")


@row("1.2", "threats.md V13", "internal names that no scope lists: localhost, intranet, a.corp, a.local, a.internal", "400 rejectedIdentifier (403 unauthorized)", "V13")
def name_that_is_internal(p):
    client = p.account(p.other("guarded"))
    for name in ("localhost", "intranet", "a.corp", "a.local", "a.internal", "a.home.arpa", "a.invalid"):
        answer = client.new_order(name)
        p.need(answer.status in (400, 403) and kind_of(answer) in ("rejectedIdentifier", "unauthorized", "malformed"), f"{name}: {shown(answer)}")


@row("1.1", "RFC 8555 §6.7.1", "newOrder of two bad names and a good one", "400 rejectedIdentifier (or malformed) with a subproblem and identifier for each bad one", "V11")
def several_bad_names(p):
    client, good = p.account(), p.name()
    bad = [f"a..{p.target.suffix}", f"-b.{p.target.suffix}"]
    said = p.problem(client.new_order(bad[0], good, bad[1]), 400, ("rejectedIdentifier", "malformed", "compound"))
    named = [each.get("identifier", {}).get("value") for each in said.get("subproblems", [])]
    p.need(sorted(named) == sorted(bad), f"subproblems for {named}")
    p.need("identifier" not in said, "identifier at the top level")


@row("1.2", "RFC 8555 §7.4", "an identifier of a type that nobody has", "400 unsupportedIdentifier (or malformed)")
def identifier_of_unknown_type(p):
    p.problem(p.account().new_order({"type": "probe", "value": "x"}), 400, ("unsupportedIdentifier", "malformed"))


def wildcard(p):
    """(client, order URL, order) of a wildcard."""
    client, name = p.account(), p.name()
    answer = client.new_order(f"*.{name}")
    if answer.status == 400 and kind_of(answer) in REFUSED:
        raise NotOffered(shown(answer))
    return client, name, parsed(p.ok(answer, 201))


@row("1.2", "RFC 8555 §7.1.3, §7.1.4", "newOrder of *.name", "201 with *.name; the authorization says name and wildcard: true, and offers DNS methods alone")
def order_of_a_wildcard(p):
    client, name, order = wildcard(p)
    p.need(order["identifiers"] == [{"type": "dns", "value": f"*.{name}"}], f"{order['identifiers']}")
    said = client.read(order["authorizations"][0])
    p.need(said["identifier"]["value"] == name and said.get("wildcard") is True, f"{said['identifier']}, wildcard {said.get('wildcard')}")
    p.need(all(each["type"].startswith("dns-") for each in said["challenges"]), f"{[each['type'] for each in said['challenges']]}")


@row("1.2", "RFC 8555 §7.1.4", "newOrder of name and *.name", "two authorizations, one of them with wildcard")
def order_of_a_wildcard_and_its_name(p):
    client, name, _ = wildcard(p)
    order = parsed(p.ok(client.new_order(name, f"*.{name}"), 201))
    each = [client.read(url) for url in order["authorizations"]]
    p.need(sorted(bool(one.get("wildcard")) for one in each) == [False, True], f"{[one.get('wildcard') for one in each]}")


def of_address(p, *texts):
    client = p.account()
    answer = client.new_order(*map(ip_name, texts))
    if answer.status == 400 and kind_of(answer) in REFUSED:
        raise NotOffered(shown(answer))
    return client, answer


@row("2.1", "RFC 8738 §3, §7", "newOrder of the addresses 127.0.0.1 and ::1", "201, as sent; challenges http-01 and tls-alpn-01, no DNS method")
def order_of_addresses(p):
    client, answer = of_address(p, "127.0.0.1", "::1")
    order = parsed(p.ok(answer, 201))
    p.need(sorted(each["value"] for each in order["identifiers"]) == ["127.0.0.1", "::1"], f"{order['identifiers']}")
    for url in order["authorizations"]:
        kinds = {each["type"] for each in client.read(url)["challenges"]}
        p.need("http-01" in kinds and not any(kind.startswith("dns-") for kind in kinds), f"{kinds}")


@row("2.1", "RFC 8738 §3, §4", "the whole way for 127.0.0.1 by http-01", "a certificate with iPAddress 127.0.0.1; the request's Host is the address")
def certificate_of_an_address(p):
    client, answer = of_address(p, "127.0.0.1")
    order = parsed(p.ok(answer, 201))
    before = len(p.world.asked)
    client.prove(order)
    p.ok(client.finalize(order, csr_for(Key(), ips=["127.0.0.1"])))
    leaf = client.fetched(answer.get("Location"))[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    p.need([str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"] and len(list(names)) == 1, f"{names}")
    p.need(p.world.asked[before][2].startswith("127.0.0.1"), f"Host {p.world.asked[before][2]!r}")


@row("2.1", "RFC 8738 §3, RFC 5952", "addresses not in canonical text, with zone, port, prefix; names as type ip", "400 malformed (rejectedIdentifier, unsupportedIdentifier)")
def address_of_bad_form(p):
    of_address(p, "127.0.0.1")
    refused(p, *({"type": "ip", "value": text} for text in ("127.1", "127.0.0.01", "0:0:0:0:0:0:0:1", "::0001", "2001:DB8::1", "fe80::1%eth0", "[::1]", "127.0.0.1:80",
                                                          "127.0.0.0/8", p.target.suffix, "")))


@row("5", "RFC 8738", "newOrder of a name and an address", "201 with an authorization each")
def order_of_name_and_address(p):
    client, _ = of_address(p, "127.0.0.1")
    order = parsed(p.ok(client.new_order(p.name(), ip_name("127.0.0.1")), 201))
    p.need(sorted(each["type"] for each in order["identifiers"]) == ["dns", "ip"], f"{order['identifiers']}")
