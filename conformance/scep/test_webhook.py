"""Challenges that another program judges: what it is asked, what it may say, and every way in which it may fail."""
import base64

import pytest
from harness import pkcs10
from harness.row_table import row
from harness.scep_reply import FAILURE, SUCCESS
from harness.suite import node_count
from harness.webhook import Webhook
from intune.tls import Certificates

DOCUMENT = """
[[profile]]
name = "{label}"
lifetime = "30d"
keys = ["rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]

[[profile]]
name = "{label}-other"
lifetime = "20d"
keys = ["rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]

[[endpoint]]
name = "{label}"
protocol = "scep"
profiles = ["{label}", "{label}-other"]

[[account]]
name = "{label}"
endpoint = "{label}"
method = "webhook"
url = "{url}"
webhook_id = "hook-1"
timeout = "2s"
trust_anchors = '''
{ca}'''
names = [".devices.test"]
common_names = ["phone-*"]
secret = {{generate = true}}
"""


def describe(server, folder, label, url, ca):
    document = folder / f"{label}.toml"
    document.write_text(DOCUMENT.format(label=label, url=url, ca=ca))
    return server.apply(document)[label]["webhookSecret"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("webhook"))


@pytest.fixture(scope="module")
def running(server, certificates, tmp_path_factory):
    with Webhook(certificates.good) as hook:
        secret = describe(server, tmp_path_factory.mktemp("hooked"), "hooked", hook.url, certificates.ca.read_text())
        hook.secret, hook.identity = base64.b64decode(secret, validate=True), "hook-1"
        yield hook


@pytest.fixture
def hook(running):
    running.behave("allow")
    yield running
    assert running.complaints == []
    running.behave("allow")


def issued(server, name):
    return [row for row in server.all_certificates() if row["subject"] == f"CN={name}"]


def test_it_is_asked_and_allows(hook, new_device, server, name):
    device = new_device(endpoint="hooked", extensions=[pkcs10.alternative_names(dns=["h.devices.test"])])
    message = device.enroll_message(hook.right)
    assert device.ask(message).status == SUCCESS
    [question] = hook.asked
    assert question["scepChallenge"] == hook.right
    assert question["scepTransactionID"] == message.expected.transaction_id
    assert question["provisionerName"] == "hooked"
    assert question["x509CertificateRequest"]["subject"] == {"commonName": name}
    assert question["x509CertificateRequest"]["dnsNames"] == ["h.devices.test"]
    assert hook.right not in server.log_tail()


@row("R13")
def test_it_denies(hook, new_device, server, name):
    device = new_device(endpoint="hooked")
    for behaviour, challenge in (("allow", "another challenge"), ("deny", hook.right)):
        hook.behave(behaviour)
        reply = device.enroll(challenge)
        assert (reply.status, reply.fail_info, reply.text) == (FAILURE, "badRequest", "the challenge is not known at this endpoint")
        assert len(hook.asked) == 1
    assert issued(server, name) == []


@row("R13")
@pytest.mark.parametrize("behaviour, why", [
    ("junk", "the webhook gave no JSON that can be read"), ("empty", "the webhook gave no JSON that can be read"),
    ("untyped", 'the webhook gave no answer: "allow" is no boolean'), ("huge", "the webhook gave an answer of more than 64 KiB"),
    ("redirect", "the webhook answered 307"), ("201", "the webhook answered 201"), ("204", "the webhook answered 204"),
    ("401", "the webhook answered 401"), ("404", "the webhook answered 404"),
])
def test_what_is_no_yes(hook, new_device, server, name, behaviour, why):
    hook.behave(behaviour)
    reply = new_device(endpoint="hooked").enroll(hook.right)
    assert (reply.status, reply.fail_info, reply.text) == (FAILURE, "badRequest", why)
    assert (issued(server, name), hook.redirected) == ([], 0)


@row("R13")
def test_an_answer_is_its_own_questions(hook, new_device, server, name):
    """What follows a 204 on the wire is no answer to whoever asks next on the connection: each is asked for itself."""
    for _ in range(3):
        hook.behave("loose")
        reply = new_device(endpoint="hooked").enroll(hook.right)
        assert (reply.status, reply.fail_info, reply.text) == (FAILURE, "badRequest", "the webhook answered 204")
        hook.behave("deny")
        answer = new_device(endpoint="hooked").enroll(hook.right)
        assert (answer.status, answer.text, len(hook.asked)) == (FAILURE, "the challenge is not known at this endpoint", 1)
    assert issued(server, name) == []


@row("R13")
def test_a_question_is_sent_once(hook, new_device, server, name):
    """A kept connection may end before the next question. A program that forgets a challenge when it has said yes must not be
    asked the same twice: the device is told to come again, or the question went out on another connection, but once."""
    for _ in range(3):
        hook.behave("ends")
        assert new_device(endpoint="hooked").enroll(hook.right).status == FAILURE
        hook.behave("allow")
        device = new_device(endpoint="hooked")
        message = device.enroll_message(hook.right)
        answer = device.send(message.raw)
        assert answer.status in (200, 503)
        assert len(hook.asked) == (1 if answer.status == 200 else 0)
        assert device.ask(message).status == SUCCESS
    assert len(issued(server, name)) == 3


