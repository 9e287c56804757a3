//! From readings to messages.

use super::Settings;
use crate::Reading;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Who the messages are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// One's own topic and payload.
    #[default]
    Own,
    /// Dojot: one message with all attributes of a device and minute, on `TENANT:DEVICE/attrs`.
    Dojot,
    /// emoncms: one value on `emon/NODE/KEY`.
    Emoncms,
    /// Home Assistant: each value on a topic of its own, described once so that it appears by itself.
    HomeAssistant,
}

/// Why templates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A blank nobody fills.
    #[error(
        "{{{0}}} is no blank; there are {{site}}, {{device}}, {{source}}, {{quantity}}, {{value}}, {{at}} and {{at_ms}}"
    )]
    Unknown(String),
    /// A topic devices cannot publish on.
    #[error("a topic has no + and no # and is not empty")]
    Topic,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: String,
    /// Whether the broker must keep it for those who come later.
    pub retain: bool,
}

/// Makes messages.
#[derive(Clone, Debug)]
pub struct Templates {
    preset: Preset,
    site: String,
    topic: String,
    payload: String,
}

/// What fills the blanks.
struct Blanks<'a> {
    site: &'a str,
    source: &'a str,
    quantity: &'a str,
    reading: &'a Reading,
}

const NAMES: [&str; 7] = ["site", "device", "source", "quantity", "value", "at", "at_ms"];

/// What a broker takes in one level of a topic, and what identities elsewhere are made of.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).collect()
}

/// Milliseconds since 1970 as RFC 3339 in UTC: civil from days, as Howard Hinnant published it.
fn rfc3339(at_ms: i64) -> String {
    let (days, ms) = (at_ms.div_euclid(86_400_000), at_ms.rem_euclid(86_400_000));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_part = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_part + 2) / 5 + 1;
    let month = if month_part < 10 { month_part + 3 } else { month_part - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

impl Blanks<'_> {
    fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            "site" => self.site.to_owned(),
            "device" => plain(self.source),
            "source" => self.source.to_owned(),
            "quantity" => self.quantity.to_owned(),
            "value" => self.reading.value.to_string(),
            "at" => rfc3339(self.reading.at_ms),
            "at_ms" => self.reading.at_ms.to_string(),
            _ => return None,
        })
    }

    /// Fills what is known; braces of JSON stay, since nothing that stands in them is a blank.
    fn fill(&self, template: &str) -> String {
        let mut text = template.to_owned();
        for name in NAMES {
            if let Some(value) = self.value(name) {
                text = text.replace(&format!("{{{name}}}"), &value);
            }
        }
        text
    }
}

/// A word in braces that is no blank.
fn unknown_blank(template: &str) -> Option<String> {
    template.split('{').skip(1).find_map(|rest| {
        let (word, _) = rest.split_once('}')?;
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        (is_word && !NAMES.contains(&word)).then(|| word.to_owned())
    })
}

impl Templates {
    /// The templates of a preset, or one's own.
    ///
    /// # Errors
    /// When one's own have unknown blanks or make no topic.
    pub fn new(settings: &Settings) -> Result<Self, TemplateError> {
        let site = plain(&settings.name);
        if settings.preset == Preset::Own {
            for template in [&settings.topic, &settings.payload] {
                if let Some(word) = unknown_blank(template) {
                    return Err(TemplateError::Unknown(word));
                }
            }
            if settings.topic.is_empty() || settings.topic.contains(['+', '#', '\0']) {
                return Err(TemplateError::Topic);
            }
        }
        Ok(Self { preset: settings.preset, site, topic: settings.topic.clone(), payload: settings.payload.clone() })
    }

    /// Messages for readings with the names of their series. `described` remembers what was described already.
    #[must_use]
    pub fn messages(
        &self,
        readings: &[Reading],
        series: &BTreeMap<i64, String>,
        described: &mut BTreeSet<String>,
    ) -> Vec<Message> {
        let named = readings.iter().filter_map(|reading| {
            let (source, quantity) = series.get(&reading.series)?.rsplit_once('/')?;
            Some(Blanks { site: &self.site, source, quantity, reading })
        });
        let message = |topic, payload| Message { topic, payload, retain: false };
        match self.preset {
            Preset::Own => named.map(|blanks| message(blanks.fill(&self.topic), blanks.fill(&self.payload))).collect(),
            Preset::Emoncms => named
                .map(|blanks| {
                    let node = format!("{}_{}", self.site, plain(blanks.source));
                    message(format!("emon/{node}/{}", blanks.quantity), blanks.reading.value.to_string())
                })
                .collect(),
            Preset::Dojot => self.dojot(named),
            Preset::HomeAssistant => {
                let mut messages = Vec::new();
                for blanks in named {
                    self.home_assistant(&blanks, described, &mut messages);
                }
                messages
            }
        }
    }

