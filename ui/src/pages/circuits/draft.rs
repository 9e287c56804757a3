//! The drawing an electrician edits: the tree, what protects it and what hangs where. Pure; saved as a whole.

use crate::format::{field_number, read_number};
use crate::text::Text;
use api::{ChargerItem, ChargerPlace, CircuitItem, CircuitList, DeviceItem, Language, MeterItem, MeterPlace, Snapshot};
use domain::BreakerCurve;

/// Largest rating a circuit can have, as the server checks.
const AMPS_MAX: f64 = 6300.0;

/// Kinds of protection, as the form offers them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DeviceKind {
    /// Nobody said.
    #[default]
    Unknown,
    /// A breaker of curve B.
    BreakerB,
    /// A breaker of curve C.
    BreakerC,
    /// A breaker of curve D.
    BreakerD,
    /// The French meter.
    Linky,
    /// The Spanish meter.
    SpanishIcp,
    /// The Portuguese meter.
    PortugueseDcp,
    /// Thermal with known figures.
    Thermal,
    /// A fixed delay.
    DefiniteTime,
}

impl DeviceKind {
    /// All of them, in the order of the selector.
    pub(crate) const ALL: [Self; 9] = [
        Self::Unknown,
        Self::BreakerB,
        Self::BreakerC,
        Self::BreakerD,
        Self::PortugueseDcp,
        Self::SpanishIcp,
        Self::Linky,
        Self::Thermal,
        Self::DefiniteTime,
    ];

    /// Its name.
    pub(crate) const fn name(self) -> Text {
        match self {
            Self::Unknown => Text::DeviceUnknown,
            Self::BreakerB => Text::DeviceBreakerB,
            Self::BreakerC => Text::DeviceBreakerC,
            Self::BreakerD => Text::DeviceBreakerD,
            Self::Linky => Text::DeviceLinky,
            Self::SpanishIcp => Text::DeviceSpanishIcp,
            Self::PortugueseDcp => Text::DevicePortugueseDcp,
            Self::Thermal => Text::DeviceThermal,
            Self::DefiniteTime => Text::DeviceDefiniteTime,
        }
    }

    /// Whether it has a rated current of its own.
    pub(crate) const fn is_rated(self) -> bool {
        match self {
            Self::BreakerB | Self::BreakerC | Self::BreakerD | Self::Thermal | Self::DefiniteTime => true,
            Self::Unknown | Self::Linky | Self::SpanishIcp | Self::PortugueseDcp => false,
        }
    }

    const fn of(device: Option<&DeviceItem>) -> Self {
        match device {
            None => Self::Unknown,
            Some(DeviceItem::Breaker { curve: BreakerCurve::B, .. }) => Self::BreakerB,
            Some(DeviceItem::Breaker { curve: BreakerCurve::C, .. }) => Self::BreakerC,
            Some(DeviceItem::Breaker { curve: BreakerCurve::D, .. }) => Self::BreakerD,
            Some(DeviceItem::Linky) => Self::Linky,
            Some(DeviceItem::SpanishIcp) => Self::SpanishIcp,
            Some(DeviceItem::PortugueseDcp) => Self::PortugueseDcp,
            Some(DeviceItem::Thermal { .. }) => Self::Thermal,
            Some(DeviceItem::DefiniteTime { .. }) => Self::DefiniteTime,
        }
    }
}

/// A circuit as it is typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DraftCircuit {
    /// Identity; kept when the name changes.
    pub(crate) id: String,
    /// Name.
    pub(crate) name: String,
    /// What it hangs on.
    pub(crate) parent: Option<String>,
    /// Rated amps of each phase.
    pub(crate) rated: Vec<String>,
    /// Amps of the cable; empty when it is no narrower.
    pub(crate) cable: String,
    /// What protects it.
    pub(crate) device: DeviceKind,
    /// Rated amps of the device.
    pub(crate) device_rated: String,
    /// Trip level of a thermal device, or ratio of a fixed delay.
    pub(crate) level: String,
    /// Time constant, or delay, in seconds.
    pub(crate) seconds: String,
    /// Limit per phase that was set without a rating.
    limit: Vec<f64>,
}

/// A charger as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DraftCharger {
    /// Which.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Where it hangs.
    pub(crate) circuit: String,
    /// Grid phase of each wire.
    pub(crate) phases: Vec<u8>,
    /// Whether they are known.
    pub(crate) rotation_known: bool,
}

/// A meter as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DraftMeter {
    /// Which.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What it measures.
    pub(crate) circuit: String,
}

