//! Tolerant reading: what a charger means, where that is clear.
//!
//! Text may come as a number, a number as text, a list of one without its brackets, nothing as `""` or
//! `null`. Unknown fields are ignored. What has no harmless stand-in (a number, a group of fields) is an
//! error when it is required and missing, and absent when it is optional and unreadable.

use crate::Decimal;
use crate::tree::Tree;
use serde::Deserializer;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

/// Why a payload cannot be read, in words that name the field.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(String);

/// Reads a payload.
///
/// # Errors
/// When it is no JSON object, or something required is missing that has no stand-in.
pub fn read<T: DeserializeOwned>(payload: &str) -> Result<T, ReadError> {
    let Some(mut tree) = Tree::parse(payload) else {
        let error = serde_json::from_str::<&RawValue>(payload).err();
        return Err(ReadError(error.map_or_else(|| "it is no JSON".to_owned(), |error| plain(&error))));
    };
    let first = match T::deserialize(&tree) {
        Ok(message) => return Ok(message),
        Err(error) => error,
    };
    tree.keep_last();
    T::deserialize(&tree).map_err(|_second| ReadError(first.to_string()))
}

fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}

/// Any scalar as text, and a list or group as it is written; nothing for nothing.
struct Text;

impl Visitor<'_> for Text {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Any scalar as text; nothing is `""`. A group or list is kept as its JSON text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text_optional(deserializer).map(Option::unwrap_or_default)
}

/// Any scalar as text, where absence is allowed.
pub(crate) fn text_optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_string(Text)
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
    T::deserialize(deserializer)
}

/// A group of fields, or nothing where it is none.
struct Group<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Group<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a group of fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(items)).map(Some)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A group of fields, or nothing where it is none.
pub(crate) fn object_optional<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Group(PhantomData))
}

/// A list; nothing for nothing.
struct List<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for List<T> {
    type Value = Option<Vec<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        // A tree goes on behind an entry that cannot be read.
        let count = items.size_hint().unwrap_or_default();
        let mut all = Vec::with_capacity(count.min(64));
        for _entry in 0..count {
            if let Ok(Some(item)) = items.next_element::<T>() {
                all.push(item);
            }
        }
        Ok(Some(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        Ok(Some(T::deserialize(MapAccessDeserializer::new(fields)).ok().into_iter().collect()))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(T::deserialize(StrDeserializer::<E>::new(text)).ok().into_iter().collect()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A list; one entry without brackets is a list of one, an entry that cannot be read is left out.
pub(crate) fn list<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    list_optional(deserializer).map(Option::unwrap_or_default)
}

/// A list that may be absent.
pub(crate) fn list_optional<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    deserializer.deserialize_any(List(PhantomData))
}
