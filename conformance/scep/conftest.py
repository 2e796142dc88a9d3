import re
import sys
from pathlib import Path

import pytest

from harness.row_table import Table
from harness.scep_device import Device
from harness.scep_style import STYLES
from harness.suite import database, server  # noqa: F401  (fixtures)

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from rows import LISTED, OPEN  # noqa: E402  (found only now)

# The devices that today's policy takes; cisco-old is a case of its own.
MODERN = sorted(set(STYLES) - {"cisco-old"})


def pytest_configure(config):
    Table(LISTED, OPEN, "POSTERN_SCEP_ROWS").register(config)


@pytest.fixture(scope="session")
def codes(server):
    """Access code of each account of endpoints.toml, by its name."""
    secrets = server.apply(HERE / "endpoints.toml")
    return {name: secret["accessCode"] for name, secret in secrets.items()}


@pytest.fixture(scope="session")
def watched(server):
    """Access code of each account of approval.toml."""
    return {name: secret["accessCode"] for name, secret in server.apply(HERE / "approval.toml").items()}


@pytest.fixture
def name(request):
    """A common name that no other case uses."""
    return "phone-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")[:57]


@pytest.fixture(params=MODERN)
def client_kind(request):
    return request.param


@pytest.fixture
def new_device(server, codes, name):
    """Makes a device that has discovered its endpoint."""

    def make(kind="android", endpoint="phones", subject=None, **options):
        return Device(server.scep(endpoint), STYLES[kind], subject=[("CN", subject or name)], **options).discover()

    return make


@pytest.fixture
def device(new_device, client_kind):
    return new_device(client_kind)
