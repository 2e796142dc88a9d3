"""A pytest plugin: one line of progress a case, and the results as JSON for conformance/run.

A case is one test with its parameters; the parameter `client` is the column of the table. Tests marked `together` are one
row for all their parameters: hundreds of small cases, of which only those that fail are of interest. What a client has no way
to do is `cannot` with its reason: neither passed, nor skipped for want of anything here.
"""
import json
import os

import pytest

_ORDER = {"passed": 0, "cannot": 1, "skipped": 2, "failed": 3}
_CANNOT = "cannot: "
_results = {}
_items = {}


def cannot(reason):
    """Ends the case: the client has no way to do what it is about."""
    pytest.skip(_CANNOT + reason)


def pytest_collection_modifyitems(items):
    for item in items:
        _items[item.nodeid] = item


def pytest_configure(config):
    config.addinivalue_line("markers", "together: one row of the table for all parameters")


def _row(nodeid):
    item = _items[nodeid]
    parameters = dict(getattr(item, "callspec", None).params) if hasattr(item, "callspec") else {}
    client = str(parameters.pop("client_kind", "-"))
    if item.get_closest_marker("together"):
        parameters = {}
    case = item.originalname.removeprefix("test_")
    for value in parameters.values():
        case += f" {value}"
    return case, client


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed" or report.nodeid in _results:
        case, client = _row(report.nodeid)
        result = _results.setdefault(report.nodeid, {"case": case, "client": client, "outcome": "passed",
                                                     "seconds": 0.0, "reason": ""})
        result["seconds"] += report.duration
        # The set-up and the tear-down count too: a server that dies at its end failed its case.
        outcome, reason = _judged(report)
        if _ORDER[outcome] > _ORDER[result["outcome"]]:
            result.update(outcome=outcome, reason=reason)


def _judged(report):
    """(the outcome as the table has it, why)"""
    if report.outcome != "skipped":
        return report.outcome, ""
    reason = str(report.longrepr[-1]).removeprefix("Skipped: ")
    return ("cannot", reason.removeprefix(_CANNOT)) if reason.startswith(_CANNOT) else ("skipped", reason)


def pytest_report_teststatus(report):
    """Replaces pytest's dots by a line a case."""
    if report.when == "call" or report.outcome != "passed":
        case, client = _row(report.nodeid)
        if report.outcome == "passed" and _items[report.nodeid].get_closest_marker("together"):
            return report.outcome, ".", report.outcome.upper()
        outcome, _ = _judged(report)
        return report.outcome, f"\n{outcome:8}{case} {client}", report.outcome.upper()
    return None


def pytest_sessionfinish():
    with open(os.environ["CONFORMANCE_RESULTS"], "w", encoding="utf-8") as out:
        json.dump(list(_results.values()), out)
