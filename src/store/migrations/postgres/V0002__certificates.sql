-- The waist's records and the built-in CA's ledger.

CREATE TABLE authority (
    key_id      TEXT PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('root', 'issuing')),
    issuer_id   TEXT NOT NULL REFERENCES authority (key_id),
    certificate BYTEA NOT NULL,
    crl_number  BIGINT NOT NULL,
    created_ms  BIGINT NOT NULL
);

-- The newest CRL of each authority and shard.
CREATE TABLE crl (
    key_id         TEXT NOT NULL REFERENCES authority (key_id),
    shard          BIGINT NOT NULL,
    number         BIGINT NOT NULL,
    this_update_ms BIGINT NOT NULL,
    next_update_ms BIGINT NOT NULL,
    der            BYTEA NOT NULL,
    PRIMARY KEY (key_id, shard)
);

CREATE TABLE enrollment (
    id              BIGINT PRIMARY KEY,
    request_id      TEXT NOT NULL,
    tenant_id       BIGINT NOT NULL REFERENCES tenant (id),
    organization_id BIGINT REFERENCES organization (id),
    department_id   BIGINT REFERENCES department (id),
    endpoint_id     BIGINT NOT NULL REFERENCES endpoint (id),
    account_id      BIGINT NOT NULL REFERENCES account (id),
    profile_id      BIGINT NOT NULL REFERENCES profile (id),
    profile_version BIGINT NOT NULL,
    protocol        TEXT NOT NULL,
    requester       TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('invited', 'confirmed', 'pending_approval', 'approved',
                        'submitted', 'issued', 'revoked', 'expired', 'replaced', 'declined', 'rejected',
                        'invalid', 'unknown', 'quarantined')),
    pending_reason  TEXT NOT NULL,
    attempt_key     BYTEA NOT NULL,
    attempt_bound   BOOLEAN NOT NULL,
    attempt_count   BIGINT NOT NULL,
    names           TEXT NOT NULL,
    spki_sha256     BYTEA NOT NULL,
    csr             BYTEA NOT NULL,
    content_hash    BYTEA NOT NULL,
    evidence        TEXT NOT NULL,
    backend         TEXT NOT NULL,
    backend_handle  TEXT,
    withheld        BOOLEAN NOT NULL,
    issuer_key_id   TEXT,
    serial          BYTEA,
    tbs_sha256      BYTEA,
    not_before_ms   BIGINT NOT NULL,
    not_after_ms    BIGINT NOT NULL,
    problem         TEXT,
    created_ms      BIGINT NOT NULL,
    updated_ms      BIGINT NOT NULL
);
-- At most one live enrollment an attempt (design §3).
CREATE UNIQUE INDEX enrollment_attempt ON enrollment (attempt_key) WHERE attempt_bound;
-- What the sweeper settles.
CREATE INDEX enrollment_unsettled ON enrollment (id) WHERE status = 'submitted';

CREATE TABLE certificate (
    id              BIGINT PRIMARY KEY,
    token           TEXT NOT NULL UNIQUE,
    enrollment_id   BIGINT NOT NULL UNIQUE REFERENCES enrollment (id),
    tenant_id       BIGINT NOT NULL REFERENCES tenant (id),
    endpoint_id     BIGINT NOT NULL REFERENCES endpoint (id),
    account_id      BIGINT NOT NULL REFERENCES account (id),
    backend         TEXT NOT NULL,
    issuer_key_id   TEXT NOT NULL,
    serial          BYTEA NOT NULL,
    sha256          BYTEA NOT NULL,
    spki_sha256     BYTEA NOT NULL,
    subject         TEXT NOT NULL,
    names           TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('issued', 'revoked', 'expired', 'replaced')),
    not_before_ms   BIGINT NOT NULL,
    not_after_ms    BIGINT NOT NULL,
    revoked_ms      BIGINT,
    revoked_reason  BIGINT,
    der             BYTEA NOT NULL,
    created_ms      BIGINT NOT NULL,
    UNIQUE (serial, issuer_key_id)
);
CREATE INDEX certificate_account ON certificate (account_id, id);
CREATE INDEX certificate_expiry ON certificate (not_after_ms) WHERE status = 'issued';

-- What the CRLs list: revoked certificates, and serials whose signature may exist although no
-- certificate was ever recorded.
CREATE TABLE revocation (
    issuer_key_id TEXT NOT NULL,
    serial        BYTEA NOT NULL,
    shard         BIGINT NOT NULL,
    revoked_ms    BIGINT NOT NULL,
    reason        BIGINT NOT NULL,
    not_after_ms  BIGINT NOT NULL,
    PRIMARY KEY (issuer_key_id, serial)
);
CREATE INDEX revocation_shard ON revocation (issuer_key_id, shard, not_after_ms);
