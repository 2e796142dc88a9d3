"""Challenges that count once, codes that people chose, and endpoints that ask for none."""
import json
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness import pkcs10, scep_reply
from harness.row_table import row
from harness.rest import Rest, token_of
from harness.scep_reply import FAILURE, SUCCESS
from harness.suite import node_count
from harness.waiting import until

HERE = Path(__file__).resolve().parent
CHOSEN = "Correct-horse:42/battery"
# How fleetdm/fleet finds the password (ee/server/service/scep_proxy.go).
PASSWORD = re.compile(r"(?i)The enrollment challenge password is: <B> (?P<password>\S*)")


@pytest.fixture(scope="module")
def described(server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("challenges")
    secret = folder / "chosen-code"
    secret.touch(mode=0o600)
    secret.write_text(CHOSEN + "\n")
    document = Path(shutil.copy(HERE / "challenges.toml", folder))
    server.apply(document)
    return document


@pytest.fixture(scope="module")
def mdm(server, described):
    """A program that may mint challenges and nothing else."""
    return Rest(server, token_of(server, "mdm", "enroller"))


@pytest.fixture
def mint(mdm):
    def make(name, endpoint="minted", **wish):
        wish = {"subject": f"CN={name}", **wish}
        answer = mdm.ask("POST", f"/api/postern/v1/scep/{endpoint}/challenges", wish)
        assert answer.status == 201, answer.said
        return answer.said
    return make


def state(mdm, challenge, endpoint="minted"):
    after, page = "0", "?"
    while after:
        page = mdm.ask("GET", f"/api/postern/v1/scep/{endpoint}/challenges?after={after}")
        for line in page.body.splitlines():
            if (row := json.loads(line))["id"] == challenge["id"]:
                return row["state"]
        after = page.headers.get("X-Next-After", "")
    return None


def issued(server, name):
    return [row for row in server.all_certificates() if row["subject"] == f"CN={name}"]


def check_refused(reply, text):
    assert (reply.status, reply.fail_info) == (FAILURE, "badRequest")
    assert re.fullmatch(text, reply.text), reply.text


# ---- one-time challenges

def test_enroll_with_a_minted_challenge(new_device, mint, mdm, server, name):
    challenge = mint(name)
    assert re.fullmatch("[0-9A-F]{32}", challenge["challenge"])
    assert (challenge["account"], challenge["profile"]) == ("default/minted", "managed")
    assert state(mdm, challenge) == "open"
    device = new_device(endpoint="minted")
    message = device.enroll_message(challenge["challenge"])
    reply = device.ask(message)
    assert reply.status == SUCCESS, reply.text
    assert state(mdm, challenge) == "used"
    assert device.ask(message).certificates == reply.certificates  # a lost answer
    assert device.enroll(challenge["challenge"]).certificates == reply.certificates
    assert len(issued(server, name)) == 1
    assert challenge["challenge"] not in server.log_tail()


@row("S07")
def test_minted_challenge_with_another_key(new_device, mint, server, name):
    challenge = mint(name)["challenge"]
    assert new_device(endpoint="minted").enroll(challenge).status == SUCCESS
    thief = new_device(endpoint="minted")
    check_refused(thief.enroll(challenge), "the challenge was used before, by another key")
    assert len(issued(server, name)) == 1
    alarm = logged(server, "challenge_reused")[-1]
    assert (alarm["alarm"], alarm["endpoint"], alarm["account"], alarm["state"]) == ("challenge_reused", "minted", "minted", "consumed")
    # The same key again, in another transaction: no retry, and no alarm.
    again = new_device(endpoint="minted")
    fresh = mint(name)["challenge"]
    assert again.ask(again.enroll_message(fresh, transaction_id="FIRST")).status == SUCCESS
    before = len(logged(server, "challenge_reused"))
    check_refused(again.ask(again.enroll_message(fresh, transaction_id="SECOND")), "the challenge was used before, by the same key; another attempt needs another one")
    assert len(logged(server, "challenge_reused")) == before


@row("S08")
@pytest.mark.parametrize("wish, asked, why", [
    ({}, {"subject": "phone-of-somebody-else"}, "the challenge is for another subject"),
    ({}, {"dns": ["host.devices.test"]}, "the challenge is for other alternative names"),
    ({"sans": ["dns:a.devices.test"]}, {}, "the challenge is for other alternative names"),
    ({"sans": ["dns:a.devices.test"]}, {"dns": ["b.devices.test"]}, "the challenge is for other alternative names"),
    ({"sans": ["dns:a.devices.test"]}, {"dns": ["a.devices.test", "b.devices.test"]}, "the challenge is for other alternative names"),
    ({"subject": "CN={name},O=Example"}, {}, "the challenge is for another subject"),
    ({"keyType": "rsa-4096"}, {}, "the challenge is for a key of type rsa-4096"),
], ids=["subject", "extra-name", "missing-name", "other-name", "one-more-name", "missing-attribute", "key"])
def test_minted_challenge_for_something_else(new_device, mint, mdm, server, name, wish, asked, why):
    wish = {key: value.format(name=name) if isinstance(value, str) else value for key, value in wish.items()}
    challenge = mint(name, **wish)
    extensions = [pkcs10.alternative_names(dns=asked["dns"])] if "dns" in asked else []
    reply = new_device(endpoint="minted", subject=asked.get("subject"), extensions=extensions).enroll(challenge["challenge"])
    check_refused(reply, why)
    assert state(mdm, challenge) == "open"  # a refusal takes nothing
    assert issued(server, name) == []


def test_minted_challenge_with_names(new_device, mint, name):
    challenge = mint(name, sans=["dns:B.devices.test", "dns:a.devices.test"])
    device = new_device(endpoint="minted", extensions=[pkcs10.alternative_names(dns=["a.devices.test", "b.devices.test"])])
    assert device.enroll(challenge["challenge"]).status == SUCCESS


def test_withdrawn_challenge(new_device, mint, mdm, server, name):
    challenge = mint(name)
    path = f"/api/postern/v1/scep/minted/challenges/{challenge['id']}"
    assert mdm.ask("DELETE", path).status == 204
    assert (mdm.ask("DELETE", path).status, state(mdm, challenge)) == (409, "withdrawn")
    check_refused(new_device(endpoint="minted").enroll(challenge["challenge"]), "the challenge was withdrawn")
    used = mint(name)
    assert new_device(endpoint="minted").enroll(used["challenge"]).status == SUCCESS
    assert mdm.ask("DELETE", f"/api/postern/v1/scep/minted/challenges/{used['id']}").status == 409
    assert mdm.ask("DELETE", f"/api/postern/v1/scep/minted-elsewhere/challenges/{used['id']}").status == 404


def test_expired_challenge(new_device, mint, mdm, server, name):
    challenge = mint(name, ttl="1s")
    while state(mdm, challenge) != "expired":
        time.sleep(0.2)
    check_refused(new_device(endpoint="minted").enroll(challenge["challenge"]), r"the challenge expired at \S+Z")
    assert issued(server, name) == []


@row("S08")
def test_challenge_of_another_endpoint(new_device, mint, server, name):
    challenge = mint(name)["challenge"]
    for endpoint in ("minted-elsewhere", "ndes"):
        check_refused(new_device(endpoint=endpoint).enroll(challenge), "the challenge is not known at this endpoint")
    assert issued(server, name) == []


@row("S07")
def test_one_challenge_64_ways(server, described, mint, name, new_device):
    challenge = mint(name)["challenge"]
    devices = [new_device(endpoint="minted") for _ in range(64)]
    messages = [device.enroll_message(challenge) for device in devices]

    def run(pair):
        device, message = pair
        for _ in range(50):  # 503: every place is taken
            answer = device.send(message.raw)
            if answer.status != 503:
                return scep_reply.verify(answer.body, message.expected)
            time.sleep(0.2)
        return None

    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(run, zip(devices, messages)))
    assert [reply.status for reply in replies].count(SUCCESS) == 1
    assert len(issued(server, name)) == 1
    assert {reply.text for reply in replies if reply.status != SUCCESS} == {"the challenge was used before, by another key"}


