"""What `endpoint client-config` writes for EST endpoints enrolls and renews: its lines are run as somebody pastes them."""
import re
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.environment import environment

CLIENTS = ("est-curl", "strongswan")
PASSWORD = "it's\"all\"$HOME\\n`id`%s!"  # what a shell, printf and curl's configuration each read otherwise
DOCUMENT = '''
[[profile]]
name = "pasted-text"
lifetime = "30d"
keys = ["{key}"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]

[[endpoint]]
name = "pasted"
protocol = "est"
profiles = ["{profile}"]

[[account]]
name = "pasted"
endpoint = "pasted"
method = "basic"
user = "line 4"
names = ["*"]
common_names = ["*"]
secret = {{file = "{file}"}}
'''


@pytest.fixture
def name(request):
    return "paste-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")[:50]


@pytest.fixture
def configure(server, tmp_path):
    """Applies an endpoint whose password holds what shells read, and runs the verb; gives what it printed and the folder."""

    def run(client, name, *options, profile="pasted-text", key="ec-p256"):
        secret, document, folder = tmp_path / "password", tmp_path / "pasted.toml", tmp_path / "out"
        secret.touch(0o600)
        secret.write_text(PASSWORD + "\n")
        document.write_text(DOCUMENT.format(profile=profile, key=key, file=secret))
        server.apply(document)
        text = server.cli("endpoint", "client-config", "pasted", "--for", client, "--name", name, "--user", "line 4", "--challenge-file", secret,
                          "--out", folder, *options)
        return text, folder

    return run


def paste(text, folder):
    return subprocess.run(["bash", "-e", "-o", "pipefail", "-c", text], cwd=folder, text=True, capture_output=True, check=False, timeout=180,
                          stdin=subprocess.DEVNULL, env=environment(HOME=str(folder)))


def renewal(text):
    """The lines that are comments until the certificate is to be renewed."""
    return "\n".join(line.removeprefix("# ") for line in text.splitlines() if re.match(r"# (openssl|curl|pki) ", line))


def held(folder, file):
    return x509.load_pem_x509_certificate((Path(folder) / file).read_bytes())


def spki(holder):
    return holder.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def enrolls_and_renews(text, folder):
    done = paste(text, folder)
    assert done.returncode == 0, text + done.stdout + done.stderr
    first = held(folder, "cert.pem")
    done = paste(renewal(text), folder)
    assert done.returncode == 0, renewal(text) + done.stdout + done.stderr
    second = held(folder, "renewed.pem")
    assert first.subject == second.subject and first.serial_number != second.serial_number
    assert spki(second) == spki(serialization.load_pem_private_key((folder / "next.pem").read_bytes(), None))
    return first


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("key", ["ec-p256", "rsa-2048"])
def test_the_lines_enroll_and_renew(configure, name, client, key):
    first = enrolls_and_renews(*configure(client, name, key=key))
    assert first.subject.rfc4514_string() == f"CN={name}"


def test_the_certificate_stands_under_what_cacerts_gave(configure, name):
    text, folder = configure("est-curl", name)
    assert paste(text, folder).returncode == 0
    done = subprocess.run(["openssl", "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "cert.pem"], cwd=folder, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_curl_shows_why_it_was_refused_and_the_paste_fails(configure, name):
    text, folder = configure("est-curl", name)
    refused = text.replace("line 4:", "line 5:")
    assert refused != text
    done = paste(refused, folder)
    assert done.returncode != 0
    assert "401 credential.known" in done.stdout, done.stdout + done.stderr


def test_the_password_stands_in_a_file_of_its_owner_alone(configure, name):
    text, folder = configure("est-curl", name)
    assert paste(text, folder).returncode == 0
    assert (folder / "est.curl").stat().st_mode & 0o077 == 0
    assert not [line for line in text.splitlines() if line.startswith("curl") and "all" in line]


def test_placeholders_say_what_belongs_there(configure, server, name):
    configure("est-curl", name)
    for client in CLIENTS:
        text = server.cli("endpoint", "client-config", "pasted", "--for", client)
        assert "# Put the account's user name where REPLACE-WITH-THE-USER stands." in text
        assert "# Put its password where REPLACE-WITH-THE-PASSWORD stands." in text


@pytest.mark.parametrize(("endpoint", "client", "why"), [
    ("equipment", "certbot", "--for takes: est-curl, strongswan"),
    ("default", "est-curl", "--for takes: certbot, lego, caddy, cert-manager"),
    ("nowhere", "est-curl", "there is no endpoint nowhere"),
])
def test_what_does_not_go_together(server, endpoint, client, why):
    done = server.verb("endpoint", "client-config", endpoint, "--for", client, "--data", server.data)
    assert done.returncode == 1
    assert why in done.stderr


def test_a_user_belongs_to_est_alone(server):
    done = server.verb("endpoint", "client-config", "devices", "--for", "strongswan", "--user", "x", "--data", server.data)
    assert (done.returncode, "only clients of EST endpoints have one" in done.stderr) == (1, True), done.stderr


def test_two_endpoints_of_one_name_are_told_apart(server, tmp_path):
    document = tmp_path / "twins.toml"
    document.write_text("".join(f'''
[[tenant]]
name = "{protocol}-side"

[[profile]]
tenant = "{protocol}-side"
name = "twin"
keys = ["rsa-2048"]

[[endpoint]]
tenant = "{protocol}-side"
name = "twins"
protocol = "{protocol}"
profiles = ["twin"]
''' for protocol in ("scep", "est")))
    server.apply(document)
    done = server.verb("endpoint", "client-config", "twins", "--for", "strongswan", "--data", server.data)
    assert done.returncode == 1
    assert "two endpoints are called twins, and strongswan speaks scep and est" in done.stderr
    assert "/.well-known/est/twins/" in server.cli("endpoint", "client-config", "twins", "--for", "est-curl")


def test_the_page_for_device_makers_shows_these_lines(configure, server, tmp_path):
    """docs/protocols/est.md: each line of its blocks, with the page's host, endpoint, user and password."""
    configure("est-curl", "gateway-7")
    secret = tmp_path / "shown"
    secret.touch(0o600)
    secret.write_text("PASSWORD\n")
    printed = "".join(server.cli("endpoint", "client-config", "pasted", "--for", client, "--name", "gateway-7", "--user", "factory", "--challenge-file", secret)
                      for client in CLIENTS)
    base = server.est("pasted").split("/.well-known")[0]
    printed = printed.replace(base, "https://HOST:8444").replace("/pasted", "/gateways")
    known = {line.removeprefix("# ") for line in printed.splitlines()}
    page = (Path(__file__).resolve().parents[2] / "docs/protocols/est.md").read_text(encoding="utf-8")
    shown = [line for _, block in re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) for line in block.splitlines()
             if re.match(r"\(umask|openssl |curl |pki ", line)]
    assert len(shown) >= 12
    assert [line for line in shown if line not in known] == []
