"""Microsoft Graph's list of services, and where no token goes (intune.md §3)."""
import pytest
from intune import behaviours
from intune.tenants import REVOCATION, VALIDATION

RIGHT = {"upper": {"case": "upper"}, "lower": {"case": "lower"}, "slash": {"slash": True}, "pages": {"page": 1}, "pages_of_two": {"page": 2},
         "duplicate_elsewhere": {"duplicates": {VALIDATION: "https://trap.example/x"}}}


@pytest.mark.parametrize("name", RIGHT)
def test_odd_and_right(client, tenant, csr, name):
    tenant.discovery(**RIGHT[name])
    assert client.validate(csr).ok and tenant.wrong() == []


def test_the_first_of_several_counts_and_the_rest_is_told(client, tenant, csr):
    tenant.discovery(duplicates={VALIDATION: "https://localhost:1/x"})
    assert client.validate(csr).ok
    event, = client.events("intune_service_doubled")
    assert event["service"] == f"{VALIDATION} at https://localhost:1/x"


WRONG = {"absent": ({"absent": [VALIDATION]}, "intune.service", "lacks ScepRequestValidationFEService"),
         "foreign": ({"first": {VALIDATION: "https://trap.example/RACerts"}}, "intune.service", "where no token may go"),
         "suffix_of_another": ({"first": {VALIDATION: "https://evil-localhost/RACerts"}}, "intune.service", "where no token may go"),
         "user": ({"first": {VALIDATION: "https://localhost@127.0.0.2/RACerts"}}, "intune.service", "where no token may go"),
         "http": ({"http": True}, "intune.service", "where no token may go"),
         "no_end": ({"page": 1, "next_link": "loop"}, "intune.answer", "has no end"),
         "next_elsewhere": ({"page": 1, "next_link": "foreign"}, "intune.answer", "at another host")}


@pytest.mark.parametrize("name", WRONG)
def test_where_no_token_goes(client, tenant, csr, standin, name):
    how, check, words = WRONG[name]
    tenant.discovery(**how)
    got = client.validate(csr)
    assert (got.ok, got.kind, got.check) == (False, "unavailable", check) and words in got.detail
    assert not tenant.asked("validate") and not [entry for entry in standin.asked() if entry.site == "trap"]


def test_the_trap_itself(client, tenant, csr, standin):
    tenant.discovery(first={VALIDATION: standin.urls()["trap"] + "/RACerts"})
    assert client.validate(csr).check == "intune.service"
    assert not [entry for entry in standin.asked() if entry.site == "trap"]


def test_what_was_missing_is_looked_for_again_after_a_minute(client, tenant, csr):
    tenant.discovery(absent=[VALIDATION])
    assert client.validate(csr).check == client.validate(csr).check == "intune.service" and len(tenant.asked("endpoints")) == 1
    tenant.discovery()
    client.ask("advance", seconds=61)
    assert client.validate(csr).ok


def test_the_other_service_does_not_matter(client, tenant, csr):
    tenant.discovery(absent=[REVOCATION])
    assert client.validate(csr).ok and client.ask("download", most=5).check == "intune.service"


def test_permission_missing_at_graph(client, tenant, csr):
    tenant.set_roles(graph=[])
    assert client.validate(csr).check == client.validate(csr).check == "intune.permission"
    assert len(tenant.asked("endpoints")) == 1, "an administrator needs longer than a minute"
    assert "Application.Read.All" in client.events("intune_call_failed")[0]["advice"]
    tenant.set_roles(graph=["Application.Read.All"])
    tenant.withdraw_tokens()
    client.ask("advance", seconds=61)
    assert client.validate(csr).ok


def test_kept_for_a_day(client, tenant, csr):
    assert client.validate(csr).ok
    client.ask("advance", seconds=23 * 3600)
    client.validate(csr)
    assert len(tenant.asked("endpoints")) == 1
    client.ask("advance", seconds=2 * 3600)
    client.validate(csr)
    assert len(tenant.asked("endpoints")) == 2


PASSING = {"401": behaviours.status(401), "503": behaviours.status(503), "429": behaviours.throttled(1), "reset": behaviours.reset()}


@pytest.mark.parametrize("name", PASSING)
def test_graphs_trouble_passes(client, tenant, csr, name):
    tenant.script("endpoints", PASSING[name])
    assert client.validate(csr).ok


NO_LIST = {"html": behaviours.html(), "empty": behaviours.empty(), "malformed": behaviours.malformed(), "huge": behaviours.huge(),
           "no_list": behaviours.fields(value="x"), "link_number": behaviours.fields(**{"@odata.nextLink": 7})}


@pytest.mark.parametrize("name", NO_LIST)
def test_an_answer_that_is_no_list(client, tenant, csr, name):
    tenant.script("endpoints", NO_LIST[name], always=True)
    got = client.validate(csr)
    assert (got.ok, got.check) == (False, "intune.answer") and not tenant.asked("validate")


def test_a_refused_token_twice_is_the_end(client, tenant, csr):
    tenant.script("endpoints", behaviours.status(401), always=True)
    assert client.validate(csr).check == "intune.credentials" and len(tenant.asked("endpoints")) == 2


def test_graph_away_and_intune_well(client, tenant, csr, standin):
    """Intune fails once, Graph stays away: the address that was known serves."""
    assert client.validate(csr).ok
    standin.down(site="graph")
    try:
        tenant.script("validate", behaviours.status(503))
        assert client.validate(csr).ok
    finally:
        standin.up(site="graph")
