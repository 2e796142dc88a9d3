"""Every row of the probe against Postern, and what is stored then: no certificate that nobody received."""
import os
from pathlib import Path

import pytest

from harness.row_table import row
from page import write_page
from rows import PROBED
from strict import probe
from strict.rows import ROWS

# What a whole server has nothing to say of: nothing. Each row is asked.
RESULTS = []


def parameters():
    for one in ROWS:
        marks = [row(*(number for number, names in PROBED.items() if one.name in names))]
        yield pytest.param(one, id=one.name, marks=marks if marks[0].args else [])


@pytest.fixture(scope="module", autouse=True)
def page():
    """Written when all were asked: CONFORMANCE_PAGE names the file."""
    yield
    where = os.environ.get("CONFORMANCE_PAGE")
    if where and len(RESULTS) == len(ROWS):
        write_page(Path(where), RESULTS)


@pytest.mark.parametrize("one", parameters())
def test_probe(one, target, server):
    outcome, seen, asked = probe.run(one, target)
    RESULTS.append((one, outcome, seen))
    if outcome == "not offered":
        pytest.skip(seen)
    assert outcome == "pass", f"expected {one.expected}; seen {seen}"
    stored = {f"{int(each['serial'], 16):x}" for each in server.all_certificates() if f"CN={asked.common_name}" in each["subject"]}
    received = {f"{made.serial_number:x}" for made, _ in asked.issued}
    assert stored <= received, f"issued and not received: {stored - received}"
