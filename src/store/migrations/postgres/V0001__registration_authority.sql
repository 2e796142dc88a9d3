-- What the RA knows: objects that documents describe (design §7, §11). Columns are what statements
-- look up or guard; the rest of a document is its body, canonical JSON.

CREATE TABLE number_block (
    series TEXT PRIMARY KEY,
    next   BIGINT NOT NULL CHECK (next > 0)
);

-- Facts of the installation that are fixed at first start (public URLs, ports).
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row; raised by every change of an object, polled by every node.
CREATE TABLE configuration (
    id      BIGINT PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO configuration (id, version) VALUES (1, 1);

CREATE TABLE tenant (
    id         BIGINT PRIMARY KEY,
    tenant_id  BIGINT NOT NULL,
    name       TEXT NOT NULL UNIQUE,
    status     TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    version    BIGINT NOT NULL,
    body       TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    CHECK (tenant_id = id)
);

CREATE TABLE organization (
    id         BIGINT PRIMARY KEY,
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

CREATE TABLE department (
    id              BIGINT PRIMARY KEY,
    tenant_id       BIGINT NOT NULL REFERENCES tenant (id),
    name            TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    version         BIGINT NOT NULL,
    body            TEXT NOT NULL,
    created_ms      BIGINT NOT NULL,
    updated_ms      BIGINT NOT NULL,
    updated_by      TEXT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    UNIQUE (tenant_id, name)
);
CREATE INDEX department_organization ON department (organization_id);

-- A DNS name and the organization it is delegated to (NULL: every organization of the tenant).
CREATE TABLE domain (
    id              BIGINT PRIMARY KEY,
    tenant_id       BIGINT NOT NULL REFERENCES tenant (id),
    name            TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    version         BIGINT NOT NULL,
    body            TEXT NOT NULL,
    created_ms      BIGINT NOT NULL,
    updated_ms      BIGINT NOT NULL,
    updated_by      TEXT NOT NULL,
    organization_id BIGINT REFERENCES organization (id),
    UNIQUE (tenant_id, name)
);
CREATE INDEX domain_organization ON domain (organization_id);

CREATE TABLE profile (
    id         BIGINT PRIMARY KEY,
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

-- The name is in URLs, hence unique in the installation; it says which tenant it is.
CREATE TABLE endpoint (
    id         BIGINT PRIMARY KEY,
    tenant_id  BIGINT NOT NULL REFERENCES tenant (id),
    name       TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    version    BIGINT NOT NULL,
    body       TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    protocol   TEXT NOT NULL CHECK (protocol IN ('acme', 'scep', 'est', 'rest', 'system')),
    UNIQUE (protocol, name)
);
CREATE INDEX endpoint_tenant ON endpoint (tenant_id);

-- A credential under an endpoint. public_id is what a client names (EAB kid); the secret is sealed
-- under the master key.
CREATE TABLE account (
    id              BIGINT PRIMARY KEY,
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
    method          TEXT NOT NULL CHECK (method IN ('open', 'eab', 'system')),
    public_id       TEXT UNIQUE,
    secret_sealed   BYTEA,
    UNIQUE (tenant_id, name)
);
CREATE INDEX account_endpoint ON account (endpoint_id);
CREATE INDEX account_organization ON account (organization_id);
CREATE INDEX account_department ON account (department_id);
CREATE UNIQUE INDEX account_one_open ON account (endpoint_id) WHERE method = 'open';

-- Who may administer. tenant_id NULL: every tenant. Tokens are kept as HMAC only.
CREATE TABLE principal (
    id         BIGINT PRIMARY KEY,
    tenant_id  BIGINT REFERENCES tenant (id),
    name       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL CHECK (role IN ('administrator', 'officer', 'auditor')),
    status     TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    token_hash BYTEA NOT NULL UNIQUE,
    expires_ms BIGINT,
    created_ms BIGINT NOT NULL,
    created_by TEXT NOT NULL
);

-- Written in the change's own batch. seal is filled by the sealer.
CREATE TABLE audit (
    id          BIGINT PRIMARY KEY,
    at_ms       BIGINT NOT NULL,
    tenant_id   BIGINT,
    request_id  TEXT NOT NULL,
    actor_kind  TEXT NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id   TEXT NOT NULL,
    outcome     TEXT NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    check_name  TEXT NOT NULL,
    detail      TEXT NOT NULL,
    seal        BYTEA
);
CREATE INDEX audit_request ON audit (request_id);
CREATE INDEX audit_object ON audit (object_kind, object_id);
