-- What leaves the building. `outbox` holds, in order, the identity of everything that changed and is still to be sent;
-- a row that changes again moves to the end. It is filled by triggers, in the transaction of the change itself, and
-- only while there is a sink (see src/outbox).

-- The identity of this site among all sites of a cloud: 32 hexadecimal digits.
CREATE TABLE site_key (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    site TEXT NOT NULL
) STRICT;
INSERT INTO site_key VALUES (1, lower(hex(randomblob(16))));

-- Where records are sent to.
CREATE TABLE sink (
    name     TEXT    PRIMARY KEY,
    settings TEXT    NOT NULL, -- JSON of the part that sends
    boxes    TEXT    NOT NULL, -- what the manager allowed to leave, words with spaces between
    resolution TEXT  NOT NULL, -- of readings: minutes or raw
    paused   INTEGER NOT NULL,
    cursor   INTEGER NOT NULL, -- everything up to this number has arrived
    sent     INTEGER NOT NULL, -- rows sent since it was made
    filled   INTEGER NOT NULL  -- entries that waited when it was made
) STRICT;

-- Numbers are microseconds since 1970 or one more than the last, so those of a restored file go on above all it ever
-- gave. What a new sink begins with has small numbers: it never replaces what arrived later.
CREATE TABLE outbox (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, -- a table, or minute, chunk, quarters for readings
    key  TEXT NOT NULL, -- JSON array
    UNIQUE (kind, key)
) STRICT;

-- Minutes with readings that may still get more.
CREATE TABLE open_minute (
    at_ms INTEGER PRIMARY KEY
) STRICT;
