//! Which value of which message is which quantity.

use crate::number::Milli;
use crate::path::Path;
use domain::Phase;
use serde_json::Value;

/// More rules than a meter has values.
const RULES_MAX: usize = 64;
/// Longest topic of a rule.
const TOPIC_CHARS_MAX: usize = 200;

/// What a meter can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Current of a phase in A; below zero flows out.
    Current(Phase),
    /// Voltage of a phase in V.
    Voltage(Phase),
    /// Active power of a phase in W; below zero flows out.
    Power(Phase),
    /// Active power of all phases in W; below zero flows out.
    PowerTotal,
    /// Import register of a phase in Wh.
    Import(Phase),
    /// Import register in Wh.
    ImportTotal,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Current(Phase::L1),
        Self::Current(Phase::L2),
        Self::Current(Phase::L3),
        Self::Voltage(Phase::L1),
        Self::Voltage(Phase::L2),
        Self::Voltage(Phase::L3),
        Self::Power(Phase::L1),
        Self::Power(Phase::L2),
        Self::Power(Phase::L3),
        Self::PowerTotal,
        Self::Import(Phase::L1),
        Self::Import(Phase::L2),
        Self::Import(Phase::L3),
        Self::ImportTotal,
    ];

    /// Its name outside, with its unit.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Current(Phase::L1) => "current_l1_a",
            Self::Current(Phase::L2) => "current_l2_a",
            Self::Current(Phase::L3) => "current_l3_a",
            Self::Voltage(Phase::L1) => "voltage_l1_v",
            Self::Voltage(Phase::L2) => "voltage_l2_v",
            Self::Voltage(Phase::L3) => "voltage_l3_v",
            Self::Power(Phase::L1) => "power_l1_w",
            Self::Power(Phase::L2) => "power_l2_w",
            Self::Power(Phase::L3) => "power_l3_w",
            Self::PowerTotal => "power_w",
            Self::Import(Phase::L1) => "import_l1_wh",
            Self::Import(Phase::L2) => "import_l2_wh",
            Self::Import(Phase::L3) => "import_l3_wh",
            Self::ImportTotal => "import_wh",
        }
    }

    /// The quantity of that name.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quantity| quantity.word() == word)
    }

    /// Whether a sample is made when it arrives: it tells what flows now.
    pub(crate) const fn is_load(self) -> bool {
        match self {
            Self::Current(_) | Self::Power(_) | Self::PowerTotal => true,
            Self::Voltage(_) | Self::Import(_) | Self::ImportTotal => false,
        }
    }
}

/// One value of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The end of the message's topic, such as `status/em:0`; empty for every topic, and over HTTP.
    pub topic: String,
    /// Where in the JSON; empty for a message that is nothing but the number.
    pub path: String,
    /// What it is.
    pub quantity: Quantity,
    /// The value is multiplied with this decimal number, such as `1000` for kWh or `-1` for the other direction.
    pub factor: String,
}

/// Why a mapping cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// There is nothing in it.
    #[error("add at least one value: where it stands in the message and what it is")]
    Empty,
    /// More than a meter has.
    #[error("a mapping has at most 64 values; remove some")]
    TooMany,
    /// Not a path.
    #[error("{0:?} is no place in a message; write it like emeters[0].current")]
    Path(String),
    /// Not a number.
    #[error("{0:?} is no factor; write a number such as 1000 or -1")]
    Factor(String),
    /// Not the end of a topic.
    #[error("{0:?} is no end of a topic; write it like status/em:0, without wildcards")]
    Topic(String),
    /// Nothing tells what flows.
    #[error("map the current or the power of {0}; without it nothing can be kept within its limit")]
    NoLoad(&'static str),
    /// A charger without a register cannot be billed.
    #[error("map import_wh or import_l1_wh; without an energy register a charger cannot be billed")]
    NoRegister,
}

/// All rules of a meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    rules: Vec<(Rule, Path)>,
}

