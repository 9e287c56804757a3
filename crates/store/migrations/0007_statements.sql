-- When the energy of each session flowed: energy since its start by time, packed; first and last of each quarter-hour.
CREATE TABLE session_trace (
    session INTEGER PRIMARY KEY,
    bytes   BLOB NOT NULL
) STRICT;

-- Documents of the statements (tariff, letterhead, mail), every one that ever was in force; the newest of a name counts.
CREATE TABLE document (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    name  TEXT    NOT NULL,
    at_ms INTEGER NOT NULL,
    text  TEXT    NOT NULL
) STRICT;
CREATE INDEX document_by_name ON document (name, id);

-- Why the manager accepted what kept a month from closing.
CREATE TABLE obstacle_decision (
    month  TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (month, key)
) STRICT, WITHOUT ROWID;

-- Closed months. Nothing here is ever changed: what comes later becomes a correction in the next month.
CREATE TABLE closed_month (
    month        TEXT    PRIMARY KEY,
    closed_at_ms INTEGER NOT NULL,
    from_ms      INTEGER NOT NULL,
    to_ms        INTEGER NOT NULL,
    tariff       TEXT    NOT NULL, -- the tariff it was closed with
    fingerprint  TEXT    NOT NULL  -- of its sessions: tells whether one changed since
) STRICT;

-- The chain of closed statements; the text is exactly what the hash is over. No names in it.
CREATE TABLE statement (
    number   INTEGER PRIMARY KEY,
    month    TEXT NOT NULL REFERENCES closed_month (month),
    tenant   TEXT, -- pseudonym; NULL: the building's own part, or the summary
    kind     TEXT NOT NULL,
    text     TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX statement_by_month ON statement (month, tenant);

CREATE TRIGGER statement_stays BEFORE UPDATE ON statement BEGIN SELECT RAISE(ABORT, 'a closed statement never changes'); END;
CREATE TRIGGER statement_is_kept BEFORE DELETE ON statement BEGIN SELECT RAISE(ABORT, 'a closed statement is never removed'); END;
CREATE TRIGGER closed_month_stays BEFORE UPDATE ON closed_month BEGIN SELECT RAISE(ABORT, 'a closed month never changes'); END;
CREATE TRIGGER closed_month_is_kept BEFORE DELETE ON closed_month BEGIN SELECT RAISE(ABORT, 'a closed month is never removed'); END;

-- Statements sent by e-mail, or not, and why.
CREATE TABLE delivery (
    id     INTEGER PRIMARY KEY,
    month  TEXT    NOT NULL,
    tenant INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL,
    sent   INTEGER NOT NULL,
    detail TEXT    NOT NULL
) STRICT;
CREATE INDEX delivery_by_month ON delivery (month, id);
