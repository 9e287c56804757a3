//! Every example in docs/mqtt.md is a message both sides read.

use mesh::wire::{Code, DeviceMessage, MANAGER, ManagerMessage};
use serde_json::Value;

const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mqtt.md"));

/// JSON objects in fenced code blocks: whole lines of `json` blocks, and what follows `-m` in `sh` blocks.
fn examples() -> Vec<Value> {
    let mut found = Vec::new();
    let mut fence = None;
    let mut block = String::new();
    for line in DOCUMENT.lines() {
        match (line.strip_prefix("```"), fence) {
            (Some(language), None) => fence = Some(language.trim()),
            (Some(_), Some(language)) => {
                match language {
                    "json" => {
                        let values = serde_json::Deserializer::from_str(&block).into_iter::<Value>();
                        found.extend(values.map(|value| value.unwrap()));
                    }
                    "sh" => found.extend(
                        block
                            .split("-m '")
                            .skip(1)
                            .map(|rest| serde_json::from_str::<Value>(rest.split('\'').next().unwrap()).unwrap()),
                    ),
                    _ => {}
                }
                fence = None;
                block.clear();
            }
            (None, Some(_)) => block.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    found
}

/// The specification shows what the program reads, for every code and every field it documents.
#[test]
fn every_example_is_read() {
    let examples = examples();
    let mut codes = std::collections::BTreeSet::new();
    for example in &examples {
        let bytes = example.to_string().into_bytes();
        let code = example["code"].as_str().unwrap();
        codes.insert(code.to_owned());
        let again = if example["from"] == MANAGER {
            ManagerMessage::decode(&bytes).unwrap().unwrap().encode()
        } else {
            DeviceMessage::decode(&bytes).unwrap().encode()
        };
        let again: Value = serde_json::from_slice(&again).unwrap();
        assert_eq!(&again, example, "a field of the example is unknown to the program, or the reverse");
    }
    for code in Code::ALL {
        assert!(codes.contains(code.text()), "no example of {code}");
    }
    assert!(examples.len() >= 25, "{} examples", examples.len());
}

/// Every code, word and constant of the protocol is in the specification.
#[test]
fn every_word_is_documented() {
    let words = [
        "Invalid Message: message code",
        "Invalid Message: message topic",
        "Max registered counters achieved",
        "Counter registered: Counter-1",
        "Charger registered: Charger-1",
        "hello/new",
        "valid_s",
        "soft_reset",
        "hard_reset",
        "unlock",
        "report",
        "not_approved",
        "in_use",
        "blocked",
        "unknown",
        "power_loss",
        "unplugged",
        "export_ma",
        "export_w",
        "offered_ma",
        "soc_percent",
        "temperature_dc",
        "fallback_ma",
        "suspended_evse",
    ];
    for word in words.into_iter().chain(Code::ALL.map(Code::text)) {
        assert!(DOCUMENT.contains(word), "{word} is not in docs/mqtt.md");
    }
}
