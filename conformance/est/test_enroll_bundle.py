"""`est enroll-bundle`: what a batch of devices gets enrolls each of them once, for its own names alone."""
import csv
import io
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.environment import environment
from harness.rest import Rest, token_of
from harness.suite import node_count, own_server  # noqa: F401  (a fixture)
from test_approval import waiting

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


def test_each_device_enrolls_by_its_folder_alone(line):
    folder = line.unpacked(line.made("--san", "dns:{}.batch.example.com", devices="gw-1\nGW-2.x\n"))
    index = {row["device"]: row for row in table_of(folder / "devices.csv")}
    assert list(index) == ["gw-1", "GW-2.x"]
    for device, row in index.items():
        place = folder / "devices" / device
        assert modes(place) == {"enroll.sh": 0o700, "root.pem": 0o600, "token": 0o600}
        assert place.stat().st_mode & 0o777 == 0o700
        alone = line.folder / f"device-{device}"
        shutil.move(place, alone)
        assert line.tokens()[row["id"]]["state"] == "open"
        certificate = enrolled(alone)
        assert certificate.subject.rfc4514_string() == f"CN={device}"
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        assert names == [f"{device.lower()}.batch.example.com"]
        assert modes(alone) == {"enroll.sh": 0o700, "root.pem": 0o600, "token": 0o600, "key.pem": 0o600, "cert.pem": 0o600, "chain.pem": 0o600}
        assert line.tokens()[row["id"]]["state"] == "used"


def test_the_archive_says_where_to(line):
    done = line.verb("--json", "--ttl", "20d", devices="# the first two\n\n4711\n00:1B:44:11\n")
    assert done.returncode == 0, done.stderr
    folder = line.unpacked(line.folder / "batch.tar")
    assert sorted(path.name for path in folder.iterdir()) == ["README.txt", "devices", "devices.csv", "endpoint.json", "root.pem"]
    assert (line.folder / "batch.tar").stat().st_mode & 0o777 == 0o600
    facts = json.loads((folder / "endpoint.json").read_text())
    assert facts == {"url": line.server.est(line.name), "label": line.name, "account": f"default/{line.name}", "profile": "batch", "key": "ec-p256"}
    assert spki_of(folder / "root.pem") == spki_of(line.server.root)
    assert line.server.est(line.name) in (folder / "README.txt").read_text()
    told = json.loads(done.stdout)
    rows = table_of(folder / "devices.csv")
    assert [(each["device"], each["id"]) for each in told["devices"]] == [(row["device"], row["id"]) for row in rows]
    assert [(row["device"], row["subject"]) for row in rows] == [("4711", "CN=4711"), ("00:1B:44:11", "CN=00:1B:44:11")]
    listed = line.tokens()
    for row in rows:
        assert (listed[row["id"]]["expires"], listed[row["id"]]["state"]) == (row["expires"], "open") and row["expires"] == told["expires"]


def test_the_table_has_what_a_client_of_ones_own_needs(line, est):
    """Also where no script can do it: names of kinds that openssl's command line cannot say."""
    file = line.made("--san", "dns:{}.batch.example.com", "--devices", "-", out="batch.csv", input="gw-1\r\ngw-2\r\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes().startswith(b'"device","id","subject","sans","url","expires","token"\r\n')
    rows = table_of(file)
    listed = line.tokens()
    assert [row["device"] for row in rows] == ["gw-1", "gw-2"]
    for row in rows:
        assert (row["url"], row["sans"]) == (line.server.est(line.name), f"dns:{row['device']}.batch.example.com")
        assert listed[row["id"]]["expires"] == row["expires"]
        answer = est.enroll(line.name, est.request("/" + row["subject"], sans=[f"DNS:{row['device']}.batch.example.com"]), bearer=row["token"], url=row["url"])
        assert answer.status == 200, answer.text


NAMES = [r"it's \"all\" $HOME `id` 100%", r"a/b\+c\\d\, e\=f", "Gerät 7 ß", "#7 ;x", "*?[a] ~ & | > <"]


def test_subjects_that_a_shell_and_openssl_read_otherwise(line):
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["device", "subject", "sans"])
    for n, name in enumerate(NAMES):
        writer.writerow([f"gw-{n}", f"CN={name}", f"dns:g{n}.batch.example.com dns:{n}.batch.example.com"])
    folder = line.unpacked(line.made(table=table.getvalue()))
    for n, name in enumerate(NAMES):
        certificate = enrolled(folder / "devices" / f"gw-{n}")
        assert certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value == re.sub(r"\\(.)", r"\1", name)


