-- Who writes: a long-lived writer takes the registry by raising the epoch and says
-- from time to time that it is still there. Times are the database's clock.
ALTER TABLE registry ADD COLUMN holder TEXT;
ALTER TABLE registry ADD COLUMN renewed_at BIGINT;
