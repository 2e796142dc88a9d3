"""Lists of devices, and whoever comes first as one."""
import json
from concurrent.futures import ThreadPoolExecutor

from harness.est_client import refused, subject
from harness.manufacturer import hardware_module


def devices(server, place, *more):
    return [json.loads(line) for line in server.cli("est", "device", "list", place, *more, "--json").splitlines()]


def test_listed_enrolls_and_is_removed(est, server, maker):
    device, request = maker.device("SN-4001"), est.request("/CN=SN-4001")
    refused(est.enroll("listed", request, identity=device), 403, "device.allowed", "not on the list")
    assert "Listed 1 devices" in server.cli("est", "device", "add", "listed", "SN-4001")
    assert "1 were listed before" in server.cli("est", "device", "add", "listed", "SN-4001")
    answer = est.enroll("listed", request, identity=device)
    assert answer.status == 200, answer.text
    row = devices(server, "listed", "SN-4001")[0]
    assert row["listed"] and row["key"] and row["certificate"] and row["manufacturer"] == ""
    assert "Removed 1 devices" in server.cli("est", "device", "remove", "listed", "SN-4001")
    refused(est.enroll("listed", est.request("/CN=SN-4001"), identity=device), 403, "device.allowed", "not on the list")
    assert est.reenroll("listed", request, answer).status == 200  # its own certificate stands by its record


def test_by_manufacturer(est, server, maker):
    server.cli("est", "device", "add", "listed", "SN-4010", "--manufacturer", "Somebody Else")
    device, request = maker.device("SN-4010"), est.request("/CN=SN-4010")
    refused(est.enroll("listed", request, identity=device), 403, "device.allowed")
    from cryptography.hazmat.primitives import hashes
    digest = maker.root.certificate.fingerprint(hashes.SHA256()).hex()
    server.cli("est", "device", "add", "listed/listed", "SN-4010", "--manufacturer", digest)
    assert est.enroll("listed", request, identity=device).status == 200
    assert len(devices(server, "listed", "SN-4010")) == 2


def test_names_of_the_list(est, server, maker):
    server.cli("est", "device", "add", "listed", "SN-4020", "--manufacturer", "Example Devices Root", "--subject", "CN=edge-7", "--san", "dns:edge-7.devices.test")
    device = maker.device("SN-4020")
    refused(est.enroll("listed", est.request("/CN=SN-4020"), identity=device), 403, "challenge.binding")
    refused(est.enroll("listed", est.request("/CN=edge-7"), identity=device), 403, "challenge.binding")
    answer = est.enroll("listed", est.request("/CN=edge-7", sans=["DNS:edge-7.devices.test"]), identity=device)
    assert answer.status == 200 and subject(answer) == "CN=edge-7"


def test_first_key_stays_until_it_is_released(est, server, maker):
    server.cli("est", "device", "add", "listed", "SN-4030")
    first, second = maker.device("SN-4030"), maker.device("SN-4030")
    assert est.enroll("listed", est.request("/CN=SN-4030"), identity=first).status == 200
    clone = est.enroll("listed", est.request("/CN=SN-4030"), identity=second)
    refused(clone, 403, "device.allowed", "another key came first")
    assert est.enroll("listed", est.request("/CN=SN-4030"), identity=first).status == 200
    assert "Released SN-4030" in server.cli("est", "device", "release", "listed", "SN-4030")
    assert est.enroll("listed", est.request("/CN=SN-4030"), identity=second).status == 200
    refused(est.enroll("listed", est.request("/CN=SN-4030"), identity=first), 403, "device.allowed", "another key came first")


def test_nothing_to_release(server, passwords):
    server.cli("est", "device", "add", "listed", "SN-4040")
    done = server.verb("est", "device", "release", "listed", "SN-4040", "--data", server.data)
    assert done.returncode == 1 and "there is nothing to release" in done.stderr


def test_by_password_each_device_keeps_its_key(est, server, passwords):
    mine, theirs = est.request("/CN=shared-1"), est.request("/CN=shared-1")
    assert est.enroll("first-use", mine, user=passwords["shared"]).status == 200
    refused(est.enroll("first-use", theirs, user=passwords["shared"]), 403, "device.allowed", "another key came first")
    row = [each for each in devices(server, "first-use/shared") if each["serial"] == "shared-1"][0]
    assert not row["listed"] and row["firstUse"]


def test_of_many_first_keys_one_wins(est, server, maker):
    clones = [maker.device("x", extensions=[(hardware_module("HW-race"), False)]) for _ in range(64)]
    requests = [est.request("/CN=HW-race") for _ in clones]
    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda pair: est.enroll("first-use", pair[0], identity=pair[1]), zip(requests, clones)))
    statuses = [answer.status for answer in answers]
    assert statuses.count(200) == 1, statuses
    assert set(statuses) <= {200, 403, 503}
    for answer, request, clone in zip(answers, requests, clones):
        if answer.status == 503:
            refused(est.enroll("first-use", request, identity=clone), 403, "device.allowed", "another key came first")


def test_file(est, server, maker, tmp_path):
    table = tmp_path / "devices.csv"
    table.write_text("serial,manufacturer,subject,sans\n" + "".join(f"BULK-{n},,,\n" for n in range(2500)) + "BULK-named,Example Devices Root,CN=named,\n,,,x\n")
    done = server.verb("est", "device", "add", "listed", "--file", table, "--data", server.data)
    assert done.returncode == 1 and "Listed 2501 devices" in done.stdout and "line 2503" in done.stderr, done.stdout + done.stderr
    assert est.enroll("listed", est.request("/CN=BULK-2499"), identity=maker.device("BULK-2499")).status == 200
    table.write_text("serial\n" + "".join(f"BULK-{n}\n" for n in range(2500)))
    assert "Removed 2500 devices; 0 were not known" in server.cli("est", "device", "remove", "listed", "--file", table)
    for text, why in (("name\nx\n", "no column serial"), ("serial,color\nx,y\n", "unknown column color"), ("serial\n", "there is no device")):
        table.write_text(text)
        done = server.verb("est", "device", "add", "listed", "--file", table, "--data", server.data)
        assert done.returncode != 0 and why in done.stderr, done.stderr


def test_places(server, passwords):
    for place, why in (("nowhere", "there is no EST endpoint nowhere"), ("fresh/none", "no account of method certificate or basic named none"), ("laboratory", "no account of method")):
        done = server.verb("est", "device", "add", place, "x", "--data", server.data)
        assert done.returncode == 1 and why in done.stderr, done.stderr
