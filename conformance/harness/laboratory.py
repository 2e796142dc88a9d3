"""The clock of a laboratory, of a server and of the stand-ins beside it: set forward together."""
import json
import math
import time
from datetime import timedelta, timezone

NET_SECONDS = 60


def nodes_of(server):
    return getattr(server, "nodes", [server])


class LaboratoryClock:
    """`followers` are moved with it: functions of seconds."""

    def __init__(self, server, *followers):
        self.server, self.followers, self.ahead = server, followers, 0

    def now(self):
        """Unix seconds, as the server has it."""
        return time.time() + self.ahead

    def advance(self, seconds):
        """By whole seconds; every node is there when this returns."""
        assert seconds == int(seconds) > 0, seconds
        for follow in self.followers:  # first: what the server dates must not be in their future
            follow(seconds)
        self.server.cli("clock", "advance", f"{int(seconds)}s")
        self.ahead += int(seconds)
        end = time.monotonic() + NET_SECONDS
        for node in nodes_of(self.server):
            while (seen := json.loads(node.cli("clock", "--json")).get("laboratory_ahead_seconds", 0)) != self.ahead:
                assert time.monotonic() < end, f"a node's clock is {seen} s ahead, not {self.ahead} s"
                time.sleep(0.05)

    def advance_to(self, moment):
        """Not before that moment (Unix seconds), and a second after it at most; nothing where it is past."""
        left = math.ceil(moment - self.now())
        if left > 0:
            self.advance(left)


def unix(naive_utc):
    """A time of a certificate (naive, UTC) in Unix seconds."""
    return naive_utc.replace(tzinfo=timezone.utc).timestamp()


def life(certificate):
    """(begin, length) of a certificate's validity in Unix seconds; its last second counts."""
    begin, end = unix(certificate.not_valid_before), unix(certificate.not_valid_after + timedelta(seconds=1))
    return begin, end - begin
