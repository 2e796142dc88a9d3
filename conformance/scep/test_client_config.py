"""What `endpoint client-config` writes enrolls: with simulated devices that take its values, and with the real clients that its lines name."""
import base64
import hashlib
import json
import os
import plistlib
import re
import shlex
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from harness import pki
from harness.environment import environment
from harness.mobileconfig import signed_content
from harness.scep_device import Device
from harness.scep_reply import SUCCESS
from harness.scep_style import STYLES

PLACEHOLDER = "REPLACE-WITH-THE-ACCESS-CODE"


@pytest.fixture
def configure(server, codes, name, tmp_path):
    """Runs the verb with the access code; gives what it printed and the folder."""

    def run(client, *options, endpoint="phones", code=True):
        folder, secret = tmp_path / "out", tmp_path / "code"
        secret.touch(0o600)
        secret.write_text(codes[endpoint] + "\n")
        given = ("--challenge-file", secret) if code else ()
        return server.cli("endpoint", "client-config", endpoint, "--for", client, "--name", name, "--out", folder, *given, *options), folder

    return run


def thumbprint(der):
    return hashlib.sha1(der).digest()


def enrolls(url, style, subject, challenge, server, **options):
    """With the URL as it stands: what the style would append belongs to it already."""
    device = Device(url, replace(STYLES[style], suffix=""), subject=[("CN", subject)], root=server.root, **options).discover()
    reply = device.enroll(challenge)
    assert reply.status == SUCCESS, reply.text
    return device


# ---- Apple

#: Keys of each payload with their types, and whether they must be there (Apple, "Device Management", Profile-Specific Payload Keys).
COMMON = {"PayloadType": str, "PayloadVersion": int, "PayloadIdentifier": str, "PayloadUUID": str, "PayloadDisplayName": str}
SCEP = {"URL": str, "Name": str, "Subject": list, "Challenge": str, "Keysize": int, "Key Type": str, "Key Usage": int, "CAFingerprint": bytes, "Retries": int,
        "RetryDelay": int}
UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def check_types(payload, keys):
    assert set(keys) <= set(payload)
    for key, kind in keys.items():
        assert type(payload[key]) is kind, key


def test_apple(configure, server, name):
    text, folder = configure("apple")
    profile = plistlib.loads(signed_content(folder / "phones.mobileconfig", server.root))
    assert "phones.mobileconfig" in text
    check_types(profile, {**COMMON, "PayloadContent": list})
    assert (profile["PayloadType"], profile["PayloadVersion"]) == ("Configuration", 1)
    payloads = profile["PayloadContent"]
    assert [p["PayloadType"] for p in payloads] == ["com.apple.security.root", "com.apple.security.pkcs1", "com.apple.security.scep"]
    uuids = [p["PayloadUUID"] for p in (profile, *payloads)]
    assert len(set(uuids)) == len(uuids) and all(UUID.fullmatch(each) for each in uuids)
    for payload in payloads[:2]:
        check_types(payload, {**COMMON, "PayloadContent": bytes, "PayloadCertificateFileName": str})
        x509.load_der_x509_certificate(payload["PayloadContent"])
    check_types(payloads[2], {**COMMON, "PayloadContent": dict})
    scep = payloads[2]["PayloadContent"]
    check_types(scep, SCEP)
    assert set(scep) == set(SCEP)
    [[[attribute, subject]]] = scep["Subject"]
    assert (attribute, subject, scep["Key Type"], scep["Keysize"], scep["Key Usage"]) == ("CN", name, "RSA", 2048, 5)
    device = enrolls(scep["URL"], "apple", subject, scep["Challenge"], server, key_bits=scep["Keysize"])
    tops = [der for der in device.bag if x509.load_der_x509_certificate(der).issuer == x509.load_der_x509_certificate(der).subject]
    assert [thumbprint(der) for der in tops] == [scep["CAFingerprint"]]
    assert tops == [payloads[0]["PayloadContent"]]


def test_apple_profile_replaces_itself(configure):
    first = plistlib.loads((configure("apple", code=False)[1] / "phones.template.mobileconfig").read_bytes())
    second = plistlib.loads((configure("apple", code=False)[1] / "phones.template.mobileconfig").read_bytes())
    assert first == second
    assert first["PayloadContent"][2]["PayloadContent"]["Challenge"] == PLACEHOLDER


# ---- Microsoft

