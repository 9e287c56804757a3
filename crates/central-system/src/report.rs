//! What a charger tells beside sessions and energy: progress of files, security events, certificates it wants,
//! and every value it measures.

use crate::incoming::clip;
use domain::Timestamp;
use ocpp::v16::{MeterValue, SampledPhase, ValueFormat};
use std::collections::{BTreeMap, VecDeque};

/// Newest reports kept of each kind; older ones are in the message log.
const KEPT_MAX: usize = 20;
/// Different values kept of one charger; three phases of every measurand in every place need fewer.
const VALUES_MAX: usize = 256;
/// Longest word kept.
const WORD_CHARS_MAX: usize = 60;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    /// Diagnostics that go up.
    Diagnostics,
    /// A log that goes up.
    Log,
    /// Firmware that comes down.
    Firmware,
    /// Signed firmware that comes down.
    SignedFirmware,
}

/// Progress of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What it is.
    pub kind: TransferKind,
    /// Number of the request, where the charger repeats it.
    pub request: Option<i64>,
    /// How far it is, in the word of the protocol, such as `Uploading`.
    pub status: String,
    /// When it was told.
    pub at: Timestamp,
}

/// A security event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityEvent {
    /// What happened, in the word of the protocol, such as `InvalidFirmwareSignature`.
    pub kind: String,
    /// More about it; may be empty.
    pub info: String,
    /// When, by the charger's corrected clock.
    pub at: Timestamp,
}

/// Which value: connector (0 is the main meter), measurand, phase and place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ValueKey {
    connector: u16,
    measurand: String,
    phase: String,
    location: String,
}

/// The newest value of one measurand on one phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestValue {
    /// Which connector; 0 is the charger's main meter.
    pub connector: u16,
    /// What was measured, such as `Current.Import`.
    pub measurand: String,
    /// Phase as told, such as `L1` or `L1-N`; empty for all.
    pub phase: String,
    /// Where, such as `Outlet`; empty when not told.
    pub location: String,
    /// The value as told.
    pub value: String,
    /// Its unit; the default of the standard when not told.
    pub unit: String,
    /// Why it was measured, such as `Sample.Periodic`.
    pub context: String,
    /// When, by the charger's corrected clock.
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    value: String,
    unit: String,
    context: String,
    at: Timestamp,
}

/// The newest of everything that was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reports {
    pub(crate) transfers: VecDeque<Transfer>,
    pub(crate) security: VecDeque<SecurityEvent>,
    values: BTreeMap<ValueKey, Value>,
}

impl Reports {
    pub(crate) fn transfer(&mut self, transfer: Transfer) {
        push(&mut self.transfers, transfer);
    }

    pub(crate) fn security(&mut self, event: SecurityEvent) {
        push(&mut self.security, event);
    }

    /// Keeps the newest of each value.
    pub(crate) fn sampled(&mut self, connector: u16, value: &MeterValue, at: Timestamp) {
        for sampled in &value.sampled_value {
            if sampled.format == Some(ValueFormat::SignedData) {
                continue;
            }
            let measurand = sampled.measurand.as_ref().map_or("Energy.Active.Import.Register", |it| it.as_str());
            let key = ValueKey {
                connector,
                measurand: clip(measurand, WORD_CHARS_MAX),
                phase: sampled.phase.as_ref().map_or("", SampledPhase::as_str).chars().take(WORD_CHARS_MAX).collect(),
                location: clip(sampled.location.as_ref().map_or("", |it| it.as_str()), WORD_CHARS_MAX),
            };
            if self.values.get(&key).is_some_and(|newest| newest.at > at)
                || (self.values.len() >= VALUES_MAX && !self.values.contains_key(&key))
            {
                continue;
            }
            let unit = sampled.unit.as_ref().map_or_else(|| default_unit(&key.measurand), |it| it.as_str());
            let value = Value {
                value: clip(&sampled.value, WORD_CHARS_MAX),
                unit: clip(unit, WORD_CHARS_MAX),
                context: clip(sampled.context.as_ref().map_or("Sample.Periodic", |it| it.as_str()), WORD_CHARS_MAX),
                at,
            };
            self.values.insert(key, value);
        }
    }

    pub(crate) fn newest(&self) -> Vec<NewestValue> {
        let newest = |(key, value): (&ValueKey, &Value)| NewestValue {
            connector: key.connector,
            measurand: key.measurand.clone(),
            phase: key.phase.clone(),
            location: key.location.clone(),
            value: value.value.clone(),
            unit: value.unit.clone(),
            context: value.context.clone(),
            at: value.at,
        };
        self.values.iter().map(newest).collect()
    }
}

/// The standard's default is Wh; for what is no energy, the unit everybody means.
fn default_unit(measurand: &str) -> &'static str {
    match measurand.split('.').next() {
        Some("Current") => "A",
        Some("Voltage") => "V",
        Some("Power") if measurand != "Power.Factor" => "W",
        Some("SoC") => "Percent",
        Some("Temperature") => "Celsius",
        Some("Frequency") => "Hertz",
        Some("Energy") => "Wh",
        _ => "",
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T) {
    list.push_front(item);
    list.truncate(KEPT_MAX);
}
