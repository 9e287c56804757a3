-- The highest number that was ever handed to a sink, noted before it is: what a sink has beyond it was sent by records
-- newer than these, so these are an older copy. It outlives the sink, for one that is set up again.
CREATE TABLE sent (
    sink    TEXT    PRIMARY KEY,
    through INTEGER NOT NULL
) STRICT;
INSERT INTO sent SELECT name, max(cursor, ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)) FROM sink;
