-- readable by V0010: to it, accounts of method intune are as absent as disabled ones, and theirs alone use these tables.

-- What Intune validated, from the intent until Intune has heard the end of it: the notification repeats the request's
-- octets, and the challenge is among them, so it is sealed. enrollment_id has no reference: a request that policy refuses
-- after Intune's yes leaves no enrollment.
CREATE TABLE intune_request (
    enrollment_id    INTEGER PRIMARY KEY,
    azure_account_id BIGINT NOT NULL,
    sealed           BLOB NOT NULL,
    created_ms       BIGINT NOT NULL
);
CREATE INDEX intune_request_age ON intune_request (created_ms);

-- What Intune asked to have revoked, written with the revocation, and whether it has heard of it. Kept for a while: what is
-- given out once more gets the same answer.
CREATE TABLE intune_revocation (
    azure_account_id BIGINT NOT NULL,
    context_sha256   BLOB NOT NULL,
    context          TEXT NOT NULL,
    serial           TEXT NOT NULL,
    code             TEXT NOT NULL,
    message          TEXT NOT NULL,
    uploaded_ms      BIGINT,
    created_ms       BIGINT NOT NULL,
    PRIMARY KEY (azure_account_id, context_sha256)
);
CREATE INDEX intune_revocation_waiting ON intune_revocation (azure_account_id, created_ms) WHERE uploaded_ms IS NULL;
CREATE INDEX intune_revocation_age ON intune_revocation (created_ms) WHERE uploaded_ms IS NOT NULL;
