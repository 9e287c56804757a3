//! Chargers and the state of their connectors.

use crate::{ChargerId, ChargerPolicy, CircuitId, MilliAmps, Phase, PhaseCount, Rotation, Wiring};
use serde::{Deserialize, Serialize};

/// What a charger speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// OCPP 1.6J over WebSocket.
    #[serde(rename = "ocpp1.6")]
    Ocpp16,
    /// The IEVCC mesh protocol over MQTT.
    #[serde(rename = "ievcc")]
    Ievcc,
    /// Nothing: it only has an energy meter, so it is watched and billed, and takes no orders.
    #[serde(rename = "metered")]
    Metered,
}

/// A charger as the manager configured it. Live state is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charger {
    /// Its identity on the wire.
    pub id: ChargerId,
    /// What it speaks.
    pub protocol: Protocol,
    /// Name people see; the identity until someone names it.
    pub name: String,
    /// Position in the order of registration, from 1; breaks ties of priority (earlier wins).
    pub registered: u32,
    /// Whether the manager let it in. An unapproved charger never charges.
    pub approved: bool,
    /// Higher is served first.
    pub priority: i32,
    /// Most it may ever be given on each of its wires.
    pub max: MilliAmps,
    /// What it draws at most when nobody speaks to it: 0 or at least the minimum.
    pub fallback: MilliAmps,
    /// Circuit it hangs on.
    pub circuit: CircuitId,
    /// Grid phase of each wire.
    pub wiring: Wiring,
    /// Connectors it has, counted from 1.
    pub connectors: u16,
    /// What the manager decided about it.
    pub policy: ChargerPolicy,
}

impl Charger {
    /// Grid phases on which its current counts: those of its wires, or all of the site while nobody knows which.
    #[must_use]
    pub fn counted_phases(&self, site: PhaseCount) -> &[Phase] {
        match self.policy.rotation {
            Rotation::Known => self.wiring.wires(),
            Rotation::Unknown => site.phases(),
        }
    }

    /// The same as a wiring.
    #[must_use]
    pub fn counted_wiring(&self, site: PhaseCount) -> Wiring {
        match (self.policy.rotation, site) {
            (Rotation::Known, _) => self.wiring.clone(),
            (Rotation::Unknown, PhaseCount::One) => Wiring::single(),
            (Rotation::Unknown, PhaseCount::Three) => Wiring::three(),
        }
    }
}

/// State of a connector; names follow OCPP 1.6 because chargers report them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorStatus {
    /// Free.
    Available,
    /// Cable in, no session yet.
    Preparing,
    /// Energy flows.
    Charging,
    /// Session runs; the car takes nothing.
    SuspendedEv,
    /// Session runs; the charger gives nothing (standby).
    SuspendedEvse,
    /// Session ended, cable still in.
    Finishing,
    /// Reserved for a card.
    Reserved,
    /// Taken out of service.
    Unavailable,
    /// Broken; the detail says how.
    Faulted,
    /// Nothing heard yet.
    #[default]
    Unknown,
}

impl ConnectorStatus {
    /// Whether a cable connects a car.
    #[must_use]
    pub const fn is_plugged(self) -> bool {
        matches!(self, Self::Preparing | Self::Charging | Self::SuspendedEv | Self::SuspendedEvse | Self::Finishing)
    }
}

/// What a charger says about itself when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardwareInfo {
    /// Maker.
    pub vendor: String,
    /// Model.
    pub model: String,
    /// Firmware version; empty when not told.
    pub firmware: String,
    /// Serial number; empty when not told.
    pub serial: String,
}

/// The protocol's own words for a status, kept for people: error code and vendor text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusDetail {
    /// Error code, empty when there is none.
    pub error: String,
    /// Free text from the vendor, empty when there is none.
    pub info: String,
}