@pytest.mark.parametrize("role, wish, status, why", [
    ("enroller", {}, 400, "say which subject and names the device asks for"),
    ("enroller", {"subject": "CN=phone-1", "unbound": True}, 403, "mints challenges for a named device alone"),
    ("enroller", {"subject": "CN=phone-1", "ttl": "3h"}, 400, "gives at most 2h"),
    ("enroller", {"subject": "CN=phone-1", "ttl": "soon"}, 400, "expected a duration"),
    ("enroller", {"subject": "phone-1"}, 400, 'expected "CN=phone-7,O=Example"'),
    ("enroller", {"subject": "CN=phone-1", "profile": "unmanaged"}, 400, "endpoint and account give no profile unmanaged"),
    ("enroller", {"subject": "CN=phone-1", "sans": ["phone-1"]}, 400, 'expected "dns:…"'),
    ("enroller", {"subject": "CN=phone-1", "sans": ["dns:www.example.com"]}, 400, "www.example.com"),
    ("enroller", {"subject": "CN=phone-1", "keyType": "dsa"}, 400, "no key type"),
    ("enroller", {"subject": "CN=phone-1", "account": "ndes"}, 404, "has no account of method one_time named ndes"),
    ("enroller", {"subject": "CN=phone-1", "secret": "mine"}, 400, "unknown member"),
    ("auditor", {"subject": "CN=phone-1"}, 403, "this needs officer"),
    (None, {"subject": "CN=phone-1"}, 401, "authenticate with a token"),
])
def test_what_is_not_minted(server, described, request, role, wish, status, why):
    token = token_of(server, f"asks-{abs(hash(request.node.name))}", role) if role else None
    answer = Rest(server, token).ask("POST", "/api/postern/v1/scep/minted/challenges", wish)
    assert answer.status == status, answer.said
    assert why in answer.said["description"]


