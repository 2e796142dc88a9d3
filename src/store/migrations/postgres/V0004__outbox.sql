-- Periodic work that one node at a time does, and messages that leave with a change.

-- fence rises whenever it is taken anew.
CREATE TABLE lease (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    fence      BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);

-- A message is written in the batch of the change that it tells of, and deleted once it was delivered.
-- holder and fence are the lease of the row: who sends it at the moment, and how often it was taken.
-- due_ms: not before; while it is being sent, when others may take it.
CREATE TABLE outbox (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    body       TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('waiting', 'parked')),
    holder     TEXT,
    fence      BIGINT NOT NULL,
    failures   BIGINT NOT NULL,
    last_error TEXT,
    due_ms     BIGINT NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE INDEX outbox_due ON outbox (kind, due_ms) WHERE status = 'waiting';
CREATE INDEX outbox_age ON outbox (kind, created_ms) WHERE status = 'waiting';
CREATE INDEX outbox_parked ON outbox (kind) WHERE status = 'parked';
