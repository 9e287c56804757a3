//! A machine with a clock, and short ways to speak to it.

use domain::{
    ChargerEvent, ChargerId, ConnectorNumber, DurationMs, Instant, MeterEvent, MeterId, MilliAmps, Now, Timestamp,
};
use mesh::wire::{ManagerBody, ManagerMessage};
use mesh::{Gate, Input, KnownCharger, KnownMeter, Mesh, MeshConfig, Output, Trust};

/// 2026-09-01 00:00 UTC.
pub(crate) const WALL: i64 = 1_788_220_800_000;

pub(crate) const ONE: ConnectorNumber = ConnectorNumber(1);

pub(crate) fn charger(name: &str) -> ChargerId {
    ChargerId::new(name).unwrap()
}

pub(crate) fn meter(name: &str) -> MeterId {
    MeterId::new(name).unwrap()
}

pub(crate) struct World {
    pub(crate) mesh: Mesh,
    pub(crate) now: Now,
}

impl World {
    /// Nobody is known; at most two meters may register.
    pub(crate) fn empty() -> Self {
        Self::new(MeshConfig { max_meters: 2, ..MeshConfig::default() })
    }

    /// Counter-1 and Charger-1 are approved and connected.
    pub(crate) fn running() -> Self {
        let mut world = Self::new(MeshConfig {
            meters: vec![KnownMeter { id: meter("Counter-1"), approved: true }],
            chargers: vec![KnownCharger {
                id: charger("Charger-1"),
                meter: Some(meter("Counter-1")),
                approved: true,
                fallback: MilliAmps::from_amps(6),
                connectors: 1,
            }],
            max_meters: 2,
            ..MeshConfig::default()
        });
        world.give(Input::Connected { client: "Counter-1" });
        world.give(Input::Connected { client: "Charger-1" });
        world
    }

    pub(crate) fn new(config: MeshConfig) -> Self {
        Self { mesh: Mesh::new(config), now: Now { instant: Instant(0), wall: Timestamp(WALL) } }
    }

    pub(crate) fn give(&mut self, input: Input<'_>) -> Vec<Output> {
        self.mesh.handle(self.now, input)
    }

    /// A proven device publishes JSON.
    pub(crate) fn say(&mut self, client: &str, topic: &str, json: &str) -> Vec<Output> {
        self.give(Input::Message { client, trust: Trust::Proven, topic, payload: json.as_bytes() })
    }

    /// A stranger publishes JSON.
    pub(crate) fn stranger_says(&mut self, client: &str, topic: &str, json: &str) -> Vec<Output> {
        self.give(Input::Message { client, trust: Trust::Quarantined, topic, payload: json.as_bytes() })
    }

    /// Charger-1 publishes a 0x022 with these fields.
    pub(crate) fn status(&mut self, fields: &str) -> Vec<Output> {
        let json = format!(r#"{{"v":1,"code":"0x022","from":"Charger-1","id":7,{fields}}}"#);
        self.say("Charger-1", "Charger-1", &json)
    }

    /// Time passes, second by second; everything that came out, with its second.
    pub(crate) fn pass(&mut self, seconds: u64) -> Vec<(u64, Output)> {
        let mut all = Vec::new();
        for _ in 0..seconds {
            self.now.instant = self.now.instant + DurationMs(1000);
            self.now.wall = self.now.wall + DurationMs(1000);
            let second = self.now.instant.0 / 1000;
            all.extend(self.give(Input::Tick).into_iter().map(|output| (second, output)));
        }
        all
    }
}

/// The one notice among outputs.
pub(crate) fn notice(outputs: &[Output]) -> &str {
    let mut notices = outputs.iter().filter_map(|output| match output {
        Output::Notice(text) => Some(text.as_str()),
        _ => None,
    });
    let first = notices.next().unwrap_or_default();
    assert_eq!(notices.next(), None, "one notice at a time");
    first
}

/// What was published, read back the way a device reads it.
pub(crate) fn published(outputs: &[Output]) -> Vec<(String, ManagerMessage, Gate)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Publish { topic, payload, gate } => {
                Some((topic.clone(), ManagerMessage::decode(payload).unwrap().unwrap(), *gate))
            }
            _ => None,
        })
        .collect()
}

/// The bodies of what was published.
pub(crate) fn bodies(outputs: &[Output]) -> Vec<ManagerBody> {
    published(outputs).into_iter().map(|(_, message, _)| message.body).collect()
}

pub(crate) fn charger_events(outputs: &[Output]) -> Vec<ChargerEvent> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Charger { event, .. } => Some(event.clone()),
            _ => None,
        })
        .collect()
}

pub(crate) fn meter_events(outputs: &[Output]) -> Vec<MeterEvent> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Meter { event, .. } => Some(*event),
            _ => None,
        })
        .collect()
}
