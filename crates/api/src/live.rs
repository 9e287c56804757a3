//! The live socket: one snapshot after another.

use crate::{AlarmItem, ChargerItem, CircuitItem, ConnectionItem, ForecastItem, MeterItem};
use serde::{Deserialize, Serialize};

/// What the server sends on `/api/v1/live`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveMessage {
    /// The whole live state; sent at once and after each change, at most four times a second.
    Snapshot(Box<Snapshot>),
    /// A command reached its outcome.
    Command(crate::CommandState),
}

/// Everything the console shows live.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// Counts up with every change.
    pub revision: u64,
    /// The site's clock, RFC 3339 UTC; the demo's runs fast.
    pub at: String,
    /// The same in milliseconds since 1970.
    pub at_ms: i64,
    /// The grid connection.
    pub site: SiteLive,
    /// Chargers, highest priority first, then by registration.
    pub chargers: Vec<ChargerItem>,
    /// Meters by name.
    pub meters: Vec<MeterItem>,
    /// Circuits with what flows through them, by identity.
    #[serde(default)]
    pub circuits: Vec<CircuitItem>,
    /// What is wrong now, newest first.
    pub alarms: Vec<AlarmItem>,
    /// Devices that wait for approval.
    pub waiting_devices: Vec<ConnectionItem>,
    /// Connection attempts that were refused lately, newest first.
    #[serde(default)]
    pub refused_connections: Vec<ConnectionItem>,
    /// Card enrolment under way.
    pub enrolment: Option<EnrolmentState>,
    /// Cards refused lately, newest first.
    pub refused_cards: Vec<RefusedCardItem>,
    /// Whether the demo panel exists.
    pub demo: bool,
}

/// The grid connection now. Currents are per phase; a single-phase site has one value each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SiteLive {
    /// Name of the building.
    pub name: String,
    /// Limit: the smaller of contract and fuse.
    pub limit_a: f64,
    /// Kept free below the limit.
    pub margin_a: f64,
    /// Everything that is not a charger, negative for export.
    pub house_a: Vec<f64>,
    /// Everything, chargers included, negative for export.
    pub total_a: Vec<f64>,
    /// House in kW, negative for export.
    pub house_kw: f64,
    /// Everything in kW, negative for export.
    pub total_kw: f64,
    /// Solar production in kW, where measured.
    pub solar_kw: Option<f64>,
    /// Power of the batteries in kW, negative while they feed the building; `null` where none is measured.
    #[serde(default)]
    pub battery_kw: Option<f64>,
    /// What the building is expected to draw; `null` before anything was measured.
    #[serde(default)]
    pub forecast: Option<ForecastItem>,
    /// The limit in kW at nominal voltage over all phases.
    pub limit_kw: f64,
    /// The margin in kW at nominal voltage over all phases.
    pub margin_kw: f64,
    /// Least free current of any phase under limit and margin.
    pub headroom_a: f64,
    /// Cars that draw energy.
    pub cars_charging: u16,
    /// Cars on standby.
    pub cars_waiting: u16,
    /// Whether the newest sample of the deciding meter is fresh.
    pub metered: bool,
}

/// Card enrolment under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolmentState {
    /// Bind to this tenant; `null` = the console asks after the tap.
    pub tenant_id: Option<i64>,
    /// Only this charger's reader; `null` = any.
    pub charger: Option<String>,
    /// Seconds left.
    pub remaining_s: u32,
    /// The card that was tapped, once it was.
    pub captured_uid: Option<String>,
    /// Where it was tapped; `null` for a reader at a desk.
    pub captured_at_charger: Option<String>,
    /// Whether that card is the tenant's by now.
    #[serde(default)]
    pub bound: bool,
    /// The enrolled card that the captured one may be another reading of; `POST tenants/{id}/cards` with `alias_of`
    /// accepts it.
    #[serde(default)]
    pub resembles: Option<String>,
}

/// A refused card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefusedCardItem {
    /// The card.
    pub uid: String,
    /// Where it was tapped.
    pub charger: String,
    /// When.
    pub at: String,
    /// `unknown`, `blocked`, `not_approved`, `in_use`, `not_valid`, `cap_reached` or `not_here`.
    pub why: String,
    /// The enrolled card that this unknown one may be another reading of; in lists, always `null` in the live state.
    #[serde(default)]
    pub resembles: Option<String>,
}
