//! A charger that has nothing but an energy meter: sessions are told from the energy that flows.

use crate::{Mapping, MappingError, Meter, Quantity, Shape, Understood};
use domain::{
    ChargerEvent, ChargerSample, ConnectorNumber, ConnectorStatus, DurationMs, Flow, MeterSample, MilliAmps, Now,
    Phase, Provenance, ReplyKey, SessionRef, StartRequest, StatusDetail, StopReason, StopRequest, Timestamp, WattHours,
};

/// From this current on a car charges; a charger's own electronics take less.
const CHARGES: MilliAmps = MilliAmps(1_500);
/// Below for this long, and the session is over: cars pause for minutes while they balance their cells.
const PAUSE: DurationMs = DurationMs::from_secs(600);
/// Silence after which the meter counts as gone.
const SILENCE: DurationMs = DurationMs::from_secs(60);
/// Energy that flowed while nobody looked makes a session of its own from here on; less is the electronics' own.
const UNSEEN: WattHours = WattHours(1_000);

/// The machine of one such charger.
#[derive(Clone, Debug)]
pub struct Metered {
    meter: Meter,
    online: bool,
    heard_at: Timestamp,
    /// Whether a session runs.
    running: bool,
    /// Since when and from which register on nothing flows, while a session runs.
    below: Option<(Timestamp, WattHours)>,
    /// The register when it was last read.
    register: Option<WattHours>,
    replies: u64,
}

impl Metered {
    /// `register` is the newest that is known from before, `running` whether a session was open then.
    ///
    /// # Errors
    /// As [`Meter::new`], and when no register is mapped.
    pub fn new(
        mapping: Mapping,
        shape: Shape,
        register: Option<WattHours>,
        running: bool,
    ) -> Result<Self, MappingError> {
        let phases: &[Phase] = if shape.three { &Phase::ALL } else { &[Phase::L1] };
        let by_phase = phases.iter().all(|phase| mapping.has(Quantity::Import(*phase)));
        if !mapping.has(Quantity::ImportTotal) && !by_phase {
            return Err(MappingError::NoRegister);
        }
        Ok(Self {
            meter: Meter::new(mapping, shape)?,
            online: false,
            heard_at: Timestamp(0),
            running,
            below: None,
            register,
            replies: 0,
        })
    }

    /// The meter it has.
    #[must_use]
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Takes a message of the meter; says what was found and what follows.
    pub fn take(&mut self, now: Now, topic: &str, payload: &str) -> (Understood, Vec<ChargerEvent>) {
        let understood = self.meter.take(now, topic, payload);
        let events = understood.sample.map(|sample| self.measured(now, sample)).unwrap_or_default();
        (understood, events)
    }

    /// Wanted every second: notices silence.
    pub fn tick(&mut self, now: Now) -> Vec<ChargerEvent> {
        let silent = now.wall.0.saturating_sub(self.heard_at.0) > i64::try_from(SILENCE.0).unwrap_or(i64::MAX);
        if self.online && silent { self.gone() } else { Vec::new() }
    }

    /// Its link went down.
    pub fn gone(&mut self) -> Vec<ChargerEvent> {
        if std::mem::take(&mut self.online) { vec![ChargerEvent::Disconnected] } else { Vec::new() }
    }

    fn measured(&mut self, now: Now, sample: MeterSample) -> Vec<ChargerEvent> {
        let mut events = Vec::new();
        self.heard_at = now.wall;
        if !std::mem::replace(&mut self.online, true) {
            events.push(ChargerEvent::Connected);
            events.push(self.status(now));
        }
        let Some(energy) = sample.energy else { return events };
        let charges = Phase::ALL.iter().any(|phase| match sample.current.get(*phase) {
            Flow::Import(current) => *current >= CHARGES,
            Flow::Export(_) => false,
        });
        let before = self.register.replace(energy).unwrap_or(energy);
        let unseen = energy.saturating_sub(before) >= UNSEEN;
        if !self.running && (charges || unseen) {
            self.begin(now, sample.at, before.min(energy), unseen, &mut events);
        }
        events.push(self.values(&sample, energy));
        if self.running {
            self.watch(now, &sample, energy, charges, &mut events);
        }
        events
    }

    fn begin(&mut self, now: Now, at: Timestamp, meter: WattHours, unseen: bool, out: &mut Vec<ChargerEvent>) {
        self.running = true;
        self.below = None;
        let provenance = if unseen { Provenance::ReceivedLate } else { Provenance::Measured };
        let request = StartRequest { connector: ConnectorNumber(1), card: None, at, meter, provenance };
        out.push(ChargerEvent::SessionStarted { reply: self.next_reply(), request });
        out.push(self.status(now));
    }

    /// Ends the session once nothing has flowed for long, with the time and the register of then.
    fn watch(&mut self, now: Now, sample: &MeterSample, energy: WattHours, charges: bool, out: &mut Vec<ChargerEvent>) {
        if charges {
            self.below = None;
            return;
        }
        let (since, _) = *self.below.get_or_insert((sample.at, energy));
        let paused = sample.at.0.saturating_sub(since.0) >= i64::try_from(PAUSE.0).unwrap_or(i64::MAX);
        if !paused {
            return;
        }
        self.running = false;
        self.below = None;
        let request = StopRequest {
            session: SessionRef::Unknown,
            card: None,
            at: since,
            meter: energy,
            reason: StopReason::Other,
            provenance: Provenance::Measured,
        };
        out.push(ChargerEvent::SessionStopped { reply: self.next_reply(), request });
        out.push(self.status(now));
    }

    fn values(&self, sample: &MeterSample, energy: WattHours) -> ChargerEvent {
        let amount = |flow: &Flow<MilliAmps>| match flow {
            Flow::Import(current) => *current,
            Flow::Export(_) => MilliAmps::ZERO,
        };
        let phases: &[Phase] = if self.meter.shape().three { &Phase::ALL } else { &[Phase::L1] };
        let sample = ChargerSample {
            at: sample.at,
            current_per_wire: phases.iter().map(|phase| amount(sample.current.get(*phase))).collect(),
            power: sample.power.map(|power| match power {
                Flow::Import(power) => power,
                Flow::Export(_) => domain::Watts::ZERO,
            }),
            voltage_per_wire: sample
                .voltage
                .map(|voltage| phases.iter().map(|phase| *voltage.get(*phase)).collect())
                .unwrap_or_default(),
            energy: Some(energy),
            ..ChargerSample::default()
        };
        ChargerEvent::Measured { connector: Some(ConnectorNumber(1)), session: None, sample }
    }

    fn status(&self, now: Now) -> ChargerEvent {
        ChargerEvent::Status {
            connector: Some(ConnectorNumber(1)),
            status: if self.running { ConnectorStatus::Charging } else { ConnectorStatus::Available },
            detail: StatusDetail::default(),
            at: now.wall,
        }
    }

    const fn next_reply(&mut self) -> ReplyKey {
        self.replies += 1;
        ReplyKey(self.replies)
    }
}
