"""The ports that tests listen on: what makes two suites at a time, and two runs on one machine, possible."""
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.ports import BLOCK, Ports, free_port

ANOTHER = "from harness.ports import BLOCK, free_port; print(*(free_port() for _ in range(BLOCK + 1)), flush=True); input()"


def test_two_processes_never_have_the_same_port():
    with subprocess.Popen([sys.executable, "-c", ANOTHER], cwd=Path(__file__).resolve().parents[2] / "conformance", text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        theirs = set(map(int, other.stdout.readline().split()))
        ours = {free_port() for _ in range(2 * BLOCK)}
        other.stdin.close()
    assert len(theirs) == BLOCK + 1 and len(ours) == 2 * BLOCK
    assert not ours & theirs


def test_they_are_none_that_the_kernel_hands_out():
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    if low < 20_000:
        pytest.skip(f"this kernel hands out ports from {low}")
    assert not low <= free_port() <= high


def test_a_port_in_use_is_left_out_and_an_end_is_told():
    first = 9_000
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + 3))
        some = Ports(first, first + BLOCK)
        given = []
        with pytest.raises(AssertionError, match="every block of ports is held"):
            while True:
                given.append(some.next())
    assert first + 3 not in given and given == sorted(set(given)) and BLOCK // 2 < len(given) < BLOCK
    with pytest.raises(AssertionError, match="every block of ports is held"):
        Ports(first, first + BLOCK).next()  # as long as the first one lives
