"""The stand-in as a Python object: it starts the process, and speaks with its control door."""
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

from . import behaviours

_GLOBAL = ("add_tenant", "clear_scripts", "scripts_left", "release", "clear_journal", "counters", "move_clock", "set_proxy", "urls",
           "use_real_names", "confidential", "down", "up")
_OF_TENANT = ("add_app", "tenant", "rotate_secret", "forget_secret", "add_certificate", "set_roles", "withdraw_tokens",
              "set_token_lifetime", "mint_challenge", "untarget", "transactions", "discovery", "move_endpoint", "queue_revocation",
              "redeliver", "revocations", "results", "journal")


class IntuneStandIn:
    """A process that is Entra, Graph and Intune; it has one tenant from the start.

      with IntuneStandIn() as standin:
          standin.tenant()                       what a client is configured with
          standin.script("validate", behaviours.throttled(2), behaviours.code("ChallengeExpired"))
          standin.mint_challenge(subject=[["CN", "phone"]])
          standin.wrong()                        everything that was wrong with what came

    The methods are those of control.Control, by keyword.
    """

    behaviours = behaviours

    def __init__(self, folder=None, host="localhost"):
        self._own = tempfile.TemporaryDirectory(prefix="postern-intune-") if folder is None else None
        self.folder, self._host = Path(folder or self._own.name), host
        self._process = self._control = None

    def start(self):
        command = [sys.executable, "-m", "intune", "--folder", str(self.folder), "--host", self._host]
        self._process = subprocess.Popen(command, cwd=Path(__file__).resolve().parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self._process.stdout.readline()
        assert line, f"the stand-in ended with status {self._process.wait()}"
        self._control = json.loads(line)["control"]
        self.ca = Path(self.urls()["ca"])
        return self

    def stop(self):
        """It ends with its standard input; that it ended well counts."""
        if self._process:
            self._process.stdin.close()
            status = self._process.wait(30)
            self._process.stdout.close()
            self._process = None
            assert status == 0, f"the stand-in ended with status {status}"
        if self._own:
            self._own.cleanup()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def call(self, method, **arguments):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(f"{self._control}/{method}", json.dumps(arguments).encode())
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["result"]
        except urllib.error.HTTPError as refused:
            raise ValueError(json.load(refused)["error"]) from refused

    def __getattr__(self, name):
        if name not in _GLOBAL + _OF_TENANT:
            raise AttributeError(name)
        return lambda **arguments: self.call(name, **arguments)

    def script(self, call, *each, tenant=None, always=False):
        """The next calls do these things, one each; with `always` the last of them for ever."""
        self.call("script", call=call, behaviours=list(each), tenant=tenant, always=always)

    def asked(self, call=None, tenant=None):
        """The journal as objects."""
        return [SimpleNamespace(**entry) for entry in self.journal(call=call, tenant=tenant)]

    def wrong(self, call=None):
        """Every complaint, with the call it is about."""
        return [(entry.call, what) for entry in self.asked(call) for what in entry.wrong]

    def wait_for(self, call, asked=1, at_once=None, seconds=60):
        """Until a call was asked so often, or by so many at once."""
        deadline = time.monotonic() + seconds
        while True:
            seen = self.counters().get(call, {"asked": 0, "at_once": 0})
            if seen["asked"] >= asked and (at_once is None or seen["at_once"] >= at_once):
                return
            assert time.monotonic() < deadline, f"{call}: {seen}, not {asked} asked" + (f", {at_once} at once" if at_once else "")
            time.sleep(0.01)

    def of(self, tenant):
        """The same, of one tenant (GUID)."""
        return OfTenant(self, tenant)

    def reset(self):
        """As it was at the start, but for tenants, transactions, clock and what moved or is down."""
        self.clear_scripts()
        self.clear_journal()
        self.release()
        self.set_proxy()
        self.use_real_names(on=False)


class OfTenant:
    """The methods of IntuneStandIn that are about a tenant, for this one."""

    def __init__(self, standin, tenant):
        self._standin, self.id = standin, tenant

    def __getattr__(self, name):
        if name not in _OF_TENANT:
            raise AttributeError(name)
        return lambda **arguments: self._standin.call(name, tenant=self.id, **arguments)

    def script(self, call, *each, always=False):
        self._standin.script(call, *each, tenant=self.id, always=always)

    def asked(self, call=None):
        return self._standin.asked(call, self.id)

    def wrong(self, call=None):
        return [what for entry in self.asked(call) for what in entry.wrong]
