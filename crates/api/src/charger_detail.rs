//! Everything about one charger that changes too much for the live snapshot.

use domain::ConnectorStatus;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Answer of `GET chargers/{id}/detail`; for a charger that speaks no OCPP most of it is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChargerDetail {
    /// Maker.
    pub vendor: String,
    /// Model.
    pub model: String,
    /// Firmware version.
    pub firmware: String,
    /// Serial number.
    pub serial: String,
    /// Connections opened in the last hour; more than a few mean a bad network.
    pub connections_last_hour: u64,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// Whether enrolled tenants can charge while this program is off.
    pub works_offline: bool,
    /// Why not, or what limits it, as codes.
    pub offline_reasons: Vec<OfflineReason>,
    /// The same as English sentences.
    pub offline_sentences: Vec<String>,
    /// Its list of cards.
    pub cards: CardListItem,
    /// Configuration keys it told, and those that are wanted.
    pub configuration: Vec<ConfigurationItem>,
    /// Keys that take effect after a restart.
    pub restart_for: Vec<String>,
    /// How it shall be set.
    pub settings: ChargerSettings,
    /// Limits it confirmed.
    pub profiles: Vec<HeldProfile>,
    /// How limits are written for it.
    pub profile_way: String,
    /// The newest value of each measurand.
    pub values: Vec<ValueItem>,
    /// Progress of files, newest first.
    pub transfers: Vec<TransferItem>,
    /// Security events, newest first.
    pub security_events: Vec<SecurityEventItem>,
    /// Questions it never answered, which are no longer asked.
    pub unanswered: Vec<String>,
}

/// Something a charger can or cannot do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Capability {
    /// Name as in OCPP, such as `SmartCharging`.
    pub name: String,
    /// `true` or `false` as told or found out; `null` while unknown.
    pub supported: Option<bool>,
}

/// Why enrolled tenants cannot charge while this program is off, or what limits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OfflineReason {
    /// It was never connected since this program started.
    NotSeen,
    /// It was not approved.
    NotApproved,
    /// It keeps no list of cards and no cache.
    NoList,
    /// It keeps no list of cards; cards used there lately are in its cache.
    CacheOnly,
    /// Its list is not confirmed yet.
    ListNotVerified,
    /// It refuses the list.
    ListRefused,
    /// Its list is too short for all cards.
    ListTooShort,
    /// It is set to start nothing without this program.
    OfflineDisabled,
    /// It starts for every card while this program is off.
    AcceptsUnknownCards,
    /// Its fallback current is 0 A.
    FallbackZero,
    /// Its fallback current is not confirmed.
    FallbackNotConfirmed,
}

impl OfflineReason {
    /// In words.
    #[must_use]
    pub const fn sentence(self, language: crate::Language) -> &'static str {
        use crate::Language::{English, Portuguese};
        match (self, language) {
            (Self::NotSeen, English) => "It was not connected since this program started, so nothing is known yet",
            (Self::NotSeen, Portuguese) => "Ainda não se ligou desde que o programa arrancou, por isso nada se sabe",
            (Self::NotApproved, English) => "It waits for approval",
            (Self::NotApproved, Portuguese) => "Aguarda aprovação",
            (Self::NoList, English) => "It keeps neither a list of cards nor a cache",
            (Self::NoList, Portuguese) => "Não guarda lista de cartões nem memória de cartões usados",
            (Self::CacheOnly, English) => "It keeps no list of cards; only cards used there lately can charge",
            (Self::CacheOnly, Portuguese) => "Não guarda lista de cartões; só carregam cartões usados ali recentemente",
            (Self::ListNotVerified, English) => "Its list of cards is not confirmed yet",
            (Self::ListNotVerified, Portuguese) => "A lista de cartões ainda não está confirmada",
            (Self::ListRefused, English) => "It refuses the list of cards; restart it or update its firmware",
            (Self::ListRefused, Portuguese) => "Recusa a lista de cartões; reinicie-o ou atualize o firmware",
            (Self::ListTooShort, English) => "Its list of cards is too short for every card of the building",
            (Self::ListTooShort, Portuguese) => "A lista de cartões é curta demais para todos os cartões do edifício",
            (Self::OfflineDisabled, English) => {
                "It is set to start nothing alone; set LocalAuthorizeOffline and LocalAuthListEnabled to true"
            }
            (Self::OfflineDisabled, Portuguese) => {
                "Está configurado para nada iniciar sozinho; ponha LocalAuthorizeOffline e LocalAuthListEnabled a true"
            }
            (Self::AcceptsUnknownCards, English) => "While alone it starts for every card, even unknown ones",
            (Self::AcceptsUnknownCards, Portuguese) => "Sozinho, carrega com qualquer cartão, mesmo desconhecido",
            (Self::FallbackZero, English) => {
                "Its fallback current is 0 A; choose at least 6 A if the building allows it"
            }
            (Self::FallbackZero, Portuguese) => {
                "A corrente de recurso é 0 A; escolha pelo menos 6 A se o edifício permitir"
            }
            (Self::FallbackNotConfirmed, English) => "It did not confirm its fallback current yet",
            (Self::FallbackNotConfirmed, Portuguese) => "Ainda não confirmou a corrente de recurso",
        }
    }
}

