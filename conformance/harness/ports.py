"""Loopback ports that nobody else is given while this process lives, also not while a server that had one is down.

They lie below those that the kernel hands out for connections and for port 0, and belong to this process in blocks:
a block is held by an abstract socket of its name, so that suites, and whole runs, may go on side by side."""
import os
import socket

FIRST, BLOCK = 10_000, 64
_USUAL_END = 32_768


def _end():
    """Of what the kernel never hands out; where that is hardly anything, of what it usually does not."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as said:
        low = int(said.read().split()[0])
    return low if low >= 2 * FIRST else _USUAL_END


def _is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Ports:
    def __init__(self, first=FIRST, end=None):
        self._blocks = range(first, (end or _end()) - BLOCK + 1, BLOCK)
        self._held, self._left = [], iter(())

    def next(self):
        while True:
            for port in self._left:
                if _is_free(port):
                    return port
            self._left = iter(self._reserve())

    def _reserve(self):
        begin = os.getpid() % len(self._blocks)  # processes that follow one another do not meet what the last one left
        for number in range(len(self._blocks)):
            first = self._blocks[(begin + number) % len(self._blocks)]
            holder = socket.socket(socket.AF_UNIX)
            try:
                holder.bind(f"\0postern-test-ports-{first}")
            except OSError:
                holder.close()
                continue
            self._held.append(holder)
            return range(first, first + BLOCK)
        raise AssertionError("every block of ports is held by some test")


_ports = Ports()


def free_port():
    return _ports.next()
