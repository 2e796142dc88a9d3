"""Whence the RA of a SCEP endpoint has its certificate where a foreign CA issues: that CA, at once or later; the built-in one; a person."""
import json
from hashlib import sha256

import pytest
from harness.scep_reply import FAILURE, PENDING, SUCCESS, Unacceptable
from scep_house import ScepHouse, ec_key

KINDS = ["apple", "windows", "android", "strongswan"]
IMPORTED, BUILTIN = 'ra = "imported"', 'ra = "builtin"'


@pytest.fixture
def new_house(server, tmp_path, request):
    """A CA and an endpoint of the case's own; its name is short, for names of documents are."""
    def make(ra=None, **plan):
        name = "ra" + sha256(request.node.name.encode()).hexdigest()[:8]
        return ScepHouse(server, tmp_path, name, ra or f'ra_profile = "{name}-ra"', **plan)
    return make


def test_the_foreign_ca_issues_to_the_ra_at_once(new_house):
    house = new_house().ready()
    for kind in KINDS:
        device = house.device(kind)
        assert len(device.bag) == 3  # the RA's, the issuing CA's, the root
        reply = device.enroll(house.code)
        assert (reply.status, reply.certificate.issuer.rfc4514_string()) == (SUCCESS, "CN=issuing")
    recipient = device.recipient
    assert len(house.said("scep_ra_certificate")) == 1 and not house.said("scep_chain_unusable")
    # A restart finds it, and asks for no other.
    house.server.stop()
    house.server.start()
    assert house.device("android").recipient == recipient
    assert len(house.said("scep_ra_certificate")) == 1


def test_the_foreign_ca_takes_its_time(new_house):
    house = new_house(issue="pending", poll="pending")
    waits = house.until(lambda: house.said("scep_ra_certificate_waits"), "nobody says that it waits")
    answer = house.caps()
    assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
    assert answer.body.startswith(b"there is no RA certificate for this SCEP endpoint yet: ra_profile "), answer.body
    assert b": the RA's certificate is pending at backend default/" in answer.body
    request, = [r for r in map(json.loads, house.server.cli("request", "list", "--json").splitlines()) if r["backend"].endswith(house.name)]
    # Looked at many times, handed over once, said once; also over a restart.
    house.server.stop()
    house.server.start()
    house.until(lambda: len([o for o, r in house.ca.journal() if o == "poll"]) >= 2, "nobody asks the CA again")
    assert house.caps().status == 503
    assert house.ca.submissions() == {request["request"]: 1}
    assert len(house.said("scep_ra_certificate_waits")) == len(waits) + 1  # the second start says it anew
    house.ca.behave(issue="pending")
    house.ready()
    device = house.device("apple")
    assert device.enroll(house.code).status == PENDING
    reply = house.until(lambda: (now := device.poll()).status == SUCCESS and now, "the device's certificate does not come")
    assert reply.certificate.issuer.rfc4514_string() == "CN=issuing"
    assert house.ca.submissions()[request["request"]] == 1 and len(house.said("scep_ra_certificate")) == 1


def test_a_refusal_is_said_once_and_tried_again_later(new_house):
    house = new_house(issue="refused")
    house.until(lambda: house.said("scep_ra_certificate_failed"), "nobody says why")
    assert b"the RA's certificate was refused: the CA refused the request: not on a Sunday" in house.caps().body
    house.until(lambda: len(house.ca.submissions()) >= 2, "it is not tried again")
    assert len(house.said("scep_ra_certificate_failed")) == 1
    house.ca.behave()
    house.ready()
    assert house.device("android").enroll(house.code).status == SUCCESS


def test_the_built_in_ca_issues_to_the_ra(new_house):
    """Two roots: who wants one top certificate says so, and the others enroll."""
    house = new_house(BUILTIN).ready()
    with pytest.raises(Unacceptable, match="the chains of the bag end in 2 certificates"):
        house.device("apple")
    said = house.until(lambda: house.said("scep_chain_unusable"), "the log does not say so")
    assert len(said) == 1 and "Apple's clients (iOS, macOS) enroll nothing here" in said[0]
    for kind in ("windows", "android", "strongswan"):
        reply = house.device(kind).enroll(house.code)
        assert (reply.status, reply.certificate.issuer.rfc4514_string()) == (SUCCESS, "CN=issuing")
    # Both chains are shown: the RA's own, and that of what it brings. No certificate has shown the way yet: what was declared.
    assert len(house.device("android").bag) >= 4


