-- Whether the zone itself has to have two name servers, and thirteen at most.
ALTER TABLE zones ADD COLUMN zone_servers TEXT NOT NULL DEFAULT 'warn'
    CHECK (zone_servers IN ('off', 'warn', 'require'));
