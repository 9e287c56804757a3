//! Joins the deciding machines with the virtual building: what the service does with sockets and a disk,
//! done with queues on virtual time.

use crate::file::FaultKind;
use central_system::{Command as StationCommand, Station, StationConfig};
use control::{Control, Setup};
use domain::{
    AlarmKind, ChargerId, CircuitTree, DurationMs, Instant, MilliAmps, Now, Protocol, Record, Session, SessionId,
};
use mesh::{KnownCharger, KnownMeter, Mesh, MeshConfig, Trust};
use simulator::{BuildingPlan, Device, DeviceInput, DeviceOutput, Dice, Obedience, Traffic, World};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Everything that decides, and the wires to the virtual devices.
pub(crate) struct Engine {
    pub(crate) world: World,
    control: Control,
    stations: BTreeMap<ChargerId, Line>,
    mesh: Mesh,
    protocols: BTreeMap<ChargerId, Protocol>,
    transit: Transit,
    faults: BTreeSet<(String, FaultKind)>,
    reopen: Vec<(String, Instant)>,
    pub(crate) ledger: Ledger,
}

/// A station with its socket.
struct Line {
    station: Station,
    generation: u64,
}

/// What the executor of a real service would have stored.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) setpoints: BTreeMap<String, MilliAmps>,
    pub(crate) alarms: BTreeSet<AlarmKind>,
    pub(crate) switches: u32,
    pub(crate) changes: u32,
    pub(crate) orphans: u32,
}

/// Something for one of the machines.
enum Work {
    Control(control::Input),
    Outputs(Vec<control::Output>),
    Station(ChargerId, Vec<central_system::Output>),
    Mesh(Vec<mesh::Output>),
}

