//! Every kind of identity, in one alphabetical list.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text cannot be an identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing but white space.
    #[error("an identity cannot be empty")]
    Empty,
    /// Longer than any charger or meter can carry.
    #[error("an identity has at most {max} characters, this one has {len}")]
    TooLong {
        /// Characters given.
        len: usize,
        /// Characters allowed.
        max: usize,
    },
    /// Would change the meaning of a topic or an address.
    #[error("an identity cannot contain {0:?}")]
    Character(char),
}

/// Longest identity: `chargePointSerialNumber` and MQTT client ids stay well below.
const TEXT_ID_CHARS_MAX: usize = 64;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a text from outside: trimmed, not empty, at most 64 characters, none of `/ + # $`
            /// and no control characters (they mean something in topics and addresses).
            ///
            /// # Errors
            /// Says which rule the text breaks.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref().trim();
                let len = text.chars().count();
                if len == 0 {
                    return Err(IdError::Empty);
                }
                if len > TEXT_ID_CHARS_MAX {
                    return Err(IdError::TooLong { len, max: TEXT_ID_CHARS_MAX });
                }
                match text.chars().find(|c| c.is_control() || "/+#$".contains(*c)) {
                    Some(c) => Err(IdError::Character(c)),
                    None => Ok(Self(text.to_owned())),
                }
            }

            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($raw:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $raw);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// A card row; the card's printed number is [`crate::CardUid`].
    CardId(i64)
);
text_id!(
    /// A charger: the last part of its OCPP address, or its MQTT user name.
    ChargerId
);
text_id!(
    /// A circuit of the site's tree.
    CircuitId
);
number_id!(
    /// A connector of a charger, counted from 1.
    ConnectorNumber(u16)
);
text_id!(
    /// A meter ("electrical counter").
    MeterId
);
number_id!(
    /// A session. Fits OCPP's `transactionId`, which is the same number, and starts at 1.
    SessionId(i32)
);
number_id!(
    /// A tenant.
    TenantId(i64)
);
