"""Which file may include what (docs/architecture.md, "The house")."""
import posixpath
import re

from .text import without_comments

FLOORS = {"core": 1, "store": 2, "validation": 3, "azure": 3, "ca": 4, "ra": 5,
          "acme": 6, "scep": 6, "est": 6, "api": 6, "web": 6, "app": 7}
CORE_ROOMS = {"base": 1,
              "async": 2, "json": 2, "toml": 2, "crypto": 2, "observe": 2,
              "http": 3, "dns": 3, "mail": 3}
# Rooms of one rank that may still see a neighbour: keys are read from JSON, TOML shares its paths.
NEIGHBOURS = {("crypto", "json"), ("toml", "json"), ("observe", "json")}

# Implementations behind a port: only the wiring in src/app names them.
ADAPTERS = [re.compile(p) for p in (r"store/(sqlite|postgres)/", r"ca/(builtin|command|upstream_\w+)/",
                                    r"validation/\w+_validator\.hpp$",
                                    r"core/http/curl_\w+\.hpp$")]

# Third-party headers and the files of src/ that may see them.
THIRD_PARTY = [
    (r"boost/beast(/|\.)", r"core/http/[^/]+\.cpp$", "Beast belongs in core/http/*.cpp"),
    (r"boost/asio/ssl", r"core/http/", "TLS streams belong in core/http"),
    (r"openssl/", r"core/crypto/|core/http/[^/]*tls[^/]*$|ca/builtin/",
     "OpenSSL belongs in core/crypto, the TLS units of core/http and ca/builtin"),
    (r"rapidjson/", r"core/json/[^/]+\.cpp$", "RapidJSON belongs in core/json/*.cpp"),
    (r"sqlite3", r"store/sqlite/", "SQLite belongs in store/sqlite"),
    (r"(postgresql/)?libpq", r"store/postgres/", "libpq belongs in store/postgres"),
    (r"unbound", r"core/dns/", "libunbound belongs in core/dns"),
    (r"idn2|unictype|libpsl", r"core/dns/[^/]+\.cpp$", "libidn2, libunistring and libpsl belong in core/dns/*.cpp"),
    (r"(prometheus|spdlog)/", r"core/observe/[^/]+\.cpp$",
     "prometheus-cpp and spdlog belong in core/observe/*.cpp"),
    (r"toml\+\+/|toml\.hpp$", r"core/toml/[^/]+\.cpp$", "toml++ belongs in core/toml/*.cpp"),
    (r"curl/", r"core/http/curl_[^/]+$", "libcurl belongs in core/http/curl_*"),
    (r"systemd/", r"app/", "the service manager's interface belongs in app"),
    (r"CLI/", r"app/", "CLI11 belongs in app"),
]
THIRD_PARTY = [(re.compile(header), re.compile(place), why) for header, place, why in THIRD_PARTY]

_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*([^\n]*)", re.MULTILINE)


def check(root, name, text):
    """Offences of one file; `name` is relative to the root of the tree."""
    offences = []
    for match in _INCLUDE.finditer(without_comments(text)):
        line = text.count("\n", 0, match.start(1)) + 1
        for what in _include_offences(root, name, match.group(1).strip()):
            offences.append(f"{name}:{line}: {what}")
    return offences


def _include_offences(root, name, operand):
    spelled = re.match(r'<([^>]+)>$|"([^"]+)"$', operand)
    if not spelled:
        yield f"#include {operand}: name the file, no macro"
        return
    header = spelled.group(1) or spelled.group(2)
    if ".." in header.split("/"):
        yield f"{header}: `..` in an include; write it relative to src/"
        return
    if spelled.group(1):
        if name.startswith("src/"):
            yield from _third_party_offences(name[len("src/"):], header)
        return
    if "/" not in header and posixpath.dirname(name) != "src":
        yield f'"{header}": an include without a folder; write it relative to src/'
        return
    in_src = (root / "src" / header).is_file()
    if not in_src and (name.startswith("src/") or not (root / header).is_file()):
        yield f'"{header}": no such file in src/'
        return
    if name.startswith("src/"):
        yield from _third_party_offences(name[len("src/"):], header)
        yield from _house_offences(name[len("src/"):], header)


def _third_party_offences(name, header):
    for pattern, place, why in THIRD_PARTY:
        if pattern.match(header) and not place.match(name):
            yield f"{header}: {why}"


def _house_offences(name, header):
    mine, theirs = name.split("/"), header.split("/")
    if len(theirs) == 1:
        return
    floor = FLOORS.get(mine[0])
    other = FLOORS.get(theirs[0])
    if len(mine) == 1:
        yield f"{header}: a file of src/ itself belongs to no floor and includes none"
        return
    for folder, known in ((mine[0], floor), (theirs[0], other)):
        if known is None:
            yield f"{folder}/ is no floor that scripts/lint/layers.py knows"
            return
    if other > floor:
        yield f"{header}: floor {floor} ({mine[0]}) includes floor {other} ({theirs[0]}) above it"
    elif other == floor and mine[0] != theirs[0]:
        yield f"{header}: the front ends {mine[0]} and {theirs[0]} never include one another"
    elif mine[0] == theirs[0] == "core":
        yield from _room_offences(mine, theirs, header)
    for adapter in ADAPTERS:
        if adapter.match(header) and mine[0] != "app" and not _same_adapter(name, header):
            yield f"{header}: a concrete adapter; only app and the adapter itself include it"


def _room_offences(mine, theirs, header):
    room, neighbour = mine[1], theirs[1]
    for folder in (room, neighbour):
        if folder not in CORE_ROOMS:
            yield f"core/{folder} is no room that scripts/lint/layers.py knows"
            return
    if CORE_ROOMS[neighbour] > CORE_ROOMS[room]:
        yield f"{header}: core/{room} includes core/{neighbour} above it"
    elif (CORE_ROOMS[neighbour] == CORE_ROOMS[room] and room != neighbour
          and (room, neighbour) not in NEIGHBOURS):
        yield f"{header}: core/{room} and core/{neighbour} are neighbours of one rank"


def _same_adapter(name, header):
    """An adapter is its folder; a validator is its own pair of files."""
    if header.endswith("_validator.hpp"):
        return name.rsplit(".", 1)[0] == header.rsplit(".", 1)[0]
    return posixpath.dirname(name).startswith(posixpath.dirname(header))
