-- Keys beside the registry: kept on another machine, or made ahead. And what is to be
-- remembered of a zone's signatures over a restart.

-- Where keys with a DS record are kept, if not where the others are: 'offline' is another
-- machine, whose signatures come in `made_signatures`.
ALTER TABLE signing_policies ADD COLUMN ksk_store TEXT NOT NULL DEFAULT '';

-- When every signature that is known to be served was last looked at.
ALTER TABLE signing_policies ADD COLUMN refreshed_at BIGINT;

-- Larger TTLs than those of now, and until when they were given out: caches may hold
-- records for as long.
ALTER TABLE signing_policies ADD COLUMN former_until BIGINT;
ALTER TABLE signing_policies ADD COLUMN former_dnskey_ttl BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signing_policies ADD COLUMN former_zone_ttl BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signing_policies ADD COLUMN former_ds_ttl BIGINT NOT NULL DEFAULT 0;

-- Keys that were made ahead, so that another machine could sign for them; nothing of
-- them is published.
CREATE TABLE reserved_keys (
    id {id},
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    role TEXT NOT NULL CHECK (role IN ('csk', 'ksk', 'zsk')),
    algorithm BIGINT NOT NULL CHECK (algorithm BETWEEN 1 AND 255),
    flags BIGINT NOT NULL CHECK (flags BETWEEN 0 AND 65535),
    public_key {bytes} NOT NULL,
    store TEXT NOT NULL,
    sealed {bytes}
);
CREATE INDEX reserved_keys_of_zone ON reserved_keys (zone_id);
