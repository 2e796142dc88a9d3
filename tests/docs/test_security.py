"""docs/security.md names tests and files that exist: a promise whose test is gone is none."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text()


def missing(page):
    """Files that are not there, and names that their file does not hold."""
    named = re.findall(r"`((?:tests|conformance|src|packaging|scripts)/[\w./-]+)`(?: `(\w+)`)?", page)
    out = [path for path, _ in named if not (ROOT / path).exists()]
    return out + [name for path, name in named if name and (ROOT / path).is_file() and name not in (ROOT / path).read_text()]


def test_every_test_and_file_exists():
    assert len(re.findall(r"`tests/", PAGE)) > 20
    assert missing(PAGE) == []


def test_a_missing_one_is_found():
    assert missing("`tests/docs/none.py`") == ["tests/docs/none.py"]
    assert missing("`tests/docs/test_security.py` `test_no" + "ne`") == ["test_no" + "ne"]


def test_counts_are_those_of_today():
    rows = re.search(r"lists (\d+) rows", PAGE)[1]
    source = (ROOT / "tests/abuse/rows.py").read_text()
    scope = {}
    exec(source[source.index("def _rows"):source.index("# Listed, and nothing")], scope)  # the list alone: its module wants a run
    assert int(rows) == len(scope["LISTED"])
    targets = re.search(r"(\d+) targets in `tests/fuzz`", PAGE)[1]
    sources = {path.stem for path in (ROOT / "tests/fuzz").glob("*.cpp")} - {"replay"}  # which runs them all on what is kept
    assert int(targets) == len(sources)
