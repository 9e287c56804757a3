//! Tolerant reading: what a charger means, where that is clear.
//!
//! Text may come as a number, a number as text, a list of one without its brackets, nothing as `""` or
//! `null`. Unknown fields are ignored. What has no harmless stand-in (a number, a group of fields) is an
//! error when it is required and missing, and absent when it is optional and unreadable.

use crate::Decimal;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};
use serde_json::value::RawValue;

/// Why a payload cannot be read, in words that name the field.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(String);

/// Reads a payload.
///
/// # Errors
/// When it is no JSON object, or something required is missing that has no stand-in.
pub fn read<T: DeserializeOwned>(payload: &str) -> Result<T, ReadError> {
    let first = match serde_json::from_str::<T>(payload) {
        Ok(message) => return Ok(message),
        Err(error) => error,
    };
    // A field given twice: the last one counts, as in most JSON readers.
    match serde_json::from_str::<serde_json::Value>(payload) {
        Ok(value) => serde_json::from_str(&value.to_string()).map_err(|_second| ReadError(plain(&first))),
        Err(_second) => Err(ReadError(plain(&first))),
    }
}

fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}

enum Scalar {
    Nothing,
    Text(String),
    Composite,
}

fn scalar(raw: &RawValue) -> Scalar {
    let text = raw.get().trim();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map_or(Scalar::Nothing, Scalar::Text),
        Some(b'{' | b'[') => Scalar::Composite,
        Some(b'n') | None => Scalar::Nothing,
        Some(_) => Scalar::Text(text.to_owned()),
    }
}

/// Borrowed, since a report has dozens of values: payloads are always read from text.
fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'de RawValue, D::Error> {
    <&RawValue>::deserialize(deserializer)
}

/// Any scalar as text; nothing is `""`. A group or list is kept as its JSON text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = raw(deserializer)?;
    Ok(match scalar(raw) {
        Scalar::Nothing => String::new(),
        Scalar::Text(text) => text,
        Scalar::Composite => raw.get().to_owned(),
    })
}

/// Any scalar as text, where absence is allowed.
pub(crate) fn text_optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = raw(deserializer)?;
    Ok(match scalar(raw) {
        Scalar::Nothing => None,
        Scalar::Text(text) => Some(text),
        Scalar::Composite => Some(raw.get().to_owned()),
    })
}

/// A value made from one text: a word of a list, a point of time.
pub(crate) fn worded<'de, T: From<String>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    text(deserializer).map(T::from)
}

/// A value made from one text; an empty text is absence.
pub(crate) fn worded_optional<'de, T: From<String>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(text_optional(deserializer)?.filter(|text| !text.trim().is_empty()).map(T::from))
}

/// A whole number, however it is written.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = text(deserializer)?;
    Decimal::parse_whole(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is not a whole number")))
}

/// A whole number, or nothing where it cannot be read.
pub(crate) fn integer_optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(text_optional(deserializer)?.and_then(|text| Decimal::parse_whole(&text)))
}

/// A decimal number, however it is written.
pub(crate) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = text(deserializer)?;
    Decimal::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is not a number")))
}

/// A decimal number, or nothing where it cannot be read.
pub(crate) fn decimal_optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    Ok(text_optional(deserializer)?.and_then(|text| Decimal::parse(&text)))
}

fn yes(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "true" | "1" | "yes")
}

/// Yes or no; what cannot be read is no.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    text(deserializer).map(|text| yes(&text))
}

/// A group of fields.
pub(crate) fn object<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let raw = raw(deserializer)?;
    serde_json::from_str(raw.get()).map_err(|error| D::Error::custom(plain(&error)))
}

/// A group of fields, or nothing where it is none.
pub(crate) fn object_optional<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = raw(deserializer)?;
    match scalar(raw) {
        Scalar::Composite => serde_json::from_str(raw.get()).map(Some).map_err(|error| D::Error::custom(plain(&error))),
        Scalar::Nothing | Scalar::Text(_) => Ok(None),
    }
}

/// A list; one entry without brackets is a list of one, an entry that cannot be read is left out.
pub(crate) fn list<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let raw = raw(deserializer)?;
    let text = raw.get().trim();
    match text.as_bytes().first() {
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| D::Error::custom(plain(&error)))?;
            Ok(items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect())
        }
        Some(b'n') | None => Ok(Vec::new()),
        Some(_) => Ok(serde_json::from_str(text).ok().into_iter().collect()),
    }
}

/// A list that may be absent.
pub(crate) fn list_optional<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let raw = raw(deserializer)?;
    match scalar(raw) {
        Scalar::Nothing => Ok(None),
        Scalar::Text(_) | Scalar::Composite => list(raw).map(Some).map_err(|error| D::Error::custom(plain(&error))),
    }
}
