"""A CA behind a command: whatever it does, what the client reads, what is recorded, and that nothing is handed over twice."""
import json
import os
import re
import subprocess
import time

import pytest

from harness.backends import OfficeCa, ShellCa, StandInCa, document, example
from harness.orders import KeyAuthorizations, Orders

SUFFIX = "integration.test"


class House:
    """A server, a stand-in CA behind it, and a client."""

    def __init__(self, server, folder, web, name="standin", **keys):
        self.server, self.folder = server, folder
        self.ca = StandInCa(folder / "ca", name)
        self.describe(**keys)
        self.client = Orders(server, name, web)
        self.number = 0

    def describe(self, **keys):
        path = self.folder / "standin.toml"
        path.write_text(self.ca.document(**keys))
        self.server.cli("apply", path)

    def finalize(self, *labels):
        """An order with a name of its own, finalized: (URL, answer)."""
        self.number += 1
        names = [f"n{self.number}{label}.{self.ca.name}.{SUFFIX}" for label in (labels or ("",))]
        url, order = self.client.ready(*names)
        answer, _ = self.client.finalize(order, *names)
        return url, answer

    def requests(self, *more):
        lines = self.server.cli("request", "list", "--json", *more).splitlines()
        return [json.loads(line) for line in lines]

    def show(self, request):
        return json.loads(self.server.cli("request", "show", request, "--json"))

    def records(self, request, action):
        return [record for record in self.server.explain(request) if record["action"] == action]


@pytest.fixture(scope="module")
def web(server):
    made = KeyAuthorizations(server.http01_port)
    yield made
    made.close()


@pytest.fixture(scope="module")
def asked(server, web, tmp_path_factory):
    return House(server, tmp_path_factory.mktemp("foreign"), web, timeout="2s")


@pytest.fixture
def house(asked):
    yield asked
    asked.ca.behave()


def held_order(house, url, status):
    """What the client reads of a request that waits for an officer: (the order, the request as `request show` has it)."""
    answer = house.client.until(url, lambda body: "error" in body)
    assert answer.body["status"] == "processing"
    assert int(answer.headers["Retry-After"]) == 3600
    error = answer.body["error"]
    assert error["type"] == "urn:ietf:params:acme:error:serverInternal"
    assert "waits for an officer" in error["detail"]
    shown = house.show(re.search(r"request ([a-z2-7]{16})\]", error["detail"])[1])
    assert (shown["status"], shown["state"]) == (status, "held")
    return answer.body, shown


def submitted_once(house, shown):
    assert house.ca.submissions()[shown["request"]] == 1


# What came back is not what was authorised -------------------------------------------------------

QUARANTINED = {
    "half": ("issued.encoding", "no END line"),
    "broken_certificate": ("issued.encoding", "certificate 1 of the chain"),
    "other_key": ("issued.key", "another public key"),
    "name_more": ("issued.names", "more.n"),
    "name_missing": ("issued.names", "authorised was"),
    "subject_more": ("issued.subject", "Somebody Else Ltd"),
    "expired_chain": ("issued.chain", "is valid from"),
    "wrong_issuer": ("issued.chain", "does not end at a declared trust anchor"),
    "wrong_signature": ("issued.chain", "no certificate of the chain"),
    "ca_true": ("issued.ca", "one of a CA"),
    "usage_more": ("issued.usage", "sign certificates"),
    "usage_missing": ("issued.usage", "the key usage is missing"),
    "encipherment_more": ("issued.usage", "has more than was authorised"),
    "purpose_more": ("issued.usage", "1.3.6.1.5.5.7.3.3"),
    "identity_more": ("issued.extensions", "1.3.6.1.4.1.311.25.2"),
    "not_yet_valid": ("issued.validity", "not valid yet"),
    "over": ("issued.validity", "is over"),
    "too_long": ("issued.validity", "lasts longer"),
    "too_early": ("issued.validity", "begins earlier"),
}


@pytest.mark.parametrize("how", QUARANTINED)
def test_what_was_not_authorised_is_kept_for_an_officer(house, how):
    check, words = QUARANTINED[how]
    alarms = house.server.events("enrollment_quarantined")
    house.ca.behave(issue=how)
    url, answer = house.finalize("a", "b")
    assert answer.status == 200
    order, shown = held_order(house, url, "quarantined")
    assert "certificate" not in order
    assert (shown["problem"]["check"], words in shown["problem"]["detail"]) == (check, True), shown["problem"]
    assert "BEGIN CERTIFICATE" in shown["received"]
    record, = house.records(shown["request"], "enrollment.quarantined")
    assert (record["outcome"], record["check"]) == ("failed", check)
    assert house.server.events("enrollment_quarantined") == alarms + 1
    assert house.server.certificates(shown["names"][0]) == []
    submitted_once(house, shown)


