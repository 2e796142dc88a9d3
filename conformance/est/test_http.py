"""Statuses, bodies, labels and the HTTP beneath (est.md §1.1 to §1.3, §6)."""
import base64

import pytest

from device import CERTS_ONLY, body, certificate, certificates, new_key, refused, request, text
from harness import pkcs10
from harness.officer import waiting
from harness.row_table import row

ROOT = "/.well-known/est"


def get(site, path, endpoint="proof-device", method="GET", **headers):
    with site.connect(endpoint) as connection:
        return connection.ask(method, path, **headers)


def post(site, octets, operation="simpleenroll", **headers):
    with site.connect("proof-device") as connection:
        return connection.ask("POST", operation, octets, **{**site.credentials("proof-device"), **headers})


BODIES = {
    "lines": lambda octets: base64.encodebytes(octets),
    "one line": lambda octets: base64.b64encode(octets),
    "CR LF, tabs and spaces": lambda octets: b"\t \r\n".join(base64.b64encode(octets)[i:i + 10] for i in range(0, 2000, 10)) + b"\r\n\r\n",
    "PEM": lambda octets: b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(octets) + b"-----END CERTIFICATE REQUEST-----\n",
}


@pytest.mark.parametrize("form", sorted(BODIES))
def test_bodies_that_are_taken(site, name, form):
    certificate(post(site, BODIES[form](request(new_key(), name))))


@pytest.mark.parametrize("coding", ["base64", "BASE64", "binary", "7bit", "nonsense"])
def test_the_transfer_encoding_is_not_looked_at(site, name, coding):
    certificate(post(site, body(request(new_key(), name)), Content_Transfer_Encoding=coding))


@pytest.mark.parametrize("type", ["application/pkcs10; charset=us-ascii", "APPLICATION/PKCS10", "application/pkcs10;x=y"])
def test_media_types_that_are_taken(site, name, type):
    certificate(post(site, body(request(new_key(), name)), type=type))


@pytest.mark.parametrize("operation", ["simpleenroll", "simplereenroll", "serverkeygen"])
@pytest.mark.parametrize("type", ["", "text/plain", "application/pkcs10x", "application/x-pem-file", "application/pkcs10 application/json"])
def test_another_media_type_is_415(site, name, operation, type):
    refused(post(site, body(request(new_key(), name)), operation, type=type), 415, "est.media_type")


def broken(octets):
    return {"empty": b"", "space": b" " * 60_000, "junk": b"hello world, this is no base64!", "NUL": base64.b64encode(octets) + b"\0",
            "base64url": base64.urlsafe_b64encode(bytes([0xFB, 0xFF]) * 30), "no padding": base64.b64encode(octets + b"\0" * (-(len(octets) - 1) % 3)).rstrip(b"="),
            "DER": octets, "bytes behind": base64.b64encode(octets + b"\0\0"), "cut": base64.b64encode(octets[:-9]),
            "indefinite length": base64.b64encode(b"\x30\x80" + octets[4:] + b"\0\0"), "huge length": base64.b64encode(b"\x30\x84\xff\xff\xff\xff" + octets[4:]),
            "deep": base64.b64encode(b"\x30\x82\x10\x00" * 2000), "two requests": base64.b64encode(octets) * 2, "other PEM": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "many lines": b"A\n" * 20_000}


@pytest.mark.parametrize("case", sorted(broken(b"\x30\x03\x02\x01\x00")))
def test_a_broken_body_is_400(site, name, case):
    answer = post(site, broken(request(new_key(), name))[case])
    assert answer.status == 400 and answer.text.count("\n") == 1 and len(answer.text) < 500, answer.text
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("wrong", ["bad signature", "SHA-1", "another key", "two extension requests"])
def test_a_broken_request_is_400(site, name, wrong):
    key = new_key("rsa") if wrong == "SHA-1" else new_key()
    octets = {"bad signature": lambda: request(key, name, bad_signature=True), "SHA-1": lambda: request(key, name, digest="sha1"),
              "another key": lambda: request(key, name, spki_of=new_key()),
              "two extension requests": lambda: request(key, name, dns=["a.example"], attributes=[pkcs10.attribute(pkcs10.EXTENSION_REQUEST, b"\x30\x00")])}[wrong]()
    assert post(site, body(octets)).status == 400


def test_a_request_over_16_kib_is_413(site, name):
    long = request(new_key(), name, attributes=[pkcs10.attribute("1.2.3.4", pkcs10.der.octets(bytes(16_500)))])
    refused(post(site, body(long)), 413, "est.size")


def test_a_body_over_64_kib_is_413(site):
    with site.connect("proof-device") as connection:
        connection.send(f"POST {ROOT}/proof-device/simpleenroll HTTP/1.1\r\nHost: {connection.host}\r\nContent-Type: application/pkcs10\r\n"
                        "Content-Length: 104857600\r\n\r\n".encode())
        answer = connection.answer()
        assert answer.status == 413 and answer.headers["connection"] == "close"


