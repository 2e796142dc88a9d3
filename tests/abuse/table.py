"""Row -> test -> result: collected while pytest runs, printed and written at the end."""
import os
from collections import defaultdict

from rows import LISTED, OPEN


class Table:
    def __init__(self):
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
        order = sorted({*LISTED, *self.tests}, key=lambda one: (LISTED + [one]).index(one))
        for one in order:
            for nodeid in self.tests.get(one, ()):
                yield f"{one}  {nodeid}  {self._results.get(nodeid, 'not run')}"
            if not self.tests.get(one):
                yield f"{one}  no test  {'open' if one in OPEN else 'MISSING'}"

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.section("rows of the abuse catalogue")
        text = "\n".join(self.lines())
        terminalreporter.write_line(text)
        if where := os.environ.get("POSTERN_ABUSE_TABLE"):
            with open(where, "w", encoding="utf-8") as out:
                out.write(text + "\n")