def test_whoever_mints_may_do_nothing_else(mdm, server, described):
    for method, path, body in (("GET", "/api/postern/v1/certificates", None), ("GET", "/api/postern/v1/export", None),
                               ("POST", "/api/postern/v1/principals", {"name": "more", "role": "administrator"}), ("GET", "/api/postern/v1/requests", None)):
        assert mdm.ask(method, path, body).status == 403, path
    assert mdm.ask("POST", "/api/postern/v1/scep/none/challenges", {"subject": "CN=phone-1"}).status == 404
    other = server.data.parent / "other-tenant.toml"
    other.write_text('[[tenant]]\nname = "stranger"\n')
    server.apply(other)
    stranger = Rest(server, token_of(server, "stranger/mdm", "enroller", "stranger"))
    answer = stranger.ask("POST", "/api/postern/v1/scep/minted/challenges", {"subject": "CN=phone-1"})
    assert (answer.status, answer.said["description"]) == (404, "there is no SCEP endpoint minted")
    assert stranger.ask("GET", "/api/postern/v1/scep/minted/challenges").status == 404


def test_the_verb(server, described, new_device, name):
    made = json.loads(server.cli("challenge", "create", "minted/minted", "--subject", f"CN={name}", "--san", "dns:c.devices.test", "--profile", "managed",
                                 "--ttl", "1h", "--key", "rsa-2048", "--json"))
    assert f"{made['id']}  open  until {made['expires']}  managed  CN={name},dns:c.devices.test  by local uid" in server.cli("challenge", "list", "minted")
    assert made["challenge"] not in server.cli("challenge", "list", "minted", "--json")
    device = new_device(endpoint="minted", extensions=[pkcs10.alternative_names(dns=["c.devices.test"])])
    assert device.enroll(made["challenge"]).status == SUCCESS
    assert f"{made['id']}  used" in server.cli("challenge", "list", "minted")
    shown = server.cli("challenge", "create", "minted", "--subject", f"CN={name}")
    assert "shown this once:" in shown
    identity = shown.split()[1]
    assert server.cli("challenge", "withdraw", "minted", identity) == f"Withdrawn {identity}.\n"
    assert server.verb("challenge", "withdraw", "minted", identity, "--data", server.data).returncode == 1


