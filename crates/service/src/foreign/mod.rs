//! Meters of other makers: which there are, what they said last, and asking those that speak HTTP.

mod poll;
mod source;

pub(crate) use self::poll::{fetch, poll};
pub(crate) use self::source::{Source, Transport, read_rules, wire_rules};

use domain::{ChargerEvent, ChargerId, Fact, MeterEvent, MeterId, MilliVolts, Now, Timestamp, WattHours};
use foreign::{Mapping, MappingError, Meter, Metered, Milli, Quantity, Shape};
use std::collections::BTreeMap;

/// Topics remembered of each meter for the preview.
const TOPICS_MAX: usize = 48;
/// Longest text remembered of a message; the status of a device has a few kB.
const TEXT_CHARS_MAX: usize = 4_000;

/// What reads a meter's messages.
#[derive(Clone, Debug)]
enum Machine {
    /// A meter of a circuit.
    Meter(Box<Meter>),
    /// A charger with nothing but a meter.
    Charger(Box<Metered>),
    /// Nothing yet: no mapping was given.
    Listening,
}

/// What follows from a message.
pub(crate) enum Told {
    /// For a meter.
    Meter(MeterId, MeterEvent),
    /// For a charger.
    Charger(ChargerId, ChargerEvent),
}

/// One meter with what it said.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// How it is set up.
    pub(crate) source: Source,
    machine: Machine,
    /// The newest message of each topic.
    pub(crate) messages: BTreeMap<String, (Timestamp, String)>,
    /// When it was last heard.
    pub(crate) heard_at: Option<Timestamp>,
    /// Why asking it failed; empty when it did not.
    pub(crate) problem: String,
}

/// All of them, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForeignMeters(BTreeMap<String, Known>);

impl ForeignMeters {
    /// Those of the last run. `register` gives a charger's newest register and whether a session of it is open.
    pub(crate) fn from_facts(
        facts: &[Fact],
        nominal: MilliVolts,
        register: impl Fn(&str) -> (Option<WattHours>, bool),
    ) -> Self {
        let mut all = Self::default();
        for source in facts.iter().filter_map(Source::from_fact) {
            let (energy, running) = register(&source.id);
            match Known::new(source, nominal, energy, running) {
                Ok(known) => drop(all.0.insert(known.source.id.clone(), known)),
                Err(error) => tracing::error!(%error, "a meter's mapping cannot be used any more; enter it anew"),
            }
        }
        all
    }

    /// Whether a device is one of them.
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.0.values()
    }

    /// Adds or replaces one; what it said before stays for the preview.
    pub(crate) fn put(
        &mut self,
        source: Source,
        nominal: MilliVolts,
        register: (Option<WattHours>, bool),
    ) -> Result<(), MappingError> {
        let mut known = Known::new(source, nominal, register.0, register.1)?;
        if let Some(before) = self.0.remove(&known.source.id) {
            (known.messages, known.heard_at) = (before.messages, before.heard_at);
        }
        self.0.insert(known.source.id.clone(), known);
        Ok(())
    }

    /// Forgets one.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        self.0.remove(id).is_some()
    }

    /// A message arrived; `topic` is empty over HTTP.
    pub(crate) fn take(&mut self, now: Now, id: &str, topic: &str, text: &str) -> Vec<Told> {
        self.0.get_mut(id).map(|known| known.take(now, topic, text)).unwrap_or_default()
    }

    /// Asking one failed.
    pub(crate) fn failed(&mut self, id: &str, problem: String) {
        if let Some(known) = self.0.get_mut(id) {
            known.problem = problem;
        }
    }

    /// The link of one went up or down.
    pub(crate) fn link(&mut self, id: &str, is_up: bool) -> Vec<Told> {
        let Some(known) = self.0.get_mut(id) else { return Vec::new() };
        match &mut known.machine {
            Machine::Meter(_) => {
                let event = if is_up { MeterEvent::Connected } else { MeterEvent::Disconnected };
                MeterId::new(id).map(|id| vec![Told::Meter(id, event)]).unwrap_or_default()
            }
            Machine::Charger(metered) if !is_up => told(id, metered.gone()),
            Machine::Charger(_) | Machine::Listening => Vec::new(),
        }
    }

    /// Wanted every second.
    pub(crate) fn tick(&mut self, now: Now) -> Vec<Told> {
        let machines = self.0.iter_mut().filter_map(|(id, known)| match &mut known.machine {
            Machine::Charger(metered) => Some(told(id, metered.tick(now))),
            Machine::Meter(_) | Machine::Listening => None,
        });
        machines.flatten().collect()
    }
}

