-- Each event carries a digest over its content and the digest of the event before it, and
-- the registry that of the newest: who changes the past must change all that came after.
-- Events that are there already get theirs from the program, in the same transaction.
--
-- JSON: why somebody did it, and the number of the case.
ALTER TABLE events ADD COLUMN cause TEXT;
ALTER TABLE events ADD COLUMN digest {bytes};
ALTER TABLE registry ADD COLUMN last_digest {bytes};
