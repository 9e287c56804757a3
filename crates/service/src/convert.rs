//! What the API shows, made from what the deciders know. No decision is made here.

use crate::connections::{Connections, Entry, State};
use crate::time_text;
use api::{
    AlarmCode, AlarmItem, AlarmText, ChargerItem, CircuitItem, ConnectionItem, ConnectorItem, DecisionItem, FrameItem,
    Language, MeterItem, RefusedCardItem, SessionItem, SiteItem, SiteLive,
};
use control::{ChargerState, CircuitState, ConnectorState, MeterState, Snapshot};
use domain::{
    Alarm, AlarmKind, Card, CardVerdict, Decision, Direction, Flow, Frame, Hold, MilliAmps, PerPhase, PhaseCount,
    Protocol, RefusedCard, Session, Site, Tenant, TenantId, Watts,
};

mod charger_detail;
mod power;
mod reason;
mod request;
mod statement;
mod tenant;

pub(crate) use self::charger_detail::{charger_detail, plain_detail, timeline};
pub(crate) use self::power::{
    card_policy_from, charger_policy_from, fallback_report, outlook_item, site_rules_item, wish_from,
};
pub(crate) use self::reason::reason_item;
pub(crate) use self::request::{circuit_tree, milli_amps, patched_charger, patched_meter, placed_charger, site_from};
pub(crate) use self::statement::{calendar, month_statement, statement_item};
pub(crate) use self::tenant::{card_item, patched_tenant, tenant_from, tenant_item};

/// Amperes for people and programs.
pub(crate) fn amps(current: MilliAmps) -> f64 {
    f64::from(current.0) / 1000.0
}

fn flow_amps(flow: Flow<MilliAmps>) -> f64 {
    match flow {
        Flow::Import(value) => amps(value),
        Flow::Export(value) if value.is_zero() => 0.0,
        Flow::Export(value) => -amps(value),
    }
}

fn kilowatts(power: Watts) -> f64 {
    f64::from(power.0) / 1000.0
}

fn flow_kilowatts(flow: Flow<Watts>) -> f64 {
    match flow {
        Flow::Import(value) => kilowatts(value),
        Flow::Export(value) if value.is_zero() => 0.0,
        Flow::Export(value) => -kilowatts(value),
    }
}

/// One value for each phase the site has.
fn per_phase<T: Copy>(values: PerPhase<T>, phases: PhaseCount, item: impl Fn(T) -> f64) -> Vec<f64> {
    phases.phases().iter().map(|phase| item(*values.get(*phase))).collect()
}

/// The live snapshot; `revision` and `demo` are the caller's.
pub(crate) fn live_snapshot(live: &Snapshot, connections: &Connections, revision: u64, demo: bool) -> api::Snapshot {
    api::Snapshot {
        revision,
        at: time_text::text(live.at),
        at_ms: live.at.0,
        site: site_live(live),
        chargers: live.chargers.iter().map(|charger| charger_item(charger, live)).collect(),
        meters: live.meters.iter().map(|meter| meter_item(meter, live.site.phases)).collect(),
        circuits: live.circuits.iter().map(|circuit| circuit_item(circuit, live.site.phases)).collect(),
        alarms: live.alarms.iter().map(|alarm| alarm_item(alarm, Some(live))).collect(),
        waiting_devices: waiting_devices(live, connections),
        refused_connections: connections
            .refused(REFUSED_SHOWN)
            .iter()
            .map(|entry| connection_item(entry, live))
            .collect(),
        enrolment: live.enrolment.as_ref().map(|state| api::EnrolmentState {
            tenant_id: state.tenant.map(|tenant| tenant.0),
            charger: state.charger.as_ref().map(ToString::to_string),
            remaining_s: u32::try_from(state.remaining.0.div_ceil(1000)).unwrap_or(u32::MAX),
            captured_uid: state.captured.as_ref().map(|(uid, _)| uid.to_string()),
            captured_at_charger: state
                .captured
                .as_ref()
                .and_then(|(_, charger)| charger.as_ref())
                .map(ToString::to_string),
            bound: state.bound,
            resembles: state.resembles.as_ref().map(ToString::to_string),
        }),
        refused_cards: live.refused_cards.iter().map(|refused| refused_card_item(refused, &[])).collect(),
        demo,
    }
}