def test_a_serial_is_taken_once(house):
    house.ca.behave(issue="same_serial")
    _, first = house.finalize()
    assert first.body["status"] == "valid"
    url, _ = house.finalize()
    _, shown = held_order(house, url, "quarantined")
    assert shown["problem"]["check"] == "issued.serial" and "5ec0de" in shown["problem"]["detail"]


# Nobody knows ------------------------------------------------------------------------------------

UNKNOWN = {
    "slow": "not done within its time",
    "stubborn": "not done within its time",
    "silent": "printed nothing",
    "killed": "killed by signal 9",
    "status_3": "exit status 3; it said: no paper \\u001b[31m in the printer",
    "no_json": "no JSON",
    "wrong_types": "chain",
    "no_such_status": '"perhaps" is no answer to issue',
    "giant": "more than its limit",
    "nul": "no JSON",
    "trailing": "no JSON",
}


@pytest.fixture(scope="module")
def unasked(server, web, tmp_path_factory):
    """A CA that cannot be asked what became of a request."""
    return House(server, tmp_path_factory.mktemp("mute"), web, "mute", timeout="2s", operations=["test"])


@pytest.fixture
def mute(unasked):
    yield unasked
    unasked.ca.behave()


@pytest.mark.parametrize("how", UNKNOWN)
def test_an_answer_that_is_none_waits_for_an_officer(mute, how):
    house = mute
    alarms = house.server.events("enrollment_unknown")
    house.ca.behave(issue=how)
    url, answer = house.finalize()
    assert answer.status == 200
    order, shown = held_order(house, url, "unknown")
    assert "nobody knows whether the CA issued" in order["error"]["detail"]
    assert UNKNOWN[how] in shown["problem"]["detail"], shown["problem"]
    record, = house.records(shown["request"], "enrollment.unknown")
    assert (record["outcome"], record["check"]) == ("failed", "backend.answer")
    assert house.server.events("enrollment_unknown") == alarms + 1
    submitted_once(house, shown)


