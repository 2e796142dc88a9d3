"""Documents by which Intune's devices could not be served: what `postern apply` says of each, and that nothing of it is stored."""
import json

import pytest
from harness import backends

from intune.site import DOCUMENT

NAME = "refused"


@pytest.fixture
def document(standin, tenant, tmp_path):
    """The text of a right one."""
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(tenant.tenant()["secret"])
    return DOCUMENT.format(name=NAME, within="4s", lifetime="30d", more="", profile="", endpoint="", before="", secret_file=secret,
                           trust=standin.ca.read_text(), **tenant.tenant())


@pytest.fixture
def apply(server, tmp_path):
    """Exit status and what was said."""

    def run(text, *options):
        path = tmp_path / "document.toml"
        path.write_text(text)
        done = server.verb("apply", path, "--data", server.data, *options)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def is_refused(apply, server):
    """Both the plan and the change say why; nothing of the document is in the store, nor in the records."""

    def check(text, words):
        before = server.cli("export"), server.cli("azure", "list", "--json")
        for options in ((), ("--dry-run",)):
            status, said = apply(text, *options)
            assert status == 1 and words in said, said
        assert (server.cli("export"), server.cli("azure", "list", "--json")) == before

    return check


def changed(text, old, new):
    assert text.count(old) == 1, f"{text.count(old)} times: {old}"
    return text.replace(old, new)


PENDING = f"account {NAME} is of method intune: profile {NAME} waits for an officer's approval, and Intune has no pending state; Intune's own yes is the approval"
ACCOUNT = 'method = "intune"'
BESIDE = f'{ACCOUNT}\n{{}}'
MISTAKES = {
    "approval_of_the_account": (ACCOUNT, f'{ACCOUNT}\napproval = "officer"', PENDING),
    "approval_of_the_profile": ('common_name = "text"', 'common_name = "text"\napproval = "officer"', PENDING),
    "no_kind": ('kind = "device"\n', "", f"default/{NAME}: kind: known here: client (certificates of persons), device"),
    "unknown_kind": ('kind = "device"', 'kind = "user"', f"default/{NAME}: kind: known here: client (certificates of persons), device"),
    "azure_account_missing": (f'azure_account = "{NAME}"\n', "", "azure_account: is missing: the name of the azure_account by which Intune is asked"),
    "azure_account_unknown": (f'azure_account = "{NAME}"', 'azure_account = "nobody"', f"account {NAME} is of method intune: there is no azure_account nobody"),
    "e_mail_of_a_device": ('["clientAuth"]', '["clientAuth", "emailProtection"]', "gives emailProtection, which is a person's; use kind = \"client\""),
    "never": ('answer_within = "4s"', 'answer_within = "0s"', "answer_within"),
    "too_soon": ('answer_within = "4s"', 'answer_within = "500ms"', "answer_within: expected 1s to 25s"),
    "too_late": ('answer_within = "4s"', 'answer_within = "26s"', "answer_within: expected 1s to 25s"),
    "another_protocol": ('protocol = "scep"', 'protocol = "acme"', "method: intune is for endpoints of protocol scep, and this one speaks acme"),
    "another_method": (ACCOUNT, 'method = "one_time"', "azure_account: is for accounts of method intune"),
    "unknown_key": (ACCOUNT, f"{ACCOUNT}\npatience = true", "patience"),
    "a_secret": (ACCOUNT, f"{ACCOUNT}\nsecret = {{generate = true}}", "secret"),
    "organizations": ('service_hosts = ["localhost"]', 'service_hosts = ["localhost"]\norganizations = ["theirs"]\n\n[[organization]]\nname = "theirs"',
                      f"account {NAME} is of method intune: azure_account {NAME} is for other organizations (organizations = [...])"),
    "no_such_profile": (f'profiles = ["{NAME}"]', 'profiles = ["nothing"]', "nothing"),
    "two_accounts": (ACCOUNT, f'{ACCOUNT}\n{{beside}}', f"every challenge at endpoint {NAME} is Intune's, and account beside would never be asked"),
}


