"""What EST and SCEP refuse before anybody is known leaves an audit row: who tried, what it was about and why not; never with what."""
import json
import re
import subprocess
from datetime import datetime, timedelta
from itertools import count

import pytest

from harness.environment import executable
from harness.est_client import EstClient, reference, refused
from harness.management import metrics
from harness.manufacturer import Manufacturer
from harness.scep_device import Device
from harness.scep_style import ANDROID
from harness.server import Postern

CHOSEN = "Meadow-Lantern-42"
DOCUMENT = """
[[profile]]
name = "router"
lifetime = "30d"
keys = ["ec-p256"]
extended_key_usage = ["clientAuth"]
common_name = "text"

[[endpoint]]
name = "routers"
protocol = "est"
profiles = ["router"]

[[account]]
name = "operator"
endpoint = "routers"
method = "basic"
common_names = ["*"]
secret = {generate = true}

[[account]]
name = "person"
endpoint = "routers"
method = "basic"
common_names = ["*"]
secret = {file = "chosen"}

[[account]]
name = "factory"
endpoint = "routers"
method = "certificate"
common_names = ["*"]
trust_anchors = \"\"\"
@MAKER@\"\"\"

[[account]]
name = "minted"
endpoint = "routers"
method = "one_time"
common_names = ["*"]

[[endpoint]]
name = "certified"
protocol = "est"
profiles = ["router"]
credential = "certificate"

[[account]]
name = "certified"
endpoint = "certified"
method = "basic"
common_names = ["*"]
secret = {generate = true}

[[endpoint]]
name = "laboratory"
protocol = "est"
profiles = ["router"]

[[account]]
name = "laboratory"
endpoint = "laboratory"
method = "open"
common_names = ["lab-*"]

[[profile]]
name = "tablet"
lifetime = "30d"
keys = ["rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"

[[endpoint]]
name = "tablets"
protocol = "scep"
profiles = ["tablet"]

[[account]]
name = "tablets"
endpoint = "tablets"
method = "open"
common_names = ["lab-*"]

[[account]]
name = "minted-tablets"
endpoint = "tablets"
method = "one_time"
common_names = ["*"]

[[endpoint]]
name = "closed"
protocol = "est"
profiles = ["router"]
enabled = false
"""
# A source of its own for each case: each has rows only of so many tries.
ADDRESSES = (f"127.0.7.{number}" for number in count(1))


