-- Networks that a registrar comes from by EPP: where it has some, it comes from no other.
CREATE TABLE registrar_prefixes (
    registrar_id BIGINT NOT NULL REFERENCES registrars (id) ON DELETE CASCADE,
    prefix {name} NOT NULL,
    PRIMARY KEY (registrar_id, prefix)
){clustered};

-- Zones and accounts of the sandbox, where registrars try what they will do (OT&E): each
-- knows only its own side.
ALTER TABLE zones ADD COLUMN stage TEXT NOT NULL DEFAULT 'production'
    CHECK (stage IN ('production', 'sandbox'));
ALTER TABLE registrars ADD COLUMN stage TEXT NOT NULL DEFAULT 'production'
    CHECK (stage IN ('production', 'sandbox'));
