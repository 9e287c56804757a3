//! What keeps a month from closing, each with what to do about it.

use crate::Month;
use domain::{ChargerId, ConnectorNumber, SessionId, Timestamp};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Something to settle before a month can close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// Names it in a decision; the same obstacle always has the same key.
    pub key: String,
    /// What it is.
    pub kind: ObstacleKind,
    /// Why the manager accepted it; `None` while it stands in the way.
    pub accepted: Option<String>,
}

impl Obstacle {
    /// Whether it still stands in the way.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.accepted.is_none()
    }
}

/// What is in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ObstacleKind {
    /// The month has not ended.
    MonthRuns,
    /// An earlier month with sessions is open.
    EarlierMonthOpen {
        /// Which.
        earlier: Month,
    },
    /// A later month is closed already, and the chain only grows at its end.
    LaterMonthClosed {
        /// Which.
        later: Month,
    },
    /// Days without a price.
    NoTariff {
        /// First of them.
        from: Date,
        /// How many.
        days: u32,
    },
    /// The tariff recovers the supplier's invoice, and its amount is missing.
    InvoiceMissing,
    /// The tariff has flags, and the month's is missing.
    FlagMissing,
    /// A session runs, and nothing was read from it since the month ended.
    OpenSession {
        /// Which.
        session: SessionId,
        /// Where.
        charger: ChargerId,
    },
    /// A session ended before it began.
    EndsBeforeStart {
        /// Which.
        session: SessionId,
        /// Its start.
        started_at: Timestamp,
        /// Its end.
        ended_at: Timestamp,
    },
    /// A session has more energy than its time and connector allow.
    ImpossibleEnergy {
        /// Which.
        session: SessionId,
        /// Its energy.
        energy_wh: u64,
        /// The most it can have.
        possible_wh: u64,
    },
    /// A session's energy and its registers disagree: the register was reset, ran backwards or jumped.
    RegisterDoubt {
        /// Which.
        session: SessionId,
        /// Its energy.
        energy_wh: u64,
        /// Register at its start.
        meter_start_wh: u64,
        /// Register at its end.
        meter_last_wh: u64,
    },
    /// Nobody pays for a session.
    NoTenant {
        /// Which.
        session: SessionId,
        /// Its energy in this month.
        energy_wh: u64,
    },
    /// A session's end never arrived; the last register seen was used.
    EndEstimated {
        /// Which.
        session: SessionId,
    },
    /// Where a session is cut, readings are missing.
    ReadingsMissing {
        /// Which.
        session: SessionId,
    },
    /// An end that fits no session.
    OrphanStop {
        /// Where.
        charger: ChargerId,
        /// When.
        at: Timestamp,
    },
    /// A connector's register and its sessions differ.
    RegisterMismatch {
        /// Where.
        charger: ChargerId,
        /// Which connector.
        connector: ConnectorNumber,
        /// Register less sessions.
        difference_wh: i64,
    },
    /// A meter and the sessions differ.
    MeterMismatch {
        /// Which.
        meter: String,
        /// Meter less sessions.
        difference_wh: i64,
    },
}

impl ObstacleKind {
    /// Whether the manager may accept it as it is, with a reason. What only needs time or a missing entry may not.
    #[must_use]
    pub const fn can_be_accepted(&self) -> bool {
        match self {
            Self::MonthRuns
            | Self::EarlierMonthOpen { .. }
            | Self::LaterMonthClosed { .. }
            | Self::NoTariff { .. }
            | Self::InvoiceMissing
            | Self::FlagMissing
            | Self::OpenSession { .. } => false,
            Self::EndsBeforeStart { .. }
            | Self::ImpossibleEnergy { .. }
            | Self::RegisterDoubt { .. }
            | Self::NoTenant { .. }
            | Self::EndEstimated { .. }
            | Self::ReadingsMissing { .. }
            | Self::OrphanStop { .. }
            | Self::RegisterMismatch { .. }
            | Self::MeterMismatch { .. } => true,
        }
    }

    /// The session it is about, if it is about one.
    #[must_use]
    pub const fn session(&self) -> Option<SessionId> {
        match self {
            Self::OpenSession { session, .. }
            | Self::EndsBeforeStart { session, .. }
            | Self::ImpossibleEnergy { session, .. }
            | Self::RegisterDoubt { session, .. }
            | Self::NoTenant { session, .. }
            | Self::EndEstimated { session }
            | Self::ReadingsMissing { session } => Some(*session),
            Self::MonthRuns
            | Self::EarlierMonthOpen { .. }
            | Self::LaterMonthClosed { .. }
            | Self::NoTariff { .. }
            | Self::InvoiceMissing
            | Self::FlagMissing
            | Self::OrphanStop { .. }
            | Self::RegisterMismatch { .. }
            | Self::MeterMismatch { .. } => None,
        }
    }

    /// Names it in a decision.
    #[must_use]
    pub fn key(&self) -> String {
        let about = |word: &str, session: SessionId| format!("session/{session}/{word}");
        match self {
            Self::MonthRuns => "month_runs".to_owned(),
            Self::EarlierMonthOpen { .. } => "earlier_month_open".to_owned(),
            Self::LaterMonthClosed { .. } => "later_month_closed".to_owned(),
            Self::NoTariff { .. } => "no_tariff".to_owned(),
            Self::InvoiceMissing => "invoice_missing".to_owned(),
            Self::FlagMissing => "flag_missing".to_owned(),
            Self::OpenSession { session, .. } => about("open", *session),
            Self::EndsBeforeStart { session, .. } => about("ends_before_start", *session),
            Self::ImpossibleEnergy { session, .. } => about("impossible_energy", *session),
            Self::RegisterDoubt { session, .. } => about("register_doubt", *session),
            Self::NoTenant { session, .. } => about("no_tenant", *session),
            Self::EndEstimated { session } => about("end_estimated", *session),
            Self::ReadingsMissing { session } => about("readings_missing", *session),
            Self::OrphanStop { charger, at } => format!("orphan/{charger}/{}", at.0),
            // A decision is about this difference, not about one that comes later.
            Self::RegisterMismatch { charger, connector, difference_wh } => {
                format!("register/{charger}/{connector}/{difference_wh}")
            }
            Self::MeterMismatch { meter, difference_wh } => format!("meter/{meter}/{difference_wh}"),
        }
    }
}