impl Engine {
    pub(crate) fn new(
        plan: &BuildingPlan,
        world: World,
        seed: u64,
        now: Now,
    ) -> Result<Self, domain::CircuitTreeError> {
        let circuits = CircuitTree::new(plan.circuits.clone())?;
        let mut setup = Setup::empty(plan.site.clone(), circuits);
        setup.meters.clone_from(&plan.meters);
        setup.chargers.clone_from(&plan.chargers);
        setup.hardware.clone_from(&plan.hardware);
        setup.tenants = plan.households.iter().map(|home| home.tenant.clone()).collect();
        setup.cards = plan.households.iter().flat_map(|home| home.cards.clone()).collect();
        let ocpp = plan.chargers.iter().filter(|charger| charger.protocol == Protocol::Ocpp16);
        let stations = ocpp.map(|charger| (charger.id.clone(), Line { station: station(charger), generation: 0 }));
        let mut engine = Self {
            world,
            control: Control::new(setup, now),
            stations: stations.collect(),
            mesh: Mesh::new(mesh_config(plan)),
            protocols: plan.chargers.iter().map(|charger| (charger.id.clone(), charger.protocol)).collect(),
            transit: Transit::new(seed),
            faults: BTreeSet::new(),
            reopen: Vec::new(),
            ledger: Ledger::default(),
        };
        let names: Vec<String> = engine.world.devices().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            engine.open(now, &name);
        }
        Ok(engine)
    }

    /// Lets `time` pass, ending at `now`.
    pub(crate) fn step(&mut self, now: Now, time: DurationMs) {
        let traffic = self.world.step(now, time);
        self.carry(now, traffic);
        let (due, later) = std::mem::take(&mut self.reopen).into_iter().partition(|(_, at)| *at <= now.instant);
        self.reopen = later;
        for (name, _) in due {
            if !self.is_broken(&name, FaultKind::LinkLost) {
                self.open(now, &name);
            }
        }
        while let Some((device, letter)) = self.transit.next(now.instant) {
            self.deliver(now, &device, letter);
        }
        if now.instant.0.is_multiple_of(1_000) {
            self.tick(now);
        }
    }

    fn tick(&mut self, now: Now) {
        let ids: Vec<ChargerId> = self.stations.keys().cloned().collect();
        for id in ids {
            self.station(now, &id, central_system::Input::Tick);
        }
        let outputs = self.mesh.handle(now, mesh::Input::Tick);
        self.work(now, Work::Mesh(outputs));
        self.work(now, Work::Control(control::Input::Tick));
    }

    /// Puts what devices say on their wires.
    pub(crate) fn carry(&mut self, now: Now, traffic: Vec<Traffic>) {
        for Traffic { device, output } in traffic {
            if output == DeviceOutput::Close {
                self.close(now, &device);
                self.reopen.push((device, now.instant + REOPEN));
            } else if !self.is_broken(&device, FaultKind::Silent) {
                self.transit.post(now.instant, device, Letter::Up(output));
            }
        }
    }

    fn open(&mut self, now: Now, name: &str) {
        let id = ChargerId::new(name).ok().filter(|id| self.stations.contains_key(id));
        match id {
            Some(id) => {
                let Some(line) = self.stations.get_mut(&id) else { return };
                line.generation += 1;
                let generation = line.generation;
                self.station(now, &id, central_system::Input::Opened { generation });
            }
            None => {
                let outputs = self.mesh.handle(now, mesh::Input::Connected { client: name });
                self.work(now, Work::Mesh(outputs));
            }
        }
        let outputs = self.world.handle(now, name, DeviceInput::LinkUp);
        self.say(now, name, outputs);
    }

    fn close(&mut self, now: Now, name: &str) {
        self.transit.cut(name);
        let outputs = self.world.handle(now, name, DeviceInput::LinkDown);
        drop(outputs);
        let id = ChargerId::new(name).ok().filter(|id| self.stations.contains_key(id));
        match id {
            Some(id) => {
                let generation = self.stations.get(&id).map_or(0, |line| line.generation);
                self.station(now, &id, central_system::Input::Closed { generation });
            }
            None => {
                let outputs = self.mesh.handle(now, mesh::Input::Disconnected { client: name });
                self.work(now, Work::Mesh(outputs));
            }
        }
    }

    fn say(&mut self, now: Now, name: &str, outputs: Vec<DeviceOutput>) {
        let device = name.to_owned();
        let traffic = outputs.into_iter().map(|output| Traffic { device: device.clone(), output }).collect();
        self.carry(now, traffic);
    }

    /// Breaks or mends something.
    pub(crate) fn set_fault(&mut self, now: Now, device: &str, kind: FaultKind, broken: Broken) {
        let key = (device.to_owned(), kind);
        let changed = match broken {
            Broken::Yes => self.faults.insert(key),
            Broken::No => self.faults.remove(&key),
        };
        if !changed {
            return;
        }
        match (kind, broken) {
            (FaultKind::LinkLost, Broken::Yes) => self.close(now, device),
            (FaultKind::LinkLost, Broken::No) => self.open(now, device),
            (FaultKind::Disobeys, Broken::Yes) => self.world.set_obedience(device, Obedience::Ignores),
            (FaultKind::Disobeys, Broken::No) => self.world.set_obedience(device, Obedience::Obeys),
            (FaultKind::Silent | FaultKind::CommandsLost, _) => {}
        }
    }

    fn is_broken(&self, device: &str, kind: FaultKind) -> bool {
        self.faults.contains(&(device.to_owned(), kind))
    }

    fn deliver(&mut self, now: Now, device: &str, letter: Letter) {
        if self.is_broken(device, FaultKind::LinkLost) {
            return;
        }
        match letter {
            Letter::Down(bytes) => {
                let outputs = self.world.handle(now, device, DeviceInput::Received(&bytes));
                self.say(now, device, outputs);
            }
            Letter::Up(DeviceOutput::Text(text)) => {
                let Ok(id) = ChargerId::new(device) else { return };
                let generation = self.stations.get(&id).map_or(0, |line| line.generation);
                self.station(now, &id, central_system::Input::Frame { generation, text: &text });
            }
            Letter::Up(DeviceOutput::Publish { topic, payload }) => {
                let input =
                    mesh::Input::Message { client: device, trust: Trust::Proven, topic: &topic, payload: &payload };
                let outputs = self.mesh.handle(now, input);
                self.work(now, Work::Mesh(outputs));
            }
            Letter::Up(DeviceOutput::Close) => {}
        }
    }

    fn post_down(&mut self, now: Now, device: &str, bytes: Vec<u8>, kind: Kind) {
        let lost = self.is_broken(device, FaultKind::CommandsLost) && kind == Kind::Request && self.transit.loses();
        if !lost && !self.is_broken(device, FaultKind::LinkLost) {
            self.transit.post(now.instant, device.to_owned(), Letter::Down(bytes));
        }
    }

    fn station(&mut self, now: Now, id: &ChargerId, input: central_system::Input<'_>) {
        let Some(line) = self.stations.get_mut(id) else { return };
        let outputs = line.station.handle(now, input);
        self.work(now, Work::Station(id.clone(), outputs));
    }

    /// Works until nothing is left to do, in the order things happened.
    fn work(&mut self, now: Now, first: Work) {
        let mut queue = VecDeque::from([first]);
        while let Some(work) = queue.pop_front() {
            match work {
                Work::Control(input) => queue.push_back(Work::Outputs(self.control.handle(now, input))),
                Work::Outputs(outputs) => {
                    for output in outputs {
                        self.execute(now, output, &mut queue);
                    }
                }
                Work::Station(id, outputs) => {
                    for output in outputs {
                        self.perform_station(now, &id, output, &mut queue);
                    }
                }
                Work::Mesh(outputs) => {
                    for output in outputs {
                        self.perform_mesh(now, output, &mut queue);
                    }
                }
            }
        }
    }

    fn perform_station(
        &mut self,
        now: Now,
        id: &ChargerId,
        output: central_system::Output,
        queue: &mut VecDeque<Work>,
    ) {
        match output {
            central_system::Output::Send { text, gate } => {
                let kind = match gate {
                    central_system::Gate::Now => Kind::Request,
                    central_system::Gate::Durable | central_system::Gate::Recorded => Kind::Answer,
                };
                self.post_down(now, id.as_str(), text.into_bytes(), kind);
            }
            central_system::Output::Event(event) => {
                let input = control::Input::Charger { id: id.clone(), protocol: Protocol::Ocpp16, event };
                queue.push_back(Work::Control(input));
            }
            central_system::Output::Close { .. } => {
                self.close(now, id.as_str());
                self.reopen.push((id.to_string(), now.instant + REOPEN));
            }
            central_system::Output::CommandDone { .. }
            | central_system::Output::Notice(_)
            | central_system::Output::CertificateWanted(_)
            | central_system::Output::Remember(_) => {}
        }
    }

    fn perform_mesh(&mut self, now: Now, output: mesh::Output, queue: &mut VecDeque<Work>) {
        match output {
            mesh::Output::Publish { topic, payload, gate } => {
                let kind = match gate {
                    mesh::Gate::Now => Kind::Request,
                    mesh::Gate::Durable => Kind::Answer,
                };
                self.post_down(now, &topic, payload, kind);
            }
            mesh::Output::Charger { id, event } => {
                queue.push_back(Work::Control(control::Input::Charger { id, protocol: Protocol::Ievcc, event }));
            }
            mesh::Output::Meter { id, event } => queue.push_back(Work::Control(control::Input::Meter { id, event })),
            mesh::Output::ChargerDescribed { .. }
            | mesh::Output::ChargerLeft(_)
            | mesh::Output::MeterLeft(_)
            | mesh::Output::Notice(_)
            | mesh::Output::CommandDone { .. } => {}
        }
    }

    /// What the service's engine does with a decision.
    fn execute(&mut self, now: Now, output: control::Output, queue: &mut VecDeque<Work>) {
        use central_system::Input as ToStation;
        use control::Output;
        use mesh::Input as ToMesh;
        match output {
            Output::Setpoint { charger, connector, limit, .. } => {
                self.ledger.set(charger.as_str(), limit);
                let input = ToMesh::SetLimit { charger: charger.clone(), connector, limit };
                self.send(now, &charger, ToStation::SetLimit { connector, limit }, input, queue);
            }
            Output::Fallback { charger, limit } => {
                let input = ToMesh::SetFallback { charger: charger.clone(), limit };
                self.send(now, &charger, ToStation::SetFallback(limit), input, queue);
            }
            Output::Approved { charger, approved } => {
                let input = ToMesh::SetApproved { charger: charger.clone(), approved };
                self.send(now, &charger, ToStation::SetApproved(approved), input, queue);
            }
            Output::MeterApproved { meter, approved } => {
                queue.push_back(Work::Mesh(self.mesh.handle(now, ToMesh::MeterApproved { meter, approved })));
            }
            Output::CardAnswer { charger, reply, verdict } => {
                let input = ToMesh::CardAnswer { charger: charger.clone(), reply, verdict };
                self.send(now, &charger, ToStation::CardAnswer { reply, verdict }, input, queue);
            }
            Output::StartAnswer { charger, reply, session, verdict } => {
                let input = ToMesh::StartAnswer { charger: charger.clone(), reply, session, verdict };
                self.send(now, &charger, ToStation::StartAnswer { reply, session, verdict }, input, queue);
            }
            Output::StopAnswer { charger, reply, verdict } => {
                let input = ToMesh::StopAnswer { charger: charger.clone(), reply, verdict };
                self.send(now, &charger, ToStation::StopAnswer { reply, verdict }, input, queue);
            }
            Output::EndSession { charger, connector, session } => {
                let input = ToMesh::EndSession { charger: charger.clone(), connector, session };
                let command = StationCommand::RemoteStop { session };
                self.send(now, &charger, ToStation::Command { id: 0, command }, input, queue);
            }
            Output::ClearCache { .. } | Output::Decided { .. } | Output::Done(_) => {}
            Output::Save(record) => self.ledger.keep(record),
        }
    }

    fn send(
        &mut self,
        now: Now,
        charger: &ChargerId,
        to_station: central_system::Input<'_>,
        to_mesh: mesh::Input<'_>,
        queue: &mut VecDeque<Work>,
    ) {
        match (self.protocols.get(charger), self.stations.get_mut(charger)) {
            (Some(Protocol::Ocpp16), Some(line)) => {
                let outputs = line.station.handle(now, to_station);
                queue.push_back(Work::Station(charger.clone(), outputs));
            }
            (Some(Protocol::Ievcc), _) => queue.push_back(Work::Mesh(self.mesh.handle(now, to_mesh))),
            (Some(Protocol::Ocpp16 | Protocol::Metered) | None, _) => {}
        }
    }

    /// Starts and stops nobody confirmed yet.
    pub(crate) fn unconfirmed(&self) -> usize {
        self.world.devices().map(|(_, device)| Device::unconfirmed(device)).sum()
    }
}