/// A charger's list of cards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CardListItem {
    /// `unknown`, `sending`, `verified`, `partial`, `unsupported` or `refused`.
    pub state: String,
    /// Version it holds.
    pub version: Option<i32>,
    /// Cards it shall hold.
    pub wanted: u64,
    /// Cards it holds.
    pub held: u64,
    /// Most cards it can hold, where it says so.
    pub max: Option<u64>,
}

/// A configuration key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigurationItem {
    /// Key.
    pub key: String,
    /// Value it told; `null` when it told none.
    pub value: Option<String>,
    /// Whether it cannot be written.
    pub readonly: bool,
    /// Value it shall have; `null` where nobody cares.
    pub wanted: Option<String>,
    /// Whether it has another value than it shall have.
    pub drift: bool,
}

/// How a charger shall be set; `null` and empty leave the program's own choice. The charger is set at once, and again
/// after each of its restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChargerSettings {
    /// Seconds between meter values during a session, 1 to 3600.
    #[serde(default)]
    pub sample_interval_s: Option<u32>,
    /// Measurands to sample, such as `Current.Import`.
    #[serde(default)]
    pub measurands: Vec<String>,
    /// Seconds between heartbeats, 10 to 900.
    #[serde(default)]
    pub heartbeat_s: Option<u32>,
    /// Any other key of the charger and its wanted value.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
}

/// A limit a charger confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeldProfile {
    /// `fallback` or `session`.
    pub purpose: String,
    /// On which connector; 0 is the whole charger.
    pub connector: u16,
    /// For which session.
    pub session_id: Option<i32>,
    /// The limit.
    pub limit_a: f64,
}

/// The newest value of one measurand on one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValueItem {
    /// Which connector; 0 is the charger's main meter.
    pub connector: u16,
    /// What, such as `Current.Import`.
    pub measurand: String,
    /// Phase as told; empty for all.
    pub phase: String,
    /// Where; empty when not told.
    pub location: String,
    /// The value as told.
    pub value: String,
    /// Its unit.
    pub unit: String,
    /// Why it was measured.
    pub context: String,
    /// When.
    pub at: String,
}

/// A value as a charger said it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeasuredItem {
    /// When, by the charger's own clock, as told.
    pub at: String,
    /// When it arrived.
    pub received_at: String,
    /// Which connector; `null` at a session's end, where the charger does not say.
    pub connector: Option<i64>,
    /// The session as the charger names it.
    pub transaction: Option<i64>,
    /// What, such as `Voltage`.
    pub measurand: String,
    /// Phase as told; empty for all.
    pub phase: String,
    /// Why it was measured.
    pub context: String,
    /// Where.
    pub location: String,
    /// `Raw` or `SignedData`.
    pub format: String,
    /// Unit as told; empty for the measurand's own.
    pub unit: String,
    /// The value as told.
    pub value: String,
}

/// Progress of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransferItem {
    /// `diagnostics`, `log`, `firmware` or `signed_firmware`.
    pub kind: String,
    /// How far it is, in the word of the protocol.
    pub status: String,
    /// Number of the request, where the charger repeats it.
    pub request_id: Option<i64>,
    /// When.
    pub at: String,
}

/// A security event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecurityEventItem {
    /// What happened, in the word of the protocol.
    pub kind: String,
    /// More about it; may be empty.
    pub info: String,
    /// When.
    pub at: String,
}

/// A stretch of one line of a charger's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimelineItem {
    /// Which connector; 0 is the charger's link.
    pub connector: u16,
    /// Start, milliseconds since 1970.
    pub from_ms: i64,
    /// End, milliseconds since 1970.
    pub to_ms: i64,
    /// `online` or `offline` for the link; a connector's status otherwise.
    pub state: String,
    /// The same for a connector.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub status: Option<ConnectorStatus>,
    /// Error code and text; empty when there is none.
    pub error: String,
}
