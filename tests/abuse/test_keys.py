"""Rows X01, X02, X03 and X17: keys that anybody knows or can find, and content that is our own fault."""
import json
import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from client import csr_der
from harness.jose import Key, b64
from harness.weak_keys import DATA, KEYS, FileKey, WeakRsa, csr_of
from oracle import Snapshot, check_problem
from rows import row

WEAK = [("close-primes-2048", "key.quality.fermat"), ("close-primes-4096", "key.quality.fermat"),
        ("square-2048", "key.quality.fermat"), ("factor-751", "key.quality.small_factor"),
        ("roca-2048", "key.quality.roca")]
BAD_EXPONENTS = ["exponent-17", "exponent-even", "exponent-huge"]


def public_pem(key, path):
    path.write_bytes(key.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    return path


@pytest.fixture
def ready(laboratory, client):
    """(client, a name, its order, ready): refusals leave it so."""
    name = laboratory.fresh_name()
    return client, name, client.ready_order(name)[1]


def still_good(client, name, order):
    answer = client.finalize(order, csr_der(Key(), [name]))
    assert answer.status == 200 and answer.json["status"] == "valid", answer


# ---- X01: what the key itself gives away --------------------------------------------------------


@row("X01")
def test_a_request_with_a_weak_key(oracle, ready):
    client, name, order = ready
    for key, check in WEAK:
        with oracle.refuses(audited=1) as refusal:
            answer = client.finalize(order, WeakRsa(key).csr([name]))
            check_problem(answer, 400, "badPublicKey", f"check {check}")
        assert refusal.records[0]["check_name"] == check
    for key in BAD_EXPONENTS:
        with oracle.refuses(audited=1):
            answer = client.finalize(order, WeakRsa(key).csr([name]))
            check_problem(answer, 400, "badPublicKey", "public exponent must be odd, at least 65537 and below 2^256")
    still_good(client, name, order)


@row("X01")
@pytest.mark.parametrize("key, check", WEAK)
def test_an_account_with_a_weak_key(laboratory, oracle, key, check):
    stranger = laboratory.acme(key=WeakRsa(key))
    with oracle.refuses():
        check_problem(stranger.post("new-account", {}), 400, "badPublicKey", f"check {check}")
    stranger.close()


@row("X01")
def test_an_account_with_a_bad_exponent(laboratory, oracle):
    for key in BAD_EXPONENTS:
        stranger = laboratory.acme(key=WeakRsa(key))
        with oracle.refuses():
            check_problem(stranger.post("new-account", {}), 400, "badPublicKey", "public exponent")
        stranger.close()


@row("X01")
def test_an_honest_key_made_by_the_same_arithmetic(laboratory):
    client = laboratory.acme(key=WeakRsa("good-2048"))
    assert client.post("new-account", {}).status == 201
    client.close()


# ---- X02: what others know ----------------------------------------------------------------------


def refused_everywhere(laboratory, oracle, key, csr, reason):
    """As a certificate's key and as an account's, in both tenants."""
    for endpoint in ("default", "north"):
        client = laboratory.acme(endpoint).register()
        name = laboratory.fresh_name()
        order = client.ready_order(name)[1]
        with oracle.refuses(audited=1) as refusal:
            check_problem(client.finalize(order, csr([name])), 400, "badPublicKey", f"blocked ({reason})", "check key.blocked")
        trace = json.loads(refusal.records[0]["detail"])["trace"]
        assert trace[-1]["check"] == "key.blocked" and trace[-1]["verdict"] == "refuse"
        client.close()
        stranger = laboratory.acme(endpoint, key=key)
        with oracle.refuses():
            check_problem(stranger.post("new-account", {}), 400, "badPublicKey", f"blocked ({reason})", "check key.blocked")
        stranger.close()


@row("X02")
def test_a_published_test_key(laboratory, oracle):
    key = FileKey("rfc9500-p256.key.pem")
    laboratory.server.cli("key", "block", KEYS / "rfc9500-p256.key.pem", "--reason", "published test key")
    try:
        refused_everywhere(laboratory, oracle, key, lambda names: csr_der(key, names), "published test key")
    finally:
        laboratory.server.cli("key", "unblock", KEYS / "rfc9500-p256.key.pem")
    client = laboratory.acme(key=key)
    assert client.post("new-account", {}).status == 201
    client.close()


@row("X01", "X02")
def test_a_key_of_debians_list(laboratory, oracle):
    key = WeakRsa("debian-weak")
    said = json.loads(laboratory.server.cli("key", "block", "--file", KEYS / "debian-weak.openssl-blacklist",
                                            "--reason", "Debian weak key", "--json"))
    assert said["keys"] == 2
    refused_everywhere(laboratory, oracle, key, key.csr, "Debian weak key")
    # The same list again changes nothing, and is one audit record.
    before = Snapshot(laboratory)
    laboratory.server.cli("key", "block", "--file", KEYS / "debian-weak.openssl-blacklist", "--reason", "again")
    after = Snapshot(laboratory)
    assert after.tables["blocked_key"] == before.tables["blocked_key"]
    assert sum((after.tables["audit"] - before.tables["audit"]).values()) == 1


@row("X02")
def test_an_account_whose_key_came_out(laboratory, oracle, ready, tmp_path):
    client, name, order = ready
    laboratory.server.cli("key", "block", public_pem(client.key, tmp_path / "account.pem"), "--reason", "leaked")
    with oracle.refuses(audited=1):
        answer = client.finalize(order, csr_der(Key(), [name]))
        check_problem(answer, 403, "unauthorized", "the key that signed the request is blocked (leaked)")


def certified(client, name, key):
    return x509.load_pem_x509_certificate(client.certify(name, key=key)[2])


@row("X02")
@pytest.mark.parametrize("reason", [0, 4, 1])
def test_the_key_of_a_certificate_that_its_account_revoked(laboratory, client, reason):
    """The account's word for a compromise blocks no key: it need not have held it."""
    key, name = Key(), laboratory.fresh_name()
    certificate = certified(client, name, key)
    der = b64(certificate.public_bytes(serialization.Encoding.DER))
    assert client.post("revoke-cert", {"certificate": der, "reason": reason}).status == 200
    other = laboratory.acme("north").register()
    order = other.ready_order(name)[1]
    assert other.finalize(order, csr_der(key, [name])).json["status"] == "valid"
    other.close()


@row("X02")
def test_a_key_that_revoked_its_own_certificate(laboratory, oracle, ready):
    client, name, order = ready
    key = Key()
    certificate = certified(client, laboratory.fresh_name(), key)
    der = b64(certificate.public_bytes(serialization.Encoding.DER))
    holder = laboratory.acme(key=key)
    assert holder.post("revoke-cert", {"certificate": der}).status == 200
    holder.close()
    with oracle.refuses(audited=1):
        check_problem(client.finalize(order, csr_der(key, [name])), 400, "badPublicKey", "blocked (keyCompromise)")


@pytest.mark.skipif(not shutil.which("certbot"), reason="certbot is not installed")
@row("X02")
def test_certbot_meets_the_blocklist(new_laboratory, tmp_path_factory):
    """On a server of its own, whose challenges certbot itself answers."""
    from harness.clients import Certbot
    laboratory, folder = new_laboratory(), tmp_path_factory.mktemp("c")
    client, name = Certbot(laboratory.server, folder), laboratory.fresh_name()
    assert client.issue(name).status == 0
    run = client.revoke_by_key(name, client)
    assert run.status == 0, run.output
    # certbot makes a new key for each certificate unless it is told not to.
    run = client._certbot(name, "renew", "--cert-name", name, "--force-renewal", "--reuse-key", "--no-random-sleep-on-renew")
    assert run.status != 0 and "the key is blocked (keyCompromise)" in run.words, run.output


# ---- X03: keys of a form that we do not certify -------------------------------------------------


def spki_of(csr):
    return x509.load_der_x509_csr(csr).public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def point(octets):
    """A P-256 SubjectPublicKeyInfo with any octets as its point."""
    algorithm = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
    bits = bytes([3, len(octets) + 1, 0]) + octets
    return bytes([0x30, len(algorithm) + len(bits)]) + algorithm + bits


def x03_requests(name):
    on_disk = DATA / "crypto"
    good = spki_of(csr_der(Key(), [name]))
    off = bytearray(good[-65:])
    off[-1] ^= 1
    return [((on_disk / "rsa2047.csr").read_bytes(), "only 2047 bits"),
            ((on_disk / "rsa1024.csr").read_bytes(), "only 1024 bits"),
            (csr_of((KEYS / "size-8200.spki").read_bytes(), [name]), "longer than 8192 bits"),
            ((on_disk / "p192.csr").read_bytes(), "use P-256, P-384 or P-521"),
            ((on_disk / "explicit-curve.csr").read_bytes(), "use a named curve"),
            ((on_disk / "compressed-point.csr").read_bytes(), "send it uncompressed"),
            (csr_of(point(b"\0"), [name]), "no uncompressed point"),
            (csr_of(point(b"\4" + bytes(64)), [name]), "not on P-256"),
            (csr_of(point(bytes(off)), [name]), "not on P-256")]


@row("X03")
def test_a_request_with_a_key_of_another_form(oracle, ready):
    client, name, order = ready
    for csr, word in x03_requests(name):
        with oracle.refuses(audited=1):
            check_problem(client.finalize(order, csr), 400, "badPublicKey", word)
    still_good(client, name, order)


# ---- X17: a lint error --------------------------------------------------------------------------

PROFILE = """
[[tenant]]
name = "faulty"

[[profile]]
tenant = "faulty"
name = "server"
lifetime = "30d"
key_usage = [{usage}]

[[endpoint]]
tenant = "faulty"
name = "faulty"
protocol = "acme"
profiles = ["server"]
external_account_required = false

[[account]]
tenant = "faulty"
name = "anybody"
endpoint = "faulty"
method = "open"
names = ["*"]
"""


def apply(server, path, usage):
    path.write_text(PROFILE.format(usage=usage))
    server.apply(path)


@row("X17")
def test_content_that_is_our_own_fault_pauses_the_profile(laboratory, oracle, tmp_path):
    """A key usage that no TLS client accepts: the profile is wrong, whoever asks."""
    server, documents = laboratory.server, tmp_path / "faulty.toml"
    apply(server, documents, '"contentCommitment"')
    client, name = laboratory.acme("faulty").register(), laboratory.fresh_name()
    order = client.ready_order(name)[1]
    before = Snapshot(laboratory)
    answer = client.finalize(order, csr_der(Key(), [name]))
    check_problem(answer, 500, "serverInternal")
    assert "usage" not in answer.json["detail"], answer
    after = Snapshot(laboratory)
    assert after.tables["enrollment"] == before.tables["enrollment"] and after.tables["certificate"] == before.tables["certificate"]
    assert after.total("postern_profiles_paused_total") == before.total("postern_profiles_paused_total") + 1
    records = server.explain(answer.header("X-Request-Id"))
    assert [(r["action"], r["check"]) for r in records] == [("enrollment.refused", "lint.usage_purpose"), ("profile.paused", "lint.usage_purpose")]
    assert server.events("profile_paused") == 1

    with oracle.refuses(audited=1):
        answer = client.finalize(order, csr_der(Key(), [name]))
        check_problem(answer, 503, "rateLimited", "the profile is paused", "check profile.paused")
        assert answer.header("Retry-After") == "3600"
    paused = json.loads(server.cli("profile", "paused", "--json"))
    assert (paused["profile"], paused["check"]) == ("faulty/server", "lint.usage_purpose")

    # Resumed without a correction it is paused again; corrected, it issues.
    server.cli("profile", "resume", "faulty/server")
    check_problem(client.finalize(order, csr_der(Key(), [name])), 500, "serverInternal")
    apply(server, documents, '"digitalSignature"')
    assert server.cli("profile", "paused", "--json") == ""
    still_good(client, name, order)
    client.close()


@row("X17")
def test_a_key_that_the_profile_does_not_fit_is_the_requests_own(laboratory, oracle, tmp_path):
    """Whoever chooses the type of the key pauses nothing."""
    server, documents = laboratory.server, tmp_path / "faulty.toml"
    apply(server, documents, '"digitalSignature", "keyEncipherment"')
    client, name = laboratory.acme("faulty").register(), laboratory.fresh_name()
    order = client.ready_order(name)[1]
    with oracle.refuses(audited=1):
        check_problem(client.finalize(order, csr_der(Key("P-256"), [name])), 400, "badCSR", "does not fit a key of type EC P-256")
    answer = client.finalize(order, csr_der(Key("RSA 2048"), [name]))
    assert answer.status == 200, answer
    client.close()
