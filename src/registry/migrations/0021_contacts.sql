-- When the personal data of a contact was erased; NULL while it is there.
ALTER TABLE contacts ADD COLUMN erased_at BIGINT;

-- Contacts go to another registrar as domains do (RFC 5733 section 3.2.4): the last transfer
-- of each; those before it are in the event log.
ALTER TABLE contacts ADD COLUMN transferred_at BIGINT;
-- The contact that it is a copy of, by its handle.
ALTER TABLE contacts ADD COLUMN copy_of {name};
CREATE INDEX contacts_copied ON contacts (copy_of) WHERE copy_of IS NOT NULL;
CREATE TABLE contact_transfers (
    contact_id BIGINT NOT NULL PRIMARY KEY REFERENCES contacts (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    -- Handles of registrars.
    gaining {name} NOT NULL,
    losing {name} NOT NULL,
    requested_at BIGINT NOT NULL,
    -- When it was answered; while it waits, when it is approved without one.
    acted_at BIGINT NOT NULL
);
CREATE INDEX contact_transfers_due ON contact_transfers (acted_at) WHERE state = 'pending';

-- What becomes of the contacts of a domain that goes over.
ALTER TABLE zones ADD COLUMN transfer_contacts TEXT NOT NULL DEFAULT 'keep'
    CHECK (transfer_contacts IN ('keep', 'copy'));

-- Whoever hands commands in asks often whether any zone wants name servers to be asked.
CREATE INDEX zones_asking ON zones (server_check) WHERE server_check <> 'off';
