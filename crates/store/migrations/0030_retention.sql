-- How many days each kind of record is kept, once somebody chose; quarter-hours of readings stay for ever.
CREATE TABLE retention (
    id                 INTEGER PRIMARY KEY CHECK (id = 1),
    raw                INTEGER NOT NULL, -- readings as measured
    minutes            INTEGER NOT NULL, -- minute means
    frames             INTEGER NOT NULL, -- protocol frames outside transactions
    transaction_frames INTEGER NOT NULL, -- protocol frames about transactions
    decisions          INTEGER NOT NULL,
    events             INTEGER NOT NULL  -- refused cards, cleared alarms, changes of status
) STRICT;
