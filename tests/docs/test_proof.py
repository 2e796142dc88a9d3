"""scripts/check-deep keeps what it saw where it is committed: docs/proof.md is written from docs/proof/ alone."""
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def deep():
    """scripts/check-deep as a module."""
    loader = SourceFileLoader("check_deep", str(ROOT / "scripts/check-deep"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module  # dataclasses look there
    loader.exec_module(module)
    yield module
    del sys.modules[loader.name]


def outcome(good=True, commit="c0ffee", result="3 passed, 0 failed"):
    return {"commit": commit, "date": "2026-01-02", "good": good, "result": result, "seconds": 4}


@pytest.fixture
def kills(deep):
    return deep.Step("kills", "nothing is lost", [["./check", "fault"]], tables=(("Kills", "kills.txt"),))


@pytest.fixture
def written(tmp_path):
    """What a run of `kills` left in the build folder."""
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "kills.txt").write_text("sqlite  linted  50\n")
    return folder


def test_the_page_is_written_from_what_is_kept(deep):
    written = (ROOT / "docs/proof.md").read_text(encoding="utf-8")
    assert written == deep.Record(ROOT / "docs/proof").page(deep.STEPS), "run scripts/check-deep --page"


def test_a_row_outlives_the_machine_that_saw_it(deep, kills, written, tmp_path):
    kept = tmp_path / "proof"
    deep.Record(kept).keep(kills, outcome(), written)
    (written / "kills.txt").unlink()
    asan = deep.Step("asan", "no leak", [["true"]])
    elsewhere = deep.Record(kept)
    elsewhere.keep(asan, outcome(commit="beef"), tmp_path / "none")
    page = elsewhere.page([kills, asan])
    assert "| `kills` | nothing is lost | 3 passed, 0 failed | 4 | c0ffee | 2026-01-02 |" in page
    assert "| `asan` | no leak | 3 passed, 0 failed | 4 | beef | 2026-01-02 |" in page
    assert "## Kills\n\n`scripts/check-deep kills`, commit c0ffee, 2026-01-02.\n\n```\nsqlite  linted  50\n```\n" in page


@pytest.mark.parametrize("change", [{"what": "nothing is lost or double"}, {"commands": [["./check", "fault", "nodes"]]}])
def test_another_claim_is_not_run_yet(deep, kills, written, tmp_path, change):
    record = deep.Record(tmp_path / "proof")
    record.keep(kills, outcome(), written)
    changed = deep.Step(**{"name": "kills", "what": kills.what, "commands": kills.commands, "tables": kills.tables, **change})
    page = record.page([changed])
    assert f"| `kills` | {changed.what} | not run | | | |" in page
    assert "## Kills" not in page


def test_a_failed_run_leaves_the_table_of_the_last_that_passed(deep, kills, written, tmp_path):
    record = deep.Record(tmp_path / "proof")
    record.keep(kills, outcome(), written)
    (written / "kills.txt").write_text("half\n")
    record.keep(kills, outcome(good=False, commit="dead", result="FAILED: no result"), written)
    page = record.page([kills])
    assert "| FAILED: no result | 4 | dead |" in page
    assert "commit c0ffee, 2026-01-02.\n\n```\nsqlite  linted  50\n" in page
    assert "half" not in page


def test_a_step_without_its_table_did_not_pass(deep, tmp_path, monkeypatch):
    monkeypatch.setattr(deep, "DEEP", tmp_path)
    monkeypatch.setattr(deep, "ROOT", tmp_path)
    said = [["echo", "3 passed, 0 failed"]]
    step = deep.Step("kills", "nothing is lost", said, tables=(("Kills", "kills.txt"),))
    (tmp_path / "kills.txt").write_text("of a run before\n")
    ran = deep.run(step)
    assert not ran["good"]
    assert ran["result"] == "FAILED: 3 passed, 0 failed (status 0, no kills.txt, kills.log)"
    step = deep.Step("kills", "nothing is lost", [["cp", "/dev/null", "kills.txt"], *said], tables=step.tables)
    assert deep.run(step)["result"] == "3 passed, 0 failed"