def test_a_person_brings_the_ras_certificate(new_house):
    house = new_house(IMPORTED)
    house.until(lambda: house.said("scep_ra_certificate_failed") or b"import" in house.caps().body, "nobody says what to do")
    assert b"no RA certificate is here: import one with `postern scep ra import`" in house.caps().body
    key, chain = house.ra_by_hand()
    done = house.bring(key, chain)
    assert done.returncode == 0 and "has certificate " in done.stdout and "Warning" not in done.stdout, done.stderr
    for kind in KINDS:
        assert house.device(kind).enroll(house.code).status == SUCCESS
    device = house.device("android")
    reply = device.enroll(house.code)
    assert (device.get_crl().status, device.get_crl().fail_info) == (FAILURE, "badRequest")
    assert "the CRL of that certificate's CA is not here" in device.get_crl().text and reply.status == SUCCESS
    # Its successor is shown at once, and who knows the old one is served until that ends.
    key, chain = house.ra_by_hand()
    assert house.bring(key, chain).returncode == 0
    assert house.device("android").recipient != device.recipient
    assert device.renew(device.new_key(), house.code).status == SUCCESS
    # It outlasts a restart.
    newest = house.device("android").recipient
    house.server.stop()
    house.server.start()
    assert house.device("android").recipient == newest


def test_what_clients_could_not_use_is_not_imported(new_house):
    house = new_house(IMPORTED)

    def refused(*files, endpoint=None):
        done = house.bring(*files, endpoint=endpoint)
        assert done.returncode == 1, done.stdout
        return done.stderr

    key, chain = house.ra_by_hand()
    other, _ = house.ra_by_hand()
    assert "the key does not belong to the first certificate" in refused(other, chain)
    assert "has no RSA key" in refused(*house.ra_by_hand(key=ec_key()))
    assert "does not state digitalSignature and keyEncipherment" in refused(*house.ra_by_hand(usage=("digital_signature",)))
    assert "the certificate ended at" in refused(*house.ra_by_hand(begin=-9, days=-1))
    assert "the certificate begins at" in refused(*house.ra_by_hand(begin=2))
    text = chain.read_text()
    alone = house.folder / "alone.pem"
    alone.write_text(text.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")
    assert "must be followed by who issued it" in refused(key, alone)
    blocks = [block + "-----END CERTIFICATE-----\n" for block in text.split("-----END CERTIFICATE-----\n") if block.strip()]
    alone.write_text(blocks[0] + blocks[2] + blocks[1])
    assert "the RA certificate was not issued by the CA" in refused(key, alone) or "the chain is broken" in refused(key, alone)
    alone.write_text("nothing")
    assert "expected PEM" in refused(key, alone)
    assert "there is no SCEP endpoint named nowhere" in refused(key, chain, endpoint="nowhere")
    assert "does not say ra = \"imported\"" in refused(key, chain, endpoint="devices")
    key.chmod(0o644)
    assert str(key) in refused(key, chain)
    key.chmod(0o600)
    assert house.caps().status == 503
    assert house.bring(key, chain).returncode == 0
    assert "that key is here already" in refused(key, chain)


def test_a_document_must_say_whence_it_comes(new_house):
    house = new_house(IMPORTED)
    name = house.name
    assert "say whence the RA's certificate comes" in house.refused(house.text(""))
    assert "there is no profile named nowhere" in house.refused(house.text('ra_profile = "nowhere"'))
    assert "is one that devices enroll by" in house.refused(house.text(f'ra_profile = "{name}-device"'))
    assert "goes without ra" in house.refused(house.text(f'ra = "imported"\nra_profile = "{name}-ra"'))
    assert "known here: builtin, imported" in house.refused(house.text('ra = "somewhere"'))
    for key, why in (('keys = ["rsa-2048"]', "must take rsa-2048 keys"), ('key_usage = ["digitalSignature", "keyEncipherment"]', "must give key_usage"),
                     ('common_name = "text"', 'must say common_name = "text"')):
        wrong = {"must take rsa-2048 keys": 'keys = ["ec-p256"]', "must give key_usage": 'key_usage = ["digitalSignature"]',
                 'must say common_name = "text"': 'common_name = "name"'}[why]
        good = house.text(f'ra_profile = "{name}-ra"')
        at = good.index(f'name = "{name}-ra"')
        assert why in house.refused(good[:at] + good[at:].replace(key, wrong, 1))
    # No other endpoint may offer what an RA is enrolled by.
    offered = house.text(f'ra_profile = "{name}-ra"') + f'[[endpoint]]\nname = "{name}-more"\nprotocol = "scep"\nprofiles = ["{name}-ra"]\nra = "builtin"\n'
    assert f"is what the RA of endpoint {name}-scep is enrolled by" in house.refused(offered)
