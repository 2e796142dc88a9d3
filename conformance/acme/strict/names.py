"""A name server of whoever owns the names, over UDP and TCP (RFC 1035)."""
import ipaddress
import socketserver
import threading

A, CNAME, SOA, TXT, AAAA, CAA = 1, 5, 6, 16, 28, 257
SERVFAIL, NXDOMAIN = 2, 3
OPT = 41


def txt(*strings):
    """RDATA of one TXT record; a string of more than 255 octets is split."""
    parts = []
    for each in strings:
        each = each.encode()
        parts += [each[i:i + 255] for i in range(0, len(each), 255)] or [b""]
    return b"".join(bytes([len(part)]) + part for part in parts)


def caa(tag, value, flags=0):
    """RDATA of a CAA record (RFC 8659 §4.1)."""
    return bytes([flags, len(tag)]) + tag.encode() + value.encode()


def wire_name(name):
    labels = [part.encode() for part in name.rstrip(".").split(".") if part]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


class Question:
    def __init__(self, octets):
        labels, at = [], 12
        while size := octets[at]:
            labels.append(octets[at + 1:at + 1 + size].decode("latin-1"))
            at += 1 + size
        self.id, self.section = octets[:2], octets[12:at + 5]
        self.type = int.from_bytes(octets[at + 1:at + 3], "big")
        self.name = ".".join(labels).lower()
        more = octets[at + 5:]
        # What UDP carries: 512 octets (RFC 1035 §4.2.1), or what the OPT record says (RFC 6891 §6.2.3).
        self.udp_octets = max(512, int.from_bytes(more[3:5], "big")) if more[:3] == bytes([0, 0, OPT]) else 512

    def answer(self, records=(), code=0, truncated=False, number=None):
        """Octets; `records` are (type, RDATA) or (type, RDATA, owner)."""
        body = b""
        for kind, data, *owner in records:
            body += (wire_name(owner[0]) if owner else b"\xc0\x0c") + kind.to_bytes(2, "big") + b"\0\1" + bytes(4) + len(data).to_bytes(2, "big") + data
        authorities = 0
        if not records and code in (0, NXDOMAIN) and not truncated:
            # So long a missing record is remembered (RFC 2308 §5): not at all.
            authorities, start = 1, wire_name("ns") + wire_name("hostmaster") + bytes(20)
            body = wire_name(self.name.rpartition(".")[2]) + SOA.to_bytes(2, "big") + b"\0\1" + bytes(4) + len(start).to_bytes(2, "big") + start
        flags = bytes([0x85 | (2 if truncated else 0), 0x80 | code])
        return (number or self.id) + flags + b"\0\1" + len(records).to_bytes(2, "big") + authorities.to_bytes(2, "big") + bytes(2) + self.section + body


class NameServer:
    """Every name has the server's own address and nothing else, but for what `records` says: {(name, type): RDATAs, one of SERVFAIL and
    NXDOMAIN, or a function of the Question that gives octets or None for silence}. A name's CNAME answers every type. TTLs are 0."""

    def __init__(self, address, port):
        self.records, self.asked, self.address, self.port = {}, [], ipaddress.ip_address(address), port
        server = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                octets, wire = self.request
                if answer := server._answer(octets):
                    for one in answer if isinstance(answer, list) else [answer]:
                        wire.sendto(one, self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                while size := self.rfile.read(2):
                    answer = server._answer(self.rfile.read(int.from_bytes(size, "big")), 65535)
                    for one in answer if isinstance(answer, list) else [answer]:
                        if one:
                            self.wfile.write(len(one).to_bytes(2, "big") + one)

        class TcpServer(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self._servers = [socketserver.ThreadingUDPServer((address, port), Udp), TcpServer((address, port), Tcp)]
        self._servers[0].daemon_threads = True
        for one in self._servers:
            one.max_packet_size = 65535
            threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        for one in self._servers:
            one.shutdown()
            one.server_close()

    def says(self, name, kind, *data):
        """Records of a name, from now on."""
        self.records[name.lower(), kind] = list(data)

    def does(self, name, kind, what):
        self.records[name.lower(), kind] = what

    def addresses(self, name, *texts):
        each = [ipaddress.ip_address(text) for text in texts]
        self.says(name, A, *(one.packed for one in each if one.version == 4))
        self.says(name, AAAA, *(one.packed for one in each if one.version == 6))

    def _answer(self, octets, limit=None):
        """Octets, several of them, or None; `limit`: octets of an answer, where not UDP's."""
        if len(octets) < 17:
            return None
        question = Question(octets)
        self.asked.append((question.name, question.type))
        found = self.records.get((question.name, question.type))
        if callable(found):
            return found(question)
        if isinstance(found, int):
            return question.answer(code=found)
        if isinstance(found, str):
            found = [wire_name(found)]
        if found is None and (alias := self.records.get((question.name, CNAME))):
            return question.answer(self._followed(alias, question.type))
        if found is None:
            found = [self.address.packed] if question.type == (A if self.address.version == 4 else AAAA) else []
        whole = question.answer([(question.type, data) for data in found])
        return whole if len(whole) <= (limit or question.udp_octets) else question.answer(truncated=True)

    def _followed(self, alias, kind):
        """CNAMEs to their end, or to where they begin again."""
        records, owner, seen = [], None, set()
        while alias and alias not in seen:
            seen.add(alias)
            records.append((CNAME, wire_name(alias), *([owner] if owner else [])))
            owner, target = alias, self.records.get((alias, CNAME))
            if target is None:
                records += [(kind, data, owner) for data in self.records.get((owner, kind), [])]
            alias = target
        return records

    def alias(self, name, target):
        self.records[name.lower(), CNAME] = target.lower()