@pytest.mark.together
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_document_is_refused(is_refused, document, mistake):
    old, new, words = MISTAKES[mistake]
    text = changed(document, old, new.replace("{beside}", ""))
    if "{beside}" in new:
        text += f'\n[[account]]\nname = "beside"\nendpoint = "{NAME}"\nmethod = "access_code"\ncommon_names = ["*"]\nsecret = {{generate = true}}\n'
    is_refused(text, words)


def test_a_backend_that_may_answer_later_is_refused(is_refused, document, tmp_path):
    """The command backend's CA, which Postern would have to ask again; its RA by the built-in CA, which is no matter."""
    ca = backends.StandInCa(tmp_path / "ca", "later")
    described = ca.document().split("[[endpoint]]")[0]
    assert described.count("[[backend]]") == described.count("[[profile]]") == 1
    text = changed(document, f'[[profile]]\nname = "{NAME}"', f'[[profile]]\nname = "{NAME}"\nbackend = "later"')
    text = changed(text, f'profiles = ["{NAME}"]', f'profiles = ["{NAME}"]\nra = "builtin"')
    is_refused(described.split("[[profile]]")[0] + text,
               f"account {NAME} is of method intune: profile {NAME} is signed by backend later, which may answer later, and Intune has no pending state")


# ---- what was right, and is changed later by a document that does not name the account

LATER = {
    "approval": (f'[[profile]]\nname = "{NAME}"\nlifetime = "30d"\nkeys = ["rsa-2048"]\nextended_key_usage = ["clientAuth"]\ncommon_name = "text"\nsubject = ["CN"]\n'
                 'approval = "officer"\n', PENDING),
    "e_mail": (f'[[profile]]\nname = "{NAME}"\nlifetime = "30d"\nkeys = ["rsa-2048"]\nextended_key_usage = ["emailProtection"]\ncommon_name = "text"\nsubject = ["CN"]\n',
               "gives emailProtection"),
    "another_account": (f'[[account]]\nname = "beside"\nendpoint = "{NAME}"\nmethod = "one_time"\ncommon_names = ["*"]\n', "account beside would never be asked"),
}


@pytest.fixture
def served(apply, document, server):
    """The right document, applied; taken away again."""
    before = server.cli("export")
    status, said = apply(document)
    assert status == 0, said
    yield
    status, said = apply(before, "--prune")
    assert status == 0, said


@pytest.mark.parametrize("change", LATER)
def test_a_later_change_is_refused(is_refused, served, change):
    is_refused(*LATER[change])


def test_the_account_of_intune_is_not_taken_away(is_refused, served, server):
    """Its azure_account goes, and the account that needs it stays."""
    kinds = server.cli("export").split("\n\n")
    rest = [part for part in kinds if not ("[[azure_account]]" in part and f'name = "{NAME}"' in part)]
    assert len(rest) == len(kinds) - 1
    assert f"there is no azure_account {NAME}" in "".join(refusal_of_prune(server, rest))


def refusal_of_prune(server, parts):
    path = server.data.parent / "pruned.toml"
    path.write_text("\n\n".join(parts))
    before = server.cli("export")
    done = server.verb("apply", path, "--data", server.data, "--prune")
    assert done.returncode == 1 and server.cli("export") == before
    return done.stdout, done.stderr


# ---- beside each refusal its remedy

REMEDIES = {
    "kind": ('kind = "device"', 'kind = "client"', '["clientAuth"]', '["clientAuth", "emailProtection"]'),
    "approval": ('common_name = "text"', 'common_name = "text"\napproval = "officer"', ACCOUNT, f'{ACCOUNT}\napproval = "none"'),
}


@pytest.mark.parametrize("remedy", REMEDIES)
def test_a_remedy_is_taken(apply, document, remedy):
    old, new, more, instead = REMEDIES[remedy]
    status, said = apply(changed(changed(document, old, new), more, instead), "--dry-run", "--json")
    assert status == 0, said
    assert {line["change"] for line in json.loads(said)["plan"]} >= {"create"}
