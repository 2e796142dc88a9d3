"""Who may enroll: what is shown must stand by itself, and belong together."""
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness.est_client import reference, refused, run, serial, subject
from harness.manufacturer import CMC_RA, Authority, Manufacturer, hardware_module, name_of
from harness.row_table import row


def test_password_enrolls(est, passwords, name):
    answer = est.enroll("routers", est.request(f"/CN={name}"), user=passwords["operator"])
    assert answer.status == 200 and subject(answer) == f"CN={name}"


def test_host_names_within_the_scope(est, passwords, name):
    good = est.enroll("routers", est.request(f"/CN={name}", sans=["DNS:gate.devices.test"]), user=passwords["operator"])
    assert good.status == 200
    bad = est.enroll("routers", est.request(f"/CN={name}", sans=["DNS:gate.elsewhere.test"]), user=passwords["operator"])
    refused(bad, 403, "names.scope")


@row("E01")
@pytest.mark.parametrize("credential", ["nobody", "operator:wrong", "operator", "who:what", ":", pytest.param("x" * 3000 + ":y", id="huge")])
def test_wrong_credentials(est, name, credential):
    answer = est.enroll("routers", est.request(f"/CN={name}"), **({} if credential == "nobody" else {"user": credential if ":" in credential else credential + ":"}))
    refused(answer, 401, "credential.known")
    assert answer.headers["www-authenticate"] == 'Basic realm="routers", charset="UTF-8"'


@row("E08")
@pytest.mark.parametrize("line", ["Authorization: Digest username=x", "Authorization: Negotiate YII=", "Authorization: NTLM TlRM", "Authorization: Basic b3BlcmF0b3I=",
                                  "Authorization: Basic !!"])
def test_other_schemes_are_not_offered(est, name, line):
    refused(est.enroll("routers", est.request(f"/CN={name}"), headers=[line]), 401, "credential.known")


def test_two_headers(est, passwords, name):
    answer = est.enroll("routers", est.request(f"/CN={name}"), user=passwords["operator"], headers=["Authorization: Basic b3BlcmF0b3I6eA=="])
    # curl gives its own up where one is written by hand: both must be.
    if answer.status == 401:
        answer = est.enroll("routers", est.request(f"/CN={name}"), headers=["Authorization: Basic YTpi", "authorization: Basic YTpi"])
    refused(answer, 400, "credential.header")


def until_told_to_wait(ask):
    """The wait doubles with each wrong one, so that also a slow machine and several nodes meet it."""
    answers = [ask() for _ in range(4)]
    while answers[-1].status != 429 and len(answers) < 40:
        answers.append(ask())
    assert int(answers[-1].headers["retry-after"]) >= 30
    return answers


@row("E01")
def test_wrong_passwords_slow_down_whoever_guesses(est, passwords, name):
    request = est.request(f"/CN={name}")
    answers = until_told_to_wait(lambda: est.enroll("routers", request, user="guessed:wrong"))
    assert [answer.status for answer in answers[:4]] == [401] * 4
    refused(answers[-1], 429, "credential.tries", "too many wrong passwords for this user from this address")
    # Nobody guesses one that was drawn: whoever has it comes at once, whatever others behind that address tried.
    for _ in range(3):
        assert est.enroll("routers", request, user=passwords["guessed"]).status == 200
    assert est.enroll("routers", request, user=passwords["operator"]).status == 200
    assert until_told_to_wait(lambda: est.enroll("routers", request, user="guessed:wrong"))[-1].status == 429


def test_wrong_tokens_slow_down_themselves_alone(est, server, name):
    request = est.request(f"/CN={name}")
    stale = "0" * 32
    answers = until_told_to_wait(lambda: est.enroll("routers", request, bearer=stale))
    refused(answers[-1], 429, "credential.tries", "too many wrong tries with this token from this address")
    refused(est.enroll("routers", request, bearer="1" * 32), 401, "credential.known")
    minted = json.loads(server.cli("est", "token", "create", "routers", "--subject", f"CN={name}", "--json"))["token"]
    assert est.enroll("routers", request, bearer=minted).status == 200


