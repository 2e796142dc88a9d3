"""Names that nobody should get (RFC 8555 §7.1.4, RFC 5890; rows V11 to V13, and X12): refused when they are ordered."""
import pytest

import forge
from oracle import check_problem
from rows import row

LABEL = "a" * 63


def order(client, name, kind="dns"):
    return client.post("new-order", {"identifiers": [{"type": kind, "value": name}]})


@pytest.fixture
def refused(client, oracle):
    def ask(name, kind, *words, of=client, check=None):
        with oracle.refuses(audited=1) as refusal:
            answer = check_problem(order(of, name), 400, kind, *words)
        assert answer.json["subproblems"][0]["identifier"] == {"type": "dns", "value": name}
        assert answer.json["subproblems"][0]["type"] == f"urn:ietf:params:acme:error:{kind}"
        if check:
            assert refusal.records[0]["check_name"] == check, refusal.records
        return answer

    return ask


@row("V11")
@pytest.mark.parametrize("name, words", [
    ("", "it is empty"), (".", "final dot"), ("*", "a wildcard needs a domain"), ("*.", "final dot"), ("a..b", "a label is empty"),
    (".example.com", "a label is empty"), ("-a.example.com", "hyphen"), ("a-.example.com", "hyphen"),
    ("a" * 64 + ".example.com", "longer than 63"), (f"{LABEL}.{LABEL}.{LABEL}.{'b' * 62}", "longer than 253"), ("example.com.", "final dot"),
    ("a.*.example.com", "a wildcard is the whole leftmost label"), ("a*.example.com", "a wildcard is the whole leftmost label"),
    ("192.0.2.7", "identifier type ip"), ("2001:db8::7", "identifier type ip"), ("::ffff:192.0.2.7", "identifier type ip"),
    ("1.2.3.4.5", "the last label is a number"), ("ex ample.com", "letters, digits and hyphens"), ("a_b.example.com", "letters, digits and hyphens"),
    ("nul\0.example.com", "letters, digits and hyphens"), ("http://example.com", "letters, digits and hyphens"),
], ids=lambda value: None if " " in str(value) else repr(value)[:40])
def test_what_is_no_name_is_malformed(refused, name, words):
    refused(name, "malformed", words)


@row("V11")
def test_one_octet_less_is_a_name(laboratory, client):
    # 63 octets a label and 253 in all are what DNS can hold.
    assert order(client, f"{LABEL}.{LABEL}.{LABEL}.{'b' * 56}.test").status == 201


@row("V12")
@pytest.mark.parametrize("name, words", [
    ("xn--99999999.example.com", "no international label"), ("xn--abc-99999.example.com", "no international label"),
    ("xn--n3h.example.com", "disallowed character"), ("xn--wca.example.com", "disallowed character"),
    ("xn--munchen-gie.de", "not in Unicode NFC"), ("mu\u0308nchen.de", "write non-ASCII labels as A-labels"),
    ("m\u00fcnchen.de", "write non-ASCII labels as A-labels"), ("xn--ab-m1t.example.com", "context"),
    ("xn--pple-43d.com", "mixes letters of Cyrillic and Latin"), ("xn--bc-b9b.com", "mixes letters of Greek and Latin"),
    ("ab--cd.example.com", "reserved"), ("yn--abc.example.com", "reserved"),
], ids=["overflow", "bad punycode", "symbol", "capital", "not NFC", "U-label not NFC", "U-label", "joiner", "Cyrillic in Latin", "Greek in Latin",
        "R-LDH", "R-LDH like an A-label"])
def test_international_labels_that_nobody_may_have_are_rejected(refused, name, words):
    refused(name, "rejectedIdentifier", words)


@row("V12")
@pytest.mark.parametrize("name", ["xn--mnchen-3ya.de", "XN--E1AFMKFD.example.com", "xn--tower-w91hq39l.example.com"])
def test_international_labels_of_one_language_are_ordered(client, name):
    answer = order(client, name)
    assert answer.status == 201 and answer.json["identifiers"][0]["value"] == name.lower()


