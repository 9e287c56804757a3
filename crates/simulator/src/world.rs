//! The physics of a building, stepped on any clock: cars draw, meters measure, breakers warm up.

use crate::breaker::{Breaker, BreakerKind};
use crate::energy::Energy;
use crate::house::{House, HouseLoad, current_of};
use crate::mesh_charger::MeshCharger;
use crate::mesh_meter::{MeshInput, MeshMeter, MeshOutput};
use crate::ocpp_charger::{OcppCharger, OcppInput, OcppOutput};
use crate::outlet::{Outlet, Resumed};
use crate::{Obedience, VirtualCar};
use domain::{CardUid, DurationMs, Instant, MilliAmps, MilliVolts, Now, PerPhase, Phase, PhaseCount};
use std::collections::BTreeMap;

/// A building's grid connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldBuild {
    /// Voltage of each phase without load.
    pub voltage: MilliVolts,
    /// Voltage lost per ampere, in mV; zero keeps it constant.
    pub drop_mv_per_a: u32,
    /// Phases that exist.
    pub phases: PhaseCount,
    /// Rating of the breakers that are watched.
    pub rated: MilliAmps,
}

/// Where the house load comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum HouseSource {
    /// A living building.
    Living(House),
    /// The same current on every phase, as scripts say.
    Fixed(MilliAmps),
}

/// What a meter hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measures {
    /// The grid connection: house, solar roof and chargers.
    Everything,
    /// Everything that is not a charger.
    House,
    /// The solar roof; its production is export.
    Solar,
    /// Something this building does not have, such as a battery.
    Nothing,
}

/// A device with a link of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Device {
    /// A charger on OCPP.
    Ocpp(Box<OcppCharger>),
    /// A charger on IEVCC.
    Mesh(Box<MeshCharger>),
    /// A meter on IEVCC.
    Meter(Box<MeshMeter>, Measures),
}

/// Something that happens to a device.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceInput<'a> {
    /// Its link is up.
    LinkUp,
    /// Its link is down.
    LinkDown,
    /// A text frame (OCPP) or the payload of a message on its topic (MQTT) arrived.
    Received(&'a [u8]),
    /// Time passed.
    Tick,
    /// Someone plugs a car in.
    Plug(VirtualCar),
    /// Someone pulls the cable.
    Unplug,
    /// Someone holds a card to the reader.
    Tap(CardUid),
}

/// What a device does on its wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceOutput {
    /// Send a text frame (OCPP).
    Text(String),
    /// Publish a message (MQTT).
    Publish {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
    /// Close the link and open it again.
    Close,
}

/// A device's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Which device.
    pub device: String,
    /// What it does.
    pub output: DeviceOutput,
}

impl Device {
    /// Takes one input; returns what to do on the wire.
    pub fn handle(&mut self, now: Now, input: DeviceInput<'_>) -> Vec<DeviceOutput> {
        match self {
            Self::Ocpp(charger) => {
                let outputs = match input {
                    DeviceInput::Received(bytes) => match std::str::from_utf8(bytes) {
                        Ok(text) => charger.handle(now, OcppInput::Text(text)),
                        Err(_) => Vec::new(),
                    },
                    DeviceInput::LinkUp => charger.handle(now, OcppInput::LinkUp),
                    DeviceInput::LinkDown => charger.handle(now, OcppInput::LinkDown),
                    DeviceInput::Tick => charger.handle(now, OcppInput::Tick),
                    DeviceInput::Plug(car) => charger.handle(now, OcppInput::Plug(car)),
                    DeviceInput::Unplug => charger.handle(now, OcppInput::Unplug),
                    DeviceInput::Tap(card) => charger.handle(now, OcppInput::Tap(card)),
                };
                outputs.into_iter().map(from_ocpp).collect()
            }
            Self::Mesh(charger) => charger.handle(now, to_mesh(input)).into_iter().map(from_mesh).collect(),
            Self::Meter(meter, _) => meter.handle(now, to_mesh(input)).into_iter().map(from_mesh).collect(),
        }
    }

    /// The electrical part of a charger.
    #[must_use]
    pub const fn outlet(&self) -> Option<&Outlet> {
        match self {
            Self::Ocpp(charger) => Some(charger.outlet()),
            Self::Mesh(charger) => Some(charger.outlet()),
            Self::Meter(..) => None,
        }
    }

    fn outlet_mut(&mut self) -> Option<&mut Outlet> {
        match self {
            Self::Ocpp(charger) => Some(charger.outlet_mut()),
            Self::Mesh(charger) => Some(charger.outlet_mut()),
            Self::Meter(..) => None,
        }
    }

