//! How power is protected and shared: devices, periods, policies, wishes, and what a decision knew.

use domain::{BreakerCurve, EnergySource, SharingRule, Weekday};
use serde::{Deserialize, Serialize};

/// A time that comes back every week, on the site's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TimeWindowItem {
    /// Days on which it begins: `mon` to `sun`; empty means every day.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`; not after `from` means on the next day.
    pub to: String,
}

/// Contracted power at certain times of the week.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ContractPeriodItem {
    /// Days on which it begins: `mon` to `sun`; empty means every day.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`; not after `from` means on the next day.
    pub to: String,
    /// Contracted power then.
    pub kva: f64,
}

/// Rules of the site beyond its ratings. In `PUT site` an absent field keeps what is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SiteRulesItem {
    /// Contracted power by time; the first that fits counts, outside them `contracted_kva`.
    pub contract_periods: Vec<ContractPeriodItem>,
    /// Most by which the phases may differ because of charging; `null` for no such rule.
    pub imbalance_a: Option<f64>,
    /// `equal`, `by_priority`, `by_fairness` or `by_departure`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub sharing: SharingRule,
    /// Times of cheap energy, for chargers that charge off-peak.
    pub off_peak: Vec<TimeWindowItem>,
    /// One home charger that manages itself: current kept free for the home; `null` in a building.
    pub stand_alone_buffer_a: Option<f64>,
    /// Where prices and surplus come from: an address or the full path of a file; `null` for none.
    pub price_feed: Option<String>,
}

/// What protects a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DeviceItem {
    /// A breaker after IEC 60898-1.
    Breaker {
        /// `B`, `C` or `D`.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        curve: BreakerCurve,
        /// Rated current In.
        rated_a: f64,
    },
    /// The French meter's cut-off.
    Linky,
    /// The Spanish meter's cut-off.
    SpanishIcp,
    /// The Portuguese meter's cut-off.
    PortugueseDcp,
    /// A thermal memory with known figures.
    Thermal {
        /// Current at ratio 1.
        rated_a: f64,
        /// Square of the ratio carried for ever at which it trips.
        trip_theta: f64,
        /// Time constant.
        tau_s: f64,
    },
    /// A relay with a fixed delay.
    DefiniteTime {
        /// Current at ratio 1.
        rated_a: f64,
        /// Ratio that starts the delay.
        ratio: f64,
        /// The delay.
        after_s: f64,
    },
}

/// When a charger gives energy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChargingTimesKind {
    /// At any time.
    #[default]
    Always,
    /// In the off-peak times of the site.
    OffPeak,
    /// In the cheapest periods before the car leaves.
    Cheapest,
    /// In its own windows.
    Windows,
}

/// What the manager decided for one charger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ChargerPolicyItem {
    /// Its car is never paused for lack of current, unless a circuit must be protected.
    pub never_pause: bool,
    /// Current a car here gets before anyone gets more than the minimum; `null` for no such promise.
    pub guaranteed_a: Option<f64>,
    /// `always`, `off_peak`, `cheapest` or `windows`.
    pub charging_times: ChargingTimesKind,
    /// The windows, when `charging_times` says so.
    pub windows: Vec<TimeWindowItem>,
    /// `grid`, `solar_first` or `solar_only`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub energy_source: EnergySource,
    /// Exactly this current while it fits, instead of a share; `null` to share.
    pub fixed_a: Option<f64>,
    /// `false`: nobody knows which wire hangs on which phase, so it counts in full on every phase.
    pub rotation_known: bool,
}

impl Default for ChargerPolicyItem {
    fn default() -> Self {
        Self {
            never_pause: false,
            guaranteed_a: None,
            charging_times: ChargingTimesKind::default(),
            windows: Vec::new(),
            energy_source: EnergySource::default(),
            fixed_a: None,
            rotation_known: true,
        }
    }
}

/// What the manager decided for one card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CardPolicyItem {
    /// Most current per wire for what it starts; `null` leaves it to the charger.
    pub max_a: Option<f64>,
    /// Takes the place of the charger's priority; `null` leaves it to the charger.
    pub priority: Option<i32>,
    /// Its car is never paused for lack of current, unless a circuit must be protected.
    pub never_pause: bool,
    /// Learnt: its car did not charge on by itself after a pause; it is treated as if `never_pause` were set. May be
    /// taken back.
    pub sleeps: bool,
}

