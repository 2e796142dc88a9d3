"""Who disables something waits for the intents that are being written, and for none that comes later."""
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from client import Client
from test_nodes import refused, until

GUARD = "SELECT 1 FROM tenant t, endpoint e, account a, profile p WHERE t.name = 'default' AND a.name = 'open' AND e.name = 'default' AND p.name = 'tls-server' FOR SHARE"


@contextmanager
def session(url):
    """Gives what it answers to a statement, as one line."""
    process = subprocess.Popen(["psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", url], text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ask(sql):
        process.stdin.write(f"{sql}; SELECT 'end';\n")
        process.stdin.flush()
        lines = []
        while (line := process.stdout.readline().strip()) != "end":
            lines.append(line)
        return " ".join(lines)

    try:
        yield ask
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_stream_of_intents_does_not_hold_up_who_disables_an_account(new_nodes, database, tmp_path):
    nodes = new_nodes()
    nodes.start()
    one, two = nodes.nodes
    client = Client(nodes).register(two)
    url, new_order = client.directory["newOrder"], {"identifiers": [{"type": "dns", "value": "x.nodes.test"}]}
    block = next(b for b in re.split(r"(?m)^(?=\[\[)", one.cli("export")) if b.startswith("[[account]]") and 'name = "open"' in b)
    document = tmp_path / "account.toml"
    document.write_text(block + "\nenabled = false\n")
    waiting = "SELECT pid FROM pg_locks WHERE NOT granted"
    with session(database.url) as intent, session(database.url) as next_intent, ThreadPoolExecutor(1) as other:
        intent("BEGIN")
        assert intent(GUARD) == "1"
        disabling = other.submit(one.cli, "apply", document)
        until(lambda: database.rows(waiting), "nobody waits for the intent", nodes)
        # Shared with the first one, its rows would be there at once, and so for ever.
        next_intent("SET lock_timeout = '500ms'")
        assert "lock timeout" in next_intent(GUARD)
        # Whoever only looks is not held up.
        assert next_intent("SELECT count(*) FROM tenant") == "2"
        intent("COMMIT")
        disabling.result()
        assert next_intent(GUARD) == "1"
    until(lambda: refused(client.post(two, url, new_order), ":unauthorized"), "a disabled account is served", nodes)
