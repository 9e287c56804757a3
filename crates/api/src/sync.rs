//! What leaves the building, and how far it has come.

use serde::{Deserialize, Serialize};

/// The cloud database, as the manager enters it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CloudForm {
    /// Name or address of the server.
    #[serde(default)]
    pub host: String,
    /// Port; 0 for the usual one.
    #[serde(default)]
    pub port: u16,
    /// Database.
    #[serde(default)]
    pub database: String,
    /// User.
    #[serde(default)]
    pub user: String,
    /// `off`, `encrypt`, `verify_ca` or `verify_full`; empty for `verify_full`.
    #[serde(default)]
    pub tls: String,
    /// File on this computer with the authority's certificate; empty for those it knows.
    #[serde(default)]
    pub ca_file: String,
    /// Only when it changes; never given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What may leave.
    #[serde(default)]
    pub consent: ConsentForm,
}

/// What may leave. Nothing that names a person leaves unless it is ticked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(clippy::struct_excessive_bools, reason = "boxes to tick")]
pub struct ConsentForm {
    /// Names, flats, e-mail addresses and telephone numbers of tenants.
    #[serde(default)]
    pub names: bool,
    /// Numbers of cards.
    #[serde(default)]
    pub cards: bool,
    /// Reasons people wrote, letterhead and tariff.
    #[serde(default)]
    pub papers: bool,
    /// Protocol frames as they crossed the wire.
    #[serde(default)]
    pub frames: bool,
    /// Readings as measured, in place of means of a minute.
    #[serde(default)]
    pub raw: bool,
}

/// What stands in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TroubleItem {
    /// Stable word, such as `name`, `port`, `tls`, `password`, `rights` or `version`.
    pub code: String,
    /// What is wrong and what to do.
    pub sentence: String,
    /// What the other end said; may be empty.
    pub detail: String,
}

/// Where records are sent, and how far it has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SinkStatus {
    /// `cloud`, `kafka` or `mqtt`.
    pub name: String,
    /// Whether it was set up.
    pub configured: bool,
    /// `beginning`, `sending`, `up_to_date`, `paused` or `failing`; empty when it was not set up.
    pub phase: String,
    /// Rows sent since it was set up.
    pub rows_sent: i64,
    /// Changes that wait.
    pub waiting: i64,
    /// How much of the first upload is done, 0 to 1; `None` once it is.
    pub first_upload: Option<f64>,
    /// Age of the oldest change that waits, in seconds; 0 when none does, `None` during the first upload.
    pub lag_s: Option<f64>,
    /// The last thing that stood in the way.
    pub last_trouble: Option<TroubleItem>,
    /// Whether it stands in the way now.
    pub failing: bool,
    /// Where the password is kept; empty when there is none.
    pub password_in: String,
}

/// The cloud page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CloudItem {
    /// Settings, without the password.
    pub form: CloudForm,
    /// How far it has come.
    pub status: SinkStatus,
    /// Identity of this building among all of a cloud.
    pub site_id: String,
}

/// What a test of a connection found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionTest {
    /// What stands in the way; `None` when all is well.
    pub trouble: Option<TroubleItem>,
    /// Version of the server, when it was reached.
    pub server: String,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// Whether the server has what records are written to; it is made at the start.
    pub prepared: bool,
}

/// Everything that leaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncPage {
    /// One of each.
    pub items: Vec<SinkStatus>,
}

/// Sends nothing for now, or goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SinkPause {
    /// Whether nothing is sent.
    pub paused: bool,
}

/// Where copies of the records go and how many are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupForm {
    /// Folder on this computer; empty for the one in the data folder.
    pub folder: String,
    /// Whether a copy is made every day.
    pub daily: bool,
    /// The newest of this many days are kept.
    pub days: u32,
    /// And of this many weeks.
    pub weeks: u32,
    /// And of this many months.
    pub months: u32,
}

/// A copy of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupItem {
    /// File name.
    pub name: String,
    /// When it was made.
    pub at: String,
    /// Size.
    pub bytes: u64,
}

