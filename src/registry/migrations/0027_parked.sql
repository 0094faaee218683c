-- Signed parking: each parked domain of a signed zone has a DS and a signed zone of its own.
ALTER TABLE zones ADD COLUMN parked_answers TEXT NOT NULL DEFAULT 'unsigned'
    CHECK (parked_answers IN ('unsigned', 'signed'));

CREATE VIEW dns_parking AS
SELECT z.id AS zone_id, CASE z.parked_answers WHEN 'signed' THEN 1 ELSE 0 END AS signed
FROM zones z
WHERE z.parking = 1;
