"""Clients that nobody here wrote, behind one interface each. A client's files are in its folder."""
import re
import subprocess
from pathlib import Path

from harness.environment import environment

CLIENT_SECONDS = 240
JARS = [Path("/usr/share/java") / f"{name}.jar" for name in ("bcpkix", "bcutil", "bctls", "bcprov")]


class Program:
    def __init__(self, server, folder):
        self.server, self.folder = server, folder

    def run(self, *command, output=None, data=None):
        """The finished process; its standard output goes to the file `output`, too."""
        done = subprocess.run(list(map(str, command)), cwd=self.folder, capture_output=True, check=False, timeout=CLIENT_SECONDS,
                              env=environment(HOME=str(self.folder)), **({"input": data} if data is not None else {"stdin": subprocess.DEVNULL}))
        if output:
            (self.folder / output).write_bytes(done.stdout)
        return done

    def good(self, *command, **how):
        done = self.run(*command, **how)
        assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}"
        return done

    # ---- what people do with openssl beside any client

    def new_key(self, kind="ec", name="key.pem"):
        how = ("EC", "ec_paramgen_curve:P-256") if kind == "ec" else ("RSA", "rsa_keygen_bits:2048")
        self.good("openssl", "genpkey", "-algorithm", how[0], "-pkeyopt", how[1], "-out", name)
        return name

    def request(self, subject, key="key.pem", form="PEM", name="request"):
        """`form`: PEM, base64 (one line) or lines."""
        self.good("openssl", "req", "-new", "-key", key, "-subj", f"/CN={subject}", "-out", f"{name}.pem")
        if form == "PEM":
            return f"{name}.pem"
        self.good("openssl", "req", "-in", f"{name}.pem", "-outform", "DER", "-out", f"{name}.der")
        self.good("openssl", "base64", "-e", *(("-A",) if form == "base64" else ()), "-in", f"{name}.der", "-out", f"{name}.b64")
        return f"{name}.b64"

    def unpack(self, answer, name="cert.pem"):
        """base64 of PKCS #7 to PEM, as in every script about EST."""
        self.good("openssl", "base64", "-d", "-in", answer, "-out", "answer.p7")
        self.good("openssl", "pkcs7", "-inform", "DER", "-in", "answer.p7", "-print_certs", "-out", name)
        return name

    def subject(self, name="cert.pem"):
        return self.good("openssl", "x509", "-in", name, "-noout", "-subject", "-nameopt", "RFC2253").stdout.decode().strip().removeprefix("subject=").strip()

    def serial(self, name="cert.pem"):
        return self.good("openssl", "x509", "-in", name, "-noout", "-serial").stdout.decode().strip().removeprefix("serial=").lower()

    def public_key(self, name):
        return self.good("openssl", "x509", "-in", name, "-noout", "-pubkey").stdout


class Curl(Program):
    def ask(self, url, *options, output="answer"):
        """(status, text of a refusal)."""
        done = self.good("curl", "-sS", "--max-time", "60", "--cacert", self.server.root, "-o", output, "-w", "%{http_code}", *options, url)
        status = int(done.stdout)
        path = self.folder / output
        return status, path.read_bytes().decode(errors="replace") if path.exists() and status != 200 else ""

    def post(self, url, body, *options):
        return self.ask(url, "-H", "Content-Type: application/pkcs10", "--data-binary", f"@{body}", *options)


class Wget(Program):
    """GnuTLS, and 401 before the password unless told otherwise."""

    def ask(self, url, *options, output="answer"):
        return self.run("wget", "-q", "--server-response", "--tries=1", "--timeout=60", f"--ca-certificate={self.server.root}", "-O", output, *options, url)

    def post(self, url, body, *options):
        return self.ask(url, "--header=Content-Type: application/pkcs10", f"--post-file={body}", *options)


class StrongSwan(Program):
    """`url` has no /.well-known/est: pki appends it."""

    def __init__(self, server, folder, label=None):
        super().__init__(server, folder)
        base = server.est("x").split("/.well-known")[0]
        self.url = f"{base}/est/{label}" if label else base

    def pki(self, *arguments, output=None):
        return self.run("pki", *arguments, output=output)

    def new_key(self, kind="ec", name="key.pem"):
        how = ("ecdsa", "256") if kind == "ec" else ("rsa", "2048")
        self.good("pki", "--gen", "--type", how[0], "--size", how[1], "--outform", "pem", output=name)
        return name

    def request(self, subject, key="key.pem", name="request.der"):
        self.good("pki", "--req", "--in", key, "--type", "priv", "--dn", f"CN={subject}", "--outform", "der", output=name)
        return name

    def est(self, request, *arguments, output="cert.pem"):
        return self.pki("--est", "--url", self.url, "--in", request, "--cacert", self.server.root, "--outform", "pem", *arguments, output=output)

    def words(self, done):
        """Without what its plugins say of themselves."""
        return "\n".join(line for line in done.stderr.decode(errors="replace").splitlines() if not line.startswith(("plugin", "TPM")))


class BouncyCastle(Program):
    """BouncyCastle.java of this folder, compiled by ecj into `classes`."""

    def __init__(self, server, folder, classes):
        super().__init__(server, folder)
        self.classes = classes

    @staticmethod
    def compiled(folder):
        source = Path(__file__).resolve().parent / "BouncyCastle.java"
        command = ["ecj", "-proc:none", "-17", "-d", str(folder), "-cp", ":".join(map(str, JARS)), str(source)]
        done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=CLIENT_SECONDS, env=environment())
        assert done.returncode == 0, done.stdout + done.stderr
        return folder

    def ask(self, operation, label, *words):
        """(exit status, {name: value}); of several values of one name a list is kept under name + "s"."""
        place = self.server.est("x").split("/")[2]
        done = self.run("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", ":".join(map(str, [self.classes, *JARS])), "BouncyCastle", operation, f"server={place}", f"label={label}",
                        f"root={self.server.root}", *words)
        text = done.stdout.decode()
        pairs = re.findall(r"^(\w+)=(.*)$", text, re.M)
        found = dict(pairs)
        for key, _ in pairs:
            found[key + "s"] = [value for other, value in pairs if other == key]
        assert done.returncode in (0, 3), text + done.stderr.decode(errors="replace")
        return done.returncode, found