def logged(server, event):
    """Lines of the log, of all nodes, as they came."""
    return sorted((line for node in getattr(server, "nodes", [server]) for line in node.lines(event)), key=lambda line: line["ts"])


def test_explain_names_the_check(server, described, mint, new_device, name):
    new_device(endpoint="minted", subject="phone-another").enroll(mint(name)["challenge"])
    [refusal] = [line for line in logged(server, "enrollment_refused") if line["why"] == "the challenge is for another subject"][-1:]
    assert refusal["check"] == "challenge.binding"
    [record] = [r for r in server.explain(refusal["request"]) if r["action"] == "enrollment.refused"]
    [check] = [c for c in record["detail"]["trace"] if c["check"] == "challenge.binding"]
    assert check["input"] == "subject CN=phone-another"


# ---- NDES's page

PAGE = "/scep/ndes/certsrv/mscep_admin/"


def password_of(page):
    assert page.status == 200
    return PASSWORD.search(page.body.decode("utf-16")).group("password")


@pytest.fixture
def room(mdm):
    """No password waits at the NDES endpoint."""
    for line in mdm.ask("GET", "/api/postern/v1/scep/ndes/challenges").body.splitlines():
        row = json.loads(line)
        if row["state"] == "open":
            mdm.ask("DELETE", f"/api/postern/v1/scep/ndes/challenges/{row['id']}")


def test_ndes_page(server, mdm, room, new_device, name, tmp_path):
    page = mdm.page(PAGE, mdm.token)
    assert (page.headers["Content-Type"], page.headers["Cache-Control"], page.body[:2]) == ("text/html; charset=UTF-16", "no-store", b"\xff\xfe")
    text = page.body.decode("utf-16")
    assert re.search(r"The thumbprint \(hash value\) for the CA certificate is: <B> (?:[0-9A-F]{8} ){5}</B>", text)
    assert re.search(r"The enrollment challenge password is: <B> [0-9A-F]{32} </B>", text)
    assert "expire within 60 minutes" in text
    device = new_device(endpoint="ndes", extensions=[pkcs10.alternative_names(dns=["x.devices.test"])])
    assert device.enroll(password_of(page)).status == SUCCESS
    thief = new_device(endpoint="ndes")
    check_refused(thief.enroll(password_of(page)), "the challenge was used before, by another key")
    # A real client, as scripts around NDES have it.
    out = tmp_path / "page"
    place = f"https://{mdm.place}{PAGE}"
    subprocess.run(["curl", "--silent", "--fail", "--anyauth", "--cacert", server.root, "--user", f"mdm:{mdm.token}", "--output", out, place], check=True)
    assert PASSWORD.search(out.read_bytes().decode("utf-16"))


def test_ndes_page_keeps_the_scope_of_its_account(mdm, room, new_device, described):
    device = new_device(endpoint="ndes", subject="domain-controller")
    check_refused(device.enroll(password_of(mdm.page(PAGE, mdm.token))), r"the common name is none that account ndes may ask for \(common_names\)")


def test_ndes_page_of_a_full_cache(mdm, room, new_device, name, described):
    passwords = [password_of(mdm.page(PAGE, mdm.token)) for _ in range(3)]
    full = mdm.page(PAGE, mdm.token, method="POST")
    assert full.status == 200
    assert "The password cache is full." in full.body.decode("utf-16")
    assert not PASSWORD.search(full.body.decode("utf-16"))
    answer = mdm.ask("POST", "/api/postern/v1/scep/ndes/challenges", {"unbound": True})
    assert (answer.status, "3 unbound challenges that no device has used yet" in answer.said["description"]) == (429, True)
    assert new_device(endpoint="ndes").enroll(passwords[0]).status == SUCCESS
    assert password_of(mdm.page(PAGE, mdm.token)) not in passwords


