//! Every kind of identity, in one alphabetical list.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

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

/// A text that is copied and compared many times a second: copies share it, and its beginning alone decides most
/// comparisons. Sorted as text.
#[derive(Clone)]
struct SharedText {
    /// The first bytes, filled up with zeros: no identity contains a zero, so they are sorted as the text is.
    begins: [u64; 2],
    text: Arc<str>,
}

impl SharedText {
    fn new(text: &str) -> Self {
        let mut bytes = text.bytes();
        let mut word = || u64::from_be_bytes(std::array::from_fn(|_| bytes.next().unwrap_or(0)));
        Self { begins: [word(), word()], text: Arc::from(text) }
    }

    /// Whether its beginning is all of it.
    const fn is_short(&self) -> bool {
        self.begins[1].to_be_bytes()[7] == 0
    }
}

impl PartialEq for SharedText {
    fn eq(&self, other: &Self) -> bool {
        self.begins == other.begins && (self.is_short() || self.text == other.text)
    }
}

impl Eq for SharedText {}

impl PartialOrd for SharedText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SharedText {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.begins.cmp(&other.begins) {
            Ordering::Equal if self.is_short() => Ordering::Equal,
            Ordering::Equal => self.text.cmp(&other.text),
            different => different,
        }
    }
}

impl Hash for SharedText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(SharedText);

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
                    None => Ok(Self(SharedText::new(text))),
                }
            }

            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0.text
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
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Registers, records and the order of service rely on identities being sorted as their texts are.
    #[test]
    fn identities_are_sorted_as_text() {
        let texts = [
            "A",
            "AB",
            "Aé",
            "B",
            "CP-1",
            "CP-10",
            "CP-2",
            "EVBOX-P17391271",
            "EVBOX-P173912712",
            "EVBOX-P1739127123",
            "EVBOX-P1739127124",
            "ÉCHARGE",
            "名",
        ];
        for one in texts {
            for other in texts {
                let (a, b) = (ChargerId::new(one).unwrap(), ChargerId::new(other).unwrap());
                assert_eq!(a.cmp(&b), one.cmp(other), "{one} {other}");
                assert_eq!(a == b, one == other, "{one} {other}");
            }
        }
        assert_eq!(format!("{:?}", ChargerId::new("CP-1").unwrap()), "ChargerId(\"CP-1\")");
    }
}