fn told(id: &str, events: Vec<ChargerEvent>) -> Vec<Told> {
    let Ok(id) = ChargerId::new(id) else { return Vec::new() };
    events.into_iter().map(|event| Told::Charger(id.clone(), event)).collect()
}

impl Known {
    fn new(
        source: Source,
        nominal: MilliVolts,
        register: Option<WattHours>,
        running: bool,
    ) -> Result<Self, MappingError> {
        let machine = machine(&source, nominal, register, running)?;
        Ok(Self { source, machine, messages: BTreeMap::new(), heard_at: None, problem: String::new() })
    }

    fn take(&mut self, now: Now, topic: &str, text: &str) -> Vec<Told> {
        self.heard_at = Some(now.wall);
        self.problem.clear();
        let kept: String = text.chars().take(TEXT_CHARS_MAX).collect();
        self.messages.insert(topic.to_owned(), (now.wall, kept));
        if self.messages.len() > TOPICS_MAX {
            let oldest = self.messages.iter().min_by_key(|(_, (at, _))| *at).map(|(topic, _)| topic.clone());
            drop(oldest.and_then(|topic| self.messages.remove(&topic)));
        }
        match &mut self.machine {
            Machine::Meter(meter) => {
                let sample = meter.take(now, topic, text).sample;
                let told = sample.and_then(|sample| {
                    Some(Told::Meter(MeterId::new(&self.source.id).ok()?, MeterEvent::Measured(sample)))
                });
                told.into_iter().collect()
            }
            Machine::Charger(metered) => told(&self.source.id, metered.take(now, topic, text).1),
            Machine::Listening => Vec::new(),
        }
    }
}

fn machine(
    source: &Source,
    nominal: MilliVolts,
    register: Option<WattHours>,
    running: bool,
) -> Result<Machine, MappingError> {
    if source.rules.is_empty() {
        return Ok(Machine::Listening);
    }
    let mapping = Mapping::new(source.rules.clone())?;
    let shape = Shape { three: source.three, nominal };
    Ok(if source.is_charger {
        Machine::Charger(Box::new(Metered::new(mapping, shape, register, running)?))
    } else {
        Machine::Meter(Box::new(Meter::new(mapping, shape)?))
    })
}

/// Whether a set-up can be used.
///
/// # Errors
/// Says what is wrong with the mapping.
pub(crate) fn check(source: &Source, nominal: MilliVolts) -> Result<(), MappingError> {
    machine(source, nominal, None, false).map(|_machine| ())
}

/// What a mapping makes of messages: for the preview.
pub(crate) struct Reading {
    pub(crate) values: Vec<(Quantity, Milli)>,
    pub(crate) sample: Option<domain::MeterSample>,
    /// What is missing.
    pub(crate) problem: String,
}

/// Reads messages as a meter with this set-up would, each at its time.
pub(crate) fn read<'a>(
    source: &Source,
    nominal: MilliVolts,
    now: Now,
    messages: impl Iterator<Item = (&'a str, Timestamp, &'a str)>,
) -> Reading {
    let nothing = |problem: String| Reading { values: Vec::new(), sample: None, problem };
    if let Err(error) = machine(source, nominal, None, false) {
        return nothing(error.to_string());
    }
    let mapping = match Mapping::new(source.rules.clone()) {
        Ok(mapping) => mapping,
        Err(error) => return nothing(error.to_string()),
    };
    let mut meter = match Meter::new(mapping, Shape { three: source.three, nominal }) {
        Ok(meter) => meter,
        Err(error) => return nothing(error.to_string()),
    };
    let mut sample = None;
    for (topic, at, text) in messages {
        let taken = meter.take(Now { wall: at.min(now.wall), ..now }, topic, text);
        sample = taken.sample.or(sample);
    }
    let values: Vec<(Quantity, Milli)> = meter.known().map(|(quantity, _, value)| (quantity, value)).collect();
    let problem = match (values.is_empty(), sample.is_none()) {
        (true, _) => "Nothing in these messages was understood; compare topics and places with the mapping",
        (false, true) => "Not every phase is known yet; wait for more messages or check the mapping",
        (false, false) => "",
    };
    Reading { values, sample, problem: problem.to_owned() }
}
