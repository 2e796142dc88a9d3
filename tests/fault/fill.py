"""Many issued certificates in a store, each a copy of one that was really issued, with all its rows."""
import sqlite3

# What differs from the copied row, by table: {i} counts from 1, {name} are the first ids of the series.
ENROLLMENT = {"id": "{enrollment} + i", "request_id": "printf('filled%010d', i)", "attempt_key": "randomblob(32)",
              "names": "printf('[\"filled-%d.bench.test\"]', i)", "spki_sha256": "randomblob(32)",
              "serial": "CAST(printf('%016d', i) AS BLOB)", "tbs_sha256": "randomblob(32)"}
CERTIFICATE = {"id": "{certificate} + i", "token": "printf('certificate%011d', i)", "enrollment_id": "{enrollment} + i",
               "serial": "CAST(printf('%016d', i) AS BLOB)", "sha256": "randomblob(32)", "spki_sha256": "randomblob(32)",
               "names": "printf('[\"filled-%d.bench.test\"]', i)"}
ORDER = {"id": "{acme} + i", "token": "printf('order%017d', i)", "enrollment_id": "{enrollment} + i",
         "identifiers": "printf('[{{\"type\":\"dns\",\"value\":\"filled-%d.bench.test\"}}]', i)"}
AUTHORIZATION = {"id": "{acme} + i", "token": "printf('authorization%09d', i)",
                 "identifier": "printf('filled-%d.bench.test', i)"}
LINK = {"order_id": "{acme} + i", "authorization_id": "{acme} + i"}
CHALLENGE = {"id": "{acme} + i", "token": "printf('challenge%013d', i)", "authorization_id": "{acme} + i"}
AUDIT = {"request_id": "printf('filled%010d', i)", "object_id": "CAST({enrollment} + i AS TEXT)"}
SERIAL = "lower(hex(printf('%016d', i)))"
INTENT = AUDIT | {"id": "{audit} + 2 * i", "detail": f"json_set(detail, '$.serial', {SERIAL})"}
ISSUED = AUDIT | {"id": "{audit} + 2 * i + 1",
                  "detail": f"json_set(detail, '$.serial', {SERIAL}, '$.certificate', {{certificate}} + i)"}


def _copy(database, table, where, changes, first, count):
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    values = [changes[column].format(**first) if column in changes else column for column in columns]
    database.execute(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM n, "
        f"(SELECT * FROM {table} WHERE {where} LIMIT 1)")


def fill(path, count):
    """`count` copies of the newest ACME certificate of a stopped server. Ends with every digest of the copies in place."""
    database = sqlite3.connect(path, isolation_level=None)
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
    database.execute("UPDATE audit SET detail = json_set(detail, '$.sha256', (SELECT lower(hex(c.sha256)) FROM certificate c "
                     "WHERE c.enrollment_id = CAST(audit.object_id AS INTEGER))) WHERE action = 'enrollment.issued'")
    database.execute("UPDATE number_block SET next = next + ?", (2 * count + 1000,))
    database.execute("COMMIT")
    database.close()
