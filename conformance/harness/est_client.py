"""EST as people script it: openssl makes the request, curl sends it, openssl reads the answer."""
import re
import subprocess
from types import SimpleNamespace

from .environment import environment


def run(*command, data=None):
    done = subprocess.run(list(map(str, command)), input=data, capture_output=True, check=False, env=environment())
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout


class EstClient:
    def __init__(self, server, folder, source=None):
        """`source`: the loopback address that it asks from."""
        self.server, self.folder, self.source = server, folder, source
        self._count = 0

    def file(self, name):
        self._count += 1
        return self.folder / f"{self._count}-{name}"

    def key(self):
        out = self.file("key.pem")
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", out)
        return out

    def request(self, subject, key=None, sans=()):
        """PEM file of a request and of its key. `subject`: "/CN=router-7"; "" for none."""
        key, out = key or self.key(), self.file("request.pem")
        names = ("-addext", "subjectAltName=" + ",".join(sans)) if sans else ()
        run("openssl", "req", "-new", "-key", key, "-subj", subject or "/", *names, "-out", out)
        return SimpleNamespace(file=out, key=key)

    def ask(self, endpoint, operation, request=None, identity=None, user=None, bearer=None, headers=(), url=None):
        """Status, headers, text; the certificate's PEM file of an enrollment that was answered. `identity`: what has .chain and .key."""
        body, head = self.file("answer"), self.file("head")
        command = ["curl", "-sS", "--max-time", "60", "--cacert", self.server.root, "-o", body, "-D", head]
        if self.source:
            command += ["--interface", self.source]
        if request is not None:
            command += ["-H", "Content-Type: application/pkcs10", "--data-binary", f"@{request.file}"]
        if identity is not None:
            command += ["--cert", identity.chain, "--key", identity.key]
        if user is not None:
            command += ["-u", user]
        if bearer is not None:
            command += ["-H", f"Authorization: Bearer {bearer}"]
        for line in headers:
            command += ["-H", line]
        run(*command, f"{url or self.server.est(endpoint)}/{operation}")
        lines = head.read_text(errors="replace").splitlines()
        status = [int(line.split()[1]) for line in lines if line.startswith("HTTP/")][-1]
        out = SimpleNamespace(status=status, headers={k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if ":" in line)},
                              text="", chain=None, key=request.key if request else None)
        if status == 200 and operation in ("simpleenroll", "simplereenroll"):
            der = run("openssl", "base64", "-d", "-in", body)
            out.chain = self.file("certificate.pem")
            out.chain.write_bytes(run("openssl", "pkcs7", "-inform", "DER", "-print_certs", data=der))
        else:
            out.text = body.read_bytes().decode(errors="replace") if body.exists() else ""
        return out

    def enroll(self, endpoint, request, **how):
        return self.ask(endpoint, "simpleenroll", request, **how)

    def reenroll(self, endpoint, request, identity, **how):
        return self.ask(endpoint, "simplereenroll", request, identity=identity, **how)


def subject(answer):
    """Of a certificate that was answered, as "CN=router-7"."""
    return run("openssl", "x509", "-in", answer.chain, "-noout", "-subject", "-nameopt", "rfc2253,utf8").decode().strip().removeprefix("subject=").strip()


def serial(answer):
    return run("openssl", "x509", "-in", answer.chain, "-noout", "-serial").decode().strip().removeprefix("serial=").lower()


def reference(answer):
    """The request id that a refusal names."""
    return re.search(r"\(ref ([^)]+)\)", answer.text)[1]


def refused(answer, status, check, part=""):
    assert (answer.status, answer.text.split(":")[0]) == (status, f"{status} {check}"), answer.text
    assert part in answer.text, answer.text
