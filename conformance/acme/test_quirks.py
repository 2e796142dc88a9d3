"""What each client needs of a server beyond RFC 8555's letter, seen on the wire: rows of clients that are in no Debian package too.

One walk from account to revocation is recorded; each case reads it for what breaks that client."""
import json
import re

import pytest
from cryptography import x509
from walk import Walk

from harness.orders import KeyAuthorizations


def quirk(*clients):
    """Whom the case is about; they stand in its row."""
    mark = pytest.mark.parametrize("who", [", ".join(clients)])
    return lambda test: mark(pytest.mark.usefixtures("who")(test))


@pytest.fixture(scope="module")
def walk(server):
    server_web = KeyAuthorizations(server.http01_port)
    try:
        yield Walk(server, "default", server_web).go("two.quirks.conformance.test", "one.quirks.conformance.test")
    finally:
        server_web.close()


@quirk("certbot", "acme.sh")
def test_quirk_one_nonce_on_every_answer_to_a_post(walk):
    posts = [answer for answer in walk.answers if answer.method == "POST"]
    assert len(posts) > 10
    assert [(each.url, each.status) for each in posts if len(each.headers.get_all("Replay-Nonce") or ()) != 1] == []


@quirk("certbot")
def test_quirk_challenge_links_up_and_keeps_its_url(walk):
    for answer in [*walk.challenges]:
        assert answer.body["url"] == answer.url
        authorization, = walk.links(answer, "up")
        assert answer.url in walk.post(authorization, None).text


@quirk("certbot", "lego", "dehydrated", "instant-acme", "acme-client")
def test_quirk_new_nonce_by_head(walk):
    """node's acme-client says that it sends JOSE where there is no body."""
    answer = walk.ask("HEAD", walk.directory["newNonce"], Content_Type="application/jose+json")
    assert (answer.status, bool(answer.headers["Replay-Nonce"])) == (200, True)


@quirk("acme-tiny")
def test_quirk_gets_may_say_jose(walk):
    for url, status in ((walk.directory["newNonce"], 204), (walk.directory_url, 200)):
        answer = walk.ask("GET", url, Content_Type="application/jose+json", User_Agent="acme-tiny")
        assert (answer.status, bool(answer.headers["Replay-Nonce"])) == (status, True)


@quirk("lego", "eggsampler")
def test_quirk_links_are_quoted_and_one_a_line(walk):
    lines = [line for answer in walk.answers for line in answer.headers.get_all("Link") or ()]
    assert lines
    assert [line for line in lines if not re.fullmatch(r'<https://[^>]+>; ?rel="[a-z-]+"', line)] == []


@quirk("lego")
def test_quirk_identifiers_are_those_sent(walk):
    """In their order; only the letter case may differ."""
    sent = [{"type": "dns", "value": name} for name in ("b.quirks.conformance.test", "a.quirks.conformance.test")]
    assert walk.post(walk.directory["newOrder"], {"identifiers": sent}).body["identifiers"] == sent
    shouted = [{"type": "dns", "value": each["value"].upper()} for each in sent]
    assert walk.post(walk.directory["newOrder"], {"identifiers": shouted}).body["identifiers"] == sent


@quirk("cert-manager", "autocert")
def test_quirk_location_and_statuses_of_order_and_finalize(walk):
    """golang.org/x/crypto polls the Location of the answer to finalize, and compares statuses exactly."""
    assert [(each.status, each.headers["Location"]) for each in walk.of("newAccount")] == [(201, walk.kid), (200, walk.kid)]
    assert [(each.status, each.headers["Location"]) for each in walk.of("newOrder")] == [(201, walk.order_url)]
    assert [(each.status, each.headers["Location"]) for each in walk.of("finalize")] == [(200, walk.order_url)]
    polls = [each for each in walk.answers if each.url == walk.order_url]
    assert polls and {(each.status, each.headers["Location"]) for each in polls} == {(200, walk.order_url)}


@quirk("acme.sh")
def test_quirk_challenges_are_flat_up_to_their_token(walk):
    """Its reader cuts at the first brace, also where the challenge has an error to show."""
    for text in (walk.failed_authorization, walk.authorization):
        begins = re.findall(r'\{"type":"[a-z0-9-]+","url":"https://[^"]+","status":"[a-z]+","token":"[A-Za-z0-9_-]+"', text)
        assert begins and len(begins) == text.count('"token"')
    assert '"error":{' in walk.failed_authorization


