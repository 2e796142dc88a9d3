"""docs/conformance.md: what was asked over ACME, of Postern and of Debian's Pebble, with what, and what came of it."""
import datetime
import shutil
from pathlib import Path

from harness.page import versions, write_section
from strict import table, targets
from strict.rows import ROWS

INTRODUCTION = """What the strict ACME probe asked Postern and, in the same way, Debian's Pebble. The same questions go to any ACME server:

```
conformance/acme/probe --directory https://ca.example/directory --ca-file root.pem --http-port 80 --name-suffix probe.example
conformance/acme/probe --start pebble --start postern --markdown
```

"By" is who wants it: an RFC, or a client that would stumble, or where only these name it `acme.md` and `threats.md`, the project's own
requirements, with which a test server need not agree. "Not offered" is what a directory lacks, or what a row needs and nobody can do
there: a second directory, an administrator. Where Postern does not pass, `conformance/acme/gaps.toml` says what it lacks; the suite fails when a
gap is none any more. Real clients are in the other files of `conformance/acme`."""


def write_page(file: Path, results):
    """`results` are Postern's, in any order."""
    columns = {"Postern": sorted(results, key=lambda each: ROWS.index(each[0]))}
    if shutil.which("pebble"):
        columns["Pebble"] = targets.ask_all("pebble", ROWS)
    counts = "; ".join(f"{name} {table.counts(column)}" for name, column in columns.items())
    date = f"On {datetime.date.today().isoformat()}, with {', '.join(versions('pebble', 'python3-cryptography'))}: {counts}."
    write_section(file, "ACME", [INTRODUCTION, "", date, "", *table.markdown(columns)])