@pytest.mark.parametrize("key", ["rsa-2048", "ec-p256"])
def test_the_script_makes_the_key_that_was_asked_for(line, key):
    place = line.unpacked(line.made("--key", key, devices="gw-1")) / "devices/gw-1"
    bits = enrolled(place).public_key().key_size
    assert bits == int(key.removeprefix("rsa-").removeprefix("ec-p"))


def test_two_devices_cannot_use_each_others_token(line):
    devices = line.unpacked(line.made(devices="gw-1\ngw-2\n")) / "devices"
    own = {name: (devices / name / "token").read_text() for name in ("gw-1", "gw-2")}
    assert own["gw-1"] != own["gw-2"]
    (devices / "gw-1/token").write_text(own["gw-2"])
    done = run_script(devices / "gw-1")
    assert (done.returncode, "403 challenge.binding" in done.stderr) == (1, True), done.stderr
    assert not (devices / "gw-1/cert.pem").exists()
    # Neither token is worth less for it.
    (devices / "gw-1/token").write_text(own["gw-1"])
    assert [enrolled(devices / name).subject.rfc4514_string() for name in own] == ["CN=gw-1", "CN=gw-2"]


def test_a_token_is_worth_one_certificate(line):
    first = line.unpacked(line.made(devices="gw-1\n")) / "devices/gw-1"
    thief = line.folder / "thief"
    shutil.copytree(first, thief)
    enrolled(first)
    done = run_script(thief)
    assert (done.returncode, "403 challenge.single_use" in done.stderr) == (1, True), done.stderr
    assert modes(thief) == {"enroll.sh": 0o700, "root.pem": 0o600, "token": 0o600, "key.pem": 0o600, "chain.pem": 0o600}


def test_who_lost_the_answer_goes_on_with_the_same_key(line):
    place = line.unpacked(line.made(devices="gw-1\n")) / "devices/gw-1"
    first, key = enrolled(place), (place / "key.pem").read_bytes()
    (place / "cert.pem").unlink()
    assert enrolled(place) == first and (place / "key.pem").read_bytes() == key
    done = run_script(place)
    assert (done.returncode, done.stderr) == (0, "enroll.sh: cert.pem is there already\n")
    assert len([row for row in line.server.all_certificates() if row["serial"] == f"{first.serial_number:032x}"]) == 1


def test_a_device_that_waits_for_an_officer_comes_again(line, name):
    place = line.unpacked(line.made(*line.elsewhere("enroller", "default"), "--profile", "batch-approved", devices=f"{name}\n")) / "devices" / name
    for _ in range(2):
        done = run_script(place)
        assert (done.returncode, re.search(r"^enroll.sh: not yet; run it again in \d+ seconds$", done.stderr, re.MULTILINE) is None) == (75, False), done.stderr
        assert not (place / "cert.pem").exists()
    key = (place / "key.pem").read_bytes()
    number, = waiting(line.server, name)
    line.server.cli("request", "approve", number, "--message", "seen")
    assert enrolled(place).subject.rfc4514_string() == f"CN={name}" and (place / "key.pem").read_bytes() == key


def test_a_script_that_reaches_nobody_says_so(line):
    place = line.unpacked(line.made("--root", wrong_root(line.folder), devices="gw-1\n")) / "devices/gw-1"
    done = run_script(place)
    assert (done.returncode, "certificate" in done.stderr) == (60, True), done.stderr  # curl's
    assert modes(place) == {"enroll.sh": 0o700, "root.pem": 0o600, "token": 0o600}
    # And with the right anchors it goes.
    place = line.unpacked(line.made("--root", line.server.root, "--replace", devices="gw-1\n")) / "devices/gw-1"
    enrolled(place)


