-- When the personal data of a contact was erased; NULL while it is there.
ALTER TABLE contacts ADD COLUMN erased_at BIGINT;
