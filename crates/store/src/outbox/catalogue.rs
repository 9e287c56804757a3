//! Which tables leave the building, by which key, and which of their columns are personal.
//!
//! A column that is not named here never leaves. A test compares this list with the tables.

/// What must be ticked before a column leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consent {
    /// Nothing: it names nobody.
    Free,
    /// Names, flats, e-mail addresses and telephone numbers of tenants.
    Names,
    /// Numbers of cards, and what chargers remember of them.
    Cards,
    /// Texts that people wrote: reasons, letterhead, tariff.
    Papers,
    /// Protocol frames as they crossed the wire.
    Frames,
}

impl Consent {
    /// Those that can be ticked.
    pub const BOXES: [Self; 4] = [Self::Names, Self::Cards, Self::Papers, Self::Frames];

    /// Its word in settings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Names => "names",
            Self::Cards => "cards",
            Self::Papers => "papers",
            Self::Frames => "frames",
        }
    }
}

/// What becomes of a row at the other end when it goes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is marked as removed there.
    Follows,
    /// It stays there: here it only went because of its age.
    Stays,
}

/// A table that leaves the building.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: &'static [&'static str],
    /// Columns beside the key.
    pub(crate) columns: &'static [(&'static str, Consent)],
    pub(crate) removal: Removal,
}

/// Tables that stay: secrets, readings (which leave as minutes), and what the outbox itself is made of.
#[cfg(test)]
pub(crate) const HOME: &[&str] = &[
    "_sqlx_migrations",
    // The frames in it have left as frames.
    "frame_chunk",
    "open_minute",
    "outbox",
    "reading",
    "reading_chunk",
    // A choice for this computer and its disk.
    "retention",
    "secret",
    "sent",
    "series",
    "sink",
    "site_key",
    "sqlite_sequence",
];

const fn free(name: &'static str) -> (&'static str, Consent) {
    (name, Consent::Free)
}

const fn names(name: &'static str) -> (&'static str, Consent) {
    (name, Consent::Names)
}

const fn cards(name: &'static str) -> (&'static str, Consent) {
    (name, Consent::Cards)
}

const fn papers(name: &'static str) -> (&'static str, Consent) {
    (name, Consent::Papers)
}

const fn frames(name: &'static str) -> (&'static str, Consent) {
    (name, Consent::Frames)
}

const fn mirror(
    name: &'static str,
    key: &'static [&'static str],
    columns: &'static [(&'static str, Consent)],
) -> Table {
    Table { name, key, columns, removal: Removal::Follows }
}

