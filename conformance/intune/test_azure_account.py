"""[[azure_account]] and `postern azure` of a real server: what a person does, each mistake, and the words for it in the manual."""
import json
import re
import urllib.parse
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from harness import pkcs10
from harness.seeded import Random, rsa_key

from intune import behaviours
from intune.tenants import VALIDATION

PAGE = (Path(__file__).resolve().parents[2] / "docs/integrations/intune.md").read_text()
GUID = "11111111-2222-3333-4444-555555555555"


def documented(line):
    """The manual has these words of a line."""
    assert line in PAGE, f"docs/integrations/intune.md does not say: {line}"


@pytest.fixture
def account(server, standin, tenant, tmp_path, request):
    """Applies a document for the tenant of the case; gives its name. Keys that are None are left out."""
    name = "a" + re.sub(r"[^a-z0-9]+", "-", request.node.name)[:60].strip("-")

    def apply(secret=None, expect=0, **changed):
        configured = tenant.tenant()
        hosts = sorted({urllib.parse.urlsplit(place).hostname for place in configured["locations"].values()})
        keys = {"directory": configured["id"], "application": configured["client_id"], "login_url": configured["authority"],
                "graph_url": configured["graph"], "service_hosts": hosts, "trust_anchors": standin.ca.read_text(), **changed}
        files = {"secret": configured["secret"] if secret is None else secret, "proxy_password": keys.pop("proxy_password", None)}
        lines = ["[[azure_account]]", f'name = "{name}"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None]
        for key, text in files.items():
            if text is not None:
                path = tmp_path / key
                path.touch(mode=0o600)
                path.write_text(text + "\n")
                lines.append(f'{key} = {{file = "{key}"}}')
        document = tmp_path / "account.toml"
        document.write_text("\n".join(lines) + "\n")
        done = server.verb("apply", document, "--data", server.data)
        assert done.returncode == expect, done.stdout + done.stderr
        return name if expect == 0 else done.stderr

    return apply


@pytest.fixture
def test(server, standin):
    """Runs `postern azure test`; its lines, and whether it was well. No secret is in them."""

    def test(name, *more):
        done = server.verb("azure", "test", name, "--data", server.data, *more)
        told = done.stdout + done.stderr
        assert not [secret for secret in standin.confidential() if len(secret) > 10 and secret in told]
        return told, done.returncode == 0

    return test


def test_a_well_account(account, test, tenant):
    told, well = test(account())
    assert well and told.count("ok      ") == 6 and tenant.wrong() == [], told
    assert told.startswith("WARNING: its document names addresses or scopes that are not Microsoft's"), "loudly marked"
    for line in ("ok      token for Microsoft Graph: given, for 59 min", "ok      permission for Intune: scep_challenge_provider"):
        assert line in told
        documented(line)
    assert not tenant.asked("validate")


def test_json(account, test):
    told, _ = test(account(), "--json")
    answer = json.loads(told)
    assert answer["passed"] is True and [step["name"] for step in answer["steps"]][0] == "token for Microsoft Graph"


def test_the_list(account, server, tenant):
    name = account(environment="us_gov", organizations=None)
    rows = {row["azure_account"]: row for row in map(json.loads, server.cli("azure", "list", "--json").splitlines())}
    row = rows[f"default/{name}"]
    assert (row["enabled"], row["environment"], row["directory"], row["credential"]) == (True, "us_gov", tenant.tenant()["id"], "secret")
    assert "not Microsoft's" in row["warning"] and f"default/{name}" in server.cli("azure", "list")


def test_a_second_apply_changes_nothing_and_export_tells_no_secret(account, server, tenant):
    name = account()
    before = server.cli("export")
    account()
    assert server.cli("export") == before
    assert tenant.tenant()["secret"] not in before
    part = before[before.index(f'name = "{name}"'):].split("\n\n")[0]
    assert 'secret = "keep"' in part and "proxy_password" not in part


def test_an_export_applies_back(account, server, test, tmp_path):
    name = account()
    document = tmp_path / "export.toml"
    document.write_text(server.cli("export"))
    report = json.loads(server.cli("apply", document, "--json"))
    assert report["plan"] and {line["change"] for line in report["plan"]} == {"keep"}
    assert test(name)[1], "and the kept secret still works"


MISTAKES = {"secret": ({"secret": "the-id-of-it"}, "Entra gives no token: AADSTS7000215, the client secret is wrong", "its Value, not its Secret ID"),
            "application": ({"application": GUID}, "AADSTS700016, the directory has no such application", "Application (client) ID"),
            "directory": ({"directory": "nobody.example"}, "AADSTS90002, there is no such directory", "Tenant ID"),
            "nobody_there": ({"login_url": "https://127.0.0.1:1/"}, "nobody takes the connection", "firewall"),
            "trust": ({"trust_anchors": None}, "its certificate is not trusted, or is for another name", "trust_anchors")}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told(account, test, name):
    changed, words, advice = MISTAKES[name]
    told, well = test(account(**changed))
    assert not well and "FAILED  token for Microsoft Graph: " in told and words in told and advice in told, told
    assert told.count("skipped ") >= 3 and told.rstrip().endswith(": not well")
    documented(words)


def test_an_expired_secret(account, test, tenant):
    name = account()
    tenant.rotate_secret()
    told, well = test(name)
    assert not well and "AADSTS7000222, the client secret has expired" in told
    documented("AADSTS7000222, the client secret has expired")
    # The newest, given in the same way.
    account(secret=tenant.rotate_secret())
    assert test(name)[1]


ROLES = {"graph": ({"graph": []}, "FAILED  list of services: Microsoft Graph refuses permission (403): Authorization_RequestDenied", "Application.Read.All"),
         "intune": ({"intune": []}, "FAILED  permission for Intune: the token lacks scep_challenge_provider", "Intune > Application permissions")}


@pytest.mark.parametrize("name", ROLES)
def test_consent_missing(account, test, tenant, name):
    roles, words, advice = ROLES[name]
    tenant.set_roles(**roles)
    told, well = test(account())
    assert not well and words in told and advice in told and "Grant admin consent" in told
    documented(words)


def test_no_licence(account, test, tenant):
    tenant.discovery(absent=[VALIDATION])
    words = "FAILED  validation service: Microsoft Graph's list of Intune's services lacks ScepRequestValidationFEService"
    told, well = test(account())
    assert not well and words in told and "licence" in told
    documented(words)


def test_a_foreign_host(account, test, tenant, standin):
    tenant.discovery(first={VALIDATION: standin.urls()["trap"] + "/x"})
    told, well = test(account())
    assert not well and "where no token may go" in told and not [entry for entry in standin.asked() if entry.site == "trap"]


def test_duplicates_and_pages(account, test, tenant):
    tenant.discovery(duplicates={VALIDATION: "https://trap.example/x"}, page=1, case="upper")
    told, well = test(account())
    assert well and "(the first of several)" in told


def test_proxy(account, test, standin, tenant):
    standin.set_proxy(credentials="ann:s3cret")
    proxy = standin.urls()["proxy"]
    told, well = test(account(proxy=proxy))
    assert not well and "the proxy wants a user and password, or others than it was given (407)" in told
    documented("the proxy wants a user and password, or others than it was given (407)")
    told, well = test(account(proxy=proxy, proxy_user="ann", proxy_password="s3cret"))
    assert well and all(entry.proxied for entry in tenant.asked()), told


def test_throttled(account, test, tenant):
    tenant.script("token", behaviours.throttled(30))
    told, well = test(account())
    assert not well and "asks for fewer calls (429)" in told


# ---- certificates


@pytest.fixture(scope="module")
def credential():
    key = rsa_key(Random("account"))
    certificate = pkcs10.certificate(key, pkcs10.name([("CN", "Postern")]), Random("account c"))
    from cryptography import x509
    pem = x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM).decode()
    return pem, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("algorithm", [None, "PS256", "RS256"])
