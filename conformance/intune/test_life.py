"""A phone's whole life by the laboratory's clock, each step as the phone, Intune and the records have it; and the same with Intune
down for ten minutes in the middle. POSTERN_INTUNE_LIVES names a file for what was seen."""
import http.client
import json
import os
import re
import threading
import time
import urllib.request
from datetime import datetime, timezone

import pytest
from harness.laboratory import LaboratoryClock, life, nodes_of, unix
from harness.scep_reply import FAILURE, SUCCESS
from harness.scep_style import STYLES

from intune import behaviours
from intune.client import IntuneStandIn
from intune.phone import Phone
from intune.site import Site, csr_of, nothing_written_down

DAY = 86400
NET_SECONDS = 60
AWAY = "Intune did not answer; ask again later"


@pytest.fixture
def own_standin():
    """Its clock goes with the laboratory's, which is nobody else's business."""
    with IntuneStandIn() as started:
        yield started


@pytest.fixture
def clock(own_server, own_standin):
    return LaboratoryClock(own_server, lambda seconds: own_standin.move_clock(seconds=seconds))


@pytest.fixture
def here(own_server, own_standin, database, tmp_path):
    def make(**how):
        return Site(own_server, own_standin, tmp_path, "managed", **{"within": "20s", **how})

    yield make
    nothing_written_down(own_standin, own_server, database)