def test_fleet_with_a_chosen_password_comes_at_once(est, passwords, name):
    """Each is judged while no other was found right yet, and none of them is a wrong try."""
    requests = [est.request(f"/CN={name}-{number}") for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda request: est.enroll("routers", request, user=passwords["fleet"]), requests))
    assert [answer.status for answer in answers] == [200] * 10, [answer.text for answer in answers]
    refused(est.enroll("routers", requests[0], user="fleet:Meadow-Lantern-43"), 401, "credential.known")


def test_password_only_on_the_listener_of_est(est, server, passwords, name):
    for base in (server.directory().split("/acme/")[0], server.scep("x").split("/scep/")[0]):
        answer = est.ask("routers", "simpleenroll", est.request(f"/CN={name}"), user=passwords["operator"], url=base + "/.well-known/est/routers")
        assert answer.status == 404


def test_manufacturer_enrolls_its_device(est, server, maker, name):
    device = maker.device("SN-1001")
    answer = est.enroll("routers", est.request("/CN=SN-1001/serialNumber=SN-1001", sans=["DNS:sn-1001.devices.test"]), identity=device)
    assert answer.status == 200, answer.text
    text = str(server.explain(serial(answer)))
    assert "manufacturer SN-1001 by Example Devices Root" in text, text
    # By the record of its own certificate it is another kind of evidence.
    again = est.reenroll("routers", est.request("/CN=SN-1001/serialNumber=SN-1001", sans=["DNS:sn-1001.devices.test"]), answer)
    assert again.status == 200, again.text
    assert "manufacturer SN-1001" not in str(server.explain(serial(again)))


@pytest.mark.parametrize("wish, sans", [("/CN=SN-1003", ()), ("/CN=SN-1002/serialNumber=SN-1003", ()), ("/CN=sn-1002", ()), ("/CN=SN-1002", ("DNS:sn-1003.devices.test",)),
                                        ("/O=none", ())])
def test_device_is_called_by_its_serial_number(est, maker, wish, sans):
    answer = est.enroll("routers", est.request(wish, sans=sans), identity=maker.device("SN-1002"))
    assert answer.status in (400, 403), answer.text
    if wish != "/O=none":
        refused(answer, 403, "device.names", "SN-1002")


def test_device_without_serial_number(est, maker):
    refused(est.enroll("routers", est.request("/CN=any"), identity=maker.device()), 403, "device.allowed", "nothing says which device")


def test_long_chain_and_its_end(est, maker):
    authorities = [maker.issuing]
    while len(authorities) < 7:
        authorities.append(Authority(f"below {len(authorities)}", authorities[-1]))
    # Six between the device and the anchor are the most.
    good = maker.device("SN-1010", issuer=authorities[5], send=authorities[5::-1])
    assert est.enroll("routers", est.request("/CN=SN-1010"), identity=good).status == 200
    bad = maker.device("SN-1011", issuer=authorities[6], send=authorities[::-1])
    refused(est.enroll("routers", est.request("/CN=SN-1011"), identity=bad), 403, "credential.chain")


def stranger(maker, folder):
    other = Manufacturer(folder, "Another")
    return other.device("SN-1020")


def self_signed(maker, folder):
    own = Authority(name_of(cn="device", serial="SN-1020"))
    return maker.device("SN-1020", issuer=own, send=[own])


def same_name(maker, folder):
    forged = Authority(maker.issuing.name)
    return maker.device("SN-1020", issuer=forged, send=[forged])


def without_intermediate(maker, folder):
    return maker.device("SN-1020", send=[maker.root])


def past(maker, folder):
    return maker.device("SN-1020", begin=datetime.utcnow() - timedelta(days=9), end=datetime.utcnow() - timedelta(days=1))


