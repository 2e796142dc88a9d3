-- CAs that are not ours: who they are, what was asked of them and what they answered.

CREATE TABLE backend (
    id         INTEGER PRIMARY KEY,
    tenant_id  BIGINT NOT NULL REFERENCES tenant (id),
    name       TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    version    BIGINT NOT NULL,
    body       TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (tenant_id, name)
);

-- An enrollment that was handed to a foreign CA, from its intent to its outcome. sent: node is handing it
-- over, or nobody knows what became of that; pending: the CA works on it; lost: the CA is asked by request
-- id; held: waits for an officer. content is what was authorised; received what came back instead. fence
-- rises whenever somebody takes it, and an outcome counts for the fence it was taken under only.
CREATE TABLE submission (
    enrollment_id INTEGER PRIMARY KEY REFERENCES enrollment (id),
    tenant_id     BIGINT NOT NULL REFERENCES tenant (id),
    backend       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('sent', 'pending', 'lost', 'held')),
    node          TEXT NOT NULL,
    handle        TEXT,
    content       TEXT NOT NULL,
    received      TEXT,
    fence         BIGINT NOT NULL,
    asked         BIGINT NOT NULL,
    sent_ms       BIGINT NOT NULL,
    due_ms        BIGINT NOT NULL
);
CREATE INDEX submission_due ON submission (due_ms) WHERE state <> 'held';
CREATE INDEX submission_held ON submission (enrollment_id) WHERE state = 'held';

-- The newest verified chain of each foreign issuer, PEM, the issuer first.
CREATE TABLE issuer_chain (
    issuer_key_id TEXT PRIMARY KEY,
    chain         TEXT NOT NULL,
    updated_ms    BIGINT NOT NULL
) WITHOUT ROWID;

-- A revocation that a foreign CA has not confirmed: it is asked until it does.
CREATE TABLE revocation_request (
    certificate_id INTEGER PRIMARY KEY REFERENCES certificate (id),
    reason         BIGINT NOT NULL,
    actor_kind     TEXT NOT NULL,
    actor          TEXT NOT NULL,
    request_id     TEXT NOT NULL,
    fence          BIGINT NOT NULL,
    asked          BIGINT NOT NULL,
    last_error     TEXT NOT NULL,
    due_ms         BIGINT NOT NULL,
    created_ms     BIGINT NOT NULL
);
CREATE INDEX revocation_request_due ON revocation_request (due_ms);