@pytest.fixture
def saw(clock, request):
    """Takes a step of the record: what happened, and what was seen of it."""
    lines = [request.node.name]

    def step(what, *seen):
        when = datetime.fromtimestamp(clock.now(), timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        lines.append("  ".join([when, what, *map(str, seen)]))

    yield step
    text = "\n".join(lines) + "\n"
    print(text)
    if path := os.environ.get("POSTERN_INTUNE_LIVES"):
        with open(path, "a", encoding="utf-8") as out:
            out.write(text + "\n")


def recorded(server, reference):
    """The actions on record, in their order, and the last record of each."""
    records = server.explain(reference)
    return [record["action"] for record in records], {record["action"]: record for record in records}


def refused(reply, text, info="badRequest"):
    assert (reply.status, reply.fail_info, reply.text, reply.certificates) == (FAILURE, info, text, [])


def eventually(what, why):
    end = time.monotonic() + NET_SECONDS
    while not (found := what()):
        assert time.monotonic() < end, why
        time.sleep(0.1)
    return found


def revoked_through_the_queue(site, clock, phone, saw):
    """Nobody asks for it: the server looks into the queue by itself, every quarter of an hour of its clock."""
    [context] = site.tenant.queue_revocation(transaction=phone.transaction)
    clock.advance(18 * 60)  # a quarter of an hour, and its spread

    def heard():
        if not site.tenant.results():
            clock.advance(20)  # of several nodes another one may have taken over, and waits up to a minute
        return site.tenant.results()

    [result] = eventually(heard, "the queue was never asked")
    assert (result["requestContext"], result["succeeded"], result["errorCode"]) == (context, True, "None")
    saw("Intune's queue wants it revoked, and hears", result)


# ---- all is well

def test_a_phones_life(here, own_server, clock, saw, tmp_path):
    site = here(endpoint='renewal_window = "6d"')
    phone = Phone(site, clock, tmp_path / "phone", "phone-1")
    scep = phone.install()
    saw("profile installed", scep["URL"], f"{scep['Key Type']} {scep['Keysize']}", f"Key Usage {scep['Key Usage']}", f"subject {scep['Subject']}",
        f"a challenge of {len(scep['Challenge'])} characters")

    reply = phone.enroll()
    assert reply.status == SUCCESS, reply.text
    first = reply.certificate
    begin, length = life(first)
    assert phone.holds(first)[0] and first.public_key().key_size == scep["Keysize"]
    serial = f"{first.serial_number:032x}"
    saw("enrolled", serial, f"valid for {length / DAY:.0f} days")

    [asked], [told] = site.asked("validate"), phone.notifications()
    assert csr_of(asked.fields["request"]) == csr_of(told.fields["notification"]) and asked.number < told.number
    notice = told.fields["notification"]
    assert int(notice["certificateSerialNumber"], 16) == first.serial_number and asked.fields["request"]["transactionId"] == phone.transaction
    actions, by = recorded(own_server, serial)
    assert actions == ["enrollment.intent", "enrollment.issued", "intune.notified"]
    assert "intune Success by azure account default/managed" in json.dumps(by["enrollment.intent"]["detail"])
    assert by["intune.notified"]["detail"]["released"] is True
    saw("Intune was asked and told, in this order", notice["certificateThumbprint"], actions)

    # Intune's agent renews at 80 % of its life, by a profile with a new challenge.
    share = 100 - int(phone.form["Renewal threshold (%)"])
    assert share == 80
    renewed_at = begin + length * share / 100
    clock.advance_to(renewed_at)
    phone.install()
    reply = phone.enroll()
    assert reply.status == SUCCESS, reply.text
    second = reply.certificate
    used = (unix(second.not_valid_before) + 1 - begin) / length  # its profile backdates by a second
    assert 0.8 <= used < 0.8001, used
    assert second.serial_number != first.serial_number and second.public_key().public_numbers() != first.public_key().public_numbers()
    # CRLs of before are over at the new time; each is made anew as soon as the server sees it.
    for certificate in (second, first):
        eventually(lambda: phone.holds(certificate)[0], f"the former holds on until its end: {phone.holds(certificate)[1]}")
    assert len(phone.notifications()) == 1 and len(site.asked("validate")) == 2
    saw(f"renewed at {used:.2%} of its life", f"{second.serial_number:032x}")

    revoked_through_the_queue(site, clock, phone, saw)
    rows = {row["serial"]: row["status"] for row in phone.certificates()}
    assert rows == {serial: "issued", f"{second.serial_number:032x}": "revoked"}
    eventually(lambda: "certificate revoked" in phone.holds(second)[1], "the CRL never had it")
    actions, by = recorded(own_server, f"{second.serial_number:032x}")
    assert actions == ["enrollment.intent", "enrollment.issued", "intune.notified", "certificate.revoked"]
    refused(phone.enroll(), "the certificate of this challenge was revoked; a new challenge is needed")
    saw("revoked", actions, f"by {by['certificate.revoked']['actor']}")

    # The former's end comes by itself.
    clock.advance_to(begin + length)
    assert "expired" in phone.holds(first)[1]
    saw("the first certificate has expired", serial)
    site.nothing_wrong()


def test_a_certificate_that_may_renew_itself_does_so_in_its_window(here, own_server, clock, saw):
    """`renewal_by_certificate`: RenewalReq, of which Intune knows nothing."""
    site = here(more="renewal_by_certificate = true", endpoint='renewal_window = "6d"')
    phone = site.device(STYLES["strongswan"])
    first = phone.enroll(site.challenge(phone)).certificate
    begin, length = life(first)
    window = datetime.fromtimestamp(begin + 0.8 * length - 1, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    clock.advance_to(begin + 0.8 * length - 3600)
    early = f"the certificate can be renewed from {window} on"
    refused(phone.renew(phone.new_key()), early, "badMessageCheck")
    saw("an hour too early", early)

    clock.advance_to(begin + 0.8 * length)
    former = (phone.certificate, phone.key)
    reply = phone.renew(phone.new_key())
    assert reply.status == SUCCESS, reply.text
    saw("at 80 %", f"{reply.certificate.serial_number:032x}")
    assert len(site.asked("validate")) == len(site.asked("success")) == 1, "Intune was asked about the first alone"

    # The former again, after its end.
    clock.advance_to(begin + length)
    phone.certificate, phone.key = former
    late = phone.renew(phone.new_key())
    assert late.status == FAILURE and late.text.startswith("the certificate is valid from ") and late.fail_info == "badMessageCheck", late
    saw("after its end", late.fail_info, late.text)
    assert len(site.certificates(phone)) == 2
    site.nothing_wrong()


# ---- Intune is down for ten minutes

SITES = ("entra", "graph", "intune")
MINUTE = 60


def metric(node, name):
    """Of a node, the sum over all labels that are not named; 0 where nobody counted yet."""
    with urllib.request.urlopen(node.ready["management"] + "/metrics", timeout=NET_SECONDS) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(re.escape(name) + r"[{ ]", line))


def last_refusal(server, phone):
    """(check, why) as `postern explain` has the newest refusal of the phone's transaction."""
    record = server.explain(phone.transaction)[-1]
    assert (record["action"], record["outcome"]) == ("enrollment.refused", "refused")
    [entry] = [entry for entry in record["detail"]["trace"] if entry["check"] == "intune.validate"]
    return record["check"], entry["reason"]


def ask_at_once(phones):
    replies = [None] * len(phones)

    def ask(number):
        replies[number] = phones[number].enroll()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(phones))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return replies


