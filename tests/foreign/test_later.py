"""Answers that come later, and those that were lost on the way."""
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from house import SUFFIX


def test_pending_ends_with_a_certificate(house):
    house.ca.behave(issue="pending", poll="pending")
    url, answer = house.finalize()
    assert (answer.status, answer.body["status"]) == (200, "processing")
    assert int(answer.headers["Retry-After"]) >= 1
    request, = [r for r in house.requests() if r["state"] == "pending"]
    assert house.records(request["request"], "enrollment.pending")[0]["detail"]["handle"] == "h-" + request["request"]
    house.ca.behave(issue="pending")
    order = house.client.until(url, lambda body: body["status"] == "valid")
    assert house.client.chain(order.body).startswith(house.ca.issued(request["request"]).split("-----END")[0])
    assert house.ca.submissions()[request["request"]] == 1
    assert house.requests("--held") == [r for r in house.requests("--held") if r["id"] != request["id"]]


def test_a_disabled_backend_answers_for_what_it_has_and_gets_nothing_new(house):
    house.ca.behave(issue="pending", poll="pending")
    url, _ = house.finalize()
    request, = [r for r in house.requests() if r["state"] == "pending"]
    later = f"later.{house.ca.name}.{SUFFIX}"
    _, ready = house.client.ready(later)
    house.describe(timeout="2s", enabled=False)
    refused, _ = house.client.finalize(ready, later)
    assert refused.status >= 400 and "backend" in refused.body["detail"], refused.body
    house.ca.behave(issue="pending")
    order = house.client.until(url, lambda body: body["status"] == "valid").body
    assert house.client.chain(order).startswith(house.ca.issued(request["request"]).split("-----END")[0])
    # What it issued is still revoked there.
    assert house.client.revoke(house.client.chain(order)).status == 200
    assert [operation for operation, _ in house.ca.journal()][-1] == "revoke"
    house.describe(timeout="2s")


def test_what_a_command_brings_back_after_its_backend_was_disabled_counts(house):
    house.describe(timeout="60s")
    house.ca.behave(issue="waits")
    before = len(house.ca.journal())
    with ThreadPoolExecutor(1) as client:
        finalized = client.submit(house.finalize)
        end = time.monotonic() + 60
        while len(house.ca.journal()) == before:
            assert time.monotonic() < end
            time.sleep(0.02)
        house.describe(timeout="60s", enabled=False)
        (house.ca.home / "go").touch()
        url, _ = finalized.result()
    order = house.client.until(url, lambda body: body["status"] != "processing").body
    (house.ca.home / "go").unlink()
    house.describe(timeout="2s")
    assert order["status"] == "valid"


def test_pending_ends_with_a_refusal(house):
    house.ca.behave(issue="pending", poll="refused")
    url, _ = house.finalize()
    order = house.client.until(url, lambda body: body["status"] == "invalid").body
    assert "the CA refused the request: not on a Sunday" in order["error"]["detail"]
    assert "rule 7" not in json.dumps(order)


def test_a_refusal_is_told_and_its_log_kept_for_the_officer(house):
    house.ca.behave(issue="refused")
    url, answer = house.finalize()
    order = house.client.post(url, None).body
    assert order["status"] == "invalid"
    assert order["error"]["type"] == "urn:ietf:params:acme:error:unauthorized"
    assert "the CA refused the request: not on a Sunday" in order["error"]["detail"]
    request = re.search(r"request ([a-z2-7]{16})\]", order["error"]["detail"])[1]
    record, = house.records(request, "enrollment.rejected")
    assert record["detail"]["log"] == "rule 7 \\u001b[31m"
    assert house.ca.submissions()[request] == 1


def test_an_unavailable_ca_leaves_the_order_ready(house):
    house.ca.behave(issue="unavailable")
    url, answer = house.finalize()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "77")
    assert answer.body["type"] == "urn:ietf:params:acme:error:rateLimited"
    order = house.client.post(url, None).body
    assert order["status"] == "ready"
    house.ca.behave()
    answer, _ = house.client.finalize(order, order["identifiers"][0]["value"])
    assert answer.body["status"] == "valid"


@pytest.mark.parametrize("how", ["lost", "status_3", "trailing", "half_later"])
def test_a_lost_answer_is_looked_up_and_never_handed_over_again(house, how):
    house.ca.behave(issue="lost" if how == "half_later" else how, lookup="unavailable" if how == "half_later" else "well")
    url, _ = house.finalize()
    if how == "half_later":
        house.client.until(url, lambda body: any(o == "lookup" for o, _ in house.ca.journal()))
        house.ca.behave()
    order = house.client.until(url, lambda body: body["status"] == "valid", seconds=120).body
    request = next(r for o, r in reversed(house.ca.journal()) if o == "lookup")
    assert house.client.chain(order).startswith(house.ca.issued(request).split("-----END")[0])
    assert house.ca.submissions()[request] == 1
    assert len(house.records(request, "enrollment.answer_lost")) == 1
