//! The live state for everybody who reads it.

use super::Engine;
use crate::convert;
use domain::{CircuitId, Now};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is live, as the deciders and as clients see it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Live {
    /// For clients.
    pub(crate) shown: api::Snapshot,
    /// For handlers that change something.
    pub(crate) state: control::Snapshot,
    /// Whether records can be written.
    pub(crate) storage: control::StorageState,
}

impl Live {
    /// Names people gave to circuits.
    pub(super) fn circuit_names(&self) -> BTreeMap<CircuitId, String> {
        self.state.circuits.iter().map(|state| (state.circuit.id.clone(), state.circuit.name.clone())).collect()
    }
}

impl Engine {
    /// Publishes the live state when it differs from the last one in more than the time.
    pub(super) fn publish(&mut self, now: Now) {
        self.changed = false;
        let state = self.parts.control.snapshot(now);
        let mut shown = convert::live_snapshot(&state, &self.parts.connections, self.revision, self.parts.demo);
        let storage = self.storage;
        self.revision += 1;
        let revision = self.revision;
        self.parts.live.send_if_modified(|last| {
            shown.revision = last.shown.revision;
            let (at, at_ms) = (last.shown.at.clone(), last.shown.at_ms);
            let (new_at, new_at_ms) =
                (std::mem::replace(&mut shown.at, at), std::mem::replace(&mut shown.at_ms, at_ms));
            let mut state = state;
            let state_at = std::mem::replace(&mut state.at, last.state.at);
            if shown == last.shown && state == last.state && storage == last.storage {
                return false;
            }
            (shown.at, shown.at_ms, shown.revision, state.at) = (new_at, new_at_ms, revision, state_at);
            *last = Arc::new(Live { shown, state, storage });
            true
        });
    }
}
