//! Writes `crates/ocpp/src/v16/generated/` from the official schemas in `crates/ocpp/schemas/v16/`.
//!
//! Types with the same body become one type, whatever message they appear in. The schemas name few of
//! their inner types, so [`NAMES`] gives those the names the OCPP 1.6 text uses.

use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

type Failure = Box<dyn Error + Send + Sync>;

/// Names of inner types, by `Message.path` of their first appearance in alphabetical order.
const NAMES: &[(&str, &str)] = &[
    ("AuthorizeResponse.idTagInfo.status", "AuthorizationStatus"),
    ("BootNotificationResponse.status", "RegistrationStatus"),
    ("CancelReservationResponse.status", "GenericStatus"),
    ("ChangeAvailability.type", "AvailabilityType"),
    ("ChangeAvailabilityResponse.status", "AvailabilityStatus"),
    ("ChangeConfigurationResponse.status", "ConfigurationStatus"),
    ("ClearChargingProfile.chargingProfilePurpose", "ChargingProfilePurpose"),
    ("ClearChargingProfileResponse.status", "ClearChargingProfileStatus"),
    ("DataTransferResponse.status", "DataTransferStatus"),
    ("DiagnosticsStatusNotification.status", "DiagnosticsStatus"),
    ("ExtendedTriggerMessage.requestedMessage", "ExtendedMessageTrigger"),
    ("FirmwareStatusNotification.status", "FirmwareStatus"),
    ("GetConfigurationResponse.configurationKey", "KeyValue"),
    ("GetLog.logType", "LogType"),
    ("MeterValues.meterValue.sampledValue.context", "ReadingContext"),
    ("MeterValues.meterValue.sampledValue.format", "ValueFormat"),
    ("MeterValues.meterValue.sampledValue.phase", "SampledPhase"),
    ("MeterValues.meterValue.sampledValue.unit", "UnitOfMeasure"),
    ("ReserveNowResponse.status", "ReservationStatus"),
    ("Reset.type", "ResetType"),
    ("SendLocalList.localAuthorizationList", "AuthorizationData"),
    ("SendLocalListResponse.status", "UpdateStatus"),
    ("SetChargingProfileResponse.status", "ChargingProfileStatus"),
    ("SignedFirmwareStatusNotification.status", "SignedFirmwareStatus"),
    ("StatusNotification.errorCode", "ChargePointErrorCode"),
    ("StatusNotification.status", "ChargePointStatus"),
    ("TriggerMessage.requestedMessage", "MessageTrigger"),
    ("UnlockConnectorResponse.status", "UnlockStatus"),
];

/// Types that two messages spell slightly differently (a word or a minimum count more); one serves both.
const SAME: &[(&str, &str)] = &[
    ("StopTransaction.transactionData", "MeterValue"),
    ("StopTransaction.transactionData.sampledValue.unit", "UnitOfMeasure"),
];

/// Generates the OCPP 1.6 types; with `check_only`, compares instead and fails when a file differs.
///
/// # Errors
/// When a schema uses something the generator does not know, when `rustfmt` cannot run, or when a
/// generated file is out of date.
pub(crate) fn run(check_only: bool) -> Result<(), Failure> {
    let ocpp = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ocpp");
    let mut types = Types::default();
    let messages = types.read_folder(&ocpp.join("schemas/v16"))?;
    let folder = ocpp.join("src/v16/generated");
    let files = [
        ("actions.rs", actions_file(&messages)?),
        ("enums.rs", types.enums_file()?),
        (
            "messages.rs",
            structs_file(&messages, "The messages.", &["Decimal"], "use super::enums::*;\nuse super::parts::*;")?,
        ),
        ("parts.rs", structs_file(&types.parts, "What messages are made of.", &[], "use super::enums::*;")?),
    ];
    for (name, text) in files {
        settle(&folder.join(name), &formatted(&text)?, check_only)?;
    }
    Ok(())
}

fn settle(path: &PathBuf, text: &str, check_only: bool) -> Result<(), Failure> {
    let old = std::fs::read_to_string(path).unwrap_or_default();
    if old == text {
        return Ok(());
    }
    if check_only {
        return Err(format!("{} is out of date; run `cargo xtask generate`", path.display()).into());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(path, text)?)
}

