import json
import re
from pathlib import Path

import pytest

from harness.clients import KINDS, Eab
from harness.suite import SUFFIX, database, server  # noqa: F401  (fixtures)
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
def new_client(server, client_kind, tmp_path):
    """Makes an installation of the client; the first argument tells several apart."""

    def make(label="client", **options):
        folder = tmp_path / label
        folder.mkdir()
        return KINDS[client_kind](server, folder, **options)

    return make


@pytest.fixture
def name(request):
    """A name that no other case uses."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-") + "." + SUFFIX


@pytest.fixture
def web(server, tmp_path):
    """Starts the name owner's web server with a behaviour."""
    folder = tmp_path / "webroot"
    folder.mkdir()
    return lambda behaviour: ChallengeWeb(server.http01_port, folder, behaviour)


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
