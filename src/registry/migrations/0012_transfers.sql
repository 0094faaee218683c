-- Salt and SHA-256 of what authorizes a transfer (RFC 9154 section 4.3); NULL is unset.
ALTER TABLE domains ADD COLUMN auth {bytes};
ALTER TABLE hosts ADD COLUMN transferred_at BIGINT;

-- The last transfer of a domain; those before it are in the event log.
CREATE TABLE transfers (
    domain_id BIGINT NOT NULL PRIMARY KEY REFERENCES domains (id),
    state TEXT NOT NULL,
    -- Handles of registrars.
    gaining {name} NOT NULL,
    losing {name} NOT NULL,
    years BIGINT NOT NULL,
    requested_at BIGINT NOT NULL,
    -- When it was answered; while it waits, when it is approved without one.
    acted_at BIGINT NOT NULL,
    -- When the registration ends with it.
    expires_at BIGINT
);
CREATE INDEX transfers_waiting ON transfers (gaining) WHERE state = 'pending';