@row("R13")
@pytest.mark.parametrize("behaviour", ["500", "503", "429", "silent", "cut"])
def test_what_may_pass(hook, new_device, server, name, behaviour):
    """Nothing is decided: the device is told to come again, and does."""
    hook.behave(behaviour)
    device = new_device(endpoint="hooked")
    message = device.enroll_message(hook.right)
    answer = device.send(message.raw)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert hook.right.encode() not in answer.body
    assert issued(server, name) == []
    hook.behave("allow")
    assert device.ask(message).status == SUCCESS


@row("R13")
@pytest.mark.parametrize("data, status, text", [
    ({"role": "phone", "nested": {"for": "templates"}}, SUCCESS, None),
    ({"subject": "CN={name}"}, SUCCESS, None),
    ({"subject": "CN={name}", "sans": []}, SUCCESS, None),
    ({"subject": "CN=phone-7"}, FAILURE, "the challenge is for another subject"),
    ({"sans": ["dns:admin.devices.test"]}, FAILURE, "the challenge is for other alternative names"),
    ({"profile": "hooked-other"}, SUCCESS, None),
    ({"profile": "device"}, FAILURE, None),
    ({"sans": "dns:admin.devices.test"}, FAILURE, "the webhook allowed it with data that cannot be read: $.data.sans: expected an array of strings"),
    ({"sans": ["dns:other.devices.test"], "subject": None}, FAILURE, None),
    ({"subject": 7}, FAILURE, "the webhook allowed it with data that cannot be read: $.data.subject: expected a string"),
    ([], FAILURE, "the webhook allowed it with data that cannot be read: $.data: expected an object"),
], ids=lambda value: None)
def test_what_it_says_besides(hook, new_device, server, name, data, status, text):
    """R13: what it says narrows the request, and never widens it."""
    if isinstance(data, dict) and "subject" in data and isinstance(data["subject"], str):
        data = {**data, "subject": data["subject"].format(name=name)}
    hook.behave("allow", data)
    reply = new_device(endpoint="hooked").enroll(hook.right)
    assert reply.status == status, reply.text
    if text:
        assert reply.text == text
    if isinstance(data, dict) and data.get("profile") == "hooked-other":
        assert (reply.certificate.not_valid_after - reply.certificate.not_valid_before).days in (19, 20)
    assert len(issued(server, name)) == (1 if status == SUCCESS else 0)


@row("R13")
def test_scope_runs_on_what_it_allows(hook, new_device, server):
    reply = new_device(endpoint="hooked", subject="domain-controller").enroll(hook.right)
    assert reply.text == "the common name is none that account hooked may ask for (common_names)"


@row("R13")
def test_a_program_that_cannot_be_trusted(server, certificates, new_device, name, tmp_path):
    """Another CA's certificate, another name's, and nobody at all: nothing is sent."""
    for label, context in (("stranger", certificates.stranger), ("misnamed", certificates.misnamed)):
        with Webhook(context) as hook:
            describe(server, tmp_path, f"hook-{label}", hook.url, certificates.ca.read_text())
            answer = (device := new_device(endpoint=f"hook-{label}")).send(device.enroll_message(hook.right).raw)
            assert (answer.status, hook.asked) == (503, [])
    answer = (device := new_device(endpoint="hook-stranger")).send(device.enroll_message("nobody listens").raw)
    assert answer.status == 503


def test_wrong_challenges_do_not_reach_it_for_ever(hook, new_device):
    hook.behave("deny")
    device = new_device(endpoint="hooked")
    guesses = 6 * node_count()  # each node counts for itself
    texts = [device.enroll(f"guess {n}").text for n in range(guesses)]
    assert texts[-1].startswith("too many wrong challenges for this key from this address; wait ")
    assert len(hook.asked) < guesses


@pytest.mark.parametrize("change, why", [
    (("url = \"https://", "url = \"http://"), "url: expected a URL such as"),
    (("timeout = \"2s\"", "timeout = \"1m\""), "timeout: longer than 20 s"),
    (("method = \"webhook\"", "method = \"access_code\""), "url: is for accounts of method webhook"),
    (("secret = {generate = true}", "secret = {value = \"c2hvcnQ=\"}"), "secret: expected at least 16 octets as base64"),
])
def test_documents_that_say_nonsense(server, certificates, tmp_path, change, why):
    document = tmp_path / "nonsense.toml"
    text = DOCUMENT.format(label="nonsense", url="https://localhost:1/x", ca=certificates.ca.read_text())
    document.write_text(text.replace(*change))
    done = server.verb("apply", document, "--data", server.data)
    assert (done.returncode, why in done.stderr) == (1, True), done.stderr
