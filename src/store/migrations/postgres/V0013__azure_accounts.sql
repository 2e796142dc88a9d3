-- readable by V0010: to it, nothing refers to these accounts.

-- App registrations in Entra ID, through which Intune and Microsoft Graph are asked. The credential (a client secret,
-- or the key of the certificate in the body) and the password of the proxy are sealed under the master key.
CREATE TABLE azure_account (
    id                    BIGINT PRIMARY KEY,
    tenant_id             BIGINT NOT NULL REFERENCES tenant (id),
    name                  TEXT NOT NULL,
    status                TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    version               BIGINT NOT NULL,
    body                  TEXT NOT NULL,
    created_ms            BIGINT NOT NULL,
    updated_ms            BIGINT NOT NULL,
    updated_by            TEXT NOT NULL,
    credential_sealed     BYTEA NOT NULL,
    proxy_password_sealed BYTEA,
    UNIQUE (tenant_id, name)
);
