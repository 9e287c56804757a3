-- Ready answers over all sites.

-- Every site with its name and when it last sent something.
CREATE VIEW meshwatt.sites AS
SELECT link.site_id, coalesce(site.name, link.name) AS name, site.time_zone, site.currency, link.at AS last_sent_at, link.rows
FROM meshwatt.link LEFT JOIN meshwatt.site ON site.site_id = link.site_id AND NOT site.removed;

-- Sessions with times as timestamps.
CREATE VIEW meshwatt.sessions AS
SELECT session.site_id, sites.name AS site, session.id, session.charger, session.connector, session.tenant,
    to_timestamp(session.started_at_ms / 1000.0) AS started_at, to_timestamp(session.ended_at_ms / 1000.0) AS ended_at,
    session.energy_wh, session.provenance, session.end_reason
FROM meshwatt.session JOIN meshwatt.sites ON sites.site_id = session.site_id
WHERE NOT session.removed;

-- Energy per site, tenant and month of the site's time zone; a session counts in the month it began.
CREATE VIEW meshwatt.energy_by_month AS
SELECT sessions.site_id, sessions.site, sessions.tenant, person.name AS tenant_name,
    to_char(sessions.started_at AT TIME ZONE coalesce(sites.time_zone, 'UTC'), 'YYYY-MM') AS month,
    count(*) AS sessions, sum(sessions.energy_wh) AS energy_wh
FROM meshwatt.sessions
JOIN meshwatt.sites ON sites.site_id = sessions.site_id
LEFT JOIN meshwatt.person ON person.site_id = sessions.site_id AND person.tenant = sessions.tenant AND NOT person.removed
GROUP BY 1, 2, 3, 4, 5;

-- Every charger as it was last known.
CREATE VIEW meshwatt.live_state AS
SELECT charger.site_id, sites.name AS site, charger.id AS charger, charger.name, charger.approved,
    link_state.state AS link, link_state.at AS link_since, open_session.id AS session, open_session.tenant,
    open_session.energy_wh, power.value AS power_w, power.at AS power_at
FROM meshwatt.charger
JOIN meshwatt.sites ON sites.site_id = charger.site_id
LEFT JOIN LATERAL (
    SELECT state, to_timestamp(at_ms / 1000.0) AS at FROM meshwatt.status_change AS one
    WHERE one.site_id = charger.site_id AND one.charger = charger.id AND one.connector = 0
    ORDER BY at_ms DESC LIMIT 1) AS link_state ON true
LEFT JOIN LATERAL (
    SELECT id, tenant, energy_wh FROM meshwatt.session AS one
    WHERE one.site_id = charger.site_id AND one.charger = charger.id AND one.ended_at_ms IS NULL AND NOT one.removed
    ORDER BY started_at_ms DESC LIMIT 1) AS open_session ON true
LEFT JOIN LATERAL (
    SELECT reading.value, reading.at FROM meshwatt.series
    JOIN meshwatt.reading ON reading.site_id = series.site_id AND reading.series_id = series.series_id
    WHERE series.site_id = charger.site_id AND series.name = 'charger/' || charger.id || '/1/power_w'
    ORDER BY reading.at DESC LIMIT 1) AS power ON true
WHERE NOT charger.removed;

-- Alarms, those that last first.
CREATE VIEW meshwatt.alarms AS
SELECT alarm.site_id, sites.name AS site, alarm.kind, alarm.subject, to_timestamp(alarm.raised_at_ms / 1000.0) AS raised_at,
    to_timestamp(alarm.cleared_at_ms / 1000.0) AS cleared_at
FROM meshwatt.alarm JOIN meshwatt.sites ON sites.site_id = alarm.site_id
WHERE NOT alarm.removed
ORDER BY alarm.cleared_at_ms IS NOT NULL, alarm.raised_at_ms DESC;