impl Ledger {
    fn set(&mut self, charger: &str, limit: MilliAmps) {
        let before = self.setpoints.insert(charger.to_owned(), limit).unwrap_or_default();
        if before != limit {
            self.changes += 1;
        }
        let runs = self.sessions.values().any(|s| s.charger.as_str() == charger && s.ended_at.is_none());
        if runs && before.is_zero() != limit.is_zero() {
            self.switches += 1;
        }
    }

    fn keep(&mut self, record: Record) {
        match record {
            Record::Session(session) => {
                self.sessions.insert(session.id, session);
            }
            Record::Alarm(alarm) => {
                self.alarms.insert(alarm.kind);
            }
            Record::OrphanStop(_) => self.orphans += 1,
            Record::Site(_)
            | Record::SessionMeasured { .. }
            | Record::Wish(..)
            | Record::Circuits(_)
            | Record::Meter(_)
            | Record::MeterRemoved(_)
            | Record::Charger(_)
            | Record::ChargerRemoved(_)
            | Record::Hardware(..)
            | Record::Hold(..)
            | Record::ChargerSecurity(_)
            | Record::Certificate(_)
            | Record::File(_)
            | Record::FileRemoved(_)
            | Record::Tenant(_)
            | Record::TenantErased(..)
            | Record::SessionChanged(_)
            | Record::OrphanDecided(_)
            | Record::Card(_)
            | Record::CardRemoved(_)
            | Record::CardRefused(_)
            | Record::Readings(_)
            | Record::Decision(_)
            | Record::Frame(_)
            | Record::StatusChange(_)
            | Record::Fact(_) => {}
        }
    }
}