impl Mapping {
    /// Checks the rules.
    ///
    /// # Errors
    /// Says which cannot be used and what to write instead.
    pub fn new(rules: Vec<Rule>) -> Result<Self, MappingError> {
        match rules.len() {
            0 => return Err(MappingError::Empty),
            1..=RULES_MAX => {}
            _ => return Err(MappingError::TooMany),
        }
        let mut parsed = Vec::with_capacity(rules.len());
        for rule in rules {
            let is_topic = rule.topic.chars().count() <= TOPIC_CHARS_MAX
                && !rule.topic.contains(['+', '#', '\0'])
                && !rule.topic.starts_with('/');
            if !is_topic {
                return Err(MappingError::Topic(rule.topic));
            }
            let Some(path) = Path::parse(&rule.path) else { return Err(MappingError::Path(rule.path)) };
            match Milli::read("1", &rule.factor) {
                Some(factor) if factor != Milli(0) => {}
                Some(_) | None => return Err(MappingError::Factor(rule.factor)),
            }
            parsed.push((rule, path));
        }
        Ok(Self { rules: parsed })
    }

    /// The rules, in order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|(rule, _)| rule)
    }

    /// Whether a quantity is mapped.
    #[must_use]
    pub fn has(&self, quantity: Quantity) -> bool {
        self.rules.iter().any(|(rule, _)| rule.quantity == quantity)
    }

    /// What a message says. `topic` is empty over HTTP. The first rule that finds a value of a quantity counts.
    #[must_use]
    pub fn read(&self, topic: &str, payload: &str) -> Vec<(Quantity, Milli)> {
        // A message that is no JSON may still be a bare number.
        let value = serde_json::from_str(payload).unwrap_or_else(|_no_json| Value::String(payload.trim().to_owned()));
        let mut found: Vec<(Quantity, Milli)> = Vec::new();
        for (rule, path) in self.rules.iter().filter(|(rule, _)| ends_with(topic, &rule.topic)) {
            let number = path.find(&value).and_then(text_of).and_then(|text| Milli::read(&text, &rule.factor));
            if let Some(number) = number
                && !found.iter().any(|(quantity, _)| *quantity == rule.quantity)
            {
                found.push((rule.quantity, number));
            }
        }
        found
    }
}

/// Whether a topic ends with these whole levels.
fn ends_with(topic: &str, end: &str) -> bool {
    end.is_empty() || topic.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(topic: &str, path: &str, quantity: Quantity, factor: &str) -> Rule {
        Rule { topic: topic.to_owned(), path: path.to_owned(), quantity, factor: factor.to_owned() }
    }

    /// Every quantity has a name of its own that leads back to it: names are what is stored.
    #[test]
    fn words_lead_back() {
        for quantity in Quantity::ALL {
            assert_eq!(Quantity::of_word(quantity.word()), Some(quantity));
        }
        assert_eq!(Quantity::of_word("power"), None);
    }

    /// A topic counts only in whole levels, so that `power` does not read `reactive_power`.
    #[test]
    fn topics_are_compared_by_level() {
        let mapping = Mapping::new(vec![rule("emeter/0/power", "", Quantity::Power(Phase::L1), "1")]).unwrap();
        assert_eq!(mapping.read("shellies/a/emeter/0/power", "12.5").len(), 1);
        assert_eq!(mapping.read("emeter/0/power", "12.5").len(), 1);
        assert_eq!(mapping.read("shellies/a/xemeter/0/power", "12.5"), []);
        assert_eq!(mapping.read("shellies/a/emeter/0/reactive_power", "12.5"), []);
    }

    /// A mistake in a mapping is told with what to write, before it is kept.
    #[test]
    fn mistakes_are_told() {
        let power = Quantity::PowerTotal;
        let wrong = |rules: Vec<Rule>| Mapping::new(rules).unwrap_err().to_string();
        assert!(wrong(Vec::new()).contains("at least one"));
        assert!(wrong(vec![rule("", "a[", power, "1")]).contains("emeters[0]"));
        assert!(wrong(vec![rule("", "a", power, "0")]).contains("factor"));
        assert!(wrong(vec![rule("", "a", power, "x")]).contains("factor"));
        assert!(wrong(vec![rule("a/#", "", power, "1")]).contains("wildcards"));
        assert!(wrong(vec![rule("", "a", power, "1"); 65]).contains("64"));
    }
}
