"""`postern cert import`: a hundred thousand certificates, what is wrong among them, and a run that was killed."""
import base64
import json
import signal
import sqlite3
import subprocess
import time
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from harness.environment import environment

CERTIFICATES = 100_000
DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM

DOCUMENT = """
[[profile]]
name = "device"
keys = ["rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]

[[endpoint]]
name = "moved"
protocol = "scep"
profiles = ["device"]

[[account]]
name = "moved"
endpoint = "moved"
method = "access_code"
common_names = ["*"]
secret = {generate = true}
"""


class Press:
    """A CA that issues as fast as it can sign: of one certificate's signed part, serial and name are exchanged."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old CA")]), datetime.utcnow()
        builder = x509.CertificateBuilder().issuer_name(name).public_key(self.key.public_key()).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=99))
        self.certificate = (builder.subject_name(name).serial_number(1).add_extension(x509.BasicConstraints(True, None), True).sign(self.key, hashes.SHA256()))
        self.serial, self.name = b"\x11" * 8, b"device-0000000"
        model = builder.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name.decode())])).serial_number(int.from_bytes(self.serial, "big"))
        self.model = model.sign(self.key, hashes.SHA256())
        whole, self.tbs = self.model.public_bytes(DER), self.model.tbs_certificate_bytes
        signature = self.model.signature
        self.between = whole[whole.index(self.tbs) + len(self.tbs):-len(signature) - 3]  # the algorithm

    def issue(self, number):
        tbs = self.tbs.replace(self.serial, (0x1100000000000000 + number).to_bytes(8, "big")).replace(self.name, b"device-%07d" % number)
        signature = self.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
        content = tbs + self.between + b"\x03" + bytes([len(signature) + 1]) + b"\0" + signature
        return b"\x30\x82" + len(content).to_bytes(2, "big") + content


@pytest.fixture(scope="module")
def press():
    return Press()


@pytest.fixture(scope="module")
def export(press, tmp_path_factory):
    """CSV as EJBCA's database gives it, with three lines that are wrong."""
    path = tmp_path_factory.mktemp("export") / "export.csv"
    with path.open("w") as out:
        out.write("serialNumber,username,base64Cert\n")
        for number in range(CERTIFICATES):
            out.write(f"{number},device-{number},{base64.b64encode(press.issue(number)).decode()}\n")
        out.write("x,nobody,hello!\n")
        out.write(f"y,the CA,{base64.b64encode(press.certificate.public_bytes(DER)).decode()}\n")
        out.write("z,cut\n")
    return path


@pytest.fixture
def server(new_server, press, tmp_path):
    started = new_server()
    started.start()
    document, chain = tmp_path / "moved.toml", tmp_path / "ca.pem"
    document.write_text(DOCUMENT)
    chain.write_bytes(press.certificate.public_bytes(PEM))
    started.apply(document)
    started.cli("ca", "import", "--predecessor", "old", "--cert", chain, "--crl", "http://127.0.0.1:1/ca.crl")
    return started


def command(server, *files):
    return [server.executable, "cert", "import", "--predecessor", "old", "--endpoint", "moved", "--account", "moved", *map(str, files), "--json", "--data", str(server.data)]


def stored(server):
    with sqlite3.connect(f"file:{server.data / 'postern.db'}?mode=ro", uri=True) as database:
        return database.execute("SELECT count(*), count(DISTINCT sha256), count(DISTINCT audit_id) FROM imported_certificate").fetchone()


def bring(server, *files):
    done = subprocess.run(command(server, *files), text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL, env=environment())
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_a_hundred_thousand_and_what_is_wrong_among_them(server, export, capsys):
    begin = time.monotonic()
    status, report = bring(server, export)
    seconds = time.monotonic() - begin
    assert (status, report["added"], report["known"], report["expired"]) == (1, CERTIFICATES, 0, 0)
    assert [(bad["file"], bad["where"]) for bad in sorted(report["bad"], key=lambda bad: bad["where"])] == [(str(export), f"line {CERTIFICATES + n}") for n in (2, 3, 4)]
    assert {bad["why"] for bad in report["bad"]} == {"the column base64Cert is neither PEM, base64, hexadecimal digits nor a hex dump", "nothing in the column base64Cert",
                                                     "it is a CA's certificate, which never renews here"}
    assert stored(server) == (CERTIFICATES, CERTIFICATES, 1)
    begin = time.monotonic()
    status, again = bring(server, export)
    with capsys.disabled():
        print(f"\n{CERTIFICATES} certificates imported in {seconds:.1f} s, found to be known in {time.monotonic() - begin:.1f} s", end=" ")
    assert (again["added"], again["known"], len(again["bad"])) == (0, CERTIFICATES, 3)
    assert stored(server) == (CERTIFICATES, CERTIFICATES, 1)
    listed = server.cli("cert", "list", "--external", "--search", "Device-0012345", "--json").splitlines()
    assert [json.loads(line)["subject"] for line in listed] == ["CN=device-0012345"]


def test_a_run_that_was_killed_goes_on(server, export):
    with subprocess.Popen(command(server, export), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()) as running:
        while stored(server)[0] < 5000:
            assert running.poll() is None, "it was over before it could be killed"
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
    before = stored(server)[0]
    status, report = bring(server, export)
    assert status == 1 and report["known"] >= before and report["added"] + report["known"] == CERTIFICATES
    assert stored(server)[:2] == (CERTIFICATES, CERTIFICATES)


def test_a_server_that_is_stopped_imports_too(server, press, tmp_path):
    server.stop()
    one = tmp_path / "one.der"
    one.write_bytes(press.issue(7))
    assert bring(server, one) == (0, {"added": 1, "known": 0, "expired": 0, "bad": []})


@pytest.mark.parametrize(("arguments", "why"), [
    (("--predecessor", "other"), "there is no predecessor other"),
    (("--endpoint", "default"), "there is no SCEP or EST endpoint default"),
    (("--account", "devices"), "endpoint moved has no account devices"),
    (("--column", "nothing"), "the first line has no column nothing"),
])
def test_what_it_is_for_must_be_known(server, press, tmp_path, arguments, why):
    path = tmp_path / "one.csv"
    path.write_text("cert\n" + base64.b64encode(press.issue(1)).decode() + "\n")
    options = {"--predecessor": "old", "--endpoint": "moved", "--account": "moved", **dict([arguments])}
    done = server.verb("cert", "import", *(word for pair in options.items() for word in pair), path, "--data", server.data)
    assert done.returncode != 0 and why in done.stderr, done.stderr
    assert stored(server)[0] == 0
