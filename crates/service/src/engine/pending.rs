//! What waits until the journal has said what became of a turn's records.

use super::turn::{Raise, Turn, Wait};
use super::{Engine, OrderRefused};
use crate::journal::Fate;
use crate::mqtt::ToBroker;
use broker::Receipt;
use control::{Made, OrderDone, StorageState};
use domain::{ChargerId, Instant, Now, Record};
use tokio::sync::oneshot;

/// The rest of a turn.
pub(crate) struct Pending {
    /// Number of its batch.
    pub(super) number: u64,
    /// When the turn was.
    pub(super) at: Instant,
    pub(super) records: Vec<Record>,
    pub(super) texts: Vec<(ChargerId, u64, String, Wait)>,
    publications: Vec<(String, Vec<u8>)>,
    raises: Vec<Raise>,
    receipt: Option<oneshot::Sender<Receipt>>,
    transaction: bool,
    order: Option<(oneshot::Sender<Result<Made, OrderRefused>>, OrderDone)>,
}

impl Pending {
    pub(super) fn of(now: Now, turn: Turn) -> Self {
        Self {
            number: 0,
            at: now.instant,
            records: turn.records,
            texts: turn.texts,
            publications: turn.publications,
            raises: turn.raises,
            receipt: turn.receipt,
            transaction: turn.transaction,
            order: turn.order.zip(turn.done),
        }
    }
}

impl Engine {
    /// The moment up to which all is dealt with and kept.
    pub(super) fn reached(&self, now: Now) -> Instant {
        self.pending.front().map_or(now.instant, |pending| pending.at)
    }

    /// The journal said what became of batches.
    pub(super) fn fate(&mut self, now: Now, fate: Fate) {
        match fate {
            Fate::Kept(through) => self.release_through(now, through, true),
            Fate::Delayed(through) => {
                self.release_through(now, through, false);
                self.storage(now, StorageState::Failing);
            }
            Fate::Recovered => self.storage(now, StorageState::Healthy),
        }
    }

    fn storage(&mut self, now: Now, state: StorageState) {
        if self.storage != state {
            self.storage = state;
            self.changed = true;
            self.turn(now, Turn::of([super::Work::Control(control::Input::Storage(state))]));
        }
    }

    fn release_through(&mut self, now: Now, through: u64, kept: bool) {
        while self.pending.front().is_some_and(|pending| pending.number <= through) {
            if let Some(pending) = self.pending.pop_front() {
                self.release(now, pending, kept);
            }
        }
    }

    /// Lets go what waited. What must be durable and is not stays unsaid: the charger keeps its message and repeats it.
    pub(super) fn release(&mut self, now: Now, pending: Pending, kept: bool) {
        for (charger, generation, text, wait) in pending.texts {
            match (wait, kept) {
                (Wait::Recorded, _) | (Wait::Durable, true) => self.deliver(&charger, generation, text),
                (Wait::Durable, false) => {
                    tracing::warn!(%charger, "a session message stays unanswered until it can be kept");
                }
            }
        }
        if kept {
            for (topic, payload) in pending.publications {
                self.broker(ToBroker::Publish { topic, payload });
            }
        }
        if let Some(receipt) = pending.receipt {
            let answer = if kept || !pending.transaction { Receipt::Taken } else { Receipt::Unavailable };
            if receipt.send(answer).is_err() {
                tracing::debug!("the device left before its acknowledgement");
            }
        }
        if let Some((reply, done)) = pending.order {
            let answer = match (done, kept) {
                (Err(error), _) => Err(OrderRefused::Refused(error)),
                (Ok(made), true) => Ok(made),
                (Ok(_), false) => Err(OrderRefused::NotKept),
            };
            if reply.send(answer).is_err() {
                tracing::debug!("the client left before its answer");
            }
        }
        self.raise(now, pending.raises);
    }

    fn raise(&mut self, now: Now, raises: Vec<Raise>) {
        if raises.is_empty() {
            return;
        }
        let mut turn = Turn::default();
        for raise in raises {
            let newest = self.setpoints.get(&(raise.charger.clone(), raise.connector)).copied();
            if newest == Some(raise.number) {
                self.set_limit(now, &mut turn, &raise);
            }
        }
        self.turn(now, turn);
    }
}
