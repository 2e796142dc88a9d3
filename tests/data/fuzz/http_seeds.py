"""Heads, bodies and texts: HTTP, DNS, JSON, TOML and what is said in them."""
import base64
import json

from seed import CRYPTO, ROOT, b64, write


def http():
    heads = {
        "certbot": "GET /acme/default/directory HTTP/1.1\r\nHost: ca.example:8443\r\nUser-Agent: CertbotACMEClient/2.1.0 (certbot; Debian)\r\n"
                   "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
        "lego": "POST /acme/default/new-order HTTP/1.1\r\nHost: ca.example\r\nUser-Agent: xenolf-acme/4.9.1\r\nContent-Length: 512\r\n"
                "Content-Type: application/jose+json\r\nAccept-Encoding: gzip\r\n\r\n",
        "expect": "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
        "old": "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "empty-lines": "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "absolute": "GET http://a.example:80/x?y=1 HTTP/1.1\r\nHost: a.example\r\n\r\n", "asterisk": "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "query": "GET /list?a=%20b&c HTTP/1.1\r\nHost: [::1]:8443\r\nX-Octets: \t \xe4 \t\r\n\r\nnext",
        "two-lengths": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "length-and-coding": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "coding-twice": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "folded": "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "bare-feed": "GET / HTTP/1.1\nHost: a\n\n",
        "bare-return": "GET / HTTP/1.1\r\nHost: a\r\nX: a\rContent-Length: 3\r\n\r\n", "space-before-colon": "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "nul": "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", "no-host": "GET / HTTP/1.1\r\n\r\n", "two-hosts": "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
        "plus-length": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "http-2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "long-target": "GET /" + "a" * 200 + " HTTP/1.1\r\nHost: a\r\n\r\n", "many-fields": "GET / HTTP/1.1\r\nHost: a\r\n" + "A: b\r\n" * 20 + "\r\n",
        "tls": "\x16\x03\x01\x02\x00\x01", "long-fields": "GET / HTTP/1.1\r\nHost: a\r\nX: " + "b" * 700 + "\r\n\r\n",
    }
    for name, text in heads.items():
        write("http_head", name, text.encode("latin-1"))

    chunked = {"one": "5\r\nhello\r\n0\r\n\r\n", "extension": "a;x=\"y\" ; z\r\n0123456789\r\n0\r\n\r\n", "trailer": "1\r\na\r\n0\r\nX: y\r\n\r\nGET /",
               "upper": "1A\r\n" + "b" * 26 + "\r\n000\r\n\r\n", "two": "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n", "empty": "0\r\n\r\n", "bare-feed": "5\nhello\n0\n\n",
               "negative": "-1\r\n\r\n", "hex-prefix": "0x5\r\nhello\r\n0\r\n\r\n", "too-long": "fff\r\n", "huge": "ffffffffffffffff\r\na",
               "space": "5 \r\nhello\r\n0\r\n\r\n", "no-end": "5\r\nhelloXX0\r\n\r\n", "cut": "5\r\nhel", "return-in-trailer": "0\r\nX: a\rb\r\n\r\n"}
    for name, text in chunked.items():
        write("http_chunked", name, "\x01" + text)

    plain_answer = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
    answers = {"nginx": "\0" + plain_answer, "head": "\2" + plain_answer, "cut": "\1" + plain_answer.replace("5", "900").replace("hello", "a" * 900),
               "chunked": "\0HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "until-end": "\0HTTP/1.0 200 OK\r\n\r\nhello",
               "interim": "\0HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "feeds": "\0HTTP/1.1 301 Moved\nLocation: http://b.example/\n x\n\n",
               "not-modified": "\0HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "two-lengths": "\0HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
               "coding": "\0HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "no-http": "\0SSH-2.0-OpenSSH_9.2p1\r\n\r\n", "no-colon": "\0HTTP/1.1 200 OK\r\nhello\r\n\r\n",
               "too-long": "\0HTTP/1.1 200 OK\r\n\r\n" + "b" * 300, "broken-chunk": "\0HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
               "endless": "\0" + "HTTP/1.1 103 Early Hints\r\n\r\n" * 12}
    for name, text in answers.items():
        write("http_response", name, text)

    token = "0123456789abcdefghijk-"
    paths = {"root": "\0/", "directory": "\0/acme/default/directory", "order": f"\2/acme/default/order/{token}", "finalize": f"\2/acme/a.b/order/{token}/finalize",
             "crl": "\0/crl/Issuing-1.crl", "number": "\0/n/9223372036854775807", "serial": "\4/n/0aF9", "label": "\0/n/seven/x", "literal": "\2/n/7/x",
             "head": "\1/n/a/y", "head-of-get": "\1/n/a/x", "405": "\3/n/1", "404": "\0/nothing", "dots": "\0/crl/..", "zero": "\0/n/0", "beyond": "\0/n/9223372036854775808",
             "empty-segment": "\0//acme", "no-slash": "\0acme", "upper": "\0/acme/Default/directory"}
    for name, text in paths.items():
        write("http_route", name, text)

    locations = {"same": "http://a.example/x", "https": "HTTPS://B.example:443/.well-known/acme-challenge/token?x=y#z", "path": "/x/./y/../z", "relative": "../other",
                 "query": "?a=b", "host": "//c.example", "fragment": "#z", "dot": "http://a.example./", "address": "http://192.0.2.1/", "self": "\2http://192.0.2.1/x",
                 "v6-self": "\3http://[2001:db8::1]:8080/", "v6-other": "\3http://[::1]/", "user": "http://a@b.example/", "scheme": "ftp://a.example/", "numbers": "http://127.1/",
                 "hex": "http://a.0x7f/", "backslash": "http:\\\\b.example", "space": "http://a.example/a b", "empty": "", "port": "http://a.example:99999/",
                 "two-slashes": "/.//b.example/"}
    for name, text in locations.items():
        write("location", name, text if text[:1] in "\2\3" and text else "\0" + text)