const fn log(name: &'static str, key: &'static [&'static str], columns: &'static [(&'static str, Consent)]) -> Table {
    Table { name, key, columns, removal: Removal::Stays }
}

/// Every table that leaves, those others refer to first.
pub(crate) const TABLES: &[Table] = &[
    mirror(
        "site",
        &["id"],
        &[
            free("name"),
            free("time_zone"),
            free("currency"),
            free("nominal_voltage_mv"),
            free("connection"),
            free("phases"),
            free("contracted_va"),
            free("main_fuse_ma"),
            free("margin_ma"),
            free("min_charge_ma"),
            free("max_active_chargers"),
            free("max_meters"),
            free("control_interval_ms"),
            free("declared_load_ma"),
            free("meter_max_age_ms"),
            free("pacing"),
            free("rules"),
        ],
    ),
    mirror(
        "circuit",
        &["id"],
        &[free("name"), free("parent"), free("limit_l1_ma"), free("limit_l2_ma"), free("limit_l3_ma"), free("rating")],
    ),
    mirror("meter", &["id"], &[free("name"), free("approved"), free("circuit"), free("role")]),
    mirror(
        "charger",
        &["id"],
        &[
            free("protocol"),
            free("name"),
            free("registered"),
            free("approved"),
            free("priority"),
            free("max_ma"),
            free("fallback_ma"),
            free("circuit"),
            free("wiring"),
            free("connectors"),
            free("policy"),
        ],
    ),
    mirror("hardware", &["charger"], &[free("vendor"), free("model"), free("firmware"), free("serial")]),
    mirror("hold", &["charger"], &[free("limit_ma")]),
    mirror("charger_security", &["charger"], &[free("target"), free("enforced")]),
    mirror(
        "certificate",
        &["serial"],
        &[free("charger"), free("pem"), free("issued_at_ms"), free("expires_at_ms"), free("revoked_at_ms")],
    ),
    mirror(
        "stored_file",
        &["id"],
        &[free("firmware"), free("charger"), free("name"), free("bytes"), free("sha256"), free("at_ms")],
    ),
    mirror("fact", &["subject", "name"], &[cards("value")]),
    mirror(
        "tenant",
        &["id"],
        &[
            free("created_at_ms"),
            free("key"),
            free("status"),
            free("status_at_ms"),
            names("parking_spaces"),
            free("charger_use"),
            free("max_power_w"),
            free("priority"),
            free("monthly_cap_wh"),
            free("valid_from_ms"),
            free("valid_until_ms"),
            free("unit_key_millionths"),
        ],
    ),
    mirror("person", &["tenant"], &[names("name"), names("unit"), names("email"), names("phone"), names("language")]),
    mirror("own_charger", &["tenant", "charger"], &[]),
    mirror(
        "card",
        &["id"],
        &[cards("uid"), free("tenant"), free("status"), free("enrolled_at_ms"), free("policy"), free("alias_of")],
    ),
    log("refused_card", &["id"], &[cards("uid"), free("charger"), free("at_ms"), free("verdict")]),
    mirror(
        "session",
        &["id"],
        &[
            free("charger"),
            free("connector"),
            cards("card"),
            free("tenant"),
            free("started_at_ms"),
            free("ended_at_ms"),
            free("meter_start_wh"),
            free("meter_last_wh"),
            free("energy_wh"),
            free("provenance"),
            free("end_reason"),
        ],
    ),
    mirror("session_trace", &["session"], &[free("bytes")]),
    mirror("wish", &["session"], &[free("energy_wh"), free("by_ms")]),
    log(
        "session_change",
        &["id"],
        &[
            free("session"),
            free("at_ms"),
            papers("reason"),
            free("before_tenant"),
            free("before_started_at_ms"),
            free("before_ended_at_ms"),
            free("before_energy_wh"),
            free("before_provenance"),
            free("after_tenant"),
            free("after_started_at_ms"),
            free("after_ended_at_ms"),
            free("after_energy_wh"),
            free("after_provenance"),
        ],
    ),
    log(
        "orphan_stop",
        &["id"],
        &[
            free("charger"),
            free("session"),
            cards("card"),
            free("at_ms"),
            free("meter_wh"),
            free("reason"),
            free("provenance"),
            free("decided_at_ms"),
            free("decided_session"),
            papers("decided_reason"),
        ],
    ),
    log(
        "decision",
        &["id"],
        &[
            free("charger"),
            free("connector"),
            free("at_ms"),
            free("limit_ma"),
            free("sentence"),
            free("reason"),
            free("known"),
        ],
    ),
    log("alarm", &["id"], &[free("kind"), free("subject"), free("raised_at_ms"), free("cleared_at_ms")]),
    log("status_change", &["id"], &[free("charger"), free("connector"), free("at_ms"), free("state"), free("error")]),
    mirror("document", &["id"], &[free("name"), free("at_ms"), papers("text")]),
    mirror("obstacle_decision", &["month", "key"], &[papers("reason"), free("at_ms")]),
    mirror(
        "closed_month",
        &["month"],
        &[free("closed_at_ms"), free("from_ms"), free("to_ms"), papers("tariff"), free("fingerprint")],
    ),
    mirror(
        "statement",
        &["number"],
        &[free("month"), free("tenant"), free("kind"), free("text"), free("previous"), free("hash")],
    ),
    mirror("delivery", &["id"], &[free("month"), free("tenant"), free("at_ms"), free("sent"), names("detail")]),
    log(
        "frame",
        &["id"],
        &[frames("device"), frames("received"), frames("at_ms"), frames("topic"), frames("text"), frames("digest")],
    ),
];

impl Table {
    /// Whether anything but keys of it may leave.
    pub(crate) fn leaves(&self, consents: &[Consent]) -> bool {
        self.columns.is_empty() || self.columns.iter().any(|(_, consent)| allowed(*consent, consents))
    }

    /// Columns beside the key that may leave.
    pub(crate) fn leaving<'a>(&'a self, consents: &'a [Consent]) -> impl Iterator<Item = &'static str> + 'a {
        self.columns.iter().filter(|(_, consent)| allowed(*consent, consents)).map(|(name, _)| *name)
    }
}

fn allowed(consent: Consent, consents: &[Consent]) -> bool {
    consent == Consent::Free || consents.contains(&consent)
}

/// The table of a name.
pub(crate) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}
