-- What registrars are to be told, each in the order of its ids (RFC 5730 section 2.9.2.3).
CREATE TABLE poll_messages (
    id {id},
    registrar_id BIGINT NOT NULL REFERENCES registrars (id),
    -- The change that it tells of; of several, the last.
    event BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    object_type TEXT NOT NULL CHECK (object_type IN ('domain', 'host', 'contact', 'registrar')),
    object {name} NOT NULL,
    -- Changes that it stands for: more than one where a flood was put together.
    changes BIGINT NOT NULL CHECK (changes > 0),
    -- JSON: states before and after, who, why (RFC 8590).
    content TEXT NOT NULL
);
CREATE INDEX poll_messages_of_registrar ON poll_messages (registrar_id, id);

-- How many wait, since every reply to a registrar may say it.
CREATE TABLE poll_queues (
    registrar_id BIGINT NOT NULL PRIMARY KEY REFERENCES registrars (id),
    waiting BIGINT NOT NULL CHECK (waiting >= 0)
);
