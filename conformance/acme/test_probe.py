"""Every row of the strict probe against Postern. What Postern lacks stands in gaps.toml, and is seen to be lacking each time."""
import os
import tomllib
from pathlib import Path

import pytest

from harness.suite import node_count
from page import write_page
from strict import probe, targets
from strict.revocation import serial_of
from strict.rows import ROWS

GAPS = {name: gap for gap in tomllib.loads((Path(__file__).parent / "gaps.toml").read_text())["gap"] for name in gap["rows"]}
# Of threats.md §3.2 and §3.3: V04 is of webhooks, which SCEP has, and V14 comes later.
THREATS = {f"J{n:02}" for n in range(1, 25)} | {f"V{n:02}" for n in range(1, 19)} - {"V04", "V14"}
RESULTS = []
ASKED = {}  # row -> Probe


@pytest.fixture(scope="module")
def target(tmp_path_factory, database):
    with targets.postern(tmp_path_factory.mktemp("probe"), database, node_count()) as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def page():
    """Written when all were asked: CONFORMANCE_PAGE names the file."""
    yield
    where = os.environ.get("CONFORMANCE_PAGE")
    if where and len(RESULTS) == len(ROWS):
        write_page(Path(where), RESULTS)


@pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in ROWS])
def test_probe(one, target):
    outcome, seen, ASKED[one.name] = probe.run(one, target)
    RESULTS.append((one, outcome, seen))
    gap = GAPS.get(one.name)
    if gap and gap.get("nodes"):
        gap = gap if node_count() > 1 and outcome != "pass" else None
    if gap:
        assert outcome != "pass", f"this is no gap any more: take {one.name} out of gaps.toml"
        pytest.skip(f"known gap, issue 8 line {gap['line']}, src/acme/{gap['file']}: {outcome}: {seen}")
    assert outcome == "pass", f"{one.rfc} wants {one.expected}; seen {seen}"


def test_probe_received_what_is_stored(target):
    """No row left a certificate that nobody received: what was refused was not issued."""
    if not ASKED:
        pytest.skip("no row was asked")
    stored = target.server.all_certificates()
    for row, asked in ASKED.items():
        received = {serial_of(leaf) for leaf in asked.issued}
        kept = {each["serial"].lower() for each in stored if set(each["names"]) & {name.lower() for name in asked.names}}
        assert kept <= received, f"{row}: issued and not received: {kept - received}"


def test_probe_asks_every_row_of_the_catalogue():
    assert {threat for one in ROWS for threat in one.threats} >= THREATS


def test_probe_gaps_are_rows():
    assert set(GAPS) <= {one.name for one in ROWS}
    assert len(GAPS) == sum(len(gap["rows"]) for gap in tomllib.loads((Path(__file__).parent / "gaps.toml").read_text())["gap"]), "a row in two gaps"
