//! Operations of a charger as forms: which fields each one has, and the request they make. Pure.

use crate::text::Text;
use api::Operation;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An operation with a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    ReadConfiguration,
    WriteConfiguration,
    Trigger,
    TriggerExtended,
    SendData,
    Reserve,
    CancelReserve,
    SetProfile,
    ClearProfile,
    Composite,
    Diagnostics,
    Log,
    Firmware,
    SignedFirmware,
    ListVersion,
    ListSend,
    CertificateInstall,
    CertificateDelete,
    CertificateList,
    CertificateHand,
}

/// How a field is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Words; left out when empty.
    Words,
    /// Several lines, such as a certificate.
    Lines,
    /// A whole number; left out when empty.
    Number,
    /// One of these words of the protocol.
    Choice(&'static [&'static str]),
    /// Minutes from now, sent as a time.
    Minutes,
    /// Stretches of a schedule, such as `0:16, 3600:10`.
    Periods,
    /// The chosen connector.
    Connector,
    /// Firmware kept here.
    File,
}

/// A field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FormField {
    /// Its name in the request.
    pub(crate) key: &'static str,
    /// Its label.
    pub(crate) label: Text,
    /// How it is filled in.
    pub(crate) kind: Kind,
    /// Whether the request makes no sense without it.
    pub(crate) needed: bool,
}

const fn needed(key: &'static str, label: Text, kind: Kind) -> FormField {
    FormField { key, label, kind, needed: true }
}

const fn optional(key: &'static str, label: Text, kind: Kind) -> FormField {
    FormField { key, label, kind, needed: false }
}

const CONNECTOR: FormField = needed("connector", Text::KindDevice, Kind::Connector);
const USE_FOR: FormField =
    needed("use_for", Text::FieldUse, Kind::Choice(&["central_system_root", "manufacturer_root"]));
const FILE: FormField = optional("file", Text::FieldFile, Kind::File);
const LOCATION: FormField = optional("location", Text::FieldLocation, Kind::Words);

/// Messages a charger can be asked for.
const MESSAGES: &[&str] = &[
    "StatusNotification",
    "MeterValues",
    "Heartbeat",
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
];

/// The same by the security extension.
const MESSAGES_EXTENDED: &[&str] = &[
    "SignChargePointCertificate",
    "LogStatusNotification",
    "FirmwareStatusNotification",
    "StatusNotification",
    "MeterValues",
    "Heartbeat",
    "BootNotification",
];

impl Form {
    /// All of them, in the order of the list.
    pub(crate) const ALL: [Self; 20] = [
        Self::ReadConfiguration,
        Self::WriteConfiguration,
        Self::Trigger,
        Self::TriggerExtended,
        Self::Reserve,
        Self::CancelReserve,
        Self::SetProfile,
        Self::ClearProfile,
        Self::Composite,
        Self::Diagnostics,
        Self::Log,
        Self::Firmware,
        Self::SignedFirmware,
        Self::ListVersion,
        Self::ListSend,
        Self::CertificateInstall,
        Self::CertificateDelete,
        Self::CertificateList,
        Self::CertificateHand,
        Self::SendData,
    ];

