"""One implementation, three doors: control socket, in process, network with a token."""
import base64
import contextlib
import json
import re
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from harness.environment import executable
from harness.load import enroll
from harness.scep_device import Device
from harness.scep_reply import PENDING, SUCCESS
from harness.scep_style import STYLES
from harness.server import Postern
from harness.wire import ask

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def base(server):
    return server.directory().removesuffix("/acme/default/directory")


@pytest.fixture(scope="module")
def serial(server, tmp_path_factory):
    """Of a certificate that an ACME client obtained."""
    return enroll(server, tmp_path_factory.mktemp("load"))[0][1]


@pytest.fixture(scope="module")
def token_file(server, tmp_path_factory):
    """Token files by role, made when first asked for."""
    folder = tmp_path_factory.mktemp("tokens")

    def make(role):
        file = folder / role
        if not file.exists():
            made = json.loads(server.cli("principal", "create", role + "-1", "--role", role, "--json"))
            assert (made["name"], made["role"]) == (role + "-1", role)
            file.touch(0o600)
            file.write_text(made["token"] + "\n")
        return file

    return make


@pytest.fixture
def remote(server, base, token_file):
    """Runs a verb over the network as a role."""
    return lambda role, *words: server.verb(*words, "--server", base, "--token-file", token_file(role),
                                            "--ca-file", server.root)


def status_of(server, serial):
    return {row["serial"]: row["status"] for row in server.all_certificates()}[serial]


READERS = (("cert", "list"), ("cert", "list", "--json"), ("export",))


def test_control_socket_and_in_process_answer_alike(new_server, tmp_path):
    server = new_server()
    server.start()
    serials = [entry[1] for entry in enroll(server, tmp_path, 3)]
    over_socket = [server.cli(*words) for words in READERS]
    explained = server.explain(serials[0])
    server.stop()
    assert [server.cli(*words) for words in READERS] == over_socket
    assert server.explain(serials[0]) == explained
    listed = [row["serial"] for row in server.all_certificates()]
    assert len(listed) == 5 and listed[2:] == serials  # after its own TLS and the RA's
    assert {"names", "status"} <= set(server.all_certificates()[0])


def test_a_verb_in_process_can_change_and_the_server_sees_it(new_server, tmp_path):
    server = new_server()
    server.start()
    serial = enroll(server, tmp_path)[0][1]
    server.stop()
    assert server.cli("cert", "revoke", serial, "--reason", "4") == f"Revoked {serial}.\n"
    server.start()
    assert status_of(server, serial) == "revoked"


