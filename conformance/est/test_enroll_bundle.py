"""`est enroll-bundle`: what is in the archive enrolls each device once, for its own names alone."""
import csv
import io
import re
import subprocess
import tarfile

import pytest
from cryptography import x509

from harness.environment import environment

DOCUMENT = '''
[[profile]]
name = "batch"
lifetime = "30d"
keys = ["ec-p256", "rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]

[[endpoint]]
name = "batch"
protocol = "est"
profiles = ["batch"]

[[account]]
name = "batch"
endpoint = "batch"
method = "one_time"
names = [".batch.example.com"]
common_names = ["gateway *"]
'''
DEVICES = "subject,sans\r\nCN=gateway 1,dns:g1.batch.example.com dns:g1-b.batch.example.com\r\n\"CN=gateway \\\"\"2\\\"\" a/b\",\r\n"


@pytest.fixture
def bundle(server, tmp_path):
    """Runs the verb on the devices; gives the finished process and the archive."""

    def run(devices, *options):
        document, table, archive = tmp_path / "batch.toml", tmp_path / "devices.csv", tmp_path / "batch.tar"
        document.write_text(DOCUMENT)
        table.write_text(devices)
        server.apply(document)
        return server.verb("est", "enroll-bundle", "batch", "--devices", table, "--out", archive, *options, "--data", server.data), archive

    return run


def unpacked(archive, folder):
    with tarfile.open(archive) as tar:
        assert {member.name: member.mode for member in tar} == {"root.pem": 0o644, "endpoint": 0o644, "enroll.sh": 0o755, "credentials.csv": 0o600}
        tar.extractall(folder)
    return list(csv.DictReader(io.StringIO((folder / "credentials.csv").read_text())))


def enroll(folder, device, token=None):
    """As the device's installer does: the device gets the root, the script and its own line."""
    place = folder / device["id"]
    place.mkdir(exist_ok=True)
    (place / "root.pem").write_bytes((folder / "root.pem").read_bytes())
    names = [device["openssl_sans"]] if device["openssl_sans"] else []
    done = subprocess.run(["sh", folder / "enroll.sh", device["openssl_subject"], *names], cwd=place, input=(token or device["token"]) + "\n", text=True,
                          capture_output=True, check=False, timeout=120, env=environment())
    return done, place


def test_each_device_enrolls_with_its_line(server, bundle, tmp_path):
    done, archive = bundle(DEVICES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert archive.stat().st_mode & 0o777 == 0o600
    folder = tmp_path / "factory"
    devices = unpacked(archive, folder)
    assert len({device["token"] for device in devices}) == 2
    assert (folder / "endpoint").read_text() == f"url {server.est('batch')}\nlabel batch\n"
    subjects = []
    for device in devices:
        done, place = enroll(folder, device)
        assert done.returncode == 0, done.stdout + done.stderr
        certificate = x509.load_pem_x509_certificate((place / "cert.pem").read_bytes())
        subjects.append(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
        checked = subprocess.run(["openssl", "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "cert.pem"], cwd=place, capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert not (place / "est.curl").exists()
    assert subjects == ["gateway 1", 'gateway "2" a/b']


def test_a_token_is_good_for_its_own_device_and_once(bundle, tmp_path):
    done, archive = bundle(DEVICES)
    assert done.returncode == 0, done.stderr
    first, second = unpacked(archive, tmp_path / "factory")
    done, _ = enroll(tmp_path / "factory", first, second["token"])
    assert done.returncode != 0 and "403" in done.stdout, done.stdout
    done, place = enroll(tmp_path / "factory", first)
    assert done.returncode == 0, done.stdout
    certificate = (place / "cert.pem").read_bytes()
    # A lost answer: the same key gets the same certificate.
    done, _ = enroll(tmp_path / "factory", first)
    assert done.returncode == 0 and (place / "cert.pem").read_bytes() == certificate
    (place / "key.pem").unlink()
    done, _ = enroll(tmp_path / "factory", first)
    assert done.returncode != 0 and re.search(r"^40[13] ", done.stdout, re.MULTILINE), done.stdout + done.stderr


@pytest.mark.parametrize(("devices", "why"), [
    ("subject,sans\nCN=gateway 1,dns:g1.batch.example.com\nCN=gateway 2,dns:www.elsewhere.example\n", "device 2: "),
    ("subject,sans\nCN=gateway 1,\n,\n", "device 2: say which subject and names the device asks for"),
    ("serial\n4711\n", "unknown column serial; known are subject and sans"),
    ("subject\nCN=gateway 1,O=Example\n", "line 2: more cells than columns; a subject with a comma stands in quotes"),
    ("subject\n", "there is no device in it"),
    ("subject\nCN=a+O=b\n", "one attribute each"),
    ("subject,sans\nCN=gateway 1,upn:a@b\n", "enroll.sh asks for dns:, ip:, email: and uri: names"),
])
def test_a_batch_with_an_error_mints_nothing(server, bundle, devices, why):
    bundle("subject\nCN=gateway 1\n")
    before = server.cli("est", "token", "list", "batch")
    done, archive = bundle(devices)
    assert done.returncode == 1 and why in done.stderr, done.stdout + done.stderr
    assert server.cli("est", "token", "list", "batch") == before
