"""Many issued certificates in a store, each a copy of one that was really issued, with all its rows; only the
decision traces in the audit, most of a store's octets, are left out."""
import sqlite3

# What differs from the copied row, by table: {i} counts from 1, {name} are the first ids of the series.
ENROLLMENT = {"id": "{enrollment} + i", "request_id": "printf('filled%010d', i)", "attempt_key": "randomblob(32)",
              "names": "printf('[\"filled-%d.bench.test\"]', i)", "spki_sha256": "randomblob(32)",
              "serial": "CAST(printf('%016d', i) AS BLOB)", "tbs_sha256": "randomblob(32)"}
CERTIFICATE = {"id": "{certificate} + i", "token": "printf('certificate%011d', i)", "enrollment_id": "{enrollment} + i",
               "serial": "CAST(printf('%016d', i) AS BLOB)", "sha256": "CAST(printf('%032d', i) AS BLOB)", "spki_sha256": "randomblob(32)",
               "names": "printf('[\"filled-%d.bench.test\"]', i)"}
ORDER = {"id": "{acme} + i", "token": "printf('order%017d', i)", "enrollment_id": "{enrollment} + i",
         "identifiers": "printf('[{{\"type\":\"dns\",\"value\":\"filled-%d.bench.test\"}}]', i)"}
AUTHORIZATION = {"id": "{acme} + i", "token": "printf('authorization%09d', i)",
                 "identifier": "printf('filled-%d.bench.test', i)"}
LINK = {"order_id": "{acme} + i", "authorization_id": "{acme} + i"}
CHALLENGE = {"id": "{acme} + i", "token": "printf('challenge%013d', i)", "authorization_id": "{acme} + i"}
AUDIT = {"request_id": "printf('filled%010d', i)", "object_id": "CAST({enrollment} + i AS TEXT)"}
SERIAL, SHA256 = "lower(hex(printf('%016d', i)))", "lower(hex(printf('%032d', i)))"
INTENT = AUDIT | {"id": "{audit} + 2 * i", "detail": f"json_object('serial', {SERIAL})"}
ISSUED = AUDIT | {"id": "{audit} + 2 * i + 1",
                  "detail": f"json_object('serial', {SERIAL}, 'certificate', {{certificate}} + i, 'sha256', {SHA256})"}


def _copy(database, table, where, changes, first, count):
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    values = [changes[column].format(**first) if column in changes else column for column in columns]
    database.execute(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM n, "
        f"(SELECT * FROM {table} WHERE {where} LIMIT 1)")


def fill(path, count):
    """`count` copies of the newest ACME certificate of a stopped server."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = DELETE")
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA cache_size = -200000")
    database.execute("BEGIN IMMEDIATE")
    enrollment, = database.execute("SELECT max(id) FROM enrollment WHERE protocol = 'acme' AND status = 'issued'").fetchone()
    order, = database.execute("SELECT id FROM acme_order WHERE enrollment_id = ?", (enrollment,)).fetchone()
    authorization, = database.execute("SELECT authorization_id FROM acme_order_authorization WHERE order_id = ?",
                                      (order,)).fetchone()
    first = dict(database.execute("SELECT series, next FROM number_block"))
    of_object = f"object_kind = 'enrollment' AND object_id = '{enrollment}' AND action = "
    for table, where, changes in (
            ("enrollment", f"id = {enrollment}", ENROLLMENT), ("certificate", f"enrollment_id = {enrollment}", CERTIFICATE),
            ("acme_order", f"id = {order}", ORDER), ("acme_authorization", f"id = {authorization}", AUTHORIZATION),
            ("acme_order_authorization", f"order_id = {order}", LINK),
            ("acme_challenge", f"authorization_id = {authorization}", CHALLENGE),
            ("audit", of_object + "'enrollment.intent'", INTENT), ("audit", of_object + "'enrollment.issued'", ISSUED)):
        _copy(database, table, where, changes, first, count)
    database.execute("UPDATE number_block SET next = next + ?", (2 * count + 1000,))
    database.execute("COMMIT")
    database.execute("PRAGMA journal_mode = WAL")
    database.close()