fn formatted(text: &str) -> Result<String, Failure> {
    let config = "max_width=120,use_small_heuristics=Max";
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", config])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt cannot run ({error}); install it with `rustup component add rustfmt`"))?;
    let mut stdin = child.stdin.take().ok_or("rustfmt has no input")?;
    let feeding = std::thread::scope(|scope| {
        let feeder = scope.spawn(move || stdin.write_all(text.as_bytes()));
        let output = child.wait_with_output();
        (feeder.join(), output)
    });
    let (Ok(fed), output) = feeding else { return Err("feeding rustfmt failed".into()) };
    fed?;
    let output = output?;
    if !output.status.success() {
        return Err("rustfmt refused the generated text".into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The kind of a value, with the rules that writing must keep.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Text { max: Option<u64> },
    DateTime,
    Integer,
    Tenths,
    Flag,
    Enum(String),
    Object(String),
    List { item: Box<Self>, min: u64 },
}

impl Kind {
    fn rust(&self) -> String {
        match self {
            Self::Text { .. } => "String".to_owned(),
            Self::DateTime => "DateTime".to_owned(),
            Self::Integer => "i64".to_owned(),
            Self::Tenths => "Decimal".to_owned(),
            Self::Flag => "bool".to_owned(),
            Self::Enum(name) | Self::Object(name) => name.clone(),
            Self::List { item, .. } => format!("Vec<{}>", item.rust()),
        }
    }

    /// The tolerant reader in `crate::read`.
    fn reader(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::DateTime | Self::Enum(_) => "worded",
            Self::Integer => "integer",
            Self::Tenths => "decimal",
            Self::Flag => "flag",
            Self::Object(_) => "object",
            Self::List { .. } => "list",
        }
    }

    /// Whether a required value that is missing has a harmless stand-in when read.
    fn has_stand_in(&self) -> bool {
        match self {
            Self::Text { .. } | Self::DateTime | Self::Enum(_) | Self::Flag | Self::List { .. } => true,
            Self::Integer | Self::Tenths | Self::Object(_) => false,
        }
    }

    fn doc(&self) -> String {
        match self {
            Self::Text { max: Some(max) } => format!("text of at most {max} characters"),
            Self::Text { max: None } => "text".to_owned(),
            Self::DateTime => "point of time".to_owned(),
            Self::Integer => "whole number".to_owned(),
            Self::Tenths => "number with one decimal".to_owned(),
            Self::Flag => "yes or no".to_owned(),
            Self::Enum(_) => "one of a list".to_owned(),
            Self::Object(_) => "group of fields".to_owned(),
            Self::List { min: 0, .. } => "list".to_owned(),
            Self::List { min, .. } => format!("list of at least {min}"),
        }
    }

    /// The statement that checks the value at `place`, borrowed as `borrowed`, if there is a rule.
    fn check(&self, wire: &str, place: &str, borrowed: &str) -> Option<String> {
        match self {
            Self::Text { max: Some(max) } => Some(format!("check::text({wire:?}, {borrowed}, {max})?;")),
            Self::DateTime => Some(format!("check::date_time({wire:?}, {borrowed})?;")),
            Self::Tenths => Some(format!("check::tenths({wire:?}, {borrowed})?;")),
            Self::Enum(_) => Some(format!("check::listed({wire:?}, {place}.as_str(), {place}.is_listed())?;")),
            Self::Object(_) => Some(format!("check::inside({wire:?}, {place}.check())?;")),
            Self::Text { max: None } | Self::Integer | Self::Flag => None,
            Self::List { item, min } => {
                let mut text = String::new();
                if *min > 0 {
                    text += &format!("check::at_least({wire:?}, {place}.len(), {min})?;");
                }
                if let Some(inner) = item.check(wire, "item", "item") {
                    text += &format!("for item in {borrowed} {{ {inner} }}");
                }
                (!text.is_empty()).then_some(text)
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    wire: String,
    required: bool,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Struct {
    name: String,
    doc: String,
    fields: Vec<Field>,
}

#[derive(Default)]
struct Types {
    enums: BTreeMap<String, Vec<String>>,
    parts: Vec<Struct>,
}

impl Types {
    fn read_folder(&mut self, folder: &Path) -> Result<Vec<Struct>, Failure> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, Failure>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let mut messages = Vec::new();
        for path in paths {
            let name = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a schema has no name")?.to_owned();
            let schema: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
            let fields = self.fields(&schema, &schema, &name)?;
            let (action, side) = match name.strip_suffix("Response") {
                Some(action) => (action, "Response"),
                None => (name.as_str(), "Request"),
            };
            let doc = format!("`{action}`, {}.", side.to_lowercase());
            messages.push(Struct { name: format!("{action}{side}"), doc, fields });
        }
        Ok(messages)
    }

    fn fields(&mut self, root: &Value, object: &Value, path: &str) -> Result<Vec<Field>, Failure> {
        let required: Vec<&str> = object["required"]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut fields = Vec::new();
        for (wire, schema) in object["properties"].as_object().into_iter().flatten() {
            let kind = self.kind(root, schema, &format!("{path}.{wire}"), None)?;
            fields.push(Field { wire: wire.clone(), required: required.contains(&wire.as_str()), kind });
        }
        Ok(fields)
    }

    fn kind(&mut self, root: &Value, schema: &Value, path: &str, name: Option<&str>) -> Result<Kind, Failure> {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            let target = &root["definitions"][name];
            if target.is_null() {
                return Err(format!("{path}: {reference} is not defined").into());
            }
            return self.kind(root, target, path, Some(name));
        }
        if let Some(values) = schema["enum"].as_array() {
            let values = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            return Ok(Kind::Enum(self.enum_named(path, name, values)?));
        }
        Ok(match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("string"), Some("date-time")) => Kind::DateTime,
            (Some("string"), _) => Kind::Text { max: schema["maxLength"].as_u64() },
            (Some("integer"), _) => Kind::Integer,
            (Some("number"), _) if schema["multipleOf"].as_f64() == Some(0.1) => Kind::Tenths,
            (Some("boolean"), _) => Kind::Flag,
            (Some("array"), _) => {
                let item = Box::new(self.kind(root, &schema["items"], path, None)?);
                Kind::List { item, min: schema["minItems"].as_u64().unwrap_or(0) }
            }
            (Some("object"), _) => {
                let fields = self.fields(root, schema, path)?;
                Kind::Object(self.struct_named(path, name, fields)?)
            }
            (other, _) => return Err(format!("{path}: type {other:?} is not known to the generator").into()),
        })
    }

    fn enum_named(&mut self, path: &str, name: Option<&str>, values: Vec<String>) -> Result<String, Failure> {
        if let Some((_, same)) = SAME.iter().find(|(known, _)| *known == path) {
            return Ok((*same).to_owned());
        }
        if let Some((known, _)) = self.enums.iter().find(|(_, known)| **known == values) {
            return Ok(known.clone());
        }
        let name = type_name(path, name);
        match self.enums.insert(name.clone(), values) {
            None => Ok(name),
            Some(_) => Err(format!("{path}: two lists want the name {name}; add one to NAMES").into()),
        }
    }

    fn struct_named(&mut self, path: &str, name: Option<&str>, fields: Vec<Field>) -> Result<String, Failure> {
        if let Some((_, same)) = SAME.iter().find(|(known, _)| *known == path) {
            return Ok((*same).to_owned());
        }
        if let Some(known) = self.parts.iter().find(|known| known.fields == fields) {
            return Ok(known.name.clone());
        }
        let name = type_name(path, name);
        if self.parts.iter().any(|known| known.name == name) {
            return Err(format!("{path}: two groups want the name {name}; add one to NAMES").into());
        }
        self.parts.push(Struct { name: name.clone(), doc: format!("`{path}`."), fields });
        Ok(name)
    }

    fn enums_file(&self) -> Result<String, Failure> {
        let mut text = header("The lists of words.");
        text += "use crate::words::words;\n";
        for (name, values) in &self.enums {
            writeln!(text, "words! {{\n/// List of {} words.\n{name} {{", values.len())?;
            for value in values {
                writeln!(text, "{} = {value:?},", variant(value))?;
            }
            text += "} }\n";
        }
        Ok(text)
    }
}

