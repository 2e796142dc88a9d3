"""DER to write and to read, and the indefinite lengths of BER to write. Values are bytes, complete with tag and length.

The reader takes DER alone, and says which octet is none: it judges what a server sent.
"""
from dataclasses import dataclass

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8, PRINTABLE, T61, IA5, BMP = 0x0C, 0x13, 0x14, 0x16, 0x1E
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31
# How the text of each string type becomes octets.
STRINGS = {UTF8: "utf-8", PRINTABLE: "ascii", T61: "latin-1", IA5: "ascii", BMP: "utf-16-be"}
END = b"\0\0"


def length(count):
    if count < 0x80:
        return bytes([count])
    octets = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def tlv(tag, *parts, indefinite=False):
    """`indefinite` is BER, for constructed types only."""
    content = b"".join(parts)
    if indefinite:
        assert tag & 0x20, "only a constructed value can have an indefinite length"
        return bytes([tag, 0x80]) + content + END
    return bytes([tag]) + length(len(content)) + content


def sequence(*parts, indefinite=False):
    return tlv(SEQUENCE, *parts, indefinite=indefinite)


def set_of(*parts):
    """Sorted, as DER wants a SET OF."""
    return tlv(SET, *sorted(parts))


def context(number, *parts, constructed=True, indefinite=False):
    return tlv(0x80 | (0x20 if constructed else 0) | number, *parts, indefinite=indefinite)


def integer(value):
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def boolean(value):
    return tlv(BOOLEAN, b"\xff" if value else b"\0")


def null():
    return tlv(NULL)


def octets(value):
    return tlv(OCTET_STRING, value)


def chunked(tag, value, size):
    """A string cut into constructed pieces of OCTET STRING: BER, as streaming writers send it."""
    pieces = [octets(value[i:i + size]) for i in range(0, len(value), size)]
    return tlv(tag | 0x20, *pieces, indefinite=True)


def bits(value):
    return tlv(BIT_STRING, b"\0", value)


def named_bits(*positions):
    """A BIT STRING with these bits set and no zero bit at its end."""
    value = sum(1 << (31 - position) for position in positions)
    octet = value.to_bytes(4, "big").rstrip(b"\0")
    unused = 31 - max(positions) & 7 if positions else 0
    return tlv(BIT_STRING, bytes([unused]), octet)


def string(tag, text):
    return tlv(tag, text.encode(STRINGS[tag]))


def printable(text):
    return string(PRINTABLE, text)


def utf8(text):
    return string(UTF8, text)


def oid(text):
    first, second, *rest = map(int, text.split("."))
    body = b""
    for arc in (40 * first + second, *rest):
        piece = [arc & 0x7F]
        while arc := arc >> 7:
            piece.append(0x80 | arc & 0x7F)
        body += bytes(reversed(piece))
    return tlv(OID, body)


def time(moment):
    """A naive UTC datetime as RFC 5280 wants it."""
    if 1950 <= moment.year < 2050:
        return tlv(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())


class NotDer(ValueError):
    """Where and why."""


@dataclass
class Node:
    """One value: its tag, its content, and all of its octets."""

    tag: int
    content: bytes
    raw: bytes

    def children(self):
        if not self.tag & 0x20:
            raise NotDer(f"tag {self.tag:#04x} has no parts")
        found, rest = [], self.content
        while rest:
            node, rest = read(rest)
            found.append(node)
        return found

    def expect(self, tag, what):
        if self.tag != tag:
            raise NotDer(f"{what} has tag {self.tag:#04x}, not {tag:#04x}")
        return self

    def integer(self):
        self.expect(INTEGER, "an integer")
        if not self.content or (len(self.content) > 1 and self.content[0] in (0, 255) and
                                self.content[0] >> 7 == self.content[1] >> 7):
            raise NotDer("an integer is empty or longer than it needs")
        return int.from_bytes(self.content, "big", signed=True)

    def oid(self):
        self.expect(OID, "an object identifier")
        arcs, value = [], 0
        for octet in self.content:
            value = value << 7 | octet & 0x7F
            if not octet & 0x80:
                arcs.append(value)
                value = 0
        if not arcs or self.content[-1] & 0x80:
            raise NotDer("an object identifier breaks off")
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def read(data):
    """(the first value, what follows it)."""
    if len(data) < 2:
        raise NotDer("it breaks off before a length")
    tag, first, at = data[0], data[1], 2
    if tag & 0x1F == 0x1F:
        raise NotDer("a tag of several octets")
    if first == 0x80:
        raise NotDer(f"tag {tag:#04x} has an indefinite length")
    count = first
    if first > 0x80:
        at = 2 + (first & 0x7F)
        count = int.from_bytes(data[2:at], "big")
        if len(data) < at or length(count) != data[1:at]:
            raise NotDer(f"tag {tag:#04x} has a length that is not the shortest")
    if len(data) < at + count:
        raise NotDer(f"tag {tag:#04x} breaks off: {count} octets are named, {len(data) - at} are there")
    return Node(tag, data[at:at + count], data[:at + count]), data[at + count:]


def whole(data):
    """The only value of `data`."""
    node, rest = read(data)
    if rest:
        raise NotDer(f"{len(rest)} octets follow the value")
    return node
