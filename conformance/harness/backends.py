"""CAs behind commands: the examples of docs/backends/command.md as they stand there, and one that misbehaves."""
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from .environment import environment

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs/backends/command.md"


def example(name, folder):
    """Writes a listing of the manual into `folder`; gives its path."""
    found = re.search(rf"^```\w+ file={re.escape(name)}\n(.*?)^```$", MANUAL.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{MANUAL} has no listing {name}"
    path = folder / name
    path.write_text(found[1])
    path.chmod(0o755)
    return path


def document(name, argv, anchors, **keys):
    """TOML of a backend, a profile and an endpoint of the same name, and its open account."""
    lines = [f"[[backend]]\nname = {json.dumps(name)}\nkind = \"command\"", f"argv = {json.dumps([str(word) for word in argv])}",
             f"trust_anchors = '''\n{anchors}'''"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    lines.append(f"[[profile]]\nname = \"{name}\"\nbackend = \"{name}\"\nprivate_targets = true\nparameters = [\"template=server\"]")
    lines.append(f"[[endpoint]]\nname = \"{name}\"\nprotocol = \"acme\"\nprofiles = [\"{name}\"]\nexternal_account_required = false")
    lines.append(f"[[account]]\nname = \"{name}\"\nendpoint = \"{name}\"\nmethod = \"open\"\nnames = [\"*\"]")
    return "\n".join(lines) + "\n"


def _run(*command, **variables):
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False, input="{\"operation\":\"test\"}",
                          env=environment(**variables))
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


class ShellCa:
    """The manual's script over `openssl ca`."""

    def __init__(self, folder, name="shell"):
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.name, self.home = name, folder / "ca"
        _run("sh", example("make-ca.sh", folder), CA_HOME=str(self.home))
        self.program = example("issue.sh", folder)
        self.root = self.home / "ca.pem"

    def document(self, **keys):
        keys = {"operations": ["lookup", "revoke", "test"], **keys}
        return document(self.name, [self.program], self.root.read_text(),
                        environment=["PATH=/usr/bin:/bin", f"CA_HOME={self.home}"], **keys)


class OfficeCa:
    """The manual's Python program, with a person in between."""

    def __init__(self, folder, name="office"):
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.name, self.home = name, folder / "ca"
        self.home.mkdir(mode=0o700)
        self.program = example("office.py", folder)
        _run("/usr/bin/python3", self.program, CA_HOME=str(self.home))
        self.root = self.home / "ca.pem"

    def document(self, **keys):
        return document(self.name, ["/usr/bin/python3", self.program], self.root.read_text(), environment=[f"CA_HOME={self.home}"],
                        **{"operations": ["poll", "lookup", "test"], **keys})

    def waiting(self):
        folder = self.home / "waiting"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def decide(self, request, decision="approved"):
        (self.home / decision / request).touch()


class StandInCa:
    """harness/stand_in_ca.py in a folder of its own: it does as it is told, and counts what it was asked."""

    def __init__(self, folder, name="standin"):
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.name, self.home = name, folder
        self.program = folder / "stand_in_ca.py"
        shutil.copy(Path(__file__).with_name("stand_in_ca.py"), self.program)
        self.behave()
        _run("/usr/bin/python3", self.program, folder)
        self.root = folder / "root.pem"

    def document(self, **keys):
        """`anchors` are the names of the declared certificates."""
        keys = {"operations": ["poll", "lookup", "revoke", "test"], "timeout": "20s", **keys}
        anchors = "".join((self.home / f"{name}.pem").read_text() for name in keys.pop("anchors", ["root"]))
        return document(self.name, ["/usr/bin/python3", self.program, self.home], anchors, **keys)

    def behave(self, **plan):
        """Per operation the name of a behaviour of stand_in_ca.py; what is not named is done well."""
        new = self.home / "plan.new"
        new.write_text(json.dumps(plan))
        new.rename(self.home / "plan.json")

    def journal(self):
        """What it was asked, in order: (operation, request id)."""
        path = self.home / "journal"
        lines = path.read_text().splitlines() if path.exists() else []
        return [tuple(json.loads(line)) for line in lines]

    def submissions(self):
        """How often each request id was handed over."""
        return Counter(request for operation, request in self.journal() if operation == "issue")

    def issued(self, request):
        """The chain that it made for a request id, or None."""
        path = self.home / "issued" / request
        return json.loads(path.read_text())["chain"] if path.exists() else None
