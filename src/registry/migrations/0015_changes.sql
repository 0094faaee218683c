-- Changes that somebody has to agree to before they are made.
--
-- Who and how many, and for how long one waits, is policy of a zone (RFC 5731 section 3.3
-- calls it offline review); `approvers` are names of operators, parted by spaces.
ALTER TABLE zones ADD COLUMN approvals BIGINT NOT NULL DEFAULT 1;
ALTER TABLE zones ADD COLUMN approvers TEXT NOT NULL DEFAULT '';
ALTER TABLE zones ADD COLUMN review_wait BIGINT NOT NULL DEFAULT 1209600;
-- Each write asks whether there is any such zone: it must not read them all.
CREATE INDEX zones_reviewed ON zones (change_control) WHERE change_control <> 'auto';

-- What waits. A row goes with the decision; what it was stands in the event log.
CREATE TABLE changes (
    id {id},
    -- The event by which it was asked for.
    event BIGINT NOT NULL,
    object_type TEXT NOT NULL CHECK (object_type IN ('domain', 'host', 'contact')),
    object {name} NOT NULL,
    object_id BIGINT NOT NULL,
    -- Whose account asked; NULL is the registry.
    registrar_id BIGINT,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- JSON: who asked, and what for, without secrets.
    actor TEXT NOT NULL,
    command TEXT NOT NULL,
    -- The authorization information of the command as it is kept: salt and SHA-256.
    auth {bytes},
    -- Whether addresses for documentation were good enough.
    lab BIGINT NOT NULL CHECK (lab IN (0, 1)),
    -- JSON: who has to agree.
    needs TEXT NOT NULL,
    -- Statuses of the object before; NULL where the object is only a name that is held.
    statuses TEXT,
    -- Makes the text of each change one of its own.
    nonce {name} NOT NULL
);
-- An object waits for one change at most.
CREATE UNIQUE INDEX changes_of_object ON changes (object_id);
CREATE INDEX changes_of_registrar ON changes (registrar_id);
CREATE INDEX changes_due ON changes (expires_at);

-- Who agreed.
CREATE TABLE consents (
    change_id BIGINT NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    who {name} NOT NULL,
    at BIGINT NOT NULL,
    event BIGINT NOT NULL,
    PRIMARY KEY (change_id, kind, who)
){clustered};

-- Domains that change only if those named here agree.
CREATE TABLE locks (
    domain_id BIGINT NOT NULL PRIMARY KEY REFERENCES domains (id) ON DELETE CASCADE,
    approvals BIGINT NOT NULL,
    approvers TEXT NOT NULL,
    locked_at BIGINT NOT NULL
);
