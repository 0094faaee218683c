-- How far along its life a domain is, and when the next step of it is due.
ALTER TABLE domains ADD COLUMN phase TEXT NOT NULL DEFAULT 'registered'
    CHECK (phase IN ('registered', 'redemption', 'restore', 'pending-delete'));
-- End of redemption, last day for the report of a restored domain, or moment of purge.
ALTER TABLE domains ADD COLUMN phase_ends_at BIGINT;
-- Where a report is awaited: what the domain goes back to without one.
ALTER TABLE domains ADD COLUMN redemption_ends_at BIGINT;
-- While a transfer waits for an answer.
ALTER TABLE domains ADD COLUMN transfer_ends_at BIGINT;
-- Worked out by the write from the columns above, `expires_at` and the zone's policy.
ALTER TABLE domains ADD COLUMN due_step TEXT;
ALTER TABLE domains ADD COLUMN due_at BIGINT;
CREATE INDEX domains_due ON domains (due_step, due_at) WHERE due_step IS NOT NULL;

-- Registrar's handle, or 'registry' (RFC 5731: crID and upID).
ALTER TABLE domains ADD COLUMN created_by TEXT;
ALTER TABLE domains ADD COLUMN updated_by TEXT;
ALTER TABLE hosts ADD COLUMN created_by TEXT;
ALTER TABLE hosts ADD COLUMN updated_by TEXT;
ALTER TABLE contacts ADD COLUMN created_by TEXT;
ALTER TABLE contacts ADD COLUMN updated_by TEXT;

-- Times after a change that is paid for, in which a delete gives it back (RFC 3915
-- section 3.1). Rows stay until the domain goes; those that are over mean nothing.
CREATE TABLE grace_periods (
    domain_id BIGINT NOT NULL REFERENCES domains (id),
    kind TEXT NOT NULL CHECK (kind IN ('add', 'renew', 'auto-renew', 'transfer')),
    started_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    years BIGINT NOT NULL,
    PRIMARY KEY (domain_id, kind, started_at)
){clustered};

-- What the timers of all nodes share. `ran_at` is when they last did or saw something:
-- a clock far away from it is not believed.
CREATE TABLE timers (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    ran_at BIGINT,
    -- Why nothing runs until somebody says so; NULL while it does.
    stopped TEXT,
    -- Purges that nobody need be asked about, in an hour that began at `hour_at`.
    purges_max BIGINT NOT NULL,
    purges_held BIGINT NOT NULL CHECK (purges_held IN (0, 1)),
    hour_at BIGINT NOT NULL,
    purged BIGINT NOT NULL
);
INSERT INTO timers (id, purges_max, purges_held, hour_at, purged) VALUES (1, 1000, 0, 0, 0);