/// A drawing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Draft {
    /// The circuits.
    pub(crate) circuits: Vec<DraftCircuit>,
    /// The chargers.
    pub(crate) chargers: Vec<DraftCharger>,
    /// The meters.
    pub(crate) meters: Vec<DraftMeter>,
}

/// What is wrong with a drawing, and with which circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DraftError {
    /// The circuit to show.
    pub(crate) circuit: String,
    /// In words.
    pub(crate) text: String,
}

impl Draft {
    /// The building as it is.
    pub(crate) fn of(snapshot: &Snapshot, language: Language) -> Self {
        let charger = |charger: &ChargerItem| DraftCharger {
            id: charger.id.clone(),
            name: charger.name.clone(),
            circuit: charger.circuit.clone(),
            phases: charger.phases.clone(),
            rotation_known: charger.policy.rotation_known,
        };
        let meter = |meter: &MeterItem| DraftMeter {
            id: meter.id.clone(),
            name: meter.name.clone(),
            circuit: meter.circuit.clone(),
        };
        Self {
            circuits: snapshot.circuits.iter().map(|circuit| typed(circuit, language)).collect(),
            chargers: snapshot.chargers.iter().map(charger).collect(),
            meters: snapshot.meters.iter().map(meter).collect(),
        }
    }

    /// A circuit by identity.
    pub(crate) fn get(&self, id: &str) -> Option<&DraftCircuit> {
        self.circuits.iter().find(|circuit| circuit.id == id)
    }

    /// Circuits with their depth, parents before children.
    pub(crate) fn order(&self) -> Vec<(usize, String)> {
        fn below(draft: &Draft, parent: Option<&str>, depth: usize, out: &mut Vec<(usize, String)>) {
            for circuit in draft.circuits.iter().filter(|circuit| circuit.parent.as_deref() == parent) {
                if !out.iter().any(|(_, id)| *id == circuit.id) {
                    out.push((depth, circuit.id.clone()));
                    below(draft, Some(&circuit.id), depth + 1, out);
                }
            }
        }
        let mut out = Vec::new();
        below(self, None, 0, &mut out);
        out
    }

    /// Adds a circuit below another, rated like it, and gives its identity.
    pub(crate) fn add_below(&mut self, parent: &str, name: &str) -> Option<String> {
        let above = self.get(parent)?.clone();
        let is_free = |id: &String| self.get(id).is_none();
        let id = (1..).map(|number| format!("circuit-{number}")).find(is_free)?;
        self.circuits.push(DraftCircuit {
            id: id.clone(),
            name: name.to_owned(),
            parent: Some(above.id),
            rated: above.rated,
            ..DraftCircuit::default()
        });
        Some(id)
    }

    /// Takes a circuit away; what hung on it hangs on what it hung on. The grid connection stays.
    pub(crate) fn remove(&mut self, id: &str) -> Option<String> {
        let parent = self.get(id)?.parent.clone()?;
        self.circuits.retain(|circuit| circuit.id != id);
        for circuit in self.circuits.iter_mut().filter(|circuit| circuit.parent.as_deref() == Some(id)) {
            circuit.parent = Some(parent.clone());
        }
        for charger in self.chargers.iter_mut().filter(|charger| charger.circuit == id) {
            charger.circuit.clone_from(&parent);
        }
        for meter in self.meters.iter_mut().filter(|meter| meter.circuit == id) {
            meter.circuit.clone_from(&parent);
        }
        Some(parent)
    }

    /// Circuits on which a circuit may hang: all but itself and what hangs below it.
    pub(crate) fn possible_parents(&self, id: &str) -> Vec<(String, String)> {
        let hangs_below = |circuit: &DraftCircuit| {
            let mut at = Some(circuit);
            for _ in 0..=self.circuits.len() {
                match at {
                    Some(here) if here.id == id => return true,
                    Some(here) => at = here.parent.as_deref().and_then(|parent| self.get(parent)),
                    None => return false,
                }
            }
            true
        };
        let possible = self.circuits.iter().filter(|circuit| !hangs_below(circuit));
        possible.map(|circuit| (circuit.id.clone(), circuit.name.clone())).collect()
    }

