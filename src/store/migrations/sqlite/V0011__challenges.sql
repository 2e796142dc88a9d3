-- readable by V0010: to it, accounts of other methods are as absent as disabled ones, and theirs alone use these tables.

-- Credentials that count once. reserved: an intent rests on it; consumed: a certificate was recorded with it. The primary
-- key is the guard: of two intents with one credential, one is written. The digest stands for the credential.
CREATE TABLE credential_use (
    endpoint_id   BIGINT NOT NULL REFERENCES endpoint (id),
    digest        BLOB NOT NULL,
    spki_sha256   BLOB NOT NULL,
    enrollment_id BIGINT NOT NULL REFERENCES enrollment (id),
    state         TEXT NOT NULL CHECK (state IN ('reserved', 'consumed')),
    kept_until_ms BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, digest)
);
CREATE INDEX credential_use_enrollment ON credential_use (enrollment_id);
CREATE INDEX credential_use_kept ON credential_use (kept_until_ms) WHERE state = 'consumed';

-- One-time challenges by the HMAC of their text. subject and names are JSON, what the device must ask for exactly when bound.
-- Whether one was used, credential_use knows.
CREATE TABLE scep_challenge (
    id            INTEGER PRIMARY KEY,
    token         TEXT NOT NULL UNIQUE,
    tenant_id     BIGINT NOT NULL REFERENCES tenant (id),
    endpoint_id   BIGINT NOT NULL REFERENCES endpoint (id),
    account_id    BIGINT NOT NULL REFERENCES account (id),
    digest        BLOB NOT NULL,
    bound         BOOLEAN NOT NULL,
    profile       TEXT NOT NULL,
    subject       TEXT NOT NULL,
    names         TEXT NOT NULL,
    key_type      TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('open', 'withdrawn')),
    created_ms    BIGINT NOT NULL,
    expires_ms    BIGINT NOT NULL,
    actor_kind    TEXT NOT NULL,
    actor         TEXT NOT NULL,
    UNIQUE (endpoint_id, digest)
);
CREATE INDEX scep_challenge_account ON scep_challenge (account_id);
CREATE INDEX scep_challenge_unbound ON scep_challenge (account_id, expires_ms) WHERE NOT bound;
CREATE INDEX scep_challenge_expires ON scep_challenge (expires_ms);

-- A role that mints challenges alone. SQLite cannot change a CHECK: the table is made anew.
CREATE TABLE principal_next (
    id         INTEGER PRIMARY KEY,
    tenant_id  BIGINT REFERENCES tenant (id),
    name       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL CHECK (role IN ('administrator', 'officer', 'auditor', 'enroller')),
    status     TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    token_hash BLOB NOT NULL UNIQUE,
    expires_ms BIGINT,
    created_ms BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
INSERT INTO principal_next SELECT id, tenant_id, name, role, status, token_hash, expires_ms, created_ms, created_by FROM principal;
DROP TABLE principal;
ALTER TABLE principal_next RENAME TO principal;
