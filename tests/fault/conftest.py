import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))  # the harness

import pytest  # noqa: E402  (the harness is found only now)

from disk import Disk  # noqa: E402


@pytest.fixture
def disk(tmp_path_factory):
    return Disk(tmp_path_factory.mktemp("disk"))
