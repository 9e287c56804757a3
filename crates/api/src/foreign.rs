//! Meters of other makers over MQTT or HTTP.

use serde::{Deserialize, Serialize};

/// Where one value of a meter's messages stands and what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForeignRule {
    /// End of the message's topic, such as `status/em:0`; empty for every topic and over HTTP.
    #[serde(default)]
    pub topic: String,
    /// Where in the JSON, such as `emeters[0].current`; empty for a message that is only the number.
    #[serde(default)]
    pub path: String,
    /// `current_l1_a` … `current_l3_a`, `voltage_l1_v` …, `power_l1_w` …, `power_w`, `import_l1_wh` …, `import_wh`.
    pub quantity: String,
    /// The value is multiplied with this decimal number; absent is 1.
    #[serde(default = "one")]
    pub factor: String,
}

fn one() -> String {
    "1".to_owned()
}

/// What a meter of another maker stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ForeignStands {
    /// A meter of a circuit.
    #[default]
    Meter,
    /// A charger that has nothing but this meter: it is watched and billed, and takes no orders.
    Charger,
}

/// How its values arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ForeignTransport {
    /// It publishes to the built-in broker, with its name as user name.
    #[default]
    Mqtt,
    /// It is asked over HTTP.
    Http,
}

/// Body of `PUT foreign-meters/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ForeignMeterPut {
    /// What it stands for.
    #[serde(default)]
    pub stands: ForeignStands,
    /// How its values arrive.
    #[serde(default)]
    pub transport: ForeignTransport,
    /// Address that is asked, for HTTP; a bare `http://192.168.1.40` gets the preset's path.
    #[serde(default)]
    pub url: String,
    /// Seconds between two questions over HTTP: 1 to 60; absent is 2.
    #[serde(default)]
    pub every_s: Option<u32>,
    /// Phases it measures, 1 or 3; absent is the preset's number.
    #[serde(default)]
    pub phases: Option<u8>,
    /// `shelly_em`, `shelly_3em`, `shelly_pro_em`, `shelly_pro_3em`, `tasmota`; `null` for a mapping of one's own.
    #[serde(default)]
    pub preset: Option<String>,
    /// A mapping of one's own; takes the place of the preset's. Neither is allowed for a meter that is only listened to
    /// until its messages are known.
    #[serde(default)]
    pub rules: Vec<ForeignRule>,
    /// Circuit it measures or hangs on; absent keeps it, or is the grid connection.
    #[serde(default)]
    pub circuit: Option<String>,
}

/// A message as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForeignMessage {
    /// Topic; empty over HTTP.
    pub topic: String,
    /// Its text, shortened.
    pub text: String,
    /// When.
    pub at: String,
}

/// A value that was understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForeignValue {
    /// What it is, as in [`ForeignRule::quantity`].
    pub quantity: String,
    /// The value in the unit of that name.
    pub value: f64,
}

/// What is understood of a meter's messages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForeignReading {
    /// The newest messages, one for each topic.
    pub messages: Vec<ForeignMessage>,
    /// The values found in them.
    pub values: Vec<ForeignValue>,
    /// Current of each phase in A, below zero when it flows out; empty while a phase is unknown.
    pub current_a: Vec<f64>,
    /// Power in W, below zero when it flows out.
    pub power_w: Option<f64>,
    /// Import register in Wh.
    pub energy_wh: Option<u64>,
    /// What is wrong and what to do; empty when all is well.
    pub problem: String,
}

/// A meter of another maker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForeignMeterItem {
    /// Its name, also its user name over MQTT.
    pub id: String,
    /// What it stands for.
    pub stands: ForeignStands,
    /// How its values arrive.
    pub transport: ForeignTransport,
    /// Address that is asked; empty over MQTT.
    pub url: String,
    /// Seconds between two questions over HTTP.
    pub every_s: u32,
    /// Phases it measures.
    pub phases: u8,
    /// Its preset, if its mapping is one.
    pub preset: Option<String>,
    /// Its mapping.
    pub rules: Vec<ForeignRule>,
    /// When it was last heard.
    pub heard_at: Option<String>,
    /// What is understood of it.
    pub reading: ForeignReading,
}

/// A meter whose messages are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ForeignPreset {
    /// Its name for [`ForeignMeterPut::preset`].
    pub key: String,
    /// As the maker calls it.
    pub title: String,
    /// Phases it measures as a rule.
    pub phases: u8,
    /// What is asked over HTTP.
    pub http_path: String,
    /// Its mapping.
    pub rules: Vec<ForeignRule>,
}

/// Body of `POST foreign-meters/preview`: a mapping or preset, and what to read with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ForeignPreview {
    /// Reads what this meter sent last.
    #[serde(default)]
    pub id: Option<String>,
    /// Asks this address now.
    #[serde(default)]
    pub url: Option<String>,
    /// Reads this text.
    #[serde(default)]
    pub text: Option<String>,
    /// Topic of that text.
    #[serde(default)]
    pub topic: String,
    /// As in [`ForeignMeterPut`].
    #[serde(default)]
    pub stands: ForeignStands,
    /// As in [`ForeignMeterPut`].
    #[serde(default)]
    pub phases: Option<u8>,
    /// As in [`ForeignMeterPut`].
    #[serde(default)]
    pub preset: Option<String>,
    /// As in [`ForeignMeterPut`].
    #[serde(default)]
    pub rules: Vec<ForeignRule>,
}
