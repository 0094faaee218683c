-- Labels that are given out by a token (RFC 8495), kept as authorization information is.
ALTER TABLE held_labels ADD COLUMN token {bytes};
