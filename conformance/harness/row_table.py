"""Row of a catalogue of abuses -> test -> result: collected while pytest runs, printed and written at the end."""
import os
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

import pytest

from .environment import environment, executable


def row(*ids):
    """Marks a test with the rows that it is for. Others than listed ones may be marked too."""
    return pytest.mark.row(*ids)


def run_unit(room, case, folder):
    """A row that a Boost.Test case holds: it exists, it is one case, and it passes."""
    report = folder / "report.xml"
    done = subprocess.run([executable().parent / f"tests/test_{room}", f"--run_test={case}", "--report_level=detailed",
                           "--report_format=XML", f"--report_sink={report}", "--detect_memory_leaks=0"],
                          text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
                          env=environment(TMPDIR=str(folder)))
    assert done.returncode == 0, done.stdout + done.stderr
    results = [found.get("result") for found in ElementTree.parse(report).iter("TestCase")]
    assert results.count("passed") == 1 and set(results) <= {"passed", "skipped"}, results


def units(listed):
    """Parameters of a test (room, case) from [(rows, room, case)]."""
    return [pytest.param(room, case, id=f"{room}:{case}", marks=row(*ids)) for ids, room, case in listed]


@pytest.fixture
def table(request):
    """When the whole folder of the test that asks was collected."""
    named = [Path(argument) for argument in request.config.args]
    if request.path.parent not in [each.resolve() for each in named] or request.config.option.keyword:
        pytest.skip("only a part of the folder was asked for")
    return request.config.pluginmanager.get_plugin("row-table")


def test_every_listed_row_has_a_test(table):
    """For the folders that import it, as the next one."""
    assert table.missing() == []


def test_no_row_that_has_a_test_is_called_open(table):
    assert [one for one in sorted(table.open_rows) if table.tests.get(one)] == []


class Table:
    def __init__(self, listed, open_rows, variable, stands_on=None):
        """`listed`: every row that needs a test, but for `open_rows`; `variable` names the file that gets the table. `stands_on`: row ->
        (file, function, test): the check, and the test that fails without it."""
        self.listed, self.open_rows, self._variable, self.stands_on = list(listed), open_rows, variable, stands_on or {}
        self.tests = defaultdict(list)
        self._results = {}

    def pytest_collection_modifyitems(self, items):
        for item in items:
            for mark in item.iter_markers("row"):
                for one in mark.args:
                    self.tests[one].append(item.nodeid)

    def pytest_runtest_logreport(self, report):
        worse = {"passed": 0, "skipped": 1, "failed": 2}
        known = self._results.get(report.nodeid, "passed")
        self._results[report.nodeid] = max(known, report.outcome, key=worse.__getitem__)

    def lines(self):
        order = sorted({*self.listed, *self.tests}, key=lambda one: ((self.listed + [one]).index(one), one))
        for one in order:
            if one in self.stands_on:
                yield "{}  stands on {} {}: without it {} fails".format(one, *self.stands_on[one])
            for nodeid in self.tests.get(one, ()):
                yield f"{one}  {nodeid}  {self._results.get(nodeid, 'not run')}"
            if not self.tests.get(one):
                yield f"{one}  no test  {'open' if one in self.open_rows else 'MISSING'}"

    def missing(self):
        return [one for one in self.listed if one not in self.open_rows and not self.tests.get(one)]

    def register(self, config):
        config.addinivalue_line("markers", "row(*ids): the rows of the abuse catalogue that a test is for")
        config.pluginmanager.register(self, "row-table")

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.section("rows of the abuse catalogue")
        text = "\n".join(self.lines())
        terminalreporter.write_line(text)
        if where := os.environ.get(self._variable):
            with open(where, "w", encoding="utf-8") as out:
                out.write(text + "\n")