    /// The drawing as the server takes it: all circuits, and only what moves.
    pub(crate) fn read(&self, before: &Self, language: Language) -> Result<CircuitList, DraftError> {
        let mut items = Vec::new();
        for (_, id) in self.order() {
            let Some(circuit) = self.get(&id) else { continue };
            let item = read_circuit(circuit, language).map_err(|text| DraftError { circuit: id.clone(), text })?;
            let twin = |other: &CircuitItem| other.name.to_lowercase() == item.name.to_lowercase();
            if items.iter().any(twin) {
                let text = Text::ErrorCircuitTwice.fill(language, &[&item.name]);
                return Err(DraftError { circuit: id, text });
            }
            items.push(item);
        }
        for charger in &self.chargers {
            if charger.phases.is_empty() || has_twice(&charger.phases) {
                let text = Text::ErrorWires.fill(language, &[&charger.name]);
                return Err(DraftError { circuit: charger.circuit.clone(), text });
            }
        }
        let chargers = self.chargers.iter().filter(|charger| !before.chargers.contains(charger));
        let meters = self.meters.iter().filter(|meter| !before.meters.contains(meter));
        Ok(CircuitList {
            items,
            chargers: chargers
                .map(|charger| ChargerPlace {
                    charger: charger.id.clone(),
                    circuit: charger.circuit.clone(),
                    phases: charger.phases.clone(),
                    rotation_known: charger.rotation_known,
                })
                .collect(),
            meters: meters
                .map(|meter| MeterPlace { meter: meter.id.clone(), circuit: meter.circuit.clone() })
                .collect(),
        })
    }
}

