-- readable by V0009: to it, accounts of other methods are as absent as disabled ones.

-- SCEP: accounts with a challenge, and the certificates of the RA that devices encrypt to.

-- SQLite cannot change a CHECK: the table is made anew (migrations run with foreign keys off).
CREATE TABLE account_next (
    id              INTEGER PRIMARY KEY,
    tenant_id       BIGINT NOT NULL REFERENCES tenant (id),
    name            TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    version         BIGINT NOT NULL,
    body            TEXT NOT NULL,
    created_ms      BIGINT NOT NULL,
    updated_ms      BIGINT NOT NULL,
    updated_by      TEXT NOT NULL,
    endpoint_id     BIGINT NOT NULL REFERENCES endpoint (id),
    organization_id BIGINT REFERENCES organization (id),
    department_id   BIGINT REFERENCES department (id),
    method          TEXT NOT NULL CHECK (method IN ('open', 'eab', 'system', 'access_code', 'one_time', 'webhook', 'intune', 'certificate', 'basic')),
    public_id       TEXT UNIQUE,
    secret_sealed   BLOB,
    UNIQUE (tenant_id, name)
);
INSERT INTO account_next SELECT id, tenant_id, name, status, version, body, created_ms, updated_ms, updated_by, endpoint_id,
    organization_id, department_id, method, public_id, secret_sealed FROM account;
DROP TABLE account;
ALTER TABLE account_next RENAME TO account;
CREATE INDEX account_endpoint ON account (endpoint_id);
CREATE INDEX account_organization ON account (organization_id);
CREATE INDEX account_department ON account (department_id);
CREATE UNIQUE INDEX account_one_open ON account (endpoint_id) WHERE method = 'open';

-- By backend, the newest first; the one before it serves whoever still encrypts to it.
CREATE TABLE ra_certificate (
    id            INTEGER PRIMARY KEY,
    backend       TEXT NOT NULL,
    key_id        TEXT NOT NULL,
    certificate   BLOB NOT NULL,
    issuer_key_id TEXT NOT NULL,
    not_after_ms  BIGINT NOT NULL,
    created_ms    BIGINT NOT NULL
);
CREATE INDEX ra_certificate_backend ON ra_certificate (backend, id);

-- Polls: the transaction's id is its client's choice.
CREATE INDEX enrollment_transaction ON enrollment (endpoint_id, requester, id) WHERE protocol = 'scep';
