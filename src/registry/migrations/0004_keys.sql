-- How zones are signed, and the keys that sign them.

-- A zone with a row is signed, or on its way to or from there. Times are seconds.
CREATE TABLE signing_policies (
    zone_id BIGINT NOT NULL PRIMARY KEY REFERENCES zones (id),
    mode TEXT NOT NULL CHECK (mode IN ('signed', 'unsigned')),
    algorithm BIGINT NOT NULL CHECK (algorithm BETWEEN 1 AND 255),
    layout TEXT NOT NULL CHECK (layout IN ('csk', 'split')),
    automatic BIGINT NOT NULL CHECK (automatic IN (0, 1)),
    ksk_lifetime BIGINT NOT NULL,
    zsk_lifetime BIGINT NOT NULL,
    ksk_method TEXT NOT NULL CHECK (ksk_method IN ('double-ksk', 'double-ds')),
    dnskey_ttl BIGINT NOT NULL,
    zone_ttl_max BIGINT NOT NULL,
    propagation BIGINT NOT NULL,
    ds_ttl BIGINT NOT NULL,
    parent_propagation BIGINT NOT NULL,
    safety BIGINT NOT NULL,
    denial TEXT NOT NULL CHECK (denial IN ('nsec', 'nsec3', 'nsec3-opt-out')),
    signature_validity BIGINT NOT NULL,
    signature_refresh BIGINT NOT NULL,
    signature_jitter BIGINT NOT NULL,
    parent_servers TEXT NOT NULL,
    store TEXT NOT NULL,
    -- Counts changes of the zone's keys: who decides by one state writes only onto it.
    revision BIGINT NOT NULL,
    -- Time of the newest change that is not known to be served.
    unserved_since BIGINT,
    -- When every signature was last looked at.
    resigned_at BIGINT NOT NULL
);

CREATE TABLE zone_keys (
    id {id},
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    role TEXT NOT NULL CHECK (role IN ('csk', 'ksk', 'zsk')),
    algorithm BIGINT NOT NULL CHECK (algorithm BETWEEN 1 AND 255),
    flags BIGINT NOT NULL CHECK (flags BETWEEN 0 AND 65535),
    key_tag BIGINT NOT NULL CHECK (key_tag BETWEEN 0 AND 65535),
    -- The field Public Key of its DNSKEY record.
    public_key {bytes} NOT NULL,
    -- 'database': its private key is in `sealed`, encrypted; 'offline': on another
    -- machine; otherwise the label of the token that has it.
    store TEXT NOT NULL,
    sealed {bytes},
    goal TEXT NOT NULL CHECK (goal IN ('present', 'absent')),
    -- What caches may hold of its records, and since when.
    dnskey_state TEXT NOT NULL,
    dnskey_since BIGINT NOT NULL,
    key_signature_state TEXT NOT NULL,
    key_signature_since BIGINT NOT NULL,
    zone_signatures_state TEXT NOT NULL,
    zone_signatures_since BIGINT NOT NULL,
    ds_state TEXT NOT NULL,
    ds_since BIGINT NOT NULL,
    ds_confirmed_at BIGINT,
    active_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX zone_keys_of_zone ON zone_keys (zone_id);

-- Signatures over the apex's key sets that were made on another machine.
CREATE TABLE made_signatures (
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    -- The RDATA of the RRSIG record.
    rdata {bytes} NOT NULL,
    inception BIGINT NOT NULL,
    expiration BIGINT NOT NULL,
    PRIMARY KEY (zone_id, rdata)
){clustered};

-- The compiler's contract, continued: one row a zone that is signed.
CREATE VIEW dns_signing AS
SELECT p.zone_id, p.mode, p.denial, p.dnskey_ttl, p.signature_validity, p.signature_refresh,
    p.signature_jitter
FROM signing_policies p;

-- One row a key: what is published of it and what it signs.
CREATE VIEW dns_key AS
SELECT k.zone_id, k.id AS key_id, k.flags, k.algorithm, k.public_key,
    CASE WHEN k.dnskey_state IN ('rumoured', 'omnipresent') THEN 1 ELSE 0 END AS published,
    CASE WHEN k.key_signature_state IN ('rumoured', 'omnipresent') THEN 1 ELSE 0 END AS signs_keys,
    CASE WHEN k.zone_signatures_state IN ('rumoured', 'omnipresent') THEN 1 ELSE 0 END AS signs_zone,
    CASE WHEN k.ds_state IN ('rumoured', 'omnipresent') THEN 1 ELSE 0 END AS cds
FROM zone_keys k;

CREATE VIEW dns_made_signature AS
SELECT m.zone_id, m.rdata, m.inception, m.expiration
FROM made_signatures m;
