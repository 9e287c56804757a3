-- One index instead of two. Frames come in the order of time, so they are added at its end: an index that begins with the
-- device has a place to write for each charger. A list of one device's frames reads the newest hour of it, no more.
DROP INDEX frame_once;
DROP INDEX frame_by_time;
CREATE UNIQUE INDEX frame_once ON frame (at_ms, device, received, digest);
