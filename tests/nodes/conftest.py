import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))  # the harness

import pytest  # noqa: E402  (the harness is found only now)

from harness.environment import executable  # noqa: E402
from harness.nodes import Nodes  # noqa: E402
from harness.postgres import Cluster  # noqa: E402
from harness.web import ChallengeWeb  # noqa: E402

SUFFIX = "nodes.test"


@pytest.fixture(scope="session")
def cluster():
    with Cluster() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    """A store that nobody used yet: `url`, and `cluster` where it is PostgreSQL's."""
    if request.param == "postgres":
        return request.getfixturevalue("cluster").database()
    return SimpleNamespace(url=f"sqlite:{tmp_path / 'shared.db'}", cluster=None)


@pytest.fixture
def new_nodes(tmp_path_factory, database):
    """Makes nodes on the one store, not started; whatever still runs is stopped at the end."""
    made = []

    def make(count=2, program=None):
        made.append(Nodes(program or executable(), tmp_path_factory.mktemp("n"), SUFFIX, database, count))
        return made[-1]

    try:
        yield make
    finally:
        for nodes in made:
            nodes.stop()


@pytest.fixture
def web(tmp_path):
    """Starts the web server of all names: the folder that it serves challenges from."""
    running = []

    def start(nodes):
        folder = tmp_path / "web"
        well_known = folder / ".well-known" / "acme-challenge"
        well_known.mkdir(parents=True)
        running.append(ChallengeWeb(nodes.http01_port, folder, "good"))
        running[-1].__enter__()
        return well_known

    yield start
    for server in running:
        server.__exit__()