@pytest.mark.parametrize("count", [100, 101])
def test_names_have_a_limit(site, count):
    names = [f"n{number}.conformance.test" for number in range(count)]
    answer = site.enroll("proof-web", request(new_key(), names[0], dns=names))
    assert answer.status == (200 if count == 100 else 400), answer.text
    if count > 100:
        refused(answer, 400, "names.count")


LABELS = ["x" * 129, "x" * 65, "proof-device/x", "proof-device/proof-device", "cacerts", "simpleenroll", "%2e%2e", "%2e%2e/proof-device", "..", "", "/proof-device",
          "proof-device%00", "%00", "proof-device%2f", "nobody", "PROOF-DEVICE", "%c0%ae%c0%ae", "..%2f", "proof-device;x"]


@pytest.mark.parametrize("label", LABELS)
def test_a_label_that_names_nothing_is_404(site, label):
    answer = get(site, f"{ROOT}/{label}/cacerts")
    assert answer.status == 404, answer.text
    assert answer.text.startswith("404 ")


@pytest.mark.parametrize("path", ["cacerts/", "cacerts?", "cacerts?x=1", "nothing", "cacerts%00", "CACERTS", ""])
def test_a_path_that_is_no_operation_is_404(site, path):
    assert get(site, f"{ROOT}/proof-device/{path}").status == 404


def test_the_form_without_a_label_is_the_hosts_default(site, name):
    """By whose credentials count: the first start's endpoint answers for any host, this one for a host of its own."""
    def ask(host):
        with site.connect("proof-device") as connection:
            connection.host = f"{host}:{connection.host.split(':')[1]}"
            octets = body(request(new_key(), name))
            return connection.ask("GET", f"{ROOT}/cacerts"), connection.ask("POST", f"{ROOT}/simpleenroll", octets, **site.credentials("proof-device"))

    chain, enrolled = ask("localhost")
    assert chain.status == 200 and chain.body == get(site, "cacerts").body, chain.text
    assert certificate(enrolled)
    chain, refusal = ask("127.0.0.1")
    assert chain.status == 200, chain.text
    refused(refusal, 401, "credential.known")


def test_a_host_has_one_default(site, server, tmp_path):
    document = tmp_path / "second.toml"
    document.write_text('[[endpoint]]\nname = "second"\nprotocol = "est"\nprofiles = ["device"]\ndefault_hosts = ["localhost"]\n')
    done = server.verb("apply", document, "--data", server.data)
    assert done.returncode == 1 and "default_hosts: another endpoint of this installation answers for localhost" in done.stderr, done.stderr


@pytest.mark.parametrize("method,path,allow", [("POST", "cacerts", "GET"), ("GET", "simpleenroll", "POST"), ("GET", "simplereenroll", "POST"), ("GET", "serverkeygen", "POST"),
                                               ("PUT", "simpleenroll", "POST"), ("DELETE", "csrattrs", "GET"), ("GET", "fullcmc", "POST")])
def test_another_method_is_405(site, method, path, allow):
    answer = get(site, path, method=method)
    assert answer.status == 405 and allow in answer.headers["allow"].split(", "), answer.headers


def test_fullcmc_is_501(site):
    with site.connect("proof-device") as connection:
        refused(connection.ask("POST", "fullcmc", b"junk", type="application/pkcs7-mime"), 501, "est.fullcmc")


@pytest.mark.parametrize("header", [None, "Basic AAAA", "Basic !", "Negotiate YII=", "NTLM TlRMTVNTUAAB", "Digest username=x", "Bearer abc", "nothing"])
def test_without_a_credential_401_says_which_one(site, name, header):
    with site.connect("proof-device") as connection:
        answer = connection.ask("POST", "simpleenroll", body(request(new_key(), name)), **({"Authorization": header} if header else {}))
    assert answer.status == 401, answer.text
    offered = answer.headers["www-authenticate"]
    scheme = "Bearer" if header == "Bearer abc" else "Basic"
    assert offered.startswith(f'{scheme} realm="proof-device"') and "Negotiate" not in offered and "NTLM" not in offered


def test_an_officers_request_is_202_whatever_connection_it_comes_on(site, name):
    """Keyed by who asks, key and names: with a binding in it the request has other octets each time."""
    key, references = new_key(), []
    for _ in range(2):
        with site.connect("proof-waiting") as connection:
            octets = request(key, name, [text(connection.exporter())])
            answer = connection.ask("POST", "simpleenroll", body(octets), **site.credentials("proof-waiting"))
        assert answer.status == 202 and 30 <= int(answer.headers["retry-after"]) <= 86400, answer.text
    number, = waiting(site.server, name)
    site.server.cli("request", "approve", number)
    with site.connect("proof-waiting") as connection:
        octets = request(key, name, [text(connection.exporter())])
        issued = certificate(connection.ask("POST", "simpleenroll", body(octets), **site.credentials("proof-waiting")))
    assert issued.public_key().public_numbers() == key.public_key().public_numbers()


