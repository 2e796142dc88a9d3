"""docs/configuration.md, config/postern.toml and the sources name the same keys, options and routes."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text()
EXAMPLE = (ROOT / "config" / "postern.toml").read_text()
READER = (ROOT / "src" / "app" / "config.cpp").read_text()
SCHEMA = (ROOT / "src" / "ra" / "documents" / "schema.cpp").read_text()
DOCUMENTS = (ROOT / "src" / "ra" / "documents" / "read.cpp").read_text()
ROUTES = (ROOT / "src" / "api" / "routes.cpp").read_text()
VERBS = "\n".join(path.read_text() for path in sorted((ROOT / "src" / "app" / "verbs").glob("*.cpp")))


def keys_read(source):
    """(section, key) for every key that config.cpp asks for: each section has a function or a lambda."""
    found = set()
    for section, reader in re.findall(r'section\("(\w+)", &?(\w+)\)', source):
        body = re.search(rf"^void {reader}\(.*?^}}$|^ *const auto {reader} = .*?;$", source, re.M | re.S)
        assert body, f"no reader of [{section}] named {reader}"
        # A call whose first argument is a key: s.text("level", …), hours("root_lifetime", …)
        keys = re.findall(r'\w\(\s*"([a-z][a-z0-9_]*)",', body[0])
        assert keys, f"no key of [{section}]"
        found |= {(section, key) for key in keys}
    return found


def tables(page):
    """Heading -> first cells in backquotes of the tables below it, with the row's other cells."""
    out, heading = {}, ""
    for line in page.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| `"):
            first, *rest = [cell.strip() for cell in line.strip("|").split(" | ")]
            for name in re.findall(r"`([^`]+)`", first):
                out.setdefault(heading, {})[name] = rest
    return out


def keys_on_page(page):
    return {
        (heading[1:-1], key): cells
        for heading, rows in tables(page).items()
        if re.fullmatch(r"\[\w+\]", heading)
        for key, cells in rows.items()
    }


def keys_of_example(example):
    """(section, key) -> the TOML text of the value that stands commented out."""
    out, section = {}, ""
    for line in example.splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
        elif setting := re.fullmatch(r"# ([a-z0-9_]+) = (.+)", line):
            assert (section, setting[1]) not in out, f"{setting[1]} stands twice in [{section}]"
            out[section, setting[1]] = setting[2]
    return out


def kinds_of_schema(schema):
    """Kind -> (key, required)."""
    kinds = {}
    for kind, body in re.findall(r"^constexpr std::array (\w+)\{(.*?)\};$", schema, re.M | re.S):
        keys = dict(re.findall(r'Key\{"(\w+)", KeyType::\w+(, true)?', body))
        if keys:
            kinds[kind] = {key: bool(required) for key, required in keys.items()}
    assert set(kinds) == set(re.findall(r'Kind\{"(\w+)"', schema))
    return kinds


def schema_differences(schema, page):
    on_page, wrong = tables(page), []
    for kind, keys in kinds_of_schema(schema).items():
        rows = on_page.get(f"[[{kind}]]", {})
        # Secrets are no keys of the schema: they never become a part of the object's body.
        wrong += [f"{kind}: {key}" for key in set(keys) ^ (set(rows) - {"secret", "proxy_password"})]
        wrong += [f"{kind}: {key} required" for key, need in keys.items() if key in rows and need != (rows[key][1] == "required")]
    return wrong


def options_of(sources):
    return set(re.findall(r'add_(?:option|flag)\("(--[a-z0-9-]+)"', sources))


def options_on_page(page):
    """Options in the tables of the command line, wherever their column is."""
    part = page.split("## Command line\n", 1)[1].split("\n### ", 1)[0]
    rows = [line.split(" | ") for line in part.splitlines() if line.startswith("| `")]
    return {option for row in rows for cell in row[:2] for option in re.findall(r"`(--[a-z0-9-]+)`", cell)}


def routes_of(source):
    found = re.findall(r'\{Method::(\w+), "([^"]+)", Role::(\w+), &\w+(, true)?\}', source)
    return {(method.upper().rstrip("_") + " " + re.sub(r":\w+}", "}", pattern), role + (", enroller" if enroller else ""))
            for method, pattern, role, enroller in found}


def routes_on_page(page):
    return {(request, cells[0]) for request, cells in tables(page)["REST"].items() if request.split()[0] in ("GET", "POST", "DELETE")}


def without_line(text, start):
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(start)]
    assert len(kept) < len(lines), f"nothing begins with {start}"
    return "".join(kept)


def test_page_and_example_have_every_key_that_is_read():
    read = keys_read(READER)
    assert len(read) > 30
    assert set(keys_on_page(PAGE)) == read
    assert set(keys_of_example(EXAMPLE)) == read


def test_a_reload_compares_every_key_that_is_read():
    settings = (ROOT / "src" / "app" / "settings.cpp").read_text()
    compared = set(re.findall(r'\{"(\w+)\.(\w+)", ', settings))
    assert compared == keys_read(READER)


def test_page_and_example_tell_the_same_defaults():
    page, example = keys_on_page(PAGE), keys_of_example(EXAMPLE)
    told = {at: cells[1].strip("`") for at, cells in page.items() if at[0] != "public"}
    assert told == {at: value for at, value in example.items() if at[0] != "public"}


def test_the_defaults_of_numbers_and_addresses_are_the_sources():
    units = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "KiB": 1024, "MiB": 1024**2}
    example = {at: tomllib.loads(f"v = {value}")["v"] for at, value in keys_of_example(EXAMPLE).items()}

    def amount(value):
        number, unit = re.fullmatch(r"(\d+)(\w*)", str(value)).groups()
        return int(number) * units.get(unit, 1)

    def product(text):
        hours = re.fullmatch(r"std::chrono::hours\((.+)\)", text)
        value = 3_600_000 if hours else 1
        for factor in (hours[1] if hours else text).replace("'", "").split("*"):
            value *= int(factor)
        return value

    member = r"(?:std::size_t|std::chrono::milliseconds) (\w+)(?: = |\{)([^;]+?)\}?;"
    server = dict(re.findall(member, (ROOT / "src/core/http/server.hpp").read_text()))
    dns = dict(re.findall(member, (ROOT / "src/core/dns/resolver.hpp").read_text()))
    header = (ROOT / "src/app/config.hpp").read_text()
    own = dict(re.findall(member, header))
    sources = {("limits", key): server[key] for section, key in example if section == "limits"}
    sources |= {("ca", key): own[key] for section, key in example if section == "ca" and key.endswith("lifetime")}
    sources |= {("dns", "timeout"): dns["timeout"], ("validation", "http_01_timeout"): own["http_01_time"], ("validation", "tls_alpn_01_timeout"): own["tls_alpn_01_time"]}
    assert {at: amount(example[at]) for at in sources} == {at: product(text) for at, text in sources.items()}

    addresses = {("listen", name): f"{host}:{port}" for name, host, port in re.findall(r'(\w+)\{"([\d.]+)", (\d+)\}', header)}
    assert addresses == {at: value for at, value in example.items() if at[0] == "listen"}


