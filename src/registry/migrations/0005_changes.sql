-- What an incremental compile asks beside the records of the names that changed.

-- Addresses below a registered domain: they become glue, or cease to be, with its NS.
-- The zone is the domain's: asked for the host's, an engine reads all hosts of a zone.
CREATE VIEW dns_below AS
SELECT d.zone_id, d.name AS cut, h.name AS owner
FROM domains d
JOIN hosts h ON h.domain_id = d.id
WHERE h.published = 1;

-- When an event was accepted: tells an image's event from one of the same number in
-- another history, as after a restore.
CREATE VIEW dns_event_time AS
SELECT e.number AS event, e.time
FROM events e;
