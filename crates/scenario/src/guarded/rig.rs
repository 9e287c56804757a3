//! From plain numbers to control's inputs, and from its outputs back to whole amperes.

use control::{Control, Input, Output, Setup};
use domain::{
    Card, CardId, CardStatus, CardUid, Charger, ChargerEvent, ChargerId, ChargerSample, Circuit, CircuitId,
    CircuitRating, CircuitTree, Connection, ConnectorNumber, ConnectorStatus, DurationMs, Flow, Instant, Meter,
    MeterEvent, MeterId, MeterRole, MeterSample, MilliAmps, MilliVolts, Now, Pacing, PerPhase, Phase, PhaseCount,
    ProtectionDevice, Protocol, Provenance, ReplyKey, Site, StartRequest, StatusDetail, Tenant, TenantId, Timestamp,
    VoltAmps, WattHours, Wiring,
};
use std::collections::BTreeMap;

/// A Monday at midnight UTC: the site's wall clock begins here, 2026-11-16.
const WALL_MS: i64 = 1_794_787_200_000;
/// A meter that restarts is back within this.
const METER_MAX_AGE: DurationMs = DurationMs::from_secs(90);
const ONE: ConnectorNumber = ConnectorNumber(1);
const METER: &str = "meter";

/// A charger of the site; each has one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargerSetup {
    /// Its identity.
    pub id: String,
    /// Grid phase (1 to 3) of each wire, in order.
    pub phases: Vec<u8>,
    /// Most it may be given on each wire.
    pub max: MilliAmps,
    /// Higher is served first.
    pub priority: i32,
    /// Position in the order of registration, from 1.
    pub registered: u32,
}

/// The site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopSetup {
    /// Limit of the grid connection on each phase: one value or three.
    pub limits: Vec<MilliAmps>,
    /// Nominal voltage between phase and neutral.
    pub voltage: MilliVolts,
    /// Least a car charges with.
    pub min: MilliAmps,
    /// Time between two samples of the meter.
    pub meter_period: DurationMs,
    /// The chargers; a car that wants energy hangs on each.
    pub chargers: Vec<ChargerSetup>,
}

/// A sample of the meter that has just arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterReport {
    /// When it was taken.
    pub taken: Instant,
    /// Current on each phase.
    pub currents: Vec<MilliAmps>,
}

/// What a charger last said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargerReport {
    /// Who.
    pub id: String,
    /// What its car does.
    pub status: ConnectorStatus,
    /// The setpoint it was told last, in whole amperes.
    pub set: MilliAmps,
    /// Newest reading of each wire.
    pub measured: Vec<MilliAmps>,
    /// When that was taken.
    pub taken: Instant,
}

/// One moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopTick {
    /// When.
    pub at: Instant,
    /// The sample that arrived since the last tick, if one did.
    pub meter: Option<MeterReport>,
    /// Every charger's newest words.
    pub chargers: Vec<ChargerReport>,
}

/// Why a site cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RigError {
    /// Neither one phase nor three.
    #[error("give one limit for a single-phase site or three for a three-phase one, not {0}")]
    Phases(usize),
    /// A charger's name that cannot be one.
    #[error("\"{0}\" cannot be a charger's name; use up to 36 letters, digits and dashes")]
    Name(String),
    /// Wires that cannot be.
    #[error("charger {0} needs one to three different phases of 1, 2 and 3 that the site has")]
    Wiring(String),
    /// A charger that is listed twice.
    #[error("charger {0} is listed twice")]
    Repeated(String),
}

/// The site with its decider.
#[derive(Debug)]
pub struct LoopSite {
    control: Control,
    meter: MeterId,
    seen: BTreeMap<ChargerId, (ConnectorStatus, Option<Instant>, MilliAmps)>,
    replies: u64,
}

