//! The cards tenants tap.

use crate::{CardId, CardPolicy, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The number of an NFC card in its canonical form: upper-case, without separators.
///
/// Readers print the same card as `20:69:c0:21`, ` 20 69 C0 21` or `2069C021`; all are one card.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CardUid(String);

/// Why a text cannot be a card number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardUidError {
    /// Only separators or nothing.
    #[error("a card number cannot be empty")]
    Empty,
    /// OCPP 1.6 allows 20 characters; some chargers append a few.
    #[error("a card number has at most {max} characters, this one has {len}")]
    TooLong {
        /// Characters given.
        len: usize,
        /// Characters allowed.
        max: usize,
    },
    /// Not printable ASCII.
    #[error("a card number cannot contain {0:?}")]
    Character(char),
}

/// `idTag` has 20 characters in OCPP 1.6 and 36 in 2.0.1.
const UID_CHARS_MAX: usize = 36;

impl CardUid {
    /// Reads a card number as any reader prints it: separators (space, `:`, `-`) are dropped and
    /// letters become upper-case.
    ///
    /// # Errors
    /// When nothing is left, too much is left, or a character is not printable ASCII.
    pub fn new(text: impl AsRef<str>) -> Result<Self, CardUidError> {
        let mut uid = String::new();
        for c in text.as_ref().trim().chars() {
            match c {
                ' ' | ':' | '-' => {}
                c if c.is_ascii_graphic() => uid.push(c.to_ascii_uppercase()),
                c => return Err(CardUidError::Character(c)),
            }
        }
        match uid.len() {
            0 => Err(CardUidError::Empty),
            len if len > UID_CHARS_MAX => Err(CardUidError::TooLong { len, max: UID_CHARS_MAX }),
            _ => Ok(Self(uid)),
        }
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CardUid {
    type Error = CardUidError;
    fn try_from(text: String) -> Result<Self, CardUidError> {
        Self::new(text)
    }
}

impl From<CardUid> for String {
    fn from(uid: CardUid) -> Self {
        uid.0
    }
}

impl fmt::Display for CardUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a card may charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardStatus {
    /// It may.
    Active,
    /// The manager blocked it: lost, sold, moved out.
    Blocked,
}

/// An enrolled card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Row.
    pub id: CardId,
    /// Canonical number.
    pub uid: CardUid,
    /// Who pays for what it starts.
    pub tenant: TenantId,
    /// Whether it may charge.
    pub status: CardStatus,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// What the manager decided about it.
    pub policy: CardPolicy,
    /// The card this is another reading of: some readers print the same card differently.
    pub alias_of: Option<CardId>,
}
