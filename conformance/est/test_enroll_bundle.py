"""`est enroll-bundle`: what a batch of devices gets enrolls each of them once, for its own names alone."""
import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509

from bundle import Line, enrolled, line, modes, run_script, spki_of, table_of, wrong_root  # noqa: F401  (and a fixture)
from harness.environment import environment
from harness.suite import node_count, own_server  # noqa: F401  (a fixture)
from test_approval import waiting


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


EDGES = {
    "common name": "CN=" + "é" * 64,
    "organization": "CN=gw,O=" + "o" * 64,
    "state": "CN=gw,ST=" + "s" * 128,
    "serial number": "CN=gw,serialNumber=" + "9" * 64,
    "country": "CN=gw,C=zz",
    "mail": "CN=gw,E=" + "a" * 116 + "@example.com",
}


@pytest.mark.parametrize("case", EDGES)
def test_what_is_not_refused_openssl_can_ask_for(line, case):
    """At each bound. What the certificate has of it the profile says."""
    place = line.unpacked(line.made(table=f'device,subject\ngw-1,"{EDGES[case]}"\n')) / "devices/gw-1"
    enrolled(place)


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
