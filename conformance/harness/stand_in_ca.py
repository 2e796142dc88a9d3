#!/usr/bin/python3
"""A CA behind Postern's command backend that misbehaves when plan.json in its folder says so.

  stand_in_ca.py FOLDER < request

Each request is written to FOLDER/journal before anything else, and each certificate to FOLDER/issued/REQUEST.
"""
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

FOLDER = Path(sys.argv[1])
PEM = serialization.Encoding.PEM
USAGES = {"digitalSignature": "digital_signature", "contentCommitment": "content_commitment",
          "keyEncipherment": "key_encipherment", "dataEncipherment": "data_encipherment", "keyAgreement": "key_agreement"}


def key_usage(names):
    flags = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{flag: flag in names for flag in flags})


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def make_ca(label, signer=None, begin=-30, end=3650, more=()):
    """Writes label.key and label.pem; without a signer it signs itself. `more` are extensions with whether they are critical."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.utcnow()
    issuer_name, issuer_key = (signer[1].subject, signer[0]) if signer else (name_of(label), key)
    builder = (x509.CertificateBuilder().subject_name(name_of(label)).issuer_name(issuer_name)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now + timedelta(days=begin)).not_valid_after(now + timedelta(days=end))
               .add_extension(x509.BasicConstraints(True, None), True)
               .add_extension(key_usage(["key_cert_sign", "crl_sign"]), True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False))
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    (FOLDER / f"{label}.key").write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (FOLDER / f"{label}.pem").write_bytes(certificate.public_bytes(PEM))
    return key, certificate


def load(label):
    return (serialization.load_pem_private_key((FOLDER / f"{label}.key").read_bytes(), None),
            x509.load_pem_x509_certificate((FOLDER / f"{label}.pem").read_bytes()))


def prepare():
    if (FOLDER / "root.pem").exists():
        return
    (FOLDER / "issued").mkdir(exist_ok=True)
    root = make_ca("root")
    issuing = make_ca("issuing", root)
    make_ca("lower", issuing)
    make_ca("vendor", root, more=[(x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), True)])
    make_ca("narrow", root, more=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)])
    make_ca("over", root, begin=-20, end=-10)
    make_ca("stranger")


def instant(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def make_certificate(request, how):
    content = request["content"]
    csr = x509.load_pem_x509_csr(request["csr"].encode())
    issuer = {"expired_chain": "over", "wrong_issuer": "stranger", "issuer_critical": "vendor", "issuer_narrow": "narrow",
              "deep": "lower"}.get(how, "issuing")
    key, ca = load(issuer)
    names = [name["value"] for name in content["names"]]
    begin, end = instant(content["not_before"]), instant(content["not_after"])
    serial = x509.random_serial_number()
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, part["value"]) for part in content["subject"] if part["type"] == "CN"]
    purposes = [ObjectIdentifier(oid) for oid in content["extended_key_usage"]]
    usage = [USAGES[each] for each in content["key_usage"]]
    public_key = csr.public_key()
    if how == "other_key":
        public_key = ec.generate_private_key(ec.SECP256R1()).public_key()
    if how == "name_more":
        names.append("more." + names[0])
    if how == "name_missing":
        names = names[1:]
    if how == "not_yet_valid":
        begin += timedelta(days=2)
        end += timedelta(days=2) - timedelta(days=2)
    if how == "over":
        begin, end = begin - timedelta(minutes=30), begin - timedelta(minutes=10)
    if how == "too_long":
        end += timedelta(days=400)
    if how == "too_early":
        begin -= timedelta(days=400)
    if how == "subject_more":
        subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Somebody Else Ltd"))
    if how == "purpose_more":
        purposes.append(ExtendedKeyUsageOID.CODE_SIGNING)
    if how == "usage_more":
        usage.append("key_cert_sign")
    if how == "encipherment_more":
        usage.append("data_encipherment")
    if how == "same_serial":
        serial = 0x5EC0DE5EC0DE5EC0DE
    builder = (x509.CertificateBuilder().subject_name(x509.Name(subject)).issuer_name(ca.subject).public_key(public_key)
               .serial_number(serial).not_valid_before(begin).not_valid_after(end)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
               .add_extension(x509.ExtendedKeyUsage(purposes), False))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    if how not in ("ca_true", "usage_missing"):
        builder = builder.add_extension(key_usage(usage), True)
    if how == "ca_true":
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    if how == "identity_more":
        builder = builder.add_extension(x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.311.25.2"), b"\x30\x00"), False)
    if how == "critical_vendor":
        builder = builder.add_extension(x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.311.21.7"), b"\x30\x00"), True)
    if how == "wrong_signature":
        key = load("stranger")[0]
    certificate = builder.sign(key, hashes.SHA256())
    if how == "deep":
        ca = load("issuing")[1]  # its issuer is declared
    # A stranger's chain is whole, and ends at the stranger.
    return b"".join(each.public_bytes(PEM) for each in (certificate, ca)).decode()


def issued(request, how):
    """Made once, whatever happens to the answer."""
    path = FOLDER / "issued" / request["request"]
    if not path.exists():
        path.with_suffix(".new").write_text(json.dumps({"chain": make_certificate(request, how)}))
        path.with_suffix(".new").rename(path)
    return {"status": "issued", "chain": json.loads(path.read_text())["chain"]}


def say(answer):
    json.dump(answer, sys.stdout)
    sys.stdout.flush()


def for_ever():
    while True:
        time.sleep(60)


def note(name, text):
    (FOLDER / name).write_text(text)


def misbehave(how, request):
    """True when that was all."""
    if how == "slow":
        note("pid", str(os.getpid()))
        for_ever()
    elif how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["/bin/sleep", "600"])
        note("pid", f"{os.getpid()} {child.pid}")
        for_ever()
    elif how == "leaves_child":
        child = subprocess.Popen(["/bin/sleep", "600"])
        note("pid", str(child.pid))
        return False
    elif how == "silent":
        pass
    elif how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "status_3":
        print("no paper \x1b[31m in the printer", file=sys.stderr)
        say(issued(request, how))
        sys.exit(3)
    elif how == "no_json":
        print("Certificate issued. Have a nice day.")
    elif how == "wrong_types":
        say({"status": "issued", "chain": 17})
    elif how == "no_such_status":
        say({"status": "perhaps"})
    elif how == "giant":
        sys.stdout.write("[" * (1 << 22))
    elif how == "nul":
        sys.stdout.write("{\"status\":\0\"issued\"}")
    elif how == "trailing":
        say(issued(request, how))
        print("{}")
    elif how == "half":
        chain = issued(request, how)["chain"]
        say({"status": "issued", "chain": chain[:len(chain) // 3]})
    elif how == "broken_certificate":
        say({"status": "issued", "chain": "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"})
    elif how == "lost":
        issued(request, "well")
        note("pid", str(os.getpid()))
        for_ever()
    elif how == "waits":
        while not (FOLDER / "go").exists():
            time.sleep(0.05)
        return False
    elif how == "pending":
        say({"status": "pending", "handle": "h-" + request["request"], "poll_after": 1})
    elif how == "refused":
        say({"status": "refused", "reason": "not on a Sunday", "log": "rule 7 \x1b[31m"})
    elif how == "unavailable":
        say({"status": "unavailable", "retry_after": 77})
    elif how == "absent":
        say({"status": "absent"})
    elif how == "told":
        note("told", json.dumps({"environment": dict(os.environ), "directory": os.getcwd(), "umask": os.umask(0),
                                 "descriptors": sorted(int(fd) for fd in os.listdir("/proc/self/fd")),
                                 "group": os.getpgid(0) == os.getpid(), "request": request}))
        return False
    else:
        return False
    return True


def main():
    request = json.load(sys.stdin)
    operation = request["operation"]
    plan = json.loads((FOLDER / "plan.json").read_text())
    how = plan.get(operation, "well")
    if operation == "test":
        prepare()
        if not misbehave(how, request):
            say({"status": "ok", "log": "stand-in"})
        return
    with (FOLDER / "journal").open("a") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        journal.write(json.dumps([operation, request["request"]]) + "\n")
        journal.flush()
    if misbehave(how, request):
        return
    if operation == "revoke":
        say({"status": "revoked"})
    elif operation == "lookup" and not (FOLDER / "issued" / request["request"]).exists():
        say({"status": "absent"})
    else:
        say(issued(request, how))


main()