    /// Its name in the request.
    const fn operation(self) -> &'static str {
        match self {
            Self::ReadConfiguration => "get_configuration",
            Self::WriteConfiguration => "change_configuration",
            Self::Trigger => "trigger_message",
            Self::TriggerExtended => "extended_trigger_message",
            Self::SendData => "data_transfer",
            Self::Reserve => "reserve_now",
            Self::CancelReserve => "cancel_reservation",
            Self::SetProfile => "set_charging_profile",
            Self::ClearProfile => "clear_charging_profile",
            Self::Composite => "get_composite_schedule",
            Self::Diagnostics => "get_diagnostics",
            Self::Log => "get_log",
            Self::Firmware => "update_firmware",
            Self::SignedFirmware => "signed_update_firmware",
            Self::ListVersion => "get_local_list_version",
            Self::ListSend => "send_local_list",
            Self::CertificateInstall => "install_certificate",
            Self::CertificateDelete => "delete_certificate",
            Self::CertificateList => "get_installed_certificate_ids",
            Self::CertificateHand => "certificate_signed",
        }
    }

    /// What its button says.
    pub(crate) const fn label(self) -> Text {
        match self {
            Self::ReadConfiguration => Text::ReadConfiguration,
            Self::WriteConfiguration => Text::WriteConfiguration,
            Self::Trigger => Text::Trigger,
            Self::TriggerExtended => Text::TriggerExtended,
            Self::SendData => Text::SendData,
            Self::Reserve => Text::Reserve,
            Self::CancelReserve => Text::CancelReserve,
            Self::SetProfile => Text::SetProfile,
            Self::ClearProfile => Text::ClearProfile,
            Self::Composite => Text::Composite,
            Self::Diagnostics => Text::Diagnostics,
            Self::Log => Text::FetchLog,
            Self::Firmware => Text::Firmware,
            Self::SignedFirmware => Text::FirmwareSigned,
            Self::ListVersion => Text::ListVersion,
            Self::ListSend => Text::ListSend,
            Self::CertificateInstall => Text::CertificateInstall,
            Self::CertificateDelete => Text::CertificateDelete,
            Self::CertificateList => Text::CertificateList,
            Self::CertificateHand => Text::CertificateHand,
        }
    }

    /// What it asks for.
    pub(crate) fn fields(self) -> Vec<FormField> {
        match self {
            Self::ReadConfiguration => vec![optional("keys", Text::KeysHint, Kind::Words)],
            Self::WriteConfiguration => {
                vec![needed("key", Text::Key, Kind::Words), needed("value", Text::Value, Kind::Words)]
            }
            Self::Trigger => vec![needed("message", Text::MessageName, Kind::Choice(MESSAGES)), CONNECTOR],
            Self::TriggerExtended => vec![needed("message", Text::MessageName, Kind::Choice(MESSAGES_EXTENDED))],
            Self::SendData => vec![
                needed("vendor_id", Text::VendorId, Kind::Words),
                optional("message_id", Text::MessageId, Kind::Words),
                optional("data", Text::Data, Kind::Words),
            ],
            Self::Reserve => vec![
                CONNECTOR,
                needed("card", Text::CardNumber, Kind::Words),
                needed("until", Text::FieldMinutes, Kind::Minutes),
            ],
            Self::CancelReserve => vec![needed("reservation_id", Text::FieldReservation, Kind::Number)],
            Self::SetProfile => vec![
                CONNECTOR,
                needed("purpose", Text::FieldPurpose, Kind::Choice(&["tx_default", "tx", "charge_point_max"])),
                needed("kind", Text::FieldKind, Kind::Choice(&["relative", "absolute", "daily", "weekly"])),
                needed("unit", Text::FieldUnit, Kind::Choice(&["A", "W"])),
                needed("id", Text::FieldProfile, Kind::Number),
                optional("stack_level", Text::FieldStack, Kind::Number),
                optional("duration_s", Text::FieldDuration, Kind::Number),
                needed("periods", Text::FieldPeriods, Kind::Periods),
            ],
            Self::ClearProfile => vec![
                optional("profile_id", Text::FieldProfile, Kind::Number),
                optional("connector", Text::FieldConnector, Kind::Number),
                optional("purpose", Text::FieldPurpose, Kind::Choice(&["", "tx_default", "tx", "charge_point_max"])),
                optional("stack_level", Text::FieldStack, Kind::Number),
            ],
            Self::Composite => vec![
                CONNECTOR,
                needed("duration_s", Text::FieldDuration, Kind::Number),
                optional("unit", Text::FieldUnit, Kind::Choice(&["", "A", "W"])),
            ],
            Self::Diagnostics => vec![LOCATION],
            Self::Log => vec![needed("log", Text::FieldLog, Kind::Choice(&["diagnostics", "security"])), LOCATION],
            Self::Firmware => vec![FILE, LOCATION],
            Self::SignedFirmware => vec![
                FILE,
                LOCATION,
                needed("signing_certificate", Text::FieldCertificate, Kind::Lines),
                needed("signature", Text::FieldSignature, Kind::Lines),
            ],
            Self::ListVersion | Self::ListSend => Vec::new(),
            Self::CertificateInstall => vec![USE_FOR, needed("certificate", Text::FieldCertificate, Kind::Lines)],
            Self::CertificateDelete => vec![
                needed("hash_algorithm", Text::FieldHash, Kind::Choice(&["SHA256", "SHA384", "SHA512"])),
                needed("issuer_name_hash", Text::FieldIssuerName, Kind::Words),
                needed("issuer_key_hash", Text::FieldIssuerKey, Kind::Words),
                needed("serial_number", Text::FieldSerial, Kind::Words),
            ],
            Self::CertificateList => vec![USE_FOR],
            Self::CertificateHand => vec![needed("certificate_chain", Text::FieldCertificate, Kind::Lines)],
        }
    }

    /// The request, or the first field that is missing or makes no sense.
    ///
    /// # Errors
    /// The label of that field.
    pub(crate) fn request(
        self,
        typed: &BTreeMap<&'static str, String>,
        connector: u16,
        now_ms: i64,
    ) -> Result<Operation, Text> {
        let mut body = Map::new();
        for field in self.fields() {
            let text = typed.get(field.key).map_or("", |text| text.trim());
            let value = match field.kind {
                Kind::Connector => Some(json!(connector)),
                Kind::Choice(words) => {
                    let word = if words.contains(&text) { text } else { words.first().copied().unwrap_or_default() };
                    (!word.is_empty()).then(|| json!(word))
                }
                _ if text.is_empty() => None,
                Kind::Words | Kind::Lines | Kind::File => Some(json!(text)),
                Kind::Number => Some(json!(text.parse::<i64>().map_err(|_no_number| field.label)?)),
                Kind::Minutes => {
                    let minutes = text.parse::<i64>().map_err(|_no_number| field.label)?;
                    Some(json!(crate::time::rfc3339(now_ms + minutes.clamp(1, 1_000_000) * 60_000)))
                }
                Kind::Periods => Some(periods(text).ok_or(field.label)?),
            };
            match value {
                Some(value) => {
                    body.insert(field.key.to_owned(), value);
                }
                None if field.needed => return Err(field.label),
                None => {}
            }
        }
        let first = self.fields().first().map_or(self.label(), |field| field.label);
        serde_json::from_value(Value::Object(self.shaped(body))).map_err(|_unfit| first)
    }

    /// Fields as the request nests them.
    fn shaped(self, mut body: Map<String, Value>) -> Map<String, Value> {
        match self {
            Self::ReadConfiguration => {
                let keys = body.get("keys").and_then(Value::as_str).unwrap_or_default();
                let keys: Vec<&str> = keys.split([',', ' ']).filter(|key| !key.is_empty()).collect();
                body = Map::from_iter([("keys".to_owned(), json!(keys))]);
            }
            Self::SetProfile => {
                let connector = body.remove("connector").unwrap_or(json!(0));
                let is_whole = body.get("purpose").and_then(Value::as_str) == Some("charge_point_max");
                let connector = if is_whole { json!(0) } else { connector };
                body =
                    Map::from_iter([("connector".to_owned(), connector), ("profile".to_owned(), Value::Object(body))]);
            }
            _ => {}
        }
        body.insert("operation".to_owned(), json!(self.operation()));
        body
    }
}

