"""validateRequest: whatever comes back, only exactly Success is a yes (intune.md §4.1 and §4.2)."""
import pytest
from intune import behaviours
from intune.test_validation import EXTENSIONS, PROFILE, REFUSED
from intune.validation import CODES


@pytest.fixture
def outcome(client, tenant, csr):
    """What a validation comes to after what is scripted, and how often Intune was asked. A yes is Intune's."""

    def outcome(*scripted, always=False, **more):
        tenant.script("validate", *scripted, always=always)
        got = client.validate(csr, **more)
        asked = tenant.asked("validate")
        assert not got.ok or asked[-1].code == "Success", "a yes that Intune did not say"
        assert not [what for entry in asked for what in entry.wrong], asked
        assert {entry.fields["request"]["transactionId"] for entry in asked if entry.fields} <= {"T1"}
        got.asked = len(asked)
        return got

    return outcome


def test_success_is_a_yes(outcome, client):
    got = outcome()
    assert got.ok and got.asked == 1 and got.pauses == []
    assert client.events("intune_success")[0]["transaction"] == "T1"


@pytest.mark.parametrize("name", REFUSED)
def test_what_intune_finds_wrong(client, tenant, make_csr, name):
    minted, asked, code = REFUSED[name]
    challenge = tenant.mint_challenge(**{**PROFILE.binding(), **minted})["challenge"]
    got = client.validate(make_csr(challenge, **{"extensions": EXTENSIONS, **asked}))
    assert (got.ok, got.kind, got.check, got.detail) == (False, "forbidden", f"intune.{code}", f"Intune: {code}")
    event, = client.events("intune_refused")
    assert (event["code"], event["transaction"]) == (code, "T1") and len(event["activity"]) == 36


@pytest.mark.parametrize("code", [*CODES, "SomethingNew", "success", "SUCCESS", "Success1", "Suc"])
def test_every_other_code_is_a_no(outcome, code):
    got = outcome(behaviours.code(code))
    assert (got.ok, got.kind, got.check, got.asked) == (False, "forbidden", f"intune.{code}", 1)


@pytest.mark.parametrize("code", ["Success ", " Success", "Success\u0000", "<b>", "x" * 65, "Erfolg ü"])
def test_a_code_that_is_none_is_not_repeated(outcome, client, code):
    got = outcome(behaviours.code(code))
    assert (got.ok, got.kind, got.check, got.detail) == (False, "forbidden", "intune.Unknown", "Intune: Unknown")


YES = {"well": behaviours.well(), "extra_fields": behaviours.extra_fields(), "null_description": behaviours.fields(errorDescription=None),
       "chunked": behaviours.chunked(), "bom": behaviours.bom(), "slow": behaviours.slow(0.3), "drip": behaviours.drip(0.001)}


@pytest.mark.parametrize("name", YES)
def test_odd_and_right(outcome, name):
    got = outcome(YES[name])
    assert got.ok and got.asked == 1


NO_ANSWER = {"no_code": behaviours.no_code(), "null_code": behaviours.fields(code=None), "code_number": behaviours.fields(code=0),
             "code_list": behaviours.fields(code=["Success"]), "empty_code": behaviours.fields(code=""), "html": behaviours.html(),
             "empty": behaviours.empty(), "no_content": behaviours.no_content(), "malformed": behaviours.malformed(),
             "not_an_object": behaviours.not_an_object(), "truncated": behaviours.truncated(30), "gzip": behaviours.gzip(),
             "huge": behaviours.huge(), "octets": behaviours.body(b"\0\xff"),
             "doubled": behaviours.body('{"code": "ChallengeExpired", "code": "Success"}'),
             "trailing": behaviours.body('{"code": "Success"} {"code": "ChallengeExpired"}')}


@pytest.mark.parametrize("name", NO_ANSWER)
def test_an_answer_that_is_none_is_a_no(outcome, name):
    got = outcome(NO_ANSWER[name])
    assert (got.ok, got.kind, got.check, got.asked) == (False, "unavailable", "intune.answer", 1)


@pytest.mark.parametrize("status", [400, 409, 418])
def test_a_status_that_stays(outcome, status):
    got = outcome(behaviours.status(status))
    assert (got.ok, got.kind, got.check, got.asked) == (False, "incorrect_response", "intune.rejected", 1)
    assert f"{status}: Scripted{status}: scripted {status}" in got.detail


def test_a_challenge_in_an_error_is_not_repeated(outcome, client):
    echoed = "Q" * 3000
    got = outcome(behaviours.status(400, body='{"error": {"code": "BadRequest", "message": "the request %s is bad"}}' % echoed))
    assert got.detail.endswith("400: BadRequest: the request … is bad") and "QQQ" not in client.log.read_text()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_is_followed(outcome, standin, status):
    got = outcome(behaviours.redirect(standin.urls()["trap"] + "/x", status))
    assert (got.ok, got.check) == (False, "intune.rejected")
    assert not [entry for entry in standin.asked() if entry.site == "trap"]


