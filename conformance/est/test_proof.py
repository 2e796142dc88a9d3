"""Linking identity and proof of possession (RFC 7030 §3.5, RFC 9266, RFC 7894)."""
import pytest

from device import OTP_CHALLENGE, REVOCATION_CHALLENGE, body, certificate, linking, new_key, refused, request, text, write_pair
from harness import der, pkcs10


def enroll(site, endpoint, connection, octets, account=None):
    return connection.ask("POST", "simpleenroll", body(octets), **site.credentials(account or endpoint))


def binding(connection, kind):
    return text(connection.unique() if kind == "tls-unique" else connection.exporter())


BINDINGS = [("1.2", "tls-unique"), ("1.2", "tls-exporter"), ("1.3", "tls-exporter")]


@pytest.mark.parametrize("endpoint", ["proof-device", "proof-bound"])
@pytest.mark.parametrize("version,kind", BINDINGS)
def test_the_binding_of_the_connection_is_taken(site, name, endpoint, version, kind):
    with site.connect(endpoint, version=version) as connection:
        answer = enroll(site, endpoint, connection, request(new_key(), name, [binding(connection, kind)]))
    assert certificate(answer).subject.rfc4514_string() == f"CN={name}"


@pytest.mark.parametrize("version,kind", BINDINGS)
def test_a_binding_holds_for_a_second_request_of_the_connection(site, name, version, kind):
    """The first one is answered 401: that is how many clients come to their password."""
    with site.connect("proof-bound", version=version) as connection:
        octets = request(new_key(), name, [binding(connection, kind)])
        first = connection.ask("POST", "simpleenroll", body(octets))
        assert first.status == 401 and first.headers["www-authenticate"].startswith("Basic realm=")
        certificate(enroll(site, "proof-bound", connection, octets))


@pytest.mark.parametrize("end", ["\n"])
@pytest.mark.parametrize("version,kind", BINDINGS)
def test_one_line_end_behind_the_value_is_no_part_of_it(site, name, version, kind, end):
    with site.connect("proof-bound", version=version) as connection:
        value = der.utf8(binding(connection, kind) + end)
        certificate(enroll(site, "proof-bound", connection, request(new_key(), name, [value])))


WRONG = {
    "another": lambda right: text(bytes(32)),
    "garbage behind it": lambda right: right + "AAAA",
    "a part of it": lambda right: right[:-4],
    "two line ends": lambda right: right + "\n\n",
    "white space": lambda right: " " + right,
    "small letters": lambda right: right.swapcase(),
}