    /// Whether the other end let it in and its link is up.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        match self {
            Self::Ocpp(charger) => charger.is_ready(),
            Self::Mesh(charger) => charger.is_ready(),
            Self::Meter(meter, _) => meter.is_ready(),
        }
    }

    /// When it asked what has not been answered yet, while its link is up.
    #[must_use]
    pub fn asked_at(&self) -> Option<Instant> {
        match self {
            Self::Ocpp(charger) => charger.asked_at(),
            Self::Mesh(charger) => charger.asked_at(),
            Self::Meter(..) => None,
        }
    }

    /// Whether a session runs at it.
    #[must_use]
    pub const fn is_in_session(&self) -> bool {
        match self {
            Self::Ocpp(charger) => charger.is_in_session(),
            Self::Mesh(charger) => charger.is_in_session(),
            Self::Meter(..) => false,
        }
    }

    /// Starts and stops nobody confirmed yet.
    #[must_use]
    pub fn unconfirmed(&self) -> usize {
        match self {
            Self::Ocpp(charger) => charger.unconfirmed(),
            Self::Mesh(charger) => charger.unconfirmed(),
            Self::Meter(..) => 0,
        }
    }
}

fn from_ocpp(output: OcppOutput) -> DeviceOutput {
    match output {
        OcppOutput::Send(text) => DeviceOutput::Text(text),
        OcppOutput::Close => DeviceOutput::Close,
    }
}

fn from_mesh(output: MeshOutput) -> DeviceOutput {
    match output {
        MeshOutput::Publish { topic, payload } => DeviceOutput::Publish { topic, payload },
        MeshOutput::Close => DeviceOutput::Close,
    }
}

fn to_mesh(input: DeviceInput<'_>) -> MeshInput<'_> {
    match input {
        DeviceInput::LinkUp => MeshInput::LinkUp,
        DeviceInput::LinkDown => MeshInput::LinkDown,
        DeviceInput::Received(payload) => MeshInput::Message(payload),
        DeviceInput::Tick => MeshInput::Tick,
        DeviceInput::Plug(car) => MeshInput::Plug(car),
        DeviceInput::Unplug => MeshInput::Unplug,
        DeviceInput::Tap(card) => MeshInput::Tap(card),
    }
}

/// A building with everything in it.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    build: WorldBuild,
    house: HouseSource,
    extra_w: i64,
    devices: BTreeMap<String, Device>,
    breakers: Vec<(Phase, Breaker)>,
    load: HouseLoad,
    house_ma: PerPhase<i64>,
    cars_ma: PerPhase<MilliAmps>,
    voltage: PerPhase<MilliVolts>,
}

impl World {
    /// A building without devices.
    #[must_use]
    pub fn new(build: WorldBuild, house: HouseSource) -> Self {
        let phases = build.phases.phases();
        let breakers = phases
            .iter()
            .flat_map(|phase| BreakerKind::ALL.map(|kind| (*phase, Breaker::new(kind, build.rated))))
            .collect();
        Self {
            voltage: PerPhase::splat(build.voltage),
            build,
            house,
            extra_w: 0,
            devices: BTreeMap::new(),
            breakers,
            load: HouseLoad::default(),
            house_ma: PerPhase::default(),
            cars_ma: PerPhase::default(),
        }
    }

    /// Adds a device, or replaces the one of the same name.
    pub fn add(&mut self, name: &str, device: Device) {
        self.devices.insert(name.to_owned(), device);
    }

    /// Takes a device away.
    pub fn remove(&mut self, name: &str) -> Option<Device> {
        self.devices.remove(name)
    }