def test_permission_missing_at_intune(client, tenant, csr):
    tenant.set_roles(intune=[])
    got = client.validate(csr)
    assert (got.ok, got.check) == (False, "intune.permission") and len(tenant.asked("validate")) == 1
    event, = client.events("intune_call_failed")
    assert "scep_challenge_provider" in event["advice"] and "Grant admin consent" in event["advice"]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_trouble_that_passes(outcome, status):
    got = outcome(behaviours.status(status), behaviours.status(status))
    assert got.ok and got.asked == 3
    first, second = got.pauses
    assert 375 <= first <= 630 and 750 <= second <= 1260


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_trouble_that_stays(outcome, tenant, status):
    got = outcome(behaviours.status(status), always=True)
    assert (got.ok, got.kind, got.check, got.asked) == (False, "unavailable", "intune.unreachable", 3)
    activities = [dict(entry.headers)["client-request-id"] for entry in tenant.asked("validate")]
    assert len(set(activities)) == 3, "an id of its own for each try"


def test_a_refused_token_is_replaced_once(outcome, tenant):
    got = outcome(behaviours.status(401))
    assert got.ok and got.asked == 2 and got.pauses == []
    assert [entry.fields["scope"] for entry in tenant.asked("token")].count(tenant.tenant()["intune_scope"]) == 2


def test_a_refused_token_twice_is_the_end(outcome, client, tenant, csr):
    got = outcome(behaviours.status(401), always=True)
    assert (got.ok, got.check, got.asked) == (False, "intune.credentials", 2)
    tokens = len(tenant.asked("token"))
    assert client.validate(csr).check == "intune.credentials" and len(tenant.asked("token")) == tokens, "nobody asks for a minute"
    assert 'alarm="intune_credentials"' in client.ask("metrics").metrics


def test_withdrawn_tokens(client, tenant, csr):
    assert client.validate(csr).ok
    tenant.withdraw_tokens()
    assert client.validate(csr).ok
    assert [entry.status for entry in tenant.asked("validate")] == [200, 401, 200]


@pytest.mark.parametrize("given, pause", [(2, 2000), ("2", 2000), (0, 0)])
def test_throttled_for_a_while(outcome, given, pause):
    got = outcome(behaviours.throttled(given))
    assert got.ok and got.asked == 2 and got.pauses == [pause]


@pytest.mark.parametrize("given", [None, "soon", "-1", "1.5"])
def test_throttled_for_nobody_knows_how_long(outcome, given):
    got = outcome(behaviours.throttled(given))
    assert got.ok and got.asked == 2 and 375 <= got.pauses[0] <= 630


def test_throttled_until_a_date(outcome, standin):
    got = outcome(behaviours.throttled({"in": 4}))
    assert got.ok and 2000 <= got.pauses[0] <= 5000


@pytest.mark.parametrize("given, held", [(86400, 3600), ({"in": 600}, 600), (30, 30)])
def test_throttled_for_longer_than_there_is_time(outcome, client, tenant, csr, given, held):
    got = outcome(behaviours.throttled(given))
    assert (got.ok, got.check, got.asked, got.pauses) == (False, "intune.throttled", 1, [])
    assert got.retry_after > 20
    again = client.validate(csr)
    assert (again.check, len(tenant.asked("validate"))) == ("intune.breaker", 1), "nobody is asked meanwhile"
    assert held - 5 <= again.retry_after <= held
    client.ask("advance", seconds=held + 1)
    assert client.validate(csr).ok and "postern_intune_breaker_open" in client.ask("metrics").metrics


def test_a_service_that_stays_away_is_left_alone(client, tenant, csr):
    tenant.script("validate", behaviours.status(503), always=True)
    checks = [client.validate(csr, f"T{n}").check for n in range(8)]
    assert checks == ["intune.unreachable"] * 5 + ["intune.breaker"] * 3
    assert len(tenant.asked("validate")) == 15
    assert 'postern_intune_breaker_open{account="default/corp"} 1' in client.ask("metrics").metrics
    client.ask("advance", seconds=16)
    assert client.validate(csr, "T9").check == "intune.unreachable", "one may try"
    assert client.validate(csr, "T10").check == "intune.breaker", "and the wait is longer"
    tenant.script("validate", behaviours.well(), always=True)
    client.ask("advance", seconds=31)
    assert [client.validate(csr, f"T{n}").check for n in (11, 12)] != ["intune.breaker"] * 2