impl LoopSite {
    /// Builds the site, lets its chargers in and begins a session on each.
    ///
    /// # Errors
    /// When limits, names or wires cannot be used.
    pub fn new(setup: &LoopSetup) -> Result<Self, RigError> {
        let phases = match setup.limits.len() {
            1 => PhaseCount::One,
            3 => PhaseCount::Three,
            other => return Err(RigError::Phases(other)),
        };
        let circuit = circuit_id()?;
        let tree = CircuitTree::new(vec![Circuit {
            id: circuit.clone(),
            name: "Main".to_owned(),
            parent: None,
            limit: per_phase(&setup.limits),
            // The strictest of the devices the tool judges by.
            rating: CircuitRating { device: Some(ProtectionDevice::PortugueseDcp), ..CircuitRating::default() },
        }])
        .ok()
        .ok_or(RigError::Phases(0))?;
        let mut control_setup = Setup::empty(site(setup, phases), tree);
        let meter = MeterId::new(METER).ok().ok_or_else(|| RigError::Name(METER.to_owned()))?;
        control_setup.meters.push(Meter {
            id: meter.clone(),
            name: METER.to_owned(),
            approved: true,
            circuit: circuit.clone(),
            role: MeterRole::Circuit,
        });
        let (id, created_at) = (TenantId(1), Timestamp(WALL_MS));
        control_setup.tenants.push(Tenant::new(id, domain::TenantKey(1), "Everybody", "", created_at));
        let mut seen = BTreeMap::new();
        for (row, charger) in (1..).zip(&setup.chargers) {
            let built = build(charger, phases, &circuit)?;
            let uid = card(row)?;
            let status = CardStatus::Active;
            control_setup.cards.push(Card {
                id: CardId(row),
                uid,
                tenant: TenantId(1),
                status,
                enrolled_at: created_at,
                policy: domain::CardPolicy::default(),
                alias_of: None,
            });
            if seen.insert(built.id.clone(), (ConnectorStatus::Unknown, None, MilliAmps::ZERO)).is_some() {
                return Err(RigError::Repeated(charger.id.clone()));
            }
            control_setup.chargers.push(built);
        }
        let mut this = Self { control: Control::new(control_setup, now(Instant(0))), meter, seen, replies: 0 };
        this.begin_sessions(setup)?;
        Ok(this)
    }

    fn begin_sessions(&mut self, setup: &LoopSetup) -> Result<(), RigError> {
        let at = now(Instant(0));
        for (row, charger) in (1..).zip(&setup.chargers) {
            let id = charger_id(&charger.id)?;
            self.replies += 1;
            let request = StartRequest {
                connector: ONE,
                card: Some(card(row)?),
                at: at.wall,
                meter: WattHours::ZERO,
                provenance: Provenance::Measured,
            };
            let reply = ReplyKey(self.replies);
            // Nothing commanded here can pass the limit: no current is given before the meter has spoken.
            drop(self.event(at, &id, ChargerEvent::Connected));
            drop(self.event(at, &id, ChargerEvent::SessionStarted { reply, request }));
        }
        Ok(())
    }

    /// Takes one moment and gives what changes: the new setpoint of each charger that gets one.
    pub fn tick(&mut self, tick: &LoopTick) -> BTreeMap<String, MilliAmps> {
        let at = now(tick.at);
        let mut outputs = Vec::new();
        for report in &tick.chargers {
            self.charger(at, report, &mut outputs);
        }
        if let Some(report) = &tick.meter {
            let sample = MeterSample {
                at: now(report.taken).wall,
                current: per_phase(&report.currents).map(Flow::Import),
                ..MeterSample::default()
            };
            let (id, event) = (self.meter.clone(), MeterEvent::Measured(sample));
            outputs.extend(self.control.handle(at, Input::Meter { id, event }));
        }
        outputs.extend(self.control.handle(at, Input::Tick));
        let mut set = BTreeMap::new();
        for output in outputs {
            if let Output::Setpoint { charger, limit, .. } = output {
                set.insert(charger.as_str().to_owned(), limit);
            }
        }
        set
    }

    /// What the decider knows and holds.
    #[must_use]
    pub const fn control(&self) -> &Control {
        &self.control
    }

