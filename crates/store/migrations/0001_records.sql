-- Times are milliseconds since 1970 UTC; units are in the names. Text enums use the words of the API.

CREATE TABLE site (
    id                  INTEGER PRIMARY KEY CHECK (id = 1),
    name                TEXT    NOT NULL,
    time_zone           TEXT    NOT NULL,
    currency            TEXT    NOT NULL,
    nominal_voltage_mv  INTEGER NOT NULL,
    connection          TEXT    NOT NULL,
    phases              INTEGER NOT NULL,
    contracted_va       INTEGER NOT NULL,
    main_fuse_ma        INTEGER NOT NULL,
    margin_ma           INTEGER NOT NULL,
    min_charge_ma       INTEGER NOT NULL,
    max_active_chargers INTEGER,
    max_meters          INTEGER NOT NULL,
    control_interval_ms INTEGER NOT NULL,
    declared_load_ma    INTEGER NOT NULL,
    meter_max_age_ms    INTEGER NOT NULL,
    pacing              TEXT    NOT NULL
) STRICT;

CREATE TABLE circuit (
    id          TEXT    PRIMARY KEY,
    name        TEXT    NOT NULL,
    parent      TEXT,
    limit_l1_ma INTEGER NOT NULL,
    limit_l2_ma INTEGER NOT NULL,
    limit_l3_ma INTEGER NOT NULL
) STRICT;

CREATE TABLE meter (
    id       TEXT    PRIMARY KEY,
    name     TEXT    NOT NULL,
    approved INTEGER NOT NULL,
    circuit  TEXT    NOT NULL,
    role     TEXT    NOT NULL
) STRICT;

CREATE TABLE charger (
    id          TEXT    PRIMARY KEY,
    protocol    TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    registered  INTEGER NOT NULL,
    approved    INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    max_ma      INTEGER NOT NULL,
    fallback_ma INTEGER NOT NULL,
    circuit     TEXT    NOT NULL,
    wiring      TEXT    NOT NULL, -- grid phase of each wire, such as 231
    connectors  INTEGER NOT NULL
) STRICT;

CREATE TABLE hardware (
    charger  TEXT PRIMARY KEY,
    vendor   TEXT NOT NULL,
    model    TEXT NOT NULL,
    firmware TEXT NOT NULL,
    serial   TEXT NOT NULL
) STRICT;

CREATE TABLE hold (
    charger  TEXT PRIMARY KEY,
    limit_ma INTEGER -- NULL: paused
) STRICT;

-- AUTOINCREMENT remembers the highest number ever given, so that no tenant inherits another's sessions.
CREATE TABLE tenant (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL,
    unit          TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE card (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    uid            TEXT    NOT NULL UNIQUE,
    tenant         INTEGER NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    status         TEXT    NOT NULL,
    enrolled_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX card_by_tenant ON card (tenant);

CREATE TABLE refused_card (
    id      INTEGER PRIMARY KEY,
    uid     TEXT    NOT NULL,
    charger TEXT    NOT NULL,
    at_ms   INTEGER NOT NULL,
    verdict TEXT    NOT NULL,
    UNIQUE (uid, charger, at_ms)
) STRICT;
CREATE INDEX refused_card_by_time ON refused_card (at_ms);

CREATE TABLE session (
    id             INTEGER PRIMARY KEY,
    charger        TEXT    NOT NULL,
    connector      INTEGER NOT NULL,
    card           TEXT,
    tenant         INTEGER,
    started_at_ms  INTEGER NOT NULL,
    ended_at_ms    INTEGER,
    meter_start_wh INTEGER NOT NULL,
    meter_last_wh  INTEGER NOT NULL,
    energy_wh      INTEGER NOT NULL,
    provenance     TEXT    NOT NULL,
    end_reason     TEXT
) STRICT;
CREATE INDEX session_by_start ON session (started_at_ms);
CREATE INDEX session_by_tenant ON session (tenant, started_at_ms);
CREATE INDEX session_by_charger ON session (charger, started_at_ms);
CREATE INDEX session_by_end ON session (ended_at_ms);

CREATE TABLE orphan_stop (
    id         INTEGER PRIMARY KEY,
    charger    TEXT    NOT NULL,
    session    INTEGER, -- NULL: an identity we never gave
    card       TEXT,
    at_ms      INTEGER NOT NULL,
    meter_wh   INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    provenance TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX orphan_stop_once ON orphan_stop (charger, at_ms, meter_wh, ifnull(session, 0));
CREATE INDEX orphan_stop_by_time ON orphan_stop (at_ms);

CREATE TABLE decision (
    id        INTEGER PRIMARY KEY,
    charger   TEXT    NOT NULL,
    connector INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    limit_ma  INTEGER NOT NULL,
    sentence  TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX decision_once ON decision (charger, at_ms, connector);
CREATE INDEX decision_by_time ON decision (at_ms);

CREATE TABLE alarm (
    id            INTEGER PRIMARY KEY,
    kind          TEXT    NOT NULL,
    subject       TEXT    NOT NULL, -- the device or circuit it is about, or empty
    raised_at_ms  INTEGER NOT NULL,
    cleared_at_ms INTEGER,
    UNIQUE (kind, subject, raised_at_ms)
) STRICT;
CREATE INDEX alarm_by_time ON alarm (raised_at_ms);
CREATE INDEX alarm_open ON alarm (raised_at_ms) WHERE cleared_at_ms IS NULL;

CREATE TABLE frame (
    id       INTEGER PRIMARY KEY,
    device   TEXT    NOT NULL,
    received INTEGER NOT NULL, -- 1: from the device, 0: to it
    at_ms    INTEGER NOT NULL,
    topic    TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    digest   INTEGER NOT NULL -- of topic and text: the same frame is kept once
) STRICT;
CREATE UNIQUE INDEX frame_once ON frame (device, at_ms, received, digest);
CREATE INDEX frame_by_time ON frame (at_ms);

CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE series (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE
) STRICT;

-- Values as they came, until their hour is packed.
CREATE TABLE reading (
    series INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL,
    value  INTEGER NOT NULL,
    PRIMARY KEY (series, at_ms)
) STRICT, WITHOUT ROWID;

-- Packed values: an hour of raw ones (resolution 0), a day of minutes (60000), 32 days of quarter-hours (900000).
CREATE TABLE reading_chunk (
    id            INTEGER PRIMARY KEY,
    series        INTEGER NOT NULL,
    resolution_ms INTEGER NOT NULL,
    start_ms      INTEGER NOT NULL,
    bytes         BLOB    NOT NULL,
    UNIQUE (series, resolution_ms, start_ms)
) STRICT;
CREATE INDEX reading_chunk_by_age ON reading_chunk (resolution_ms, start_ms);
