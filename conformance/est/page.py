"""docs/conformance.md: what was asked over EST, with what, and what came of it."""
import datetime
from pathlib import Path

from harness.page import versions, write_section
from strict import table

PACKAGES = ("curl", "wget", "openssl", "strongswan-pki", "libbcpkix-java", "libbctls-java", "python3-cryptography")
INTRODUCTION = """What the strict EST probe asked Postern. The same questions go to any EST server:

```
conformance/est/probe --url https://est.example:8444/.well-known/est/LABEL --cacert root.pem --user NAME:PASSWORD
```

A row belongs to the question's place in RFC 7030, 8951, 9266 and 9908, or to an abuse; "expected" is the strictest reading of them, and
after it what Postern decides where they leave it open. Real clients are in `conformance/est/test_clients.py` and `test_approval.py`."""


def write_page(file: Path, results):
    date = f"On {datetime.date.today().isoformat()}, with {', '.join(versions(*PACKAGES))}: {table.counts(results)}."
    write_section(file, "EST", [INTRODUCTION, "", date, "", *table.markdown(results)])
