import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))  # the harness

import pytest  # noqa: E402  (the harness is found only now)

from harness.environment import executable  # noqa: E402
from harness.postgres import Cluster  # noqa: E402
from harness.server import Postern  # noqa: E402

SUFFIX = "integration.test"


@pytest.fixture
def new_server(tmp_path_factory):
    """Makes servers with data folders of their own, not started; whatever still runs is stopped at the end."""
    made = []

    def make(**options):
        # A short name: the control socket's whole path must fit into 107 characters.
        made.append(Postern(executable(), tmp_path_factory.mktemp("s"), SUFFIX, **options))
        return made[-1]

    try:
        yield make
    finally:
        for postern in made:
            postern.stop()


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL of this run's own."""
    with Cluster() as started:
        yield started


@pytest.fixture(scope="module")
def module_server(tmp_path_factory):
    """One that is not started, for a whole file of tests."""
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), SUFFIX)
    try:
        yield postern
    finally:
        postern.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A laboratory for a whole file of tests."""
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), SUFFIX)
    try:
        postern.start()
        yield postern
    finally:
        postern.stop()
