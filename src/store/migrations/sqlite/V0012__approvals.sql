-- readable by V0010: but such a program asks no officer, so approvals are wanted only where every node knows them.

-- An enrollment that waits, or waited, for an officer: what it resolved to when somebody was asked, and what was decided.
-- wished_* are the client's own dates, NULL where the profile's term counts. due_ms is when something happens without
-- anybody's doing: the wait ends, or what was approved is issued; NULL: nothing more does. decided_hash is the content
-- that the decision is about (enrollment.content_hash then); delivered_ms when the certificate was first given out.
CREATE TABLE approval (
    enrollment_id   INTEGER PRIMARY KEY REFERENCES enrollment (id),
    tenant_id       BIGINT NOT NULL REFERENCES tenant (id),
    asked_by        TEXT NOT NULL,
    content         TEXT NOT NULL,
    trace           TEXT NOT NULL,
    wished_from_ms  BIGINT,
    wished_until_ms BIGINT,
    asked_ms        BIGINT NOT NULL,
    limit_ms        BIGINT NOT NULL,
    due_ms          BIGINT,
    decision        TEXT CHECK (decision IN ('approved', 'declined')),
    decided_by      TEXT,
    decided_ms      BIGINT,
    message         TEXT,
    decided_hash    BLOB,
    delivered_ms    BIGINT
);
CREATE INDEX approval_due ON approval (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX approval_open ON approval (enrollment_id) WHERE due_ms IS NOT NULL;
