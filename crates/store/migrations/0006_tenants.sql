-- Names live in one table, `person`, so that they can be erased: the tenant's number, key and terms stay.
CREATE TABLE person (
    tenant   INTEGER PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    name     TEXT NOT NULL,
    unit     TEXT NOT NULL,
    email    TEXT NOT NULL,
    phone    TEXT NOT NULL,
    language TEXT NOT NULL
) STRICT;
INSERT INTO person SELECT id, name, unit, '', '', 'pt-PT' FROM tenant;

ALTER TABLE tenant DROP COLUMN name;
ALTER TABLE tenant DROP COLUMN unit;
ALTER TABLE tenant ADD COLUMN key TEXT NOT NULL DEFAULT ''; -- 32 hexadecimal digits
UPDATE tenant SET key = lower(hex(randomblob(16)));
CREATE UNIQUE INDEX tenant_key ON tenant (key);
ALTER TABLE tenant ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
ALTER TABLE tenant ADD COLUMN status_at_ms INTEGER; -- since when archived or erased
ALTER TABLE tenant ADD COLUMN parking_spaces TEXT NOT NULL DEFAULT ''; -- one in a line
ALTER TABLE tenant ADD COLUMN charger_use TEXT NOT NULL DEFAULT 'owner_only';
ALTER TABLE tenant ADD COLUMN max_power_w INTEGER;
ALTER TABLE tenant ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenant ADD COLUMN monthly_cap_wh INTEGER;
ALTER TABLE tenant ADD COLUMN valid_from_ms INTEGER;
ALTER TABLE tenant ADD COLUMN valid_until_ms INTEGER;
ALTER TABLE tenant ADD COLUMN unit_key_millionths INTEGER;

-- Chargers that belong to a tenant. The charger may not have spoken yet.
CREATE TABLE own_charger (
    tenant  INTEGER NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    charger TEXT    NOT NULL,
    PRIMARY KEY (tenant, charger)
) STRICT, WITHOUT ROWID;

-- The card this is another reading of.
ALTER TABLE card ADD COLUMN alias_of INTEGER;

-- What people changed about sessions; the first change of a session holds its original figures.
CREATE TABLE session_change (
    id                   INTEGER PRIMARY KEY,
    session              INTEGER NOT NULL,
    at_ms                INTEGER NOT NULL,
    reason               TEXT    NOT NULL,
    before_tenant        INTEGER,
    before_started_at_ms INTEGER NOT NULL,
    before_ended_at_ms   INTEGER,
    before_energy_wh     INTEGER NOT NULL,
    before_provenance    TEXT    NOT NULL,
    after_tenant         INTEGER,
    after_started_at_ms  INTEGER NOT NULL,
    after_ended_at_ms    INTEGER,
    after_energy_wh      INTEGER NOT NULL,
    after_provenance     TEXT    NOT NULL,
    UNIQUE (session, at_ms)
) STRICT;

-- What became of an orphan stop; NULL while nobody decided.
ALTER TABLE orphan_stop ADD COLUMN decided_at_ms INTEGER;
ALTER TABLE orphan_stop ADD COLUMN decided_session INTEGER; -- NULL: dismissed
ALTER TABLE orphan_stop ADD COLUMN decided_reason TEXT;
CREATE INDEX orphan_stop_open ON orphan_stop (at_ms) WHERE decided_at_ms IS NULL;
