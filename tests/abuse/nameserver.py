"""A name server of whoever owns the names: it counts what it is asked, and says what it was told to."""
import ipaddress
import socket
import threading

A, AAAA = 1, 28


class NameServer:
    """`answers` maps a name to the addresses of one question after the other, each with TTL 0; the last
    ones stay. Other names do not exist."""

    def __init__(self, answers):
        self.asked = []
        """(name, type) of every question, oldest first."""
        self._answers = {name: list(sets) for name, sets in answers.items()}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self):
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while True:
            question, peer = self._socket.recvfrom(4096)
            if not question:
                return
            self._socket.sendto(self._answer(question), peer)

    def _answer(self, question):
        labels, at = [], 12
        while size := question[at]:
            labels.append(question[at + 1:at + 1 + size].decode())
            at += 1 + size
        kind = int.from_bytes(question[at + 1:at + 3], "big")
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        addresses = self._addresses(name, kind)
        records = b"".join(b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1" + bytes(4) + len(a).to_bytes(2, "big") + a
                           for a in addresses)
        code = 0 if name in self._answers else 3
        return (question[:2] + bytes([0x85, 0x80 | code]) + b"\0\1" + len(addresses).to_bytes(2, "big") + bytes(4)
                + question[12:at + 5] + records)

    def _addresses(self, name, kind):
        if name not in self._answers or kind not in (A, AAAA):
            return []
        sets = self._answers[name]
        version = 4 if kind == A else 6
        found = [ipaddress.ip_address(text).packed for text in sets[0] if ipaddress.ip_address(text).version == version]
        if found and len(sets) > 1:
            sets.pop(0)
        return found
