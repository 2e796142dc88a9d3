import re
import sys
from pathlib import Path

import pytest

from harness.row_table import Table
from harness.suite import database, server  # noqa: F401  (fixtures)

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from fixtures import classes, fleet, target  # noqa: E402, F401  (found only now; fixtures)
from rows import LISTED, OPEN  # noqa: E402


def pytest_configure(config):
    Table(LISTED, OPEN, "POSTERN_EST_ROWS").register(config)


@pytest.fixture
def name(request):
    """A common name that no other case uses."""
    return "router-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")[:50]
