//! Who is, was or wants to be connected, for the list people look at when a device does not appear.

use domain::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Entries kept; the oldest make room. A scan of the port must not fill the memory.
const ENTRIES_MAX: usize = 512;

/// Longest name shown; anything longer came from a broken device.
const NAME_CHARS_MAX: usize = 80;

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Its link is up.
    Connected,
    /// It was refused.
    Refused,
    /// Its link went down.
    Gone,
}

/// One device over one protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As it names itself.
    pub(crate) device: String,
    /// What it speaks.
    pub(crate) protocol: domain::Protocol,
    /// Its network address.
    pub(crate) address: String,
    /// When it last tried.
    pub(crate) at: Timestamp,
    /// How it stands.
    pub(crate) state: State,
    /// Why it was refused, in plain words.
    pub(crate) detail: String,
}

/// A refused attempt stands beside the live connection of the same name, not in its place.
type Key = (String, bool, bool);

/// The list, shared by every socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Mutex<BTreeMap<Key, Entry>>>);

impl Connections {
    /// Notes how a device stands now.
    pub(crate) fn note(&self, mut entry: Entry) {
        entry.device = entry.device.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = entry.state == State::Refused;
        entries.insert((entry.device.clone(), entry.protocol == domain::Protocol::Ievcc, refused), entry);
        if entries.len() > ENTRIES_MAX {
            let oldest = entries
                .iter()
                .filter(|(_, entry)| entry.state != State::Connected)
                .min_by_key(|(_, entry)| entry.at)
                .map(|(key, _)| key.clone());
            if let Some(key) = oldest {
                entries.remove(&key);
            }
        }
    }

    /// Notes that a link went down, unless a newer one took its place from another address.
    pub(crate) fn gone(&self, device: &str, protocol: domain::Protocol, address: &str, at: Timestamp, detail: &str) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (device.to_owned(), protocol == domain::Protocol::Ievcc, false);
        if let Some(entry) = entries.get_mut(&key).filter(|entry| entry.address == address) {
            entry.state = State::Gone;
            entry.at = at;
            detail.clone_into(&mut entry.detail);
        }
    }

    /// All of them, by name.
    pub(crate) fn list(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The live or last connection of a device, if any.
    pub(crate) fn get(&self, device: &str) -> Option<Entry> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        [false, true]
            .into_iter()
            .filter_map(|mqtt| entries.get(&(device.to_owned(), mqtt, false)))
            .max_by_key(|entry| entry.at)
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(device: &str, at: i64, state: State) -> Entry {
        Entry {
            device: device.to_owned(),
            protocol: domain::Protocol::Ocpp16,
            address: "10.0.0.1:1".to_owned(),
            at: Timestamp(at),
            state,
            detail: String::new(),
        }
    }

    /// A refused attempt under the name of a live charger must not hide the live one.
    #[test]
    fn refused_stands_beside_connected() {
        let list = Connections::default();
        list.note(entry("C1", 1, State::Connected));
        list.note(entry("C1", 2, State::Refused));
        let states: Vec<State> = list.list().into_iter().map(|entry| entry.state).collect();
        assert_eq!(states, [State::Connected, State::Refused]);
    }

    /// A port scan with ever new names stays within the bound and keeps the living.
    #[test]
    fn bounded() {
        let list = Connections::default();
        list.note(entry("alive", 0, State::Connected));
        for n in 0..2000 {
            list.note(entry(&format!("scan {n}"), n, State::Refused));
        }
        assert_eq!(list.list().len(), ENTRIES_MAX);
        assert!(list.get("alive").is_some());
    }
}
