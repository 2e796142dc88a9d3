-- readable by V0009: to it, accounts of other methods are as absent as disabled ones.

-- SCEP: accounts with a challenge, and the certificates of the RA that devices encrypt to.

ALTER TABLE account DROP CONSTRAINT account_method_check;
ALTER TABLE account ADD CONSTRAINT account_method_check
    CHECK (method IN ('open', 'eab', 'system', 'access_code', 'one_time', 'webhook', 'intune', 'certificate', 'basic'));

-- By backend, the newest first; the one before it serves whoever still encrypts to it.
CREATE TABLE ra_certificate (
    id            BIGINT PRIMARY KEY,
    backend       TEXT NOT NULL,
    key_id        TEXT NOT NULL,
    certificate   BYTEA NOT NULL,
    issuer_key_id TEXT NOT NULL,
    not_after_ms  BIGINT NOT NULL,
    created_ms    BIGINT NOT NULL
);
CREATE INDEX ra_certificate_backend ON ra_certificate (backend, id);

-- Polls: the transaction's id is its client's choice.
CREATE INDEX enrollment_transaction ON enrollment (endpoint_id, requester, id) WHERE protocol = 'scep';
