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
);

-- Whose intent it is while the enrollment is submitted. NULL: written by a version before this one.
ALTER TABLE enrollment ADD COLUMN life BIGINT;

-- Nonces that were redeemed, by the second that they were issued in. Neither table is logged: a commit waits
-- for no disk, a crash of the server or a failover empties both, and nonces of an epoch that is gone are refused.
CREATE UNLOGGED TABLE nonce_epoch (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    epoch    BIGINT NOT NULL,
    oldest_s BIGINT NOT NULL
);
CREATE UNLOGGED TABLE nonce_used (
    issued_s BIGINT NOT NULL,
    number   BYTEA NOT NULL,
    PRIMARY KEY (issued_s, number)
);

-- Private keys of CAs under the master key, where several nodes need them.
CREATE TABLE sealed_key (
    name       TEXT PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    created_ms BIGINT NOT NULL
);
