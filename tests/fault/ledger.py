"""What a client holds, compared with what the store knows."""
import json
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field, fields

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID


@dataclass
class Findings:
    """Counts first, then what is wrong: each list is empty when all is well."""

    received: int = 0
    stored: int = 0
    settled: int = 0
    lost: list = field(default_factory=list)        # a client has it, its request does not lead to it
    double: list = field(default_factory=list)      # an order, name or enrollment with more than one
    unrecorded: list = field(default_factory=list)  # a certificate without its audit records, or the reverse
    unfinished: list = field(default_factory=list)  # an intent that nobody settled
    unlisted: list = field(default_factory=list)    # a voided serial that is not revoked, or in use
    untold: list = None                             # an issued certificate of which no message was sent, or a stray message; None: not looked at
    repeated_messages: int = 0

    def offences(self):
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) and f.type is list}

    def __str__(self):
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return ", ".join(f"{name} {value if isinstance(value, int) else len(value)}" for name, value in values.items() if value is not None)


def open_store(store):
    """For reading: the file of an embedded store, or a copy in memory of a harness.postgres.Database."""
    database = store.mirror() if hasattr(store, "mirror") else sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    return database


def in_hand(request, certificate):
    """What a client holds, as an entry of a journal."""
    return request, f"{certificate.serial_number:032x}", certificate.fingerprint(SHA256()).hex()


def repeated(values):
    return sorted(value for value, count in Counter(values).items() if count > 1)


def voided_serials(database):
    """Serials whose signature may exist although no certificate was recorded."""
    rows = database.execute("SELECT json_extract(detail, '$.voided_serial') AS serial FROM audit "
                            "WHERE action = 'enrollment.settled'")
    return [row["serial"] for row in rows]


def waiting_messages(store):
    if hasattr(store, "value"):
        return store.value("SELECT count(*) FROM outbox")
    with open_store(store) as database:
        return database.execute("SELECT count(*) FROM outbox").fetchone()[0]


def await_messages(store, tail, seconds=60):
    """Until the outbox is empty: every message was delivered and marked."""
    end = time.monotonic() + seconds
    while waiting := waiting_messages(store):
        assert time.monotonic() < end, f"{waiting} messages wait:\n{tail()}"
        time.sleep(0.05)


def compare(journal, database, sink=None):
    """`journal`: [(order token, SCEP transaction or common name by EST, serial, SHA-256)] of what clients hold. `sink`: what a sender received, all of it."""
    found = Findings(received=len(journal))
    certificates = database.execute("SELECT enrollment_id, hex(serial) AS serial, hex(sha256) AS sha256, names, "
                                    "issuer_key_id FROM certificate").fetchall()
    found.stored = len(certificates)
    _find_lost(found, journal, database)
    _find_double(found, journal, certificates, database)
    _find_unrecorded(found, certificates, database)
    found.unfinished = [row["id"] for row in database.execute("SELECT id FROM enrollment WHERE status = 'submitted'")]
    voided = voided_serials(database)
    found.settled = len(voided)
    revoked = {row["serial"].lower() for row in database.execute("SELECT hex(serial) AS serial FROM revocation")}
    in_use = {row["serial"].lower() for row in certificates}
    found.unlisted = [serial for serial in voided if serial not in revoked or serial in in_use]
    if sink is not None:
        _find_untold(found, sink, database)
    return found


def _by_est(database):
    """(certificate, its common name): a repeated request is known by key and names, and the generator takes fresh ones each time."""
    for row in database.execute("SELECT hex(c.serial) AS serial, hex(c.sha256) AS sha256, c.der FROM enrollment e "
                                "JOIN certificate c ON c.enrollment_id = e.id WHERE e.protocol = 'est'"):
        yield row, x509.load_der_x509_certificate(row["der"]).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def _find_lost(found, journal, database):
    """By the order, the transaction or the name, as the client would ask again: its enrollment's certificate is the one in hand."""
    known = {row["requester"]: (row["serial"].lower(), row["sha256"].lower()) for row in database.execute(
        "SELECT e.requester, hex(c.serial) AS serial, hex(c.sha256) AS sha256 "
        "FROM enrollment e JOIN certificate c ON c.enrollment_id = e.id WHERE e.protocol = 'scep'")}
    known |= {row["token"]: (row["serial"].lower(), row["sha256"].lower()) for row in database.execute(
        "SELECT o.token, hex(c.serial) AS serial, hex(c.sha256) AS sha256 "
        "FROM acme_order o JOIN certificate c ON c.enrollment_id = o.enrollment_id")}
    known |= {name: (row["serial"].lower(), row["sha256"].lower()) for row, name in _by_est(database)}
    found.lost = [entry for entry in journal if known.get(entry[0]) != entry[1:]]


def _find_double(found, journal, certificates, database):
    # The generators ask for a fresh name with every order and take a fresh transaction for every enrollment, so that one with
    # two certificates was answered twice.
    acme = {row["id"] for row in database.execute("SELECT id FROM enrollment WHERE protocol = 'acme'")}
    transactions = {row["id"]: row["requester"] for row in database.execute("SELECT id, requester FROM enrollment WHERE protocol = 'scep'")}
    found.double += repeated(transactions[row["enrollment_id"]] for row in certificates if row["enrollment_id"] in transactions)
    found.double += repeated(name for _, name in _by_est(database))
    found.double += repeated(entry[0] for entry in journal)
    found.double += repeated(entry[1] for entry in journal)
    found.double += repeated(row["names"] for row in certificates if row["enrollment_id"] in acme)
    found.double += repeated(row["enrollment_id"] for row in certificates)
    found.double += repeated((row["issuer_key_id"], row["serial"]) for row in certificates)
    found.double += [row["token"] for row in database.execute(
        "SELECT o.token FROM acme_order o JOIN certificate c ON c.enrollment_id = o.enrollment_id "
        "GROUP BY o.id HAVING count(*) > 1")]


def _find_unrecorded(found, certificates, database):
    intended, issued = {}, {}
    for row in database.execute("SELECT action, object_id, json_extract(detail, '$.serial') AS serial, "
                                "json_extract(detail, '$.sha256') AS sha256 FROM audit "
                                "WHERE object_kind = 'enrollment' AND outcome = 'done'"):
        if row["action"] in ("enrollment.intent", "enrollment.settled"):
            intended.setdefault(int(row["object_id"]), set()).add(row["serial"])
        elif row["action"] == "enrollment.issued":
            issued.setdefault(int(row["object_id"]), []).append((row["serial"], row["sha256"]))
    for row in certificates:
        serial, sha256 = row["serial"].lower(), row["sha256"].lower()
        if issued.pop(row["enrollment_id"], None) != [(serial, sha256)]:
            found.unrecorded.append(("issued", row["enrollment_id"]))
        if serial not in intended.get(row["enrollment_id"], ()):
            found.unrecorded.append(("intent", row["enrollment_id"]))
    found.unrecorded += [("certificate", enrollment) for enrollment in issued]


def _find_untold(found, sink, database):
    """At least one message for each certificate, with its id and its serial, and none for anything else."""
    known = {f"certificate.issued/{row['id']}": row["serial"].lower() for row in database.execute(
        "SELECT id, hex(serial) AS serial FROM certificate WHERE backend = 'builtin'")}
    sent = []
    for line in sink.splitlines():
        identity, _, body = line.split(" ", 2)
        sent.append((identity, json.loads(body)["serial"]))
    found.untold = sorted(set(known.items()) ^ set(sent))
    found.repeated_messages = len(sent) - len(set(sent))