def left_withheld(site, phone):
    """Validated and issued, and the server dies while it tells Intune: the phone has no answer."""
    site.tenant.script("success", behaviours.silence())
    failed = []

    def ask():
        try:
            failed.append(phone.enroll().status)
        except (OSError, http.client.HTTPException) as gone:
            failed.append(type(gone))

    asking = threading.Thread(target=ask)
    asking.start()
    site.standin.wait_for("success", len(site.asked("success")) + 1)
    for node in nodes_of(site.server):
        node.kill()
    asking.join()
    assert failed != [SUCCESS], failed


def test_a_phones_life_with_intune_down_for_ten_minutes(here, own_server, clock, saw, tmp_path):
    site = here(endpoint='renewal_window = "6d"')
    nodes = nodes_of(own_server)
    phone = Phone(site, clock, tmp_path / "phone", "phone-1")
    phone.install()
    first = phone.enroll().certificate
    begin, length = life(first)
    saw("enrolled", f"{first.serial_number:032x}")
    clock.advance_to(begin + length * 0.8)
    phone.install()
    waiting = Phone(site, clock, tmp_path / "waiting", "phone-2")
    waiting.install()
    # All of these at one node, as what is remembered of a failure is each node's own.
    one = nodes[0]
    url = f"http://127.0.0.1:{one.port('http')}/scep/{site.name}/pkiclient.exe" if len(nodes) > 1 else None
    fleet = [Phone(site, clock, tmp_path / f"fleet-{n}", f"phone-1{n}", url) for n in range(5)]
    for each in fleet:
        each.install()

    left_withheld(site, waiting)
    for name in SITES:
        site.standin.down(site=name)
    down_at = clock.now()
    for node in nodes:
        node.start()
    asked = len(site.tenant.asked())
    saw("Intune is down; the server died with a certificate that nobody was told of", waiting.name)

    # Five calls that fail open the breaker, and from then on nobody waits.
    for reply in ask_at_once(fleet):
        refused(reply, AWAY)
    assert {last_refusal(own_server, each)[0] for each in fleet} <= {"intune.unreachable", "intune.breaker"}
    refused(phone.enroll(), AWAY)
    held = set()
    while clock.now() < down_at + 9 * MINUTE:
        refused(fleet[0].enroll(), AWAY)
        check, why = last_refusal(own_server, fleet[0])
        if check == "intune.breaker":
            wait = int(re.search(r"asked again in (\d+) s$", why)[1])
            assert metric(one, "postern_intune_breaker_open") == 1
            held.add(wait)
            clock.advance(min(wait, 30))
        refused(phone.enroll(), AWAY)
        saw("asked again", check, why)
    assert held and max(held) > 30, f"the breaker's pauses grow, by the laboratory's clock: {held}"
    clock.advance_to(down_at + 10 * MINUTE)
    refused(waiting.enroll(), "an earlier request with this challenge is still being worked on; ask again")
    refused(phone.enroll(), AWAY)

    assert len(site.tenant.asked()) == asked, "somebody was asked all the same"
    assert [row["status"] for row in phone.certificates()] == ["issued"], "the first alone"
    assert [each.certificates() for each in fleet] == [[]] * len(fleet), "nothing without a yes"
    assert [row["status"] for row in waiting.certificates()] == ["issued"] and waiting.notifications() == []
    outbox = {what: sum(metric(node, f'postern_outbox_{what}_total{{kind="intune.success"}}') for node in nodes) for what in ("failures", "delivered")}
    assert outbox["failures"] > 3 and outbox["delivered"] == 0, outbox
    saw("ten minutes", "nothing was issued", f"the outbox tried {outbox['failures']:.0f} times to tell Intune")

    # It comes back, and first wants to be left alone for a while: by its word, to the second.
    site.tenant.script("validate", behaviours.throttled(90))
    for name in SITES:
        site.standin.up(site=name)
    check = "intune.breaker"
    while check == "intune.breaker":
        clock.advance(15)
        refused(fleet[0].enroll(), AWAY)
        check, why = last_refusal(own_server, fleet[0])
    assert check == "intune.throttled", check
    told_at, before = clock.now(), len(site.asked("validate"))
    clock.advance(80)
    refused(fleet[0].enroll(), AWAY)
    check, why = last_refusal(own_server, fleet[0])
    assert check == "intune.breaker" and int(re.search(r"in (\d+) s$", why)[1]) <= 10, why
    assert len(site.asked("validate")) == before, "it was asked before its time"
    clock.advance_to(told_at + 91)
    saw("Retry-After: 90 is over", why)

    # What was withheld is told by the outbox alone, whenever it is due, and delivered.
    def told():
        if not waiting.notifications():
            clock.advance(10)
        return waiting.notifications()

    eventually(told, "nobody told Intune of the withheld certificate")
    reply = waiting.enroll()
    assert reply.status == SUCCESS, reply.text
    [row] = waiting.certificates()
    assert row["serial"] == f"{reply.certificate.serial_number:032x}" and len(waiting.notifications()) == 1
    actions, _ = recorded(own_server, row["serial"])
    assert actions.count("intune.notified") == 1 and actions.count("enrollment.issued") == 1 and "certificate.revoked" not in actions
    saw("the withheld certificate is delivered", row["serial"], actions)

    # All others too, by the challenges that they have.
    for each in [*fleet, phone]:
        while (reply := each.enroll()).text == AWAY:  # another node's breaker
            clock.advance(30)
        assert reply.status == SUCCESS, reply.text
        assert len(each.notifications()) == 1
        again = each.enroll()
        assert again.certificates == reply.certificates, "asked twice, it is the same one"
    assert [len(each.certificates()) for each in fleet] == [1] * len(fleet) and len(phone.certificates()) == 2
    def healed():
        """The queue of revocations has a breaker of its own, and is asked again at its own times."""
        if metric(one, "postern_intune_breaker_open") != 0:
            clock.advance(60)
        return metric(one, "postern_intune_breaker_open") == 0

    eventually(healed, "a breaker stays open although Intune is back")
    assert sum(metric(node, 'postern_outbox_delivered_total{kind="intune.success"}') for node in nodes) == 1
    saw("everybody has one certificate, and Intune heard once of each", len(fleet) + 2)

    revoked_through_the_queue(site, clock, phone, saw)
    assert sorted(row["status"] for row in phone.certificates()) == ["issued", "revoked"]
    site.nothing_wrong()