def texts():
    values = {"order": '{"identifiers":[{"type":"dns","value":"a.example"}],"notAfter":"2026-11-21T08:00:00Z"}', "numbers": "[0,-1,1.5,1e2,-0.0,9223372036854775807,1e-7]",
              "large": "[9223372036854775808,1.7976931348623157e308,4.9e-324]", "strings": r'["\u0000\"\\\/\b\f\n\r\t","\ud83d\ude00","Zürich ' + '\u202e"]',
              "nested": "[" * 16 + "]" * 16, "deep": "[" * 17 + "]" * 17, "empty": "{}", "space": ' {\t"a" :\r\n[ true , false,null ] } ', "twice": '{"a":1,"\\u0061":2}',
              "lone-low": r'"\udc00"', "lone-high": r'"\ud800"', "trailing": "{} x", "comma": "[1,]", "leading-zero": "[01]", "overflow": "1e999", "underflow": "1e-999",
              "control": '"a\nb"', "bom": "\ufeff{}", "nan": "NaN", "comment": "/**/1", "many": json.dumps({f"k{i}": i for i in range(40)})}
    for name, text in values.items():
        write("json", name, text)
    write("json", "not-utf8", b'"\xc0\xaf"')
    write("json", "surrogate-octets", b'"\xed\xa0\x80"')

    config = (ROOT / "config/postern.toml").read_text()
    write("config", "example", config)
    write("config", "example-uncommented", "\n".join(line.removeprefix("#").lstrip() if "=" in line or line.startswith("#[") else "" if line.startswith("#") else line
                                                      for line in config.splitlines()))
    samples = {"listen": '[listen]\nhttps = "[::1]:8443"\nhttp = "localhost:8080"\nmanagement = "127.0.0.1:0"\n', "public": '[public]\nhttps = "https://ca.example.com"\nest = "https://[2001:db8::1]:8444"\n',
               "limits": '[limits]\nconnections = 500\nheader_bytes = "8KiB"\nhead = "5s"\nidle = "2m"\n', "ca": '[ca]\nname = "Example"\nroot_key = "rsa-4096"\nissuing_key = "ec-p256"\nroot_lifetime = "7300d"\ncrl_lifetime = "1h"\n',
               "dns": '[dns]\nservers = ["192.0.2.53", "192.0.2.54@5353"]\ndnssec = false\ntimeout = "2s"\nstub_zones = {"a.test" = "127.0.0.1@53"}\n[dns.hosts]\n"*.b.test" = "192.0.2.1"\n',
               "log": '[log]\nlevel = "debug"\nformat = "text"\nfile = "/var/log/postern.log"\n[store]\nurl = "sqlite:x"\n[secrets]\nmaster_key_file = "/k"\n[validation]\nhttp_01_timeout = "10s"\n',
               "unknown": '[listen]\nhtps = "0.0.0.0:1"\n', "type": '[log]\nlevel = 1\n', "key": '[ca]\nroot_key = "ec-p521"\n', "short": '[ca]\ncrl_lifetime = "59m"\n', "url": '[public]\nhttps = "https://a/b"\n',
               "port": '[listen]\nhttps = "0.0.0.0:65536"\n', "no-brackets": '[listen]\nhttps = "::1:8443"\n', "broken": "[listen\n", "negative": "[limits]\nuri_bytes = -1\n", "no-table": 'listen = "x"\n'}
    for name, text in samples.items():
        write("config", name, text)

    for path in sorted((ROOT / "config").glob("*.toml")):
        if path.name != "postern.toml":
            write("documents", path.stem, path.read_text())
    account = '[[account]]\nname = "web"\nendpoint = "acme"\nmethod = "eab"\nprofiles = ["tls"]\nnames = [".example.org"]\nwildcard = true\n'
    objects = {"tenant": '[[tenant]]\nname = "default"\ndescription = "d"\n', "organization": '[[organization]]\nname = "o"\nlegal_name = "Müller GmbH"\ncountry = "DE"\n[[department]]\nname = "d"\norganization = "o"\n',
               "domain": '[[domain]]\nname = "example.org"\ntenant = "t"\n', "profile": '[[profile]]\nname = "tls"\nlifetime = "90d"\nkeys = ["ec-p256"]\nmust_staple = false\nnames_limit = 100\nenabled = false\n',
               "endpoint": '[[endpoint]]\nname = "acme"\nprotocol = "acme"\nprofiles = ["tls"]\n', "account": account, "generate": account + "secret = {generate = true}\n", "keep": account + 'secret = "keep"\n',
               "given": account + 'secret = {value = "c2VjcmV0", key_id = "k"}\n', "false": account + "secret = {generate = false}\n", "twice": account + account, "no-name": '[[tenant]]\n', "bad-name": '[[tenant]]\nname = "A b"\n',
               "unknown-kind": '[[tenent]]\nname = "a"\n', "unknown-key": '[[tenant]]\nname = "a"\nx = 1\n', "no-list": '[tenant]\nname = "a"\n', "wrong-type": '[[profile]]\nname = "p"\nlifetime = 90\nkeys = "x"\n', "empty": ""}
    for name, text in objects.items():
        write("documents", name, text)

    tomls = {"all": 'a = "x"\nb = 1\nc = [1, 2.5, [true]]\nd = {e = "f", "g h" = {}}\nt = 2026-11-21T08:00:00Z\nu = 2026-11-21\nv = 08:00:00\n[w]\nx = """\nlong"""\n[[y]]\nz = 0xff\n',
             "floats": "a = 1.0\nb = -0.0\nc = 1e300\nd = 6.02e23\n", "strings": 'a = "\\u0000 \\" \\\\ \\U0001F600"\nb = \'literal\'\n"ä" = "\u202e"\n"" = 1\n', "dotted": "a.b.c = 1\na.b.d = 2\n",
             "integers": "a = 9223372036854775807\nb = -9223372036854775808\nc = 0b101\nd = 1_000\n", "empty": "", "inf": "a = inf\n", "nan": "a = [nan]\n", "twice": "a = 1\na = 2\n", "cut": "a = [1,", "bom": "\ufeffa = 1\n",
             "overflow": "a = 9223372036854775808\n", "comment": "# only\n", "not-utf8": b'a = "\xff"\n', "deep": "a = " + "[" * 100 + "]" * 100 + "\n", "deeper": "a = " + "[" * 300 + "]" * 300 + "\n"}
    for name, text in tomls.items():
        write("toml", name, text)

    chain = (CRYPTO / "chain.pem").read_text()
    pieces = {"url": b64(bytes(range(64))), "standard": base64.b64encode(b"hello world").decode(), "hex": "00ffAb", "trailing-bits": "QQ", "trailing-bits-set": "QR", "padded": "QQ==", "one": "Q",
              "duration": "90d", "zero-duration": "0s", "time": "2026-11-21T08:00:00Z", "offset": "2026-11-21T08:00:00.125+02:00", "leap": "2016-12-31T23:59:60Z", "before-year-0": "0000-01-01T00:00:00+23:59",
              "after-year-9999": "9999-12-31T23:59:60Z", "pem": chain[:chain.index("-----END") + 26], "broken-pem": "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n", "percent": "a%20b%2F", "percent-cut": "a%2",
              "white": "QUJD\n", "url-in-standard": "-_-_", "no-end": "-----BEGIN CERTIFICATE-----\nQUJD\n", "in-line": "x -----BEGIN CERTIFICATE-----\nQUJD\n"}
    for name, text in pieces.items():
        write("encoding", name, text)


def dns():
    def records(*rdatas):
        return b"".join(bytes([len(r)]) + r for r in rdatas)

    digest = b64(bytes(32)).encode()
    samples = {"challenge": records(bytes([43]) + digest), "two-strings": records(b"\3abc\4defg", b"\0"), "cut-string": records(b"\5abc"), "empty": b"", "empty-record": b"\0",
               "issue": records(b"\0\5issueca.example; accounturi=https://ca.example/a/1"), "wild": records(b"\x80\x09issuewild;", b"\0\5iodefmailto:a@b.example"), "upper": records(b"\0\5ISSUEx"),
               "tag-too-long": records(b"\0\xffissue"), "no-tag": records(b"\0\0x"), "hyphen": records(b"\0\5is-uex"), "name": b"_acme-challenge.WWW.Example.org.", "long-label": b"a" * 64 + b".example",
               "empty-label": b"a..b", "long-name": b".".join([b"a" * 62] * 5), "one": b"a", "unicode": "münchen.example".encode(), "full": records(bytes([254]) + b"x" * 254)}
    for name, content in samples.items():
        write("dns", name, content)
