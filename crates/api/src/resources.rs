//! Resources as lists and single items return them.

use crate::RefusalCode;
use crate::{ChargerPolicyItem, DeviceItem, KnownItem, Reason, SiteRulesItem, WishItem, requests::SetupPhases};
use domain::{ConnectorStatus, EndReason, MeterRole, Protocol, Provenance};
use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Pass as `cursor` for the next page; `null` on the last.
    pub next_cursor: Option<String>,
}

/// State of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// `ok` or `degraded`.
    pub status: String,
    /// Version of the program.
    pub version: String,
    /// Each part.
    pub parts: Vec<HealthPart>,
}

/// State of one part of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthPart {
    /// `store`, `broker`, `ocpp`, `control` or `meters`.
    pub name: String,
    /// `ok` or `degraded`.
    pub status: String,
    /// What is wrong and what to do; empty when nothing is.
    pub detail: String,
}

/// Site settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SiteItem {
    /// Name of the building.
    pub name: String,
    /// IANA time zone.
    pub time_zone: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Volts between the conductors a load hangs on.
    pub nominal_voltage_v: f64,
    /// `line_neutral` or `line_line`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub connection: domain::Connection,
    /// 1 or 3.
    #[cfg_attr(feature = "openapi", schema(value_type = u8))]
    pub phases: SetupPhases,
    /// Contracted power.
    pub contracted_kva: f64,
    /// Main fuse per phase.
    pub main_fuse_a: f64,
    /// Kept free below every limit.
    pub margin_a: f64,
    /// Least a car charges with.
    pub min_charge_a: f64,
    /// Most chargers active at once; `null` for no such rule.
    pub max_active_chargers: Option<u16>,
    /// Most meters that may register.
    pub max_meters: u16,
    /// Seconds between two divisions of the available current.
    pub control_interval_s: f64,
    /// Building load assumed per phase while no meter speaks.
    pub declared_load_a: f64,
    /// Age in seconds at which a meter's newest sample no longer counts.
    pub meter_max_age_s: f64,
    /// `careful` or `published`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub pacing: domain::Pacing,
    /// Rules beyond the ratings.
    #[serde(flatten)]
    pub rules: SiteRulesItem,
}

/// A circuit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CircuitItem {
    /// Identity.
    pub id: String,
    /// Name.
    pub name: String,
    /// The circuit it hangs on; `null` for the grid connection.
    pub parent: Option<String>,
    /// Limit per phase, as configured. In requests it may be left out when protection or cable is given, and is then
    /// the smaller of the two.
    #[serde(default)]
    pub limit_a: Vec<f64>,
    /// Rated current of the protection per phase; `null` when only the limit is known.
    #[serde(default)]
    pub rated_a: Option<Vec<f64>>,
    /// Most the cable may carry; `null` when it is no narrower than the protection.
    #[serde(default)]
    pub cable_a: Option<f64>,
    /// What protects it; `null` counts as the strictest device.
    #[serde(default)]
    pub device: Option<DeviceItem>,
    /// What flows now; ignored in requests, as all that follows.
    #[serde(default)]
    pub measured_a: Vec<f64>,
    /// Limit in force per phase: at the grid connection the smaller of this limit, the main fuse and the contract now.
    #[serde(default)]
    pub in_force_a: Vec<f64>,
    /// Kept free below it per phase: margin and reserve.
    #[serde(default)]
    pub kept_free_a: Vec<f64>,
    /// Free current per phase under all that; 0 when there is none.
    #[serde(default)]
    pub headroom_a: Vec<f64>,
    /// Share of the way to a trip that its protection has used per phase, 0 to 1; `null` while it is not watched.
    #[serde(default)]
    pub trip_used: Option<Vec<f64>>,
}

/// A meter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeterItem {
    /// Identity.
    pub id: String,
    /// Name.
    pub name: String,
    /// Whether the manager let it in.
    pub approved: bool,
    /// Whether its newest sample is fresh.
    pub online: bool,
    /// Circuit it measures.
    pub circuit: String,
    /// What it stands for.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub role: MeterRole,
    /// Newest current per phase, negative for export.
    pub current_a: Vec<f64>,
    /// Newest power, negative for export.
    pub power_kw: Option<f64>,
    /// When the newest sample was taken.
    pub sampled_at: Option<String>,
}

/// A charger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChargerItem {
    /// Identity.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it speaks.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub protocol: Protocol,
    /// Whether its link is up.
    pub online: bool,
    /// Whether the manager let it in.
    pub approved: bool,
    /// Higher is served first.
    pub priority: i32,
    /// Most it may be given per wire.
    pub max_a: f64,
    /// What it draws at most when nobody speaks to it.
    pub fallback_a: f64,
    /// Circuit it hangs on.
    pub circuit: String,
    /// Grid phase of each wire, in order.
    pub phases: Vec<u8>,
    /// What the manager decided about it.
    #[serde(default)]
    pub policy: ChargerPolicyItem,
    /// Who pays for what starts here with a card nobody enrolled; `null` for nobody.
    #[serde(default)]
    pub owner_tenant_id: Option<i64>,
    /// `true` while the manager holds it at 0 A.
    pub paused: bool,
    /// The manager's own limit, if any.
    pub manager_limit_a: Option<f64>,
    /// Maker and model, empty until told.
    pub hardware: String,
    /// Firmware, empty until told.
    pub firmware: String,
    /// Its connectors.
    pub connectors: Vec<ConnectorItem>,
}

