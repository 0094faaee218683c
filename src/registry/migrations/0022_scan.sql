-- Name servers that do not answer for the domains that are delegated to them, as the scanner
-- last saw them. Nothing is decided by it. A pair of a domain or host that is gone goes with
-- the next pass; no reference, since a domain can go while its servers are asked.
CREATE TABLE lame_delegations (
    domain_id BIGINT NOT NULL,
    host_id BIGINT NOT NULL,
    -- When it was first seen so without a good answer since, how often, and when last.
    since BIGINT NOT NULL,
    times BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    fault TEXT NOT NULL,
    PRIMARY KEY (domain_id, host_id)
){clustered};

-- How far the pass over all delegations is, whichever node does it.
CREATE TABLE scans (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- The last domain that somebody took to ask about.
    domain_id BIGINT NOT NULL,
    started_at BIGINT,
    -- Of the last pass that came to its end.
    finished_at BIGINT,
    domains BIGINT NOT NULL
);
INSERT INTO scans (id, domain_id, domains) VALUES (1, 0, 0);