def test_what_nobody_could_be_told_of_for_longer_is_revoked(here, own_server, clock, saw, tmp_path):
    """The other side of the ten minutes: after half an hour the phone starts anew."""
    site = here()
    phone = Phone(site, clock, tmp_path / "phone", "phone-1")
    phone.install()
    left_withheld(site, phone)
    for name in SITES:
        site.standin.down(site=name)
    for node in nodes_of(own_server):
        node.start()
    clock.advance(31 * MINUTE)

    def revoked():
        [row] = phone.certificates()
        if row["status"] != "revoked":
            clock.advance(30)  # the outbox's next try
        return row["status"] == "revoked"

    eventually(revoked, "a certificate that Intune never hears of stands")
    for name in SITES:
        site.standin.up(site=name)
    clock.advance(5 * MINUTE)
    refused(phone.enroll(), "the certificate of this challenge was revoked; a new challenge is needed")
    assert phone.notifications() == [] and site.transaction(phone.device).success is None
    phone.install()
    while (reply := phone.enroll()).text == AWAY:
        clock.advance(30)
    assert reply.status == SUCCESS and len(phone.notifications()) == 1
    assert sorted(row["status"] for row in phone.certificates()) == ["issued", "revoked"]
    saw("revoked, and enrolled anew", [row["serial"] for row in phone.certificates()])
    site.nothing_wrong()