def test_page_has_every_document_key():
    assert schema_differences(SCHEMA, PAGE) == []
    common = set(re.findall(r'(?:text|table\.find)\("(\w+)"', DOCUMENTS)) - {"secret"}
    assert common == {"name", "tenant", "enabled"} == set(tables(PAGE)["The registration authority: documents"])
    forms = set(re.findall(r'form->(?:find|require)\("(\w+)"\)', DOCUMENTS)) | {"file"}
    secrets = " ".join(tables(PAGE)["Secrets"])
    assert forms and all(re.search(rf"\b{form} = ", secrets) for form in forms)


def test_page_has_every_option():
    options = options_of(VERBS)
    assert len(options) > 15
    assert options_on_page(PAGE) == options


def test_page_has_every_route_with_its_role():
    routes = routes_of(ROUTES)
    assert len(routes) == len(re.findall(r"Method::\w+, \"", ROUTES)) > 0
    assert routes_on_page(PAGE) == routes


def test_something_missing_is_noticed():
    """The comparisons above, on texts from which something was taken or to which a key was added."""
    assert set(keys_on_page(without_line(PAGE, "| `idle` |"))) ^ keys_read(READER) == {("limits", "idle")}
    assert set(keys_of_example(without_line(EXAMPLE, "# crl_lifetime = "))) ^ keys_read(READER) == {("ca", "crl_lifetime")}
    for old, new, key in (
        ('s.duration("idle"', 's.duration("rest", l.idle);\n    s.duration("idle"', ("limits", "rest")),
        ('s.value("url"', 's.text("uri", x); s.value("url"', ("store", "uri")),
        ('pairs("hosts"', 'pairs("guests", x);\n    pairs("hosts"', ("dns", "guests")),
        ('hours("crl_lifetime"', 'hours("new", x);\n    hours("crl_lifetime"', ("ca", "new")),
    ):
        assert keys_read(READER.replace(old, new)) - set(keys_on_page(PAGE)) == {key}
    assert schema_differences(SCHEMA, without_line(PAGE, "| `names_limit` |")) == ["profile: names_limit"]
    assert schema_differences(SCHEMA.replace('Key{"wildcard"', 'Key{"w", KeyType::flag}, Key{"wildcard"'), PAGE) == ["account: w"]
    assert options_of(VERBS) - options_on_page(without_line(PAGE, "| `apply` | `--prune` |")) == {"--prune"}
    assert options_of(VERBS + 'add_flag("--new", x)') - options_on_page(PAGE) == {"--new"}
    assert routes_of(ROUTES.replace("Role::officer", "Role::auditor")) != routes_on_page(PAGE)
    assert routes_of(ROUTES) != routes_on_page(without_line(PAGE, "| `GET /api/postern/v1/export` |"))


def executable():
    path = Path(os.environ.get("POSTERN", ROOT / "build" / "release" / "postern"))
    assert path.exists(), f"{path} is not built"
    return path


def what_serve_says(text, folder):
    """Nothing starts: the file is read first, then an option without --lab ends it."""
    path = folder / "postern.toml"
    path.write_text(text)
    command = [executable(), "serve", "--config", path, "--data", folder / "data", "--http01-port", "81"]
    done = subprocess.run(command, text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2 and not (folder / "data").exists()
    return done.stderr


GOOD = "--http01-port is for laboratories"


def uncommented(example):
    return re.sub(r"^# (?=[a-z0-9_]+ = )", "", example, flags=re.M)


def test_the_example_loads_as_it_is(tmp_path):
    assert not any(tomllib.loads(EXAMPLE).values())
    assert GOOD in what_serve_says(EXAMPLE, tmp_path)


def test_the_example_loads_with_every_key_uncommented(tmp_path):
    text = uncommented(EXAMPLE)
    given = {(section, key) for section, keys in tomllib.loads(text).items() for key in keys}
    assert given == keys_read(READER)
    assert GOOD in what_serve_says(text, tmp_path)


def test_a_wrong_key_would_be_told(tmp_path):
    said = what_serve_says(uncommented(EXAMPLE).replace("\nidle = ", "\nidel = "), tmp_path)
    assert GOOD not in said
    assert "limits.idel: unknown key" in said
