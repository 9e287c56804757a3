//! A building on real sockets: every device is a client of its own, all share one physics.

use crate::changes::{Changes, NewDevice};
use crate::client::{Link, MeshClient, MeshClientConfig, OcppClient, OcppClientConfig, Port};
use crate::clock::{ScaledClock, Speed};
use crate::construct;
use crate::dice::{Dice, stream};
use crate::life::{Life, People, act};
use crate::plan::{BuildingPlan, credential};
use crate::script::{Script, ScriptError};
use crate::stage::{Act, Stage};
use crate::world::{Device, DeviceInput, DeviceOutput, HouseSource, Measures, Traffic, World};
use crate::{House, VirtualCar};
use domain::{CardUid, ChargerId, Clock as _, DurationMs, IdError, Now, Session, WattHours};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// Where a building's devices connect and what it is.
#[derive(Clone, Debug)]
pub struct BuildingConfig {
    /// Address of the central system without the identity, such as `ws://127.0.0.1:8887/ocpp`.
    pub ocpp_url: String,
    /// The broker.
    pub mqtt: SocketAddr,
    /// The clock everything in the building runs on.
    pub clock: Arc<ScaledClock>,
    /// The building.
    pub plan: BuildingPlan,
    /// Registers of the chargers, as their history ended; zero where absent.
    pub registers: BTreeMap<ChargerId, WattHours>,
    /// Sessions that ran when the building last stood still; their cars are there and charge on.
    pub sessions: Vec<Session>,
    /// How exactly the electrical parts follow life.
    pub physics: construct::Physics,
    /// Whether people come and go.
    pub life: Life,
    /// Devices added to and removed from the plan before the building last stood still.
    pub changes: Changes,
    /// Limits that get lost on their way to a charger, in percent.
    pub lost_percent: u64,
}

/// What one can do to a building.
#[derive(Clone, Debug, PartialEq)]
pub enum BuildingCommand {
    /// Change how fast time runs.
    SetSpeed(Speed),
    /// Add a load in watts, -20 kW to 60 kW; replaces the one before.
    SetExtraLoad(i64),
    /// Plug a car in.
    Plug {
        /// Where.
        charger: String,
        /// Energy it wants.
        wants: WattHours,
    },
    /// Pull the cable.
    Unplug {
        /// Where.
        charger: String,
    },
    /// Hold a card to the reader.
    TapCard {
        /// Where.
        charger: String,
        /// The card.
        card: CardUid,
    },
    /// Add a charger nobody knows yet.
    AddCharger(VirtualProtocol),
    /// Take a charger away.
    RemoveCharger(String),
    /// Add a meter nobody knows yet.
    AddMeter,
    /// Take a meter away.
    RemoveMeter(String),
    /// Break or mend the link of a device.
    SetLink {
        /// Which.
        device: String,
        /// How its link is from now on.
        link: Link,
    },
    /// Hang a meter elsewhere.
    SetMeasures {
        /// Which.
        meter: String,
        /// What it measures from now on.
        measures: Measures,
    },
    /// Play a script instead of the living building. No load is added any more.
    StartScript {
        /// What is played.
        script: Box<Script>,
        /// Chargers it may use, first served first; of these it takes those with the most wires.
        chargers: Vec<ChargerId>,
    },
    /// Go back to the living building.
    StopScript,
}

/// What a virtual charger speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VirtualProtocol {
    /// OCPP 1.6J over WebSocket.
    Ocpp,
    /// IEVCC over MQTT.
    Ievcc,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildingError {
    /// No such device.
    #[error("there is no virtual device {0}; choose one from the list")]
    UnknownDevice(String),
    /// A car is plugged in already.
    #[error("a car is plugged in at {0} already; unplug it first")]
    Occupied(String),
    /// No car is plugged in.
    #[error("no car is plugged in at {0}; plug one in first")]
    Empty(String),
    /// A load outside its range.
    #[error("the extra load must be between -20 and 60 kW")]
    ExtraLoad,
    /// The script cannot be played.
    #[error("the script cannot be played")]
    Script(#[source] ScriptError),
    /// Too few chargers it could use.
    #[error(
        "the simulation needs {needed} of the building's own chargers with {wires} phases; mend their links, approve \
         them and lift pauses and limits first"
    )]
    Cast {
        /// How many it needs.
        needed: usize,
        /// With how many wires.
        wires: usize,
    },
    /// A name that cannot be.
    #[error("the new device has no valid name")]
    Name(#[source] IdError),
}

