-- The tables of all sites. Every row belongs to a site (site_id), has the number of the change that brought it (seq:
-- microseconds since 1970, or a small number for what was there before the first upload), and stays when it is removed
-- at the site (removed). Times end in _ms: milliseconds since 1970 UTC; the views make them timestamps. Columns of a
-- newer Meshwatt that have no place of their own are in more.

CREATE TABLE meshwatt.link (
    site_id   uuid PRIMARY KEY,
    name      text,
    writer    text NOT NULL, -- the computer that sends for the site
    writer_name text NOT NULL,
    cursor    bigint NOT NULL DEFAULT 0,
    rows      bigint NOT NULL DEFAULT 0,
    at        timestamptz NOT NULL DEFAULT now()
);

-- The building: its grid connection and the rules of sharing.
CREATE TABLE meshwatt.site (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "name" text,
    "time_zone" text,
    "currency" text,
    "nominal_voltage_mv" bigint,
    "connection" text,
    "phases" bigint,
    "contracted_va" bigint,
    "main_fuse_ma" bigint,
    "margin_ma" bigint,
    "min_charge_ma" bigint,
    "max_active_chargers" bigint,
    "max_meters" bigint,
    "control_interval_ms" bigint,
    "declared_load_ma" bigint,
    "meter_max_age_ms" bigint,
    "pacing" text,
    "rules" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Protected branches; a tree whose root has no parent.
CREATE TABLE meshwatt.circuit (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" text NOT NULL,
    "name" text,
    "parent" text,
    "limit_l1_ma" bigint,
    "limit_l2_ma" bigint,
    "limit_l3_ma" bigint,
    "rating" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Meters of circuits.
CREATE TABLE meshwatt.meter (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" text NOT NULL,
    "name" text,
    "approved" boolean,
    "circuit" text,
    "role" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Charging stations.
CREATE TABLE meshwatt.charger (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" text NOT NULL,
    "protocol" text,
    "name" text,
    "registered" bigint,
    "approved" boolean,
    "priority" bigint,
    "max_ma" bigint,
    "fallback_ma" bigint,
    "circuit" text,
    "wiring" text,
    "connectors" bigint,
    "policy" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- What a charger said about itself.
CREATE TABLE meshwatt.hardware (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "charger" text NOT NULL,
    "vendor" text,
    "model" text,
    "firmware" text,
    "serial" text,
    more jsonb,
    PRIMARY KEY (site_id, "charger")
);

-- What the manager ordered for a charger; limit_ma null: paused.
CREATE TABLE meshwatt.hold (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "charger" text NOT NULL,
    "limit_ma" bigint,
    more jsonb,
    PRIMARY KEY (site_id, "charger")
);

-- Which proof a charger must bring.
CREATE TABLE meshwatt.charger_security (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "charger" text NOT NULL,
    "target" bigint,
    "enforced" bigint,
    more jsonb,
    PRIMARY KEY (site_id, "charger")
);

-- Certificates the building issued to chargers.
CREATE TABLE meshwatt.certificate (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "serial" text NOT NULL,
    "charger" text,
    "pem" text,
    "issued_at_ms" bigint,
    "expires_at_ms" bigint,
    "revoked_at_ms" bigint,
    more jsonb,
    PRIMARY KEY (site_id, "serial")
);

-- Files of chargers, without their bytes.
CREATE TABLE meshwatt.stored_file (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" text NOT NULL,
    "firmware" boolean,
    "charger" text,
    "name" text,
    "bytes" bigint,
    "sha256" text,
    "at_ms" bigint,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- What was learnt of devices; value only with the box "cards".
CREATE TABLE meshwatt.fact (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "subject" text NOT NULL,
    "name" text NOT NULL,
    "value" text,
    more jsonb,
    PRIMARY KEY (site_id, "subject", "name")
);

-- Households, by number. Names are in person.
CREATE TABLE meshwatt.tenant (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "created_at_ms" bigint,
    "key" text,
    "status" text,
    "status_at_ms" bigint,
    "parking_spaces" text,
    "charger_use" text,
    "max_power_w" bigint,
    "priority" bigint,
    "monthly_cap_wh" bigint,
    "valid_from_ms" bigint,
    "valid_until_ms" bigint,
    "unit_key_millionths" bigint,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Names of tenants; only with the box "names".
CREATE TABLE meshwatt.person (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "tenant" bigint NOT NULL,
    "name" text,
    "unit" text,
    "email" text,
    "phone" text,
    "language" text,
    more jsonb,
    PRIMARY KEY (site_id, "tenant")
);

-- Chargers that belong to a tenant.
CREATE TABLE meshwatt.own_charger (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "tenant" bigint NOT NULL,
    "charger" text NOT NULL,
    more jsonb,
    PRIMARY KEY (site_id, "tenant", "charger")
);

-- Cards; uid only with the box "cards".
CREATE TABLE meshwatt.card (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "uid" text,
    "tenant" bigint,
    "status" text,
    "enrolled_at_ms" bigint,
    "policy" text,
    "alias_of" bigint,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Cards that were refused.
CREATE TABLE meshwatt.refused_card (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "uid" text,
    "charger" text,
    "at_ms" bigint,
    "verdict" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Charging sessions.
CREATE TABLE meshwatt.session (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "charger" text,
    "connector" bigint,
    "card" text,
    "tenant" bigint,
    "started_at_ms" bigint,
    "ended_at_ms" bigint,
    "meter_start_wh" bigint,
    "meter_last_wh" bigint,
    "energy_wh" bigint,
    "provenance" text,
    "end_reason" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- When the energy of a session flowed, packed (hexadecimal).
CREATE TABLE meshwatt.session_trace (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "session" bigint NOT NULL,
    "bytes" text,
    more jsonb,
    PRIMARY KEY (site_id, "session")
);

-- What a tenant needs from a session.
CREATE TABLE meshwatt.wish (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "session" bigint NOT NULL,
    "energy_wh" bigint,
    "by_ms" bigint,
    more jsonb,
    PRIMARY KEY (site_id, "session")
);

-- What people changed about sessions.
CREATE TABLE meshwatt.session_change (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "session" bigint,
    "at_ms" bigint,
    "reason" text,
    "before_tenant" bigint,
    "before_started_at_ms" bigint,
    "before_ended_at_ms" bigint,
    "before_energy_wh" bigint,
    "before_provenance" text,
    "after_tenant" bigint,
    "after_started_at_ms" bigint,
    "after_ended_at_ms" bigint,
    "after_energy_wh" bigint,
    "after_provenance" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Ends that fit no session.
CREATE TABLE meshwatt.orphan_stop (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "charger" text,
    "session" bigint,
    "card" text,
    "at_ms" bigint,
    "meter_wh" bigint,
    "reason" text,
    "provenance" text,
    "decided_at_ms" bigint,
    "decided_session" bigint,
    "decided_reason" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Why a connector got its current.
CREATE TABLE meshwatt.decision (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "charger" text,
    "connector" bigint,
    "at_ms" bigint,
    "limit_ma" bigint,
    "sentence" text,
    "known" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Alarms; cleared_at_ms null while they last.
CREATE TABLE meshwatt.alarm (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "kind" text,
    "subject" text,
    "raised_at_ms" bigint,
    "cleared_at_ms" bigint,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- States of chargers and connectors; connector 0 is the charger.
CREATE TABLE meshwatt.status_change (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "charger" text,
    "connector" bigint,
    "at_ms" bigint,
    "state" text,
    "error" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Tariff, letterhead and mail settings, every one that ever was; text only with the box "papers".
CREATE TABLE meshwatt.document (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "name" text,
    "at_ms" bigint,
    "text" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Why a month was closed in spite of something.
CREATE TABLE meshwatt.obstacle_decision (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "month" text NOT NULL,
    "key" text NOT NULL,
    "reason" text,
    "at_ms" bigint,
    more jsonb,
    PRIMARY KEY (site_id, "month", "key")
);

-- Closed months.
CREATE TABLE meshwatt.closed_month (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "month" text NOT NULL,
    "closed_at_ms" bigint,
    "from_ms" bigint,
    "to_ms" bigint,
    "tariff" text,
    "fingerprint" text,
    more jsonb,
    PRIMARY KEY (site_id, "month")
);

-- The chain of closed statements; no names in it.
CREATE TABLE meshwatt.statement (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "number" bigint NOT NULL,
    "month" text,
    "tenant" text,
    "kind" text,
    "text" text,
    "previous" text,
    "hash" text,
    more jsonb,
    PRIMARY KEY (site_id, "number")
);

-- Statements sent by e-mail.
CREATE TABLE meshwatt.delivery (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "month" text,
    "tenant" bigint,
    "at_ms" bigint,
    "sent" boolean,
    "detail" text,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

-- Protocol frames; only with the box "frames".
CREATE TABLE meshwatt.frame (
    site_id uuid NOT NULL,
    seq bigint NOT NULL,
    removed boolean NOT NULL,
    "id" bigint NOT NULL,
    "device" text,
    "received" boolean,
    "at_ms" bigint,
    "topic" text,
    "text" text,
    "digest" bigint,
    more jsonb,
    PRIMARY KEY (site_id, "id")
);

CREATE INDEX session_by_time ON meshwatt.session (site_id, started_at_ms);
CREATE INDEX session_open ON meshwatt.session (site_id, charger) WHERE ended_at_ms IS NULL;
CREATE INDEX alarm_open ON meshwatt.alarm (site_id) WHERE cleared_at_ms IS NULL;
CREATE INDEX status_change_by_charger ON meshwatt.status_change (site_id, charger, connector, at_ms DESC);

-- Short numbers for long names; each site has its own.
CREATE TABLE meshwatt.series (
    site_id   uuid NOT NULL,
    series_id bigint NOT NULL,
    name      text NOT NULL,
    PRIMARY KEY (site_id, series_id)
);

-- Readings: step_s 60 are means of a minute, 900 of a quarter-hour, 0 values as measured. The unit is in the series' name.
CREATE TABLE meshwatt.reading (
    site_id   uuid NOT NULL,
    series_id bigint NOT NULL,
    at        timestamptz NOT NULL,
    step_s    integer NOT NULL,
    value     bigint NOT NULL,
    seq       bigint NOT NULL,
    PRIMARY KEY (site_id, series_id, at)
);

-- What the company orders about cards; every site asks for it twice a minute. site_id null: all sites.
CREATE TABLE meshwatt.card_order (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id    uuid,
    uid        text NOT NULL,
    action     text NOT NULL CHECK (action IN ('block', 'unblock', 'add')),
    tenant     bigint, -- number of the tenant at the site, for add
    ordered_at timestamptz NOT NULL DEFAULT now(),
    ordered_by text NOT NULL DEFAULT current_user
);

-- What became of an order at each site.
CREATE TABLE meshwatt.card_order_done (
    order_id bigint NOT NULL REFERENCES meshwatt.card_order (id),
    site_id  uuid NOT NULL,
    done     boolean NOT NULL,
    detail   text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, site_id)
);
