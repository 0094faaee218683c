-- What contacts may do: the registrant of a domain may forbid that somebody else gets it,
-- and signatures by keys on file agree to changes.
ALTER TABLE zones ADD COLUMN registrant_change TEXT NOT NULL DEFAULT 'free'
    CHECK (registrant_change IN ('free', 'veto'));
ALTER TABLE zones ADD COLUMN veto_wait BIGINT NOT NULL DEFAULT 172800;
ALTER TABLE zones ADD COLUMN veto_silence TEXT NOT NULL DEFAULT 'reject'
    CHECK (veto_silence IN ('approve', 'reject'));
CREATE INDEX zones_vetoed ON zones (registrant_change) WHERE registrant_change <> 'free';

-- Public keys of contacts, 32 octets of Ed25519 (RFC 8032). The registry alone puts one on
-- file.
CREATE TABLE contact_keys (
    contact_id BIGINT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    key {bytes} NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (contact_id, key)
){clustered};

-- Whether name servers are asked before a delegation, and what they said last: a pair is the
-- names of domain and host with a blank between.
ALTER TABLE zones ADD COLUMN server_check TEXT NOT NULL DEFAULT 'off'
    CHECK (server_check IN ('off', 'warn', 'require'));
CREATE TABLE server_checks (
    pair {name} NOT NULL PRIMARY KEY,
    checked_at BIGINT NOT NULL,
    fault TEXT
){clustered};
CREATE INDEX server_checks_old ON server_checks (checked_at);
