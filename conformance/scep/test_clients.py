"""Clients that nobody here wrote: strongSwan's pki and certmonger's helper."""
import subprocess

import pytest
from harness import pki
from harness.environment import environment


class StrongSwan:
    """One installation of `pki`; files are in its folder."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder

    def run(self, *arguments, output=None):
        """The finished process; its standard output goes to the file `output`."""
        done = subprocess.run(["pki", *map(str, arguments)], cwd=self.folder, capture_output=True, check=False, timeout=120,
                              stdin=subprocess.DEVNULL, env=environment())
        if output:
            (self.folder / output).write_bytes(done.stdout)
        return done

    def discover(self):
        done = self.run("--scepca", "--url", self.url, "--caout", "ca.pem", "--raout", "ra.pem", "--outform", "pem", "--force")
        assert done.returncode == 0, done.stderr.decode()
        return self

    def new_key(self, name):
        done = self.run("--gen", "--type", "rsa", "--size", "2048", "--outform", "pem", output=name)
        assert done.returncode == 0, done.stderr.decode()

    def scep(self, output, *arguments):
        return self.run("--scep", "--url", self.url, "--cacert-enc", "ra.pem", "--cacert-sig", "ra.pem", "--cacert", "ca-1.pem",
                        "--cacert", "ca.pem", "--outform", "pem", *arguments, output=output)

    def words(self, done):
        """Without what its plugins say of themselves."""
        return "\n".join(line for line in done.stderr.decode().splitlines() if not line.startswith(("plugin", "TPM")))


@pytest.fixture
def strongswan(server, codes, tmp_path):
    client = StrongSwan(server.scep("phones"), tmp_path).discover()
    client.new_key("key.pem")
    return client


def enroll(client, name, code, output="cert.pem", key="key.pem"):
    return client.scep(output, "--in", key, "--dn", f"CN={name}", "--password", code)


def test_strongswan_enrolls_and_the_certificate_verifies(strongswan, server, codes, name, tmp_path):
    done = enroll(strongswan, name, codes["phones"])
    assert done.returncode == 0, strongswan.words(done)
    assert "Issued certificate is trusted" in strongswan.words(done)
    holds, said = pki.verify(tmp_path / "cert.pem", tmp_path / "ca-1.pem", server.root, tmp_path)
    assert holds, said


def test_strongswan_asks_again_and_gets_the_same(strongswan, codes, name, tmp_path):
    for output in ("first.pem", "second.pem"):
        assert enroll(strongswan, name, codes["phones"], output).returncode == 0
    assert (tmp_path / "first.pem").read_text() == (tmp_path / "second.pem").read_text()


def test_strongswan_renews_with_a_new_key(strongswan, codes, name, tmp_path):
    assert enroll(strongswan, name, codes["phones"]).returncode == 0
    strongswan.new_key("next.pem")
    done = strongswan.scep("renewed.pem", "--in", "next.pem", "--dn", f"CN={name}", "--cert", "cert.pem", "--key", "key.pem")
    assert done.returncode == 0, strongswan.words(done)
    assert pki.serial(tmp_path / "renewed.pem") != pki.serial(tmp_path / "cert.pem")


def test_strongswan_reads_why_not(strongswan, codes, name):
    wrong = enroll(strongswan, name, codes["phones"][::-1])
    assert wrong.returncode != 0
    assert "badRequest" in strongswan.words(wrong)
    boss = enroll(strongswan, "boss", codes["phones"])
    assert boss.returncode != 0
    assert "badRequest" in strongswan.words(boss)


@pytest.mark.parametrize("option", [("--digest", "sha1"), ("--cipher", "des3")], ids=["sha1", "3des"])
def test_strongswan_sees_that_old_algorithms_are_not_offered(strongswan, codes, name, option):
    done = strongswan.scep("none.pem", "--in", "key.pem", "--dn", f"CN={name}", "--password", codes["phones"], *option)
    assert done.returncode != 0
    assert "not supported by CA" in strongswan.words(done) or "badAlg" in strongswan.words(done)


def submit(server, *arguments):
    return subprocess.run(["/usr/lib/certmonger/scep-submit", "-u", server.scep("phones"), *map(str, arguments)], text=True, capture_output=True,
                          check=False, timeout=120, stdin=subprocess.DEVNULL, env=environment())


def test_certmonger_reads_the_capabilities(server, codes):
    done = submit(server, "-c")
    assert done.returncode == 0, done.stderr
    assert {"AES", "SHA-256", "POSTPKIOperation", "Renewal", "SCEPStandard"} <= set(done.stdout.split())


def test_certmonger_finds_the_certificates(server, codes):
    done = submit(server, "-C")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("BEGIN CERTIFICATE") == 3