/// Whether something is broken from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Yes,
    No,
}

/// Whether a message of ours asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Request,
    Answer,
}

/// Time until a device that closed its link opens it again.
const REOPEN: DurationMs = DurationMs(4_500);

fn station(charger: &domain::Charger) -> Station {
    let mut config = StationConfig::new(charger.id.clone());
    config.approved = charger.approved;
    config.fallback = charger.fallback;
    config.connectors = charger.connectors;
    config.phases = u8::try_from(charger.wiring.wires().len()).unwrap_or(1);
    config.sample_interval_s = 5;
    config.site_offset_s = Some(0);
    Station::new(config)
}

fn mesh_config(plan: &BuildingPlan) -> MeshConfig {
    let meters = plan.meters.iter().map(|meter| KnownMeter { id: meter.id.clone(), approved: meter.approved });
    let chargers = plan.chargers.iter().filter(|charger| charger.protocol == Protocol::Ievcc);
    let chargers = chargers.map(|charger| KnownCharger {
        id: charger.id.clone(),
        meter: plan.meters.first().map(|meter| meter.id.clone()),
        approved: charger.approved,
        fallback: charger.fallback,
        connectors: charger.connectors,
    });
    MeshConfig {
        meters: meters.collect(),
        chargers: chargers.collect(),
        max_meters: plan.site.max_meters,
        report_interval: REPORT,
    }
}

