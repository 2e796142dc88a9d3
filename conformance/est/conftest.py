import re
import sys
from pathlib import Path

import pytest

from harness.est_client import EstClient
from harness.manufacturer import Manufacturer
from harness.row_table import Table
from harness.suite import database, own_server, server  # noqa: F401  (fixtures)

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from device import Site  # noqa: E402  (found only now)
from fixtures import classes, fleet, target  # noqa: E402, F401  (fixtures)
from rows import LISTED, OPEN, STANDS_ON  # noqa: E402


def pytest_configure(config):
    Table(LISTED, OPEN, "POSTERN_EST_ROWS", STANDS_ON).register(config)


@pytest.fixture(scope="session")
def site(server):
    """Of devices.toml."""
    return Site(server, server.apply(HERE / "devices.toml"))


@pytest.fixture(scope="session")
def maker(tmp_path_factory):
    """Whose trust anchor the accounts of method certificate have."""
    return Manufacturer(tmp_path_factory.mktemp("maker"))


@pytest.fixture(scope="session")
def passwords(server, maker, tmp_path_factory):
    """"user:password" of each account of endpoints.toml that has one, by its name."""
    document = tmp_path_factory.mktemp("documents") / "endpoints.toml"
    document.write_text((HERE / "endpoints.toml").read_text().replace("@MAKER@", maker.root.pem))
    chosen = document.with_name("chosen")
    chosen.touch(0o600)
    chosen.write_text("Meadow-Lantern-42\n")
    drawn = {name: f"{secret['user']}:{secret['password']}" for name, secret in server.apply(document).items()}
    return {**drawn, "fleet": "fleet:Meadow-Lantern-42"}


@pytest.fixture
def est(server, passwords, tmp_path):
    return EstClient(server, tmp_path)


@pytest.fixture
def name(request):
    """A common name that no other case uses."""
    return "router-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")[:50]