@row("V13")
@pytest.mark.parametrize("name", ["co.uk", "github.io", "foo.ck", "xn--55qx5d.cn"])
def test_public_suffixes_are_nobodys(refused, name):
    """Though the account's scope is every name."""
    refused(name, "rejectedIdentifier", f"{name} is a public suffix", check="names.suffix")


@row("V13")
@pytest.mark.parametrize("name", ["*.co.uk", "*.com", "com", "localhost"])
def test_wildcards_below_suffixes_and_single_labels_are_nobodys(refused, name):
    refused(name, "rejectedIdentifier")


@row("V13")
def test_homographs_are_nobodys(refused):
    refused("www.xn--80ak6aa92e.com", "rejectedIdentifier", "letters that look like ASCII ones", check="names.homograph")


@pytest.fixture(scope="module")
def scoped(laboratory, tmp_path_factory):
    """An account of a tenant of its own, which may have these names and no others."""
    document = tmp_path_factory.mktemp("d") / "scoped.toml"
    document.write_text('''
[[tenant]]
name = "scoped"

[[profile]]
tenant = "scoped"
name = "server"

[[endpoint]]
tenant = "scoped"
name = "scoped"
protocol = "acme"
profiles = ["server"]
external_account_required = false

[[account]]
tenant = "scoped"
name = "anybody"
endpoint = "scoped"
method = "open"
names = ["example.com", ".example.com", ".lan", "co.uk", "xn--80ak6aa92e.com", "xn--e1afmkfd.com", "192.0.2.7"]

[[domain]]
tenant = "scoped"
name = "xn--e1afmkfd.com"
enabled = false
''')
    laboratory.server.apply(document)
    client = laboratory.acme("scoped").register()
    yield client
    client.close()


@row("V13")
@pytest.mark.parametrize("name", ["nas.corp", "host.internal", "nas.lan.corp", "printer.local"])
def test_internal_names_that_are_not_listed_are_rejected(refused, scoped, name):
    refused(name, "rejectedIdentifier", "outside the scope of account anybody", of=scoped, check="names.scope")


@row("V13")
def test_a_homograph_that_was_denied_is_rejected(refused, scoped):
    """Denied by a domain that is disabled, though the scope lists it."""
    refused("xn--e1afmkfd.com", "rejectedIdentifier", "domain xn--e1afmkfd.com is suspended", of=scoped, check="names.domain")


@row("V13", "X12")
@pytest.mark.parametrize("name", ["nas.lan", "co.uk", "xn--80ak6aa92e.com", "example.com", "a.b.example.com", "WWW.EXAMPLE.com"])
def test_what_the_scope_lists_is_ordered(scoped, name):
    answer = order(scoped, name)
    assert answer.status == 201 and answer.json["identifiers"][0]["value"] == name.lower()


@row("X12")
@pytest.mark.parametrize("name", ["xexample.com", "example.com.evil.test", "example.comx", "example.com.x", "lan.x"])
def test_only_true_children_are_in_scope(refused, scoped, name):
    refused(name, "rejectedIdentifier", "outside the scope", of=scoped, check="names.scope")


@row("X12")
def test_a_final_dot_and_addresses_are_no_way_round_the_scope(refused, scoped, oracle):
    refused("www.example.com.", "malformed", "leave out the final dot", of=scoped)
    refused("192.0.2.7", "malformed", "identifier type ip", of=scoped)
    for address in ("192.0.2.7", "::ffff:192.0.2.7"):
        with oracle.refuses(audited=1):
            check_problem(order(scoped, address, "ip"), 400, "rejectedIdentifier", "certifies no IP addresses")


@row("X12")
def test_a_mapped_address_in_the_csr_is_no_way_round_the_scope(laboratory, client, oracle):
    name = laboratory.fresh_name()
    _, ready = client.ready_order(name)
    mapped = forge.tlv(0x87, bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 7]))
    with oracle.refuses(audited=1):
        check_problem(client.finalize(ready, forge.csr(attributes=forge.wishes(forge.names(forge.dns(name), mapped)))), 400, "badCSR",
                      "certifies no IP addresses")
