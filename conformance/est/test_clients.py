"""One case a client, operation and option: curl with openssl, wget, strongSwan's pki, BouncyCastle, and what Azure's devices do."""
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.row_table import row
from programs import BouncyCastle, Curl, StrongSwan, Wget
from strict.probe import Endpoint, Probe, Target


# ---- curl

@pytest.fixture
def curl(server, tmp_path):
    return Curl(server, tmp_path)


def curl_enroll(curl, server, fleet, name, kind="ec", form="PEM", tls="1.3", endpoint="fleet"):
    """A certificate in cert.pem, of key.pem."""
    curl.new_key(kind)
    status, text = curl.post(server.est(endpoint) + "/simpleenroll", curl.request(name, form=form), "-u", fleet[endpoint], *version(tls))
    assert status == 200, text
    curl.unpack("answer")
    assert curl.subject() == f"CN={name}"


def version(tls):
    return ("--tlsv1." + tls[-1], "--tls-max", tls)


def test_curl_cacerts(curl, server, fleet):
    for base in (server.est("fleet"), server.est("fleet").rsplit("/", 1)[0]):  # the second by the host's default endpoint
        status, _ = curl.ask(base + "/cacerts")
        assert status == 200
        curl.unpack("answer", "ca.pem")
        assert (curl.folder / "ca.pem").read_text().count("BEGIN CERTIFICATE") >= 2


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize("form", ["PEM", "base64", "lines"])
def test_curl_enrolls(curl, server, fleet, name, form, kind, tls):
    curl_enroll(curl, server, fleet, name, kind, form, tls)
    status, _ = curl.ask(server.est("fleet") + "/cacerts", output="ca")
    curl.unpack("ca", "ca.pem")
    curl.good("openssl", "verify", "-x509_strict", "-CAfile", server.root, "-untrusted", "ca.pem", "cert.pem")
    with_key = curl.good("openssl", "pkey", "-in", "key.pem", "-pubout").stdout
    assert curl.public_key("cert.pem") == with_key


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_curl_renews_by_certificate(curl, server, fleet, name, kind, tls):
    curl_enroll(curl, server, fleet, name, kind)
    curl.new_key(kind, "next.pem")
    status, text = curl.post(server.est("fleet") + "/simplereenroll", curl.request(name, "next.pem"), "--cert", "cert.pem", "--key", "key.pem", *version(tls))
    assert status == 200, text
    curl.unpack("answer", "renewed.pem")
    assert curl.serial("renewed.pem") != curl.serial() and curl.subject("renewed.pem") == curl.subject()


def test_curl_renews_by_certificate_and_password(curl, server, fleet, name):
    curl_enroll(curl, server, fleet, name)
    status, text = curl.post(server.est("fleet") + "/simplereenroll", curl.request(name), "--cert", "cert.pem", "--key", "key.pem", "-u", fleet["fleet"])
    assert status == 200, text
    status, text = curl.post(server.est("fleet") + "/simplereenroll", curl.request(name), "--cert", "cert.pem", "--key", "key.pem", "-u", "fleet:wrong")
    assert status == 401 and text.startswith("401 credential.known: ")


def test_curl_negotiates_the_password(curl, server, fleet, name):
    """--anyauth sends nothing until a 401 says what is understood."""
    curl.new_key()
    status, text = curl.post(server.est("fleet") + "/simpleenroll", curl.request(name), "--anyauth", "-u", fleet["fleet"])
    assert status == 200, text


@row("E01")
def test_curl_reads_why_not(curl, server, fleet, name):
    curl.new_key()
    body = curl.request(name)
    for options, expected in (((), 401), (("-u", "fleet:wrong"), 401), (("-u", "nobody:x"), 401)):
        status, text = curl.post(server.est("fleet") + "/simpleenroll", body, *options)
        assert status == expected and re.fullmatch(r"401 credential\.known: [^\n]+ \(ref [a-z0-9]+\)\n", text), text
    assert [each for each in server.all_certificates() if each["subject"] == f"CN={name}"] == []


@row("E08")
@pytest.mark.parametrize("scheme", ["--digest", "--ntlm", "--negotiate"])
def test_curl_is_not_offered(curl, server, fleet, name, scheme):
    curl.new_key()
    status, text = curl.post(server.est("fleet") + "/simpleenroll", curl.request(name), scheme, "-u", fleet["fleet"])
    assert status == 401, text