    fn charger(&mut self, at: Now, report: &ChargerReport, outputs: &mut Vec<Output>) {
        let Ok(id) = ChargerId::new(report.id.as_str()) else { return };
        let Some((status, taken, set)) = self.seen.get(&id).copied() else { return };
        self.seen.insert(id.clone(), (report.status, Some(report.taken), report.set));
        if status != report.status {
            let (detail, status) = (StatusDetail::default(), report.status);
            let event = ChargerEvent::Status { connector: Some(ONE), status, detail, at: at.wall };
            outputs.extend(self.event(at, &id, event));
        }
        if set != report.set {
            let event = ChargerEvent::LimitAnswered { connector: ONE, limit: report.set, accepted: true };
            outputs.extend(self.event(at, &id, event));
        }
        if taken != Some(report.taken) {
            let sample = ChargerSample {
                at: now(report.taken).wall,
                current_per_wire: report.measured.clone(),
                ..ChargerSample::default()
            };
            let event = ChargerEvent::Measured { connector: Some(ONE), session: None, sample };
            outputs.extend(self.event(at, &id, event));
        }
    }

    fn event(&mut self, at: Now, id: &ChargerId, event: ChargerEvent) -> Vec<Output> {
        self.control.handle(at, Input::Charger { id: id.clone(), protocol: Protocol::Ocpp16, event })
    }
}

fn now(instant: Instant) -> Now {
    Now { instant, wall: Timestamp(WALL_MS) + DurationMs(instant.0) }
}

fn site(setup: &LoopSetup, phases: PhaseCount) -> Site {
    let limit = setup.limits.iter().copied().min().unwrap_or_default();
    let count = u32::try_from(setup.limits.len()).unwrap_or(1);
    let milli_va = u64::from(limit.0) * u64::from(setup.voltage.0) * u64::from(count) / 1000;
    Site {
        name: "Loop".to_owned(),
        time_zone: "UTC".to_owned(),
        currency: "EUR".to_owned(),
        nominal_voltage: setup.voltage,
        connection: Connection::LineNeutral,
        phases,
        contracted: VoltAmps(u32::try_from(milli_va.div_ceil(1000)).unwrap_or(u32::MAX)),
        main_fuse: setup.limits.iter().copied().max().unwrap_or_default(),
        margin: MilliAmps::ZERO,
        min_charge: setup.min,
        max_active_chargers: None,
        max_meters: 1,
        control_interval: DurationMs::from_secs(5),
        declared_load: limit,
        // A silence is bridged with a reserve that grows; what is declared counts after this.
        meter_max_age: METER_MAX_AGE,
        pacing: Pacing::Careful,
        rules: domain::SiteRules::default(),
    }
}

fn build(charger: &ChargerSetup, phases: PhaseCount, circuit: &CircuitId) -> Result<Charger, RigError> {
    let bad_wires = || RigError::Wiring(charger.id.clone());
    let mut wires = Vec::new();
    for number in &charger.phases {
        let phase = Phase::from_number(*number).filter(|phase| phases.phases().contains(phase));
        wires.push(phase.ok_or_else(bad_wires)?);
    }
    Ok(Charger {
        id: charger_id(&charger.id)?,
        protocol: Protocol::Ocpp16,
        name: charger.id.clone(),
        registered: charger.registered,
        approved: true,
        priority: charger.priority,
        max: charger.max,
        fallback: MilliAmps::ZERO,
        circuit: circuit.clone(),
        wiring: Wiring::new(wires).ok().ok_or_else(bad_wires)?,
        connectors: 1,
        policy: domain::ChargerPolicy::default(),
    })
}

fn charger_id(name: &str) -> Result<ChargerId, RigError> {
    ChargerId::new(name).ok().ok_or_else(|| RigError::Name(name.to_owned()))
}

fn circuit_id() -> Result<CircuitId, RigError> {
    CircuitId::new("main").ok().ok_or_else(|| RigError::Name("main".to_owned()))
}

fn card(row: i64) -> Result<CardUid, RigError> {
    let uid = format!("CARD{row}");
    CardUid::new(uid.as_str()).ok().ok_or(RigError::Name(uid))
}

fn per_phase(values: &[MilliAmps]) -> PerPhase<MilliAmps> {
    let get = |index: usize| values.get(index).copied().unwrap_or_default();
    PerPhase::new(get(0), get(1), get(2))
}
