-- Frames of one device, packed an hour after they passed; those about transactions apart, since they are kept longer.
CREATE TABLE frame_chunk (
    id          INTEGER PRIMARY KEY,
    device      TEXT    NOT NULL,
    transaction_frames INTEGER NOT NULL, -- 1: about transactions
    start_ms    INTEGER NOT NULL, -- of the oldest frame in it
    end_ms      INTEGER NOT NULL, -- of the newest
    bytes       BLOB    NOT NULL  -- one JSON array in a line for each frame, deflated
) STRICT;
CREATE INDEX frame_chunk_by_device ON frame_chunk (device, end_ms);
CREATE INDEX frame_chunk_by_age ON frame_chunk (transaction_frames, end_ms);
