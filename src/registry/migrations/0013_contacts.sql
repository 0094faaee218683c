-- Contacts as RFC 5733 has them: the columns that were there are the internationalized
-- form, these the local one. Lines of a street are parted by line feeds.
ALTER TABLE contacts ADD COLUMN loc_name TEXT;
ALTER TABLE contacts ADD COLUMN loc_organization TEXT;
ALTER TABLE contacts ADD COLUMN loc_street TEXT;
ALTER TABLE contacts ADD COLUMN loc_city TEXT;
ALTER TABLE contacts ADD COLUMN loc_province TEXT;
ALTER TABLE contacts ADD COLUMN loc_postal_code TEXT;
ALTER TABLE contacts ADD COLUMN loc_country TEXT;
ALTER TABLE contacts ADD COLUMN voice_extension TEXT;
ALTER TABLE contacts ADD COLUMN fax_extension TEXT;
-- 'show' or 'hide', and the elements it is about, parted by spaces.
ALTER TABLE contacts ADD COLUMN disclose TEXT;
-- As of domains.
ALTER TABLE contacts ADD COLUMN auth {bytes};
CREATE INDEX domains_of_registrant ON domains (registrant_id) WHERE registrant_id IS NOT NULL;
