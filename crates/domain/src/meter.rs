//! Meters ("electrical counters") and what they measure.

use crate::{CircuitId, Flow, MeterId, MilliAmps, MilliVolts, PerPhase, Timestamp, WattHours, Watts};
use serde::{Deserialize, Serialize};

/// What a meter stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeterRole {
    /// Measures all that flows through a circuit, chargers included.
    Circuit,
    /// Measures only what is not a charger ("house load"), as in the published IEVCC set-up.
    House,
    /// Measures a solar roof; shown, not limited.
    Solar,
    /// Measures a battery: import charges it, export feeds the building; shown, not limited.
    Battery,
}

/// A meter as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Its identity on the wire.
    pub id: MeterId,
    /// Name people see.
    pub name: String,
    /// Whether the manager let it in.
    pub approved: bool,
    /// Circuit it measures.
    pub circuit: CircuitId,
    /// What it stands for.
    pub role: MeterRole,
}

/// One measurement of a meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterSample {
    /// When the meter took it, by its own clock or else when it arrived.
    pub at: Timestamp,
    /// Current with direction, per phase.
    pub current: PerPhase<Flow<MilliAmps>>,
    /// Voltage per phase, where measured.
    pub voltage: Option<PerPhase<MilliVolts>>,
    /// Active power of all phases, where measured.
    pub power: Option<Flow<Watts>>,
    /// Import register, where measured.
    pub energy: Option<WattHours>,
}