@row("E02")
def test_curl_finds_no_est_over_http(curl, server, fleet, name):
    curl.new_key()
    body = curl.request(name)
    for base in (server.scep("devices").rsplit("/scep/", 1)[0], server.directory().rsplit("/acme/", 1)[0]):
        for path in ("/.well-known/est/fleet", "/.well-known/est", "/est/fleet/.well-known/est"):
            status, _ = curl.post(f"{base}{path}/simpleenroll", body, "-u", fleet["fleet"])
            assert status == 404, base + path


def test_curl_with_a_foreign_certificate(curl, server, fleet, name):
    """From another CA: cacerts as for everybody, and no certificate, with a good password neither."""
    curl.new_key()
    curl.good("openssl", "req", "-x509", "-new", "-key", "key.pem", "-subj", f"/CN={name}", "-days", "3", "-out", "foreign.pem")
    assert curl.ask(server.est("fleet") + "/cacerts", "--cert", "foreign.pem", "--key", "key.pem")[0] == 200
    body = curl.request(name)
    for options in ((), ("-u", fleet["fleet"])):
        status, text = curl.post(server.est("fleet") + "/simpleenroll", body, "--cert", "foreign.pem", "--key", "key.pem", *options)
        assert status == 403, text


# ---- wget: GnuTLS

@pytest.fixture
def wget(server, tmp_path):
    if not shutil.which("wget"):
        pytest.skip("wget is not installed")
    return Wget(server, tmp_path)


@pytest.mark.parametrize("how", ["at-once", "after-401"])
def test_wget_enrolls_and_renews(wget, server, fleet, name, how):
    user, _, password = fleet["fleet"].partition(":")
    wget.new_key()
    options = (f"--user={user}", f"--password={password}", *(("--auth-no-challenge",) if how == "at-once" else ()))
    done = wget.post(server.est("fleet") + "/simpleenroll", wget.request(name, form="base64"), *options)
    assert done.returncode == 0, done.stderr
    assert (b"401 Unauthorized" in done.stderr) == (how == "after-401")
    wget.unpack("answer")
    assert wget.subject() == f"CN={name}"
    done = wget.post(server.est("fleet") + "/simplereenroll", wget.request(name, form="base64"), "--certificate=cert.pem", "--private-key=key.pem")
    assert done.returncode == 0, done.stderr
    wget.unpack("answer", "renewed.pem")
    assert wget.serial("renewed.pem") != wget.serial()


# ---- strongSwan

def equipment(server):
    """"user:password" of the label-less endpoint, which the first start made."""
    text = (Path(server.data) / "first-account").read_text()
    block = text.partition("equipment")[2]
    return ":".join(re.search(rf'^{key} = "(.+)"$', block, re.M)[1] for key in ("user", "password"))


@pytest.fixture(params=["label-less", "labelled"])
def strongswan(request, server, fleet, tmp_path):
    """With its user:password."""
    if request.param == "labelled":
        return StrongSwan(server, tmp_path, "fleet"), fleet["fleet"]
    if hasattr(server, "nodes"):
        pytest.skip("which node's first start made the account is not asked")
    return StrongSwan(server, tmp_path), equipment(server)


def test_strongswan_cacerts(strongswan, server):
    client, _ = strongswan
    done = client.pki("--estca", "--url", client.url, "--cacert", server.root, "--caout", "ca.pem", "--outform", "pem")
    assert done.returncode == 0, client.words(done)
    assert list(client.folder.glob("ca*.pem"))
    assert "Root CA" in client.words(done), client.words(done)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_strongswan_enrolls_and_renews(strongswan, name, kind):
    client, user = strongswan
    client.new_key(kind)
    done = client.est(client.request(name), "--userpass", user)
    assert done.returncode == 0, client.words(done)
    assert client.subject() == f"CN={name}"
    client.new_key(kind, "next.pem")
    done = client.est(client.request(name, "next.pem"), "--cert", "cert.pem", "--key", "key.pem", output="renewed.pem")
    assert done.returncode == 0, client.words(done)
    assert client.serial("renewed.pem") != client.serial() and client.subject("renewed.pem") == f"CN={name}"


