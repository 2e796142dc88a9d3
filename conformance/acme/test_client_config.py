"""What `endpoint client-config` writes for ACME endpoints enrolls: its lines are used as somebody pastes them. Only the ports are
the laboratory's, where a person has 80 and 443."""
import base64
import re
import shlex
from pathlib import Path

import jsonschema
import pytest
import yaml
from test_certificates import assert_issued

from harness.clients import KINDS, Run, own_file, own_folder
from harness.ports import free_port

SCHEMA = Path(__file__).with_name("cert_manager.yaml")


@pytest.fixture(params=["default", "scoped"])
def endpoint(request):
    return request.param


@pytest.fixture
def name(name, endpoint):  # noqa: F811  (the suite's, within the scope of the endpoint's account)
    return name if endpoint == "default" else name.replace(".", ".shop.", 1)


@pytest.fixture
def pasted(server, endpoint, eab, name, client_kind, scratch):
    """An installation of the client with the files, and the text, in which the person has put the key that `apply` showed."""
    out = scratch / "out"
    text = server.cli("endpoint", "client-config", endpoint, "--for", client_kind, "--name", name, "--out", out)
    client = KINDS[client_kind](server, own_folder(scratch / "client"), endpoint)
    for file in out.iterdir():
        own_file(client.folder / file.name, file.read_text())
    assert ("KEY_ID" in text, "MAC_KEY" in text) == (endpoint == "scoped",) * 2
    return client, text.replace("KEY_ID", eab.key_id).replace("MAC_KEY", eab.mac_key)


def run(client, text):
    return client._run(["bash", "-e", "-c", text], None, None)


@pytest.mark.parametrize("client_kind", ["certbot"])
def test_config_certbot(server, pasted, name, tmp_path):
    client, text = pasted
    folders = "".join(f"{kind}-dir = {client.folder / kind}\n" for kind in ("config", "work", "logs"))
    own_file(own_folder(client.folder / ".config/letsencrypt") / "cli.ini",
             f"{folders}http-01-address = 127.0.0.1\nhttp-01-port = {server.http01_port}\nnon-interactive = true\n")
    done = run(client, text)
    live = client.folder / "config/live" / name
    assert_issued(server, Run(done.status, done.output, live / "cert.pem", live / "chain.pem"), name, tmp_path)


@pytest.mark.parametrize("client_kind", ["lego"])
def test_config_lego(server, pasted, name, tmp_path):
    client, text = pasted
    assert text.count(" --http ") == 1
    done = run(client, text.replace(" --http ", f" --http --http.port 127.0.0.1:{server.http01_port} "))
    files = client.folder / ".lego/certificates"
    assert_issued(server, Run(done.status, done.output, files / f"{name}.crt", files / f"{name}.issuer.crt"), name, tmp_path)


@pytest.mark.parametrize("client_kind", ["caddy"])
def test_config_caddy(server, pasted, name, tmp_path):
    client, text = pasted
    assert text.startswith("{\n")
    ports = f"\thttp_port {server.http01_port}\n\thttps_port {free_port()}\n\tdefault_bind 127.0.0.1\n\tadmin off\n"
    config = own_file(client.folder / "Caddyfile", text.replace("{\n", "{\n" + ports, 1))
    assert_issued(server, client.run(config, [name]), name, tmp_path)


def test_config_cert_manager(server, endpoint, eab):
    text = server.cli("endpoint", "client-config", endpoint, "--for", "cert-manager")
    issuer, = yaml.safe_load_all(text)
    jsonschema.Draft202012Validator(yaml.safe_load(SCHEMA.read_text())).validate(issuer)
    acme = issuer["spec"]["acme"]
    assert acme["server"] == server.directory(endpoint)
    assert base64.b64decode(acme["caBundle"], validate=True).decode() == Path(server.root).read_text()
    if endpoint == "default":
        assert "externalAccountBinding" not in acme
        return
    # The secret that the comment makes is the one that the issuer reads, and holds base64url without padding.
    binding = acme["externalAccountBinding"]
    line, = re.findall(r"^# (kubectl .*)$", text, re.MULTILINE)
    words = shlex.split(line)
    assert words[words.index("generic") + 1] == binding["keySecretRef"]["name"]
    assert words[-1] == f"--from-literal={binding['keySecretRef']['key']}=MAC_KEY"
    assert binding["keyID"] == "KEY_ID" and re.fullmatch("[A-Za-z0-9_-]+", eab.mac_key)


ODD_NAME = """
[[endpoint]]
name = "web_team.eu-"
protocol = "acme"
profiles = ["tls-server"]
"""


def test_config_cert_manager_of_an_endpoint_whose_name_kubernetes_does_not_take(server, tmp_path):
    document = tmp_path / "odd.toml"
    document.write_text(ODD_NAME)
    server.apply(document)
    issuer, = yaml.safe_load_all(server.cli("endpoint", "client-config", "web_team.eu-", "--for", "cert-manager"))
    jsonschema.Draft202012Validator(yaml.safe_load(SCHEMA.read_text())).validate(issuer)
    assert issuer["spec"]["acme"]["server"].endswith("/acme/web_team.eu-/directory")
    assert issuer["metadata"]["name"].startswith("postern-web-team-eu.")


@pytest.mark.together
@pytest.mark.parametrize(("path", "value"), [
    (("spec", "acme", "server"), None), (("spec", "acme", "caBundle"), "-----BEGIN CERTIFICATE-----"), (("spec", "acme", "solvers"), []),
    (("spec", "acme", "externalAccountBinding"), {"keyID": "x"}), (("spec", "acme", "caFile"), "root.pem"), (("metadata", "name"), "Postern_x")])
def test_config_cert_manager_schema_refuses(server, path, value):
    """The judge is one: it refuses what the API server would."""
    issuer = yaml.safe_load(server.cli("endpoint", "client-config", "default", "--for", "cert-manager"))
    *above, last = path
    holder = issuer
    for key in above:
        holder = holder[key]
    if value is None:
        del holder[last]
    else:
        holder[last] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(yaml.safe_load(SCHEMA.read_text())).validate(issuer)
