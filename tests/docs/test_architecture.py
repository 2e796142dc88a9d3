"""docs/architecture.md names only what exists, and every route and folder is on it."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()
ROUTE_FILES = ["src/acme/routes.cpp", "src/api/routes.cpp", "src/ca/builtin/routes.cpp", "src/app/management.cpp"]


def hops(page):
    """Every `file` `function`, in prose or with a table's bar or a break between the two."""
    return re.findall(r"`(src/[\w/.]+\.[ch]pp)`\s*\|?\s*`(\w+)`", page)


def paths(page):
    return set(re.findall(r"`(src/[\w/.]+)`", page))


def wrong_hops(page):
    wrong = []
    for file, function in hops(page):
        path = ROOT / file
        if not path.is_file() or not re.search(rf"\b{function}\(", path.read_text()):
            wrong.append(f"{file} {function}")
    return wrong


def patterns():
    found = []
    for file in ROUTE_FILES:
        text = (ROOT / file).read_text()
        found += re.findall(r'(?:Method::\w+,\s*)"(/[^"]*)"', text)
    return found


def test_every_hop_is_a_function_of_its_file():
    assert len(hops(PAGE)) > 60
    assert wrong_hops(PAGE) == []


def test_every_path_exists():
    assert [p for p in sorted(paths(PAGE)) if not (ROOT / p).exists()] == []


def test_every_route_is_in_the_table():
    assert len(patterns()) > 20
    assert [p for p in patterns() if f"`{p}`" not in PAGE] == []


def test_every_route_file_of_the_tree_is_looked_at():
    adders = {str(p.relative_to(ROOT)) for p in (ROOT / "src").rglob("*.cpp")
              if re.search(r"\brouter\.add\(", p.read_text()) and "core/http" not in str(p)}
    assert adders <= set(ROUTE_FILES)


def test_every_folder_is_on_the_map():
    folders = [str(p.relative_to(ROOT)) for p in (ROOT / "src").rglob("*") if p.is_dir()]
    assert [f for f in folders if f"`{f}`" not in PAGE] == []


@pytest.mark.parametrize("before, after", [
    ("`src/acme/finalize.cpp` `gather_evidence`", "`src/acme/finalize.cpp` `gather_nothing`"),
    ("`src/acme/finalize.cpp` `finalize`:", "`src/acme/finish.cpp` `finalize`:"),
])
def test_a_wrong_name_is_found(before, after):
    page = PAGE.replace(before, after) if before in PAGE else PAGE + "\n" + after
    assert wrong_hops(page) != []
