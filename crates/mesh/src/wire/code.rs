//! The codes of the published protocol.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Code {
    /// `0x001`: a meter announces itself; the manager's answer.
    NewCounter,
    /// `0x002`: a charger announces itself; the manager's answer.
    NewCharger,
    /// `0x011`: a meter leaves for good or was removed.
    DelCounter,
    /// `0x012`: a charger leaves for good or was removed.
    DelCharger,
    /// `0x021`: a meter's state.
    CounterStatus,
    /// `0x022`: a charger's state, cards and sessions; the manager's orders.
    ChargerStatus,
    /// `0x031`: what a meter measures.
    CounterLoad,
    /// `0x032`: what a charger measures.
    ChargerLoad,
    /// `0x033`: the current a charger may draw; its answer.
    AvailableLoad,
}

impl Code {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::NewCounter,
        Self::NewCharger,
        Self::DelCounter,
        Self::DelCharger,
        Self::CounterStatus,
        Self::ChargerStatus,
        Self::CounterLoad,
        Self::ChargerLoad,
        Self::AvailableLoad,
    ];

    /// As on the wire.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NewCounter => "0x001",
            Self::NewCharger => "0x002",
            Self::DelCounter => "0x011",
            Self::DelCharger => "0x012",
            Self::CounterStatus => "0x021",
            Self::ChargerStatus => "0x022",
            Self::CounterLoad => "0x031",
            Self::ChargerLoad => "0x032",
            Self::AvailableLoad => "0x033",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl FromStr for Code {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|code| code.text().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("{text:?} is no message code"))
    }
}

impl TryFrom<String> for Code {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.text().to_owned()
    }
}
