import subprocess
from pathlib import Path

import pytest

CHECK_LAYERS = Path(__file__).resolve().parents[2] / "scripts" / "check-layers"


class Tree:
    """A small source tree, and what check-layers says about it."""

    def __init__(self, root):
        self.root = root

    def add(self, name, text=""):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return self

    def check(self, *options):
        done = subprocess.run([CHECK_LAYERS, "--root", self.root, *options], text=True, capture_output=True, check=False)
        offences = done.stdout.splitlines()
        assert done.returncode == (1 if offences else 0), done.stderr
        return offences


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)