def test_silence_ends_with_the_deadline(outcome, standin):
    got = outcome(behaviours.silence(), deadline_ms=700)
    assert (got.ok, got.check) == (False, "intune.unreachable") and "no answer in time" in got.detail
    standin.release()


CUTS = {"reset": behaviours.reset(), "reset_in_head": behaviours.reset(10), "reset_in_body": behaviours.reset(-5),
        "closed": behaviours.closed(), "closed_in_head": behaviours.closed(40), "closed_before_its_end": behaviours.closed(-4),
        "closed_in_body": behaviours.closed(-5, carried_out=True), "lost": behaviours.lost_reply()}


@pytest.mark.parametrize("name", CUTS)
def test_a_cut_is_tried_again(outcome, tenant, name):
    got = outcome(CUTS[name])
    assert got.ok and got.asked >= 2
    assert len({entry.body for entry in tenant.asked("validate")}) == 1, "the same octets"


@pytest.mark.parametrize("name", CUTS)
def test_cut_every_time(outcome, name):
    got = outcome(CUTS[name], always=True)
    assert (got.ok, got.check) == (False, "intune.unreachable")


def test_a_dead_connection_is_replaced(client, tenant, csr, standin):
    tenant.script("validate", behaviours.stale())
    assert client.validate(csr).ok and client.validate(csr).ok
    assert standin.counters()["stale"]["asked"] == 1 and len(tenant.asked("validate")) == 2


def test_connections_are_kept(client, tenant, csr):
    assert all(client.validate(csr).ok for _ in range(5))
    assert len({entry.connection for entry in tenant.asked("validate")}) == 1


@pytest.mark.parametrize("site", ["entra", "graph", "intune"])
@pytest.mark.parametrize("how", ["refused", "stranger", "misnamed", "mute"])
def test_a_service_is_away_and_comes_back(client, tenant, csr, standin, site, how):
    standin.down(site=site)
    try:
        if how != "refused":
            standin.up(site=site, certificate=how)
        got = client.validate(csr, deadline_ms=1500 if how == "mute" else 20000)
        assert (got.ok, got.check) == (False, "intune.unreachable")
        words = {"refused": "nobody takes the connection", "stranger": "not trusted", "misnamed": "not trusted", "mute": "in time"}
        assert words[how] in got.detail and not tenant.asked("validate")
    finally:
        standin.down(site=site)
        standin.up(site=site)
    assert client.validate(csr).ok


@pytest.mark.parametrize("old", [404, 410, "refused", "stranger", "misnamed"])
def test_a_service_that_moved_is_found(client, tenant, csr, old):
    assert client.validate(csr).ok
    tenant.move_endpoint(old=old)
    got = client.validate(csr)
    assert got.ok and len(tenant.asked("endpoints")) == 2
    assert client.validate(csr).ok and len(tenant.asked("endpoints")) == 2


@pytest.mark.parametrize("status", [404, 410])
def test_a_service_that_is_gone(outcome, client, tenant, csr, status):
    got = outcome(behaviours.status(status), always=True)
    assert (got.ok, got.kind, got.check, got.asked) == (False, "unavailable", "intune.service", 2)
    assert len(tenant.asked("endpoints")) == 2
    client.validate(csr)
    assert len(tenant.asked("endpoints")) == 2, "not twice in a minute"
    client.ask("advance", seconds=61)
    client.validate(csr)
    assert len(tenant.asked("endpoints")) == 3


@pytest.mark.parametrize("transaction", ["", "x" * 256])
def test_a_transaction_that_is_none(client, csr, tenant, transaction):
    got = client.validate(csr, transaction)
    assert (got.ok, got.kind, got.check) == (False, "malformed", "intune.request") and not tenant.asked()


def test_a_replayed_challenge_is_a_yes_twice(client, csr):
    """Which proves that whoever calls must know what was used."""
    assert client.validate(csr).ok and client.validate(csr, "T2").ok


def test_many_at_once_share_one_token(client, tenant, csr):
    import base64
    got = client.ask("at_once", times=40, transaction="T1", csr=base64.b64encode(csr).decode())
    assert got.good == 40 and len(tenant.asked("validate")) == 40
    assert sorted(tenant.tenant()["tokens"].values()) == [1, 1] and len(tenant.asked("endpoints")) == 1


def test_the_metrics_count(client, tenant, csr):
    tenant.script("validate", behaviours.code("ChallengeExpired"), behaviours.status(400))
    for _ in range(3):
        client.validate(csr)
    text = client.ask("metrics").metrics
    for result in ("refused", "rejected", "success"):
        assert f'postern_intune_calls_total{{call="validate",result="{result}"}} 1' in text
    assert 'postern_intune_call_seconds_count{call="validate"} 3' in text
