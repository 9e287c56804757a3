//! Scenario files: what the building is, what happens in it and what must come out.

use domain::{
    Card, CardId, CardStatus, CardUid, Charger, ChargerId, Circuit, CircuitId, Connection, DurationMs, HardwareInfo,
    Meter, MeterId, MeterRole, MilliAmps, MilliVolts, Pacing, PerPhase, Phase, PhaseCount, Protocol, Site, Tenant,
    TenantId, TenantKey, Timestamp, VoltAmps, Watts, Wiring,
};
use serde::Deserialize;
use simulator::{BuildingPlan, HouseBuild, Household, Lift, Script, ScriptStep};
use std::collections::BTreeMap;

/// A scenario as written in its file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Short name.
    pub name: String,
    /// What it shows, in one sentence.
    pub title: String,
    /// The site; absent for the demo building with everything in it.
    #[serde(default)]
    pub site: Option<SiteSpec>,
    /// How cars react.
    #[serde(default)]
    pub cars: CarModel,
    /// Chargers in the order of registration.
    #[serde(default, rename = "charger")]
    pub chargers: Vec<ChargerSpec>,
    /// Meters.
    #[serde(default, rename = "meter")]
    pub meters: Vec<MeterSpec>,
    /// The steps; none for a living building.
    #[serde(default, rename = "step")]
    pub steps: Vec<StepSpec>,
    /// What breaks.
    #[serde(default, rename = "fault")]
    pub faults: Vec<FaultSpec>,
    /// Seconds a living building runs; a script ends with its last step.
    #[serde(default)]
    pub duration_s: u64,
    /// Civil time of the beginning, RFC 3339.
    #[serde(default = "default_start")]
    pub starts_at: String,
}

fn default_start() -> String {
    "2026-01-14T18:30:00Z".to_owned()
}

/// A site.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteSpec {
    /// Contracted power.
    pub contracted_kva: f64,
    /// 1 or 3.
    pub phases: u8,
    /// Main fuse per phase.
    pub main_fuse_a: f64,
    /// Kept free below every limit.
    #[serde(default)]
    pub margin_a: f64,
    /// Seconds between two divisions.
    #[serde(default = "default_interval")]
    pub control_interval_s: u64,
    /// Load assumed per phase while no meter speaks.
    #[serde(default)]
    pub declared_load_a: f64,
    /// How raises are paced.
    pub pacing: Pacing,
    /// Most chargers active at once.
    #[serde(default)]
    pub max_active_chargers: Option<u16>,
}

const fn default_interval() -> u64 {
    5
}

/// How cars react to what they are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CarModel {
    /// Within a second, as the published simulations assume.
    #[default]
    Prompt,
    /// With dead time, ramps and slow ones among them.
    Drawn,
}

/// A charger.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargerSpec {
    /// Identity.
    pub id: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// Grid phase of each wire, 1 to 3.
    #[serde(default = "default_phases")]
    pub phases: Vec<u8>,
    /// Most it may be given.
    #[serde(default = "default_max")]
    pub max_a: u16,
    /// What it draws when nobody speaks to it.
    #[serde(default)]
    pub fallback_a: u16,
    /// Higher is served first.
    #[serde(default)]
    pub priority: i32,
}

fn default_phases() -> Vec<u8> {
    vec![1]
}

const fn default_max() -> u16 {
    32
}

/// A meter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterSpec {
    /// Identity.
    pub id: String,
    /// What it stands for.
    pub role: MeterRole,
}

/// A step with what must come out of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// Letter or number, as published.
    pub label: String,
    /// What happens.
    #[serde(default)]
    pub says: String,
    /// How long it lasts.
    pub hold_s: u64,
    /// House load per phase from here on.
    #[serde(default)]
    pub house_a: Option<f64>,
    /// Chargers that get a car, counted from 1.
    #[serde(default)]
    pub start: Vec<usize>,
    /// Chargers whose cars leave, counted from 1.
    #[serde(default)]
    pub stop: Vec<usize>,
    /// What must come out.
    #[serde(default)]
    pub expect: ExpectSpec,
}

/// Setpoints at the end of a step, in amps by charger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct ExpectSpec(pub BTreeMap<String, u16>);

/// Something that breaks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Seconds from the beginning.
    pub at_s: u64,
    /// Seconds it lasts.
    pub for_s: u64,
    /// What.
    pub kind: FaultKind,
    /// Which device.
    pub device: String,
}

