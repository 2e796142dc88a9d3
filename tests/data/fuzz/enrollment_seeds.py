"""Bodies of EST and messages of SCEP (RFC 7030, RFC 8894)."""
import base64
import subprocess

from pkix_seeds import tlv
from seed import CRYPTO, ROOT, write


def est():
    examples = {"rfc8951": "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw==",
                "acp": "MGgwZgYJKoZIhvcNAQkOMVkwVzBVBgNVHREBAf8ESzBJoEcGCCsGAQUFBwgKoDsWOXJmYzg5OTQrZmQ3MzlmYzIzYzM0NDAxMTIyMzM0NDU1MDAwMDAwMDArQGFjcC5leGFtcGxlLmNvbQ==",
                "mac-address": "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==", "rsa-4096": "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==",
                "p384": "MC4GCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgNVBAUGCCqGSM49BAMD", "drink": "MEUGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAjBgkqhkiG9w0BCRQGCgmSJomT8ixkAQUGA1UEBQYIKoZIzj0EAwQ=",
                "binding": "MAsGCSqGSIb3DQEJBw==", "empty": "MAA=",
                "template": "MIGpMIGmBgsqhkiG9w0BCRACPTGBljCBkwIBADAsMQcwBQYDVQQDMQ8wDQYDVQQLDAZteURlcHQxEDAOBgNVBAsMB215R3JvdXCgFTATBgcqhkjOPQIBBggqhkjOPQMBB6FJMEcGCyqGSIb3DQEJEAI+MTgwNjAdBgNVHREEFjAUghB3d3cubXlTZXJ2ZXIuY29thwAwDgYDVR0PAQH/BAQDAgOIMAUGA1UdJQ==",
                "subject": "MCMwIQYLKoZIhvcNAQkQAj0xEjAQAgEAMAkxBzAFBgNVBAOhAA==",
                "told": "MF8wFQYHKoZIzj0CATEKBggqhkjOPQMBBwYDVQQFMEEGCyqGSIb3DQEJEAI9MTIwMAIBADASMQcwBQYDVQQDMQcwBQYDVQQFoBUwEwYHKoZIzj0CAQYIKoZIzj0DAQehAA=="}
    for name, text in examples.items():
        write("csr_attributes", name, base64.b64decode(text))
    told = base64.b64decode(examples["told"])
    broken = {"cut": told[:-3], "trailing": told + b"\0", "version": told.replace(b"\2\1\0", b"\2\1\1"), "two-templates": tlv(0x30, base64.b64decode(examples["subject"])[2:] * 2),
              "integer": b"\x30\3\2\1\0", "no-attributes": tlv(0x30, base64.b64decode(examples["subject"])[2:-2])}
    for name, content in broken.items():
        write("csr_attributes", name, content)

    der = (CRYPTO / "ec-p256.csr").read_bytes() if (CRYPTO / "ec-p256.csr").exists() else bytes(range(48, 200))
    line = base64.b64encode(der).decode()
    pem = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(der).decode() + "-----END CERTIFICATE REQUEST-----\n"
    bodies = {"one-line": line, "lines": base64.encodebytes(der).decode(), "crlf": base64.encodebytes(der).decode().replace("\n", "\r\n\t "), "pem": pem, "new-pem": pem.replace("BEGIN C", "BEGIN NEW C").replace("END C", "END NEW C"),
              "other-pem": pem.replace("CERTIFICATE REQUEST", "CERTIFICATE"), "two-pems": pem * 2, "cut-pem": pem[:-9], "crossed-pem": pem.replace("END C", "END NEW C"), "no-padding": line + "A", "url": "-_-_", "junk": "hello, world",
              "empty": "", "space": " \r\n", "nul": line + "\0"}
    for name, text in bodies.items():
        write("est_body", name, text)
    write("est_body", "der", b"\x30\x03\x02\x01\x00")


