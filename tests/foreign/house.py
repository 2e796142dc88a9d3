"""A server with a CA behind a command, and what its clients and officers see of a request."""
import json
import re
import time

from harness.backends import StandInCa
from harness.orders import Orders

SUFFIX = "foreign.test"


class House:
    """A server, a stand-in CA behind it, and a client."""

    def __init__(self, server, folder, web, name="standin", **keys):
        self.server, self.folder = server, folder
        self.ca = StandInCa(folder / "ca", name)
        self.describe(**keys)
        self.client = Orders(server, name, web)
        self.number = 0

    def describe(self, **keys):
        path = self.folder / "standin.toml"
        path.write_text(self.ca.document(**keys))
        self.server.cli("apply", path)

    def finalize(self, *labels):
        """An order with a name of its own, finalized: (URL, answer)."""
        self.number += 1
        names = [f"n{self.number}{label}.{self.ca.name}.{SUFFIX}" for label in (labels or ("",))]
        url, order = self.client.ready(*names)
        answer, _ = self.client.finalize(order, *names)
        return url, answer

    def requests(self, *more):
        lines = self.server.cli("request", "list", "--json", *more).splitlines()
        return [json.loads(line) for line in lines]

    def show(self, request):
        return json.loads(self.server.cli("request", "show", request, "--json"))

    def records(self, request, action):
        return [record for record in self.server.explain(request) if record["action"] == action]


def held_order(house, url, status):
    """What the client reads of a request that waits for an officer: (the order, the request as `request show` has it)."""
    answer = house.client.until(url, lambda body: "error" in body)
    assert answer.body["status"] == "processing"
    assert int(answer.headers["Retry-After"]) == 3600
    error = answer.body["error"]
    assert error["type"] == "urn:ietf:params:acme:error:serverInternal"
    assert "waits for an officer" in error["detail"]
    shown = house.show(re.search(r"request ([a-z2-7]{16})\]", error["detail"])[1])
    assert (shown["status"], shown["state"]) == (status, "held")
    return answer.body, shown


def submitted_once(house, shown):
    assert house.ca.submissions()[shown["request"]] == 1


def gone(pid):
    """Dead, or a zombie that nobody has waited for yet."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def await_gone(pids):
    end = time.monotonic() + 30
    while not all(map(gone, pids)):
        assert time.monotonic() < end, f"{pids} still run"
        time.sleep(0.05)
