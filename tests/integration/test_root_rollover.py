"""The root is succeeded: SCEP and ACME before and after its day, restarts, a kill, a backup, what is refused and what is on record."""
import json
import sqlite3
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from harness.clients import Certbot
from harness.environment import environment, executable
from harness.scep_device import Device
from harness.scep_reply import SUCCESS
from harness.scep_style import STYLES
from harness.server import Postern
from harness.waiting import until
from harness.wire import ask


@pytest.fixture(params=["sqlite", "postgres"])
def laboratory(request, new_server):
    options = {}
    if request.param == "postgres":
        options["options"] = ("--store", request.getfixturevalue("cluster").database().url)
    server = new_server(**options)
    server.start()
    server.code = server.access_code()
    return server


def in_days(days, seconds=0):
    return (datetime.now(timezone.utc) + timedelta(days=days, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def known(server):
    return json.loads(server.cli("ca", "authorities", "--json", *server.options))


def roles(server):
    return [row["role"] for row in known(server)["authorities"]]


def prepare(server):
    return json.loads(server.cli("ca", "rollover", "--root", "--at", in_days(30), "--json", *server.options))


def prepare_for_soon(server):
    """A machine may be so busy that the time is over when the verb arrives."""
    seconds = 20
    while "takes over in the future" in (done := server.verb("ca", "rollover", "--root", "--at", in_days(0, seconds), "--json", "--data", server.data, *server.options)).stderr:
        seconds *= 2
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(server, *words):
    done = server.verb("ca", "rollover", *words, "--data", server.data, *server.options)
    assert done.returncode != 0, done.stdout
    return done.stderr


def device(server):
    return Device(server.scep(), STYLES["android"], subject=[("CN", "phone")]).discover()


def file_of(server, name):
    answer = ask(f"{server.scep().split('/scep')[0]}/{name}")
    assert answer.status == 200, name
    return answer.body


def certificate(server, name):
    return x509.load_der_x509_certificate(file_of(server, f"ca/{name}.cer"))


def audit(server):
    """What was done with authorities: (action, root, issuing CA); None on PostgreSQL, where the same batch writes it."""
    if server.options:
        return None
    with sqlite3.connect(f"file:{server.data}/postern.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT action, object_id, detail FROM audit WHERE object_kind = 'authority' ORDER BY id").fetchall()
    return [(action, root, json.loads(detail)["issuing"]) for action, root, detail in rows]


def certificates(pem):
    end = b"-----END CERTIFICATE-----\n"
    return [x509.load_pem_x509_certificate(block + end) for block in pem.split(end) if block.strip()]


def roots(server):
    return certificates(file_of(server, "ca/roots.pem"))


def crl_number(server, key_id):
    return x509.load_der_x509_crl(file_of(server, f"crl/{key_id}/0.crl")).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_scep_over_a_new_root(laboratory):
    server = laboratory
    old = x509.load_pem_x509_certificate(Path(server.root).read_bytes())
    early = device(server)
    made = prepare(server)
    root, issuing = made["root"]["authority"], made["authority"]
    assert roles(server) == ["root", "next_root", "issuing", "successor"]
    former = known(server)["authorities"][0]["authority"]
    crossed = known(server)["crossCertificates"]
    assert [(c["subject"], c["issuer"]) for c in crossed] == [(root, former), (former, root)]
    assert [f"{certificate(server, f'{s}-{i}').serial_number:032x}" for s, i in ((root, former), (former, root))] == [c["serial"] for c in crossed]
    assert certificate(server, root).fingerprint(certificate(server, root).signature_hash_algorithm).hex() == made["root"]["sha256"]
    assert [each.subject for each in roots(server)] == [old.subject, certificate(server, root).subject]
    assert until(lambda: ask(f"{server.scep().split('/scep')[0]}/crl/{root}/0.crl").status == 200, "the new root publishes no CRL")

    # GetNextCACert shows the new root, signed by the CA of today, as soon as its RA has a certificate.
    until(lambda: "GetNextCACert" in device(server).caps, "the capability does not appear")
    next_ra, next_ca, shown = early.get_next_ca_cert()
    assert (next_ca, shown) == (file_of(server, f"ca/{issuing}.cer"), file_of(server, f"ca/{root}.cer"))
    # A second one is refused with what stands, of either kind.
    for words in (("--root", "--at", in_days(40)), ("--at", in_days(40))):
        said = refused(server, *words)
        assert "a successor waits already" in said and root in said and issuing in said
    assert len(known(server)["authorities"]) == 4

    # A restart changes nothing.
    server.stop()
    assert roles(server) == ["root", "next_root", "issuing", "successor"]
    server.start()
    assert device(server).get_next_ca_cert() == [next_ra, next_ca, shown]

    server.cli("clock", "advance", "31d")
    until(lambda: device(server).recipient == next_ra, "the new RA does not take over")
    assert roles(server) == ["root", "former_root", "former", "issuing"]
    newest = device(server)
    assert newest.issuer == next_ca
    reply = newest.enroll(server.code)
    assert reply.status == SUCCESS and reply.certificate.issuer.rfc4514_string() == "CN=Postern Issuing CA 2,O=Postern"
    # What people are given is the new one.
    until(lambda: x509.load_pem_x509_certificate(Path(server.root).read_bytes()).public_bytes(Encoding.DER) == shown, "root.pem stays the old one")
    assert roots(server)[0].public_bytes(Encoding.DER) == shown and len(roots(server)) == 2
    assert certificates(file_of(server, "ca/chain.pem"))[1].public_bytes(Encoding.DER) == shown
    # The old root's CRL goes on.
    assert crl_number(server, former) >= 1

    # On record.
    assert audit(server) in (None, [("ca.root_prepared", root, issuing)])
    assert "no successor waits" in refused(server, "--withdraw")


def verified(anchor, way, leaf):
    done = subprocess.run(["openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile", anchor, "-untrusted", way, leaf], capture_output=True, check=False, env=environment())
    return done.returncode == 0, (done.stdout + done.stderr).decode()


def test_acme_over_a_new_root(laboratory, tmp_path):
    """Without the laboratory's clock, for the client's is right."""
    server = laboratory
    old, new = tmp_path / "old.pem", Path(server.root)
    old.write_bytes(new.read_bytes())
    client = Certbot(server, tmp_path)
    name = f"before.{server.suffix}"
    before = client.issue(name)
    assert before.status == 0, before.output
    made = prepare_for_soon(server)
    until(lambda: roles(server) == ["root", "former_root", "former", "issuing"], "it does not take over", 120)
    until(lambda: new.read_bytes() != old.read_bytes(), "root.pem stays the old one")
    # The listener's own certificate, too: certbot trusts the new root alone.
    until(lambda: x509.load_pem_x509_certificate((server.data / "tls/server.pem").read_bytes()).issuer.rfc4514_string().endswith("Issuing CA 2,O=Postern"),
          "the server's own certificate stays under the old root")
    after = client.issue(f"after.{server.suffix}")
    assert after.status == 0, after.output
    chain = certificates(after.chain.read_bytes())
    former = next(row["authority"] for row in known(server)["authorities"] if row["role"] == "former_root")
    assert chain == [certificate(server, made["authority"]), certificate(server, f"{made['root']['authority']}-{former}")]
    for anchor in (old, new):
        held, said = verified(anchor, after.chain, after.certificate)
        assert held, said
    # A certificate of before goes on under the root that it was issued under, and renews to the new one.
    assert verified(old, before.chain, before.certificate)[0] and not verified(new, before.chain, before.certificate)[0]
    renewed = client.renew(name)
    assert renewed.status == 0, renewed.output
    for anchor in (old, new):
        assert verified(anchor, renewed.chain, renewed.certificate)[0]


def shown_by_listener(server):
    """What its handshake has beside the leaf."""
    port = server.listeners["est"].rsplit(":", 1)[1]
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-showcerts"], stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environment())
    text = done.stdout[:done.stdout.find(b"Server certificate")]
    end = b"-----END CERTIFICATE-----"
    return [x509.load_pem_x509_certificate(block[block.index(b"-----BEGIN"):] + end) for block in text.split(end) if b"-----BEGIN" in block]


def test_when_the_old_root_has_ended(new_server, tmp_path):
    """What leads from it goes, without a new certificate for the listener."""
    file = tmp_path / "postern.toml"
    file.write_text('[ca]\nroot_lifetime = "300d"\nissuing_lifetime = "295d"\n')
    server = new_server(options=("--config", file))
    server.start()
    made = json.loads(server.cli("ca", "rollover", "--root", "--at", in_days(200), "--json", "--config", file))
    root = made["root"]["authority"]
    crossed = json.loads(server.cli("ca", "authorities", "--json", "--config", file))["crossCertificates"][0]
    server.cli("clock", "advance", "299d", "--config", file)
    expected = [certificate(server, made["authority"]), certificate(server, f"{crossed['subject']}-{crossed['issuer']}")]
    assert crossed["subject"] == root
    until(lambda: shown_by_listener(server)[1:] == expected, "the listener does not show what the old root says")
    leaf = shown_by_listener(server)[0]
    assert len(roots(server)) == 2
    server.cli("clock", "advance", "2d", "--config", file)
    until(lambda: shown_by_listener(server) == [leaf, expected[0]], "the listener still shows what the old root says, or has another certificate")
    assert [each.subject.rfc4514_string() for each in roots(server)] == ["CN=Postern Root CA 2,O=Postern"]
    # Its CRL goes on, and a restart changes nothing.
    former = crossed["issuer"]
    before = crl_number(server, former)
    server.stop()
    server.start()
    assert crl_number(server, former) >= before and shown_by_listener(server) == [leaf, expected[0]]
    # Its key was lost: nothing needs it, and its last CRL stays.
    server.stop()
    (server.data / f"keys/{former}.key").unlink()
    server.start()
    assert crl_number(server, former) >= before and shown_by_listener(server) == [leaf, expected[0]]
    assert [line["authority"] for line in server.lines("ca_key_missing")] == [former]
    told = json.loads(server.verb("doctor", "--data", server.data, "--config", file, "--lab", "--json").stdout)["findings"]
    assert [(f["verdict"], former in f["what"]) for f in told if f["check"] == "keys.root_key"] == [("notice", True), ("good", False)]
    # That of the root of today is needed.
    server.stop()
    (server.data / f"keys/{root}.key").rename(tmp_path / "kept")
    status, said = server.start_refused()
    assert status == 1 and f"keys/{root}.key: it is missing; restore it from the backup" in said


def test_what_is_asked_wrongly(laboratory):
    server = laboratory
    assert "--at or --withdraw" in refused(server, "--root")
    assert refused(server, "--root", "--withdraw")
    assert "takes over in the future" in refused(server, "--root", "--at", in_days(-1))
    assert "nobody would issue in between" in refused(server, "--root", "--at", in_days(366 * 11))
    assert "postern ca rollover --root" in refused(server, "--at", in_days(366 * 21))
    assert "expected a time" in refused(server, "--root", "--at", "soon")
    assert roles(server) == ["root", "issuing"] and known(server)["crossCertificates"] == []


def test_one_that_is_withdrawn(laboratory):
    server = laboratory
    made = prepare(server)
    gone = json.loads(server.cli("ca", "rollover", "--withdraw", "--json", *server.options))
    assert gone == {"authority": made["authority"], "root": made["root"]["authority"]}
    assert roles(server) == ["root", "withdrawn_root", "issuing", "withdrawn"]
    assert len(roots(server)) == 1
    crossed = known(server)["crossCertificates"][0]
    of_today = x509.load_der_x509_crl(file_of(server, f"crl/{crossed['issuer']}/0.crl"))
    assert of_today.get_revoked_certificate_by_serial_number(int(crossed["serial"], 16)).extensions[0].value.reason == x509.ReasonFlags.cessation_of_operation
    assert audit(server) in (None, [(f"ca.root_{what}", gone["root"], gone["authority"]) for what in ("prepared", "withdrawn")])
    # The next one has a name of its own, over a restart too.
    again = prepare(server)
    server.stop()
    server.start()
    assert roles(server) == ["root", "next_root", "withdrawn_root", "issuing", "successor", "withdrawn"]
    assert certificate(server, again["root"]["authority"]).subject.rfc4514_string() == "CN=Postern Root CA 3,O=Postern"


def test_a_server_that_is_killed_has_it_whole_or_not_at_all(new_server):
    """Killed as soon as the first of its keys is on the disk, and as soon as the verb was answered."""
    server = new_server()
    server.start()
    keys = server.data / "keys"

    def names():
        return {path.name for path in keys.glob("*.key")}

    before = names()
    asking = subprocess.Popen([server.executable, "ca", "rollover", "--root", "--at", in_days(30), "--data", server.data], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=environment())
    while names() == before and asking.poll() is None:
        time.sleep(0.001)
    server.kill()
    asking.wait()
    server.start()
    whole, none = ["root", "next_root", "issuing", "successor"], ["root", "issuing"]
    assert roles(server) in (whole, none)
    if roles(server) == none:
        prepare(server)
    server.kill()
    server.start()
    assert roles(server) == whole and len(known(server)["crossCertificates"]) == 2
    assert server.verb("doctor", "--data", server.data, "--json").stdout.count("keys.root_crossed") == 2


def crl(server, authority):
    """Its octets, or nothing until it is there."""
    answer = ask(f"{server.scep().split('/scep')[0]}/crl/{authority}/0.crl")
    return answer.body if answer.status == 200 else b""


def test_backup_of_both_roots(new_server, tmp_path):
    server = new_server()
    server.start()
    made = prepare(server)
    expected = known(server)
    server.cli("backup", tmp_path / "backup")
    lists = []
    for row in expected["authorities"]:
        lists.append(tmp_path / f"{row['role']}.crl")
        lists[-1].write_bytes(until(lambda row=row: crl(server, row["authority"]), "a CRL is missing"))
    server.stop()
    folder = tmp_path / "r"  # a socket's path has 107 octets at most
    folder.mkdir()
    restored = Postern(executable(), folder, server.suffix)
    restored.listeners = dict(server.listeners)
    done = restored.verb("restore", tmp_path / "backup", "--data", restored.data)
    assert done.returncode == 0, done.stderr
    assert known(restored) == expected
    restored.start()
    try:
        # Each of the four CAs had a CRL that somebody may have seen.
        said = restored.verb("restore", "open", "--crl", lists[0], "--data", restored.data).stderr
        assert "is missing of" in said and all(row["authority"] in said for row in expected["authorities"][1:]) and made["root"]["authority"] in said, said
        restored.cli("restore", "open", *(word for each in lists for word in ("--crl", each)))
        for row in expected["authorities"]:
            assert crl_number(restored, row["authority"]) >= 2
        restored.cli("clock", "advance", "31d")
        until(lambda: roles(restored) == ["root", "former_root", "former", "issuing"], "it does not take over")
    finally:
        restored.stop()
