-- What may be registered in a zone, for how long, and what comes after.
--
-- Periods are seconds. A zone that was there before, or is imported, keeps what it has:
-- its domains do not expire by themselves until its policy says so.
ALTER TABLE zones ADD COLUMN contacts_required TEXT NOT NULL DEFAULT '';
ALTER TABLE zones ADD COLUMN contacts_max BIGINT NOT NULL DEFAULT 10;
ALTER TABLE zones ADD COLUMN years_min BIGINT NOT NULL DEFAULT 1;
ALTER TABLE zones ADD COLUMN years_max BIGINT NOT NULL DEFAULT 10;
ALTER TABLE zones ADD COLUMN expiry TEXT NOT NULL DEFAULT 'keep'
    CHECK (expiry IN ('keep', 'auto-renew', 'delete'));
ALTER TABLE zones ADD COLUMN add_grace BIGINT NOT NULL DEFAULT 432000;
ALTER TABLE zones ADD COLUMN renew_grace BIGINT NOT NULL DEFAULT 432000;
ALTER TABLE zones ADD COLUMN auto_renew_grace BIGINT NOT NULL DEFAULT 3888000;
ALTER TABLE zones ADD COLUMN transfer_grace BIGINT NOT NULL DEFAULT 432000;
ALTER TABLE zones ADD COLUMN transfer_wait BIGINT NOT NULL DEFAULT 432000;
ALTER TABLE zones ADD COLUMN redemption BIGINT NOT NULL DEFAULT 2592000;
ALTER TABLE zones ADD COLUMN restore_report TEXT NOT NULL DEFAULT 'required'
    CHECK (restore_report IN ('required', 'unneeded'));
ALTER TABLE zones ADD COLUMN restore_wait BIGINT NOT NULL DEFAULT 604800;
ALTER TABLE zones ADD COLUMN pending_delete BIGINT NOT NULL DEFAULT 432000;
-- Purges fall into a window of each day, each domain at a moment that the seed gives it.
ALTER TABLE zones ADD COLUMN purge_from BIGINT NOT NULL DEFAULT 50400;
ALTER TABLE zones ADD COLUMN purge_length BIGINT NOT NULL DEFAULT 3600;
ALTER TABLE zones ADD COLUMN purge_seed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE zones ADD COLUMN name_rule TEXT NOT NULL DEFAULT 'rfc1123'
    CHECK (name_rule IN ('rfc1123', 'rfc1035'));
ALTER TABLE zones ADD COLUMN label_min BIGINT NOT NULL DEFAULT 1;
ALTER TABLE zones ADD COLUMN label_max BIGINT NOT NULL DEFAULT 63;

-- Labels that are not for everybody.
CREATE TABLE held_labels (
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    label {name} NOT NULL,
    -- 'reserved': the registry itself may register it; 'blocked': nobody may.
    kind TEXT NOT NULL CHECK (kind IN ('reserved', 'blocked')),
    reason TEXT NOT NULL,
    PRIMARY KEY (zone_id, label)
){clustered};

-- In a zone whose data model is 'per-registrar', what this one gives: NULL is 'minimum'.
ALTER TABLE registrars ADD COLUMN data_model TEXT
    CHECK (data_model IN ('minimum', 'maximum'));
