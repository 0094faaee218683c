-- What becomes of the hosts of a domain that is removed: see command/dependencies.rs.
--
-- The domain whose only use is to name hosts of domains that are gone, where the zone's
-- policy is 'lame'. No reference: it is a name that the registry keeps to itself.
ALTER TABLE zones ADD COLUMN lame_domain {name};
-- Hosts that nobody else uses go with their domain, or forbid its removal.
ALTER TABLE zones ADD COLUMN own_hosts TEXT NOT NULL DEFAULT 'delete'
    CHECK (own_hosts IN ('delete', 'refuse'));
-- What a host was called when its domain was removed, from which zone and when, and when
-- the sponsors of domains that name it were last told.
ALTER TABLE hosts ADD COLUMN lame_of {name};
ALTER TABLE hosts ADD COLUMN lame_zone BIGINT;
ALTER TABLE hosts ADD COLUMN lame_since BIGINT;
ALTER TABLE hosts ADD COLUMN lame_told_at BIGINT;
CREATE INDEX hosts_lame ON hosts (lame_zone, lame_told_at) WHERE lame_zone IS NOT NULL;
