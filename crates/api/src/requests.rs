//! What clients send.

use crate::Language;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// 1 or 3 on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct SetupPhases(domain::PhaseCount);

impl SetupPhases {
    /// As the domain knows it.
    #[must_use]
    pub const fn count(self) -> domain::PhaseCount {
        self.0
    }
}

impl From<domain::PhaseCount> for SetupPhases {
    fn from(count: domain::PhaseCount) -> Self {
        Self(count)
    }
}

impl TryFrom<u8> for SetupPhases {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            1 => Ok(Self(domain::PhaseCount::One)),
            3 => Ok(Self(domain::PhaseCount::Three)),
            other => Err(format!("phases must be 1 or 3, not {other}")),
        }
    }
}

impl From<SetupPhases> for u8 {
    fn from(phases: SetupPhases) -> Self {
        match phases.0 {
            domain::PhaseCount::One => 1,
            domain::PhaseCount::Three => 3,
        }
    }
}

/// Signing in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Login {
    /// The manager's password.
    pub password: String,
}

/// First run: the few answers without which nothing is safe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Setup {
    /// Name of the building.
    pub name: String,
    /// Contracted power.
    pub contracted_kva: f64,
    /// 1 or 3.
    #[cfg_attr(feature = "openapi", schema(value_type = u8))]
    pub phases: SetupPhases,
    /// The password the manager will use, at least 8 characters.
    pub password: String,
    /// The language of what is named for the manager, such as the grid connection.
    #[serde(default)]
    pub language: Language,
}

/// Answer of `GET session`: whether someone is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionInfo {
    /// Whether this client may act.
    pub signed_in: bool,
    /// Whether the first-run questions are still open.
    pub setup_needed: bool,
    /// Whether this is the demo building.
    pub demo: bool,
}

/// Changes of a charger; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChargerPatch {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Higher is served first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Most it may be given per wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_a: Option<f64>,
    /// What it draws at most when nobody speaks to it: 0 or at least the minimum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_a: Option<f64>,
    /// Circuit it hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit: Option<String>,
    /// Grid phase of each wire, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<Vec<u8>>,
    /// What the manager decides about it, as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<crate::ChargerPolicyItem>,
    /// Who pays for what starts here with a card nobody enrolled, such as the charger's own; 0 takes that back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_tenant_id: Option<i64>,
}

/// Changes of a meter; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MeterPatch {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Circuit it measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit: Option<String>,
    /// What it stands for.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<domain::MeterRole>,
}

/// Letting a meter in; absent fields keep what it announced.
pub type ApproveMeter = MeterPatch;

/// All chargers, the one to serve first at the top.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriorityOrder {
    /// Identities of chargers.
    pub chargers: Vec<String>,
}

/// A limit by the manager; `null` lifts it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitRequest {
    /// Most to give per wire.
    pub limit_a: Option<f64>,
}

/// Starting a session from the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartRequest {
    /// Which connector.
    pub connector: u16,
    /// With which card.
    pub card: String,
}

/// A command about one connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorTarget {
    /// Which connector.
    pub connector: u16,
}

/// How to restart a charger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ResetKind {
    /// End sessions properly first.
    Soft,
    /// At once.
    Hard,
}

/// Restarting a charger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetRequest {
    /// How.
    pub kind: ResetKind,
}

/// Answer 202 to a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandAccepted {
    /// Ask `commands/{id}` for the outcome.
    pub command_id: u64,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CommandOutcome {
    /// No answer yet.
    Pending,
    /// The charger accepted.
    Accepted,
    /// The charger refused.
    Rejected,
    /// The charger did not answer in time.
    TimedOut,
    /// The charger went away first.
    Disconnected,
}

/// A command's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandState {
    /// Identity.
    pub id: u64,
    /// To which charger.
    pub charger: String,
    /// What was asked, such as `reset`.
    pub what: String,
    /// How it ended.
    pub outcome: CommandOutcome,
    /// The charger's answer as it came, `null` before.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub answer: Value,
}

/// Capture the next unknown card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolmentRequest {
    /// Bind it to this tenant; `null` = ask after the tap.
    #[serde(default)]
    pub tenant_id: Option<i64>,
    /// Only this charger's reader; `null` = any.
    #[serde(default)]
    pub charger: Option<String>,
    /// Seconds to wait; 120 when absent.
    #[serde(default = "default_ttl_s")]
    pub ttl_s: u32,
}

const fn default_ttl_s() -> u32 {
    120
}

/// The whole tree of circuits, to replace it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CircuitList {
    /// The circuits; exactly one has no parent.
    pub items: Vec<crate::CircuitItem>,
    /// Chargers that move with it; those not named stay where they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chargers: Vec<ChargerPlace>,
    /// Meters that move with it; those not named stay where they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meters: Vec<MeterPlace>,
}

/// Where a charger hangs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChargerPlace {
    /// Which charger.
    pub charger: String,
    /// Circuit it hangs on.
    pub circuit: String,
    /// Grid phase of each wire, in order.
    pub phases: Vec<u8>,
    /// `false`: nobody knows which wire hangs on which phase, so it counts in full on every phase.
    pub rotation_known: bool,
}

/// What a meter measures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MeterPlace {
    /// Which meter.
    pub meter: String,
    /// Circuit it measures.
    pub circuit: String,
}
