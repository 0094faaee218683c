-- The registry's tables, for SQLite and PostgreSQL.
--
-- Words in braces are replaced for each engine (see schema.rs). Times are
-- microseconds since 1970 in UTC; booleans are 0 and 1. Names are lower case, in
-- presentation format with escapes, without the final dot (the root is '.'), and
-- compare bytewise on both engines.

-- One row: what every write checks and advances under its lock.
CREATE TABLE registry (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- The fencing epoch: a process that opened an older one can write nothing.
    epoch BIGINT NOT NULL,
    last_event BIGINT NOT NULL,
    -- Ids of objects are given out once and never again, in any table.
    next_object BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE zones (
    id {id},
    apex {name} NOT NULL UNIQUE,
    -- 'active', or 'importing' while its first import is unfinished: not compiled.
    state TEXT NOT NULL CHECK (state IN ('active', 'importing')),
    -- SOA (RFC 1035 section 3.3.13).
    soa_mname {name} NOT NULL,
    soa_rname {name} NOT NULL,
    serial BIGINT NOT NULL CHECK (serial BETWEEN 0 AND 4294967295),
    soa_refresh BIGINT NOT NULL,
    soa_retry BIGINT NOT NULL,
    soa_expire BIGINT NOT NULL,
    soa_minimum BIGINT NOT NULL,
    soa_ttl BIGINT NOT NULL,
    -- TTLs where an object has none of its own.
    ns_ttl BIGINT NOT NULL,
    ds_ttl BIGINT NOT NULL,
    glue_ttl BIGINT NOT NULL,
    -- Policy.
    ns_count_min BIGINT NOT NULL,
    ns_count_max BIGINT NOT NULL CHECK (ns_count_max >= ns_count_min),
    glue_policy TEXT NOT NULL CHECK (glue_policy IN ('narrow', 'wide')),
    parking BIGINT NOT NULL CHECK (parking IN (0, 1)),
    host_orphan TEXT NOT NULL CHECK (host_orphan IN ('refuse', 'lame', 'invalid', 'restore')),
    data_model TEXT NOT NULL CHECK (data_model IN ('minimum', 'maximum', 'per-registrar')),
    change_control TEXT NOT NULL CHECK (change_control IN ('auto', 'verify', 'signed')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT
);

-- Authoritative data of a zone that is no registration, SOA apart: apex NS, TXT,
-- addresses of the registry's own hosts, wildcards.
CREATE TABLE zone_records (
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    owner {name} NOT NULL,
    rtype BIGINT NOT NULL CHECK (rtype BETWEEN 1 AND 65535),
    rdata {bytes} NOT NULL,
    ttl BIGINT NOT NULL,
    PRIMARY KEY (zone_id, owner, rtype, rdata)
){clustered};

CREATE TABLE registrars (
    id {id},
    handle {name} NOT NULL UNIQUE,
    name TEXT NOT NULL,
    iana_id BIGINT,
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'terminated')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT
);

CREATE TABLE contacts (
    id {id},
    handle {name} NOT NULL UNIQUE,
    registrar_id BIGINT NOT NULL REFERENCES registrars (id),
    kind TEXT NOT NULL CHECK (kind IN ('person', 'org', 'role')),
    name TEXT,
    organization TEXT,
    street TEXT,
    city TEXT,
    province TEXT,
    postal_code TEXT,
    country TEXT,
    voice TEXT,
    fax TEXT,
    email TEXT,
    statuses TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT
);
CREATE INDEX contacts_of_registrar ON contacts (registrar_id);

CREATE TABLE domains (
    id {id},
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    name {name} NOT NULL,
    registrar_id BIGINT NOT NULL REFERENCES registrars (id),
    registrant_id BIGINT REFERENCES contacts (id),
    -- EPP status values (RFC 5731 section 2.3) in order, parted by spaces; '' is ok.
    statuses TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    transferred_at BIGINT,
    expires_at BIGINT,
    -- TTLs of its own; NULL follows the zone.
    ns_ttl BIGINT,
    ds_ttl BIGINT,
    -- Decided by the write that changed what it depends on, so that views only join.
    published BIGINT NOT NULL CHECK (published IN (0, 1)),
    UNIQUE (name, zone_id)
);
CREATE INDEX domains_of_zone ON domains (zone_id);
CREATE INDEX domains_of_registrar ON domains (registrar_id);

CREATE TABLE domain_contacts (
    domain_id BIGINT NOT NULL REFERENCES domains (id),
    role TEXT NOT NULL CHECK (role IN ('admin', 'tech', 'billing', 'abuse')),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    PRIMARY KEY (domain_id, role, contact_id)
){clustered};
CREATE INDEX domains_of_contact ON domain_contacts (contact_id);

CREATE TABLE hosts (
    id {id},
    -- One object for the whole repository.
    name {name} NOT NULL UNIQUE,
    -- The registered domain at or above it, and the zone whose glue its addresses
    -- are; both NULL for an external host.
    domain_id BIGINT REFERENCES domains (id),
    zone_id BIGINT REFERENCES zones (id),
    registrar_id BIGINT NOT NULL REFERENCES registrars (id),
    statuses TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    -- Whether a published NS set names it, so that its addresses are glue.
    published BIGINT NOT NULL CHECK (published IN (0, 1))
);
CREATE INDEX hosts_of_domain ON hosts (domain_id);
CREATE INDEX hosts_of_zone ON hosts (zone_id);
CREATE INDEX hosts_of_registrar ON hosts (registrar_id);

CREATE TABLE host_addresses (
    host_id BIGINT NOT NULL REFERENCES hosts (id),
    -- A is 1 and AAAA is 28; the address is the RDATA.
    rtype BIGINT NOT NULL CHECK (rtype IN (1, 28)),
    address {bytes} NOT NULL,
    ttl BIGINT,
    PRIMARY KEY (host_id, rtype, address)
){clustered};

CREATE TABLE delegations (
    domain_id BIGINT NOT NULL REFERENCES domains (id),
    host_id BIGINT NOT NULL REFERENCES hosts (id),
    PRIMARY KEY (domain_id, host_id)
){clustered};
CREATE INDEX delegations_to_host ON delegations (host_id);

CREATE TABLE ds (
    domain_id BIGINT NOT NULL REFERENCES domains (id),
    -- Key tag, algorithm, digest type and digest (RFC 4034 section 5.1).
    rdata {bytes} NOT NULL,
    PRIMARY KEY (domain_id, rdata)
){clustered};

CREATE TABLE events (
    number BIGINT NOT NULL PRIMARY KEY,
    time BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    zone_id BIGINT,
    object {name},
    -- JSON, for people and reports; nothing decides by it.
    detail TEXT
){clustered};

-- Owner names whose published records an event may have changed; '' is the whole zone.
CREATE TABLE changed_names (
    event BIGINT NOT NULL,
    zone_id BIGINT NOT NULL,
    owner {name} NOT NULL,
    PRIMARY KEY (event, zone_id, owner)
){clustered};

-- How far the import of a zone file has come.
CREATE TABLE imports (
    zone_id BIGINT NOT NULL PRIMARY KEY REFERENCES zones (id),
    file TEXT NOT NULL,
    -- Digest of the parsed records: a restart goes on only with the same file.
    fingerprint BIGINT NOT NULL,
    records_total BIGINT NOT NULL,
    -- Records of the file, from its start, whose rows are committed.
    records_done BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    -- Time and event of its end; NULL while it is unfinished.
    finished_at BIGINT,
    event BIGINT,
    report TEXT
);