/// How often meters and IEVCC chargers report.
const REPORT: DurationMs = DurationMs(2_000);

/// A message on its way.
enum Letter {
    /// To the manager.
    Up(DeviceOutput),
    /// To the device.
    Down(Vec<u8>),
}

/// Messages on their way; those of one device and direction keep their order.
struct Transit {
    dice: Dice,
    letters: BTreeMap<(Instant, u64), (String, Letter)>,
    posted: u64,
    last: BTreeMap<(String, u8), Instant>,
}

/// One way on a local network, MQTT or WebSocket, with a busy charger at the end.
const LATENCY_MS: (u64, u64) = (10, 400);

impl Transit {
    fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed, 99), letters: BTreeMap::new(), posted: 0, last: BTreeMap::new() }
    }

    fn post(&mut self, now: Instant, device: String, letter: Letter) {
        let way = match letter {
            Letter::Up(_) => 0,
            Letter::Down(_) => 1,
        };
        let soonest = now + DurationMs(self.dice.between(LATENCY_MS.0, LATENCY_MS.1));
        let last = self.last.entry((device.clone(), way)).or_default();
        *last = soonest.max(*last);
        self.posted += 1;
        self.letters.insert((*last, self.posted), (device, letter));
    }

    fn next(&mut self, now: Instant) -> Option<(String, Letter)> {
        let first = self.letters.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    fn cut(&mut self, device: &str) {
        self.letters.retain(|_, (to, _)| to != device);
    }

    fn loses(&mut self) -> bool {
        self.dice.percent(50)
    }
}
