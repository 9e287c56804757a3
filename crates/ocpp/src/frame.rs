//! OCPP-J frames: `[2, id, action, payload]`, `[3, id, payload]`, `[4, id, code, description, details]`.
//!
//! Read with tolerance: more elements than needed, a missing or empty payload, ids that are numbers, a
//! message type written as text, a byte order mark, white space and NUL at the ends.

use serde_json::value::RawValue;
use std::fmt;

/// The id of a call. Printed back in the shape it came: a number stays a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    text: String,
    is_text: bool,
}

impl MessageId {
    /// An id of our own.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_text: true }
    }

    /// Stands for the id of a frame in which none could be read, as OCPP 2.0.1 writes it.
    #[must_use]
    pub fn unreadable() -> Self {
        Self::new("-1")
    }

    /// The id without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn read(raw: &RawValue) -> Option<Self> {
        let json = raw.get().trim();
        match json.as_bytes().first()? {
            b'"' => Some(Self { text: serde_json::from_str(json).ok()?, is_text: true }),
            b'-' | b'0'..=b'9' => Some(Self { text: json.to_owned(), is_text: false }),
            _ => None,
        }
    }

    fn json(&self) -> String {
        if self.is_text { quoted(&self.text) } else { self.text.clone() }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its id.
    pub id: MessageId,
    /// The action as it is written.
    pub action: String,
    /// The payload's JSON.
    pub payload: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallResult {
    /// Id of the request.
    pub id: MessageId,
    /// The payload's JSON.
    pub payload: String,
}

/// A request that could not be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// Id of the request.
    pub id: MessageId,
    /// Why, as a code; one of [`codes`] when it is ours.
    pub code: String,
    /// Why, for people; at most 255 characters.
    pub description: String,
    /// More as a JSON object; `{}` for none.
    pub details: String,
}

/// The error codes of OCPP 1.6J.
pub mod codes {
    /// The action is not known.
    pub const NOT_IMPLEMENTED: &str = "NotImplemented";
    /// The action is known but not served here.
    pub const NOT_SUPPORTED: &str = "NotSupported";
    /// The frame breaks the rules of the protocol.
    pub const PROTOCOL_ERROR: &str = "ProtocolError";
    /// The payload cannot be read.
    pub const FORMATION_VIOLATION: &str = "FormationViolation";
    /// Something else.
    pub const GENERIC_ERROR: &str = "GenericError";
    /// The receiver failed.
    pub const INTERNAL_ERROR: &str = "InternalError";
}

/// Any frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A request.
    Call(Call),
    /// An answer.
    Result(CallResult),
    /// A request that could not be served.
    Error(CallError),
}

/// Why a text is no frame. Messages say what to send instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not JSON, or no list.
    #[error("the text is not a JSON list; send [2, \"id\", \"Action\", {{...}}]")]
    NotAList,
    /// The first element names no kind of frame.
    #[error("the first element must be 2 (call), 3 (result) or 4 (error)")]
    Kind {
        /// The second element, where it could be an id.
        id: Option<MessageId>,
    },
    /// The second element is no id.
    #[error("the second element must be the message id, a text of 1 to 36 characters")]
    Id,
    /// A call without an action.
    #[error("the third element of a call must be the name of an action")]
    Action {
        /// Id of the call.
        id: MessageId,
    },
    /// A payload that is no object.
    #[error("the payload must be a JSON object")]
    Payload {
        /// Id of the frame.
        id: MessageId,
        /// Whether it is a call, which wants an answer.
        is_call: bool,
    },
}

impl FrameError {
    /// The id to answer with, for a call or for what may have been one.
    #[must_use]
    pub fn answer_id(&self) -> Option<MessageId> {
        match self {
            Self::NotAList | Self::Id => Some(MessageId::unreadable()),
            Self::Kind { id } => Some(id.clone().unwrap_or_else(MessageId::unreadable)),
            Self::Action { id } => Some(id.clone()),
            Self::Payload { id, is_call } => is_call.then(|| id.clone()),
        }
    }

