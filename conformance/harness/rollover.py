"""A new root for the built-in CA, which takes over in a moment: from then on it has two chains."""
import json
from datetime import datetime, timedelta, timezone

from .waiting import until


def succeed_root(server):
    """The key ids of the new issuing CA and of its root. A machine may be so busy that the time is over when the verb arrives."""
    for seconds in (10, 40, 160, 640):
        at = (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        done = server.verb("ca", "rollover", "--root", "--at", at, "--json", "--data", server.data)
        if "takes over in the future" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    return made["authority"], made["root"]["authority"]


def await_takeover(server, authorities):
    """Until it issues."""
    def issuing():
        return next(row["authority"] for row in json.loads(server.cli("ca", "authorities", "--json"))["authorities"] if row["role"] == "issuing")
    until(lambda: issuing() == authorities[0], "the successor does not take over")
