-- What a zone takes of each script: tables after RFC 7940.
--
-- The text of a table stays for good: the event log names it by its digest.
CREATE TABLE idn_texts (
    digest {name} NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
){clustered};
CREATE TABLE idn_tables (
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    -- Language or script (RFC 5646), lower case.
    tag {name} NOT NULL,
    digest {name} NOT NULL REFERENCES idn_texts (digest),
    PRIMARY KEY (zone_id, tag)
){clustered};

-- The table that let a domain's label in; NULL where it needed none.
ALTER TABLE domains ADD COLUMN idn_tag TEXT;

-- Index labels (RFC 7940 section 8.5) that are other than the label itself: of labels with
-- the same one, one may be registered.
CREATE TABLE variant_labels (
    zone_id BIGINT NOT NULL REFERENCES zones (id),
    index_label {name} NOT NULL,
    domain_id BIGINT NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    tag {name} NOT NULL,
    PRIMARY KEY (zone_id, index_label, domain_id, tag)
){clustered};
CREATE INDEX variant_labels_by_domain ON variant_labels (domain_id);
