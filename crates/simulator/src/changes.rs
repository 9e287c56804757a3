//! What the manager of a virtual building added to it and took away.

use crate::building::VirtualProtocol;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What was added to and removed from a building since it was planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    added: BTreeMap<String, NewDevice>,
    removed: BTreeSet<String>,
}

impl Changes {
    pub(crate) fn add(&mut self, name: &str, device: NewDevice) {
        self.removed.remove(name);
        self.added.insert(name.to_owned(), device);
    }

    /// Devices added, by name.
    pub(crate) fn added(&self) -> impl Iterator<Item = (&str, NewDevice)> {
        self.added.iter().map(|(name, new)| (name.as_str(), *new))
    }

    pub(crate) fn has_removed(&self, name: &str) -> bool {
        self.removed.contains(name)
    }

    /// Names of planned devices that are gone.
    pub(crate) fn removed(&self) -> impl Iterator<Item = &str> {
        self.removed.iter().map(String::as_str)
    }

    pub(crate) fn remove(&mut self, name: &str) {
        if self.added.remove(name).is_none() {
            self.removed.insert(name.to_owned());
        }
    }
}

/// A device that can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewDevice {
    /// A charger.
    Charger(VirtualProtocol),
    /// A meter of the house's load.
    Meter,
}