fn site_live(live: &Snapshot) -> SiteLive {
    let grid = &live.grid;
    let phases = live.site.phases;
    let limit = phases.phases().iter().map(|phase| *grid.limit.get(*phase)).min().unwrap_or_default();
    SiteLive {
        name: live.site.name.clone(),
        limit_a: amps(limit),
        margin_a: amps(grid.margin),
        house_a: per_phase(grid.house, phases, flow_amps),
        total_a: per_phase(grid.total, phases, flow_amps),
        house_kw: flow_kilowatts(grid.house_power),
        total_kw: flow_kilowatts(grid.total_power),
        solar_kw: grid.solar_power.map(kilowatts),
        battery_kw: grid.battery_power.map(flow_kilowatts),
        forecast: live.forecast.map(|state| power::forecast_item(&state, phases)),
        limit_kw: kilowatts(grid.limit_power),
        margin_kw: kilowatts(grid.margin_power),
        headroom_a: amps(grid.headroom),
        cars_charging: grid.cars_charging,
        cars_waiting: grid.cars_waiting,
        metered: grid.metered,
    }
}

/// A charger with its live state.
pub(crate) fn charger_item(state: &ChargerState, live: &Snapshot) -> ChargerItem {
    let charger = &state.charger;
    ChargerItem {
        id: charger.id.to_string(),
        name: charger.name.clone(),
        protocol: charger.protocol,
        online: state.online,
        approved: charger.approved,
        priority: charger.priority,
        max_a: amps(charger.max),
        fallback_a: amps(charger.fallback),
        circuit: charger.circuit.to_string(),
        phases: charger.wiring.wires().iter().map(|phase| phase.number()).collect(),
        policy: power::charger_policy_item(charger),
        owner_tenant_id: charger.policy.owner.map(|tenant| tenant.0),
        paused: state.hold == Some(Hold::Paused),
        manager_limit_a: match state.hold {
            Some(Hold::LimitedTo(limit)) => Some(amps(limit)),
            Some(Hold::Paused) | None => None,
        },
        hardware: format!("{} {}", state.hardware.vendor, state.hardware.model).trim().to_owned(),
        firmware: state.hardware.firmware.clone(),
        connectors: state.connectors.iter().map(|connector| connector_item(connector, live)).collect(),
    }
}