def future(maker, folder):
    return maker.device("SN-1020", begin=datetime.utcnow() + timedelta(days=1))


def server_only(maker, folder):
    return maker.device("SN-1020", extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)])


def registrar(maker, folder):
    return maker.device("SN-1020", extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, CMC_RA]), False)])


def a_ca(maker, folder):
    return maker.device("SN-1020", extensions=[(x509.BasicConstraints(True, None), True)])


@row("E04")
@pytest.mark.parametrize("make, check", [(stranger, "credential.chain"), (self_signed, "credential.chain"), (same_name, "credential.chain"), (without_intermediate, "credential.chain"),
                                         (past, "credential.validity"), (future, "credential.validity"), (server_only, "credential.purpose"), (registrar, "credential.purpose"),
                                         (a_ca, "credential.purpose")], ids=lambda value: getattr(value, "__name__", ""))
def test_bad_certificate_is_not_rescued_by_a_password(est, maker, passwords, tmp_path, make, check):
    device = make(maker, tmp_path)
    for how in ({}, {"user": passwords["operator"]}):
        refused(est.enroll("routers", est.request("/CN=SN-1020"), identity=device, **how), 403, check)


@row("E04")
def test_our_own_name_is_no_manufacturers(est, server, maker, tmp_path):
    """A CA below the anchor that bears our issuing CA's name, and a certificate of ours that no record has."""
    der = run("openssl", "x509", "-in", server.root, "-outform", "DER")
    ours = x509.load_der_x509_certificate(der).subject
    forged = Authority(ours, maker.root)
    device = maker.device("SN-1030", issuer=forged, send=[forged])
    refused(est.enroll("routers", est.request("/CN=SN-1030"), identity=device), 403, "credential.certificate", "names a CA of this server")


def test_good_certificate_with_a_bad_password(est, maker, name):
    refused(est.enroll("routers", est.request("/CN=SN-1040"), identity=maker.device("SN-1040"), user="operator:wrong-for-1040"), 401, "credential.known")


def test_certificate_and_password_of_two_accounts(est, maker, passwords):
    refused(est.enroll("routers", est.request("/CN=SN-1041"), identity=maker.device("SN-1041"), user=passwords["operator"]), 403, "credential.one_identity")


def test_both_are_wanted(est, maker, passwords):
    device, request = maker.device("SN-1050"), est.request("/CN=SN-1050")
    refused(est.enroll("both", request, identity=device), 401, "credential.known")
    refused(est.enroll("both", request, user=passwords["both"]), 403, "credential.certificate")
    refused(est.enroll("both", request, identity=device, user="both:wrong"), 401, "credential.known")
    answer = est.enroll("both", request, identity=device, user=passwords["both"])
    assert answer.status == 200, answer.text
    refused(est.reenroll("both", request, answer), 401, "credential.known")
    assert est.reenroll("both", request, answer, user=passwords["both"]).status == 200


def test_refusal_of_a_device_is_explained(est, server, maker):
    answer = est.enroll("listed", est.request("/CN=SN-1060"), identity=maker.device("SN-1060"))
    refused(answer, 403, "device.allowed", "not on the list")
    assert "device SN-1060 of Example Devices Root" in str(server.explain(reference(answer)))


def test_hardware_module(est, maker):
    device = maker.device("other", extensions=[(hardware_module("HW-77"), False)])
    assert est.enroll("first-use", est.request("/CN=HW-77"), identity=device).status == 200
    refused(est.enroll("first-use", est.request("/CN=other"), identity=device), 403, "device.names", "HW-77")


def test_open_endpoint_says_so(est, server, name):
    assert est.enroll("laboratory", est.request(f"/CN={name}")).status == 200
    if not hasattr(server, "nodes"):
        server.stop()
        server.start()
        assert server.events("est_open_endpoint") > 0
        assert "laboratory (account default/laboratory)" in server.verb("doctor", "--data", server.data, *server.options).stdout
