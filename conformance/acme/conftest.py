import json
import re
from pathlib import Path

import pytest

from harness.clients import KINDS, Eab, own_folder, unprivileged_folder
from harness.report import cannot
from harness.suite import SUFFIX, database, own_server, server  # noqa: F401  (fixtures)
from harness.web import ChallengeWeb

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def eab(server):
    """The credential of account `shop` at endpoint `scoped`."""
    secret = server.apply(HERE / "endpoints.toml")["shop"]
    return Eab(secret["keyId"], secret["macKey"])


@pytest.fixture(params=sorted(KINDS))
def client_kind(request):
    return request.param


@pytest.fixture
def scratch():
    """A folder for clients, which are never root."""
    with unprivileged_folder() as folder:
        yield folder


@pytest.fixture
def new_client(server, client_kind, scratch):
    """Makes an installation of the client; the first argument tells several apart."""
    return lambda label="client", **options: KINDS[client_kind](server, own_folder(scratch / label), **options)


@pytest.fixture
def needs(client_kind):
    """Ends a case as one of which the client is not capable, with the reason in the table."""

    def check(what):
        if what in KINDS[client_kind].cannot:
            cannot(KINDS[client_kind].cannot[what])

    return check


@pytest.fixture
def name(request):
    """A name that no other case uses."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-") + "." + SUFFIX


@pytest.fixture
def web(server, scratch):
    """Starts the name owner's web server with a behaviour."""
    return lambda behaviour: ChallengeWeb(server.http01_port, own_folder(scratch / "site"), behaviour)


@pytest.fixture
def refused(server, name):
    """Checks a refusal: the client failed, printed every one of `words`, and nothing was stored.

    Gives the records of the request that the client's output names, or none when it names none.
    """

    def check(run, *words, stored_for=None):
        assert run.status != 0, run.output
        for word in words:
            assert word.lower() in run.words.lower(), f"no {word!r} in:\n{run.output}"
        assert server.certificates(stored_for or name) == []
        request = re.search(r"\brequest ([a-z2-7]{16})\]", run.words)
        # What was refused before a credential was judged is in the log only.
        explained = server.verb("explain", request.group(1), "--json", "--data", server.data) if request else None
        return json.loads(explained.stdout)["records"] if explained and explained.returncode == 0 else []

    return check