fn has_twice(phases: &[u8]) -> bool {
    let mut sorted = phases.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

fn typed(circuit: &CircuitItem, language: Language) -> DraftCircuit {
    let number = |value: f64| field_number(value, language);
    let rated = circuit.rated_a.as_ref().unwrap_or(&circuit.limit_a);
    let (device_rated, level, seconds) = match circuit.device {
        Some(DeviceItem::Breaker { rated_a, .. }) => (number(rated_a), String::new(), String::new()),
        Some(DeviceItem::Thermal { rated_a, trip_theta, tau_s }) => {
            (number(rated_a), number(trip_theta), number(tau_s))
        }
        Some(DeviceItem::DefiniteTime { rated_a, ratio, after_s }) => (number(rated_a), number(ratio), number(after_s)),
        Some(DeviceItem::Linky | DeviceItem::SpanishIcp | DeviceItem::PortugueseDcp) | None => Default::default(),
    };
    DraftCircuit {
        id: circuit.id.clone(),
        name: circuit.name.clone(),
        parent: circuit.parent.clone(),
        rated: rated.iter().copied().map(number).collect(),
        cable: circuit.cable_a.map(number).unwrap_or_default(),
        device: DeviceKind::of(circuit.device.as_ref()),
        device_rated,
        level,
        seconds,
        limit: circuit.limit_a.clone(),
    }
}

fn ranged(typed: &str, name: Text, range: (f64, f64), language: Language) -> Result<f64, String> {
    let (low, high) = range;
    read_number(typed).filter(|value| (low..=high).contains(value)).ok_or_else(|| {
        Text::ErrorRange
            .fill(language, &[name.get(language), &field_number(low, language), &field_number(high, language)])
    })
}

fn read_circuit(circuit: &DraftCircuit, language: Language) -> Result<CircuitItem, String> {
    let name = circuit.name.trim();
    if name.is_empty() {
        return Err(Text::ErrorCircuitName.get(language).to_owned());
    }
    let amps = |typed: &String| ranged(typed, Text::RatedAmps, (1.0, AMPS_MAX), language);
    let rated = circuit.rated.iter().map(amps).collect::<Result<Vec<_>, _>>()?;
    let cable = match circuit.cable.trim() {
        "" => None,
        typed => Some(ranged(typed, Text::CableAmps, (1.0, AMPS_MAX), language)?),
    };
    // A limit set below the rating on purpose stays; one that follows from the rating is left to follow.
    let follows = |limit: &f64, rated: &f64| (limit - cable.map_or(*rated, |cable| cable.min(*rated))).abs() < 1e-6;
    let kept = circuit.limit.len() == rated.len()
        && !circuit.limit.iter().zip(&rated).all(|(limit, rated)| follows(limit, rated))
        && circuit.limit.iter().zip(&rated).all(|(limit, rated)| limit <= rated && cable.is_none_or(|c| *limit <= c));
    Ok(CircuitItem {
        id: circuit.id.clone(),
        name: name.to_owned(),
        parent: circuit.parent.clone(),
        limit_a: if kept { circuit.limit.clone() } else { Vec::new() },
        rated_a: Some(rated),
        cable_a: cable,
        device: read_device(circuit, language)?,
        ..CircuitItem::default()
    })
}

fn read_device(circuit: &DraftCircuit, language: Language) -> Result<Option<DeviceItem>, String> {
    let rated_a = || ranged(&circuit.device_rated, Text::DeviceRated, (1.0, AMPS_MAX), language);
    let breaker = |curve| Ok(Some(DeviceItem::Breaker { curve, rated_a: rated_a()? }));
    let time = |name| ranged(&circuit.seconds, name, (0.1, 7200.0), language);
    match circuit.device {
        DeviceKind::Unknown => Ok(None),
        DeviceKind::BreakerB => breaker(BreakerCurve::B),
        DeviceKind::BreakerC => breaker(BreakerCurve::C),
        DeviceKind::BreakerD => breaker(BreakerCurve::D),
        DeviceKind::Linky => Ok(Some(DeviceItem::Linky)),
        DeviceKind::SpanishIcp => Ok(Some(DeviceItem::SpanishIcp)),
        DeviceKind::PortugueseDcp => Ok(Some(DeviceItem::PortugueseDcp)),
        DeviceKind::Thermal => Ok(Some(DeviceItem::Thermal {
            rated_a: rated_a()?,
            trip_theta: ranged(&circuit.level, Text::TripTheta, (1.001, 20.0), language)?,
            tau_s: time(Text::TimeConstant)?,
        })),
        DeviceKind::DefiniteTime => Ok(Some(DeviceItem::DefiniteTime {
            rated_a: rated_a()?,
            ratio: ranged(&circuit.level, Text::TripRatio, (1.001, 20.0), language)?,
            after_s: time(Text::TripDelay)?,
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// A drawing nobody touched is the building as it is, in both ways of writing numbers.
    #[test]
    fn an_untouched_drawing_changes_nothing() {
        let snapshot = fixtures::snapshot();
        for language in [Language::English, Language::Portuguese] {
            let draft = Draft::of(&snapshot, language);
            let list = draft.read(&draft, language).unwrap();
            assert_eq!((list.items.len(), list.chargers.len(), list.meters.len()), (snapshot.circuits.len(), 0, 0));
            for (item, circuit) in list.items.iter().zip(&snapshot.circuits) {
                assert_eq!(
                    (&item.rated_a, &item.device, item.cable_a),
                    (&circuit.rated_a, &circuit.device, circuit.cable_a)
                );
            }
        }
    }

    /// Removing a feeder hands everything on it to what it hung on, and the grid connection cannot go.
    #[test]
    fn removing_hands_on_what_hung_there() {
        let mut draft = Draft::of(&fixtures::snapshot(), Language::English);
        for charger in &mut draft.chargers {
            charger.circuit = "garage".to_owned();
        }
        assert_eq!(draft.remove("main"), None);
        assert_eq!(draft.remove("garage").as_deref(), Some("main"));
        assert!(draft.chargers.iter().all(|charger| charger.circuit == "main"));
        assert_eq!(draft.get("garage-1").and_then(|circuit| circuit.parent.as_deref()), Some("main"));
        assert!(draft.get("garage").is_none());
    }

    /// A circuit can hang neither on itself nor on what hangs on it.
    #[test]
    fn no_circuit_hangs_on_itself() {
        let draft = Draft::of(&fixtures::snapshot(), Language::English);
        let ids = |id: &str| draft.possible_parents(id).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(ids("garage"), ["main"]);
        assert_eq!(ids("garage-1"), ["main", "garage", "garage-2"]);
        assert!(ids("main").is_empty());
    }

    /// What is wrong is named with the circuit where it is, so that the page can show it.
    #[test]
    fn mistakes_name_their_circuit() {
        let before = Draft::of(&fixtures::snapshot(), Language::English);
        let check = |change: fn(&mut DraftCircuit), word: &str| {
            let mut draft = before.clone();
            change(draft.circuits.iter_mut().find(|circuit| circuit.id == "garage-1").unwrap());
            let error = draft.read(&before, Language::English).unwrap_err();
            assert_eq!(error.circuit, "garage-1", "{}", error.text);
            assert!(error.text.contains(word), "{}", error.text);
        };
        check(|circuit| circuit.name = "  ".to_owned(), "name");
        check(|circuit| circuit.name = "RAMAL".to_owned(), "RAMAL");
        check(|circuit| circuit.rated[1] = "much".to_owned(), "number");
        check(|circuit| circuit.cable = "0".to_owned(), "number");
        check(|circuit| circuit.device = DeviceKind::Thermal, "number");
    }

    /// A new circuit is rated like what it hangs on and has an identity of its own.
    #[test]
    fn adding_gives_a_new_identity() {
        let mut draft = Draft::of(&fixtures::snapshot(), Language::English);
        let first = draft.add_below("garage", "New circuit").unwrap();
        let second = draft.add_below("garage", "Newer circuit").unwrap();
        assert_ne!(first, second);
        assert_eq!(
            draft.get(&first).map(|circuit| circuit.rated.clone()),
            draft.get("garage").map(|c| c.rated.clone())
        );
        assert!(draft.read(&draft, Language::English).is_ok());
    }
}
