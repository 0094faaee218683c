-- Parking: domains without name servers are delegated to the registry's own and answered
-- from one child zone that all parked domains of a zone share.

-- Whether nothing but the zone's policy keeps a domain from being parked: no status
-- withholds it, it names no host, and none lies below it (a host that waits to be created
-- is none yet). Decided by the write.
ALTER TABLE domains ADD COLUMN parkable BIGINT NOT NULL DEFAULT 0;
UPDATE domains SET parkable = 1
WHERE statuses NOT LIKE '%Hold%' AND statuses NOT LIKE '%pendingCreate%'
    AND statuses NOT LIKE '%pendingDelete%'
    AND NOT EXISTS (SELECT n.host_id FROM delegations n WHERE n.domain_id = domains.id)
    AND NOT EXISTS (SELECT h.id FROM hosts h
        WHERE h.domain_id = domains.id AND h.statuses NOT LIKE '%pendingCreate%');

-- Where a zone parks (zones.parking = 1): the servers it parks at.
CREATE TABLE parking_servers (
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    host {name} NOT NULL,
    PRIMARY KEY (zone_id, host)
){clustered};

-- The records of the shared child zone, SOA included, NS apart.
CREATE TABLE parking_records (
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    -- '@' for the domain itself, '*' for names below it.
    owner {name} NOT NULL CHECK (owner IN ('@', '*')),
    rtype BIGINT NOT NULL CHECK (rtype BETWEEN 1 AND 65535),
    rdata {bytes} NOT NULL,
    ttl BIGINT NOT NULL,
    PRIMARY KEY (zone_id, owner, rtype, rdata)
){clustered};

-- One row an NS record of a parked domain.
CREATE VIEW dns_parked AS
SELECT d.zone_id, d.name AS owner, COALESCE(d.ns_ttl, z.ns_ttl) AS ttl, p.host
FROM domains d
JOIN zones z ON z.id = d.zone_id
JOIN parking_servers p ON p.zone_id = d.zone_id
WHERE d.parkable = 1 AND z.parking = 1;

-- What tells a parked delegation from others.
CREATE VIEW dns_parking_server AS
SELECT p.zone_id, p.host
FROM parking_servers p
JOIN zones z ON z.id = p.zone_id
WHERE z.parking = 1;

CREATE VIEW dns_parking_record AS
SELECT r.zone_id, r.owner, r.rtype, r.ttl, r.rdata
FROM parking_records r
JOIN zones z ON z.id = r.zone_id
WHERE z.parking = 1;