def test_the_network_door_shows_the_same_list(server, serial, remote):
    done = remote("auditor", "cert", "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == server.cli("cert", "list", "--json")
    assert serial in done.stdout


def test_an_auditor_may_not_revoke(server, serial, remote, base, token_file):
    done = remote("auditor", "cert", "revoke", serial)
    assert done.returncode == 1
    assert (done.stdout, done.stderr) == ("", "postern: auditor-1 is auditor; this needs officer\n")
    answer = ask(f"{base}/api/postern/v1/certificates/{serial}/revoke", body=b"{}", root=server.root,
                 Content_Type="application/json", Authorization="Bearer " + token_file("auditor").read_text().strip())
    assert answer.status == 403
    assert json.loads(answer.body)["description"] == "auditor-1 is auditor; this needs officer"
    assert status_of(server, serial) == "issued"


@pytest.mark.parametrize("role", ["auditor", "officer"])
def test_only_an_administrator_makes_principals(remote, role):
    done = remote(role, "principal", "create", "sneaky", "--role", "administrator")
    assert done.returncode == 1
    assert done.stderr == f"postern: {role}-1 is {role}; this needs administrator\n"


def test_an_officer_may_revoke_and_is_on_record(server, remote, tmp_path):
    serial = enroll(server, tmp_path)[0][1]
    done = remote("officer", "cert", "revoke", serial, "--reason", "1")
    assert (done.returncode, done.stdout) == (0, f"Revoked {serial}.\n")
    assert status_of(server, serial) == "revoked"
    record = [r for r in server.explain(serial) if r["action"] == "certificate.revoked"]
    assert len(record) == 1 and "officer-1" in record[0]["actor"]
    again = remote("officer", "cert", "revoke", serial)
    assert again.returncode == 1 and "is revoked already" in again.stderr


def test_a_token_that_nobody_minted(server, base, tmp_path):
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text("postern_" + "A" * 43)
    done = server.verb("cert", "list", "--server", base, "--token-file", file, "--ca-file", server.root)
    assert done.returncode == 1
    assert done.stderr == ("postern: authenticate with a token of `postern principal create` as Authorization: Bearer\n")
    assert ask(base + "/api/postern/v1/certificates", root=server.root).status == 401


def test_a_server_whose_ca_is_not_named_is_not_spoken_to(server, base, token_file):
    done = server.verb("cert", "list", "--server", base, "--token-file", token_file("auditor"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("postern: cannot reach the server at 127.0.0.1: ")
    assert "certificate" in done.stderr


def test_a_token_that_others_can_read_is_not_sent(server, base, token_file, tmp_path):
    file = tmp_path / "token"
    file.write_text(token_file("auditor").read_text())
    file.chmod(0o644)
    done = server.verb("cert", "list", "--server", base, "--token-file", file, "--ca-file", server.root)
    assert (done.returncode, done.stderr) == (1, f"postern: {file} can be read by others; run: chmod 600 {file}\n")


def test_the_network_door_needs_a_token_and_tls(server, base):
    bare = server.verb("cert", "list", "--server", base)
    assert (bare.returncode, bare.stderr) == (
        1, "postern: --server needs --token-file with a token of `postern principal create`\n")
    plain = server.verb("cert", "list", "--server", "http://127.0.0.1:1")
    assert (plain.returncode, plain.stderr) == (
        1, "postern: --server: expected https://HOST[:PORT], got http://127.0.0.1:1\n")


def test_an_unknown_role_is_refused(server):
    done = server.verb("principal", "create", "x", "--role", "king", "--data", server.data)
    assert done.returncode == 1
    assert "known here: administrator, officer, auditor, enroller" in done.stderr


def test_an_unknown_serial_is_refused(server):
    done = server.verb("cert", "show", "0123456789abcdef", "--data", server.data)
    assert done.returncode == 1 and done.stderr.startswith("postern: ")


@pytest.mark.parametrize("verb", ["show", "revoke"])
@pytest.mark.parametrize("text", ["zz", "0", "0" * 41, "1" * 41, "01/../01", "01?x", "x1", ""])
def test_what_is_no_serial_is_told_what_is(server, verb, text):
    done = server.verb("cert", verb, text, "--data", server.data)
    assert done.returncode != 0 and done.stdout == ""
    assert "a serial is 1 to 40 hexadecimal digits" in done.stderr


def spellings(serial):
    """As openssl, browsers and scripts print it."""
    pairs = ":".join(serial[at:at + 2] for at in range(0, len(serial), 2))
    return {serial, serial.upper(), f"{int(serial, 16):x}", f"{int(serial, 16):#x}", pairs, "00:" + pairs.upper(), f"0X{serial}", "00" + serial}


def test_a_serial_is_found_however_it_is_spelled(server, remote, base, token_file, tmp_path):
    # One that has a leading zero, which many tools leave out: one of eight.
    serial = None
    for _ in range(100):
        serial = serial or next((entry[1] for entry in enroll(server, tmp_path, 8) if entry[1].startswith("0")), None)
    shown, explained = server.cli("cert", "show", serial), server.explain(serial)
    token = "Bearer " + token_file("auditor").read_text().strip()
    for text in spellings(serial):
        assert server.cli("cert", "show", text) == shown, text
        assert server.explain(text) == explained, text
        answer = ask(f"{base}/api/postern/v1/certificates/{text}", root=server.root, Authorization=token)
        assert (answer.status, json.loads(answer.body)["serial"]) == (200, serial), text
    assert remote("officer", "cert", "revoke", f"{int(serial, 16):X}").stdout == f"Revoked {serial}.\n"
    assert status_of(server, serial) == "revoked"


def test_no_verb_makes_a_data_folder(tmp_path):
    server = Postern(executable(), tmp_path, "integration.test")
    done = server.verb("cert", "list", "--data", server.data)
    assert done.returncode == 1
    assert done.stderr == (f"postern: {server.data} holds no Postern data; start `postern serve --data {server.data}` "
                           "first, or name its folder with --data\n")
    assert list(tmp_path.iterdir()) == []


def refused_order(server, tmp_path, name="outside.test"):
    """The detail that a client reads for a name that its account may not have."""
    document = tmp_path / "bound.toml"
    document.write_text('[[endpoint]]\nname = "bound"\nprotocol = "acme"\nprofiles = ["tls-server"]\n'
                        'external_account_required = false\n[[account]]\nname = "narrow"\nendpoint = "bound"\nmethod = "open"\n'
                        'names = [".corp.example"]\n')
    server.apply(document)
    key = ec.generate_private_key(ec.SECP256R1())
    directory = json.loads(ask(server.directory("bound"), root=server.root).body)
    account = acme_post(server, key, directory["newAccount"], {}, directory)
    order = acme_post(server, key, directory["newOrder"], {"identifiers": [{"type": "dns", "value": name}]}, directory,
                      account.headers["Location"])
    assert order.status == 400
    return json.loads(order.body)["detail"]


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def acme_post(server, key, url, payload, directory, kid=None):
    numbers = key.public_key().public_numbers()
    header = {"alg": "ES256", "url": url, "nonce": ask(directory["newNonce"], root=server.root).headers["Replay-Nonce"]}
    if kid:
        header["kid"] = kid
    else:
        header["jwk"] = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}
    signed = {"protected": b64(json.dumps(header).encode()), "payload": b64(json.dumps(payload).encode())}
    r, s = decode_dss_signature(key.sign((signed["protected"] + "." + signed["payload"]).encode(), ec.ECDSA(hashes.SHA256())))
    signed["signature"] = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return ask(url, json.dumps(signed).encode(), root=server.root, Content_Type="application/jose+json")


def test_a_refusal_explains_itself_by_what_its_reader_has(server, tmp_path):
    detail = refused_order(server, tmp_path)
    named = re.fullmatch(r".* \[check (\S+), request (\w+)\]", detail)
    assert named and named[1] == "names.scope"
    for reference in (named[2], "outside.test", "narrow", "default/narrow"):
        printed = server.cli("explain", reference)
        assert "order.refused  refused by names.scope" in printed
        assert "[pass] tenant.active: tenant default\n" in printed
        assert "[refuse] names.scope: outside.test -- outside.test: outside the scope of account narrow" in printed
        assert f"request {named[2]}" in printed
    assert server.explain(named[2])[0]["detail"]["trace"][-1]["verdict"] == "refuse"


def test_an_order_is_explained_by_its_token_with_its_validation(server, tmp_path):
    order, serial, _ = enroll(server, tmp_path)[0]
    printed = server.cli("explain", order)
    assert printed == server.cli("explain", serial.upper())
    assert "order.created  done" in printed and "enrollment.issued  done" in printed
    assert re.search(r"steps: look-up of \S+: 127\.0\.0\.1\n", printed)
    assert re.search(r"steps: GET http://\S+ from 127\.0\.0\.1: status 200, \d+ octets, ", printed)


def test_nothing_that_is_printed_drives_the_terminal(server, tmp_path):
    document = tmp_path / "wild.toml"
    document.write_text('[[profile]]\nname = "wild"\ndescription = "\\u001b[2J\\u009b1m\\u202e"\n')
    created = server.cli("apply", document)
    document.write_text('[[profile]]\nname = "wild"\ndescription = "calm"\n')
    printed = created + server.cli("apply", "--dry-run", document) + server.cli("export")
    refused = server.verb("explain", "a\x1b[2Jb\x9b", "--data", server.data)
    assert refused.returncode == 1 and "a\\u001b[2Jb" in refused.stderr
    document.write_text('[[profile]]\nname = "bad"\nkeys = ["\\u001b[2J"]\nlifetime = "\\u001b[2J"\n')
    wrong = server.verb("apply", document, "--data", server.data)
    assert wrong.returncode == 1
    unknown = server.verb("principal", "disable", "x\x1b[2J", "--data", server.data)
    assert unknown.returncode == 1
    assert "description: \\u001b[2J\\u009b1m\\u202e -> calm" in printed
    for text in (printed, refused.stderr, wrong.stderr, unknown.stderr):
        assert not set(text) & set("\x1b\x9b\u202e")


def test_principals_come_and_go(server, remote, token_file):
    token_file("officer")
    assert re.search(r"^officer-1  officer  active  made \S+ by uid \d+$", server.cli("principal", "list"), re.MULTILINE)
    assert server.cli("principal", "disable", "officer-1") == "officer-1 is disabled.\n"
    refused = remote("officer", "cert", "list")
    assert refused.returncode == 1 and refused.stderr.startswith("postern: authenticate with a token")
    assert server.cli("principal", "disable", "officer-1") == "Nothing to change: officer-1 is disabled.\n"
    assert server.cli("principal", "enable", "officer-1") == "officer-1 is active.\n"
    assert remote("officer", "cert", "list").returncode == 0
    # Nobody is locked out: the control socket needs no principal.
    assert remote("administrator", "principal", "disable", "administrator-1").returncode == 0
    assert remote("administrator", "principal", "enable", "administrator-1").returncode == 1
    assert server.cli("principal", "enable", "administrator-1") == "administrator-1 is active.\n"


def test_export_prints_what_apply_reads_and_nothing_else(server):
    done = server.verb("export", "--json", "--data", server.data)
    assert done.returncode != 0 and done.stdout == "" and "--json" in done.stderr, done
    assert server.cli("export").startswith("[[tenant]]\n")


def test_a_long_export_is_applied_back_in_one_piece(new_server, tmp_path):
    server = new_server()
    server.start()
    document = tmp_path / "many.toml"
    document.write_text("".join(f'[[profile]]\nname = "p{i}"\ndescription = "{"x" * 1000}"\n' for i in range(1200)))
    assert document.stat().st_size > 1024 * 1024
    server.cli("apply", document)
    exported = tmp_path / "export.toml"
    exported.write_text(server.cli("export"))
    assert exported.stat().st_size > 1024 * 1024
    assert "Nothing to change." in server.cli("apply", "--prune", exported)
    server.stop()
    assert "Nothing to change." in server.cli("apply", "--prune", exported)


def test_parked_messages_are_listed_sent_again_and_dropped(new_server):
    """No sender is registered yet, so the rows are put there as the outbox leaves them."""
    server = new_server()
    server.start()
    server.stop()
    with contextlib.closing(sqlite3.connect(server.data / "postern.db", isolation_level=None)) as database:
        for number in range(1, 5):
            database.execute("INSERT INTO outbox (id, kind, body, status, holder, fence, failures, last_error, due_ms, created_ms) "
                             "VALUES (?, 'certificate.issued', '{\"certificate\":1}', 'parked', NULL, 16, 16, 'no route\x1b[2J', 1, 0)",
                             (f"certificate.issued/{number}",))
    server.start()
    lines = server.cli("outbox", "list").splitlines()
    assert lines[0] == "certificate.issued/1  1970-01-01T00:00:00Z  16 failures  no route\\u001b[2J"
    assert [json.loads(line)["body"] for line in server.cli("outbox", "list", "--json").splitlines()] == [{"certificate": 1}] * 4
    assert server.cli("outbox", "retry", "certificate.issued/1") == "Will be sent again: certificate.issued/1.\n"
    assert server.cli("outbox", "drop", "certificate.issued/2") == "Dropped certificate.issued/2.\n"
    assert server.cli("outbox", "list", "--waiting").startswith("certificate.issued/1  1970-01-01T00:00:00Z  0 failures")
    again = server.verb("outbox", "drop", "certificate.issued/2", "--data", server.data)
    assert again.returncode == 1
    assert again.stderr == "postern: no message certificate.issued/2 is parked; `postern outbox list` shows those that are\n"
    for words in (("retry",), ("drop", "--all", "certificate.issued/3")):
        refused = server.verb("outbox", *words, "--data", server.data)
        assert (refused.returncode, refused.stderr) == (1, "postern: name messages, or say --all\n")
    server.stop()
    assert server.cli("outbox", "retry", "--all").splitlines() == ["Will be sent again: certificate.issued/3.",
                                                                   "Will be sent again: certificate.issued/4."]
    assert server.cli("outbox", "list") == ""
    assert server.cli("outbox", "drop", "--all") == "No message is parked.\n"


def test_an_officer_decides_and_an_auditor_looks(new_server, tmp_path):
    server = new_server()
    server.start()
    document = HERE.parent.parent / "conformance/scep/approval.toml"
    code = server.apply(document)["watched"]["accessCode"]
    device = Device(server.scep("watched"), STYLES["android"], subject=[("CN", "phone-1")]).discover()
    assert device.enroll(code).status == PENDING
    listed = server.cli("request", "list", "--status", "pending_approval")
    number = listed.split()[0]
    assert "  pending_approval (approval)  " in listed and "  watched for watched, until " in listed
    printed = server.cli("request", "show", number)
    for line in ("status: pending_approval", "  subject: CN=phone-1", "  term: 2592000 s", "evidence: challenge code-", "approval.officer: needs_approval"):
        assert line in printed
    seen = re.search(r"^contentHash: ([0-9a-f]{64})$", printed, re.M)[1]

    doors = {}
    base = server.directory().removesuffix("/acme/default/directory")
    for role in ("auditor", "officer"):
        token = tmp_path / role
        token.touch(0o600)
        token.write_text(json.loads(server.cli("principal", "create", role, "--role", role, "--json"))["token"])
        doors[role] = lambda *words, token=token: server.verb(*words, "--server", base, "--token-file", token, "--ca-file", server.root)
    refused = doors["auditor"]("request", "approve", number)
    assert refused.returncode == 1 and "auditor is auditor; this needs officer" in refused.stderr
    stale = doors["officer"]("request", "approve", number, "--content", seen[::-1])
    assert stale.returncode == 1 and "resolves to something else than you saw; look at it again" in stale.stderr
    silent = doors["officer"]("request", "decline", number)
    assert silent.returncode != 0 and "--message is required" in silent.stderr
    missing = doors["officer"]("request", "approve", "999999")
    assert missing.returncode == 1 and "there is no request 999999" in missing.stderr
    done = doors["officer"]("request", "approve", number, "--message", "seen on my desk")
    assert done.returncode == 0 and done.stdout.endswith(f"Request {number} is approved, and its certificate issued.\n")
    assert "  subject: CN=phone-1\n" in done.stdout  # what was agreed to
    again = doors["officer"]("request", "decline", number, "--message", "no")
    assert again.returncode == 1 and "was approved by principal officer at " in again.stderr
    told = server.cli("explain", number)
    assert "request.approved  done\n    by principal officer, " in told and "message: seen on my desk" in told
    assert device.poll().status == SUCCESS
