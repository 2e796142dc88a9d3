"""What is around the command: what it gets, which programs are run, who may describe one."""
import json
import re

import pytest

from harness.backends import StandInCa, document


def test_a_command_gets_what_is_listed_and_nothing_else(house):
    house.describe(timeout="2s", environment=["GREETING=hello world"], directory="/usr")
    house.ca.behave(issue="told")
    _, answer = house.finalize()
    house.describe(timeout="2s")
    assert answer.body["status"] == "valid"
    told = json.loads((house.ca.home / "told").read_text())
    told["environment"].pop("LC_CTYPE", None)  # Python sets it for itself
    assert told["environment"] == {"GREETING": "hello world"}
    assert (told["directory"], told["umask"], told["group"]) == ("/usr", 0o077, True)
    # 3 is the folder that is being listed.
    assert told["descriptors"] == [0, 1, 2, 3]
    request = told["request"]
    assert (request["operation"], request["backend"]) == ("issue", "default/standin")
    assert request["content"]["parameters"] == {"template": "server"}
    assert [name["type"] for name in request["content"]["names"]] == ["dns"]


def test_the_backend_says_how_it_is(house):
    listed = [json.loads(line) for line in house.server.cli("backend", "list", "--json").splitlines()]
    mine, = [b for b in listed if b["backend"] == "default/standin"]
    assert mine["ready"] and mine["profiles"] == ["standin"] and "lookup" in mine["operations"]
    assert house.server.cli("backend", "test", "default/standin").strip() == "default/standin: stand-in"
    house.ca.behave(test="silent")
    done = house.server.verb("backend", "test", "default/standin", "--data", house.server.data)
    assert done.returncode == 1, done
    done = house.server.verb("backend", "test", "default/none", "--data", house.server.data)
    assert done.returncode == 1 and "there is no enabled backend default/none" in done.stderr


@pytest.mark.parametrize("mode, words", [(0o777, "writable by others"), (0o644, "no program that this user may run")])
def test_a_program_that_others_could_change_is_not_run(server, tmp_path, mode, words):
    program = tmp_path / "issue.sh"
    program.write_text("#!/bin/sh\necho '{}'\n")
    program.chmod(mode)
    root = StandInCa(tmp_path / "ca").root.read_text()
    path = tmp_path / "bad.toml"
    path.write_text(document("bad", [program], root))
    done = server.verb("apply", path, "--data", server.data)
    assert done.returncode == 1 and words in done.stderr, done


def test_a_program_that_becomes_writable_is_run_no_more(house):
    house.ca.program.chmod(0o777)
    url, answer = house.finalize()
    house.ca.program.chmod(0o755)
    assert answer.status == 503 and "cannot be run" in answer.body["detail"]
    order = house.client.post(url, None).body
    assert order["status"] == "ready"


@pytest.mark.parametrize("line, words", [
    ('argv = ["issue.sh"]', "expected the absolute path"),
    ('argv = ["/nowhere/issue.sh"]', "/nowhere/issue.sh: No such file"),
    ('kind = "telepathy"', "known here: command"),
    ('operations = ["erase"]', "known here: poll, lookup, revoke, test"),
    ('environment = ["=x"]', "expected NAME=value"),
    ('timeout = "1h"', "expected 1s to 2m"),
    ('trust_anchors = "none"', "expected 1 to 20 certificates"),
    ('directory = "here"', "expected an absolute path"),
    ('output_limit = 1', "expected 1024 to 1048576"),
])
def test_a_description_that_cannot_be_is_refused(server, tmp_path, line, words):
    ca = StandInCa(tmp_path / "ca", "refused")
    text = ca.document()
    key = line.split(" = ")[0]
    text = re.sub(rf"^{key} = ('''.*?'''|[^\n]*)$", "", text, count=1, flags=re.MULTILINE | re.DOTALL)
    path = tmp_path / "refused.toml"
    path.write_text(text.replace("[[backend]]\n", "[[backend]]\n" + line + "\n", 1))
    done = server.verb("apply", path, "--data", server.data)
    assert done.returncode == 1 and words in done.stderr, done


def test_no_token_adds_or_changes_a_program(house, tmp_path):
    token = json.loads(house.server.cli("principal", "create", "everybody", "--role", "administrator", "--json"))["token"]
    secret = tmp_path / "token"
    secret.write_text(token)
    secret.chmod(0o600)
    remote = ("--server", house.server.directory().split("/acme/")[0], "--token-file", secret, "--ca-file", house.server.root)
    path = tmp_path / "change.toml"
    path.write_text(house.ca.document(timeout="3s"))
    done = house.server.verb("apply", path, *remote)
    assert done.returncode == 1 and "only the local administrator" in done.stderr, done
    # Nor learns which files the server has.
    told = set()
    for program in ("/bin/sh", "/nowhere/none"):
        path.write_text(document("guess", [program], house.ca.root.read_text()))
        done = house.server.verb("apply", path, "--dry-run", *remote)
        assert done.returncode == 1 and "only the local administrator" in done.stderr, done
        told.add(done.stderr)
    assert len(told) == 1, told
    path.write_text(house.ca.document(timeout="2s"))
    assert house.server.verb("apply", path, *remote).returncode == 0
