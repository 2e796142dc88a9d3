#!/usr/bin/python3
"""Captures what Debian's SCEP clients send, for the messages and key of make.py.

A recorder answers GetCACaps and GetCACert as Postern would, keeps each PKIOperation and refuses it. Run it in the
folder after make.py. Needs: strongswan-pki, scep, certmonger, dbus-daemon, openssl.
"""
import http.server
import subprocess
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = Path(tempfile.mkdtemp(prefix="postern-capture-"))
# Without SHA-384 the client of strongSwan 5.9.8 takes SHA-256 and AES for absent: its table counts the flags anew.
CAPS = "AES\nPOSTPKIOperation\nRenewal\nSHA-1\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard"


class Recorder(http.server.BaseHTTPRequestHandler):
    chain = b""
    caps = CAPS
    kept = []

    def answer(self, status, media, body):
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # noqa: N802 (the base class names it)
        if "GetCACaps" in self.path:
            self.answer(200, "text/plain", self.caps.encode())
        elif "GetCACert" in self.path:
            self.answer(200, "application/x-x509-ca-ra-cert", self.chain)
        else:
            self.kept.append(self.path.encode())
            self.answer(500, "text/plain", b"")

    def do_POST(self):  # noqa: N802
        self.kept.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(500, "text/plain", b"")

    def log_message(self, *_):
        pass


def run(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, timeout=120, check=False)


def keep(file, what):
    if not Recorder.kept:
        raise SystemExit(f"{file}: the client sent nothing: {what.stderr.decode(errors='replace')}{what.stdout.decode(errors='replace')}")
    (HERE / file).write_bytes(Recorder.kept[0])
    Recorder.kept.clear()


for each in ("ra", "issuer", "root", "device-issued"):
    run("openssl", "x509", "-inform", "DER", "-in", HERE / f"{each}.der", "-out", WORK / f"{each}.pem")
run("openssl", "crl2pkcs7", "-nocrl", "-certfile", WORK / "ra.pem", "-certfile", WORK / "issuer.pem", "-outform", "DER", "-out", WORK / "chain.p7b")
Recorder.chain = (WORK / "chain.p7b").read_bytes()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}/scep"
run("openssl", "pkey", "-in", HERE / "device.key.pem", "-outform", "DER", "-out", WORK / "device.key")
run("openssl", "genrsa", "-out", WORK / "new.key", "2048")

strongswan = ("pki", "--scep", "--url", url, "--dn", "O=Example, CN=device-7", "--cacert-enc", HERE / "ra.der", "--cacert-sig", HERE / "ra.der",
              "--cacert", HERE / "issuer.der", "--cacert", HERE / "root.der")
keep("strongswan.der", run(*strongswan, "--in", WORK / "device.key", "--password", "correct horse", "--san", "device-7.example"))
keep("strongswan-renewal.der", run(*strongswan, "--in", WORK / "new.key", "--cert", HERE / "device-issued.der", "--key", WORK / "device.key"))
Recorder.caps = CAPS + "\nDES3"
keep("strongswan-legacy.der", run(*strongswan, "--in", WORK / "device.key", "--password", "correct horse", "--cipher", "des3", "--digest", "sha1"))
Recorder.caps = CAPS
# It always uses DES and SHA-1 (its case in the tests is a refusal).
keep("scepclient.der", run("scepclient", "-server-url", url, "-private-key", WORK / "scepclient.key", "-certificate", WORK / "scepclient.pem",
                           "-challenge", "correct horse", "-cn", "device-7"))
# certmonger, on a bus of its own; it sends by GET whatever is advertised.
keep("certmonger.target", run("dbus-run-session", "--", "bash", "-c", f"""
export HOME={WORK} XDG_CONFIG_HOME={WORK}/config
mkdir {WORK}/config
/usr/lib/certmonger/certmonger-session -n &
daemon=$!
until getcert add-scep-ca -s -c recorder -u {url} -r {WORK}/ra.pem -N {WORK}/issuer.pem -I {WORK}/root.pem; do sleep 0.2; done
getcert request -s -c recorder -f {WORK}/certmonger.pem -k {WORK}/certmonger.key -N 'O=Example,CN=device-7' -L 'correct horse' -D device-7.example
until getcert list -s | grep -q CA_UNREACHABLE; do sleep 0.2; done
kill $daemon
wait $daemon
"""))
server.shutdown()
print("captured")