/// A virtual device as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceState {
    /// Identity on the wire.
    pub id: String,
    /// What a charger speaks; meters speak IEVCC.
    pub protocol: VirtualProtocol,
    /// Its link.
    pub link: Link,
    /// The car at it.
    pub car: Option<CarState>,
}

/// A virtual car as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarState {
    /// Energy it still wants.
    pub wants: WattHours,
    /// What it draws from each of its wires.
    pub draws: domain::MilliAmps,
}

/// A building as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildingState {
    /// How fast time runs.
    pub speed: Speed,
    /// Added load in watts.
    pub extra_w: i64,
    /// The script being played: its name and the present step in words.
    pub script: Option<(String, String)>,
    /// Chargers by name.
    pub chargers: Vec<DeviceState>,
    /// Meters by name.
    pub meters: Vec<DeviceState>,
}

/// A running building; its clients end when it is dropped.
#[derive(Debug)]
pub struct Building {
    shared: Arc<Shared>,
    physics: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    config: BuildingConfig,
    runtime: tokio::runtime::Handle,
    inside: Mutex<Inside>,
}

/// Everything that changes, behind one short lock.
#[derive(Debug)]
struct Inside {
    world: World,
    people: People,
    stage: Option<Stage>,
    clients: BTreeMap<String, Client>,
    links: BTreeMap<String, Link>,
    changes: Changes,
    stepped: Now,
    /// Decides which limits get lost, and how many did.
    weather: Dice,
    lost: u32,
}

#[derive(Debug)]
enum Client {
    Ocpp(OcppClient),
    Mesh(MeshClient),
}

impl Client {
    fn push(&self, output: DeviceOutput) {
        match self {
            Self::Ocpp(client) => client.push(output),
            Self::Mesh(client) => client.push(output),
        }
    }

    fn set_link(&self, link: Link) {
        match self {
            Self::Ocpp(client) => client.set_link(link),
            Self::Mesh(client) => client.set_link(link),
        }
    }
}

/// A device of a shared building, as its client sees it.
struct DevicePort {
    shared: Weak<Shared>,
    device: String,
}

impl Port for DevicePort {
    fn handle(&self, input: DeviceInput<'_>) -> Vec<DeviceOutput> {
        let Some(shared) = self.shared.upgrade() else { return Vec::new() };
        let now = shared.config.clock.now();
        let mut inside = shared.lock();
        if is_limit(&input) && inside.weather.percent(shared.config.lost_percent) {
            inside.lost += 1;
            return Vec::new();
        }
        inside.world.handle(now, &self.device, input)
    }
}

/// Whether it is the manager's word on how much may flow.
fn is_limit(input: &DeviceInput<'_>) -> bool {
    let DeviceInput::Received(bytes) = input else { return false };
    let says = |word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
    says("\"SetChargingProfile\"") || says("\"0x033\"")
}

/// Real time between two looks at the clock: shorter when time runs fast, so that meters and chargers
/// still speak several times in a control interval.
const fn turn(speed: Speed) -> Duration {
    match speed {
        Speed::X1 => Duration::from_millis(100),
        Speed::X10 => Duration::from_millis(50),
        Speed::X60 => Duration::from_millis(20),
    }
}

/// Longest step of the physics; at higher speeds several are made in one turn.
const STEP: DurationMs = DurationMs(200);
/// Most steps in one turn; what a sleeping computer missed beyond a few minutes is not caught up.
const STEPS_MAX: u64 = 1_200;
/// Range of the extra load in watts.
const EXTRA_W: std::ops::RangeInclusive<i64> = -20_000..=60_000;

