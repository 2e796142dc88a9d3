"""`est enroll-bundle` at an endpoint of a case's own, and what a device does with its part."""
import csv
import io
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.environment import environment
from harness.rest import Rest, token_of


DOCUMENT = '''
[[profile]]
name = "batch"
lifetime = "30d"
keys = ["ec-p256", "rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]

[[profile]]
name = "batch-approved"
lifetime = "30d"
keys = ["ec-p256"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
approval = "officer"

[[profile]]
name = "batch-bound"
lifetime = "30d"
keys = ["ec-p256"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
require_binding = true

[[endpoint]]
name = "{name}"
protocol = "est"
profiles = ["batch", "batch-approved", "batch-bound"]

[[account]]
name = "{name}"
endpoint = "{name}"
method = "one_time"
names = [".batch.example.com"]
common_names = ["*"]
longest_challenge_lifetime = "30d"
'''


class Line:
    """An endpoint of its own, and the verb."""

    def __init__(self, server, folder, name):
        self.server, self.folder, self.name = server, folder, name
        document = folder / "batch.toml"
        document.write_text(DOCUMENT.format(name=name))
        server.apply(document)

    def verb(self, *options, devices=None, table=None, out="batch.tar", **how):
        """The finished process; `devices` and `table` are texts, `out` a name in the folder."""
        words = ["est", "enroll-bundle", self.name, "--out", self.folder / out, *options]
        for option, text in (("--devices", devices), ("--table", table)):
            if text is not None:
                file = self.folder / option.strip("-")
                file.write_text(text)
                words += [option, file]
        if "--server" not in options:
            words += ["--data", self.server.data]
        return subprocess.run([os.environ["POSTERN"], *map(str, words)], text=True, capture_output=True, check=False, env=environment(), timeout=600,
                              **({"stdin": subprocess.DEVNULL} if "input" not in how else {}), **how)

    def elsewhere(self, role, tenant):
        """Options of a principal on another machine."""
        token = self.folder / "token"
        token.touch(0o600)
        token.write_text(token_of(self.server, f"{role}-of-{self.name}"[:60], role, tenant))
        return "--server", "https://" + Rest(self.server).place, "--token-file", token, "--ca-file", self.server.root

    def made(self, *options, **how):
        done = self.verb(*options, **how)
        assert done.returncode == 0, done.stdout + done.stderr
        return self.folder / how.get("out", "batch.tar")

    def tokens(self):
        """Rows of `token list`, by id."""
        listed = [json.loads(line) for line in self.server.cli("est", "token", "list", self.name, "--json").splitlines()]
        return {each["id"]: each for each in listed}

    def unpacked(self, archive):
        """As the factory unpacks it: the folder."""
        place = self.folder / "factory"
        place.mkdir(exist_ok=True)
        done = subprocess.run(["tar", "-xpf", archive, "-C", place], text=True, capture_output=True, check=False, env=environment())
        assert done.returncode == 0 and not done.stderr, done.stderr
        return place / archive.stem

    def refused(self, why, *options, **how):
        """Nothing is minted, nothing is written; standard error says why."""
        before, files = self.tokens(), sorted(self.folder.iterdir())
        done = self.verb(*options, **how)
        assert done.returncode == 1, done.stdout + done.stderr
        for part in (why,) if isinstance(why, str) else why:
            assert part in done.stderr, done.stderr
        assert self.tokens() == before
        assert [path for path in sorted(self.folder.iterdir()) if path not in files and (path.suffix in (".tar", ".csv") or ".partial-" in path.name)] == []
        return done


@pytest.fixture
def line(server, tmp_path, request):
    name = "b-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower()).strip("-")[-50:]
    return Line(server, tmp_path, name)


def modes(folder):
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def spki_of(file):
    return x509.load_pem_x509_certificate(Path(file).read_bytes()).public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def wrong_root(folder):
    """Of nobody's server."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "wrong.key", "-out", folder / "wrong.pem",
                    "-subj", "/CN=wrong", "-days", "2"], check=True, capture_output=True, env=environment())
    return folder / "wrong.pem"


def run_script(place):
    """What the archive says: sh enroll.sh, from anywhere."""
    return subprocess.run(["sh", place / "enroll.sh"], cwd="/", text=True, capture_output=True, check=False, timeout=300, stdin=subprocess.DEVNULL, env=environment())


def enrolled(place):
    done = run_script(place)
    assert done.returncode == 0, done.stdout + done.stderr
    checked = subprocess.run(["openssl", "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "cert.pem"], cwd=place, text=True, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    return x509.load_pem_x509_certificate((place / "cert.pem").read_bytes())


def table_of(file):
    return list(csv.DictReader(io.StringIO(file.read_text(), newline="")))