fn connector_item(state: &ConnectorState, live: &Snapshot) -> ConnectorItem {
    let why = reason_item(&state.reason, state.set, |id| circuit_name(live, id));
    let session = state.session.as_ref();
    ConnectorItem {
        id: state.number.0,
        status: state.status,
        set_a: amps(state.set),
        measured_a: state.measured.iter().map(|current| amps(*current)).collect(),
        power_kw: kilowatts(state.power),
        session_id: session.map(|session| session.id.0),
        tenant: session.and_then(|session| session.tenant).and_then(|id| tenant_name(&live.tenants, id)),
        card: session.and_then(|session| session.card.as_ref()).map(ToString::to_string),
        session_energy_wh: session.map_or(0, |session| session.energy.0),
        session_started_at: session.map(|session| time_text::text(session.started_at)),
        wish: state.wish.map(power::wish_item),
        reason: why.sentence(Language::English),
        why,
        error: [state.detail.error.as_str(), state.detail.info.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(": "),
    }
}

fn circuit_name(live: &Snapshot, id: &domain::CircuitId) -> String {
    live.circuits
        .iter()
        .find(|state| state.circuit.id == *id)
        .map_or_else(|| id.to_string(), |state| state.circuit.name.clone())
}

fn tenant_name(tenants: &[Tenant], id: TenantId) -> Option<String> {
    tenants.iter().find(|tenant| tenant.id == id && !tenant.is_erased()).map(|tenant| tenant.name.clone())
}

/// A meter with its newest sample.
pub(crate) fn meter_item(state: &MeterState, phases: PhaseCount) -> MeterItem {
    let sample = state.sample.as_ref();
    MeterItem {
        id: state.meter.id.to_string(),
        name: state.meter.name.clone(),
        approved: state.meter.approved,
        online: state.fresh,
        circuit: state.meter.circuit.to_string(),
        role: state.meter.role,
        current_a: sample.map(|sample| per_phase(sample.current, phases, flow_amps)).unwrap_or_default(),
        power_kw: sample.and_then(|sample| sample.power).map(flow_kilowatts),
        sampled_at: sample.map(|sample| time_text::text(sample.at)),
    }
}

/// A circuit with what flows through it.
pub(crate) fn circuit_item(state: &CircuitState, phases: PhaseCount) -> CircuitItem {
    CircuitItem {
        id: state.circuit.id.to_string(),
        name: state.circuit.name.clone(),
        parent: state.circuit.parent.as_ref().map(ToString::to_string),
        limit_a: per_phase(state.circuit.limit, phases, amps),
        rated_a: state.circuit.rating.rated.map(|rated| per_phase(rated, phases, amps)),
        cable_a: state.circuit.rating.cable.map(amps),
        device: state.circuit.rating.device.map(power::device_item),
        measured_a: per_phase(state.flow, phases, flow_amps),
        in_force_a: per_phase(state.limit, phases, amps),
        kept_free_a: per_phase(state.kept_free, phases, amps),
        headroom_a: per_phase(power::headroom(state), phases, amps),
        trip_used: state.trip_used_milli.map(|used| per_phase(used, phases, power::share)),
    }
}

/// The settings.
pub(crate) fn site_item(site: &Site) -> SiteItem {
    SiteItem {
        name: site.name.clone(),
        time_zone: site.time_zone.clone(),
        currency: site.currency.clone(),
        nominal_voltage_v: f64::from(site.nominal_voltage.0) / 1000.0,
        connection: site.connection,
        phases: site.phases.into(),
        contracted_kva: f64::from(site.contracted.0) / 1000.0,
        main_fuse_a: amps(site.main_fuse),
        margin_a: amps(site.margin),
        min_charge_a: amps(site.min_charge),
        max_active_chargers: site.max_active_chargers,
        max_meters: site.max_meters,
        control_interval_s: seconds(site.control_interval),
        declared_load_a: amps(site.declared_load),
        meter_max_age_s: seconds(site.meter_max_age),
        pacing: site.pacing,
        rules: power::site_rules_item(&site.rules),
    }
}

/// Settings lie below an hour, far inside what a float holds exactly.
fn seconds(duration: domain::DurationMs) -> f64 {
    f64::from(u32::try_from(duration.0).unwrap_or(u32::MAX)) / 1000.0
}

/// A session.
pub(crate) fn session_item(session: &Session, tenants: &[Tenant]) -> SessionItem {
    SessionItem {
        id: session.id.0,
        charger: session.charger.to_string(),
        connector: session.connector.0,
        card: session.card.as_ref().map(ToString::to_string),
        tenant_id: session.tenant.map(|tenant| tenant.0),
        tenant: session.tenant.and_then(|id| tenant_name(tenants, id)),
        started_at: time_text::text(session.started_at),
        ended_at: session.ended_at.map(time_text::text),
        energy_wh: session.energy.0,
        provenance: session.provenance,
        end_reason: session.end_reason,
    }
}

/// A refused card, and which of these cards it may be another reading of.
pub(crate) fn refused_card_item(refused: &RefusedCard, cards: &[Card]) -> RefusedCardItem {
    let known = cards.iter().filter(|card| card.alias_of.is_none() && refused.verdict == CardVerdict::Unknown);
    let likely = known.filter_map(|card| Some((card.uid.likeness(&refused.uid)?, card)));
    RefusedCardItem {
        resembles: likely.min_by_key(|(likeness, _)| *likeness).map(|(_, card)| card.uid.to_string()),
        uid: refused.uid.to_string(),
        charger: refused.charger.to_string(),
        at: time_text::text(refused.at),
        why: match refused.verdict {
            CardVerdict::Accepted { .. } | CardVerdict::Unknown => "unknown",
            CardVerdict::Blocked => "blocked",
            CardVerdict::NotApproved => "not_approved",
            CardVerdict::InUse => "in_use",
            CardVerdict::NotValid => "not_valid",
            CardVerdict::CapReached => "cap_reached",
            CardVerdict::NotHere => "not_here",
        }
        .to_owned(),
    }
}

/// An alarm; names people gave come from the live state, identities where something is gone.
pub(crate) fn alarm_item(alarm: &Alarm, live: Option<&Snapshot>) -> AlarmItem {
    let charger = |id: &domain::ChargerId| {
        live.and_then(|live| live.chargers.iter().find(|state| state.charger.id == *id))
            .map_or_else(|| id.to_string(), |state| state.charger.name.clone())
    };
    let meter = |id: &domain::MeterId| {
        live.and_then(|live| live.meters.iter().find(|state| state.meter.id == *id))
            .map_or_else(|| id.to_string(), |state| state.meter.name.clone())
    };
    let (code, subject) = match &alarm.kind {
        AlarmKind::MeterSilent(id) => (AlarmCode::MeterSilent, meter(id)),
        AlarmKind::NoMeter => (AlarmCode::NoMeter, String::new()),
        AlarmKind::ChargerOffline(id) => (AlarmCode::ChargerOffline, charger(id)),
        AlarmKind::ChargerFaulted(id) => (AlarmCode::ChargerFaulted, charger(id)),
        AlarmKind::ChargerDisobeys(id) => (AlarmCode::ChargerDisobeys, charger(id)),
        AlarmKind::OverLimit(id) => {
            (AlarmCode::OverLimit, live.map_or_else(|| id.to_string(), |live| circuit_name(live, id)))
        }
        AlarmKind::PlanRejected => (AlarmCode::PlanRejected, String::new()),
        AlarmKind::FallbackDoesNotFit(id) => (AlarmCode::FallbackDoesNotFit, charger(id)),
        AlarmKind::WaitsForApproval(device) => (AlarmCode::WaitsForApproval, device.clone()),
        AlarmKind::StorageFailing => (AlarmCode::StorageFailing, String::new()),
        AlarmKind::BrokerRestarted => (AlarmCode::BrokerRestarted, String::new()),
    };
    let text = AlarmText { code, subject };
    AlarmItem {
        sentence: text.sentence(Language::English),
        text,
        raised_at: time_text::text(alarm.raised_at),
        cleared_at: alarm.cleared_at.map(time_text::text),
    }
}

/// A decision of the past.
pub(crate) fn decision_item(decision: &Decision, live: &Snapshot) -> DecisionItem {
    DecisionItem {
        at: time_text::text(decision.at),
        charger: decision.charger.to_string(),
        connector: decision.connector.0,
        set_a: amps(decision.limit),
        sentence: decision.sentence.clone(),
        reason: decision.reason.as_deref().and_then(|json| serde_json::from_str(json).ok()),
        known: decision.known.as_ref().map(|known| power::known_item(known, live)),
    }
}

/// A frame.
pub(crate) fn frame_item(frame: &Frame) -> FrameItem {
    FrameItem {
        at: time_text::text(frame.at),
        direction: match frame.direction {
            Direction::Received => "received",
            Direction::Sent => "sent",
        }
        .to_owned(),
        topic: frame.topic.clone(),
        text: frame.text.clone(),
    }
}

/// What devices are, as far as the manager let them in.
fn kind_of(live: &Snapshot, device: &str) -> (&'static str, bool) {
    if let Some(state) = live.chargers.iter().find(|state| state.charger.id.as_str() == device) {
        return ("charger", state.charger.approved);
    }
    if let Some(state) = live.meters.iter().find(|state| state.meter.id.as_str() == device) {
        return ("meter", state.meter.approved);
    }
    ("", false)
}

/// A device in the list of connections.
/// Refused attempts that are shown live; the list has them all.
const REFUSED_SHOWN: usize = 30;

pub(crate) fn connection_item(entry: &Entry, live: &Snapshot) -> ConnectionItem {
    let (kind, approved) = kind_of(live, &entry.device);
    ConnectionItem {
        device: entry.device.clone(),
        kind: kind.to_owned(),
        protocol: protocol_name(entry.protocol).to_owned(),
        address: entry.address.clone(),
        at: time_text::text(entry.at),
        state: match (entry.state, approved) {
            (State::Connected, true) => "connected",
            (State::Connected, false) => "waiting",
            (State::Refused, _) => "refused",
            (State::Gone, _) => "gone",
        }
        .to_owned(),
        detail: match entry.refusal {
            Some(refusal) => refusal.sentence(api::Language::English, &entry.about),
            None => entry.detail.clone(),
        },
        refusal: entry.refusal,
        about: entry.about.clone(),
        attempts: entry.attempts,
    }
}

fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Ocpp16 => "ocpp1.6",
        Protocol::Ievcc => "ievcc",
        Protocol::Metered => "metered",
    }
}

fn waiting_devices(live: &Snapshot, connections: &Connections) -> Vec<ConnectionItem> {
    let chargers = live
        .chargers
        .iter()
        .filter(|state| !state.charger.approved)
        .map(|state| (state.charger.id.as_str(), "charger", state.charger.protocol));
    let meters = live
        .meters
        .iter()
        .filter(|state| !state.meter.approved)
        .map(|state| (state.meter.id.as_str(), "meter", Protocol::Ievcc));
    chargers
        .chain(meters)
        .map(|(device, kind, protocol)| {
            let entry = connections.get(device);
            ConnectionItem {
                device: device.to_owned(),
                kind: kind.to_owned(),
                protocol: protocol_name(protocol).to_owned(),
                address: entry.as_ref().map(|entry| entry.address.clone()).unwrap_or_default(),
                at: entry.map(|entry| time_text::text(entry.at)).unwrap_or_default(),
                state: "waiting".to_owned(),
                detail: String::new(),
                refusal: None,
                about: String::new(),
                attempts: 1,
            }
        })
        .collect()
}
