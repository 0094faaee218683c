-- How a registrar shows by EPP who it is: a password, of which there is an Argon2id hash,
-- and certificates by their SHA-256, several of them while one takes the place of another.
ALTER TABLE registrars ADD COLUMN password_hash TEXT;
ALTER TABLE registrars ADD COLUMN password_set_at BIGINT;
ALTER TABLE registrars ADD COLUMN sessions_max BIGINT NOT NULL DEFAULT 10;
CREATE TABLE registrar_pins (
    registrar_id BIGINT NOT NULL REFERENCES registrars (id) ON DELETE CASCADE,
    pin {bytes} NOT NULL,
    PRIMARY KEY (registrar_id, pin)
){clustered};