def test_strongswan_is_refused(strongswan, server, name):
    client, user = strongswan
    client.new_key()
    done = client.est(client.request(name), "--userpass", user + "x", output="none.pem")
    assert done.returncode != 0 and "401" in client.words(done), client.words(done)
    done = client.est(client.request(name), "--userpass", user)
    assert done.returncode == 0, client.words(done)
    done = client.est(client.request(name + "-x"), "--cert", "cert.pem", "--key", "key.pem", output="none.pem")
    assert done.returncode != 0 and "403" in client.words(done), client.words(done)
    assert [each for each in server.all_certificates() if each["subject"] == f"CN={name}-x"] == []


# ---- BouncyCastle

@pytest.fixture
def bouncy_castle(server, classes, tmp_path):
    return BouncyCastle(server, tmp_path, classes)


def credentials(user):
    name, _, password = user.partition(":")
    return f"user={name}", f"password={password}"


@pytest.mark.parametrize("tls, kind", [("TLSv1.2", "EC"), ("TLSv1.3", "RSA")])
def test_bouncycastle_enrolls_and_renews(bouncy_castle, server, fleet, name, tls, kind):
    """Its POST goes out without a password first; the 401 says Basic."""
    status, said = bouncy_castle.ask("enroll", "fleet", f"subject=CN={name}", f"key={kind}", f"tls={tls}", "out=device.p12", *credentials(fleet["fleet"]))
    assert (status, said.get("certificates"), said.get("subject")) == (0, "1", f"CN={name}"), said
    status, again = bouncy_castle.ask("reenroll", "fleet", f"subject=CN={name}", f"key={kind}", f"tls={tls}", "identity=device.p12")
    assert status == 0 and again["serial"] != said["serial"], again
    status, said = bouncy_castle.ask("reenroll", "fleet", f"subject=CN={name}x", f"key={kind}", f"tls={tls}", "identity=device.p12")
    assert (status, said["status"]) == (3, "403"), said


def test_bouncycastle_cacerts_and_csrattrs(bouncy_castle, server, fleet):
    status, said = bouncy_castle.ask("cacerts", "fleet")
    assert status == 0 and any("Root" in each for each in said["subjects"]), said
    status, said = bouncy_castle.ask("csrattrs", "fleet-bound")
    assert status == 0 and "1.2.840.113549.1.9.7" in said["askss"], said


@row("E05")
def test_bouncycastle_links_identity_and_proof(bouncy_castle, server, fleet, name):
    """tls-unique, where the profile requires it, and the refusal without."""
    status, said = bouncy_castle.ask("enroll", "fleet-bound", f"subject=CN={name}", "tls=TLSv1.2", *credentials(fleet["fleet-bound"]))
    assert (status, said["status"]) == (3, "400"), said
    status, said = bouncy_castle.ask("pop", "fleet-bound", f"subject=CN={name}", "tls=TLSv1.2", *credentials(fleet["fleet-bound"]))
    assert (status, said.get("subject")) == (0, f"CN={name}"), said


def test_bouncycastle_is_made_a_key(bouncy_castle, server, fleet, name):
    status, said = bouncy_castle.ask("serverkeygen", "fleet-keys", f"subject=CN={name}", *credentials(fleet["fleet-keys"]))
    assert (status, said.get("certificates")) == (0, "1") and said["keys"], said


# ---- Azure iot-identity-service

def test_azure_enrolls_and_asks_for_the_chain_at_once(server, fleet, name):
    """simpleenroll and cacerts in parallel, Basic on both, only 200 will do; renewal by simpleenroll with the certificate and the password."""
    place = Endpoint(server.est("fleet"), fleet["fleet"])
    with Probe(Target(place, str(server.root)), name) as device:
        key = device.key("rsa2048")
        from strict.probe import basic, certificates
        header = ("Authorization", basic(place.user))
        with ThreadPoolExecutor(2) as pool:
            for identity in (None, "own"):
                files = own.files if identity else None
                wires = [device.connect(identity=files) for _ in range(2)]
                enrolling = pool.submit(device.enroll, device.csr(key), wire=wires[0])
                asking = pool.submit(device.get, "cacerts", wire=wires[1], headers=[header])
                made = device.certificate(enrolling.result(), key)
                chain = certificates(asking.result())
                assert len(chain) >= 2
                assert identity is None or made.serial_number != own.certificate.serial_number
                own = device.owner(made, key)
