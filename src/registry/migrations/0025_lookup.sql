-- What the public is shown: by RDAP, WHOIS and web pages.
--
-- JSON: what a registrar says of itself, each value under its name.
ALTER TABLE registrars ADD COLUMN public_data TEXT;
CREATE INDEX registrars_by_iana_id ON registrars (iana_id) WHERE iana_id IS NOT NULL;
CREATE INDEX registrars_by_name ON registrars (lower(name));

-- Name servers are looked up by address too, in pages.
CREATE INDEX hosts_by_address ON host_addresses (address, host_id);

-- What a zone shows of the contacts of its domains, where that is not the default.
CREATE TABLE disclosure_rules (
    zone_id BIGINT NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    field TEXT NOT NULL,
    rule TEXT NOT NULL CHECK (rule IN ('always', 'legal', 'consent', 'never')),
    PRIMARY KEY (zone_id, role, field)
){clustered};
