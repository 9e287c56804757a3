-- What is known of chargers beside their configuration: how their state changed, and what was learnt of them.

CREATE TABLE status_change (
    id        INTEGER PRIMARY KEY,
    charger   TEXT    NOT NULL,
    connector INTEGER NOT NULL, -- 0 is the charger as a whole
    at_ms     INTEGER NOT NULL,
    state     TEXT    NOT NULL,
    error     TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX status_change_once ON status_change (charger, at_ms, connector, state);
CREATE INDEX status_change_by_time ON status_change (at_ms);

CREATE TABLE fact (
    subject TEXT NOT NULL,
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (subject, name)
) STRICT, WITHOUT ROWID;