@row("E09")
def test_another_key_or_name_does_not_get_what_waits(site, name):
    """Each is a request of its own."""
    key = new_key()
    assert site.enroll("proof-waiting", request(key, name)).status == 202
    before = site.server.cli("request", "list", "--json").count("pending_approval")
    assert site.enroll("proof-waiting", request(new_key(), name)).status == 202
    assert site.enroll("proof-waiting", request(key, name + "-b")).status == 202
    assert site.server.cli("request", "list", "--json").count("pending_approval") == before + 2


def test_a_lost_answer_is_repeated_and_another_subject_is_another_request(site, name):
    key = new_key()
    first = certificate(site.enroll("proof-device", request(key, name)))
    assert certificate(site.enroll("proof-device", request(key, name))) == first
    other = certificate(site.enroll("proof-device", request(key, name + "-b")))
    assert other.subject.rfc4514_string() == f"CN={name}-b"


def test_answers_are_small_and_come_in_one_piece(site, name):
    with site.connect("proof-device") as connection:
        for answer in (connection.ask("GET", "cacerts", Accept="*/*"), connection.ask("GET", "csrattrs", Accept="*/*"),
                       connection.ask("POST", "simpleenroll", body(request(new_key(), name)), Accept="*/*", **site.credentials("proof-device"))):
            assert answer.status == 200 and len(answer.head) + 4 < 1024
            assert int(answer.headers["content-length"]) == len(answer.body) and "transfer-encoding" not in answer.headers
            assert answer.first == answer.head + b"\r\n\r\n" + answer.body, "one TLS record"
            assert all(len(line) <= 64 for line in answer.body.split(b"\r\n"))
            assert b"Content-Type: " in answer.head and b"Content-Transfer-Encoding: base64" in answer.head


def test_who_sends_what_strongswan_sends_reads_one_line(site):
    answer = get(site, "cacerts")
    assert answer.status == 200 and answer.body.count(b"\r\n") == 1 and answer.body.endswith(b"\r\n")


def test_no_other_protocol_than_http_1_1(site):
    with site.connect("proof-device", alpn=["h2", "http/1.1"]) as connection:
        assert connection.alpn == "http/1.1"
        connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert connection.answer().status in (400, 505) and connection.ended()


def test_a_client_that_waits_to_be_told_to_go_on_is(site, name):
    with site.connect("proof-device") as connection:
        octets = body(request(new_key(), name))
        head = "\r\n".join([f"POST {ROOT}/proof-device/simpleenroll HTTP/1.1", f"Host: {connection.host}", "Content-Type: application/pkcs10", "Expect: 100-continue",
                            f"Content-Length: {len(octets)}", "Authorization: " + site.credentials("proof-device")["Authorization"], "", ""])
        connection.send(head.encode())
        assert connection.answer().status == 100
        connection.send(octets)
        certificate(connection.answer())


def chunked(connection, site, octets, *more):
    head = "\r\n".join([f"POST {ROOT}/proof-device/simpleenroll HTTP/1.1", f"Host: {connection.host}", "Content-Type: application/pkcs10", "Transfer-Encoding: chunked", *more,
                        "Authorization: " + site.credentials("proof-device")["Authorization"], "", ""])
    connection.send(head.encode() + b"".join(b"%x\r\n%s\r\n" % (len(octets[i:i + 100]), octets[i:i + 100]) for i in range(0, len(octets), 100)) + b"0\r\n\r\n")
    return connection.answer()


def test_a_body_in_chunks_is_taken(site, name):
    with site.connect("proof-device") as connection:
        certificate(chunked(connection, site, body(request(new_key(), name))))


@pytest.mark.parametrize("more", ["Content-Length: 10"])
def test_two_lengths_are_400(site, name, more):
    with site.connect("proof-device") as connection:
        answer = chunked(connection, site, body(request(new_key(), name)), more)
        assert answer.status == 400 and answer.headers["connection"] == "close"


def test_requests_behind_each_other_are_answered_in_order(site, name):
    with site.connect("proof-device") as connection:
        for _ in range(2):
            connection.send(f"GET {ROOT}/proof-device/cacerts HTTP/1.1\r\nHost: {connection.host}\r\n\r\n".encode())
        assert certificates(connection.answer()) == certificates(connection.answer())


@row("E02")
def test_it_is_not_served_without_tls(site):
    """A password never crosses in clear."""
    from harness.wire import ask
    http = site.server.scep().rsplit("/scep", 1)[0]
    assert ask(f"{http}{ROOT}/proof-device/cacerts").status == 404
    assert ask(f"{http}{ROOT}/proof-device/simpleenroll", b"x").status == 404


def test_answers_are_typed_as_strict_clients_compare(site, name):
    assert post(site, body(request(new_key(), name))).headers["content-type"] == CERTS_ONLY
