-- readable by V0020: to such a program every key id of a binding is good for many accounts, and no order replaces a certificate.

-- Which key id an account was bound by (RFC 8555 §7.3.4), and whether that was good for one account: then no other has it.
ALTER TABLE acme_account ADD COLUMN binding_kid TEXT;
ALTER TABLE acme_account ADD COLUMN binding_once BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX acme_account_binding ON acme_account (account_id, binding_kid) WHERE binding_once;

-- An account's proofs by name: they count for later orders, and for revocations.
CREATE INDEX acme_authorization_proof ON acme_authorization (acme_account_id, identifier, expires_ms) WHERE status = 'valid';

-- The certificate identifier of RFC 9773 §4.1 that the order names, as it was sent.
ALTER TABLE acme_order ADD COLUMN replaces TEXT;
-- Which order replaces a certificate: one at a time. Another takes its place once that one is invalid.
CREATE TABLE acme_replacement (
    certificate_id INTEGER PRIMARY KEY REFERENCES certificate (id),
    order_id       BIGINT NOT NULL REFERENCES acme_order (id)
);
