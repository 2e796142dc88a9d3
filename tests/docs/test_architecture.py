"""docs/architecture.md names only what exists, and every route and folder is on it."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text()
ROUTE_FILES = ["src/acme/routes.cpp", "src/scep/routes.cpp", "src/est/routes.cpp", "src/scep/ndes_page.cpp", "src/api/routes.cpp", "src/ca/builtin/routes.cpp", "src/app/management.cpp"]


def hops(page):
    """Every `file` `function`, in prose or with a table's bar or a break between the two."""
    return re.findall(r"`(src/[\w/.]+\.[ch]pp)`\s*\|?\s*`(\w+)`", page)


def paths(page):
    return set(re.findall(r"`(src/[\w/.]+)`", page))


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def defines(text, function):
    """`function(…) … {` with no `;` between: a definition, not a call."""
    found = re.finditer(rf"(?<![\w.>]){function}\s*\(", text)
    return any(re.match(r"[^;{]*\{", text[match.end():]) for match in found)


def wrong_hops(page):
    wrong = []
    for file, function in hops(page):
        path = ROOT / file
        if not path.is_file() or not defines(without_comments(path.read_text()), function):
            wrong.append(f"{file} {function}")
    return wrong


def wrong_paths(page):
    return [p for p in sorted(paths(page)) if not (ROOT / p).exists()]


def missing_folders(page):
    folders = [str(p.relative_to(ROOT)) for p in (ROOT / "src").rglob("*") if p.is_dir()]
    return [f for f in folders if f"`{f}`" not in page]


def patterns():
    """Every literal that is a path, whatever way it is added; prefixes of error pages end in a slash."""
    found = []
    for file in ROUTE_FILES:
        found += re.findall(r'"(/[^"\s]*[^"\s/])"', without_comments((ROOT / file).read_text()))
    return found


def missing_patterns(page):
    return [p for p in patterns() if f"`{p}`" not in page]


def routes_of_sources():
    """(method, pattern) -> the handler's name, None where a lambda stands for it."""
    found = {}
    for file in ROUTE_FILES:
        text = without_comments((ROOT / file).read_text())
        for method, pattern, rest in re.findall(r'Method::(\w+),\s*"(/[^"]*)",([^\n]*)', text):
            handler = re.search(r"&([a-z]\w*)(?:, true)?(?:\}|\);)", rest)
            found[method.upper().rstrip("_"), pattern] = handler[1] if handler and "[" not in rest else None
    return found


def route_faults(page):
    """Both ways: methods and handlers of each row are those of the sources."""
    shown = {}
    for methods, pattern, function in re.findall(r"^\| ([A-Z, ]+) `(/[^`]+)` \| `src/[^`]+` \| `(\w+)` \|$", page, re.M):
        for method in methods.split(", "):
            shown[method, pattern] = function
    real = routes_of_sources()
    wrong = [route for route in real.keys() & shown.keys() if real[route] not in (None, shown[route])]
    return sorted(wrong + list(real.keys() ^ shown.keys()))


def fail_points_of(page):
    table = page.partition("| Fail point |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.M)


def wrong_fail_points(page):
    sources = "\n".join(p.read_text() for p in (ROOT / "src").rglob("*.cpp"))
    passed = page.partition("## The walk of one finalize")[2].partition("\n## ")[0]
    walked = re.findall(r"\*(?:[Ff]ail point )?`(\w+)`\.?\*", passed)
    listed = fail_points_of(page)
    return set(listed) ^ set(re.findall(r'fail_point\("(\w+)"\)', sources)) or walked != listed


def missing_tables(page):
    part = page.partition("## Where data lives")[2].partition("\n## ")[0]
    shown = set(re.findall(r"\w+", " ".join(re.findall(r"`([a-z_\s]+)`", part))))
    files = (ROOT / "src/store/migrations").rglob("*.sql")
    texts = [p.read_text() for p in files]
    # One that is made anew under another name for a moment.
    passing = {name for text in texts for name in re.findall(r"ALTER TABLE (\w+) RENAME TO", text)}
    return sorted({name for text in texts for name in re.findall(r"CREATE (?:UNLOGGED )?TABLE (\w+)", text)} - passing - shown)


def unknown_statements(page):
    part = page.partition("## States")[2].partition("\n## ")[0]
    declared = "\n".join(p.read_text() for p in (ROOT / "src/store/tables").glob("*.hpp"))
    named = set(re.findall(r"`((?:enrollment|acme)_\w+)`", part))
    assert len(named) > 12
    return sorted(s for s in named if not re.search(rf"Statement {s}\{{", declared))


def test_every_hop_is_a_function_of_its_file():
    assert len(hops(PAGE)) > 60
    assert wrong_hops(PAGE) == []


def test_every_path_exists():
    assert wrong_paths(PAGE) == []


def test_every_route_is_in_the_table():
    assert len(patterns()) > 20
    assert missing_patterns(PAGE) == []
    assert len(routes_of_sources()) > 25
    assert route_faults(PAGE) == []


def test_every_route_file_of_the_tree_is_looked_at():
    adders = {str(p.relative_to(ROOT)) for p in (ROOT / "src").rglob("*.cpp")
              if re.search(r"\brouter\.add\(", p.read_text()) and "core/http" not in str(p)}
    assert adders <= set(ROUTE_FILES)


def test_every_folder_is_on_the_map():
    assert missing_folders(PAGE) == []


def test_fail_points_tables_and_statements_are_those_of_the_sources():
    assert not wrong_fail_points(PAGE)
    assert missing_tables(PAGE) == []
    assert unknown_statements(PAGE) == []


@pytest.mark.parametrize("check, right, wrong", [
    (wrong_hops, "`record_intent`:", "`record_intend`:"),
    (wrong_hops, "`src/acme/jws.cpp` `parse_jws`", "`src/acme/jws.cpp` `parse_jw`"),
    (wrong_hops, "`src/acme/finalize.cpp` `conclude`", "`src/acme/order.cpp` `conclude`"),
    (wrong_hops, "`src/ra/policy/policy.cpp` `decide_early`", "`src/acme/finalize.cpp` `decide_early`"),
    (wrong_paths, "`src/ra/policy`", "`src/ra/polity`"),
    (missing_folders, "`src/core/dns`", "core/dns"),
    (missing_patterns, "`/crl/{key:label}/{shard:file}`", "`/crl/{key:label}/{shard:label}`"),
    (route_faults, "HEAD, GET, POST `/acme", "GET, POST `/acme"),
    (route_faults, "`src/api/configuration.cpp` | `export_documents`", "`src/api/configuration.cpp` | `apply`"),
    (route_faults, "| GET `/readyz`", "| GET `/ready`"),
    (wrong_fail_points, "| `checked` |", "| `cheked` |"),
    (wrong_fail_points, "*`linted`.*", ""),
    (missing_tables, "acme_challenge`", "acme_chalenge`"),
    (unknown_statements, "`acme_order_ready`", "`acme_order_reedy`"),
])
def test_a_wrong_name_is_found(check, right, wrong):
    assert right in PAGE and not check(PAGE)
    assert check(PAGE.replace(right, wrong))
