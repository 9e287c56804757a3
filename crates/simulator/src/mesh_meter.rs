//! A meter ("electrical counter") that speaks IEVCC over MQTT, as a machine without IO.

use crate::energy::Energy;
use domain::{
    DurationMs, Flow, Instant, MeterId, MeterSample, MilliAmps, MilliVolts, Now, PerPhase, PhaseCount, Watts,
};
use mesh::wire::{CounterLoad, DeviceBody, DeviceMessage, HELLO_TOPIC, ManagerBody, ManagerMessage, NewCounter};

/// Something that happens to a device on MQTT.
#[derive(Clone, Debug, PartialEq)]
pub enum MeshInput<'a> {
    /// Its connection is open and its own topic subscribed, as far as the broker lets it.
    LinkUp,
    /// Its connection is gone.
    LinkDown,
    /// A message arrived on its topic.
    Message(&'a [u8]),
    /// Time passed; several times a second.
    Tick,
    /// Someone plugs a car in; chargers only.
    Plug(crate::VirtualCar),
    /// Someone pulls the cable; chargers only.
    Unplug,
    /// Someone holds a card to the reader; chargers only.
    Tap(domain::CardUid),
}

/// What the device does in return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeshOutput {
    /// Publish a message.
    Publish {
        /// Where.
        topic: String,
        /// One JSON message.
        payload: Vec<u8>,
    },
    /// Close the connection; it restarts and connects again.
    Close,
}

/// Whether the manager knows the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Membership {
    /// It must announce itself, not before then.
    Stranger(Instant),
    /// Registered; sends its load this often, if it was approved.
    Member { approved: bool, report: DurationMs },
}

/// Time between two announcements without an answer.
pub(crate) const ANNOUNCE_MS: u64 = 5_000;

/// A meter.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshMeter {
    id: MeterId,
    phases: PhaseCount,
    linked: bool,
    membership: Membership,
    sample: MeterSample,
    imported: Energy,
    next_report: Instant,
    messages: u64,
}

impl MeshMeter {
    /// A meter without a link.
    #[must_use]
    pub fn new(id: MeterId, phases: PhaseCount) -> Self {
        Self {
            id,
            phases,
            linked: false,
            membership: Membership::Stranger(Instant::default()),
            sample: MeterSample::default(),
            imported: Energy::ZERO,
            next_report: Instant::default(),
            messages: 0,
        }
    }

    /// Takes one input; returns what to do on the wire.
    pub fn handle(&mut self, now: Now, input: MeshInput<'_>) -> Vec<MeshOutput> {
        match input {
            MeshInput::LinkUp => {
                self.linked = true;
                self.membership = Membership::Stranger(now.instant);
            }
            MeshInput::LinkDown => self.linked = false,
            MeshInput::Message(payload) => self.receive(now, payload),
            MeshInput::Tick | MeshInput::Plug(_) | MeshInput::Unplug | MeshInput::Tap(_) => {}
        }
        if self.linked { self.progress(now) } else { Vec::new() }
    }

    fn receive(&mut self, now: Now, payload: &[u8]) {
        let Ok(Some(message)) = ManagerMessage::decode(payload) else { return };
        match message.body {
            ManagerBody::CounterRegistered(registered) => {
                let report = DurationMs::from_secs(u64::from(registered.report_s.max(1)));
                self.membership = Membership::Member { approved: registered.approved, report };
            }
            ManagerBody::CounterRemoved => {
                self.membership = Membership::Stranger(now.instant + DurationMs(ANNOUNCE_MS))
            }
            ManagerBody::ChargerRegistered(_)
            | ManagerBody::ChargerRemoved
            | ManagerBody::Order(_)
            | ManagerBody::AvailableLoad(_)
            | ManagerBody::Refused(..) => {}
        }
    }

    fn progress(&mut self, now: Now) -> Vec<MeshOutput> {
        match self.membership {
            Membership::Stranger(at) if now.instant >= at => {
                self.membership = Membership::Stranger(now.instant + DurationMs(ANNOUNCE_MS));
                let body = NewCounter { vendor: "Meshwatt".to_owned(), model: "Virtual counter".to_owned() };
                vec![self.publish(HELLO_TOPIC, DeviceBody::NewCounter(body))]
            }
            Membership::Member { approved: true, report } if now.instant >= self.next_report => {
                self.next_report = now.instant + report;
                let topic = self.id.to_string();
                let load = DeviceBody::CounterLoad(self.load());
                vec![self.publish(&topic, load)]
            }
            Membership::Stranger(_) | Membership::Member { .. } => Vec::new(),
        }
    }

    fn publish(&mut self, topic: &str, body: DeviceBody) -> MeshOutput {
        self.messages += 1;
        let message = DeviceMessage { from: self.id.to_string(), id: Some(self.messages), re: None, body };
        MeshOutput::Publish { topic: topic.to_owned(), payload: message.encode() }
    }

    fn load(&self) -> CounterLoad {
        let list = |values: PerPhase<u32>| -> Vec<u32> {
            self.phases.phases().iter().map(|phase| *values.get(*phase)).collect()
        };
        let export = self.sample.current.map(|flow| match flow {
            Flow::Import(_) => 0,
            Flow::Export(amps) => amps.0,
        });
        let (power_w, export_w) = match self.sample.power {
            Some(Flow::Import(power)) => (Some(power.0), None),
            Some(Flow::Export(power)) => (Some(0), Some(power.0)),
            None => (None, None),
        };
        CounterLoad {
            at_ms: Some(self.sample.at.0),
            current_ma: list(self.sample.current.map(|flow| match flow {
                Flow::Import(amps) => amps.0,
                Flow::Export(_) => 0,
            })),
            export_ma: list(export),
            voltage_mv: self.sample.voltage.map(|volts| list(volts.map(|v| v.0))).unwrap_or_default(),
            power_w,
            export_w,
            energy_wh: Some(self.imported.wh().0),
        }
    }

    /// Puts on the meter what flows through its circuit; import counts on its register.
    pub fn measure(&mut self, now: Now, net_ma: PerPhase<i64>, voltage: PerPhase<MilliVolts>, time: DurationMs) {
        let mut net_uw = 0_i64;
        for (phase, net) in net_ma.iter() {
            let volts = *voltage.get(phase);
            net_uw = net_uw.saturating_add(net.saturating_mul(i64::from(volts.0)));
            let import = MilliAmps(u32::try_from((*net).max(0)).unwrap_or(u32::MAX));
            self.imported += Energy::flow(import, volts, time);
        }
        self.sample = MeterSample {
            at: now.wall,
            current: net_ma.map(Flow::from_net_ma),
            voltage: Some(voltage),
            power: Some(Flow::<Watts>::from_net_w(net_uw / 1_000_000)),
            energy: Some(self.imported.wh()),
        };
    }

    /// What it shows now.
    #[must_use]
    pub const fn sample(&self) -> &MeterSample {
        &self.sample
    }

    /// Its identity, user name and topic.
    #[must_use]
    pub const fn id(&self) -> &MeterId {
        &self.id
    }

    /// Whether the manager let it in.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.linked && matches!(self.membership, Membership::Member { approved: true, .. })
    }
}
