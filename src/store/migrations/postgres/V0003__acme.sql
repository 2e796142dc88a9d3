-- ACME's own resources (RFC 8555 §7.1). Tokens are what URLs show.

CREATE TABLE acme_account (
    id          BIGINT PRIMARY KEY,
    token       TEXT NOT NULL UNIQUE,
    endpoint_id BIGINT NOT NULL REFERENCES endpoint (id),
    account_id  BIGINT NOT NULL REFERENCES account (id),
    thumbprint  TEXT NOT NULL,
    jwk         TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('valid', 'deactivated', 'revoked')),
    contacts    TEXT NOT NULL,
    binding     TEXT,
    terms       TEXT,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    UNIQUE (endpoint_id, thumbprint)
);
CREATE INDEX acme_account_account ON acme_account (account_id);
-- A CSR must not carry any account's key, on whatever endpoint.
CREATE INDEX acme_account_thumbprint ON acme_account (thumbprint);

CREATE TABLE acme_order (
    id              BIGINT PRIMARY KEY,
    token           TEXT NOT NULL UNIQUE,
    acme_account_id BIGINT NOT NULL REFERENCES acme_account (id),
    status          TEXT NOT NULL CHECK (status IN ('pending', 'ready', 'invalid')),
    identifiers     TEXT NOT NULL,
    profile         TEXT NOT NULL,
    not_before_ms   BIGINT,
    not_after_ms    BIGINT,
    expires_ms      BIGINT NOT NULL,
    error           TEXT,
    enrollment_id   BIGINT UNIQUE REFERENCES enrollment (id),
    created_ms      BIGINT NOT NULL,
    updated_ms      BIGINT NOT NULL
);
CREATE INDEX acme_order_account ON acme_order (acme_account_id, id);

CREATE TABLE acme_authorization (
    id              BIGINT PRIMARY KEY,
    token           TEXT NOT NULL UNIQUE,
    acme_account_id BIGINT NOT NULL REFERENCES acme_account (id),
    identifier_type TEXT NOT NULL CHECK (identifier_type IN ('dns', 'ip')),
    identifier      TEXT NOT NULL,
    wildcard        BOOLEAN NOT NULL,
    profile         TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked')),
    expires_ms      BIGINT NOT NULL,
    created_ms      BIGINT NOT NULL,
    updated_ms      BIGINT NOT NULL
);

CREATE TABLE acme_order_authorization (
    order_id         BIGINT NOT NULL REFERENCES acme_order (id),
    position         BIGINT NOT NULL,
    authorization_id BIGINT NOT NULL REFERENCES acme_authorization (id),
    PRIMARY KEY (order_id, position)
);
CREATE INDEX acme_order_authorization_back ON acme_order_authorization (authorization_id);

CREATE TABLE acme_challenge (
    id               BIGINT PRIMARY KEY,
    token            TEXT NOT NULL UNIQUE,
    authorization_id BIGINT NOT NULL REFERENCES acme_authorization (id),
    type             TEXT NOT NULL CHECK (type IN ('http-01', 'dns-01', 'tls-alpn-01', 'dns-account-01')),
    status           TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'valid', 'invalid')),
    validated_ms     BIGINT,
    error            TEXT,
    updated_ms       BIGINT NOT NULL
);
CREATE INDEX acme_challenge_authorization ON acme_challenge (authorization_id);
CREATE INDEX acme_challenge_processing ON acme_challenge (id) WHERE status = 'processing';