def test_ndes_page_for_nobody(server, mdm, described):
    answers = [mdm.page(PAGE), mdm.page(PAGE, "postern_wrong"), mdm.page(PAGE, ""), mdm.page("/scep/minted/certsrv/mscep_admin/", "postern_" + "x" * 43)]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert all(answer.headers["WWW-Authenticate"].startswith("Basic ") for answer in answers)
    auditor = token_of(server, "page-auditor", "auditor")
    for path, token in ((PAGE, auditor), ("/scep/minted/certsrv/mscep_admin/", mdm.token), ("/scep/none/certsrv/mscep_admin/", mdm.token)):
        page = mdm.page(path, token)
        assert "You do not have sufficient permission to enroll with SCEP." in page.body.decode("utf-16")


def waiting_passwords(mdm):
    return [row["id"] for line in mdm.ask("GET", "/api/postern/v1/scep/ndes/challenges").body.splitlines() if (row := json.loads(line))["state"] == "open"]


def test_ndes_page_makes_none_for_nobody_to_read(server, mdm, room, described):
    """HEAD, and a browser that another site's page sent here: it gives the password of Basic by itself."""
    place = f"https://{mdm.place}{PAGE}"
    asked = ["curl", "--silent", "--cacert", server.root, "--user", f"mdm:{mdm.token}", "--output", "/dev/null", "--dump-header", "-", place]

    def head(*more):
        return subprocess.run([*asked, *more], check=True, capture_output=True, text=True).stdout.lower()

    before = waiting_passwords(mdm)
    refused = head("--head")
    assert " 405 " in refused.splitlines()[0] and "allow: get, post" in refused
    for site in ("cross-site", "same-site"):
        for method in ("GET", "POST"):
            assert " 403 " in head("--request", method, "--header", f"Sec-Fetch-Site: {site}").splitlines()[0]
    assert waiting_passwords(mdm) == before
    told = head("--header", "Sec-Fetch-Site: none")
    assert " 200 " in told.splitlines()[0]
    for header in ("x-content-type-options: nosniff", "x-frame-options: deny", "referrer-policy: no-referrer", "cache-control: no-store"):
        assert header in told
    assert len(waiting_passwords(mdm)) == len(before) + 1


def test_ndes_page_never_in_the_clear(server, mdm, described):
    place = server.scep("ndes") + "/certsrv/mscep_admin/"
    done = subprocess.run(["curl", "--silent", "--user", f"mdm:{mdm.token}", "--write-out", "%{http_code}", "--output", "/dev/null", place],
                          check=True, capture_output=True, text=True)
    assert done.stdout == "404"


# ---- codes that people chose

def test_chosen_code(new_device, described, server, name):
    assert new_device(endpoint="chosen").enroll(CHOSEN).status == SUCCESS
    neighbour = new_device(endpoint="chosen", subject=f"{name[:60]}-2")
    assert neighbour.enroll(CHOSEN).status == SUCCESS  # many devices share it
    wrong = new_device(endpoint="chosen")
    check_refused(wrong.enroll(CHOSEN.lower()), "the challenge is not known at this endpoint")
    check_refused(new_device(endpoint="phones").enroll(CHOSEN), "the challenge is not known at this endpoint")
    assert CHOSEN not in server.log_tail()
    assert CHOSEN not in server.cli("export")


@row("S06")
def test_a_fleet_begins_with_a_chosen_code_among_guesses(new_device, described, server, name):
    """Guesses of many keys at the same moment shut nobody out: the others wait for their turn."""
    guessing = [new_device(endpoint="chosen").enroll_message(f"guess-number-{each}-of-2026") for each in range(8)]
    fleet = [new_device(endpoint="chosen", subject=f"{name[:60]}-{each}") for each in range(4)]
    messages = [device.enroll_message(CHOSEN) for device in fleet]
    sender = new_device(endpoint="chosen")
    with ThreadPoolExecutor(12) as pool:
        guessed = [pool.submit(sender.send, message.raw) for message in guessing]
        replies = list(pool.map(lambda pair: pair[0].ask(pair[1]), zip(fleet, messages)))
        assert {each.result().status for each in guessed} == {200}
    assert {reply.status for reply in replies} == {SUCCESS}


