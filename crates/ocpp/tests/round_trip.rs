//! Every message against the official schema it was generated from.
//!
//! Instances are made from the schema alone: with only what is required, with everything, with texts of
//! full length, and with every word of every list. Each must be read, written and come out equal.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use ocpp::for_each_v16_message;
use ocpp::v16::*;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Which instance of a schema to make.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Required,
    Everything { word: usize, longest: bool },
}

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/v16").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

fn instance(root: &Value, schema: &Value, shape: Shape) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return instance(root, &root["definitions"][reference.rsplit('/').next().unwrap()], shape);
    }
    if let Some(words) = schema["enum"].as_array() {
        return match shape {
            Shape::Required => words[0].clone(),
            Shape::Everything { word, .. } => words[word % words.len()].clone(),
        };
    }
    match schema["type"].as_str().unwrap() {
        "object" => {
            let required: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let mut object = Map::new();
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                if matches!(shape, Shape::Everything { .. }) || required.contains(&name.as_str()) {
                    object.insert(name.clone(), instance(root, field, shape));
                }
            }
            Value::Object(object)
        }
        "array" => {
            let item = instance(root, &schema["items"], shape);
            match shape {
                Shape::Required => json!([item]),
                Shape::Everything { .. } => json!([item.clone(), item]),
            }
        }
        "integer" => json!(17),
        "number" => json!(21.4),
        "boolean" => json!(true),
        "string" if schema["format"] == "date-time" => json!("2026-11-20T07:49:02.125Z"),
        "string" => match (shape, schema["maxLength"].as_u64()) {
            (Shape::Everything { longest: true, .. }, Some(max)) => json!("é".repeat(usize::try_from(max).unwrap())),
            _ => json!("x"),
        },
        other => panic!("type {other} has no instance"),
    }
}

/// Length of the longest list of words in a schema.
fn words_max(schema: &Value) -> usize {
    match schema {
        Value::Object(map) => {
            let own = map.get("enum").and_then(Value::as_array).map_or(1, Vec::len);
            map.values().map(words_max).max().unwrap_or(1).max(own)
        }
        _ => 1,
    }
}

fn shapes(schema: &Value) -> Vec<Shape> {
    let words = (0..words_max(schema)).map(|word| Shape::Everything { word, longest: false });
    [Shape::Required, Shape::Everything { word: 0, longest: true }].into_iter().chain(words).collect()
}

/// What a schema allows is read and written without loss, for all 78 messages.
#[test]
fn schema_valid_instances_survive() {
    let mut messages = 0;
    let mut instances = 0;
    macro_rules! survive {
        ($name:literal, $message:ty) => {
            let root = schema($name);
            for shape in shapes(&root) {
                let before = instance(&root, &root, shape);
                let read: $message =
                    ocpp::read(&before.to_string()).unwrap_or_else(|error| panic!("{}: {error}", $name));
                let written = ocpp::write(&read).unwrap_or_else(|error| panic!("{} {shape:?}: {error}", $name));
                let after: Value = serde_json::from_str(&written).unwrap();
                assert_eq!(after, before, "{} {shape:?}", $name);
                instances += 1;
            }
            messages += 1;
        };
    }
    for_each_v16_message!(survive);
    assert_eq!(messages, 78);
    assert!(instances > 300, "{instances} instances");
}

/// A text one character too long is read but never written, wherever a schema has a length.
#[test]
fn too_long_texts_are_not_written() {
    let mut refused = 0;
    macro_rules! refuse {
        ($name:literal, $message:ty) => {
            let root = schema($name);
            let longest = instance(&root, &root, Shape::Everything { word: 0, longest: true }).to_string();
            if longest.contains('é') {
                let longer = longest.replacen('é', "éé", 1);
                let read: $message = ocpp::read(&longer).unwrap();
                let error = ocpp::write(&read).unwrap_err();
                assert!(error.to_string().contains("at most"), "{}: {error}", $name);
                refused += 1;
            }
        };
    }
    for_each_v16_message!(refuse);
    assert!(refused > 20, "{refused} messages have a length");
}

/// A word no list knows is kept when read and refused when written.
#[test]
fn unlisted_words_are_kept_but_not_written() {
    let read: StatusNotificationRequest =
        ocpp::read(r#"{"connectorId":1,"errorCode":"NoError","status":"Occupied"}"#).unwrap();
    assert_eq!(read.status, ChargePointStatus::Unlisted("Occupied".to_owned()));
    let error = ocpp::write(&read).unwrap_err();
    assert_eq!(error.to_string(), "status: \"Occupied\" is not a word of the list");
}

/// Paths of broken rules lead to the field, through groups and lists.
#[test]
fn broken_rules_name_the_field() {
    let profile: SetChargingProfileRequest = ocpp::read(
        r#"{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile",
        "chargingProfileKind":"Absolute","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":8.25}]}}}"#,
    )
    .unwrap();
    let error = ocpp::write(&profile).unwrap_err();
    assert_eq!(
        error.to_string(),
        "csChargingProfiles.chargingSchedule.chargingSchedulePeriod.limit: 8.25 has more than one decimal"
    );
}
