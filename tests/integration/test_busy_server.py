"""Verbs beside a server that does not take or does not give what they ask: they never open its store themselves."""
import contextlib
import fcntl
import json
import socket
import subprocess
import threading

import pytest

from harness.environment import environment, executable


@pytest.fixture
def folder(new_server):
    """Of a server that was stopped."""
    server = new_server()
    server.start()
    server.stop()
    return server.data


@contextlib.contextmanager
def locked(folder):
    """As a server holds it."""
    with (folder / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def listening(folder, backlog):
    path = folder / "control.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(backlog)
        yield listener


def verb(*words, **how):
    return subprocess.run([executable(), *map(str, words)], text=True, capture_output=True, check=False, env=environment(), timeout=120,
                          **({} if "input" in how else {"stdin": subprocess.DEVNULL}), **how)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("postern.db*")}


@pytest.mark.parametrize("accepts", [True, False], ids=["full", "nobody"])
def test_a_server_that_takes_no_connection_is_busy_and_its_store_is_left_alone(folder, accepts):
    before = contents(folder)
    with contextlib.ExitStack() as open_for_now:
        open_for_now.enter_context(locked(folder))
        open_for_now.enter_context(listening(folder, 0))
        if accepts:
            # Its queue is full: whoever comes now is not let in.
            for _ in range(2):
                waiting = open_for_now.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    waiting.connect(str(folder / "control.sock"))
        else:
            (folder / "control.sock").unlink()
            open_for_now.enter_context(socket.socket(socket.AF_UNIX)).bind(str(folder / "control.sock"))  # does not listen
        done = verb("principal", "create", "one", "--role", "auditor", "--data", folder)
    assert done.returncode == 1
    assert f"the server is busy: {folder} is in use, and nobody takes a connection of its control socket within 5 seconds; nothing was done" in done.stderr, done.stderr
    assert contents(folder) == before


def test_what_a_killed_server_left_is_no_server(folder):
    with listening(folder, 0):
        pass
    assert (folder / "control.sock").exists()
    assert json.loads(verb("principal", "list", "--json", "--data", folder).stdout) == {"principals": []}


class Answering(threading.Thread):
    """A server on the control socket that gives one answer after the other, each on its own connection, and keeps what it was asked."""

    def __init__(self, listener, answers):
        super().__init__(daemon=True)
        self.listener, self.answers, self.asked = listener, answers, []

    def run(self):
        answers = list(self.answers)
        while answers:
            connection, _ = self.listener.accept()
            with connection, connection.makefile("rb") as reader:
                line = reader.readline().decode()
                if not line:
                    continue  # only looked whether somebody listens
                length = 0
                while (field := reader.readline().strip().lower()):
                    if field.startswith(b"content-length:"):
                        length = int(field.split(b":")[1])
                reader.read(length)
                self.asked.append(line.rsplit(" ", 1)[0])
                status, body = answers.pop(0)
                connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())


GOOD = {"account": "default/batch", "profile": "batch", "key": "ec-p256", "url": "https://x", "label": "batch", "root": "",
        "tokens": [{"id": "one", "token": "T1", "expires": "2030-01-01T00:00:00Z"}, {"id": "two", "token": "T2", "expires": "2030-01-01T00:00:00Z"}]}


def without(member):
    return {name: value for name, value in GOOD.items() if name != member}


UNREADABLE = {
    "no URL": (without("url"), 2, "url: "),
    "no expiry": ({**GOOD, "tokens": [GOOD["tokens"][0], {"id": "two", "token": "T2"}]}, 2, "tokens[1].expires: "),
    "no id": ({**GOOD, "tokens": [GOOD["tokens"][0], {"token": "T2"}]}, 1, "tokens[1].id: "),
    "one token": ({**GOOD, "tokens": GOOD["tokens"][:1]}, 1, "the server's answer holds 1 tokens for 2 devices"),
}


@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.parametrize("refused", [False, True], ids=["withdrawn", "not withdrawn"])
def test_tokens_that_nobody_got_are_withdrawn_and_the_operator_reads_it(tmp_path, case, refused):
    """Whatever goes wrong behind the minting."""
    answer, known, why = UNREADABLE[case]
    data, out = tmp_path / "d", tmp_path / "o"
    data.mkdir()
    out.mkdir()
    end = (500, "{}") if refused else (204, "")
    with listening(data, 8) as listener:
        server = Answering(listener, [(201, json.dumps(answer)), *[end] * known])
        server.start()
        done = verb("est", "enroll-bundle", "batch", "--devices", "-", "--out", out / "batch.csv", "--data", data, input="gw-1\ngw-2\n")
        server.join(30)
    tokens = "/api/postern/v1/est/batch/tokens"
    assert server.asked == [f"POST {tokens}/batch", *[f"DELETE {tokens}/{name}" for name in ("one", "two")[:known]]]
    assert done.returncode == 1 and why in done.stderr, done.stderr
    assert f"postern: 2 tokens were minted, and {out}/batch.csv was not written\n" in done.stderr
    left = 2 if refused else 2 - known
    if left == 0:
        assert "postern: the tokens were withdrawn\n" in done.stderr
    else:
        assert f"postern: {left} of them could not be withdrawn, and nobody knows them; `postern est token list batch` shows them until their end" in done.stderr
    assert list(out.iterdir()) == []
