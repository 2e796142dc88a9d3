-- readable by V0010: until a successor is made, it issues by the one CA that it knows; with one, it starts no more.

-- RA certificates of other CAs, requests for them that take days, and issuing CAs that wait for their day.

-- PEM of who issued it, the issuer first; empty: the built-in CA's, whose chain is in `authority`.
ALTER TABLE ra_certificate ADD COLUMN chain TEXT NOT NULL DEFAULT '';

-- One that was asked for and is not there yet: the same key and the same attempt, until the CA has decided.
CREATE TABLE ra_request (
    name       TEXT PRIMARY KEY,
    key_id     TEXT NOT NULL,
    attempt    TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);

-- When an issuing CA took over, or will. The first one has no row.
CREATE TABLE succession (
    key_id        TEXT PRIMARY KEY REFERENCES authority (key_id),
    takes_over_ms BIGINT NOT NULL,
    created_ms    BIGINT NOT NULL
);
