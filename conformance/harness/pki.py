"""What openssl says of a certificate: the judge that is not Postern."""
import re
import subprocess

from .environment import environment


def _run(*command):
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False, env=environment())
    return done.returncode, done.stdout + done.stderr


def serial(certificate):
    """Lower-case hex, as Postern prints it."""
    status, text = _run("openssl", "x509", "-in", certificate, "-noout", "-serial")
    assert status == 0, text
    return text.strip().removeprefix("serial=").lower()


def key(certificate):
    """As "EC P-256" or "RSA 2048"."""
    status, text = _run("openssl", "x509", "-in", certificate, "-noout", "-text")
    assert status == 0, text
    bits = re.search(r"Public-Key: \((\d+) bit\)", text)[1]
    curve = re.search(r"NIST CURVE: (\S+)", text)
    return f"EC {curve[1]}" if curve else f"RSA {bits}"


def names(certificate):
    status, text = _run("openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectAltName")
    assert status == 0, text
    return sorted(re.findall(r"DNS:([^\s,]+)", text))


def addresses(certificate):
    status, text = _run("openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectAltName")
    assert status == 0, text
    return sorted(re.findall(r"IP Address:([^\s,]+)", text))


def fetch_crl(certificate, folder):
    """The list that the certificate names, downloaded now, as PEM."""
    status, text = _run("openssl", "x509", "-in", certificate, "-noout", "-ext", "crlDistributionPoints")
    urls = re.findall(r"URI:(\S+)", text)
    assert status == 0 and urls, f"{certificate} names no CRL: {text}"
    der, pem = folder / "fresh.crl", folder / "fresh.crl.pem"
    status, text = _run("curl", "-sS", "--fail", "--max-time", "30", "-o", der, urls[0])
    assert status == 0, f"{urls[0]}: {text}"
    status, text = _run("openssl", "crl", "-inform", "DER", "-in", der, "-out", pem)
    assert status == 0, f"{urls[0]} is no CRL: {text}"
    return pem


def verify(certificate, chain, root, folder, at=None):
    """(whether it holds, what openssl said) with a fresh CRL, at a moment (Unix seconds) or now."""
    crl = fetch_crl(certificate, folder)
    when = () if at is None else ("-attime", int(at))
    status, text = _run("openssl", "verify", "-x509_strict", "-crl_check", "-CAfile", root, "-untrusted", chain,
                        "-CRLfile", crl, *when, certificate)
    return status == 0, text
