-- What makes the nodes of one database equal (docs/nodes.md).

-- The servers that run on this database. life is drawn anew at each start, beat rises while the node
-- lives; times are for people, no decision stands on them.
CREATE TABLE node (
    name       TEXT PRIMARY KEY,
    life       BIGINT NOT NULL UNIQUE,
    beat       BIGINT NOT NULL,
    address    TEXT NOT NULL,
    version    TEXT NOT NULL,
    started_ms BIGINT NOT NULL,
    seen_ms    BIGINT NOT NULL
) WITHOUT ROWID;

-- Whose intent it is while the enrollment is submitted. NULL: written by a version before this one.
ALTER TABLE enrollment ADD COLUMN life BIGINT;

-- Nonces that were redeemed, by the second that they were issued in. The epoch shares their fate: where one
-- table is lost the other is, and nonces of an epoch that is gone are refused.
CREATE TABLE nonce_epoch (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    epoch    BIGINT NOT NULL,
    oldest_s BIGINT NOT NULL
);
CREATE TABLE nonce_used (
    issued_s BIGINT NOT NULL,
    number   BLOB NOT NULL,
    PRIMARY KEY (issued_s, number)
) WITHOUT ROWID;

-- Private keys of CAs under the master key, where several nodes need them.
CREATE TABLE sealed_key (
    name       TEXT PRIMARY KEY,
    sealed     BLOB NOT NULL,
    created_ms BIGINT NOT NULL
) WITHOUT ROWID;
