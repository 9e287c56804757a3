//! OCPP-J frames and messages: tolerant on reading, strict on writing.
//!
//! Chargers in the field write numbers as text, leave out what they must send and invent words. [`read`]
//! takes all of that where the meaning is clear; [`write()`] checks every rule of the official schemas
//! before a text leaves us. Start at [`frame::Frame`] and [`v16::Action`].
//!
//! Must not know: our domain, sessions, sockets, policy.

mod action;
mod check;
mod date_time;
mod decimal;
pub mod frame;
mod mend;
mod read;
mod tree;
pub mod v16;
mod words;

pub use self::check::{Check, Violation};
pub use self::date_time::{DateTime, ReadTime};
pub use self::decimal::Decimal;
pub use self::read::{ReadError, read};

use serde::Serialize;

/// Writes a message's payload after checking every rule of its schema.
///
/// # Errors
/// The first rule that is broken, with the path of the field.
pub fn write<T: Serialize + Check>(message: &T) -> Result<String, WriteError> {
    message.check()?;
    Ok(serde_json::to_string(message)?)
}

/// Why a message cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A rule of the schema is broken.
    #[error(transparent)]
    Rule(#[from] Violation),
    /// The text could not be made.
    #[error("the message cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}
