-- Domains are looked up by their name servers, in pages.
CREATE INDEX delegations_by_host ON delegations (host_id, domain_id);
DROP INDEX delegations_to_host;
