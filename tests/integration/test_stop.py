"""SIGTERM drains, SIGKILL leaves nothing in the way."""
import json
import os
import signal
import socket
import sqlite3
import time

import pytest

BODY = json.dumps({"name": "late", "role": "auditor"}).encode()
HEAD = (b"POST /api/postern/v1/principals HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(BODY))
NET_SECONDS = 60


def await_event(server, event):
    end = time.monotonic() + NET_SECONDS
    while not server.events(event):
        assert time.monotonic() < end, f"no {event}: {server.log_tail()}"
        time.sleep(0.01)


def read_all(connection):
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_is_answered(new_server, number):
    server = new_server()
    server.start()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(NET_SECONDS)
        connection.connect(str(server.data / "control.sock"))
        connection.sendall(HEAD + BODY[:5])
        # An answer on another connection to the same shards: the first has been read by then.
        assert server.verb("cert", "list", "--data", server.data).returncode == 0
        os.kill(server.pid, number)
        await_event(server, "stopping")
        connection.sendall(BODY[5:])
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert b"\r\nConnection: close\r\n" in answer
    server.await_end()
    # What was answered is stored: the name is taken.
    again = server.verb("principal", "create", "late", "--role", "auditor", "--data", server.data)
    assert again.stderr == "postern: a principal named late exists already\n"


def crl_numbers(server):
    with sqlite3.connect(f"file:{server.data}/postern.db?mode=ro", uri=True) as database:
        return database.execute("SELECT key_id, crl_number FROM authority ORDER BY key_id").fetchall()


def test_a_verb_on_a_stopped_server_signs_for_a_revocation_only(new_server):
    server = new_server()
    server.start()
    serial = json.loads(server.cli("cert", "list", "--json").splitlines()[0])["serial"]
    server.stop()
    before = crl_numbers(server)
    for verb in (("cert", "list"), ("key", "list"), ("principal", "list"), ("export",), ("principal", "create", "x", "--role", "auditor")):
        done = server.verb(*verb, "--data", server.data)
        assert (done.returncode, crl_numbers(server)) == (0, before), done
    done = server.verb("cert", "revoke", serial, "--data", server.data)
    assert done.returncode == 0, done
    assert sorted(after[1] - was[1] for was, after in zip(before, crl_numbers(server))) == [0, 1]


def test_an_idle_connection_does_not_delay_the_end(new_server):
    server = new_server()
    server.start()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.data / "control.sock"))
        connection.sendall(b"GET /api/postern/v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.settimeout(NET_SECONDS)
        assert connection.recv(12) == b"HTTP/1.1 200"
        server.stop()
        read_all(connection)


def test_a_stop_leaves_no_socket_and_one_database_file(new_server):
    server = new_server()
    server.start()
    server.stop()
    assert {path.name for path in server.data.iterdir()} == {"first-account", "keys", "tls", "lock", "postern.db", "root.pem"}
    assert server.events("stopped") == 1


def test_a_stop_right_after_the_start_is_a_clean_one(new_server):
    """Background work of the start, the first CRLs for one, may be anywhere."""
    server = new_server()
    for _ in range(20):
        server.start()
        server.stop()


def test_after_a_kill_the_next_start_takes_over(new_server):
    server = new_server()
    server.start()
    first = server.directory()
    server.kill()
    assert (server.data / "control.sock").exists()
    assert len(server.all_certificates()) == 2  # its own TLS and the RA's, in process, past the dead socket
    server.start()
    assert server.directory() == first