@row("S06")
def test_guesses_of_ever_new_keys_slow_down_their_address(new_device, mint, described, server, name):
    """Keys are cheap. Who has the right code comes in between, and what was drawn waits for nobody."""
    told = "too many wrong challenges from this address; wait "
    guessers = [new_device(endpoint="guessed") for _ in range(12 * node_count())]  # each node counts for itself
    guesses = [guesser.enroll(f"guess-{key}-{each}-of-2026").text for key, guesser in enumerate(guessers) for each in range(3)]
    assert set(guesses[:20]) == {"the challenge is not known at this endpoint"}
    with ThreadPoolExecutor(len(guessers)) as at_once:  # of which one at a time is judged
        last = list(at_once.map(lambda numbered: numbered[1].enroll(f"guess-{numbered[0]}-4-of-2026").text, enumerate(guessers)))
    assert any(text.startswith(told) for text in last)
    drawn = new_device(endpoint="guessed", subject=f"{name[:60]}-1")
    assert drawn.enroll(mint(f"{name[:60]}-1", "guessed")["challenge"]).status == SUCCESS
    right = new_device(endpoint="guessed", subject=f"{name[:60]}-2")
    until(lambda: right.enroll(CHOSEN).status == SUCCESS, "the right code is not taken")


@row("S06")
def test_a_key_that_guessed_waits_with_the_right_code_but_with_no_drawn_one(new_device, mint, described, server, name):
    guesser = new_device(endpoint="chosen")
    texts = [guesser.enroll(f"a-wrong-guess-{each}").text for each in range(5 * node_count())]
    assert texts[-1].startswith("too many wrong challenges for this key from this address; wait ")
    assert guesser.enroll(CHOSEN).fail_info == "badRequest"
    guesser = new_device(endpoint="guessed")
    for each in range(5 * node_count()):
        guesser.enroll(f"a-wrong-guess-{each}")
    assert guesser.enroll(mint(name, "guessed")["challenge"]).status == SUCCESS


def test_another_chosen_code(new_device, described, server, name):
    secret = described.parent / "chosen-code"
    assert server.apply(described) == {}
    try:
        secret.write_text("another-word.Of-2026")
        plan = json.loads(server.cli("apply", described, "--json"))
        assert [line for line in plan["plan"] if line["change"] != "keep"] == [
            {"change": "update", "kind": "account", "name": f"default/{account}", "fields": ["secret: replaced"]} for account in ("chosen", "guessed")]
        check_refused(new_device(endpoint="chosen").enroll(CHOSEN), "the challenge is not known at this endpoint")
        assert new_device(endpoint="chosen").enroll("another-word.Of-2026").status == SUCCESS
    finally:
        secret.write_text(CHOSEN)
        server.apply(described)


@pytest.mark.parametrize("code, why", [("", "it is empty"), ("short", "it has 5 characters; 12 to 255 are needed"), ("aaaaaaaaaaaaaaaa", "it has fewer than six different characters"),
                                       ("spaces in between", "only visible ASCII")])
def test_weak_codes(described, server, code, why):
    secret = described.parent / "chosen-code"
    try:
        secret.write_text(code)
        done = server.verb("apply", described, "--data", server.data)
        assert (done.returncode, why in done.stderr) == (1, True), done.stderr
    finally:
        secret.write_text(CHOSEN)


# ---- none

def test_open_endpoint(new_device, described, server, name):
    device = new_device(endpoint="laboratory")
    assert device.enroll().status == SUCCESS
    outside = new_device(endpoint="laboratory", subject="domain-controller")
    check_refused(outside.enroll(), r"the common name is none that account laboratory may ask for \(common_names\)")
    check_refused(new_device(endpoint="laboratory").enroll("a guess"), "the challenge is not known at this endpoint")
    # What has no open account asks on.
    check_refused(new_device(endpoint="minted").enroll(), "the request has no challenge")
