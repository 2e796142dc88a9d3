"""`postern key`: lists of any length, broken ones, and what a person reads."""
import hashlib
import json
import re
import sqlite3
from pathlib import Path

KEYS = Path(__file__).resolve().parents[1] / "data" / "keys"


def key(server, *arguments):
    return server.verb("key", *arguments, "--data", server.data)


def stored(server):
    with sqlite3.connect(f"file:{server.data / 'postern.db'}?mode=ro", uri=True) as database:
        keys = database.execute("SELECT count(*), count(DISTINCT audit_id) FROM blocked_key").fetchone()
        audits = database.execute("SELECT count(*) FROM audit WHERE action = 'key.blocked'").fetchone()[0]
    return *keys, audits


def test_a_long_list_goes_in_parts_under_one_audit_row(new_server, tmp_path):
    server = new_server()
    server.start()
    lines = [hashlib.sha1(str(n).encode()).hexdigest()[20:] for n in range(10_001)]
    path = tmp_path / "blacklist.RSA-2048"
    path.write_text("# comments stand before\n" + "\n".join(lines) + "\n")
    done = key(server, "block", "--file", path, "--reason", "Debian weak key")
    assert done.returncode == 0 and done.stdout.startswith("Blocked 10001 keys in all tenants (audit "), done
    assert stored(server) == (10_001, 1, 1)
    # Again: nothing more is blocked, and the run has its own record.
    assert key(server, "block", "--file", path, "--reason", "Debian weak key").returncode == 0
    assert stored(server) == (10_001, 1, 2)
    listed = key(server, "list", "--json").stdout.splitlines()
    assert [json.loads(line)["key"] for line in listed] == sorted(lines)
    assert json.loads(listed[0])["source"] == "blacklist.RSA-2048"


def test_a_broken_list_changes_nothing(server, tmp_path):
    path = tmp_path / "broken"
    path.write_text("8df20e6961a16398b85a\nnot a key\n")
    done = key(server, "block", "--file", path, "--reason", "x")
    assert done.returncode == 1 and f'{path}: line 2: "not" is no fingerprint' in done.stderr, done
    assert key(server, "list").stdout == ""
    for arguments, word in ((("block", "--reason", "x"), "name keys, or a list with --file"),
                            (("block", "--file", path, "8df20e6961a16398b85a", "--reason", "x"), "name keys, or a list with --file"),
                            (("block", "--file", path, "--format", "csv", "--reason", "x"), "known here: auto, fingerprints, pem, badkeys"),
                            (("block", "--file", tmp_path / "none", "--reason", "x"), "cannot read"),
                            (("block", "nothing", "--reason", "x"), "nothing is neither a file nor a fingerprint"),
                            (("unblock", "8df20e6961a16398b85a"), "that key is not blocked")):
        done = key(server, *arguments)
        assert done.returncode == 1 and word in done.stderr, done


def test_of_a_chain_the_leaf_is_blocked_and_not_its_ca(server, tmp_path):
    chain = tmp_path / "chain.pem"
    text = (KEYS.parent / "crypto/chain.pem").read_text()
    chain.write_text("".join(re.findall("-----BEGIN.*?-----END CERTIFICATE-----\n", text, re.DOTALL)))
    for arguments in ((chain,), ("--file", chain)):
        before = set(key(server, "list").stdout.splitlines())
        done = key(server, "block", *arguments, "--reason", "lost")
        assert done.returncode == 0 and "Blocked 1 key in all tenants" in done.stdout, done
        assert f"{chain}: 1 CA certificate is left out" in done.stderr, done
        assert len(set(key(server, "list").stdout.splitlines()) - before) == 2  # two fingerprints of one key
        assert key(server, "unblock", chain).returncode == 0
        assert set(key(server, "list").stdout.splitlines()) == before


def test_what_stands_in_lists_can_be_seen(server):
    for arguments in (("--reason", "a\x1b[2J"), ("--reason", "x", "--source", "a\nb")):
        done = key(server, "block", "8df20e6961a16398b85a", *arguments)
        assert done.returncode == 1 and "expected one line of characters that can be seen" in done.stderr, done


def test_a_key_is_checked_blocked_and_let_go(server):
    pem = KEYS / "rfc9500-p256.key.pem"
    assert "good" in key(server, "check", pem).stdout
    assert key(server, "block", pem, "--reason", "published").returncode == 0
    done = key(server, "check", pem)
    assert done.returncode == 1 and "key.blocked: the key is blocked (published)" in done.stdout, done
    assert "PRIVATE" not in server.log.read_text(errors="replace")
    assert key(server, "unblock", pem).returncode == 0
    assert key(server, "check", pem).returncode == 0