class Site:
    def __init__(self, server, maker, folder):
        self.server, self.maker, self.folder = server, maker, folder
        (folder / "chosen").write_text(CHOSEN + "\n")
        (folder / "chosen").chmod(0o600)
        document = folder / "site.toml"
        document.write_text(DOCUMENT.replace("@MAKER@", maker.root.pem))
        self.passwords = {name: secret["password"] for name, secret in server.apply(document).items()}

    def user(self, name):
        return f"{name}:{self.passwords[name]}"

    def records(self, answer):
        return [each for each in self.server.explain(reference(answer)) if each["action"] == "request.refused"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    server = Postern(executable(), tmp_path_factory.mktemp("s"), "integration.test")
    server.start()
    try:
        yield Site(server, Manufacturer(tmp_path_factory.mktemp("maker")), tmp_path_factory.mktemp("site"))
    finally:
        server.stop()


@pytest.fixture
def est(site, tmp_path):
    return EstClient(site.server, tmp_path, source=next(ADDRESSES))


def recorded(site, answer, status, check, actor, secrets=()):
    """The one row of a refusal, and none of the secrets anywhere in it or in the log."""
    refused(answer, status, check)
    [row] = site.records(answer)
    assert (row["outcome"], row["check"]) == ("refused", check)
    assert re.fullmatch(actor, row["actor"]), row["actor"]
    [step] = row["detail"]["trace"]
    assert (step["check"], step["verdict"], step["reason"]) == (check, "refuse", row["detail"]["problem"]["detail"])
    assert step["reason"] in answer.text
    log = site.server.log.read_text()
    for secret in secrets:
        assert secret not in json.dumps(row) and secret not in log
    return row


CERTIFICATE = "est certificate [0-9a-f]{64}"


def test_nobody(site, est):
    row = recorded(site, est.enroll("routers", est.request("/CN=r1")), 401, "credential.known", "est nobody")
    assert row["detail"]["trace"][0]["input"] == f"POST /.well-known/est/routers/simpleenroll from {est.source}"


@pytest.mark.parametrize("user, password", [("operator", "guess-of-a-drawn-one"), ("person", "guess-of-a-chosen-one"), ("stranger", "guess-of-none"), ("", "guess-without-a-name")],
                         ids=["drawn", "chosen", "unknown", "empty"])
def test_wrong_password(site, est, user, password):
    recorded(site, est.enroll("routers", est.request("/CN=r1"), user=f"{user}:{password}"), 401, "credential.known", f"est user {user}", [password])


def test_names_that_strangers_make_up_are_readable_and_short(site, est):
    answer = est.enroll("routers", est.request("/CN=r1"), user="\x1b[2J\x9b" + "x" * 500 + ":guess")
    row = recorded(site, answer, 401, "credential.known", r"est user \\u001b\[2J.{1,60}x{40,60}")
    assert "\x1b" not in json.dumps(row, ensure_ascii=False)


def test_wrong_password_at_csrattrs(site, est):
    row = recorded(site, est.ask("routers", "csrattrs", user="operator:guess-at-csrattrs"), 401, "credential.known", "est user operator", ["guess-at-csrattrs"])
    assert row["detail"]["trace"][0]["input"].startswith("GET /.well-known/est/routers/csrattrs from ")


def test_wrong_token(site, est):
    token = "0123456789ABCDEF0123456789ABCDEF"
    recorded(site, est.enroll("routers", est.request("/CN=r1"), bearer=token), 401, "credential.known", "est token", [token])


def test_unreadable_header(site, est):
    recorded(site, est.enroll("routers", est.request("/CN=r1"), headers=["Authorization: Digest username=\"operator\""]), 401, "credential.known", "est nobody")


def test_certificate_of_a_stranger(site, est, tmp_path):
    device = Manufacturer(tmp_path, "Another").device("SN-1")
    row = recorded(site, est.enroll("routers", est.request("/CN=SN-1"), identity=device), 403, "credential.chain", CERTIFICATE)
    assert "certificate of " in row["detail"]["trace"][0]["input"] and "SN-1" in row["detail"]["trace"][0]["input"]


def test_certificate_that_ended(site, est):
    device = site.maker.device("SN-2", begin=datetime.utcnow() - timedelta(days=9), end=datetime.utcnow() - timedelta(days=1))
    recorded(site, est.enroll("routers", est.request("/CN=SN-2"), identity=device), 403, "credential.validity", CERTIFICATE)


def test_certificate_that_was_revoked(site, est):
    request = est.request("/CN=r1")
    enrolled = est.enroll("routers", request, user=site.user("operator"))
    assert enrolled.status == 200, enrolled.text
    serial = subprocess.run(["openssl", "x509", "-in", enrolled.chain, "-noout", "-serial"], text=True, capture_output=True, check=True).stdout.strip().removeprefix("serial=").lower()
    site.server.cli("cert", "revoke", serial)
    row = recorded(site, est.reenroll("routers", request, enrolled), 403, "renewal.status", CERTIFICATE)
    assert serial in row["detail"]["trace"][0]["input"]


def test_certificate_of_a_manufacturer_renews_nothing(site, est):
    recorded(site, est.reenroll("routers", est.request("/CN=SN-3"), site.maker.device("SN-3")), 403, "renewal.record", CERTIFICATE)


def test_renewal_without_a_certificate(site, est):
    recorded(site, est.ask("routers", "simplereenroll", est.request("/CN=r1"), user=site.user("operator")), 403, "renewal.record", "est user operator", [site.passwords["operator"]])


def test_good_certificate_and_bad_password(site, est):
    answer = est.enroll("routers", est.request("/CN=SN-4"), identity=site.maker.device("SN-4"), user="operator:guess-beside")
    recorded(site, answer, 401, "credential.known", CERTIFICATE + ", user operator", ["guess-beside"])


def test_certificate_is_wanted(site, est):
    answer = est.enroll("certified", est.request("/CN=r1"), user=site.user("certified"))
    recorded(site, answer, 403, "credential.certificate", "est user certified", [site.passwords["certified"]])


def test_two_accounts(site, est):
    answer = est.enroll("routers", est.request("/CN=SN-5"), identity=site.maker.device("SN-5"), user=site.user("operator"))
    recorded(site, answer, 403, "credential.one_identity", CERTIFICATE + ", user operator", [site.passwords["operator"]])


@pytest.mark.parametrize("operation", ["simpleenroll", "csrattrs"])
def test_disabled_endpoint(site, est, operation):
    answer = est.ask("closed", operation, est.request("/CN=r1") if operation == "simpleenroll" else None, user="operator:unread")
    recorded(site, answer, 403, "endpoint.active", "est user operator", ["unread"])


@pytest.mark.parametrize("text, check", [(b"", "est.body"), (b"MII=", "malformed"), (b"-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n", "est.body")], ids=["empty", "cut", "other"])
def test_request_of_somebody_known_that_cannot_be_read(site, est, text, check):
    request = est.request("/CN=r1")
    request.file.write_bytes(text)
    answer = est.enroll("routers", request, user=site.user("operator"))
    recorded(site, answer, 400, answer.text.split()[1].rstrip(":"), "est user operator", [site.passwords["operator"]])


def test_header_that_comes_twice_is_counted_only(site, est):
    """Nothing was judged."""
    answer = est.enroll("routers", est.request("/CN=r1"), headers=["Authorization: Basic YTpi", "authorization: Basic YTpi"])
    refused(answer, 400, "credential.header")
    assert "nothing is recorded" in site.server.verb("explain", reference(answer), "--data", site.server.data).stderr


def test_a_client_is_explained_by_its_name(site, est):
    answers = [est.enroll("routers", est.request("/CN=r1"), user="somebody:guess") for _ in range(2)]
    assert [each["request"] for each in site.server.explain("user somebody")] == [reference(answer) for answer in answers]
    assert "user somebody" in site.server.cli("explain", reference(answers[0]))


def test_a_flood_fills_no_store(site, est):
    """Of one source so many rows at once; every refusal is in the log and in the answer."""
    before = metrics(site.server).get("postern_refusals_not_recorded_total", 0)
    request = est.request("/CN=r1")
    answers = [est.enroll("routers", request, user=f"flood{number}:guess") for number in range(45)]
    assert {answer.status for answer in answers} == {401}
    known = [site.server.verb("explain", reference(answer), "--data", site.server.data).returncode == 0 for answer in answers]
    left_out = metrics(site.server)["postern_refusals_not_recorded_total"] - before
    assert known[:20] == [True] * 20
    assert known.count(False) == left_out > 0
    log = site.server.log.read_text()
    for answer in answers:
        assert f'"event":"request_refused","request":"{reference(answer)}"' in re.sub(r'"(time|at|level)":"[^"]*",', "", log)


def bounded(site, ask, reference_of):
    """Of 45 refusals that `ask` gets, the first 20 have a row each; the rest of them is counted. What the last one read."""
    before = metrics(site.server).get("postern_refusals_not_recorded_total", 0)
    answers = [ask() for _ in range(45)]
    known = [site.server.verb("explain", reference_of(answer), "--data", site.server.data).returncode == 0 for answer in answers]
    left_out = metrics(site.server)["postern_refusals_not_recorded_total"] - before
    assert known[:20] == [True] * 20
    assert known.count(False) == left_out > 0
    return answers[-1]


def test_a_flood_at_an_open_endpoint_fills_no_store(site, est):
    request = est.request("/CN=r1")
    refused(bounded(site, lambda: est.enroll("laboratory", request), reference), 403, "subject.common_name")
    assert est.enroll("laboratory", est.request("/CN=lab-1")).status == 200


@pytest.mark.parametrize("common_name", ["r1", "r2"], ids=["right-name", "another-name"])
@pytest.mark.parametrize("how", ["withdrawn", "used"])
def test_a_flood_with_a_token_that_is_over_fills_no_store(site, est, how, common_name):
    minted = json.loads(site.server.cli("est", "token", "create", "routers", "--subject", "CN=r1", "--json"))
    if how == "withdrawn":
        site.server.cli("est", "token", "withdraw", "routers", minted["id"])
    else:
        assert est.enroll("routers", est.request("/CN=r1"), bearer=minted["token"]).status == 200
    request = est.request(f"/CN={common_name}")
    check = "challenge.valid" if how == "withdrawn" else "challenge.single_use" if common_name == "r1" else "challenge.binding"
    refused(bounded(site, lambda: est.enroll("routers", request, bearer=minted["token"]), reference), 403, check)


def test_a_flood_of_bodies_with_a_token_fills_no_store(site, est):
    minted = json.loads(site.server.cli("est", "token", "create", "routers", "--subject", "CN=r1", "--json"))
    request = est.request("/CN=r1")
    request.file.write_bytes(b"MII=")
    refused(bounded(site, lambda: est.enroll("routers", request, bearer=minted["token"]), reference), 400, "bad_csr")


class Tablets:
    """Requests of one source at the SCEP endpoint, of a transaction each."""

    def __init__(self, server):
        self.server, self.names = server, count(1)

    def enroll(self, challenge=""):
        device = Device(self.server.scep("tablets"), ANDROID, subject=[("CN", f"tablet-{next(self.names)}")]).discover()
        self.text = device.enroll(challenge).text
        return device.style.transaction_id(device.key)


@pytest.fixture
def tablets(tmp_path_factory):
    """A server of its own: all its devices have one address."""
    server = Postern(executable(), tmp_path_factory.mktemp("t"), "integration.test")
    server.start()
    try:
        folder = tmp_path_factory.mktemp("tablets")
        yield Tablets(Site(server, Manufacturer(folder), folder).server)
    finally:
        server.stop()


def test_a_flood_at_an_open_scep_endpoint_fills_no_store(tablets):
    bounded(tablets, tablets.enroll, str)
    assert tablets.text == "the common name is none that account tablets may ask for (common_names)"


def test_a_flood_with_a_scep_challenge_that_was_withdrawn_fills_no_store(tablets):
    minted = json.loads(tablets.server.cli("challenge", "create", "tablets/minted-tablets", "--subject", "CN=tablet-1", "--json"))
    tablets.server.cli("challenge", "withdraw", "tablets", minted["id"])
    bounded(tablets, lambda: tablets.enroll(minted["challenge"]), str)
    assert tablets.text == "the challenge was withdrawn"


def test_neighbours_of_a_flood_have_rows(site, tmp_path):
    loud, quiet = (EstClient(site.server, tmp_path, source=next(ADDRESSES)) for _ in range(2))
    request = loud.request("/CN=r1")
    for number in range(25):
        loud.enroll("routers", request, user=f"loud{number}:guess")
    recorded(site, quiet.enroll("routers", request, user="quiet:guess"), 401, "credential.known", "est user quiet")


def test_tries_that_have_to_wait_are_none(site, est):
    """They were not judged, so there is nothing to explain."""
    request = est.request("/CN=r1")
    answer = est.enroll("routers", request, user="waits:guess")
    for _ in range(20):
        if answer.status == 429:
            break
        answer = est.enroll("routers", request, user="waits:guess")
    refused(answer, 429, "credential.tries")
    assert site.server.verb("explain", reference(answer), "--data", site.server.data).returncode != 0


def test_scep_challenge(site):
    """The same of SCEP, under its transaction."""
    device = Device(site.server.scep(), ANDROID, subject=[("CN", "phone-1")]).discover()
    assert device.enroll("a-wrong-challenge-0").text == "the challenge is not known at this endpoint"
    [row] = site.server.explain(device.style.transaction_id(device.key))
    assert (row["action"], row["outcome"], row["check"]) == ("request.refused", "refused", "challenge.known")
    assert row["detail"]["trace"][0]["input"].startswith("PKCSReq from 127.0.0.1, with a challenge, for CN=phone-1, signed by a certificate of its own")
    assert "a-wrong-challenge" not in json.dumps(row) and "a-wrong-challenge" not in site.server.log.read_text()