    /// A device by name.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.devices.get(name)
    }

    /// All devices by name.
    pub fn devices(&self) -> impl Iterator<Item = (&str, &Device)> {
        self.devices.iter().map(|(name, device)| (name.as_str(), device))
    }

    /// Hands an input to a device; nothing happens when there is none of that name.
    pub fn handle(&mut self, now: Now, name: &str, input: DeviceInput<'_>) -> Vec<DeviceOutput> {
        self.devices.get_mut(name).map_or_else(Vec::new, |device| device.handle(now, input))
    }

    /// Lets a session go on at a charger that has just been built; nothing happens when there is none of that name.
    pub fn resume(&mut self, now: Now, name: &str, running: Resumed) {
        match self.devices.get_mut(name) {
            Some(Device::Ocpp(charger)) => charger.resume(now, running),
            Some(Device::Mesh(charger)) => charger.resume(now, running),
            Some(Device::Meter(..)) | None => {}
        }
    }

    /// Makes a charger obey or ignore its limits.
    pub fn set_obedience(&mut self, name: &str, obedience: Obedience) {
        if let Some(outlet) = self.devices.get_mut(name).and_then(Device::outlet_mut) {
            outlet.set_obedience(obedience);
        }
    }

    /// Lets `time` pass, ending at `now`; returns what the devices do on their wires.
    pub fn step(&mut self, now: Now, time: DurationMs) -> Vec<Traffic> {
        self.feed_house(now);
        self.feed_cars(time);
        let total = self.total_ma();
        for (phase, breaker) in &mut self.breakers {
            let size = MilliAmps(u32::try_from(total.get(*phase).unsigned_abs()).unwrap_or(u32::MAX));
            breaker.step(size, time);
        }
        self.read_meters(now, time);
        let mut traffic = Vec::new();
        for (name, device) in &mut self.devices {
            let outputs = device.handle(now, DeviceInput::Tick);
            traffic.extend(outputs.into_iter().map(|output| Traffic { device: name.clone(), output }));
        }
        traffic
    }

    fn feed_house(&mut self, now: Now) {
        let extra_w = self.extra_w / i64::try_from(self.build.phases.phases().len()).unwrap_or(1);
        self.house_ma = match &self.house {
            HouseSource::Living(house) => {
                self.load = house.load(now.wall);
                let net = self.load.net_w();
                net.zip(self.voltage).map(|(watts, voltage)| current_of(watts + extra_w, voltage).net_ma())
            }
            HouseSource::Fixed(amps) => {
                self.load = HouseLoad::default();
                let extra_ma = current_of(extra_w, self.build.voltage).net_ma();
                PerPhase::splat(i64::from(amps.0) + extra_ma)
            }
        };
        for phase in Phase::ALL {
            if !self.build.phases.phases().contains(&phase) {
                *self.house_ma.get_mut(phase) = 0;
            }
        }
    }

    fn feed_cars(&mut self, time: DurationMs) {
        let mut cars = PerPhase::<MilliAmps>::default();
        for outlet in self.devices.values_mut().filter_map(Device::outlet_mut) {
            cars = cars.zip(outlet.step(self.voltage, time)).map(|(sum, one)| sum + one);
        }
        self.cars_ma = cars;
        let drop = i64::from(self.build.drop_mv_per_a);
        let full = self.build.voltage;
        self.voltage = self.total_ma().map(|net_ma| {
            let lost = net_ma.saturating_mul(drop) / 1000;
            MilliVolts(u32::try_from(i64::from(full.0) - lost).unwrap_or(full.0))
        });
    }

    fn read_meters(&mut self, now: Now, time: DurationMs) {
        let (everything, house) = (self.total_ma(), self.house_ma);
        let solar =
            self.load.solar_w.zip(self.voltage).map(|(watts, voltage)| current_of(-i64::from(watts), voltage).net_ma());
        for device in self.devices.values_mut() {
            let Device::Meter(meter, measures) = device else { continue };
            let net_ma = match measures {
                Measures::Everything => everything,
                Measures::House => house,
                Measures::Solar => solar,
                Measures::Nothing => PerPhase::default(),
            };
            meter.measure(now, net_ma, self.voltage, time);
        }
    }

    /// What flows in from the grid per phase in mA; negative for export.
    #[must_use]
    pub fn total_ma(&self) -> PerPhase<i64> {
        self.house_ma.zip(self.cars_ma).map(|(house, cars)| house + i64::from(cars.0))
    }

    /// What everything but the chargers draws per phase in mA; negative for export.
    #[must_use]
    pub const fn house_ma(&self) -> PerPhase<i64> {
        self.house_ma
    }

    /// What the chargers draw per phase.
    #[must_use]
    pub const fn cars_ma(&self) -> PerPhase<MilliAmps> {
        self.cars_ma
    }

    /// The watched breakers of each phase.
    pub fn breakers(&self) -> impl Iterator<Item = (Phase, &Breaker)> {
        self.breakers.iter().map(|(phase, breaker)| (*phase, breaker))
    }

    /// All energy that flowed into cars, exact.
    #[must_use]
    pub fn delivered(&self) -> Energy {
        let mut sum = Energy::ZERO;
        for outlet in self.devices.values().filter_map(Device::outlet) {
            sum += outlet.delivered();
        }
        sum
    }

    /// Hangs a meter elsewhere; nothing happens when there is none of that name.
    pub fn set_measures(&mut self, name: &str, what: Measures) {
        if let Some(Device::Meter(_, measures)) = self.devices.get_mut(name) {
            *measures = what;
        }
    }

    /// Replaces the source of the house load.
    pub fn set_house(&mut self, house: HouseSource) {
        self.house = house;
    }

    /// Adds a load over all phases in watts; negative takes away.
    pub const fn set_extra_w(&mut self, watts: i64) {
        self.extra_w = watts;
    }

    /// The load added over all phases in watts.
    #[must_use]
    pub const fn extra_w(&self) -> i64 {
        self.extra_w
    }
}
