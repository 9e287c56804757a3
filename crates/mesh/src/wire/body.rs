//! What each message carries beside its head. Units are in the names: mA, mV, W, Wh, ms since 1970.

use domain::ConnectorStatus;
use serde::{Deserialize, Serialize};

/// 0x001 from a meter: it exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCounter {
    /// Maker; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    /// Model; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
}

/// 0x002 from a charger: it exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCharger {
    /// The meter it belongs to; needed on `hello/new`, elsewhere the topic says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<String>,
    /// Maker; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    /// Model; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Firmware version; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub firmware: String,
    /// Serial number; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub serial: String,
    /// Connectors, 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectors: Option<u16>,
    /// Most current per wire it can give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ma: Option<u32>,
}

/// 0x021 from a meter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterStatus {
    /// What is wrong; empty when nothing is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// 0x022 from a charger: any of state, a card, a session's start or end, a session that runs, the result of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargerStatus {
    /// Which connector; absent for the charger as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<u16>,
    /// Its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ConnectorStatus>,
    /// What is wrong; empty when nothing is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub info: String,
    /// When; the time of arrival when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// A card was held to the reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tap: Option<TapReport>,
    /// A session began. Repeat it until the manager's answer arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<StartReport>,
    /// A session ended. Repeat it until the manager's answer arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopReport>,
    /// A session is running; sent after every new connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningReport>,
    /// How the command named by `re` ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<CommandResult>,
}

/// A card was held to the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapReport {
    /// Its number, as the reader prints it.
    pub card: String,
}

/// A session began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartReport {
    /// The charger's own number of the session; never used twice by this charger.
    pub local: u64,
    /// The card that started it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Register at that time.
    pub meter_wh: u64,
    /// When; the time of arrival when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
}

/// A session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopReport {
    /// The charger's own number of the session.
    pub local: u64,
    /// The manager's number of it, when the charger got one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<i32>,
    /// The card that ended it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Register at that time.
    pub meter_wh: u64,
    /// When; the time of arrival when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// Why.
    pub reason: StopWord,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopWord {
    /// A card at the charger.
    Card,
    /// The manager asked for it.
    Manager,
    /// The cable was pulled.
    Unplugged,
    /// Power loss or restart.
    PowerLoss,
    /// Anything else.
    Other,
}

/// A session is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningReport {
    /// The charger's own number of the session.
    pub local: u64,
    /// The manager's number of it, when the charger got one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<i32>,
}

/// How a command ended at the charger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandResult {
    /// Done, or started.
    Accepted,
    /// Not possible.
    Rejected,
}

/// 0x031 from a meter. One value per phase: L1, L2, L3; a single-phase meter sends one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterLoad {
    /// When; the time of arrival when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// Current drawn from the grid; zero on a phase that exports.
    pub current_ma: Vec<u32>,
    /// Current fed into the grid; absent or zero on a phase that draws.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub export_ma: Vec<u32>,
    /// Voltage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voltage_mv: Vec<u32>,
    /// Active power drawn, all phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<u32>,
    /// Active power fed in, all phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_w: Option<u32>,
    /// Import register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_wh: Option<u64>,
}

/// 0x032 from a charger. One value per wire of the charger, first wire first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargerLoad {
    /// Which connector.
    pub connector: u16,
    /// When; the time of arrival when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// The manager's number of the running session, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<i32>,
    /// Current drawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub current_ma: Vec<u32>,
    /// Voltage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voltage_mv: Vec<u32>,
    /// Active power of all wires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<u32>,
    /// Register of the connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_wh: Option<u64>,
    /// Current offered to the car.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_ma: Option<u32>,
    /// State of charge of the car.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soc_percent: Option<u8>,
    /// Temperature in tenths of a degree Celsius; the only value that may be negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_dc: Option<i32>,
}

/// 0x033 from a charger: it took (or could not take) the limit named by `re`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitAck {
    /// Which connector.
    pub connector: u16,
    /// The limit it is about.
    pub limit_ma: u32,
    /// Whether it holds now.
    pub accepted: bool,
}

/// 0x001 and 0x002 from the manager: the device is registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The published words, such as `Counter registered: Counter-1`.
    pub text: String,
    /// Whether the building manager let it in; until then nothing it sends counts.
    pub approved: bool,
    /// How often to send its load.
    pub report_s: u32,
    /// The manager's clock, to set one's own by.
    pub time_ms: i64,
    /// What to draw at most when nobody speaks to it; chargers only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_ma: Option<u32>,
}

/// 0x033 from the manager: the current a connector may draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailableLoad {
    /// Which connector.
    pub connector: u16,
    /// Most it may draw per wire; 0 is standby.
    pub limit_ma: u32,
    /// How long this holds, at most 120; then the charger uses `fallback_ma`.
    pub valid_s: u32,
    /// What to draw at most when nobody speaks to it.
    pub fallback_ma: u32,
}

/// 0x022 from the manager: answers and orders; usually one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargerOrder {
    /// Which connector, where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<u16>,
    /// Answer to a tap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tap: Option<TapAnswer>,
    /// Answer to a start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<StartAnswer>,
    /// Answer to a stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopAnswer>,
    /// End a session now and report its stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EndOrder>,
    /// A command; answer with `result` and `re`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<DeviceCommand>,
}

/// What a card may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictWord {
    /// It may charge.
    Accepted,
    /// Nobody enrolled it.
    Unknown,
    /// The manager blocked it.
    Blocked,
    /// The charger waits for approval.
    NotApproved,
    /// Another session is in the way.
    InUse,
}

/// What the charger does after a tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardAction {
    /// Begin a session and report its start.
    Start,
    /// End the running session and report its stop.
    Stop,
    /// Nothing; show the verdict.
    Refuse,
}

/// Answer to a tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapAnswer {
    /// What the card may do.
    pub verdict: VerdictWord,
    /// What to do now.
    pub action: CardAction,
    /// Number of the tenant who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<i64>,
}

/// Answer to a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartAnswer {
    /// The charger's own number of the session.
    pub local: u64,
    /// The manager's number of it.
    pub session: i32,
    /// What its card may do; anything but `accepted` ends the session.
    pub verdict: VerdictWord,
}

/// Answer to a stop: it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopAnswer {
    /// The charger's own number of the session.
    pub local: u64,
}

/// A session must end now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOrder {
    /// The manager's number of it.
    pub session: i32,
}

/// A command of the building manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCommand {
    /// What to do.
    pub name: CommandName,
    /// With which card; for `start` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Which session; for `stop` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<i32>,
}

/// Names of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandName {
    /// Start a session as if the card had been tapped.
    Start,
    /// End a session.
    Stop,
    /// Restart, ending sessions properly first.
    SoftReset,
    /// Restart at once.
    HardReset,
    /// Release the cable.
    Unlock,
    /// Report status and load now.
    Report,
}

/// Any code from the manager: a message was refused. Never answer it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why, in the published words where there are any.
    pub error: String,
}
