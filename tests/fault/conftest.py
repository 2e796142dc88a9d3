import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))  # the harness

import pytest  # noqa: E402  (the harness is found only now)

import kill_table  # noqa: E402
from disk import Disk  # noqa: E402
from harness.postgres import Cluster  # noqa: E402
from harness.server import Postern  # noqa: E402


@pytest.fixture
def disk(tmp_path_factory):
    return Disk(tmp_path_factory.mktemp("disk"))


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL of this run's own. Tests that end or stop it start it again."""
    with Cluster() as started:
        yield started


class Place:
    """A server that was not started yet, and the store that it has: of either engine, told apart by `engine` alone."""

    def __init__(self, engine, program, folder, cluster):
        self.engine = engine
        database = cluster().database() if engine == "postgres" else None
        self.server = Postern(program, folder, "bench.test", options=("--store", database.url) if database else ())
        self.store = database or self.server.data / "postern.db"  # for ledger.open_store


def places(request, new_folder):
    """Makes places; whatever still runs is stopped at the end."""
    made = []

    def make(engine, program):
        made.append(Place(engine, program, new_folder(), lambda: request.getfixturevalue("cluster")))
        return made[-1]

    try:
        yield make
    finally:
        for place in made:
            place.server.stop()


@pytest.fixture
def new_place(request, tmp_path_factory):
    yield from places(request, lambda: tmp_path_factory.mktemp("p"))


@pytest.fixture(scope="module")
def lasting_place(request, tmp_path_factory):
    """For cases that leave a server as good as they found it: its first start is the dearest."""
    yield from places(request, lambda: tmp_path_factory.mktemp("m"))


@pytest.fixture(scope="session", autouse=True)
def printed_kill_table(request):
    yield
    kill_table.publish(request.config.pluginmanager.getplugin("capturemanager"))
