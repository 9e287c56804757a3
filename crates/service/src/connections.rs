//! Who is, was or wants to be connected, for the list people look at when a device does not appear.

use api::RefusalCode;
use domain::Timestamp;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// Entries kept; the oldest make room. A scan of the port must not fill the memory.
const ENTRIES_MAX: usize = 512;

/// Longest part shown of what a refusal is about.
const ABOUT_CHARS_MAX: usize = 80;

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
    /// Why it went, in plain words.
    pub(crate) detail: String,
    /// Why it was refused.
    pub(crate) refusal: Option<RefusalCode>,
    /// What the newest refusal was about.
    pub(crate) about: String,
    /// How many times.
    pub(crate) attempts: u32,
}

/// What is noted of a device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note<'a> {
    /// As it names itself; empty when it did not.
    pub(crate) device: &'a str,
    /// What it speaks.
    pub(crate) protocol: domain::Protocol,
    /// Its network address.
    pub(crate) peer: SocketAddr,
    /// When.
    pub(crate) at: Timestamp,
    /// Why it was refused; `None` when it connected. The same reason again counts up.
    pub(crate) refusal: Option<RefusalCode>,
    /// What the newest one was about, such as a topic.
    pub(crate) about: &'a str,
}

/// Refused attempts stand beside the live connection of the same name, not in its place; the same refusal again counts up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    device: String,
    over_mqtt: bool,
    refused: Option<(IpAddr, RefusalCode)>,
}

/// The list, shared by every socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Mutex<BTreeMap<Key, Entry>>>);

impl Connections {
    /// Notes how a device stands now.
    pub(crate) fn note(&self, note: Note<'_>) {
        let device: String = note.device.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
        let over_mqtt = note.protocol == domain::Protocol::Ievcc;
        let refused = note.refusal.map(|code| (note.peer.ip(), code));
        let key = Key { device: device.clone(), over_mqtt, refused };
        let mut entries = self.entries();
        let before = entries.get(&key).map_or(0, |entry| entry.attempts);
        let entry = Entry {
            device,
            protocol: note.protocol,
            address: note.peer.to_string(),
            at: note.at,
            state: if note.refusal.is_some() { State::Refused } else { State::Connected },
            detail: String::new(),
            refusal: note.refusal,
            about: note.about.chars().filter(|c| !c.is_control()).take(ABOUT_CHARS_MAX).collect(),
            attempts: before.saturating_add(1),
        };
        entries.insert(key, entry);
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
        let key = live_key(device, protocol == domain::Protocol::Ievcc);
        if let Some(entry) = self.entries().get_mut(&key).filter(|entry| entry.address == address) {
            entry.state = State::Gone;
            entry.at = at;
            detail.clone_into(&mut entry.detail);
        }
    }

    /// All of them, by name.
    pub(crate) fn list(&self) -> Vec<Entry> {
        self.entries().values().cloned().collect()
    }

    /// The newest refused attempts, newest first.
    pub(crate) fn refused(&self, limit: usize) -> Vec<Entry> {
        let mut refused: Vec<Entry> =
            self.entries().values().filter(|entry| entry.state == State::Refused).cloned().collect();
        refused.sort_by_key(|entry| std::cmp::Reverse(entry.at));
        refused.truncate(limit);
        refused
    }

    /// The live or last connection of a device, if any.
    pub(crate) fn get(&self, device: &str) -> Option<Entry> {
        let entries = self.entries();
        [false, true]
            .into_iter()
            .filter_map(|over_mqtt| entries.get(&live_key(device, over_mqtt)))
            .max_by_key(|entry| entry.at)
            .cloned()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn live_key(device: &str, over_mqtt: bool) -> Key {
    Key { device: device.to_owned(), over_mqtt, refused: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(list: &Connections, device: &str, at: i64, refusal: Option<RefusalCode>) {
        list.note(Note {
            device,
            protocol: domain::Protocol::Ocpp16,
            peer: SocketAddr::from(([10, 0, 0, 1], u16::try_from(at % 1000).unwrap())),
            at: Timestamp(at),
            refusal,
            about: "",
        });
    }

    /// A refused attempt under the name of a live charger must not hide the live one, and repeats are counted, not listed.
    #[test]
    fn refused_stands_beside_connected() {
        let list = Connections::default();
        note(&list, "C1", 1, None);
        note(&list, "C1", 2, Some(RefusalCode::WrongPassword));
        note(&list, "C1", 3, Some(RefusalCode::WrongPassword));
        note(&list, "C1", 4, Some(RefusalCode::TlsMissing));
        let seen: Vec<(State, u32)> = list.list().into_iter().map(|entry| (entry.state, entry.attempts)).collect();
        assert_eq!(seen, [(State::Connected, 1), (State::Refused, 2), (State::Refused, 1)]);
        let newest: Vec<i64> = list.refused(10).iter().map(|entry| entry.at.0).collect();
        assert_eq!(newest, [4, 3]);
    }

    /// A port scan with ever new names stays within the bound and keeps the living.
    #[test]
    fn bounded() {
        let list = Connections::default();
        note(&list, "alive", 0, None);
        for n in 0..2000 {
            note(&list, &format!("scan {n}"), n, Some(RefusalCode::NoIdentity));
        }
        assert_eq!(list.list().len(), ENTRIES_MAX);
        assert!(list.get("alive").is_some());
    }
}