def test_a_certificate(account, test, tenant, credential, algorithm):
    certificate, key = credential
    name = account(secret=key, certificate=certificate, credential_algorithm=algorithm)
    told, well = test(name)
    assert not well and "AADSTS700027, the certificate of the credential is not registered or has ended, or its key did not sign" in told
    documented("AADSTS700027, the certificate of the credential is not registered or has ended, or its key did not sign")
    tenant.add_certificate(certificate=certificate)
    assert test(name)[1]
    used = {entry.fields["client_assertion_type"] for entry in tenant.asked("token")}
    assert used == {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}


# ---- documents that are refused


def pem_of_other_key():
    return rsa_key(Random("other account")).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_documents_that_are_refused(account, credential):
    certificate, key = credential
    rows = [({"application": "corp"}, "application: expected the Application (client) ID, a GUID"),
            ({"directory": "a/b"}, "directory: expected the Directory (tenant) ID"),
            ({"environment": "germany"}, 'environment: expected "global", "us_gov", "us_dod" or "china"'),
            ({"environment": "china"}, "intune_scope"),
            ({"login_url": "http://localhost/"}, 'login_url: expected "https://HOST/"'),
            ({"graph_url": "https://a@b/"}, 'graph_url: expected "https://HOST/"'),
            ({"proxy": "socks5://a:1"}, "proxy: a proxy of socks5 is not known"),
            ({"proxy": "http://u:p@a:1"}, "proxy: holds a user or password"),
            ({"proxy": "http://a:1", "proxy_user": "ann"}, "proxy_user and proxy_password belong together"),
            ({"proxy_password": "x"}, "proxy_user and proxy_password belong together"),
            ({"proxy_user": "ann", "proxy_password": "x"}, "proxy_user: is for a proxy"),
            ({"certificate": "x"}, "certificate: expected one certificate as PEM"),
            ({"credential_algorithm": "PS256"}, "credential_algorithm: is for a certificate"),
            ({"certificate": certificate, "credential_algorithm": "ES256", "secret": key}, 'expected "PS256" or "RS256"'),
            ({"certificate": certificate}, "the file holds its private key as PEM"),
            ({"certificate": certificate, "secret": pem_of_other_key()}, "secret: the key is not that of the certificate"),
            ({"secret": key}, "secret: is a key; name its certificate too, as `certificate`"),
            ({"trust_anchors": "x"}, "trust_anchors: expected certificates as PEM"),
            ({"organizations": ["nobody"]}, "organizations: there is no organization named nobody"),
            ({"service_hosts": []}, "service_hosts: expected a list that is not empty")]
    for changed, words in rows:
        told = account(expect=1, **changed)
        assert words in told and key not in told, (changed, told)
    documented("secret: the key is not that of the certificate")
    documented("secret: is a key; name its certificate too, as `certificate`")


def test_an_unknown_account(test, server):
    told, well = test("nobody")
    assert not well and "there is no azure_account default/nobody" in told