def scep():
    folder = ROOT / "tests/data/scep"
    for path in sorted(folder.glob("*.der")):
        content = path.read_bytes()
        if b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" in content[:24]:
            write("scep_message", path.stem, content)
    for name in ("printable", "utf8", "ia5", "t61", "bmp", "4000"):
        write("csr", f"challenge-{name}", (folder / f"challenge-{name}.csr").read_bytes())

    # The envelope within, as openssl's asn1parse finds it.
    for name in ("sscep", "sscep-legacy", "apple", "windows", "oaep", "oaep-sha256", "by-key-identifier", "strongswan", "scepclient", "bad-kari", "bad-pwri", "bad-kekri",
                 "bad-gcm", "bad-des", "bad-rc2"):
        done = subprocess.run(["openssl", "cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in", folder / f"{name}.der"], capture_output=True, check=False)
        write("cms_enveloped", name, done.stdout)
    key = bytes(range(16))
    filler = b"\x11" * (256 - 3 - 16)
    blocks = {"pkcs1": b"\0\2" + filler + b"\0" + key, "pkcs1-zero": b"\0\2" + filler[:-1] + b"\0\0" + key, "pkcs1-type-1": b"\0\1" + filler + b"\0" + key,
              "block-1": b"a" * 15 + b"\1", "block-8": b"a" * 8 + b"\x08" * 8, "block-16": b"\x10" * 16, "block-0": b"a" * 15 + b"\0", "block-17": b"\x11" * 32,
              "block-uneven": b"a" * 13 + b"\2\3\3"}
    for name, content in blocks.items():
        write("cms_enveloped", name, b"\0" + content)

    message = base64.b64encode(bytes(range(256)) * 2).decode()
    lines = "%0A".join(message[i:i + 64] for i in range(0, len(message), 64))
    queries = {"caps": "/scep/e?operation=GetCACaps", "cert": "/scep/e/pkiclient.exe?operation=GetCACert&message=default", "next": "/scep/e?operation=GetNextCACert",
               "raw": f"/scep/e?operation=PKIOperation&message={message}", "macos": "/scep/e?operation=PKIOperation&message=" + message.replace("=", "%3D"),
               "encoded": "/scep/e?operation=PKIOperation&message=" + message.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
               "lines": "/scep/e?operation=PKIOperation&message=" + lines, "spaces": "/scep/e?operation=PKIOperation&message=" + message.replace("+", "%20"),
               "post": "/scep/e", "two": "/e?operation=GetCACaps&operation=GetCACert", "unknown": "/e?operation=Update", "cut": "/e?operation=%", "url": "/e?operation=PKIOperation&message=AA-_",
               "empty": "/e?operation=PKIOperation&message=", "amp": "/e?&&&=&operation=GetCACaps", "nul": "/e?operation=PKIOperation&message=AAA%00", "two-messages": "/e?message=a&message=b"}
    for name, text in queries.items():
        write("scep_query", name, text)


def general_names():
    """subjectAltName values: one GeneralName or several, right and wrong."""
    upn, spn = bytes.fromhex("060a2b060104018237140203"), bytes.fromhex("06062b0601050202")
    sid = b"tag:microsoft.com,2022-09-14:sid:S-1-5-21-3623811015-3361044348-30300820-1104"

    def principal(value, kind=upn):
        return tlv(0xA0, kind + tlv(0xA0, value))

    each = {"dns": tlv(0x82, b"*.example.com"), "email": tlv(0x81, b"jane@example.com"), "uri": tlv(0x86, b"https://example.com/a%20b"), "ip": tlv(0x87, bytes(4)),
            "ip6": tlv(0x87, bytes(15) + b"\1"), "upn": principal(tlv(0x0C, "j\u00f6rg@corp.example".encode())), "spn": principal(tlv(0x0C, b"HTTP/a"), spn),
            "directory": tlv(0xA4, tlv(0x30, b"")), "registered-id": tlv(0x88, b"\x2a\3"), "sid": tlv(0x86, sid), "sid-capitals": tlv(0x86, sid.upper()),
            "sid-percent": tlv(0x86, sid.replace(b",", b"%2C")), "sid-twice": tlv(0x86, sid.replace(b",", b"%252C")), "sid-more": tlv(0x86, sid + b"-1"),
            "sid-as-upn": principal(tlv(0x0C, sid + b"@corp.example")), "sid-utf16": principal(tlv(0x1E, sid.decode().encode("utf-16-be")), spn),
            "upn-bmp": principal(tlv(0x1E, "a@b".encode("utf-16-be"))), "upn-ia5": principal(tlv(0x16, b"a@b")), "upn-nul": principal(tlv(0x0C, b"a\0@b")),
            "upn-empty": principal(tlv(0x0C, b"")), "upn-overlong": principal(tlv(0x0C, b"\xc0\x80@b")), "upn-two": principal(tlv(0x0C, b"a@b") * 2),
            "upn-bare": tlv(0xA0, upn), "dns-nul": tlv(0x82, b"a\0b"), "uri-empty": tlv(0x86, b""), "email-utf8": tlv(0x81, "j\u00f6@b".encode()),
            "ip-long": tlv(0x87, bytes(8)), "no-name": tlv(0x0C, b"a")}
    for name, content in each.items():
        write("names", name, tlv(0x30, content))
    write("names", "all", tlv(0x30, b"".join(each[n] for n in ("dns", "email", "uri", "ip", "ip6", "upn", "spn", "directory", "registered-id", "sid"))))
    write("names", "none", tlv(0x30, b""))
    write("names", "trailing", tlv(0x30, each["upn"]) + b"\0")
    write("names", "long-length", b"\x30\x81" + tlv(0x30, each["dns"])[1:])
