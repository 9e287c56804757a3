//! Sessions: one charging transaction each.

use crate::{CardUid, ChargerId, ConnectorNumber, SessionId, TenantId, Timestamp, WattHours};
use serde::{Deserialize, Serialize};

/// How much a session's figures can be trusted, worst last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Start and end were measured by the charger and arrived in time.
    #[default]
    Measured,
    /// Measured, but arrived long after it happened.
    ReceivedLate,
    /// The charger's clock was wrong; times were corrected, energy is measured.
    ClockCorrected,
    /// The end never arrived; the last register seen was used.
    Estimated,
    /// The manager corrected it; what was recorded before is kept beside it.
    Corrected,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// A card of the tenant.
    Card,
    /// The manager.
    Manager,
    /// The cable was pulled.
    Unplugged,
    /// The charger lost power or restarted.
    PowerLoss,
    /// The charger said so for a reason of its own.
    Charger,
    /// The end never arrived; closed when the next session began or the charger proved idle.
    Lost,
}

/// One charging transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Identity; equals the OCPP `transactionId`.
    pub id: SessionId,
    /// Where.
    pub charger: ChargerId,
    /// Where on it.
    pub connector: ConnectorNumber,
    /// The card that started it, as read; `None` when the charger named none.
    pub card: Option<CardUid>,
    /// Who pays; `None` when the card was unknown or blocked.
    pub tenant: Option<TenantId>,
    /// Start, by the charger's corrected clock.
    pub started_at: Timestamp,
    /// End; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// Register at the start.
    pub meter_start: WattHours,
    /// Newest register seen; the register at the end once it ended.
    pub meter_last: WattHours,
    /// Energy so far. Equals `meter_last - meter_start` unless a register was reset in between.
    pub energy: WattHours,
    /// Trust.
    pub provenance: Provenance,
    /// Why it ended; `None` while it runs.
    pub end_reason: Option<EndReason>,
}
