"""docs/conformance.md: what was asked, with what, and what came of it."""
import datetime
import subprocess
from pathlib import Path

from harness.environment import environment, executable
from strict import table

PACKAGES = ("curl", "wget", "openssl", "strongswan-pki", "libbcpkix-java", "libbctls-java", "python3-cryptography")
INTRODUCTION = """# Conformance

What the strict EST probe asked Postern, row by row. `conformance/run est --page docs/conformance.md` writes this page; the same
questions go to any EST server:

```
conformance/est/probe --url https://est.example:8444/.well-known/est/LABEL --cacert root.pem --user NAME:PASSWORD
```

A row belongs to the question's place in RFC 7030, 8951, 9266 and 9908, or to an abuse; "expected" is the strictest reading of them, and
after it what Postern decides where they leave it open. Real clients are in `conformance/est/test_clients.py` and `test_approval.py`."""


def said(*command):
    return subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False, env=environment()).stdout.strip()


def versions():
    yield said(executable(), "--version").splitlines()[0]
    for package in PACKAGES:
        found = said("dpkg-query", "-W", "-f", "${Package} ${Version}", package)
        if found:
            yield found


def write_page(file: Path, results):
    lines = [INTRODUCTION, "", f"On {datetime.date.today().isoformat()}, with {', '.join(versions())}: {table.counts(results)}.", "", "## EST", ""]
    file.write_text("\n".join([*lines, *table.markdown(results)]) + "\n", encoding="utf-8")