impl Building {
    /// Builds the world, opens every link and lets time run. Call it inside a tokio runtime.
    #[must_use]
    pub fn start(config: BuildingConfig) -> Self {
        let now = config.clock.now();
        let mut world = construct::build_world(&config.plan, &config.registers, config.physics);
        construct::change(&mut world, &config.plan, &config.registers, &config.changes);
        let people = People::returning(&config.plan, config.life, now, &config.sessions, &mut world);
        let inside = Inside {
            world,
            people,
            stage: None,
            clients: BTreeMap::new(),
            links: BTreeMap::new(),
            changes: config.changes.clone(),
            stepped: now,
            weather: Dice::new(config.plan.seed, stream::LINKS),
            lost: 0,
        };
        let runtime = tokio::runtime::Handle::current();
        let shared = Arc::new(Shared { config, runtime, inside: Mutex::new(inside) });
        let names: Vec<String> = shared.lock().world.devices().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            Shared::connect(&shared, &name);
        }
        let physics = tokio::spawn(run(Arc::downgrade(&shared)));
        Self { shared, physics }
    }

    /// Carries out a command.
    ///
    /// # Errors
    /// Says what to do instead.
    pub fn command(&self, command: BuildingCommand) -> Result<(), BuildingError> {
        let shared = &self.shared;
        match command {
            BuildingCommand::SetSpeed(speed) => shared.config.clock.set_speed(speed),
            BuildingCommand::SetExtraLoad(watts) if !EXTRA_W.contains(&watts) => return Err(BuildingError::ExtraLoad),
            BuildingCommand::SetExtraLoad(watts) => shared.lock().world.set_extra_w(watts),
            BuildingCommand::Plug { charger, wants } => return shared.plug(&charger, wants),
            BuildingCommand::Unplug { charger } => return shared.unplug(&charger),
            BuildingCommand::TapCard { charger, card } => return shared.tap(&charger, card),
            BuildingCommand::AddCharger(protocol) => return Shared::add(shared, NewDevice::Charger(protocol)),
            BuildingCommand::AddMeter => return Shared::add(shared, NewDevice::Meter),
            BuildingCommand::RemoveCharger(name) | BuildingCommand::RemoveMeter(name) => return shared.remove(&name),
            BuildingCommand::SetLink { device, link } => return shared.set_link(&device, link),
            BuildingCommand::SetMeasures { meter, measures } => shared.lock().world.set_measures(&meter, measures),
            BuildingCommand::StartScript { script, chargers } => return shared.start_script(*script, &chargers),
            BuildingCommand::StopScript => shared.lock().end_script(&shared.config),
        }
        Ok(())
    }

    /// The building as shown.
    #[must_use]
    pub fn state(&self) -> BuildingState {
        let inside = self.shared.lock();
        let (mut chargers, mut meters) = (Vec::new(), Vec::new());
        for (name, device) in inside.world.devices() {
            let link = inside.links.get(name).copied().unwrap_or(Link::Intact);
            let car = device.outlet().and_then(|outlet| outlet.car());
            let car = car.map(|car| CarState { wants: car.wants().wh(), draws: car.draws() });
            let state = |protocol| DeviceState { id: name.to_owned(), protocol, link, car };
            match device {
                Device::Ocpp(_) => chargers.push(state(VirtualProtocol::Ocpp)),
                Device::Mesh(_) => chargers.push(state(VirtualProtocol::Ievcc)),
                Device::Meter(..) => meters.push(state(VirtualProtocol::Ievcc)),
            }
        }
        let script = inside.stage.as_ref().map(|stage| (stage.name().to_owned(), stage.says()));
        let speed = self.shared.config.clock.speed();
        BuildingState { speed, extra_w: inside.world.extra_w(), script, chargers, meters }
    }

    /// What was added and removed so far; for [`BuildingConfig::changes`] at the next start.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.shared.lock().changes.clone()
    }

    /// A card nobody enrolled, for the demo's "tap an unknown card".
    #[must_use]
    pub fn stray_card(&self) -> Option<CardUid> {
        self.shared.lock().people.stray_card()
    }

    /// Limits that got lost on their way.
    #[must_use]
    pub fn lost(&self) -> u32 {
        self.shared.lock().lost
    }

    /// A look at the physics, for tests and measurements.
    pub fn with_world<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.shared.lock().world)
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        self.physics.abort();
        self.shared.lock().clients.clear();
    }
}

