"""A ClientHello octet by octet, for what no TLS library offers any more (RFC 5246 §7.4.1.2)."""
import os
import struct

TLS_1_2 = 0x0303
MODERN = (0xC02B, 0xC02F)  # ECDHE with AES-128-GCM


def _vector(width, octets):
    return len(octets).to_bytes(width, "big") + octets


def _extension(number, octets):
    return struct.pack(">H", number) + _vector(2, octets)


def client_hello(version=TLS_1_2, suites=MODERN, compressions=(0,), alpn=()):
    """One record with a whole ClientHello."""
    extensions = (_extension(10, _vector(2, struct.pack(">HH", 29, 23))) +  # groups: X25519, P-256
                  _extension(11, _vector(1, b"\0")) +
                  _extension(13, _vector(2, struct.pack(">HHHHH", 0x0403, 0x0804, 0x0401, 0x0203, 0x0201))))
    if alpn:
        extensions += _extension(16, _vector(2, b"".join(_vector(1, name) for name in alpn)))
    body = (struct.pack(">H", version) + os.urandom(32) + b"\0" +
            _vector(2, b"".join(struct.pack(">H", suite) for suite in suites)) +
            _vector(1, bytes(compressions)) + _vector(2, extensions))
    return b"\x16\x03\x01" + _vector(2, b"\x01" + _vector(3, body))


def server_hello(connection):
    """(suite, compression) of the ServerHello that comes next."""
    octets = b""
    while len(octets) < 5 or len(octets) < 5 + int.from_bytes(octets[3:5], "big"):
        got = connection.socket.recv(65536)
        assert got, f"the connection ended after {octets!r}"
        octets += got
    assert octets[0] == 22 and octets[5] == 2, f"no ServerHello: {octets[:8].hex()}"
    after_session = 5 + 4 + 2 + 32 + 1 + octets[5 + 4 + 2 + 32]
    return int.from_bytes(octets[after_session:after_session + 2], "big"), octets[after_session + 2]