def gone(pid):
    """Dead, or a zombie that nobody has waited for yet."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def await_gone(pids):
    end = time.monotonic() + 30
    while not all(map(gone, pids)):
        assert time.monotonic() < end, f"{pids} still run"
        time.sleep(0.05)


def test_a_command_and_its_children_end_with_its_time(mute):
    mute.ca.behave(issue="stubborn")
    url, _ = mute.finalize()
    held_order(mute, url, "unknown")
    await_gone((mute.ca.home / "pid").read_text().split())


def test_nobody_is_left_behind_by_a_command_that_answers(house):
    house.ca.behave(issue="leaves_child")
    _, answer = house.finalize()
    assert answer.body["status"] == "valid"
    await_gone((house.ca.home / "pid").read_text().split())


def test_pending_without_a_way_to_ask_waits_for_an_officer(mute):
    mute.ca.behave(issue="pending")
    url, _ = mute.finalize()
    _, shown = held_order(mute, url, "unknown")
    assert "declares neither poll nor lookup" in shown["problem"]["detail"]


# What an officer finds out -----------------------------------------------------------------------


def unknown_request(house, how="slow"):
    house.ca.behave(issue=how)
    url, _ = house.finalize()
    _, shown = held_order(house, url, "unknown")
    house.ca.behave()
    return url, shown


def resolve(house, shown, *arguments):
    return house.server.verb("request", "resolve", shown["id"], *arguments, "--data", house.server.data)


def test_an_officer_finds_the_certificate(mute, tmp_path):
    house = mute
    url, shown = unknown_request(house, "lost")
    chain = tmp_path / "chain.pem"
    # Another's certificate is checked like any that comes back.
    house.ca.behave(issue="other_key")
    _, other = unknown_request_or_quarantined(house)
    chain.write_text(other["received"])
    refused = resolve(house, shown, "--certificate", chain, "--why", "a guess")
    assert refused.returncode == 1 and "not what was authorised: issued.key" in refused.stderr
    assert house.client.post(url, None).body["status"] == "processing"

    chain.write_text(house.ca.issued(shown["request"]))
    done = resolve(house, shown, "--certificate", chain, "--why", "it stands in the CA's list")
    assert done.returncode == 0, done
    order = house.client.post(url, None).body
    assert order["status"] == "valid"
    assert house.client.chain(order).startswith(house.ca.issued(shown["request"]).split("-----END")[0])
    record, = house.records(str(shown["id"]), "request.resolved")
    assert record["actor"].startswith("local ") and record["detail"]["why"] == "it stands in the CA's list"
    assert record["detail"]["found"] == "issued"
    again = resolve(house, shown, "--not-issued", "--why", "twice")
    assert again.returncode == 1 and "is issued and waits for nobody" in again.stderr
    submitted_once(house, shown)


def unknown_request_or_quarantined(house):
    url, _ = house.finalize()
    return held_order(house, url, "quarantined")


def test_an_officer_finds_that_nothing_was_issued(mute):
    house = mute
    url, shown = unknown_request(house)
    assert resolve(house, shown, "--not-issued", "--why", "the CA's log").returncode == 0
    order = house.client.post(url, None).body
    assert order["status"] == "invalid"
    assert "an officer found that no certificate was issued" in order["error"]["detail"]
    assert [r for r in house.requests() if r["id"] == shown["id"]] == []
    submitted_once(house, shown)


def test_an_officer_lets_the_client_ask_again(mute):
    house = mute
    url, shown = unknown_request(house, "silent")
    assert resolve(house, shown, "--not-issued", "--again", "--why", "the CA's log").returncode == 0
    order = house.client.post(url, None).body
    assert order["status"] == "ready"
    answer, _ = house.client.finalize(order, order["identifiers"][0]["value"])
    assert answer.body["status"] == "valid"
    submitted_once(house, shown)


@pytest.mark.parametrize("arguments, words", [
    (("--why", "x"), "say either certificate, or notIssued"),
    (("--not-issued", "--why", ""), "why: say in 1 to 500 octets"),
    (("--not-issued",), "--why is required"),
    (("--again", "--why", "x"), "--again requires --not-issued"),
])
def test_a_resolution_says_what_and_why(mute, arguments, words):
    _, shown = unknown_request(mute, "silent")
    done = resolve(mute, shown, *arguments)
    assert done.returncode != 0 and words in done.stdout + done.stderr, done


def test_only_an_officer_resolves_and_others_tenants_requests_are_absent(mute, tmp_path):
    house = mute
    _, shown = unknown_request(house, "silent")
    (tmp_path / "other.toml").write_text('[[tenant]]\nname = "other"\n')
    house.server.cli("apply", tmp_path / "other.toml")
    for role, tenant, words in (("auditor", "default", "this needs officer"), ("officer", "other", "there is no request")):
        name = f"{role}-{tenant}"
        token = json.loads(house.server.cli("principal", "create", name, "--role", role, "--tenant", tenant, "--json"))["token"]
        path = tmp_path / name
        path.write_text(token)
        path.chmod(0o600)
        base = house.server.directory().split("/acme/")[0]
        remote = ("--server", base, "--token-file", path, "--ca-file", house.server.root)
        done = house.server.verb("request", "resolve", shown["id"], "--not-issued", "--why", "x", *remote)
        assert done.returncode == 1 and words in done.stderr, done
        listed = house.server.verb("request", "list", "--json", *remote).stdout
        assert (str(shown["request"]) in listed) == (tenant == "default")


# Answers that come later -------------------------------------------------------------------------


def test_pending_ends_with_a_certificate(house):
    house.ca.behave(issue="pending", poll="pending")
    url, answer = house.finalize()
    assert (answer.status, answer.body["status"]) == (200, "processing")
    assert int(answer.headers["Retry-After"]) >= 1
    request, = [r for r in house.requests() if r["state"] == "pending"]
    assert house.records(request["request"], "enrollment.pending")[0]["detail"]["handle"] == "h-" + request["request"]
    house.ca.behave(issue="pending")
    order = house.client.until(url, lambda body: body["status"] == "valid")
    assert house.client.chain(order.body).startswith(house.ca.issued(request["request"]).split("-----END")[0])
    assert house.ca.submissions()[request["request"]] == 1
    assert house.requests("--held") == [r for r in house.requests("--held") if r["id"] != request["id"]]


def test_pending_ends_with_a_refusal(house):
    house.ca.behave(issue="pending", poll="refused")
    url, _ = house.finalize()
    order = house.client.until(url, lambda body: body["status"] == "invalid").body
    assert "the CA refused the request: not on a Sunday" in order["error"]["detail"]
    assert "rule 7" not in json.dumps(order)


def test_a_refusal_is_told_and_its_log_kept_for_the_officer(house):
    house.ca.behave(issue="refused")
    url, answer = house.finalize()
    order = house.client.post(url, None).body
    assert order["status"] == "invalid"
    assert order["error"]["type"] == "urn:ietf:params:acme:error:unauthorized"
    assert "the CA refused the request: not on a Sunday" in order["error"]["detail"]
    request = re.search(r"request ([a-z2-7]{16})\]", order["error"]["detail"])[1]
    record, = house.records(request, "enrollment.rejected")
    assert record["detail"]["log"] == "rule 7 \\u001b[31m"
    assert house.ca.submissions()[request] == 1


def test_an_unavailable_ca_leaves_the_order_ready(house):
    house.ca.behave(issue="unavailable")
    url, answer = house.finalize()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "77")
    assert answer.body["type"] == "urn:ietf:params:acme:error:rateLimited"
    order = house.client.post(url, None).body
    assert order["status"] == "ready"
    house.ca.behave()
    answer, _ = house.client.finalize(order, order["identifiers"][0]["value"])
    assert answer.body["status"] == "valid"


@pytest.mark.parametrize("how", ["lost", "status_3", "trailing", "half_later"])
def test_a_lost_answer_is_looked_up_and_never_handed_over_again(house, how):
    house.ca.behave(issue="lost" if how == "half_later" else how, lookup="unavailable" if how == "half_later" else "well")
    url, _ = house.finalize()
    if how == "half_later":
        house.client.until(url, lambda body: any(o == "lookup" for o, _ in house.ca.journal()))
        house.ca.behave()
    order = house.client.until(url, lambda body: body["status"] == "valid", seconds=120).body
    request = next(r for o, r in reversed(house.ca.journal()) if o == "lookup")
    assert house.client.chain(order).startswith(house.ca.issued(request).split("-----END")[0])
    assert house.ca.submissions()[request] == 1
    assert len(house.records(request, "enrollment.answer_lost")) == 1


# Around the command ------------------------------------------------------------------------------


def test_a_command_gets_what_is_listed_and_nothing_else(house):
    house.describe(timeout="2s", environment=["GREETING=hello world"], directory="/usr")
    house.ca.behave(issue="told")
    _, answer = house.finalize()
    house.describe(timeout="2s")
    assert answer.body["status"] == "valid"
    told = json.loads((house.ca.home / "told").read_text())
    told["environment"].pop("LC_CTYPE", None)  # Python sets it for itself
    assert told["environment"] == {"GREETING": "hello world"}
    assert (told["directory"], told["umask"], told["group"]) == ("/usr", 0o077, True)
    # 3 is the folder that is being listed.
    assert told["descriptors"] == [0, 1, 2, 3]
    request = told["request"]
    assert (request["operation"], request["backend"]) == ("issue", "default/standin")
    assert request["content"]["parameters"] == {"template": "server"}
    assert [name["type"] for name in request["content"]["names"]] == ["dns"]


def test_the_backend_says_how_it_is(house):
    listed = [json.loads(line) for line in house.server.cli("backend", "list", "--json").splitlines()]
    mine, = [b for b in listed if b["backend"] == "default/standin"]
    assert mine["ready"] and mine["profiles"] == ["standin"] and "lookup" in mine["operations"]
    assert house.server.cli("backend", "test", "default/standin").strip() == "default/standin: stand-in"
    house.ca.behave(test="silent")
    done = house.server.verb("backend", "test", "default/standin", "--data", house.server.data)
    assert done.returncode == 1, done
    done = house.server.verb("backend", "test", "default/none", "--data", house.server.data)
    assert done.returncode == 1 and "there is no enabled backend default/none" in done.stderr


@pytest.mark.parametrize("mode, words", [(0o777, "writable by others"), (0o644, "no program that this user may run")])
def test_a_program_that_others_could_change_is_not_run(server, tmp_path, mode, words):
    program = tmp_path / "issue.sh"
    program.write_text("#!/bin/sh\necho '{}'\n")
    program.chmod(mode)
    root = StandInCa(tmp_path / "ca").root.read_text()
    path = tmp_path / "bad.toml"
    path.write_text(document("bad", [program], root))
    done = server.verb("apply", path, "--data", server.data)
    assert done.returncode == 1 and words in done.stderr, done


def test_a_program_that_becomes_writable_is_run_no_more(house):
    house.ca.program.chmod(0o777)
    url, answer = house.finalize()
    house.ca.program.chmod(0o755)
    assert answer.status == 503 and "cannot be run" in answer.body["detail"]
    order = house.client.post(url, None).body
    assert order["status"] == "ready"


@pytest.mark.parametrize("line, words", [
    ('argv = ["issue.sh"]', "expected the absolute path"),
    ('argv = ["/nowhere/issue.sh"]', "/nowhere/issue.sh: No such file"),
    ('kind = "telepathy"', "known here: command"),
    ('operations = ["erase"]', "known here: poll, lookup, revoke, test"),
    ('environment = ["=x"]', "expected NAME=value"),
    ('timeout = "1h"', "expected 1s to 2m"),
    ('trust_anchors = "none"', "expected 1 to 20 certificates"),
    ('directory = "here"', "expected an absolute path"),
    ('output_limit = 1', "expected 1024 to 1048576"),
])
def test_a_description_that_cannot_be_is_refused(server, tmp_path, line, words):
    ca = StandInCa(tmp_path / "ca", "refused")
    text = ca.document()
    key = line.split(" = ")[0]
    text = re.sub(rf"^{key} = ('''.*?'''|[^\n]*)$", "", text, count=1, flags=re.MULTILINE | re.DOTALL)
    path = tmp_path / "refused.toml"
    path.write_text(text.replace("[[backend]]\n", "[[backend]]\n" + line + "\n", 1))
    done = server.verb("apply", path, "--data", server.data)
    assert done.returncode == 1 and words in done.stderr, done


def test_no_token_adds_or_changes_a_program(house, tmp_path):
    token = json.loads(house.server.cli("principal", "create", "everybody", "--role", "administrator", "--json"))["token"]
    secret = tmp_path / "token"
    secret.write_text(token)
    secret.chmod(0o600)
    remote = ("--server", house.server.directory().split("/acme/")[0], "--token-file", secret, "--ca-file", house.server.root)
    path = tmp_path / "change.toml"
    path.write_text(house.ca.document(timeout="3s"))
    done = house.server.verb("apply", path, *remote)
    assert done.returncode == 1 and "only the local administrator" in done.stderr, done
    # Nor learns which files the server has.
    told = set()
    for program in ("/bin/sh", "/nowhere/none"):
        path.write_text(document("guess", [program], house.ca.root.read_text()))
        done = house.server.verb("apply", path, "--dry-run", *remote)
        assert done.returncode == 1 and "only the local administrator" in done.stderr, done
        told.add(done.stderr)
    assert len(told) == 1, told
    path.write_text(house.ca.document(timeout="2s"))
    assert house.server.verb("apply", path, *remote).returncode == 0


# Revocation --------------------------------------------------------------------------------------


def certificate(house):
    url, answer = house.finalize()
    assert answer.body["status"] == "valid"
    pem = house.client.chain(answer.body)
    return pem, house.server.certificates(answer.body["identifiers"][0]["value"])[0]["serial"]


def status(house, serial):
    return json.loads(house.server.cli("cert", "show", serial, "--json"))["status"]


def test_a_revocation_is_asked_of_the_ca(house):
    pem, serial = certificate(house)
    assert house.client.revoke(pem).status == 200
    assert status(house, serial) == "revoked"
    assert [o for o, _ in house.ca.journal()][-1] == "revoke"
    again = house.client.revoke(pem)
    assert (again.status, again.body["type"].rsplit(":", 1)[1]) == (400, "alreadyRevoked")


def test_a_ca_that_refuses_a_revocation_leaves_the_certificate(house):
    pem, serial = certificate(house)
    house.ca.behave(revoke="refused")
    answer = house.client.revoke(pem)
    assert answer.status == 403 and "not on a Sunday" in answer.body["detail"]
    assert status(house, serial) == "issued"


def test_an_unconfirmed_revocation_is_asked_for_until_it_is_answered(house):
    pem, serial = certificate(house)
    house.ca.behave(revoke="silent")
    answer = house.client.revoke(pem)
    assert answer.status == 503 and "has not confirmed the revocation" in answer.body["detail"]
    assert int(answer.headers["Retry-After"]) == 60
    assert status(house, serial) == "issued"
    house.ca.behave()
    end = time.monotonic() + 60
    while status(house, serial) != "revoked":
        assert time.monotonic() < end, house.server.log_tail()
        time.sleep(0.2)


def test_a_ca_that_takes_no_revocations_says_so(mute):
    pem, serial = certificate(mute)
    answer = mute.client.revoke(pem)
    assert answer.status == 403
    assert "takes no revocations from here" in answer.body["detail"] and serial in answer.body["detail"]
    assert status(mute, serial) == "revoked"
    assert mute.server.events("revocation_unpublished") >= 1