/// Lets time run until the building is dropped.
async fn run(shared: Weak<Shared>) {
    loop {
        let Some(shared) = shared.upgrade() else { return };
        let now = shared.config.clock.now();
        let asked = {
            let mut inside = shared.lock();
            inside.advance(now, &shared.config);
            inside.world.devices().filter_map(|(_, device)| device.asked_at()).min()
        };
        shared.config.clock.lived(asked.map_or(now.instant, |asked| asked.min(now.instant)));
        let pause = turn(shared.config.clock.speed());
        drop(shared);
        tokio::time::sleep(pause).await;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        // A panic in one turn leaves physics half a step behind at worst.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the link of a device that is in the world.
    fn connect(shared: &Arc<Self>, name: &str) {
        let port = Arc::new(DevicePort { shared: Arc::downgrade(shared), device: name.to_owned() });
        let _runtime = shared.runtime.enter();
        let mut inside = shared.lock();
        let client = match inside.world.device(name) {
            Some(Device::Ocpp(_)) => {
                let config = OcppClientConfig { url: shared.config.ocpp_url.clone(), id: name.to_owned() };
                Client::Ocpp(OcppClient::start(config, port))
            }
            Some(Device::Mesh(_) | Device::Meter(..)) => {
                let password = credential(shared.config.plan.seed, name).password;
                let config = MeshClientConfig { broker: shared.config.mqtt, device: name.to_owned(), password };
                Client::Mesh(MeshClient::start(config, port))
            }
            None => return,
        };
        inside.clients.insert(name.to_owned(), client);
        inside.links.insert(name.to_owned(), Link::Intact);
    }

    fn plug(&self, charger: &str, wants: WattHours) -> Result<(), BuildingError> {
        let now = self.config.clock.now();
        let mut inside = self.lock();
        let outlet = inside.outlet(charger)?;
        if outlet.car().is_some() {
            return Err(BuildingError::Occupied(charger.to_owned()));
        }
        let wires = outlet.build().wiring.wires().len();
        let traits = crate::CarTraits::prompt(wires, outlet.build().max);
        inside.act(now, charger, DeviceInput::Plug(VirtualCar::new(traits, wants)));
        Ok(())
    }

    fn unplug(&self, charger: &str) -> Result<(), BuildingError> {
        let now = self.config.clock.now();
        let mut inside = self.lock();
        if inside.outlet(charger)?.car().is_none() {
            return Err(BuildingError::Empty(charger.to_owned()));
        }
        inside.people.forget(charger);
        inside.act(now, charger, DeviceInput::Unplug);
        Ok(())
    }

    fn tap(&self, charger: &str, card: CardUid) -> Result<(), BuildingError> {
        let now = self.config.clock.now();
        let mut inside = self.lock();
        inside.outlet(charger)?;
        inside.act(now, charger, DeviceInput::Tap(card));
        Ok(())
    }

    fn add(shared: &Arc<Self>, new: NewDevice) -> Result<(), BuildingError> {
        let prefix = match new {
            NewDevice::Charger(VirtualProtocol::Ocpp) => "CP-",
            NewDevice::Charger(VirtualProtocol::Ievcc) => "Charger-",
            NewDevice::Meter => "Counter-",
        };
        let name = {
            let mut inside = shared.lock();
            let name = inside.free_name(prefix);
            let device = construct::new_device(&shared.config.plan, &name, new, WattHours::ZERO);
            inside.world.add(&name, device.map_err(BuildingError::Name)?);
            inside.changes.add(&name, new);
            name
        };
        tracing::debug!(name, "a virtual device is added");
        Self::connect(shared, &name);
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), BuildingError> {
        let mut inside = self.lock();
        if inside.world.remove(name).is_none() {
            return Err(BuildingError::UnknownDevice(name.to_owned()));
        }
        inside.clients.remove(name);
        inside.links.remove(name);
        inside.people.forget(name);
        inside.changes.remove(name);
        Ok(())
    }

    fn set_link(&self, name: &str, link: Link) -> Result<(), BuildingError> {
        let mut inside = self.lock();
        let client = inside.clients.get(name).ok_or_else(|| BuildingError::UnknownDevice(name.to_owned()))?;
        client.set_link(link);
        inside.links.insert(name.to_owned(), link);
        Ok(())
    }

    fn start_script(&self, script: Script, usable: &[ChargerId]) -> Result<(), BuildingError> {
        script.check().map_err(BuildingError::Script)?;
        let now = self.config.clock.now();
        let mut inside = self.lock();
        let linked = |id: &&ChargerId| inside.links.get(id.as_str()) == Some(&Link::Intact);
        let usable: Vec<&ChargerId> = usable.iter().filter(linked).collect();
        let chargers = construct::script_chargers(&self.config.plan, &inside.people, &usable);
        let needed = script.chargers();
        if chargers.len() < needed {
            return Err(BuildingError::Cast { needed, wires: construct::most_wires(&self.config.plan) });
        }
        inside.end_script(&self.config);
        inside.clear_bays(now);
        inside.world.set_extra_w(0);
        let site = &self.config.plan.site;
        let mut stage = Stage::new(script, site.grid_limit().saturating_sub(site.margin), chargers, now);
        let traffic = stage.open(now, &mut inside.world);
        inside.stage = Some(stage);
        inside.send(traffic);
        Ok(())
    }
}

impl Inside {
    /// Lets time run up to `now`.
    fn advance(&mut self, now: Now, config: &BuildingConfig) {
        let passed = now.instant.since(self.stepped.instant);
        let steps = (passed.0.div_ceil(STEP.0)).min(STEPS_MAX);
        for step in 1..=steps {
            let (whole, before) = (passed.0 * step / steps, passed.0 * (step - 1) / steps);
            let at =
                Now { instant: self.stepped.instant + DurationMs(whole), wall: self.stepped.wall + DurationMs(whole) };
            let traffic = self.world.step(at, DurationMs(whole - before));
            self.send(traffic);
        }
        self.stepped = now;
        let Some(mut stage) = self.stage.take() else {
            let traffic = self.people.step(now, &mut self.world);
            return self.send(traffic);
        };
        let (going, traffic) = stage.step(now, &mut self.world);
        self.send(traffic);
        self.stage = Some(stage);
        if going == Act::Over {
            self.end_script(config);
        }
    }

    fn end_script(&mut self, config: &BuildingConfig) {
        let Some(mut stage) = self.stage.take() else { return };
        let traffic = stage.close(self.stepped, &mut self.world);
        self.send(traffic);
        self.world.set_house(HouseSource::Living(House::new(config.plan.house.clone())));
        self.people = People::new(&config.plan, config.life, self.stepped);
    }

    /// Every car leaves.
    fn clear_bays(&mut self, now: Now) {
        let names: Vec<String> = self.world.devices().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            if self.outlet(&name).is_ok_and(|outlet| outlet.car().is_some()) {
                self.people.forget(&name);
                self.act(now, &name, DeviceInput::Unplug);
            }
        }
    }

    fn outlet(&self, name: &str) -> Result<&crate::Outlet, BuildingError> {
        let outlet = self.world.device(name).and_then(Device::outlet);
        outlet.ok_or_else(|| BuildingError::UnknownDevice(name.to_owned()))
    }

    fn act(&mut self, now: Now, name: &str, input: DeviceInput<'_>) {
        let mut traffic = Vec::new();
        act(now, name, input, &mut self.world, &mut traffic);
        self.send(traffic);
    }

    fn send(&self, traffic: Vec<Traffic>) {
        for Traffic { device, output } in traffic {
            if let Some(client) = self.clients.get(&device) {
                client.push(output);
            }
        }
    }

    /// The first name of this kind no device carries or carried: a new device is not taken for one that was removed.
    fn free_name(&self, prefix: &str) -> String {
        let taken = |name: &str| self.world.device(name).is_some() || self.changes.has_removed(name);
        let mut number = 1_u32;
        while taken(&format!("{prefix}{number}")) {
            number += 1;
        }
        format!("{prefix}{number}")
    }
}
