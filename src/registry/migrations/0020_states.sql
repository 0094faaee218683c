-- What objects were before events changed them, for looks into the past.
--
-- An object that never changed has no row here: it is what it was. `first_event` is the
-- event that made it; 0 where that was before this migration, or an import.
ALTER TABLE domains ADD COLUMN first_event BIGINT NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN first_event BIGINT NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN first_event BIGINT NOT NULL DEFAULT 0;

CREATE TABLE object_states (
    -- The event that ended it.
    until_event BIGINT NOT NULL,
    object_id BIGINT NOT NULL,
    object_type TEXT NOT NULL CHECK (object_type IN ('domain', 'host', 'contact')),
    -- What it was called.
    name {name} NOT NULL,
    -- The domain above a host.
    domain_id BIGINT,
    first_event BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- JSON; what is said of a person is sealed with the key of its contact.
    state TEXT NOT NULL,
    PRIMARY KEY (until_event, object_id)
){clustered};
CREATE INDEX object_states_of_object ON object_states (object_id, until_event);
CREATE INDEX object_states_of_name ON object_states (object_type, name, until_event);
CREATE INDEX object_states_below ON object_states (domain_id, until_event)
    WHERE domain_id IS NOT NULL;

-- Digest over the states that an event ended, part of the event's own.
ALTER TABLE events ADD COLUMN states {bytes};

-- The key of each contact that what the log says of it is sealed with (AES-256-GCM). It is
-- NULL once it was shredded: then nobody can read that any more, and the log is as it was.
CREATE TABLE data_keys (
    contact_id BIGINT NOT NULL PRIMARY KEY,
    handle {name} NOT NULL,
    key {bytes},
    shredded_at BIGINT
);
CREATE INDEX data_keys_of_handle ON data_keys (handle);