/// The backup page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupPage {
    /// Settings.
    pub form: BackupForm,
    /// The folder in use.
    pub folder: String,
    /// Copies, newest first.
    pub items: Vec<BackupItem>,
    /// Why the last copy failed; empty when it did not.
    pub trouble: String,
    /// The copy that is restored at the next start; empty for none.
    pub restores: String,
}

/// What is in a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupPreview {
    /// File name.
    pub name: String,
    /// Name of the building.
    pub site: String,
    /// Chargers.
    pub chargers: i64,
    /// Tenants.
    pub tenants: i64,
    /// Sessions.
    pub sessions: i64,
    /// Closed months.
    pub closed_months: i64,
    /// Newest session; empty when there is none.
    pub newest: String,
    /// Files of chargers that come back with it.
    pub files: u64,
    /// Files it knows of that are not beside it.
    pub files_missing: u64,
    /// Whether passwords and keys come back with it, sealed with the passphrase of then.
    pub sealed: bool,
    /// What must be entered or made again on a new computer: `cloud`, `mqtt`, `kafka`, `mail` (their passwords),
    /// `certificates`.
    pub again: Vec<String>,
    /// Size.
    pub bytes: u64,
}

/// For how many days each kind of record is kept; means of quarter-hours stay for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionForm {
    /// Readings as measured.
    pub raw_days: u32,
    /// Readings as one mean a minute; at least as long as those as measured.
    pub minute_days: u32,
    /// Protocol frames outside transactions.
    pub frame_days: u32,
    /// Protocol frames about transactions.
    pub transaction_frame_days: u32,
    /// Decisions about current.
    pub decision_days: u32,
    /// Refused cards, cleared alarms and changes of status.
    pub event_days: u32,
}

/// How long records are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionItem {
    /// As it is.
    pub form: RetentionForm,
    /// As it is while nobody chooses.
    pub usual: RetentionForm,
    /// Size of the records on the disk.
    pub bytes: u64,
}

/// Everything as open formats.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportWritten {
    /// Folder with the files.
    pub folder: String,
    /// Files.
    pub files: u32,
    /// Rows.
    pub rows: u64,
}

/// A broker further up, as the manager enters it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct MqttForm {
    /// Name or address of the broker.
    pub host: String,
    /// Port; 0 for the usual one.
    pub port: u16,
    /// User; empty for none.
    pub user: String,
    /// How this building is called there.
    pub name: String,
    /// `own`, `dojot`, `emoncms` or `home_assistant`.
    pub preset: String,
    /// Topic of one's own, with `{site}`, `{device}`, `{source}`, `{quantity}`, `{value}`, `{at}`, `{at_ms}`.
    pub topic: String,
    /// Payload of one's own, with the same blanks.
    pub payload: String,
    /// Whether the broker keeps the newest message of each topic.
    pub retain: bool,
    /// Whether the connection is encrypted and the broker's certificate checked.
    pub tls: bool,
    /// File on this computer with the authority's certificate; empty for those it knows.
    pub ca_file: String,
    /// Only when it changes; never given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What may leave; only readings are published, so only `raw` matters.
    pub consent: ConsentForm,
}

/// A broker further up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MqttItem {
    /// Settings, without the password.
    pub form: MqttForm,
    /// How far it has come.
    pub status: SinkStatus,
}

/// Kafka, as the manager enters it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct KafkaForm {
    /// Brokers to begin with, as `host:port`, with commas between.
    pub brokers: String,
    /// Topic of rows.
    pub topic: String,
    /// Topic of readings; empty to send none.
    pub readings_topic: String,
    /// What the key of a record is: `record` (its row), `charger` or `site`.
    pub keys: String,
    /// `none`, `plain`, `scram256` or `scram512`.
    pub sasl: String,
    /// User.
    pub user: String,
    /// Whether the connection is encrypted and the certificate checked.
    pub tls: bool,
    /// File on this computer with the authority's certificate; empty for those it knows.
    pub ca_file: String,
    /// Only when it changes; never given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What may leave.
    pub consent: ConsentForm,
}

/// Kafka.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KafkaItem {
    /// Settings, without the password.
    pub form: KafkaForm,
    /// How far it has come.
    pub status: SinkStatus,
}