@quirk("acme.sh", "lego", "uacme")
def test_quirk_bad_nonce(walk):
    """acme.sh knows it by its words, lego by 400, and all go on with the nonce of the refusal."""
    answer = walk.post_with_nonce(walk.directory["newOrder"], {"identifiers": []}, "AAAA")
    assert (answer.status, answer.body["type"]) == (400, "urn:ietf:params:acme:error:badNonce")
    assert "JWS has an invalid anti-replay nonce" in answer.body["detail"]
    again = walk.post_with_nonce(walk.order_url, None, answer.headers["Replay-Nonce"])
    assert again.status == 200


@quirk("acme.sh", "eggsampler", "win-acme")
def test_quirk_retry_after_is_a_small_number_of_seconds(walk):
    assert walk.waiting[0].body["status"] == "processing"
    still = [each for each in walk.waiting if each.body["status"] in ("processing", "pending")]  # the server does not wait for ever
    said = [each.headers["Retry-After"] for each in walk.answers if each.headers["Retry-After"] or each in still]
    assert [each for each in said if not re.fullmatch("[1-5]", each or "")] == []


@quirk("dehydrated")
def test_quirk_an_order_is_readable_at_once(walk):
    answer = walk.post(walk.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "at-once.quirks.conformance.test"}]})
    read = walk.post(answer.headers["Location"], None)
    assert (read.status, read.body) == (200, answer.body)


@quirk("uacme")
def test_quirk_an_account_that_is_not_there(walk):
    answer = walk.post_by_a_stranger(walk.directory["newAccount"], {"onlyReturnExisting": True})
    assert (answer.status, answer.body["type"]) == (400, "urn:ietf:params:acme:error:accountDoesNotExist")


@quirk("uacme", "acme-tiny", "mod_md")
def test_quirk_finalized_is_never_ready(walk):
    later = walk.answers[walk.answers.index(walk.of("finalize")[0]):]
    seen = {each.body["status"] for each in later if each.url in (walk.order_url, walk.order["finalize"])}
    assert seen and seen <= {"processing", "valid"}


@quirk("caddy", "mod_md", "instant-acme")
def test_quirk_media_types(walk):
    """Problems are JSON with ACME's URNs, whatever is refused and by whom."""
    for answer in walk.answers:
        media = answer.headers["Content-Type"]
        if answer.status >= 400:
            assert media == "application/problem+json", (answer.url, media)
            assert answer.body["type"].startswith("urn:ietf:params:acme:error:"), answer.body
            assert answer.body["status"] == answer.status and answer.body["detail"]
        elif answer.body:
            assert media == ("application/json" if isinstance(answer.body, dict) else "application/pem-certificate-chain"), (answer.url, media)


@quirk("mod_md", "eggsampler")
def test_quirk_a_chain_has_an_issuer_and_no_link_up(walk):
    answer, = walk.of("certificate")
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----\n.+?\n-----END CERTIFICATE-----\n", answer.body.decode(), re.DOTALL)
    assert "".join(blocks) == answer.body.decode()
    leaf, issuer, *more = (x509.load_pem_x509_certificate(block.encode()) for block in blocks)
    assert leaf.issuer == issuer.subject
    assert all(each.issuer != each.subject for each in (leaf, issuer, *more)), "the root is in the chain"
    assert walk.links(answer, "up") == []


@quirk("instant-acme")
def test_quirk_what_the_directory_offers_is_well_formed(walk):
    profiles = walk.directory.get("meta", {}).get("profiles", {})
    assert all(isinstance(text, str) for text in profiles.values())
    assert not walk.directory.get("renewalInfo", "").endswith("/")


@quirk("acme-client")
def test_quirk_a_revoked_certificate_is_still_there(walk):
    """Its own tests expect that it is gone, as at Pebble; others read it again."""
    assert walk.of("revokeCert")[0].status == 200
    assert walk.post(walk.order["certificate"], None).status == 200


@quirk("Apple")
def test_quirk_ecdsa_signature_without_its_leading_zero(walk):
    """63 octets where ES256 has 64: only r may be the short one, since nothing says where it ends otherwise."""
    answer = walk.post_with_short_signature(walk.order_url, None)
    assert (answer.status, answer.body.get("status")) == (200, "valid")


@quirk("all")
def test_quirk_urls_and_connections(walk):
    """URLs are absolute, slashes unescaped, nothing is redirected, and connections are kept."""
    assert not [each.url for each in walk.answers if 300 <= each.status < 400 or each.closes]
    for answer in walk.answers:
        if isinstance(answer.body, dict):
            assert r"\/" not in answer.text
            urls = re.findall(r'"(?:url|finalize|certificate|orders|new[A-Z]\w+|revokeCert|keyChange)":"([^"]+)"', answer.text)
            assert all(url.startswith(walk.directory_url.rsplit("/", 1)[0]) for url in urls), urls
    assert json.loads(walk.answers[0].text) == walk.directory