    /// The error code of the answer.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAList | Self::Payload { .. } => codes::FORMATION_VIOLATION,
            Self::Kind { .. } | Self::Id | Self::Action { .. } => codes::PROTOCOL_ERROR,
        }
    }
}

/// Longest id we take; the standard says 36 characters, chargers use more.
const ID_BYTES_MAX: usize = 4096;
/// Longest description a charger must take.
const DESCRIPTION_CHARS_MAX: usize = 255;

impl Frame {
    /// Reads a text frame.
    ///
    /// # Errors
    /// When the text is no frame; the error says what is wrong and which id an answer would have.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\0'));
        if let Ok(parts) = serde_json::from_str::<Vec<&RawValue>>(text) {
            return Self::of(&parts);
        }
        let mended = crate::mend::mended(text).ok_or(FrameError::NotAList)?;
        let parts: Vec<&RawValue> = serde_json::from_str(&mended).map_err(|_no_list| FrameError::NotAList)?;
        Self::of(&parts)
    }

    fn of(parts: &[&RawValue]) -> Result<Self, FrameError> {
        let id = parts.get(1).and_then(|raw| MessageId::read(raw));
        let id = id.filter(|id| id.text.len() <= ID_BYTES_MAX);
        let kind = parts.first().map(|raw| raw.get().trim().trim_matches('"')).unwrap_or_default();
        if !matches!(kind, "2" | "3" | "4") {
            return Err(FrameError::Kind { id });
        }
        let id = id.ok_or(FrameError::Id)?;
        match kind {
            "2" => {
                let action = parts.get(2).map(|raw| plain_text(raw)).unwrap_or_default();
                if action.trim().is_empty() {
                    return Err(FrameError::Action { id });
                }
                let payload = payload(parts.get(3), &id, true)?;
                Ok(Self::Call(Call { id, action, payload }))
            }
            "3" => {
                let payload = payload(parts.get(2), &id, false)?;
                Ok(Self::Result(CallResult { id, payload }))
            }
            _ => {
                let word = |at: usize| parts.get(at).map(|raw| plain_text(raw)).unwrap_or_default();
                let code = Some(word(2)).filter(|code| !code.is_empty());
                let code = code.unwrap_or_else(|| codes::GENERIC_ERROR.to_owned());
                let details = payload(parts.get(4), &id, false).unwrap_or_else(|_not_an_object| "{}".to_owned());
                Ok(Self::Error(CallError { id, code, description: word(3), details }))
            }
        }
    }
}

fn plain_text(raw: &RawValue) -> String {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

fn payload(raw: Option<&&RawValue>, id: &MessageId, is_call: bool) -> Result<String, FrameError> {
    let json = match raw.map(|raw| raw.get().trim()) {
        None | Some("null" | "\"\"" | "[]") => return Ok("{}".to_owned()),
        Some(json) => json,
    };
    let inner = match json.as_bytes().first() {
        Some(b'{') => Some(json.to_owned()),
        // Written as JSON twice, or as a list of one.
        Some(b'"') => serde_json::from_str::<String>(json).ok().filter(|text| is_json_object(text)),
        Some(b'[') => match serde_json::from_str::<Vec<&RawValue>>(json).ok().as_deref() {
            Some([only]) if is_json_object(only.get()) => Some(only.get().trim().to_owned()),
            _ => None,
        },
        _ => None,
    };
    inner.ok_or_else(|| FrameError::Payload { id: id.clone(), is_call })
}

fn is_json_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[2,{},{},{}]", self.id.json(), quoted(&self.action), self.payload)
    }
}

impl fmt::Display for CallResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[3,{},{}]", self.id.json(), self.payload)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let description: String = self.description.chars().take(DESCRIPTION_CHARS_MAX).collect();
        write!(f, "[4,{},{},{},{}]", self.id.json(), quoted(&self.code), quoted(&description), self.details)
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call) => call.fmt(f),
            Self::Result(result) => result.fmt(f),
            Self::Error(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
