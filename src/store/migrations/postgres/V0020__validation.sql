-- Not readable by versions before: they ask http-01 for whatever challenge they find, and take its yes for that of dns-01.
-- One that runs already looks at no migrations: without this column its statements fail, and it validates nothing.
ALTER TABLE acme_challenge RENAME COLUMN type TO method;

-- Attempts at a challenge (RFC 8555 §8.2): how many there were since begun_ms. While attempt_ends_ms lies in the future some node is
-- at it; retry_ms is when the next one is due. Between attempts a challenge is processing and its error is that of the last.
ALTER TABLE acme_challenge ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE acme_challenge ADD COLUMN begun_ms BIGINT;
ALTER TABLE acme_challenge ADD COLUMN attempt_ends_ms BIGINT;
ALTER TABLE acme_challenge ADD COLUMN retry_ms BIGINT;
-- When the name's CAA records permitted it last; NULL: nobody asked.
ALTER TABLE acme_authorization ADD COLUMN caa_ms BIGINT;