def test_windows(configure, server, name):
    _, folder = configure("windows")
    root = ElementTree.fromstring((folder / "phones.syncml.xml").read_text())
    tag = "{SYNCML:SYNCML1.2}"
    nodes, order = {}, []
    for add in root.iter(tag + "Add"):
        uri, data = add.find(f".//{tag}LocURI").text, add.find(f".//{tag}Data").text
        kind = add.find(f".//{{syncml:metinf}}Format").text
        assert kind in ("chr", "int", "b64") and (kind != "int" or data.isdigit())
        nodes[uri.rsplit("/", 1)[1]] = data
        order.append(uri)
    assert [e.find(f".//{tag}LocURI").text for e in root.iter(tag + "Exec")] == ["./Device/Vendor/MSFT/ClientCertificateInstall/SCEP/phones/Install/Enroll"]
    trusted = {uri.split("/")[-2]: uri.split("/")[-3] for uri in order if uri.endswith("EncodedCertificate")}
    assert sorted(trusted.values()) == ["CA", "Root"]
    assert nodes["SubjectName"] == f"CN={name}"
    assert (nodes["KeyLength"], nodes["HashAlgorithm"], nodes["KeyUsage"], nodes["EKUMapping"]) == ("2048", "SHA-2", "160", "1.3.6.1.5.5.7.3.2")
    device = enrolls(nodes["ServerURL"], "windows", name, nodes["Challenge"], server)
    assert nodes["CAThumbprint"] in trusted
    assert thumbprint(device.issuer).hex().upper() == nodes["CAThumbprint"]


def test_intune(configure, server, codes, name):
    text, folder = configure("intune", code=False)
    values = json.loads(configure("intune", "--json", code=False)[0])["values"]
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(files) == {"root.cer", "issuing-ca.cer"}
    device = enrolls(values["SCEP Server URLs (Windows)"] + "/pkiclient.exe", "windows", name, codes["phones"], server)
    assert thumbprint(device.issuer) == thumbprint(files["issuing-ca.cer"])
    assert thumbprint(files["issuing-ca.cer"]).hex().upper() in values["Root certificate (Windows)"]
    assert thumbprint(files["root.cer"]).hex().upper() in values["Root certificate (Android, iOS, iPadOS, macOS)"]
    enrolls(values["SCEP Server URLs (Android, iOS, iPadOS, macOS)"], "android", name + "-a"[:64 - len(name)], codes["phones"], server)
    assert values["Key usage"] == "Digital signature, Key encipherment" and values["Hash algorithm"] == "SHA-2"
    assert all(value in text for value in values.values())


# ---- routers and Unix

def test_cisco(configure, server, codes, name):
    text, _ = configure("cisco", endpoint="old")
    lines = dict(re.findall(r"^ (enrollment url|fingerprint|subject-name|password|hash) (.*)$", text, re.M))
    assert re.search(r"^crypto key generate rsa modulus 2048 label (\S+)$", text, re.M)[1] == re.search(r"^crypto pki trustpoint (\S+)$", text, re.M)[1]
    assert lines["subject-name"] == f"CN={name}" and lines["hash"] == "sha256" and "It has both." in text
    device = Device(lines["enrollment url"], replace(STYLES["cisco"], suffix=""), subject=[("CN", name)]).discover()
    reply = device.ask(device.enroll_message(lines["password"], leaf_only=False))
    assert reply.status == SUCCESS, reply.text
    assert thumbprint(device.issuer).hex().upper() == lines["fingerprint"]
    assert "It has not." in configure("cisco")[0]


def run_lines(text, folder, variables=None):
    """As somebody who pastes them."""
    return subprocess.run(["sh", "-e", "-c", text], cwd=folder, text=True, capture_output=True, check=False, timeout=180, stdin=subprocess.DEVNULL,
                          env={**environment(), **(variables or {})})


