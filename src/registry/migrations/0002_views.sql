-- The compiler's contract: what is published, as DNS data and nothing else.
--
-- Plain joins only. What GROUP BY, DISTINCT or UNION would have to find out at each
-- read was decided in the write (`published`); a test reads the query plans, since
-- one name's rows must be found without reading the zone. A reader takes all views
-- and the event in one transaction.

-- One row a zone: SOA and serial.
CREATE VIEW dns_zone AS
SELECT z.id AS zone_id, z.apex, z.state, z.soa_mname, z.soa_rname, z.serial, z.soa_refresh,
    z.soa_retry, z.soa_expire, z.soa_minimum, z.soa_ttl
FROM zones z;

-- All other authoritative records.
CREATE VIEW dns_apex AS
SELECT r.zone_id, r.owner, r.rtype, r.ttl, r.rdata
FROM zone_records r;

-- One row an NS record below the apex.
CREATE VIEW dns_delegation AS
SELECT d.zone_id, d.name AS owner, COALESCE(d.ns_ttl, z.ns_ttl) AS ttl, h.name AS host
FROM domains d
JOIN zones z ON z.id = d.zone_id
JOIN delegations n ON n.domain_id = d.id
JOIN hosts h ON h.id = n.host_id
WHERE d.published = 1;

-- One row an address of a host that some published NS set of its zone names.
CREATE VIEW dns_glue AS
SELECT h.zone_id, h.name AS owner, a.rtype, COALESCE(a.ttl, z.glue_ttl) AS ttl, a.address AS rdata
FROM hosts h
JOIN zones z ON z.id = h.zone_id
JOIN host_addresses a ON a.host_id = h.id
WHERE h.published = 1;

CREATE VIEW dns_ds AS
SELECT d.zone_id, d.name AS owner, COALESCE(d.ds_ttl, z.ds_ttl) AS ttl, s.rdata
FROM domains d
JOIN zones z ON z.id = d.zone_id
JOIN ds s ON s.domain_id = d.id
WHERE d.published = 1;

-- Owner names by event; '' stands for the whole zone.
CREATE VIEW dns_changed AS
SELECT c.event, c.zone_id, c.owner
FROM changed_names c;

-- The event that a snapshot stands at, and the version of this contract: a
-- migration that changes what a column means counts it up.
CREATE VIEW dns_event AS
SELECT r.last_event AS event, 1 AS contract
FROM registry r;
