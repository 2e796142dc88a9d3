"""Rows that a Boost.Test case holds: it exists, it is one case, and it passes."""
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from harness.environment import environment, executable
from rows import UNITS, row


@pytest.mark.parametrize("room, case", [pytest.param(room, case, id=f"{room}:{case}", marks=row(*ids))
                                        for ids, room, case in UNITS])
def test_unit(room, case, tmp_path):
    report = tmp_path / "report.xml"
    done = subprocess.run([executable().parent / f"tests/test_{room}", f"--run_test={case}", "--report_level=detailed",
                           "--report_format=XML", f"--report_sink={report}", "--detect_memory_leaks=0"],
                          text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
                          env=environment(TMPDIR=str(tmp_path)))
    assert done.returncode == 0, done.stdout + done.stderr
    results = [found.get("result") for found in ElementTree.parse(report).iter("TestCase")]
    assert results.count("passed") == 1 and set(results) <= {"passed", "skipped"}, results