fn type_name(path: &str, name: Option<&str>) -> String {
    if let Some((_, known)) = NAMES.iter().find(|(known, _)| *known == path) {
        return (*known).to_owned();
    }
    match name {
        Some(name) => name.trim_end_matches("Type").trim_end_matches("Enum").to_owned(),
        None => pascal(path.rsplit('.').next().unwrap_or(path)),
    }
}

fn pascal(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// `SuspendedEVSE` becomes `SuspendedEvse`, `L1-N` becomes `L1N`, `Energy.Active` becomes `EnergyActive`.
fn variant(value: &str) -> String {
    let joined: String = value.split(|c: char| !c.is_ascii_alphanumeric()).map(pascal).collect();
    let chars: Vec<char> = joined.chars().collect();
    let mut name = String::new();
    for (index, c) in chars.iter().enumerate() {
        let after_upper = index > 0 && chars[index - 1].is_ascii_uppercase();
        let before_lower = chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
        name.push(if after_upper && !before_lower { c.to_ascii_lowercase() } else { *c });
    }
    name
}

fn snake(word: &str) -> String {
    let mut name = String::new();
    for c in word.chars() {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    if matches!(name.as_str(), "type") { format!("r#{name}") } else { name }
}

/// Other spellings of a field that chargers use: `connectorid`, `ConnectorId`, `connectorID`, `connector_id`.
fn aliases(wire: &str) -> String {
    let upper_id = wire.strip_suffix("Id").map(|stem| format!("{stem}ID"));
    let spellings = [wire.to_ascii_lowercase(), pascal(wire), snake(wire).replace("r#", "")];
    let mut known = vec![wire.to_owned()];
    for spelling in spellings.into_iter().chain(upper_id) {
        if !known.contains(&spelling) {
            known.push(spelling);
        }
    }
    known.iter().skip(1).map(|spelling| format!("alias = {spelling:?}, ")).collect()
}

fn header(what: &str) -> String {
    format!("//! {what}\n//!\n//! Generated by `cargo xtask generate` from `schemas/v16`; do not edit.\n\n")
}

fn structs_file(structs: &[Struct], what: &str, unused: &[&str], uses: &str) -> Result<String, Failure> {
    let mut text = header(what);
    writeln!(text, "{uses}\nuse crate::check::{{self, Check, Violation}};")?;
    let ours: Vec<&str> = ["DateTime", "Decimal", "read"].into_iter().filter(|name| !unused.contains(name)).collect();
    writeln!(text, "use crate::{{{}}};\nuse serde::{{Deserialize, Serialize}};\n", ours.join(", "))?;
    for item in structs {
        struct_text(&mut text, item)?;
    }
    Ok(text)
}

fn struct_text(text: &mut String, item: &Struct) -> Result<(), Failure> {
    let Struct { name, doc, fields } = item;
    let can_default =
        fields.iter().all(|field| !field.required || field.kind.has_stand_in() || field.kind == Kind::Integer);
    let default = if can_default { "Default, " } else { "" };
    writeln!(
        text,
        "/// {doc}\n#[derive(Clone, Debug, {default}PartialEq, Eq, Serialize, Deserialize)]\npub struct {name} {{"
    )?;
    for field in fields {
        let wire = &field.wire;
        let (kind, doc) = (field.kind.rust(), field.kind.doc());
        let reader = field.kind.reader();
        if field.required {
            let default = if field.kind.has_stand_in() { "default, " } else { "" };
            writeln!(text, "/// `{wire}`: {doc}.")?;
            let aliases = aliases(wire);
            writeln!(text, "#[serde(rename = {wire:?}, {aliases}{default}deserialize_with = \"read::{reader}\")]")?;
            writeln!(text, "pub {}: {kind},", snake(wire))?;
        } else {
            writeln!(text, "/// `{wire}`: {doc}; optional.")?;
            let aliases = aliases(wire);
            write!(
                text,
                "#[serde(rename = {wire:?}, {aliases}default, deserialize_with = \"read::{reader}_optional\", "
            )?;
            writeln!(text, "skip_serializing_if = \"Option::is_none\")]\npub {}: Option<{kind}>,", snake(wire))?;
        }
    }
    writeln!(text, "}}\nimpl Check for {name} {{ fn check(&self) -> Result<(), Violation> {{")?;
    for field in fields {
        let rust = snake(&field.wire);
        if field.required {
            let check = field.kind.check(&field.wire, &format!("self.{rust}"), &format!("&self.{rust}"));
            text.push_str(&check.unwrap_or_default());
        } else if let Some(check) = field.kind.check(&field.wire, "value", "value") {
            writeln!(text, "if let Some(value) = &self.{rust} {{ {check} }}")?;
        }
    }
    writeln!(text, "Ok(()) }} }}\n")?;
    Ok(())
}

fn actions_file(messages: &[Struct]) -> Result<String, Failure> {
    let mut text = header("The table of actions.");
    let actions: Vec<&str> = messages.iter().filter_map(|message| message.name.strip_suffix("Request")).collect();
    text += "use super::messages::*;\nuse crate::action::actions;\n\nactions! {\n";
    for action in &actions {
        writeln!(text, "{action}: {action}Request => {action}Response,")?;
    }
    text += "}\n\n/// Calls a macro of yours as `callback!(\"name of the schema\", Type)` for every message.\n";
    text += "#[doc(hidden)]\n#[macro_export]\nmacro_rules! for_each_v16_message {\n    ($callback:ident) => {\n";
    for action in &actions {
        writeln!(text, "        $callback!({action:?}, {action}Request);")?;
        writeln!(text, "        $callback!(\"{action}Response\", {action}Response);")?;
    }
    text += "    };\n}\n";
    Ok(text)
}
