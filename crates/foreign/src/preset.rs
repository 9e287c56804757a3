//! Mappings of common meters, from the makers' public descriptions of their interfaces.

use crate::{Quantity, Rule};
use domain::Phase;

/// A meter whose messages are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Preset {
    /// Shelly EM, first generation: two clamps of which the first is read.
    ShellyEm,
    /// Shelly 3EM, first generation.
    Shelly3em,
    /// Shelly Pro EM and other single-phase meters of the second generation and later.
    ShellyProEm,
    /// Shelly Pro 3EM and other three-phase meters of the second generation and later.
    ShellyPro3em,
    /// Anything with Tasmota's energy driver, one phase or three.
    Tasmota,
}

const PHASES: [(Phase, &str, usize); 3] = [(Phase::L1, "a", 0), (Phase::L2, "b", 1), (Phase::L3, "c", 2)];

impl Preset {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::ShellyEm, Self::Shelly3em, Self::ShellyProEm, Self::ShellyPro3em, Self::Tasmota];

    /// Its name outside.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ShellyEm => "shelly_em",
            Self::Shelly3em => "shelly_3em",
            Self::ShellyProEm => "shelly_pro_em",
            Self::ShellyPro3em => "shelly_pro_3em",
            Self::Tasmota => "tasmota",
        }
    }

    /// The preset of that name.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.word() == word)
    }

    /// As the maker calls it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::ShellyEm => "Shelly EM",
            Self::Shelly3em => "Shelly 3EM",
            Self::ShellyProEm => "Shelly Pro EM",
            Self::ShellyPro3em => "Shelly Pro 3EM",
            Self::Tasmota => "Tasmota",
        }
    }

    /// Phases it measures as a rule.
    #[must_use]
    pub const fn phases(self) -> u8 {
        match self {
            Self::ShellyEm | Self::ShellyProEm | Self::Tasmota => 1,
            Self::Shelly3em | Self::ShellyPro3em => 3,
        }
    }

    /// What is asked over HTTP, after the device's address.
    #[must_use]
    pub const fn http_path(self) -> &'static str {
        match self {
            Self::ShellyEm | Self::Shelly3em => "/status",
            Self::ShellyProEm | Self::ShellyPro3em => "/rpc/Shelly.GetStatus",
            Self::Tasmota => "/cm?cmnd=Status%208",
        }
    }

    /// Its mapping, for MQTT and HTTP together.
    #[must_use]
    pub fn rules(self) -> Vec<Rule> {
        match self {
            Self::ShellyEm => first_generation(&PHASES[..1]),
            Self::Shelly3em => first_generation(&PHASES),
            Self::ShellyProEm => pro_single(),
            Self::ShellyPro3em => pro_three(),
            Self::Tasmota => tasmota(),
        }
    }
}

fn rule(topic: &str, path: String, quantity: Quantity, factor: &str) -> Rule {
    Rule { topic: topic.to_owned(), path, quantity, factor: factor.to_owned() }
}

/// A topic for each value over MQTT, one document over HTTP. The currents of the three-phase one have no direction; its
/// powers do.
fn first_generation(phases: &[(Phase, &str, usize)]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (phase, _, index) in phases {
        let values = [
            ("power", Quantity::Power(*phase)),
            ("current", Quantity::Current(*phase)),
            ("voltage", Quantity::Voltage(*phase)),
            ("total", Quantity::Import(*phase)),
        ];
        for (name, quantity) in values {
            rules.push(rule(&format!("emeter/{index}/{name}"), String::new(), quantity, "1"));
            rules.push(rule("", format!("emeters[{index}].{name}"), quantity, "1"));
        }
    }
    rules
}

/// The component's own topic, the notifications of changes, and the whole status over HTTP.
fn everywhere(rules: &mut Vec<Rule>, component: &str, name: &str, quantity: Quantity) {
    rules.push(rule(&format!("status/{component}"), name.to_owned(), quantity, "1"));
    rules.push(rule("events/rpc", format!("params.{component}.{name}"), quantity, "1"));
    rules.push(rule("", format!("{component}.{name}"), quantity, "1"));
}

fn pro_single() -> Vec<Rule> {
    let mut rules = Vec::new();
    everywhere(&mut rules, "em1:0", "current", Quantity::Current(Phase::L1));
    everywhere(&mut rules, "em1:0", "voltage", Quantity::Voltage(Phase::L1));
    everywhere(&mut rules, "em1:0", "act_power", Quantity::Power(Phase::L1));
    everywhere(&mut rules, "em1data:0", "total_act_energy", Quantity::Import(Phase::L1));
    rules
}

fn pro_three() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (phase, letter, _) in PHASES {
        everywhere(&mut rules, "em:0", &format!("{letter}_current"), Quantity::Current(phase));
        everywhere(&mut rules, "em:0", &format!("{letter}_voltage"), Quantity::Voltage(phase));
        everywhere(&mut rules, "em:0", &format!("{letter}_act_power"), Quantity::Power(phase));
    }
    everywhere(&mut rules, "em:0", "total_act_power", Quantity::PowerTotal);
    everywhere(&mut rules, "emdata:0", "total_act", Quantity::ImportTotal);
    rules
}

/// The same block in the telemetry over MQTT and in the status over HTTP; lists for three phases, plain values for one.
fn tasmota() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (topic, start) in [("SENSOR", "ENERGY"), ("STATUS8", "StatusSNS.ENERGY"), ("", "StatusSNS.ENERGY")] {
        for (phase, _, index) in PHASES {
            rules.push(rule(topic, format!("{start}.Current[{index}]"), Quantity::Current(phase), "1"));
            rules.push(rule(topic, format!("{start}.Voltage[{index}]"), Quantity::Voltage(phase), "1"));
            rules.push(rule(topic, format!("{start}.Power[{index}]"), Quantity::Power(phase), "1"));
        }
        rules.push(rule(topic, format!("{start}.Total"), Quantity::ImportTotal, "1000"));
    }
    rules
}
