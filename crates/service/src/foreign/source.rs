//! How a meter of another maker is set up, as it is kept and as clients see it.

use api::ForeignRule;
use domain::Fact;
use foreign::{MappingError, Quantity, Rule};
use serde::{Deserialize, Serialize};

const SUBJECT: &str = "foreign/";
const NAME: &str = "source";

/// How its values arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Transport {
    /// It publishes.
    Mqtt,
    /// It is asked.
    Http {
        /// Where.
        url: String,
        /// Seconds between two questions.
        every_s: u32,
    },
}

/// A meter's set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) id: String,
    pub(crate) is_charger: bool,
    pub(crate) transport: Transport,
    pub(crate) three: bool,
    pub(crate) preset: Option<String>,
    pub(crate) rules: Vec<Rule>,
}

/// As it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    is_charger: bool,
    transport: Transport,
    three: bool,
    preset: Option<String>,
    rules: Vec<ForeignRule>,
}

impl Source {
    /// The set-up in a fact; `None` for facts of others.
    pub(crate) fn from_fact(fact: &Fact) -> Option<Self> {
        let id = fact.subject.strip_prefix(SUBJECT).filter(|_| fact.name == NAME)?;
        let kept: Kept = serde_json::from_str(fact.value.as_ref()?).ok()?;
        Some(Self {
            id: id.to_owned(),
            is_charger: kept.is_charger,
            transport: kept.transport,
            three: kept.three,
            preset: kept.preset,
            rules: read_rules(&kept.rules).ok()?,
        })
    }

    /// The fact that keeps it.
    pub(crate) fn to_fact(&self) -> Fact {
        let kept = Kept {
            is_charger: self.is_charger,
            transport: self.transport.clone(),
            three: self.three,
            preset: self.preset.clone(),
            rules: wire_rules(&self.rules),
        };
        // Plain values of our own: they can always be written.
        Fact { value: serde_json::to_string(&kept).ok(), ..Self::no_fact(&self.id) }
    }

    /// The fact that forgets it.
    pub(crate) fn no_fact(id: &str) -> Fact {
        Fact { subject: format!("{SUBJECT}{id}"), name: NAME.to_owned(), value: None }
    }
}

/// Rules of a request.
///
/// # Errors
/// Names a quantity that does not exist.
pub(crate) fn read_rules(rules: &[ForeignRule]) -> Result<Vec<Rule>, String> {
    let rule = |rule: &ForeignRule| {
        let quantity = Quantity::of_word(&rule.quantity).ok_or_else(|| {
            let known: Vec<&str> = Quantity::ALL.into_iter().map(Quantity::word).collect();
            format!("{:?} is no quantity; use one of {}", rule.quantity, known.join(", "))
        })?;
        let factor = if rule.factor.trim().is_empty() { "1".to_owned() } else { rule.factor.trim().to_owned() };
        Ok(Rule { topic: rule.topic.trim().to_owned(), path: rule.path.trim().to_owned(), quantity, factor })
    };
    let rules: Vec<Rule> = rules.iter().map(rule).collect::<Result<_, String>>()?;
    if !rules.is_empty() {
        foreign::Mapping::new(rules.clone()).map_err(|error: MappingError| error.to_string())?;
    }
    Ok(rules)
}

/// Rules for a client.
pub(crate) fn wire_rules(rules: &[Rule]) -> Vec<ForeignRule> {
    let wire = |rule: &Rule| ForeignRule {
        topic: rule.topic.clone(),
        path: rule.path.clone(),
        quantity: rule.quantity.word().to_owned(),
        factor: rule.factor.clone(),
    };
    rules.iter().map(wire).collect()
}
