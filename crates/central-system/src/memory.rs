//! What is worth knowing about a charger after a restart of this program.
//!
//! [`Learned`] holds for every charger of one model and firmware, the rest for one charger. Both are plain values
//! that whoever owns the station keeps and gives back; nothing in them is needed for safety.

use domain::CardUid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Times a question stays unanswered before it is not asked again of this model and firmware.
const MUTE_AFTER: u8 = 2;

/// Everything that is kept of one charger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// What holds for its model and firmware.
    pub learned: Learned,
    /// Its configuration as last read or written, by key.
    pub configuration: BTreeMap<String, KeptKey>,
    /// The list of cards it holds.
    pub list: Option<KeptList>,
    /// How it writes the numbers of cards.
    pub spelling: Spelling,
}

/// What was found out about one model with one firmware.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// Place on the list of ways to write a live limit that worked.
    pub live_way: Option<usize>,
    /// The same for the fallback.
    pub fallback_way: Option<usize>,
    /// Place on the list of measurands that it took.
    pub measurands_way: usize,
    /// Questions it did not answer, and how often.
    pub unanswered: BTreeMap<String, u8>,
    /// Whether it said that it keeps no list of cards.
    pub keeps_no_list: bool,
    /// Most cards it took in one message, where it refused more.
    pub cards_per_message: Option<usize>,
}

impl Learned {
    /// Whether a question is asked at all.
    pub(crate) fn answers(&self, question: &str) -> bool {
        self.unanswered.get(question).is_none_or(|times| *times < MUTE_AFTER)
    }

    /// Notes that a question stayed unanswered.
    pub(crate) fn stayed_silent(&mut self, question: &str) {
        let times = self.unanswered.entry(question.to_owned()).or_insert(0);
        *times = times.saturating_add(1);
    }

    /// Notes an answer; true when that is news.
    pub(crate) fn answered(&mut self, question: &str) -> bool {
        self.unanswered.remove(question).is_some()
    }
}

/// One configuration key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptKey {
    /// Its spelling.
    pub key: String,
    /// Its value; `None` where the charger tells none.
    pub value: Option<String>,
    /// Whether it cannot be written.
    pub readonly: bool,
}

/// A list of cards as the charger holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptList {
    /// Its version.
    pub version: i32,
    /// What distinguishes its content from any other.
    pub digest: u64,
    /// How many cards are on it.
    pub cards: usize,
}

/// How a charger writes card numbers. A list is compared with what its reader says, so it must be spelt the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spelling {
    /// Between each two digits.
    pub separator: Option<char>,
    /// Small letters.
    pub lower: bool,
    /// What follows every number, such as the serial number of some readers.
    pub suffix: String,
}

impl Spelling {
    /// How this text spells this card; `None` where it follows no rule we know.
    pub(crate) fn of(text: &str, card: &CardUid) -> Option<Self> {
        let text = text.trim();
        let (bare, suffix) = match text.find('_') {
            Some(at) if !card.as_str().contains('_') => text.split_at(at),
            _ => (text, ""),
        };
        let separator = bare.chars().find(|c| matches!(c, ' ' | ':' | '-'));
        let lower = bare.chars().any(|c| c.is_ascii_lowercase());
        let spelling = Self { separator, lower, suffix: suffix.to_owned() };
        (spelling.write(card) == text).then_some(spelling)
    }

    /// The card as this charger writes it.
    pub(crate) fn write(&self, card: &CardUid) -> String {
        let mut text = String::new();
        for (index, c) in card.as_str().chars().enumerate() {
            if index > 0 && index % 2 == 0 {
                text.extend(self.separator);
            }
            text.push(if self.lower { c.to_ascii_lowercase() } else { c });
        }
        text.push_str(&self.suffix);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader's spelling is recognised and reproduced; a spelling without a rule is not guessed.
    #[test]
    fn spellings_are_reproduced() {
        let card = CardUid::new("2069C021").unwrap();
        for text in ["2069C021", "2069c021", "20:69:C0:21", "20 69 c0 21", "2069C021_21001234"] {
            let spelling = Spelling::of(text, &card).unwrap();
            assert_eq!(spelling.write(&card), text);
            let other = spelling.write(&CardUid::new("04A1B2C3").unwrap());
            assert_eq!(other.len(), text.len(), "{other}");
        }
        assert_eq!(Spelling::of("206-9C0-21", &card), None);
    }
}
