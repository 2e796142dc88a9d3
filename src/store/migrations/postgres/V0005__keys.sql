-- Keys that no certificate and no account may have, in all tenants. A digest is one of
-- core/crypto/fingerprints.hpp: 32, 15 or 10 octets. audit_id is the audit row that tells who blocked it;
-- an import of many has one.
CREATE TABLE blocked_key (
    digest     BYTEA PRIMARY KEY CHECK (length(digest) IN (10, 15, 32)),
    reason     TEXT NOT NULL,
    source     TEXT NOT NULL,
    audit_id   BIGINT NOT NULL,
    created_ms BIGINT NOT NULL
);

-- A profile whose template gave content that the lint refused. It counts for that version of the profile
-- only: a corrected document lifts it.
CREATE TABLE profile_pause (
    profile_id      BIGINT PRIMARY KEY REFERENCES profile (id) ON DELETE CASCADE,
    profile_version BIGINT NOT NULL,
    check_name      TEXT NOT NULL,
    detail          TEXT NOT NULL,
    request_id      TEXT NOT NULL,
    since_ms        BIGINT NOT NULL
);
