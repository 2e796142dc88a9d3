import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))  # the harness

import pytest  # noqa: E402  (the harness is found only now)

from laboratory import Laboratory  # noqa: E402
from oracle import Oracle  # noqa: E402
from harness.row_table import Table  # noqa: E402
from rows import LISTED, OPEN  # noqa: E402

HERE = Path(__file__).resolve().parent


def pytest_configure(config):
    Table(LISTED, OPEN, "POSTERN_ABUSE_TABLE").register(config)


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory):
    """One server for the folder, with a second tenant and an endpoint that asks for an account; that it stops
    cleanly at the end counts for the last test."""
    made = Laboratory(tmp_path_factory.mktemp("s"))
    try:
        made.start()
        made.secrets = made.server.apply(HERE / "endpoints.toml")
        yield made
    finally:
        made.stop()


@pytest.fixture
def new_laboratory(tmp_path_factory):
    """Makes started servers with a configuration of their own."""
    made = []

    def make(configuration=""):
        made.append(Laboratory(tmp_path_factory.mktemp("s"), configuration))
        return made[-1].start()

    try:
        yield make
    finally:
        for one in made:
            one.stop()


@pytest.fixture
def oracle(laboratory):
    return Oracle(laboratory)


@pytest.fixture
def stranger(laboratory):
    """A client without an account."""
    client = laboratory.acme()
    yield client
    client.close()


@pytest.fixture
def client(laboratory):
    """A client with an account of its own at the open endpoint."""
    made = laboratory.acme().register()
    yield made
    made.close()
