-- Name servers as objects, or as attributes of the domains that name them (RFC 5731 section
-- 1.1). An attribute is stored like a host, so that all that is published joins the same
-- tables; commands on hosts do not know it, and it goes with the last domain that names it.
ALTER TABLE zones ADD COLUMN host_model TEXT NOT NULL DEFAULT 'objects'
    CHECK (host_model IN ('objects', 'attributes'));
ALTER TABLE hosts ADD COLUMN attribute BIGINT NOT NULL DEFAULT 0;

-- DS records as they are given, or made of keys (RFC 5910 section 4). Each key has its DS.
ALTER TABLE zones ADD COLUMN ds_interface TEXT NOT NULL DEFAULT 'ds'
    CHECK (ds_interface IN ('ds', 'keys'));
CREATE TABLE domain_keys (
    domain_id BIGINT NOT NULL REFERENCES domains (id),
    rdata {bytes} NOT NULL,
    PRIMARY KEY (domain_id, rdata)
){clustered};