def test_strongswan_runs_the_lines(configure, server, name):
    text, folder = configure("strongswan")
    done = run_lines(text, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    holds, said = pki.verify(folder / "cert.pem", folder / "issuing-ca.pem", server.root, folder)
    assert holds, said
    # Those that renew are comments until then.
    done = run_lines("\n".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# pki")), folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert pki.serial(folder / "renewed.pem") != pki.serial(folder / "cert.pem")


@pytest.fixture
def bus(tmp_path):
    """A message bus of its own, with a certmonger on it; gives the variables by which getcert finds both."""
    home, run = tmp_path / "home", tmp_path / "run"
    (home / ".config/certmonger").mkdir(parents=True)
    run.mkdir(mode=0o700)
    daemon = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    address = daemon.stdout.readline().strip()
    variables = {"HOME": str(home), "XDG_RUNTIME_DIR": str(run), "DBUS_SESSION_BUS_ADDRESS": address, "DBUS_SYSTEM_BUS_ADDRESS": address}
    certmonger = subprocess.Popen(["/usr/lib/certmonger/certmonger-session", "-n"], env={**environment(), **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while subprocess.run(["getcert", "list-cas"], env={**environment(), **variables}, capture_output=True, check=False).returncode != 0:
            assert time.monotonic() < until and certmonger.poll() is None, "certmonger does not come up"
            time.sleep(0.1)
        yield variables
    finally:
        for process in (certmonger, daemon):
            process.terminate()
            process.wait(30)
        daemon.stdout.close()


def test_certmonger_runs_the_lines_on_a_private_bus(configure, server, name, bus):
    text, folder = configure("certmonger")
    done = run_lines(text, folder, bus)
    said = subprocess.run(["getcert", "list"], env={**environment(), **bus}, text=True, capture_output=True, check=False).stdout
    assert done.returncode == 0, done.stdout + done.stderr + said
    assert "status: MONITORING" in said and f"subject: CN={name}" in said, said
    holds, why = pki.verify(folder / "cert.pem", folder / "issuing-ca.pem", server.root, folder)
    assert holds, why


# ---- ACME

@pytest.mark.parametrize("client", ["certbot", "lego", "caddy", "cert-manager"])
def test_acme_clients_are_told_the_directory_and_the_root(server, tmp_path, client):
    text = server.cli("endpoint", "client-config", "default", "--for", client, "--name", "www.conformance.test", "--out", tmp_path / client)
    assert server.directory() in text
    assert (tmp_path / client / "root.pem").read_text() == open(server.root).read()
    if client == "cert-manager":
        [bundle] = re.findall(r"caBundle: (\S+)", text)
        assert base64.b64decode(bundle).decode() == open(server.root).read()


# ---- refusals

@pytest.mark.parametrize(("endpoint", "client", "why"), [
    ("phones", "certbot", "--for takes: apple, intune, windows, cisco, strongswan, certmonger"),
    ("default", "apple", "--for takes: certbot, lego, caddy, cert-manager"),
    ("nowhere", "apple", "there is no endpoint nowhere"),
    ("phones", "nokia", "expected one of apple"),
])
def test_what_does_not_go_together(server, codes, endpoint, client, why):
    done = server.verb("endpoint", "client-config", endpoint, "--for", client, "--data", server.data)
    assert done.returncode == 1
    assert why in done.stderr


@pytest.mark.parametrize("client", ["certbot", "lego", "caddy", "cert-manager"])
@pytest.mark.parametrize("asked", ["a b", "-x", "$HOME", "{", "www.conformance.test -d other.test", "*.conformance.test", "a..b"])
def test_acme_lines_hold_a_host_name_and_nothing_else(server, client, asked):
    done = server.verb("endpoint", "client-config", "default", "--for", client, f"--name={asked}", "--data", server.data)
    assert (done.returncode, done.stdout) == (1, "")
    assert "expected a DNS name or an address" in done.stderr


def test_a_code_that_ios_takes_for_a_question(server, codes, tmp_path):
    code = tmp_path / "code"
    code.touch(0o600)
    code.write_text("what?")
    done = server.verb("endpoint", "client-config", "phones", "--for", "cisco", "--challenge-file", code, "--data", server.data)
    assert done.returncode == 1 and "asks IOS for help" in done.stderr


@pytest.mark.parametrize("client", ["strongswan", "certmonger", "windows", "apple"])
def test_a_code_that_shells_and_xml_take_for_more(server, codes, tmp_path, client):
    """It comes back as it was given, through a shell's words and an XML reader."""
    wild = """a'b"c`id`$(id)&amp;<x>]]>\\!"""
    code = tmp_path / "code"
    code.touch(0o600)
    code.write_text(wild)
    text = server.cli("endpoint", "client-config", "phones", "--for", client, "--name", "phone-wild", "--challenge-file", code, "--out", tmp_path / "out")
    if client in ("strongswan", "certmonger"):
        option = "--password" if client == "strongswan" else "-L"
        words = [shlex.split(line) for line in text.splitlines() if option in line and not line.startswith("#")]
        assert [line[line.index(option) + 1] for line in words] == [wild]
    elif client == "windows":
        tree = ElementTree.fromstring((tmp_path / "out/phones.syncml.xml").read_text())
        assert wild in [element.text for element in tree.iter("{SYNCML:SYNCML1.2}Data")]
    else:
        profile = plistlib.loads(signed_content(tmp_path / "out/phones.mobileconfig", server.root))
        assert profile["PayloadContent"][2]["PayloadContent"]["Challenge"] == wild


def test_a_code_that_others_can_read_is_not_taken(server, codes, tmp_path):
    code = tmp_path / "code"
    code.write_text("x")
    os.chmod(code, 0o644)
    done = server.verb("endpoint", "client-config", "phones", "--for", "apple", "--challenge-file", code, "--data", server.data)
    assert done.returncode != 0 and str(code) in done.stderr
