-- What is demanded of a charger that connects, as numbers of security profiles.
CREATE TABLE charger_security (
    charger  TEXT PRIMARY KEY,
    target   INTEGER, -- NULL follows the site
    enforced INTEGER NOT NULL
) STRICT;

-- Certificates our authority made for chargers.
CREATE TABLE certificate (
    serial        TEXT PRIMARY KEY,
    charger       TEXT    NOT NULL,
    pem           TEXT    NOT NULL,
    issued_at_ms  INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER
) STRICT;

-- Files of chargers; the bytes are in DIR/files under the id.
CREATE TABLE stored_file (
    id       TEXT PRIMARY KEY,
    firmware INTEGER NOT NULL, -- 1: to chargers, 0: from one
    charger  TEXT,
    name     TEXT    NOT NULL,
    bytes    INTEGER, -- NULL while it has not arrived
    sha256   TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT;
