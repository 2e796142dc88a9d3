"""docs/conformance.md: a section for each strict probe, written anew by its suite alone."""
import re
import subprocess

from .environment import environment, executable

TITLE = "# Conformance\n\nWhat the strict probes asked, row by row. `conformance/run est acme --page docs/conformance.md` writes this page.\n"


def said(*command):
    return subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False, env=environment()).stdout.strip()


def versions(*packages):
    """Of Postern, and of Debian's packages that are installed."""
    yield said(executable(), "--version").splitlines()[0]
    for package in packages:
        found = said("dpkg-query", "-W", "-f", "${Package} ${Version}", package)
        if found:
            yield found


def write_section(file, heading, lines):
    """Replaces the section of that heading, or adds it; the others stay."""
    text = file.read_text(encoding="utf-8") if file.exists() else TITLE
    section = "\n".join([f"## {heading}", "", *lines]) + "\n"
    parts = re.split(r"(?m)^(?=## )", text)
    kept = [section if part.startswith(f"## {heading}\n") else part.rstrip("\n") + "\n" for part in parts]
    if section not in kept:
        kept.append(section)
    file.write_text("\n".join(kept), encoding="utf-8")
