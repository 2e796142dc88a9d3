import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))  # the harness

import pytest  # noqa: E402  (the harness is found only now)

from responder import Authority, Responder  # noqa: E402


@pytest.fixture(scope="session")
def authority():
    return Authority()


@pytest.fixture
def responder(authority, tmp_path):
    with Responder(authority, tmp_path) as started:
        yield started
