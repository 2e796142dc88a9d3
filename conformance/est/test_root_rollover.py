"""A device's life over a new root (RFC 7030 §4.1.3, RFC 4210 §4.4), by curl, openssl and strongSwan's pki, whose clocks follow the laboratory's."""
import base64
import json
import os
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

from harness.server import Postern
from harness.suite import SUFFIX
from harness.waiting import until
from harness.wire import ask
from programs import Curl, StrongSwan

pytestmark = pytest.mark.skipif(not shutil.which("faketime"), reason="needs Debian's package faketime")

DOCUMENT = """
[[profile]]
name = "machine"
lifetime = "90d"
keys = ["ec-p256"]
extended_key_usage = ["clientAuth"]
common_name = "text"

[[endpoint]]
name = "machines"
protocol = "est"
profiles = ["machine"]

[[account]]
name = "machines"
endpoint = "machines"
method = "basic"
common_names = ["*"]
secret = {generate = true}
"""


class Late:
    """What it runs sees the laboratory's time."""
    days = 0

    def run(self, *command, **how):
        before = ("faketime", "-f", f"+{self.days}d") if self.days else ()
        return super().run(*before, *command, **how)


class Device(Late, Curl):
    url = user = None

    def trusts(self, anchors):
        """curl's status for this server's listener."""
        return self.run("curl", "-sS", "--max-time", "60", "--cacert", anchors, "-o", "probe", self.url + "/cacerts").returncode

    def bag(self, anchors):
        """What cacerts shows, and as PEM in bag.pem."""
        status, text = self.ask(self.url + "/cacerts", "--cacert", anchors, output="bag")
        assert status == 200, text
        self.unpack("bag", "bag.pem")
        return load_der_pkcs7_certificates(base64.b64decode((self.folder / "bag").read_bytes()))

    def keep(self, name, *certificates):
        (self.folder / name).write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
        return name

    def certified(self, name, operation, *options):
        """The certificate that it gets, in `name`."""
        status, text = self.post(f"{self.url}/{operation}", self.request("machine-7"), *options)
        assert status == 200, text
        self.unpack("answer", name)
        return x509.load_pem_x509_certificate((self.folder / name).read_bytes())

    def verifies(self, name, anchor, way, *options):
        done = self.run("openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore", *options, "-CAfile", anchor, "-untrusted", way, name)
        return done.returncode == 0, (done.stdout + done.stderr).decode()

    def good_by(self, name, anchor, way="bag.pem", *options):
        held, said = self.verifies(name, anchor, way, *options)
        assert held, said


class LateStrongSwan(Late, StrongSwan):
    pass


def key_id(certificate):
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()


def signer_id(certificate):
    return certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier.hex()


def crl_of(certificate):
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    answer = ask(points[0].full_name[0].value)
    assert answer.status == 200
    return x509.load_der_x509_crl(answer.body)


