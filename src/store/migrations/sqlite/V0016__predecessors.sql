-- readable by V0010: to it, certificates of predecessors are on nobody's record.

-- The move from another CA: its certificates are trusted for the renewal of what is imported, and for nothing else.

CREATE TABLE predecessor (
    id         INTEGER PRIMARY KEY,
    tenant_id  BIGINT NOT NULL REFERENCES tenant (id),
    name       TEXT NOT NULL,
    crl_url    TEXT NOT NULL,
    ocsp_url   TEXT NOT NULL,
    crl        BLOB,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (tenant_id, name)
);

-- Its trust anchors and the CAs below them.
CREATE TABLE predecessor_certificate (
    predecessor_id BIGINT NOT NULL REFERENCES predecessor (id) ON DELETE CASCADE,
    sha256         BLOB NOT NULL,
    der            BLOB NOT NULL,
    PRIMARY KEY (predecessor_id, sha256)
) WITHOUT ROWID;

-- What it issued and devices still hold: a right to renew at one endpoint. Imported once, however often the file is read.
CREATE TABLE imported_certificate (
    id             INTEGER PRIMARY KEY,
    tenant_id      BIGINT NOT NULL REFERENCES tenant (id),
    predecessor_id BIGINT NOT NULL REFERENCES predecessor (id),
    endpoint_id    BIGINT NOT NULL REFERENCES endpoint (id),
    account_id     BIGINT NOT NULL REFERENCES account (id),
    serial         BLOB NOT NULL,
    sha256         BLOB NOT NULL,
    subject        TEXT NOT NULL,
    names          TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('issued', 'replaced')),
    not_before_ms  BIGINT NOT NULL,
    not_after_ms   BIGINT NOT NULL,
    successor_id   BIGINT REFERENCES certificate (id),
    der            BLOB NOT NULL,
    audit_id       BIGINT NOT NULL,
    created_ms     BIGINT NOT NULL,
    UNIQUE (sha256, endpoint_id)
);
CREATE INDEX imported_certificate_serial ON imported_certificate (serial);
CREATE INDEX imported_certificate_predecessor ON imported_certificate (predecessor_id);
CREATE INDEX imported_certificate_endpoint ON imported_certificate (endpoint_id);
CREATE INDEX imported_certificate_account ON imported_certificate (account_id);
