"""What the stand-in was asked, and everything that was wrong with it."""
import json
import re
from collections import Counter

GUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


class Entry:
    """One request. `wrong` is empty for a request that no service could complain about."""

    def __init__(self, number, at, request, call):
        self.number, self.at, self.request, self.call = number, at, request, call
        self.tenant, self.fields, self.wrong = None, None, []
        self.status, self.code, self.behaviour = None, None, {}

    def blame(self, *what):
        self.wrong += what
        return self

    def shown(self):
        request = self.request
        return {"number": self.number, "at": self.at, "site": request.site, "connection": request.connection,
                "proxied": request.proxied, "call": self.call, "tenant": self.tenant,
                "method": request.method, "target": request.target, "version": request.version,
                "headers": request.headers, "body": request.body.decode("utf-8", "replace"), "fields": self.fields, "wrong": self.wrong,
                "status": self.status, "code": self.code, "behaviour": self.behaviour}


class Journal:
    def __init__(self, clock):
        self._clock, self.entries, self.asked = clock, [], Counter()
        self._in_flight, self.at_once = Counter(), Counter()
        self.activities = set()

    def enter(self, request, call):
        entry = Entry(len(self.entries) + 1, self._clock.now(), request, call)
        self.entries.append(entry)
        self.asked[call] += 1
        self._in_flight[call] += 1
        self.at_once[call] = max(self.at_once[call], self._in_flight[call])
        return entry

    def leave(self, call):
        self._in_flight[call] -= 1

    def stray(self, site, connection, why):
        """Octets that are no request."""
        from .wire import Request
        entry = Entry(len(self.entries) + 1, self._clock.now(), Request("", "", "", [], b"", site, connection), "octets")
        entry.blame(why).status = 400
        self.entries.append(entry)
        self.asked["octets"] += 1

    def on_stale(self, request):
        """A request on a connection that is dead: never answered, never looked at."""
        entry = self.enter(request, "stale")
        self.leave("stale")
        entry.status = 0

    def clear(self):
        self.entries.clear()
        self.asked.clear()
        self.at_once.clear()

    # ---- what every call of Graph and Intune must carry

    def check_common(self, entry, api_version=None):
        request = entry.request
        activities = request.all("client-request-id")
        if len(activities) != 1 or not GUID.fullmatch(activities[0]):
            entry.blame(f"client-request-id is {activities}, not one GUID")
        elif activities[0].lower() in self.activities:
            entry.blame("client-request-id was used before")
        else:
            self.activities.add(activities[0].lower())
        if not request.header("user-agent"):
            entry.blame("no User-Agent")
        if len(request.all("host")) != 1:
            entry.blame("not one Host")
        versions = request.all("api-version")
        if api_version and versions != [api_version]:
            entry.blame(f"header api-version is {versions}, not {api_version}")


def json_body(entry):
    """What the body says, without doubled keys; None, and blame, where it is no JSON. What it is, check_keys finds out."""
    content_type = [part.strip().lower() for part in (entry.request.header("content-type") or "").split(";")]
    if content_type[0] != "application/json" or any(part not in ("charset=utf-8", 'charset="utf-8"') for part in content_type[1:]):
        entry.blame(f"Content-Type is {entry.request.all('content-type')}")

    def once(pairs):
        doubled = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        if doubled:
            entry.blame(f"keys are there twice: {', '.join(doubled)}")
        return dict(pairs)

    try:
        found = json.loads(entry.request.body.decode("utf-8"), object_pairs_hook=once)
    except ValueError as wrong:
        entry.blame(f"the body is no JSON: {wrong}")
        return None
    entry.fields = found
    return found


def check_keys(entry, found, required, optional=(), where="the body"):
    """Blames what is missing or unknown; True where nothing is."""
    if not isinstance(found, dict):
        entry.blame(f"{where} is no object")
        return False
    missing, unknown = set(required) - set(found), set(found) - set(required) - set(optional)
    if missing:
        entry.blame(f"{where} lacks {', '.join(sorted(missing))}")
    if unknown:
        entry.blame(f"{where} has unknown {', '.join(sorted(unknown))}")
    return not missing


def check_text(entry, found, key, limit=None):
    value = found.get(key)
    if not isinstance(value, str) or not value.strip():
        entry.blame(f"{key} is no text, or an empty one")
        return False
    if limit and len(value) > limit:
        entry.blame(f"{key} has {len(value)} characters, more than {limit}")
        return False
    return True
