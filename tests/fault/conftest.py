import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "conformance"))  # the harness that starts and stops servers


@pytest.fixture(scope="session")
def executable():
    return Path(os.environ.get("POSTERN", ROOT / "build/release/postern"))


@pytest.fixture(scope="session")
def acme_load():
    return ROOT / "build/release/bench/acme_load"
