"""The oracle of the abuse catalogue: what must hold after every input that is refused.

    with oracle.refuses():                    # nothing was judged yet: a counter and no durable write
    with oracle.refuses(audited=1):           # a credential had been judged: one audit record `refused`
    with oracle.refuses(changes=("acme_order",)):   # rows of these tables may come or change

On leaving the block: no certificate; no enrollment submitted or issued; no signature made; no row of any
table changed but those allowed; audit and counters as said; no answer that tells of the inside; the process
the same and serving; its heap back to where it was."""
import json
import re
import sqlite3
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from octets import request, until

# What nobody outside needs to know: traces, sources, statements, library and type names.
_TREE = re.escape(str(Path(__file__).resolve().parents[2]).encode())
_INSIDE = re.compile(rb"\.[ch]pp\b|\bsrc/|" + _TREE + rb"/|/usr/|/tmp/|/home/|\bSQL\b|\bSQLITE_|\bsqlite3?\b|\bSELECT \S+ FROM\b|\bINSERT INTO\b|"
                     rb"\bstd::|\bboost::|\bpostern::|\bterminate called|\bwhat\(\)|\bassert|0x[0-9a-f]{8,}|"
                     rb"error:[0-9A-F]{8}:", re.IGNORECASE)
_RANDOM = re.compile(rb"(Replay-Nonce|X-Request-Id): \S+")
# Blocks of ids are drawn by whoever needs one, and a lease is renewed by the clock: neither is anybody's doing.
_ALWAYS = frozenset({"number_block", "lease"})
HEAP = "postern_heap_in_use_bytes"
HEAP_SLACK = 1024 * 1024
ANSWERED = "postern_http_requests_total"
SIGNED = "postern_ca_signatures_total"


def tables(path):
    """Every row of every table: {table: Counter of rows}."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        # One transaction: all tables as of one moment.
        database.execute("BEGIN")
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        found = {name: Counter(database.execute(f'SELECT * FROM "{name}"')) for name in names}  # noqa: S608
        # The minute's stamp of the clock is nobody's doing.
        found["setting"] = Counter({row: n for row, n in found["setting"].items() if row[0] != "clock.stamp"})
        return found
    finally:
        database.close()


def samples(text):
    """Prometheus text as {(name, labels as text): value}."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name, _, labels = series.partition("{")
            found[name, labels.rstrip("}")] = float(value)
    return found


class Snapshot:
    def __init__(self, laboratory):
        self.pid = laboratory.server.pid
        self.tables = tables(laboratory.server.data / "postern.db")
        with laboratory.connect("management") as connection:
            self.metrics = samples(connection.ask(request("GET", "/metrics")).body.decode())

    def total(self, name, *labels):
        return sum(value for (series, text), value in self.metrics.items()
                   if series == name and all(label in text for label in labels))

    @property
    def refused(self):
        """Requests answered with a status of 4xx or 5xx."""
        return sum(value for (series, text), value in self.metrics.items()
                   if series == ANSWERED and re.search(r'status="[45]', text))


class Refusal:
    """What a block is told about itself when it is over."""

    def __init__(self):
        self.records = []
        """The audit records that it left, oldest first."""
        self.answers = []
        """Every answer that was read within it."""


class Oracle:
    def __init__(self, laboratory):
        self._laboratory = laboratory

    @contextmanager
    def refuses(self, audited=0, changes=(), counter=None):
        """`audited`: how many refusals come after a credential was judged. `changes`: tables whose rows may
        change. `counter`: the metric that counts the rest; by default HTTP's answers of 4xx and 5xx, and none
        where it is "": what is refused goes on."""
        before = Snapshot(self._laboratory)
        self._laboratory.answers.clear()
        refusal = Refusal()
        yield refusal
        refusal.answers = list(self._laboratory.answers)
        self.alive(before.pid)
        after = Snapshot(self._laboratory)
        refusal.records = self._check_state(before, after, set(changes) | _ALWAYS, audited)
        assert after.total(SIGNED, 'kind="certificate"') == before.total(SIGNED, 'kind="certificate"'), "something was signed"
        if not audited and counter != "":
            grown = (after.total(counter) - before.total(counter)) if counter else after.refused - before.refused
            assert grown > 0, f"no refusal was counted in {counter or ANSWERED}"
        self._check_answers(refusal.answers)
        self._check_heap(before)

    def alive(self, pid=None):
        """The process is the one that was started, and serves a request on a fresh connection."""
        server = self._laboratory.server
        assert pid is None or server.pid == pid
        with self._laboratory.connect() as connection:
            answer = connection.ask(request("GET", "/acme/default/directory", host=self._laboratory.host))
            assert answer.status == 200, answer

    @staticmethod
    def _check_state(before, after, allowed, audited):
        for table, rows in after.tables.items():
            gone, come = before.tables[table] - rows, rows - before.tables[table]
            if table == "certificate":
                assert not come, f"a certificate was recorded: {come}"
            elif table == "enrollment":
                live = [row for row in come if {"submitted", "issued"} & set(map(str, row))]
                assert not live, f"an enrollment was made: {live}"
                assert table in allowed or not (gone or come), f"{table}: {gone} became {come}"
            elif table == "audit":
                assert not gone, f"audit records were changed: {gone}"
            elif table not in allowed:
                assert not (gone or come), f"{table}: {gone} became {come}"
        return _refusals(after.tables["audit"] - before.tables["audit"], audited)

    def _check_answers(self, answers):
        data = str(self._laboratory.server.data).encode()
        for answer in answers:
            found = _INSIDE.search(_RANDOM.sub(b"", answer.octets))
            assert not found, f"an answer tells of the inside: {found.group(0)!r} in {answer.octets!r}"
            assert data not in answer.octets, answer.octets

    def _check_heap(self, before):
        if not before.total(HEAP):
            return  # nothing here counts it
        # What a connection holds is given back when its farewell is over.
        def back():
            return Snapshot(self._laboratory).total(HEAP) <= before.total(HEAP) + HEAP_SLACK
        until(back, lambda: f"the heap grew from {before.total(HEAP)} to {Snapshot(self._laboratory).total(HEAP)}")


_AUDIT = ("id", "at_ms", "tenant_id", "request_id", "actor_kind", "actor", "action", "object_kind", "object_id",
          "outcome", "check_name", "detail")


def _refusals(rows, wanted):
    """The new audit rows as dictionaries, each a refusal with its reason."""
    records = sorted((dict(zip(_AUDIT, row)) for row in rows), key=lambda record: record["id"])
    refused = [record for record in records if record["outcome"] == "refused"]
    assert len(refused) == wanted, f"{len(refused)} refusals in the audit log instead of {wanted}: {records}"
    for record in refused:
        assert record["request_id"] and record["action"], record
        assert record["check_name"] or json.loads(record["detail"] or "{}"), f"a refusal without a reason: {record}"
    assert records == refused, f"something was done: {records}"
    return records


def check_problem(answer, status, kind, *words):
    """An ACME problem document (RFC 8555 §6.7) with a fresh nonce (§6.5)."""
    assert (answer.status, answer.type) == (status, kind), answer
    assert answer.json["status"] == status
    for word in words:
        assert word.lower() in answer.json["detail"].lower(), answer
    assert answer.nonce, "an error of ACME carries a nonce (RFC 8555 section 6.5)"
    return answer
