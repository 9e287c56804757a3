//! What is known of each device.

use crate::wire::{StartReport, StopReport, VerdictWord};
use domain::{ConnectorNumber, Instant, MeterId, MilliAmps, ReplyKey, SessionId, TenantId};
use std::collections::BTreeMap;

/// A registered meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MeterState {
    pub(super) approved: bool,
}

/// A registered charger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChargerState {
    pub(super) meter: Option<MeterId>,
    pub(super) approved: bool,
    pub(super) fallback: MilliAmps,
    pub(super) connectors: u16,
    pub(super) limits: BTreeMap<ConnectorNumber, Limit>,
    pub(super) running: BTreeMap<ConnectorNumber, Running>,
    /// Questions whose answer is awaited.
    pub(super) questions: BTreeMap<ReplyKey, Question>,
    /// Starts and stops that were answered, by the charger's own number: it repeats them until it hears the answer.
    pub(super) started: BTreeMap<u64, Started>,
    pub(super) stopped: BTreeMap<u64, StopReport>,
    /// Commands that wait, by the number of the message that carried them.
    pub(super) commands: BTreeMap<u64, Waiting>,
}

impl ChargerState {
    pub(super) const fn new(meter: Option<MeterId>, connectors: u16) -> Self {
        Self {
            meter,
            approved: false,
            fallback: MilliAmps::ZERO,
            connectors,
            limits: BTreeMap::new(),
            running: BTreeMap::new(),
            questions: BTreeMap::new(),
            started: BTreeMap::new(),
            stopped: BTreeMap::new(),
            commands: BTreeMap::new(),
        }
    }

    /// The session this card may end or is in the way of: on the named connector, or on the only one.
    pub(super) fn running_at(&self, connector: Option<ConnectorNumber>) -> Option<&Running> {
        match connector {
            Some(connector) => self.running.get(&connector),
            None if self.connectors == 1 => self.running.values().next(),
            None => None,
        }
    }
}

/// The newest limit of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) limit: MilliAmps,
    /// When it was last published; `None` while it waits for a link.
    pub(super) sent_at: Option<Instant>,
    pub(super) answered: bool,
    /// When it was first published without an answer since; `None` once that was reported.
    pub(super) silent_since: Option<Instant>,
}

/// A session that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) session: SessionId,
    pub(super) tenant: Option<TenantId>,
    /// When the charger was last told to end it.
    pub(super) end_sent: Option<Instant>,
}

/// What was asked of the one who decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Tap { re: Option<u64>, connector: Option<ConnectorNumber> },
    Start { re: Option<u64>, connector: ConnectorNumber, report: StartReport },
    Stop { re: Option<u64>, connector: ConnectorNumber, report: StopReport },
}

/// A start that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Started {
    pub(super) report: StartReport,
    pub(super) session: SessionId,
    pub(super) verdict: VerdictWord,
}

/// A command that waits for the charger's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) id: u64,
    pub(super) until: Instant,
}

/// Most entries of each list of a charger; a charger has a handful, and one that misbehaves must not fill the memory.
const ENTRIES_MAX: usize = 64;

/// Inserts, and forgets the lowest key beyond the bound.
pub(super) fn insert_bounded<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V) {
    map.insert(key, value);
    while map.len() > ENTRIES_MAX {
        map.pop_first();
    }
}
