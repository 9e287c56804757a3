-- Rules of sharing, as JSON with the names of the domain; an empty object is the default of every rule.
ALTER TABLE site ADD COLUMN rules TEXT NOT NULL DEFAULT '{}';
ALTER TABLE circuit ADD COLUMN rating TEXT NOT NULL DEFAULT '{}';
ALTER TABLE charger ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
ALTER TABLE card ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
-- What was known when the decision was made, as JSON; NULL for decisions of older versions.
ALTER TABLE decision ADD COLUMN known TEXT;

-- What a tenant needs from a session.
CREATE TABLE wish (
    session   INTEGER PRIMARY KEY,
    energy_wh INTEGER NOT NULL,
    by_ms     INTEGER NOT NULL
) STRICT;
