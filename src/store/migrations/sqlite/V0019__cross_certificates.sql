-- readable by V0010: until a root is succeeded, it issues by the one that it knows; with two, it starts no more.

-- What the roots of the built-in CA say of each other's keys when one succeeds the other (RFC 4210 §4.4): NewWithOld and OldWithNew.
CREATE TABLE cross_certificate (
    subject_id  TEXT NOT NULL REFERENCES authority (key_id),
    issuer_id   TEXT NOT NULL REFERENCES authority (key_id),
    serial      BLOB NOT NULL,
    certificate BLOB NOT NULL,
    created_ms  BIGINT NOT NULL,
    PRIMARY KEY (subject_id, issuer_id),
    UNIQUE (issuer_id, serial)
) WITHOUT ROWID;
