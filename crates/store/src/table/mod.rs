//! One file per table: its row, the conversion to and from the domain, and its statements.

pub(crate) mod alarm;
pub(crate) mod card;
pub(crate) mod certificate;
pub(crate) mod charger;
pub(crate) mod charger_security;
pub(crate) mod circuit;
pub(crate) mod decision;
pub(crate) mod fact;
pub(crate) mod frame;
pub(crate) mod frame_chunk;
pub(crate) mod hardware;
pub(crate) mod hold;
pub(crate) mod meter;
pub(crate) mod orphan_stop;
pub(crate) mod reading;
pub(crate) mod reading_chunk;
pub(crate) mod refused_card;
pub(crate) mod retention;
pub(crate) mod secret;
pub(crate) mod series;
pub(crate) mod session;
pub(crate) mod session_change;
pub(crate) mod session_trace;
pub(crate) mod site;
pub(crate) mod statement;
pub(crate) mod status_change;
pub(crate) mod stored_file;
pub(crate) mod tenant;
pub(crate) mod wish;

use crate::StoreError;

/// What every statement of a table returns.
pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// A row that cannot be understood.
pub(crate) fn bad(table: &'static str, detail: impl std::fmt::Display) -> StoreError {
    StoreError::Row { table, detail: detail.to_string() }
}

/// A register as SQLite keeps it; no real one reaches the end of the type.
pub(crate) fn to_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A register as the domain knows it.
pub(crate) fn to_u64(table: &'static str, value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_negative| bad(table, format_args!("{value} is below zero")))
}

/// Rules as a table keeps them: one text of JSON with the names and units of the domain, absent fields at their default.
pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    // Plain structs of numbers and words always have a text.
    serde_json::to_string(value).unwrap_or_else(|_impossible| "{}".to_owned())
}

/// Rules from a table.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(table: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| bad(table, error))
}

/// Two functions between an enum and its words in a table; the compiler finds a variant without a word.
macro_rules! words {
    ($to:ident, $from:ident, $table:literal, $enum:ty { $($variant:path => $word:literal),+ $(,)? }) => {
        pub(crate) const fn $to(value: $enum) -> &'static str {
            match value { $($variant => $word),+ }
        }

        pub(crate) fn $from(word: &str) -> $crate::table::Result<$enum> {
            match word {
                $($word => Ok($variant),)+
                other => Err($crate::table::bad($table, format_args!("unknown word {other:?}"))),
            }
        }
    };
}
pub(crate) use words;
