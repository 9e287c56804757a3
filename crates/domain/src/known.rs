//! What was known when a decision was made, kept with it so that it can be judged later.

use crate::{ChargerId, CircuitId, ConnectorNumber, DurationMs, MilliAmps, PerPhase};
use serde::{Deserialize, Serialize};

/// What was known at the moment of a decision. Serialised as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// Everything that is not a charger, per phase in mA; negative for export.
    pub house_ma: PerPhase<i64>,
    /// Limit of the grid connection per phase, before margin and reserve.
    pub limit: PerPhase<MilliAmps>,
    /// Kept free below the limit by the electrician.
    pub margin: MilliAmps,
    /// Kept free for the building's own rises, per phase.
    pub reserve: PerPhase<MilliAmps>,
    /// Age of the newest good sample of the deciding meter; `None` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_age: Option<DurationMs>,
    /// Share of the way to a trip that the protection of the grid connection has used, per phase in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trip_used_milli: Option<PerPhase<u16>>,
    /// The circuit that left the least room for this charger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tightest: Option<CircuitId>,
    /// What the other cars counted for.
    pub cars: Vec<KnownCar>,
}

/// A car as it was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCar {
    /// Where.
    pub charger: ChargerId,
    /// Where on it.
    pub connector: ConnectorNumber,
    /// Commanded current per wire.
    pub set: MilliAmps,
    /// Current per wire at which it was counted.
    pub counted: MilliAmps,
}
