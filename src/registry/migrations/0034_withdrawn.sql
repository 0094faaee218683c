-- Signed parking ends in two steps: the DS go first, the signed zones when nobody has a DS any more.
DROP VIEW dns_parking;
ALTER TABLE zones RENAME COLUMN parked_answers TO parked_answers_before;
ALTER TABLE zones ADD COLUMN parked_answers TEXT NOT NULL DEFAULT 'unsigned'
    CHECK (parked_answers IN ('unsigned', 'withdrawn', 'signed'));
UPDATE zones SET parked_answers = parked_answers_before;
ALTER TABLE zones DROP COLUMN parked_answers_before;
-- When the DS went.
ALTER TABLE zones ADD COLUMN parked_withdrawn_at BIGINT;

-- 2: signed, and without DS.
CREATE VIEW dns_parking AS
SELECT z.id AS zone_id,
    CASE z.parked_answers WHEN 'signed' THEN 1 WHEN 'withdrawn' THEN 2 ELSE 0 END AS signed
FROM zones z
WHERE z.parking = 1;