@pytest.mark.parametrize("endpoint", ["proof-device", "proof-bound"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_what_is_not_the_binding_is_refused_even_where_none_is_asked_for(site, name, endpoint, version, wrong):
    with site.connect(endpoint, version=version) as connection:
        value = WRONG[wrong](binding(connection, "tls-unique" if version == "1.2" else "tls-exporter"))
        refused(enroll(site, endpoint, connection, request(new_key(), name, [der.utf8(value)])), 400, "proof.binding")


@pytest.mark.parametrize("endpoint", ["proof-device", "proof-bound"])
@pytest.mark.parametrize("version,kind", BINDINGS)
def test_a_request_that_is_replayed_on_another_connection_is_refused(site, name, endpoint, version, kind):
    with site.connect(endpoint, version=version) as first:
        octets = request(new_key(), name, [binding(first, kind)])
        certificate(enroll(site, endpoint, first, octets))
    with site.connect(endpoint, version=version) as second:
        refused(enroll(site, endpoint, second, octets), 400, "proof.binding")


@pytest.mark.parametrize("endpoint", ["proof-device", "proof-bound"])
def test_a_finished_message_of_tls_1_3_is_no_binding(site, name, endpoint):
    with site.connect(endpoint, version="1.3") as connection:
        value = connection.finished()
        assert len(value) in (32, 48)
        refused(enroll(site, endpoint, connection, request(new_key(), name, [text(value)])), 400, "proof.binding")


def test_without_extended_master_secret_a_required_binding_is_refused(site, name):
    with site.connect("proof-bound", version="1.2", extended_master_secret=False) as connection:
        octets = request(new_key(), name, [text(connection.unique())])
        answer = refused(enroll(site, "proof-bound", connection, octets), 400, "proof.binding")
    assert "extended master secret" in answer.text


def test_without_extended_master_secret_the_exporter_is_no_binding(site, name):
    with site.connect("proof-device", version="1.2", extended_master_secret=False) as connection:
        octets = request(new_key(), name, [text(connection.exporter())])
        refused(enroll(site, "proof-device", connection, octets), 400, "proof.binding")


def test_a_required_binding_that_is_missing_is_refused(site, name):
    answer = refused(site.enroll("proof-bound", request(new_key(), name)), 400, "proof.binding")
    assert "csrattrs" in answer.text
    assert site.server.explain(answer.text.split("(ref ")[1].split(")")[0])[0]["check"] == "proof.binding"


def test_a_certificate_is_no_binding(site, name, tmp_path):
    """Who renews is asked for it too."""
    key = new_key()
    with site.connect("proof-bound") as connection:
        issued = certificate(enroll(site, "proof-bound", connection, request(key, name, [text(connection.exporter())])))
    pair = write_pair(tmp_path, key, issued)
    with site.connect("proof-bound", certificate=pair) as connection:
        refused(connection.ask("POST", "simplereenroll", body(request(key, name))), 400, "proof.binding")
        answer = connection.ask("POST", "simplereenroll", body(request(key, name, [text(connection.exporter())])))
    assert certificate(answer).public_key().public_numbers() == key.public_key().public_numbers()


@pytest.mark.parametrize("endpoint", ["proof-device", "proof-bound", "proof-shared"])
@pytest.mark.parametrize("value", ["", "x" * 256])
def test_empty_and_long_challenges_are_refused(site, name, endpoint, value):
    refused(site.enroll(endpoint, request(new_key(), name, [der.utf8(value)])), 400, "proof.attributes")


@pytest.mark.parametrize("endpoint", ["proof-device", "proof-ignoring"])
def test_two_challenges_are_refused(site, name, endpoint):
    with site.connect(endpoint) as connection:
        value = text(connection.exporter())
        twice = request(new_key(), name, [value, value])
        assert enroll(site, endpoint, connection, twice).status == 400
        both = pkcs10.attribute(pkcs10.CHALLENGE_PASSWORD, der.utf8(value), der.utf8("x"))
        assert enroll(site, endpoint, connection, request(new_key(), name, attributes=[both])).status == 400


def test_a_profile_may_ignore_what_stands_there(site, name):
    for value in ("anything", "", "x" * 300):
        certificate(site.enroll("proof-ignoring", request(new_key(), name, [der.utf8(value)])))


def test_a_shared_secret_is_the_accounts_password(site, name):
    octets = request(new_key(), name, [site.password("proof-shared")])
    certificate(site.enroll("proof-shared", octets))


@pytest.mark.parametrize("given", ["wrong", "of another account", "the binding"])
def test_another_shared_secret_is_refused(site, name, given):
    with site.connect("proof-shared") as connection:
        value = {"wrong": "x" * 26, "of another account": site.password("proof-shared-other"), "the binding": text(connection.exporter())}[given]
        refused(enroll(site, "proof-shared", connection, request(new_key(), name, [value])), 400, "proof.password")


def test_guesses_of_who_shows_a_certificate_slow_down_as_those_in_headers(site, name, tmp_path):
    """Who shows the password itself learns nothing from guessing it, and who has it waits for nobody's guesses."""
    key = new_key()
    pair = write_pair(tmp_path, key, certificate(site.enroll("proof-shared", request(key, name), account="proof-shared-other")))
    with site.connect("proof-shared", certificate=pair) as connection:
        answers = []
        while not answers or (answers[-1].status == 400 and len(answers) < 40):  # the wait doubles with each
            answers.append(connection.ask("POST", "simplereenroll", body(request(key, name, [f"guess {len(answers)}"]))))
        assert len(answers) > 4
        refused(answers[0], 400, "proof.password")
        refused(answers[-1], 429, "credential.tries")
        assert int(answers[-1].headers["retry-after"]) >= 30
        right = request(key, name, [site.password("proof-shared-other")])
        assert connection.ask("POST", "simplereenroll", body(right)).status == 200


@pytest.mark.parametrize("endpoint", ["proof-device", "proof-linked", "proof-shared"])
@pytest.mark.parametrize("version,kind", BINDINGS)
def test_identity_linking_is_the_binding_by_a_name_of_its_own(site, name, endpoint, version, kind):
    with site.connect(endpoint, version=version) as connection:
        octets = request(new_key(), name, attributes=[linking(binding(connection, kind))])
        certificate(enroll(site, endpoint, connection, octets))
        wrong = request(new_key(), name, attributes=[linking(binding(connection, kind)[::-1])])
        refused(enroll(site, endpoint, connection, wrong), 400, "proof.binding")


def test_each_attribute_is_judged_by_itself(site, name):
    with site.connect("proof-device") as connection:
        right = text(connection.exporter())
        refused(enroll(site, "proof-device", connection, request(new_key(), name, ["wrong"], [linking(right)])), 400, "proof.binding")
        refused(enroll(site, "proof-device", connection, request(new_key(), name, [right], [linking("wrong")])), 400, "proof.binding")
        certificate(enroll(site, "proof-device", connection, request(new_key(), name, [right], [linking(right)])))


def test_a_one_time_challenge_is_refused(site, name):
    otp = pkcs10.attribute(OTP_CHALLENGE, der.utf8("123456"))
    refused(site.enroll("proof-device", request(new_key(), name, attributes=[otp])), 400, "proof.attributes")


def test_a_revocation_challenge_has_no_effect_and_is_not_kept(site, name):
    secret = "revoke-" + name
    attribute = pkcs10.attribute(REVOCATION_CHALLENGE, der.utf8(secret))
    certificate(site.enroll("proof-device", request(new_key(), name, attributes=[attribute])))
    assert all(secret.encode() not in path.read_bytes() for path in site.server.data.rglob("*") if path.is_file())