    fn dojot<'a>(&self, named: impl Iterator<Item = Blanks<'a>>) -> Vec<Message> {
        let mut devices: BTreeMap<(i64, String), Map<String, Value>> = BTreeMap::new();
        for blanks in named {
            let attributes = devices.entry((blanks.reading.at_ms, plain(blanks.source))).or_default();
            attributes.insert(blanks.quantity.to_owned(), blanks.reading.value.into());
            attributes.insert("timestamp".to_owned(), blanks.reading.at_ms.into());
        }
        let message = |((_, device), attributes): ((i64, String), Map<String, Value>)| Message {
            topic: format!("{}:{device}/attrs", self.site),
            payload: Value::Object(attributes).to_string(),
            retain: false,
        };
        devices.into_iter().map(message).collect()
    }

    fn home_assistant(&self, blanks: &Blanks<'_>, described: &mut BTreeSet<String>, into: &mut Vec<Message>) {
        let id = format!("meshwatt_{}_{}_{}", self.site, plain(blanks.source), blanks.quantity);
        let state = format!("meshwatt/{}/{}/{}", self.site, blanks.source, blanks.quantity);
        if described.insert(id.clone()) {
            let (unit, class, total) = match blanks.quantity {
                "power_w" => ("W", Some("power"), false),
                "energy_wh" => ("Wh", Some("energy"), true),
                "voltage_l1_mv" | "voltage_l2_mv" | "voltage_l3_mv" => ("mV", Some("voltage"), false),
                "soc_percent" => ("%", Some("battery"), false),
                // Home Assistant has no unit for tenths of a degree.
                "temperature_dc" => ("d°C", None, false),
                _ => ("mA", Some("current"), false),
            };
            let payload = json!({
                "name": blanks.quantity,
                "unique_id": id,
                "state_topic": state,
                "unit_of_measurement": unit,
                "device_class": class,
                "state_class": if total { "total_increasing" } else { "measurement" },
                "device": {
                    "identifiers": [format!("meshwatt_{}_{}", self.site, plain(blanks.source))],
                    "name": blanks.source,
                    "manufacturer": "Meshwatt",
                },
            });
            let topic = format!("homeassistant/sensor/{id}/config");
            into.push(Message { topic, payload: payload.to_string(), retain: true });
        }
        into.push(Message { topic: state, payload: blanks.reading.value.to_string(), retain: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(preset: Preset, topic: &str, payload: &str) -> Vec<String> {
        let settings = Settings {
            name: "Rua do Sol 7".to_owned(),
            preset,
            topic: topic.to_owned(),
            payload: payload.to_owned(),
            ..Settings::default()
        };
        let reading = |series, value| Reading { seq: 1, series, at_ms: 1_709_164_800_000, step_ms: 60_000, value };
        let series =
            BTreeMap::from([(1, "charger/C 1/1/power_w".to_owned()), (2, "charger/C 1/1/energy_wh".to_owned())]);
        let templates = Templates::new(&settings).unwrap();
        let mut described = BTreeSet::new();
        let all = templates.messages(&[reading(1, 7360), reading(2, 12)], &series, &mut described);
        all.into_iter().map(|message| format!("{} {}", message.topic, message.payload)).collect()
    }

    /// Each preset says what its receiver documents, and names from outside cannot break out of a topic.
    #[test]
    fn presets_say_what_others_expect() {
        assert_eq!(
            made(Preset::Own, "b/{site}/{source}", r#"{"{quantity}":{value},"at":"{at}"}"#)[0],
            r#"b/Rua_do_Sol_7/charger/C 1/1 {"power_w":7360,"at":"2024-02-29T00:00:00Z"}"#
        );
        assert_eq!(
            made(Preset::Dojot, "", ""),
            [r#"Rua_do_Sol_7:charger_C_1_1/attrs {"energy_wh":12,"power_w":7360,"timestamp":1709164800000}"#]
        );
        assert_eq!(made(Preset::Emoncms, "", "")[0], "emon/Rua_do_Sol_7_charger_C_1_1/power_w 7360");
        let home = made(Preset::HomeAssistant, "", "");
        assert_eq!(home.len(), 4);
        assert!(home[0].starts_with("homeassistant/sensor/meshwatt_Rua_do_Sol_7_charger_C_1_1_power_w/config {"));
        assert!(home[0].contains(r#""unit_of_measurement":"W""#) && home[2].contains("total_increasing"));
        assert_eq!(home[1], "meshwatt/Rua_do_Sol_7/charger/C 1/1/power_w 7360");
    }

    /// A misspelt blank is named before anything is sent.
    #[test]
    fn unknown_blanks_are_refused() {
        let own = |topic: &str| {
            Templates::new(&Settings {
                topic: topic.to_owned(),
                payload: "{\"a\":1}".to_owned(),
                ..Settings::default()
            })
        };
        assert_eq!(own("a/{sorce}").unwrap_err(), TemplateError::Unknown("sorce".to_owned()));
        assert_eq!(own("a/+").unwrap_err(), TemplateError::Topic);
        assert!(own("a/{source}").is_ok());
    }
}