def test_secrets_stand_in_the_file_alone(line):
    """Not on command lines, in what the verb prints, in the log or in the store."""
    shims = line.folder / "shims"
    shims.mkdir()
    for tool in ("curl", "openssl"):
        (shims / tool).write_text(f'#!/bin/sh\nprintf \'%s\\n\' "$@" >> {shims}/words\nexec {shutil.which(tool)} "$@"\n')
        (shims / tool).chmod(0o755)
    done = line.verb("--json", devices="gw-1\ngw-2\n")
    folder = line.unpacked(line.folder / "batch.tar")
    tokens = [(folder / f"devices/{name}/token").read_text().strip() for name in ("gw-1", "gw-2")]
    assert all(re.fullmatch("[0-9A-F]{32}", token) for token in tokens)
    ran = subprocess.run(["sh", folder / "devices/gw-1/enroll.sh"], text=True, capture_output=True, check=False, timeout=300, stdin=subprocess.DEVNULL,
                         env=environment(PATH=f"{shims}:{environment()['PATH']}"))
    assert ran.returncode == 0, ran.stderr
    words = (shims / "words").read_text()
    assert "simpleenroll" in words and "gw-1" in words
    readable = [done.stdout, done.stderr, ran.stdout, ran.stderr, words, line.server.log_tail()]
    readable += [(folder / name).read_text() for name in ("README.txt", "devices.csv", "endpoint.json", "devices/gw-1/enroll.sh")]
    stored = [path.read_bytes() for path in line.server.data.rglob("*") if path.is_file()]
    for token in tokens:
        assert not any(token in text for text in readable)
        assert not any(token.encode() in octets for octets in stored)


LISTS = {
    "empty": ("", "cannot read"),
    "comments": ("\n# none\n", "there is no device in it"),
    "names": ("gw-1\n../gw-2\n\ngw 3\nGW-1\n-x\n" + "y" * 65 + "\n",
              ("line 2: ../gw-2: a device name begins with a letter or a digit", "line 4: gw 3: a device name has letters, digits and . _ - : alone",
               "line 5: GW-1: the name stands on line 1 already", "line 6: -x: ", "line 7: ", "nothing was minted or written")),
    "many": ("".join(f"x {n}\n" for n in range(30)), ("line 20: x 19: ", "and 10 more")),
    "too many": ("".join(f"gw-{n}\n" for n in range(5001)), "5001 devices; a batch is one commit, of at most 5000: make several"),
}


@pytest.mark.parametrize("case", LISTS)
def test_a_list_with_an_error_mints_nothing(line, case):
    devices, why = LISTS[case]
    line.refused(why, devices=devices)


