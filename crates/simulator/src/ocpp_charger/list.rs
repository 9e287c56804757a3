//! The list of cards a charger keeps for the time its central system is away.

use serde_json::Value;
use std::collections::BTreeMap;

/// Most cards on the list, and in one message.
pub(super) const CARDS_MAX: usize = 200;
pub(super) const CARDS_PER_MESSAGE: usize = 50;

/// What the list says of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    is_accepted: bool,
    parent: Option<String>,
}

/// The list with its version; 0 is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LocalList {
    version: i64,
    cards: BTreeMap<String, Entry>,
}

impl LocalList {
    pub(super) const fn version(&self) -> i64 {
        self.version
    }

    /// Whether it lets a card charge; `None` for a card it does not know.
    pub(super) fn accepts(&self, card: &str) -> Option<bool> {
        self.cards.get(card).map(|entry| entry.is_accepted)
    }

    /// The parent of a card on it.
    pub(super) fn parent(&self, card: &str) -> Option<&String> {
        self.cards.get(card).and_then(|entry| entry.parent.as_ref())
    }

    /// The status of `SendLocalList.conf`; the list changes whole or not at all.
    pub(super) fn take(&mut self, payload: &Value) -> &'static str {
        let Some(version) = payload.get("listVersion").and_then(Value::as_i64).filter(|version| *version > 0) else {
            return "Failed";
        };
        let none = Vec::new();
        let entries = payload.get("localAuthorizationList").and_then(Value::as_array).unwrap_or(&none);
        if entries.len() > CARDS_PER_MESSAGE {
            return "Failed";
        }
        let mut cards = match payload.get("updateType").and_then(Value::as_str) {
            Some("Full") => BTreeMap::new(),
            Some("Differential") if version > self.version => self.cards.clone(),
            Some("Differential") => return "VersionMismatch",
            Some(_) | None => return "Failed",
        };
        for entry in entries {
            let Some(card) = entry.get("idTag").and_then(Value::as_str) else { return "Failed" };
            match entry.get("idTagInfo") {
                Some(info) => {
                    let is_accepted = info.get("status").and_then(Value::as_str) == Some("Accepted");
                    let parent = info.get("parentIdTag").and_then(Value::as_str).map(str::to_owned);
                    cards.insert(card.to_owned(), Entry { is_accepted, parent });
                }
                None => drop(cards.remove(card)),
            }
        }
        if cards.len() > CARDS_MAX {
            return "Failed";
        }
        (self.version, self.cards) = (version, cards);
        "Accepted"
    }
}
