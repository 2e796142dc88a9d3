-- readable by V0010: to it, accounts of method certificate are as absent as disabled ones, and they and EST's alone use this table.

-- Devices of an EST account: those that it lists, and those that came and whose first key is remembered. manufacturer is the
-- trust anchor's name or its SHA-256 in hex, '' for any of the account's. subject and names are JSON, '' where the list does not
-- say what the device is called. pinned_spki: SHA-256 of the key that came first as this device.
CREATE TABLE est_device (
    id                   INTEGER PRIMARY KEY,
    tenant_id            BIGINT NOT NULL REFERENCES tenant (id),
    endpoint_id          BIGINT NOT NULL REFERENCES endpoint (id),
    account_id           BIGINT NOT NULL REFERENCES account (id),
    serial_number        TEXT NOT NULL,
    manufacturer         TEXT NOT NULL,
    listed               BOOLEAN NOT NULL,
    subject              TEXT NOT NULL,
    names                TEXT NOT NULL,
    pinned_spki          BLOB,
    pinned_ms            BIGINT,
    pinned_enrollment_id BIGINT REFERENCES enrollment (id),
    certificate_id       BIGINT REFERENCES certificate (id),
    created_ms           BIGINT NOT NULL,
    created_by           TEXT NOT NULL,
    UNIQUE (account_id, serial_number, manufacturer)
);
CREATE INDEX est_device_account ON est_device (account_id, id);