TABLES = {
    "columns": ("serial\n4711\n", "unknown column serial; known are device, subject, sans"),
    "no device": ("subject\nCN=a\n", "the first line has no column device"),
    "cells": ("device,subject\ngw-1,CN=gateway 1,O=Example\n", "line 2: more cells than columns; a subject with a comma stands in quotes"),
    "subject": ("device,subject\ngw-1,CN=a+O=b\n", "line 2: gw-1: subject: one attribute each"),
    "attribute": ("device,subject\ngw-1,1.2.3.4=a\n", "line 2: gw-1: subject: enroll.sh cannot ask for attribute 1.2.3.4"),
    "name": ("device,sans\ngw-1,dns:gw-1.batch.example.com\ngw-2,upn:a@b\n", "line 3: gw-2: names: enroll.sh cannot ask for upn:a@b"),
    "scope": ("device,sans\ngw-1,dns:gw-1.batch.example.com\n\ngw-2,dns:www.elsewhere.example\ngw-3,dns:www.elsewhere.test\n", ("line 4: gw-2: ", "line 5: gw-3: ", "nothing was minted")),
    "twins": ("device,subject\ngw-1,CN=same\ngw-2,CN=same\n", "line 3: gw-2: its subject and names are those of device 1 of the batch"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_with_an_error_mints_nothing(line, case):
    table, why = TABLES[case]
    line.refused(why, table=table)


OPTIONS = {
    "ttl": (("--ttl", "31d"), "gives at most 30d"),
    "no ttl": (("--ttl", "soon"), "expected a duration"),
    "no key type": (("--key", "dsa-1024"), "no key type; known: ec-p256"),
    "key type": (("--key", "ec-p384"), "profile batch takes no key of type ec-p384"),
    "profile": (("--profile", "nowhere"), "give no profile nowhere"),
    "binding": (("--profile", "batch-bound"), "no script with curl can make"),
    "twins": (("--subject", "CN=the same"), "its subject and names are those of device 1"),
    "root": (("--root", "/dev/null"), "/dev/null"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_that_do_not_go(line, case):
    options, why = OPTIONS[case]
    line.refused(why, *options, devices="gw-1\ngw-2\n")


def test_a_client_of_ones_own_may_bind_its_requests(line):
    """What a script cannot do a table is made for."""
    assert len(table_of(line.made("--profile", "batch-bound", devices="gw-1\n", out="bound.csv"))) == 1


@pytest.mark.parametrize(("out", "why"), [("batch", "expected FILE.tar"), ("batch.zip", "or FILE.csv"), ("nowhere/batch.tar", "cannot create"), (".tar", "begins with neither")])
def test_files_that_cannot_be(line, out, why):
    line.refused(why, devices="gw-1\n", out=out)


def test_no_file_is_written_over_unless_that_is_said(line):
    (line.folder / "batch.csv").write_text("mine")
    line.refused("batch.csv exists", devices="gw-1\n", out="batch.csv")
    assert (line.folder / "batch.csv").read_text() == "mine"
    (line.folder / "folder.csv").mkdir()
    line.refused("exists and is no file", "--replace", devices="gw-1\n", out="folder.csv")
    (line.folder / "batch.csv").chmod(0o644)
    file = line.made("--replace", devices="gw-1\n", out="batch.csv")
    assert len(table_of(file)) == 1 and file.stat().st_mode & 0o777 == 0o600


def test_tokens_that_cannot_be_written_are_withdrawn(line):
    """A disk that is full, as far as the verb can see."""

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = line.verb(devices="".join(f"gw-{n}\n" for n in range(20)), preexec_fn=small_files)
    assert (done.returncode, "the tokens were withdrawn\n" in done.stderr, "cannot write" in done.stderr) == (1, True, True), done.stderr
    assert not [path for path in line.folder.iterdir() if path.name.startswith("batch.tar")]
    assert [row["state"] for row in line.tokens().values()] == ["withdrawn"] * 20


def test_a_whole_batch_is_withdrawn_by_its_ids(line):
    ids = [row["id"] for row in table_of(line.made(devices="gw-1\ngw-2\ngw-3\n", out="batch.csv"))]
    line.server.cli("est", "token", "withdraw", line.name, ids[1])
    done = line.server.verb("est", "token", "withdraw", line.name, *ids, "--data", line.server.data)
    assert (done.returncode, done.stdout) == (1, f"Withdrawn {ids[0]}.\nWithdrawn {ids[2]}.\n")
    assert f"challenge {ids[1]} was used or withdrawn before" in done.stderr
    assert {row["state"] for row in line.tokens().values()} == {"withdrawn"}


@pytest.mark.parametrize(("role", "tenant", "why"), [
    ("enroller", "default", None), ("officer", None, None),
    ("auditor", "default", "is auditor; this needs officer"), ("enroller", "strangers", "there is no EST endpoint"),
])
def test_who_may_mint_a_batch(line, role, tenant, why):
    if tenant == "strangers":
        document = line.folder / "strangers.toml"
        document.write_text('[[tenant]]\nname = "strangers"\n')
        line.server.apply(document)
    options = line.elsewhere(role, tenant)
    if why:
        line.refused((why, "nothing was minted"), *options, devices="gw-1\n")
        return
    enrolled(line.unpacked(line.made(*options, devices="gw-1\n")) / "devices/gw-1")


def test_the_page_shows_what_works(line):
    """docs/protocols/est.md: the commands of "A batch of devices", with its list and its table."""
    page = (Path(__file__).resolve().parents[2] / "docs/protocols/est.md").read_text(encoding="utf-8")
    section = re.search(r"^## A batch of devices$(.*?)^## ", page, re.MULTILINE | re.DOTALL)[1].replace("example.com", "batch.example.com")
    blocks = re.findall(r"^```\w*\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    (line.folder / "serials.txt").write_text(blocks[0])
    (line.folder / "devices.csv").write_text(next(block for block in blocks if block.startswith("device,")))
    commands = [words for block in blocks for words in block.replace("\\\n", " ").splitlines() if words.startswith("postern est enroll-bundle ")]
    assert len(commands) == 3
    for command in commands:
        words = [line.name if word == "gateways" else word for word in shlex.split(command)[1:]]
        done = subprocess.run([os.environ["POSTERN"], *words, "--data", line.server.data], cwd=line.folder, text=True, capture_output=True, check=False, timeout=600,
                              stdin=subprocess.DEVNULL, env=environment())
        assert done.returncode == 0, done.stderr
        out = line.folder / words[words.index("--out") + 1]
        if out.suffix == ".tar":
            for place in sorted((line.unpacked(out) / "devices").iterdir()):
                enrolled(place)


@pytest.mark.parametrize("count", [1000, 2500])
def test_a_fleet_is_one_batch(line, count):
    names = [f"gw-{n:05}" for n in range(count)]
    folder = line.unpacked(line.made("--san", "dns:{}.batch.example.com", devices="\n".join(names)))
    assert sorted(path.name for path in (folder / "devices").iterdir()) == names
    tokens = {(folder / "devices" / name / "token").read_text() for name in names}
    rows = table_of(folder / "devices.csv")
    assert len(tokens) == count and [row["device"] for row in rows] == names
    listed = line.tokens()
    assert len(listed) == count and {row["id"] for row in rows} == set(listed)
    assert {listed[row["id"]]["subject"][0] for row in rows} == {f"CN={name}" for name in names}
    some = [folder / "devices" / name for name in names[:: count // 8]]
    with ThreadPoolExecutor(4) as pool:
        assert len({certificate.serial_number for certificate in pool.map(enrolled, some)}) == len(some)


@pytest.mark.skipif(node_count() > 1, reason="one server is killed")
@pytest.mark.parametrize("killed", ["server", "verb"])
def test_a_kill_leaves_all_or_none(own_server, tmp_path, killed):  # noqa: F811
    line = Line(own_server, tmp_path, "killed")
    devices = tmp_path / "devices"
    devices.write_text("".join(f"gw-{n}\n" for n in range(2500)))
    for attempt, pause in enumerate((0, 0.02, 0.05, 0.1, 0.2, 0.4)):
        out = tmp_path / f"batch-{attempt}.csv"
        verb = subprocess.Popen([os.environ["POSTERN"], "est", "enroll-bundle", "killed", "--devices", devices, "--out", out, "--data", own_server.data],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment())
        while verb.poll() is None and not list(tmp_path.glob(f"batch-{attempt}.csv*")):
            time.sleep(0.001)  # until it is about to ask
        time.sleep(pause)
        (own_server if killed == "server" else verb).kill()
        said = verb.communicate(timeout=120)[1]
        if killed == "server":
            own_server.start()
            assert verb.returncode == 0 or "nothing was written" in said, said
        # Whenever that commit comes, it is one.
        tokens = line.tokens()
        assert len(tokens) % 2500 == 0
        assert out.exists() or verb.returncode != 0
        if out.exists():
            assert [row["device"] for row in table_of(out)] == [f"gw-{n}" for n in range(2500)]
            assert all(row["id"] in tokens for row in table_of(out))
