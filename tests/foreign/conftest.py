import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))  # the harness

import pytest  # noqa: E402  (the harness is found only now)

from harness.environment import executable  # noqa: E402
from harness.orders import KeyAuthorizations  # noqa: E402
from harness.postgres import Cluster  # noqa: E402
from harness.server import Postern  # noqa: E402
from house import SUFFIX, House  # noqa: E402


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL of this run's own."""
    with Cluster() as started:
        yield started


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request, tmp_path_factory):
    """A laboratory for a whole file of tests, on either store."""
    options = () if request.param == "sqlite" else ("--store", request.getfixturevalue("cluster").database().url)
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), SUFFIX, options=options)
    try:
        postern.start()
        yield postern
    finally:
        postern.stop()


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


@pytest.fixture(scope="module")
def unasked(server, web, tmp_path_factory):
    """A CA that cannot be asked what became of a request."""
    return House(server, tmp_path_factory.mktemp("mute"), web, "mute", timeout="2s", operations=["test"])


@pytest.fixture
def mute(unasked):
    yield unasked
    unasked.ca.behave()
