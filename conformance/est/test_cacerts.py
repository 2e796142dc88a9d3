"""The CA's certificates (RFC 7030 §4.1) before, during and after a rollover of the issuing CA."""
import base64
import json
import re
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from device import certificate, certificates, new_key, openssl, request
from harness import der


def fetch(site, endpoint="proof-device", **options):
    with site.connect(endpoint, **options) as connection:
        return connection.ask("GET", "cacerts")


def root(site):
    return x509.load_pem_x509_certificate(open(site.server.root, "rb").read())


def test_the_issuing_ca_first_and_the_root_last(site):
    answer = fetch(site)
    assert answer.headers["content-type"] == "application/pkcs7-mime"
    found = certificates(answer)
    assert found[-1] == root(site) and found[-1].issuer == found[-1].subject
    assert all(each.issuer != each.subject for each in found[:-1]) and len(found) >= 2
    assert found[0].issuer == found[-1].subject


def test_nobody_has_to_say_who_asks(site, tmp_path):
    """Neither nothing, nor a certificate from anywhere, nor a password changes the answer."""
    plain = fetch(site).body
    assert fetch(site, certificate=site.pair(tmp_path)).body == plain
    with site.connect("proof-device") as connection:
        assert connection.ask("GET", "cacerts", Authorization="Basic AAAA").body == plain


def test_it_is_a_bag_without_signers_contents_and_lists(site):
    octets = base64.b64decode(fetch(site).body)
    kind, content = der.whole(octets).children()
    version, digests, inner, bag, signers = content.children()[0].children()
    assert kind.oid() == "1.2.840.113549.1.7.2" and version.integer() == 1
    assert digests.content == b"" and signers.content == b"" and bag.tag == 0xA0
    assert [each.oid() for each in inner.children()] == ["1.2.840.113549.1.7.1"]
    assert len(octets) < 65536


def test_what_is_issued_is_verified_by_it_alone(site, tmp_path, name):
    issued = certificate(site.enroll("proof-device", request(new_key(), name)))
    found = certificates(fetch(site))
    for file, content in (("leaf", [issued]), ("anchor", found[-1:]), ("way", found[:-1])):
        (tmp_path / file).write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in content))
    assert b": OK" in openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", tmp_path / "anchor", "-untrusted", tmp_path / "way", tmp_path / "leaf")


@pytest.mark.parametrize("repeat", range(2))
def test_the_same_octets_each_time(site, repeat):
    """There is no ETag: it would save nobody anything."""
    first, second = fetch(site), fetch(site)
    assert first.body == second.body and "etag" not in first.headers


def test_the_successor_is_in_the_bag_before_it_issues(site, name):
    """And the one of today stays first until then."""
    before = certificates(fetch(site))
    takes_over = (datetime.utcnow() + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    site.server.cli("ca", "rollover", "--at", takes_over)
    during = certificates(fetch(site))
    assert during[0] == before[0] and during[-1] == before[-1] and len(during) == len(before) + 1
    successor = during[1]
    assert successor not in before and successor.issuer == before[-1].subject
    issued = certificate(site.enroll("proof-device", request(new_key(), name)))
    assert identifier(issued, x509.AuthorityKeyIdentifier).key_identifier == identifier(during[0], x509.SubjectKeyIdentifier).digest


def identifier(holder, kind):
    return holder.extensions.get_extension_for_class(kind).value