/// A connector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectorItem {
    /// Number, from 1.
    pub id: u16,
    /// State.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub status: ConnectorStatus,
    /// Commanded current per wire.
    pub set_a: f64,
    /// Measured current per wire of the charger.
    pub measured_a: Vec<f64>,
    /// Measured power.
    pub power_kw: f64,
    /// Session that runs here.
    pub session_id: Option<i32>,
    /// Its tenant's name; `null` without one.
    pub tenant: Option<String>,
    /// Its card.
    pub card: Option<String>,
    /// Its energy so far.
    pub session_energy_wh: u64,
    /// Since when.
    pub session_started_at: Option<String>,
    /// What the session needs; `null` when nobody said.
    #[serde(default)]
    pub wish: Option<WishItem>,
    /// The English sentence that says why it has this current.
    pub reason: String,
    /// The same as data, for other languages.
    pub why: Reason,
    /// Fault text of the charger, empty when there is none.
    pub error: String,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionItem {
    /// Identity; equals the OCPP `transactionId`.
    pub id: i32,
    /// Where.
    pub charger: String,
    /// Where on it.
    pub connector: u16,
    /// By which card.
    pub card: Option<String>,
    /// Who pays.
    pub tenant_id: Option<i64>,
    /// Their name now; `null` without a tenant.
    pub tenant: Option<String>,
    /// Start.
    pub started_at: String,
    /// End; `null` while it runs.
    pub ended_at: Option<String>,
    /// Energy so far.
    pub energy_wh: u64,
    /// How far the figures can be trusted.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub provenance: Provenance,
    /// Why it ended.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub end_reason: Option<EndReason>,
}

/// Columns of `GET readings`: one time column and one column per series, `null` where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadingColumns {
    /// Names of the series, in the order of `values`.
    pub series: Vec<String>,
    /// Start of each step, milliseconds since 1970.
    pub at_ms: Vec<i64>,
    /// One column per series, in the unit of its name.
    pub values: Vec<Vec<Option<i64>>>,
}

/// A decision of the past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionItem {
    /// When.
    pub at: String,
    /// Which charger.
    pub charger: String,
    /// Which connector.
    pub connector: u16,
    /// Commanded current per wire.
    pub set_a: f64,
    /// Why, in English as said that day.
    pub sentence: String,
    /// The same as data, for other languages; `null` for decisions of older versions.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// What was known then; `null` for decisions of older versions.
    #[serde(default)]
    pub known: Option<KnownItem>,
}

/// A device that is, was or wants to be connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionItem {
    /// As it names itself.
    pub device: String,
    /// `charger` or `meter`, or empty while that is unknown.
    pub kind: String,
    /// What it speaks: `ocpp1.6` or `ievcc`.
    pub protocol: String,
    /// Its network address.
    pub address: String,
    /// When it last tried.
    pub at: String,
    /// `connected`, `waiting`, `refused` or `gone`.
    pub state: String,
    /// Why it was refused or went, in plain English words; empty otherwise.
    pub detail: String,
    /// Why it was refused, as data for other languages; `null` otherwise.
    #[serde(default)]
    pub refusal: Option<RefusalCode>,
    /// What the refusal is about, such as a topic; empty otherwise.
    #[serde(default)]
    pub about: String,
    /// How many times the same happened.
    #[serde(default)]
    pub attempts: u32,
}

/// A network this computer is in, and what to type into a device there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NetworkItem {
    /// Name of the network card.
    pub name: String,
    /// For OCPP chargers, such as `ws://192.168.1.20:8887/ocpp/`; the charger's identity follows.
    pub ocpp: Option<String>,
    /// For OCPP chargers with TLS, such as `wss://192.168.1.20:8888/ocpp/`.
    pub ocpps: Option<String>,
    /// For MQTT devices, such as `mqtt://192.168.1.20:1883`.
    pub mqtt: Option<String>,
    /// For MQTT devices with TLS, such as `mqtts://192.168.1.20:8883`.
    pub mqtts: Option<String>,
    /// The console with TLS, such as `https://192.168.1.20:8443`.
    pub https: Option<String>,
}

/// Answer of `GET connections`: a page of devices, and where new devices connect to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionPage {
    /// The devices.
    pub items: Vec<ConnectionItem>,
    /// Pass as `cursor` for the next page; `null` on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
    /// What to type into an OCPP charger, such as `ws://192.168.1.20:8887/ocpp/`: one per network of this computer.
    #[serde(default)]
    pub ocpp_addresses: Vec<String>,
    /// What to type into an MQTT device, such as `mqtt://192.168.1.20:1883`.
    #[serde(default)]
    pub mqtt_addresses: Vec<String>,
    /// Each network card and what to type into a device there.
    #[serde(default)]
    pub networks: Vec<NetworkItem>,
}

/// A frame in a charger's message log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FrameItem {
    /// When.
    pub at: String,
    /// `received` or `sent`.
    pub direction: String,
    /// Topic for MQTT, empty for OCPP.
    pub topic: String,
    /// The text.
    pub text: String,
}