/// Kinds of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The device's messages vanish while its link seems up.
    Silent,
    /// Its link is down.
    LinkLost,
    /// It confirms limits and ignores them.
    Disobeys,
    /// Every second message to it vanishes.
    CommandsLost,
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Not the right shape.
    #[error("the scenario file cannot be read")]
    Shape(#[source] Box<toml::de::Error>),
    /// A name that cannot be.
    #[error("the scenario names an impossible device or circuit")]
    Id(#[source] domain::IdError),
    /// A phase that does not exist.
    #[error("{0}: phases are numbers from 1 to 3, each at most once")]
    Phases(String),
    /// A fault of a device that is not there.
    #[error("the scenario breaks {0}, which is not in it")]
    UnknownDevice(String),
    /// An expectation of a charger that is not there.
    #[error("step {step} expects something of {charger}, which is not in the scenario")]
    UnknownExpectation {
        /// Step.
        step: String,
        /// Charger.
        charger: String,
    },
    /// Settings out of range.
    #[error("the scenario's site cannot be")]
    Site(#[source] domain::SiteError),
    /// Circuits that form no tree.
    #[error("the scenario's circuits form no tree")]
    Circuits(#[source] domain::CircuitTreeError),
    /// The script is wrong.
    #[error("the scenario's steps cannot be played")]
    Script(#[source] simulator::ScriptError),
    /// The demo building cannot be drawn.
    #[error("the demo building cannot be drawn")]
    Plan(#[source] simulator::PlanError),
    /// Neither steps nor a duration.
    #[error("a scenario needs steps or duration_s")]
    Endless,
    /// A start that is no time.
    #[error("starts_at must be a time such as 2026-01-14T18:30:00Z, not {0:?}")]
    Start(String),
}

impl Scenario {
    /// Reads a scenario file and checks it.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| ScenarioError::Shape(Box::new(error)))?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        if self.steps.is_empty() && self.duration_s == 0 {
            return Err(ScenarioError::Endless);
        }
        let plan = self.plan(0)?;
        plan.site.check().map_err(ScenarioError::Site)?;
        let known = |name: &str| {
            plan.chargers.iter().any(|charger| charger.id.as_str() == name)
                || plan.meters.iter().any(|meter| meter.id.as_str() == name)
        };
        if let Some(fault) = self.faults.iter().find(|fault| !known(&fault.device)) {
            return Err(ScenarioError::UnknownDevice(fault.device.clone()));
        }
        for step in &self.steps {
            if let Some(charger) = step.expect.0.keys().find(|name| !known(name)) {
                let (step, charger) = (step.label.clone(), charger.clone());
                return Err(ScenarioError::UnknownExpectation { step, charger });
            }
        }
        if self.steps.is_empty() { Ok(()) } else { self.script().check().map_err(ScenarioError::Script) }
    }

    /// The steps as a script that the demo building can play as well.
    #[must_use]
    pub fn script(&self) -> Script {
        let step = |step: &StepSpec| ScriptStep {
            label: step.label.clone(),
            says: step.says.clone(),
            hold_s: step.hold_s,
            house_a: step.house_a,
            start: step.start.clone(),
            stop: step.stop.clone(),
        };
        let grid_a = self.site.map_or(60.0, |site| f64::from(site.domain().grid_limit().0) / 1000.0 - site.margin_a);
        Script { name: self.name.clone(), grid_a, steps: self.steps.iter().map(step).collect() }
    }

    /// Civil time of the beginning.
    ///
    /// # Errors
    /// When `starts_at` is no time.
    pub fn start(&self) -> Result<Timestamp, ScenarioError> {
        simulator::parse_time(&self.starts_at).ok_or_else(|| ScenarioError::Start(self.starts_at.clone()))
    }

    /// The building on paper.
    ///
    /// # Errors
    /// When a name or a phase cannot be.
    pub fn plan(&self, seed: u64) -> Result<BuildingPlan, ScenarioError> {
        let created_at = self.start()?;
        let Some(site) = self.site else {
            return simulator::building_plan(seed, created_at).map_err(ScenarioError::Plan);
        };
        let site = site.domain();
        let root = CircuitId::new("main").map_err(ScenarioError::Id)?;
        let limit = PerPhase::splat(site.main_fuse);
        let main = Circuit {
            id: root.clone(),
            name: "Main fuse".to_owned(),
            parent: None,
            limit,
            rating: domain::CircuitRating::default(),
        };
        let chargers = self.domain_chargers(&root)?;
        let hardware = chargers.iter().map(|charger| (charger.id.clone(), hardware(&charger.id))).collect();
        Ok(BuildingPlan {
            seed,
            site,
            circuits: vec![main],
            meters: self.domain_meters(&root)?,
            households: households(chargers.len(), created_at),
            chargers,
            hardware,
            credentials: Vec::new(),
            house: empty_house(seed),
        })
    }

    fn domain_meters(&self, root: &CircuitId) -> Result<Vec<Meter>, ScenarioError> {
        let meter = |spec: &MeterSpec| {
            let id = MeterId::new(&spec.id).map_err(ScenarioError::Id)?;
            Ok(Meter { id, name: spec.id.clone(), approved: true, circuit: root.clone(), role: spec.role })
        };
        self.meters.iter().map(meter).collect()
    }

    fn domain_chargers(&self, root: &CircuitId) -> Result<Vec<Charger>, ScenarioError> {
        let mut chargers = Vec::new();
        for (number, spec) in (1_u32..).zip(&self.chargers) {
            let wires: Option<Vec<Phase>> = spec.phases.iter().map(|phase| Phase::from_number(*phase)).collect();
            let wiring = wires.and_then(|wires| Wiring::new(wires).ok());
            chargers.push(Charger {
                id: ChargerId::new(&spec.id).map_err(ScenarioError::Id)?,
                protocol: spec.protocol,
                name: spec.id.clone(),
                registered: number,
                approved: true,
                priority: spec.priority,
                max: MilliAmps::from_amps(spec.max_a),
                fallback: MilliAmps::from_amps(spec.fallback_a),
                circuit: root.clone(),
                wiring: wiring.ok_or_else(|| ScenarioError::Phases(spec.id.clone()))?,
                connectors: 1,
                policy: domain::ChargerPolicy::default(),
            });
        }
        Ok(chargers)
    }
}

impl SiteSpec {
    fn domain(&self) -> Site {
        Site {
            name: "Scenario".to_owned(),
            time_zone: "Europe/Lisbon".to_owned(),
            currency: "EUR".to_owned(),
            nominal_voltage: MilliVolts(230_000),
            connection: Connection::LineNeutral,
            phases: if self.phases == 1 { PhaseCount::One } else { PhaseCount::Three },
            contracted: VoltAmps(thousandths(self.contracted_kva)),
            main_fuse: MilliAmps(thousandths(self.main_fuse_a)),
            margin: MilliAmps(thousandths(self.margin_a)),
            min_charge: MilliAmps::from_amps(6),
            max_active_chargers: self.max_active_chargers,
            max_meters: 16,
            control_interval: DurationMs::from_secs(self.control_interval_s),
            declared_load: MilliAmps(thousandths(self.declared_load_a)),
            meter_max_age: DurationMs::from_secs(20),
            pacing: self.pacing,
            rules: domain::SiteRules::default(),
        }
    }
}

fn hardware(id: &ChargerId) -> HardwareInfo {
    HardwareInfo {
        vendor: "Meshwatt".to_owned(),
        model: "Virtual charger".to_owned(),
        firmware: "1.0.0".to_owned(),
        serial: format!("SN-{id}"),
    }
}

/// Nobody lives here, so the pseudonym need not be a secret.
fn demo_key(number: i64) -> TenantKey {
    TenantKey(u128::from(number.unsigned_abs()))
}

/// One household with one card for each charger.
fn households(count: usize, created_at: Timestamp) -> Vec<Household> {
    let household = |number: i64| {
        let tenant = Tenant::new(TenantId(number), demo_key(number), format!("Tenant {number}"), "", created_at);
        let uid = CardUid::new(format!("0400{number:04X}")).ok();
        let card = uid.map(|uid| Card {
            id: CardId(number),
            uid,
            tenant: tenant.id,
            status: CardStatus::Active,
            enrolled_at: created_at,
            policy: domain::CardPolicy::default(),
            alias_of: None,
        });
        Household { tenant, cards: card.into_iter().collect() }
    };
    (1..=i64::try_from(count).unwrap_or(0)).map(household).collect()
}

/// Scripts say what the house draws; nothing else does.
const fn empty_house(seed: u64) -> HouseBuild {
    HouseBuild {
        seed,
        flats: 0,
        flat_percent: 0,
        lift: Lift::Absent,
        solar_peak: Watts(0),
        latitude_deg: 38.72,
        longitude_deg: -9.14,
    }
}

/// Amps or kilovolt-amperes as written, in thousandths; the nearest, never below zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range first, then rounded to the nearest"
)]
fn thousandths(value: f64) -> u32 {
    (value * 1000.0).round().clamp(0.0, 4.0e9) as u32
}