/// `0:16, 3600:10` as stretches: seconds after the start and the limit from then on.
fn periods(text: &str) -> Option<Value> {
    let period = |part: &str| {
        let (from, limit) = part.split_once(':')?;
        let limit: f64 = limit.trim().replace(',', ".").parse().ok()?;
        Some(json!({ "from_s": from.trim().parse::<u32>().ok()?, "limit": limit }))
    };
    let parts = text.split([';', ' ']).flat_map(|part| part.split(", ")).filter(|part| !part.trim().is_empty());
    parts.map(|part| period(part.trim().trim_end_matches(','))).collect::<Option<Vec<_>>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(form: Form) -> BTreeMap<&'static str, String> {
        let fill = |field: &FormField| {
            let text = match field.kind {
                Kind::Number | Kind::Minutes => "100",
                Kind::Periods => "0:16, 3600:10.5",
                Kind::Choice(words) => words.last().copied().unwrap_or_default(),
                Kind::Words | Kind::Lines | Kind::Connector | Kind::File => "x",
            };
            (field.key, text.to_owned())
        };
        form.fields().iter().map(fill).collect()
    }

    /// Every form makes a request the server understands, filled in completely or only where it must be.
    #[test]
    fn every_form_makes_its_request() {
        for form in Form::ALL {
            let full = filled(form);
            let request = form.request(&full, 1, 0).unwrap_or_else(|field| panic!("{form:?}: {field:?}"));
            let body = serde_json::to_value(&request).unwrap();
            assert_eq!(body["operation"], form.operation());
            let least = full
                .into_iter()
                .filter(|(key, _)| form.fields().iter().any(|field| field.key == *key && field.needed))
                .collect();
            form.request(&least, 1, 0).unwrap_or_else(|field| panic!("{form:?}: {field:?}"));
        }
    }

    /// What is missing or no number is named, and nothing is sent.
    #[test]
    fn gaps_are_named() {
        let typed = BTreeMap::from([("reservation_id", "seven".to_owned())]);
        assert_eq!(Form::CancelReserve.request(&typed, 1, 0), Err(Text::FieldReservation));
        assert_eq!(Form::WriteConfiguration.request(&BTreeMap::new(), 1, 0), Err(Text::Key));
        assert_eq!(periods("0:16; 60"), None);
    }
}
