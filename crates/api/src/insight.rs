//! Corrected sessions, ends without a session, and sums for charts.

use domain::Provenance;
use serde::{Deserialize, Serialize};

/// Changes of a session; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionPatch {
    /// Why, in words that explain it a year later.
    pub reason: String,
    /// Who pays; `null` for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::people::given")]
    pub tenant_id: Option<Option<i64>>,
    /// Start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// End.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_wh: Option<u64>,
}

/// Figures of a session before or after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionFiguresItem {
    /// Who pays.
    pub tenant_id: Option<i64>,
    /// Start.
    pub started_at: String,
    /// End.
    pub ended_at: Option<String>,
    /// Energy.
    pub energy_wh: u64,
    /// Trust.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub provenance: Provenance,
}

/// What a person changed about a session; the first change holds the original.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionChangeItem {
    /// When.
    pub at: String,
    /// Why.
    pub reason: String,
    /// Before.
    pub before: SessionFiguresItem,
    /// After.
    pub after: SessionFiguresItem,
}

/// A session end that fitted no session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrphanItem {
    /// Identity.
    pub id: i64,
    /// Who sent it.
    pub charger: String,
    /// When it happened, by the charger's corrected clock.
    pub at: String,
    /// The session it named; `null` when it named none of ours.
    pub session_id: Option<i32>,
    /// The card that ended it, if one did.
    pub card: Option<String>,
    /// Register at that time.
    pub meter_wh: u64,
    /// Whether somebody decided about it.
    pub decided: bool,
    /// The session it was assigned to; `null` while undecided, or when dismissed.
    pub assigned_session_id: Option<i32>,
    /// Why it was decided so; empty while it is not.
    pub reason: String,
}

/// A decision about a session end that fitted no session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrphanDecisionRequest {
    /// The session it ends; `null` dismisses it.
    #[serde(default)]
    pub session_id: Option<i32>,
    /// Why, in words that explain it a year later.
    pub reason: String,
}

/// A sum of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageRow {
    /// Tenant or charger it is of; empty for all together, and for what belongs to nobody.
    pub id: String,
    /// Its name; empty likewise.
    pub name: String,
    /// The bucket: a day such as `2026-11-20`, a month such as `2026-11`, an hour `0` to `23`, or empty.
    pub bucket: String,
    /// Energy.
    pub energy_wh: u64,
    /// Sessions that began.
    pub sessions: u32,
    /// Time cars were connected.
    pub connected_s: u64,
}

/// Sums for a chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// First moment that counts.
    pub from: String,
    /// First moment that no longer does.
    pub to: String,
    /// The sums, by bucket.
    pub rows: Vec<UsageRow>,
    /// All together.
    pub energy_wh: u64,
    /// Sessions that began.
    pub sessions: u32,
    /// The hour of the day with the most energy, `null` without any.
    pub busiest_hour: Option<u8>,
    /// Energy of each hour of the day, 24 of them, in Wh.
    #[serde(default)]
    pub hours_wh: Vec<u64>,
    /// Energy of each day of the week, Monday first, in Wh.
    #[serde(default)]
    pub weekdays_wh: Vec<u64>,
    /// Connected time of all sessions together.
    #[serde(default)]
    pub connected_s: u64,
}
