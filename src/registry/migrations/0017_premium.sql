-- Labels that cost more than others: whoever registers one repeats its terms, which stand
-- in `reason`. No engine of ours changes a CHECK in place.
CREATE TABLE held_labels_new (
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    label {name} NOT NULL,
    -- 'reserved': the registry itself may register it; 'blocked': nobody may; 'premium':
    -- whoever agrees to the terms.
    kind TEXT NOT NULL CHECK (kind IN ('reserved', 'blocked', 'premium')),
    reason TEXT NOT NULL,
    PRIMARY KEY (zone_id, label)
){clustered};
INSERT INTO held_labels_new (zone_id, label, kind, reason)
SELECT zone_id, label, kind, reason FROM held_labels;
DROP TABLE held_labels;
ALTER TABLE held_labels_new RENAME TO held_labels;
