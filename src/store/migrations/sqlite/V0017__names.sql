-- readable by V0010: such a program finds requests by their names no better than it did, and asks today's CA for what was approved.

-- Requests by what they name, so that somebody who knows an address finds them: mailboxes, URIs, principal names and, of devices,
-- host names and addresses. In lower case, the first 512 characters. ACME's are found by their orders.
CREATE TABLE enrollment_name (
    name          TEXT NOT NULL,
    enrollment_id BIGINT NOT NULL REFERENCES enrollment (id),
    PRIMARY KEY (name, enrollment_id)
) WITHOUT ROWID;
INSERT OR IGNORE INTO enrollment_name (name, enrollment_id)
SELECT lower(substr(n.value, 1, 512)), e.id FROM enrollment e, json_each(e.names) n WHERE e.protocol = 'scep';

-- Which of the backend's CAs the client asked for, when that is not the one of the day ('').
ALTER TABLE approval ADD COLUMN issuer_key_id TEXT NOT NULL DEFAULT '';
