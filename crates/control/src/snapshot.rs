//! The live state of a site as plain data, for the API.

use crate::Reason;
use crate::planner::Calibration;
use domain::{
    Alarm, Card, CardUid, Charger, ChargerId, Circuit, CircuitId, ConnectorNumber, ConnectorStatus, DurationMs, Flow,
    HardwareInfo, Hold, Meter, MeterSample, MilliAmps, Outlook, PerPhase, RefusedCard, Session, Site, StatusDetail,
    Tenant, TenantId, Timestamp, Watts, Wish,
};

/// Everything that is live, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// When.
    pub at: Timestamp,
    /// Settings in force.
    pub site: Site,
    /// The grid connection.
    pub grid: GridState,
    /// Circuits by identity.
    pub circuits: Vec<CircuitState>,
    /// What flows when nobody commands the chargers.
    pub fallbacks: FallbackCheck,
    /// What the price feed said.
    pub outlook: Option<Outlook>,
    /// What the building is expected to draw; `None` before anything was measured.
    pub forecast: Option<ForecastState>,
    /// Chargers in the order they are served, those that wait for approval included.
    pub chargers: Vec<ChargerState>,
    /// Meters by identity, those that wait for approval included.
    pub meters: Vec<MeterState>,
    /// Alarms that last, newest first.
    pub alarms: Vec<Alarm>,
    /// Card enrolment under way.
    pub enrolment: Option<EnrolmentState>,
    /// Cards refused lately, newest first.
    pub refused_cards: Vec<RefusedCard>,
    /// Tenants by identity.
    pub tenants: Vec<Tenant>,
    /// Enrolled cards by number.
    pub cards: Vec<Card>,
}

/// The grid connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GridState {
    /// Limit per phase before the margin: the smallest of contract, main fuse and cable.
    pub limit: PerPhase<MilliAmps>,
    /// Kept free below the limit.
    pub margin: MilliAmps,
    /// Everything that is not a charger.
    pub house: PerPhase<Flow<MilliAmps>>,
    /// Everything, chargers included.
    pub total: PerPhase<Flow<MilliAmps>>,
    /// Power of everything that is not a charger.
    pub house_power: Flow<Watts>,
    /// Power of everything.
    pub total_power: Flow<Watts>,
    /// Solar production, where measured; export is production.
    pub solar_power: Option<Watts>,
    /// Power of the batteries, where measured; import charges them.
    pub battery_power: Option<Flow<Watts>>,
    /// The limit as power at nominal voltage over all phases.
    pub limit_power: Watts,
    /// The margin as power at nominal voltage over all phases.
    pub margin_power: Watts,
    /// Least free current of any phase under limit and margin.
    pub headroom: MilliAmps,
    /// Cars that draw energy.
    pub cars_charging: u16,
    /// Cars on standby.
    pub cars_waiting: u16,
    /// Whether the newest sample of the deciding meter is fresh.
    pub metered: bool,
}

/// What the building is expected to draw, and how well that was foretold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForecastState {
    /// How far ahead, in minutes.
    pub ahead_min: u16,
    /// Expected load per phase.
    pub expected: PerPhase<MilliAmps>,
    /// Load that is exceeded only as often as the target says.
    pub upper: PerPhase<MilliAmps>,
    /// How often it was exceeded, on all phases together.
    pub calibration: Calibration,
}

/// A circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitState {
    /// Its configuration.
    pub circuit: Circuit,
    /// Limit in force per phase before the margin.
    pub limit: PerPhase<MilliAmps>,
    /// What flows through it: measured, or else the sum of what is known below it.
    pub flow: PerPhase<Flow<MilliAmps>>,
    /// Kept free below the limit, margin and reserve together.
    pub kept_free: PerPhase<MilliAmps>,
    /// Share of the way to a trip that its protection has used, in thousandths; `None` while it is not watched.
    pub trip_used_milli: Option<PerPhase<u16>>,
}

/// A charger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargerState {
    /// Its configuration.
    pub charger: Charger,
    /// Whether its link is up.
    pub online: bool,
    /// What the manager ordered.
    pub hold: Option<Hold>,
    /// What it said about itself.
    pub hardware: HardwareInfo,
    /// The fallback that fits and is installed; less than configured when that does not fit.
    pub fallback: MilliAmps,
    /// Its connectors by number.
    pub connectors: Vec<ConnectorState>,
}

/// A connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorState {
    /// Number, from 1.
    pub number: ConnectorNumber,
    /// What the charger reports.
    pub status: ConnectorStatus,
    /// The protocol's words for it.
    pub detail: StatusDetail,
    /// Commanded current per wire.
    pub set: MilliAmps,
    /// Measured current per wire of the charger; empty when nothing fresh is known.
    pub measured: Vec<MilliAmps>,
    /// Measured power.
    pub power: Watts,
    /// Current per wire at which it is counted against the limits.
    pub counted: MilliAmps,
    /// Session that runs here.
    pub session: Option<Session>,
    /// What its session needs.
    pub wish: Option<Wish>,
    /// Why it has this current.
    pub reason: Reason,
}

/// A meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterState {
    /// Its configuration.
    pub meter: Meter,
    /// Whether its newest sample is fresh.
    pub fresh: bool,
    /// Whether its link is up.
    pub online: bool,
    /// Newest sample, whatever its age.
    pub sample: Option<MeterSample>,
}

/// Card enrolment under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentState {
    /// Bind to this tenant; `None` asks after the tap.
    pub tenant: Option<TenantId>,
    /// Only at this charger's reader; `None` is any.
    pub charger: Option<ChargerId>,
    /// Time left.
    pub remaining: DurationMs,
    /// The card that was read and at which charger, once it was; `None` for the place is a reader at a desk.
    pub captured: Option<(CardUid, Option<ChargerId>)>,
    /// Whether that card is the tenant's by now.
    pub bound: bool,
    /// The enrolled card that the captured one may be another reading of.
    pub resembles: Option<CardUid>,
}

/// What flows when nobody commands the chargers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FallbackCheck {
    /// Circuits by identity.
    pub circuits: Vec<FallbackCircuit>,
    /// Approved chargers in the order in which room is given.
    pub chargers: Vec<FallbackFit>,
    /// Days of the building's load that were measured.
    pub measured_days: u16,
    /// Whether they are enough to count in place of the declared load.
    pub is_measured: bool,
}

/// A circuit while nobody commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FallbackCircuit {
    /// Which.
    pub circuit: CircuitId,
    /// Limit less the margin, per phase.
    pub usable: PerPhase<MilliAmps>,
    /// What the building itself is taken to draw, per phase.
    pub building: PerPhase<MilliAmps>,
    /// All fallbacks below it, per phase.
    pub chargers: PerPhase<MilliAmps>,
}

/// A charger while nobody commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FallbackFit {
    /// Which.
    pub charger: ChargerId,
    /// As configured.
    pub wanted: MilliAmps,
    /// The configured one where it fits, else 0.
    pub installed: MilliAmps,
    /// The first circuit, from its own towards the grid, where it does not fit.
    pub held_by: Option<CircuitId>,
}