def in_days(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def world(tmp_path):
    """(the server, a device that trusts its root, which is in old.pem)."""
    folder = tmp_path / "s"  # a socket's path has 107 octets at most
    folder.mkdir()
    server = Postern(os.environ["POSTERN"], folder, SUFFIX)
    server.start()
    try:
        document = tmp_path / "machines.toml"
        document.write_text(DOCUMENT, encoding="utf-8")
        secret = server.apply(document)["machines"]
        device = Device(server, tmp_path)
        device.url, device.user = server.est("machines"), f"{secret['user']}:{secret['password']}"
        device.new_key()
        (tmp_path / "old.pem").write_bytes(Path(server.root).read_bytes())
        yield server, device
    finally:
        server.stop()


def prepare(server, device, days=30):
    """What is shown once the new root is: [issuing CA, the next one, NewWithOld, OldWithNew, new root, old root]."""
    before = device.bag("old.pem")
    made = json.loads(server.cli("ca", "rollover", "--root", "--at", in_days(days), "--json"))
    shown = until(lambda: len(now := device.bag("old.pem")) > len(before) and now, "cacerts lacks the new root")
    assert len(shown) == 6 and shown[0] == before[0] and shown[-1] == before[-1]
    assert key_id(shown[1]) == made["authority"] and key_id(shown[4]) == made["root"]["authority"]
    device.keep("new.pem", shown[4])
    return shown


def test_a_life_over_a_new_root(world):
    server, device = world
    by_password, by_certificate = ("-u", device.user), ("--cert", "first.pem", "--key", "key.pem")
    first = device.certified("first.pem", "simpleenroll", *by_password, "--cacert", "old.pem")
    overlap = prepare(server, device)
    issuing, successor, new_with_old, old_with_new, new, old = overlap

    # RFC 4210 §4.4.
    assert (new_with_old.subject, new_with_old.issuer) == (new.subject, old.subject) and (old_with_new.subject, old_with_new.issuer) == (old.subject, new.subject)
    assert (key_id(new_with_old), signer_id(new_with_old)) == (key_id(new), key_id(old)) and (key_id(old_with_new), signer_id(old_with_new)) == (key_id(old), key_id(new))
    assert (new_with_old.not_valid_before, new_with_old.not_valid_after) == (new.not_valid_before, old.not_valid_after)
    assert (old_with_new.not_valid_before, old_with_new.not_valid_after) == (old.not_valid_before, old.not_valid_after)
    assert new.not_valid_after > old.not_valid_after and new.subject != old.subject
    # RFC 7030 §4.1.3: they are validated by the root that ends last; in the old root's place stands OldWithNew.
    for number, each in enumerate(overlap[:-1]):
        device.good_by(device.keep(f"each-{number}.pem", each), "new.pem")
    # Until its day the listener is under the old root; who took the whole bag for trusted is served before and after.
    device.keep("all.pem", *overlap)
    assert (device.trusts("old.pem"), device.trusts("all.pem"), device.trusts("new.pem")) == (0, 0, 60)
    assert device.certified("early.pem", "simpleenroll", *by_password, "--cacert", "old.pem").issuer == issuing.subject

    server.cli("clock", "advance", "31d")
    device.days = 31
    until(lambda: device.trusts("new.pem") == 0, "the listener's certificate stays under the old root")
    assert (device.trusts("old.pem"), device.trusts("all.pem")) == (0, 0)
    after = device.bag("old.pem")
    assert after[0] == successor and after[-1] == new and set(after) == set(overlap)
    assert device.bag("new.pem") == after

    # One that knows the old root alone renews, and its next certificate is good for both; as its first one is.
    second = device.certified("second.pem", "simplereenroll", *by_certificate, "--cacert", "old.pem")
    assert first.issuer == issuing.subject and second.issuer == successor.subject
    for anchor in ("old.pem", "new.pem"):
        for name in ("first.pem", "second.pem"):
            device.good_by(name, anchor, "bag.pem", "-purpose", "sslclient")
    # That takes what one root says of the other.
    device.keep("mute.pem", issuing, successor, old, new)
    assert not device.verifies("second.pem", "old.pem", "mute.pem")[0] and not device.verifies("first.pem", "new.pem", "mute.pem")[0]
    # The new one alone is enough for a new device.
    assert device.certified("third.pem", "simpleenroll", *by_password, "--cacert", "new.pem").issuer == successor.subject

    # Every CRL on the way is there, and the former hierarchy's lists on.
    lists = [crl_of(each) for each in (first, second, new_with_old, old_with_new)]
    (device.folder / "crls.pem").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in lists))
    for anchor in ("old.pem", "new.pem"):
        for name in ("first.pem", "second.pem"):
            device.good_by(name, anchor, "bag.pem", "-crl_check_all", "-CRLfile", "crls.pem")
    server.cli("cert", "revoke", f"{first.serial_number:032x}")
    revoked = until(lambda: (crl := crl_of(first)).get_revoked_certificate_by_serial_number(first.serial_number) and crl, "the former CA's CRL lacks it")
    (device.folder / "crls.pem").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in (revoked, *lists[1:])))
    held, said = device.verifies("first.pem", "new.pem", "bag.pem", "-crl_check_all", "-CRLfile", "crls.pem")
    assert not held and "certificate revoked" in said, said
    status, text = device.post(device.url + "/simplereenroll", device.request("machine-7"), *by_certificate, "--cacert", "old.pem")
    assert status == 403 and "403 renewal.status: " in text, text


def test_strongswan_over_a_new_root(world, tmp_path):
    server, device = world
    folder = tmp_path / "strongswan"
    folder.mkdir()
    client = LateStrongSwan(server, folder, "machines")
    prepare(server, device)
    for name in ("old.pem", "new.pem"):
        (folder / name).write_bytes((tmp_path / name).read_bytes())

    def takes(anchor, out):
        done = client.pki("--estca", "--url", client.url, "--cacert", anchor, "--caout", out, "--outform", "pem")
        assert done.returncode == 0, client.words(done)
        said = client.words(done)
        for role, number in (("Root", 2), ("Sub", 4)):
            assert said.count(f'{role} CA cert "O=Postern, CN=Postern') == said.count(f"{role} CA cert is ") == number, said
        assert said.count("Sub CA cert is trusted") == 4, said

    def enrolls(anchor):
        client.new_key()
        done = client.pki("--est", "--url", client.url, "--in", client.request("machine-8"), "--cacert", anchor, "--outform", "pem", "--userpass", device.user, output="cert.pem")
        assert done.returncode == 0, client.words(done)
        assert client.subject() == "CN=machine-8"

    takes("old.pem", "before.pem")
    enrolls("old.pem")
    server.cli("clock", "advance", "31d")
    device.days = client.days = 31
    until(lambda: device.trusts("new.pem") == 0, "the listener's certificate stays under the old root")
    for anchor in ("old.pem", "new.pem"):
        takes(anchor, f"after-{anchor}")
        enrolls(anchor)


def test_one_that_is_withdrawn_is_shown_no_more(world):
    server, device = world
    before = device.bag("old.pem")
    shown = prepare(server, device)
    new_with_old = device.keep("new-with-old.pem", shown[2])
    device.good_by(new_with_old, "old.pem")
    gone = json.loads(server.cli("ca", "rollover", "--withdraw", "--json"))
    assert gone == {"authority": key_id(shown[1]), "root": key_id(shown[4])}
    assert until(lambda: (now := device.bag("old.pem")) == before and now, "it is still shown")
    # The root of today lists what it said of it.
    (device.folder / "crl.pem").write_bytes(crl_of(shown[2]).public_bytes(Encoding.PEM))
    held, said = device.verifies(new_with_old, "old.pem", "old.pem", "-crl_check", "-CRLfile", "crl.pem")
    assert not held and "certificate revoked" in said, said
