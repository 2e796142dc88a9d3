"""What an account is refused is in the audit log, once, whichever part of the house refused it."""
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from client import csr_der
from harness.jose import Key, b64
from oracle import check_problem

OUT_OF_SCOPE = """
[[endpoint]]
tenant = "north"
name = "narrow"
protocol = "acme"
profiles = ["server"]
external_account_required = false

[[account]]
tenant = "north"
name = "narrow"
endpoint = "narrow"
method = "open"
names = ["here.abuse.test"]
"""


@pytest.fixture(scope="module")
def narrow(laboratory, tmp_path_factory):
    """A client of an endpoint whose account may ask for one name only."""
    document = tmp_path_factory.mktemp("d") / "narrow.toml"
    document.write_text(OUT_OF_SCOPE)
    laboratory.server.apply(document)
    client = laboratory.acme("narrow").register()
    yield client
    client.close()


def once(oracle, answer, status, kind, action):
    with oracle.refuses(audited=1) as refusal:
        check_problem(answer(), status, kind)
    record, = refusal.records
    assert record["action"] == action and record["actor"]
    assert record["request_id"] == refusal.answers[-1].header("X-Request-Id")
    return record


def test_a_refusal_of_the_waist_has_its_trace_and_no_second_record(laboratory, oracle, client):
    name = laboratory.fresh_name()
    _, order = client.ready_order(name)
    csr = csr_der(Key(), [name, "other.abuse.test"])
    record = once(oracle, lambda: client.finalize(order, csr), 400, "badCSR", "enrollment.refused")
    assert json.loads(record["detail"])["trace"]
    # It bound nothing.
    assert client.finalize(order, csr_der(Key(), [name])).json["status"] == "valid"


def test_a_name_out_of_scope_has_its_trace_and_no_second_record(oracle, narrow):
    identifiers = [{"type": "dns", "value": "there.abuse.test"}]
    record = once(oracle, lambda: narrow.post("new-order", {"identifiers": identifiers}), 400, "rejectedIdentifier",
                  "order.refused")
    assert record["check_name"] == "names.scope" and json.loads(record["detail"])["trace"]


def test_a_revocation_by_another_is_one_record(laboratory, oracle, client):
    owner = laboratory.acme().register()
    _, _, chain = owner.certify(laboratory.fresh_name())
    owner.close()
    der = x509.load_pem_x509_certificate(chain).public_bytes(Encoding.DER)
    record = once(oracle, lambda: client.post("revoke-cert", {"certificate": b64(der)}), 403, "unauthorized",
                  "certificate.revocation")
    assert record["check_name"] == "revocation.authority"


def test_what_no_check_wrote_is_written_all_the_same(laboratory, oracle, client):
    name = laboratory.fresh_name()
    url, order = client.order(name)
    csr = b64(csr_der(Key(), [name]))
    for path, payload, status, kind in ((order["finalize"], {"csr": csr}, 403, "orderNotReady"),
                                        (url, {}, 400, "malformed"),
                                        ("new-order", {"identifiers": []}, 400, "malformed"),
                                        ("new-order", {"identifiers": [{"type": "dns", "value": name}], "profile": "x"}, 400, "invalidProfile"),
                                        (client.kid, {"contact": ["tel:1"]}, 400, "unsupportedContact"),
                                        ("revoke-cert", {"certificate": "AAAA"}, 404, "malformed")):
        with oracle.refuses(audited=1) as refusal:
            check_problem(client.post(path, payload), status, kind)
        record, = refusal.records
        assert record["actor"] == client.kid.rsplit("/", 1)[1]
        problem = json.loads(record["detail"])["problem"]
        assert problem["type"] == kind and problem["detail"]