/// What a session needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WishItem {
    /// Energy the session shall have received by then, counted from its start.
    pub energy_kwh: f64,
    /// When the car leaves. In requests RFC 3339, or `HH:MM` for the next such time on the site's clock.
    pub by: String,
}

/// What was known when a decision was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KnownItem {
    /// Everything that is not a charger, per phase; negative for export.
    pub house_a: Vec<f64>,
    /// Limit of the grid connection per phase.
    pub limit_a: Vec<f64>,
    /// Kept free below the limit by the electrician.
    pub margin_a: f64,
    /// Kept free for the building's own rises, per phase.
    pub reserve_a: Vec<f64>,
    /// Age of the newest good sample of the deciding meter; `null` without one.
    pub sample_age_s: Option<f64>,
    /// Share of the way to a trip that the protection had used per phase, 0 to 1; `null` when not watched.
    pub trip_used: Option<Vec<f64>>,
    /// Name of the circuit that left the least room; `null` when none did.
    pub tightest: Option<String>,
    /// What the other cars counted for.
    pub cars: Vec<KnownCarItem>,
}

/// A car as it was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KnownCarItem {
    /// Charger.
    pub charger: String,
    /// Connector.
    pub connector: u16,
    /// Commanded current per wire.
    pub set_a: f64,
    /// Current per wire at which it was counted.
    pub counted_a: f64,
}

/// Answer of `GET fallbacks`: what flows when nobody commands the chargers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FallbackReport {
    /// Each circuit, by identity.
    pub circuits: Vec<FallbackCircuit>,
    /// Each charger, in the order in which room is given.
    pub chargers: Vec<FallbackCharger>,
}

/// A circuit while nobody commands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FallbackCircuit {
    /// Identity.
    pub circuit: String,
    /// Name.
    pub name: String,
    /// Limit per phase, less the margin.
    pub usable_a: Vec<f64>,
    /// The building's own load per phase: what it stays below for 99.9 % of the time, or what was declared.
    pub building_a: Vec<f64>,
    /// Days that were measured; from 14 on the measured load counts in place of the declared one.
    #[serde(default)]
    pub measured_days: u16,
    /// Whether the building's load is the measured one.
    #[serde(default)]
    pub measured: bool,
    /// All fallbacks below it per phase.
    pub fallbacks_a: Vec<f64>,
    /// Whether both together fit on every phase.
    pub fits: bool,
}

/// A charger while nobody commands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FallbackCharger {
    /// Identity.
    pub charger: String,
    /// Name.
    pub name: String,
    /// As configured.
    pub wanted_a: f64,
    /// As installed: the configured one where it fits, else 0.
    pub installed_a: f64,
    /// Name of the circuit where it does not fit; `null` when it fits or none is wanted.
    pub held_by: Option<String>,
}

/// What the building is expected to draw without the chargers, and how well that was foretold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForecastItem {
    /// How far ahead, in minutes.
    pub ahead_min: u16,
    /// Expected load per phase.
    pub expected_a: Vec<f64>,
    /// Load per phase that is exceeded only as often as the target says.
    pub upper_a: Vec<f64>,
    /// Outcomes since the program started, all phases together.
    pub outcomes: u64,
    /// Share of these above the bound, 0 to 1; `null` before the first.
    pub exceeded: Option<f64>,
    /// Share that is meant to be above.
    pub target: f64,
}

/// Answer of `GET outlook`: what the price feed said, as far as it is still in force; the JSON of a feed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutlookItem {
    /// In order, without overlap.
    pub periods: Vec<OutlookPeriodItem>,
}

/// Price and surplus of a period.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutlookPeriodItem {
    /// First moment.
    pub from: String,
    /// First moment after it.
    pub to: String,
    /// Price of one kWh; `null` when nobody said.
    pub price_per_kwh: Option<f64>,
    /// Power expected to be left over; `null` when nobody said.
    pub surplus_kw: Option<f64>,
}
