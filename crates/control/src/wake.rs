//! Cars that sleep through a pause: noticed, woken, and remembered by their card.
//!
//! Some cars go to sleep when the pilot is taken away for minutes or hours and do not charge on when it is back. What
//! wakes most of them is the pilot being taken away once more for a moment. That is tried a few times; a card whose car
//! needed it is marked, and its car is paused only after all others from then on.

use crate::plan::Connector;
use crate::state::{ASLEEP, AWAKE, Appetite, ConnectorLive};
use crate::{Control, Output};
use domain::{ConnectorStatus, DurationMs, Instant, MilliAmps, Now, Pacing, Record};

/// A shorter pause puts no car to sleep.
const PAUSE: DurationMs = DurationMs::from_secs(60);
/// A car that is awake begins within this time after the pilot is back.
const BEGINS: DurationMs = DurationMs::from_secs(30);
/// How long the pilot is taken away to wake it: chargers change it at most every 5 s.
const GAP: DurationMs = DurationMs::from_secs(6);
/// After so many attempts a car is left alone; its minimum stays offered.
const ATTEMPTS_MAX: u8 = 6;

/// What is known of a session's pauses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wake {
    phase: Phase,
    /// Attempts since its last pause.
    attempts: u8,
    /// It drew in this session before, so it wants energy.
    drew: bool,
}

/// Where a car stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// It charges, or was never paused.
    #[default]
    Awake,
    /// It has had no current since then.
    Paused(Instant),
    /// The pilot is back since then, after a pause that may have put it to sleep.
    Offered(Instant),
    /// The pilot is away until then, to wake it.
    Gap(Instant),
    /// All attempts were in vain.
    Left,
}

/// What came of looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    None,
    /// It needed to be woken, and charges again.
    Woke,
    /// Nothing woke it.
    Sleeps,
}

impl Wake {
    /// The attempt that runs while the pilot is away to wake the car.
    pub(crate) fn attempt(&self, now: Instant) -> Option<u8> {
        match self.phase {
            Phase::Gap(until) => (now < until).then_some(self.attempts),
            Phase::Awake | Phase::Paused(_) | Phase::Offered(_) | Phase::Left => None,
        }
    }

    /// Looks at what is offered and drawn. `drawn` is a reading since the setpoint came into force, where there is one;
    /// a car that was full before the pause sleeps rightly.
    fn look(&mut self, now: Instant, set: MilliAmps, drawn: Option<MilliAmps>, is_full: bool) -> News {
        let draws = drawn.is_some_and(|drawn| drawn >= AWAKE);
        self.drew |= draws && !set.is_zero();
        match self.phase {
            Phase::Gap(until) if now < until => {}
            // The pilot comes back by the regular division, which may take a moment.
            Phase::Gap(_) if set.is_zero() => {}
            Phase::Gap(_) => self.phase = Phase::Offered(now),
            Phase::Awake | Phase::Left if set.is_zero() => {
                (self.phase, self.attempts) = (Phase::Paused(now), 0);
            }
            Phase::Paused(since) if !set.is_zero() => {
                self.phase = if now.since(since) >= PAUSE { Phase::Offered(now) } else { Phase::Awake };
            }
            Phase::Offered(_) if set.is_zero() => self.phase = Phase::Paused(now),
            Phase::Offered(_) | Phase::Left if draws => {
                self.phase = Phase::Awake;
                if self.attempts > 0 {
                    return News::Woke;
                }
            }
            Phase::Offered(_) if is_full => self.phase = Phase::Awake,
            Phase::Offered(since) if now.since(since) >= BEGINS && drawn.is_some_and(|drawn| drawn < ASLEEP) => {
                if self.attempts >= ATTEMPTS_MAX {
                    self.phase = Phase::Left;
                    return if self.drew { News::Sleeps } else { News::None };
                }
                self.attempts += 1;
                self.phase = Phase::Gap(now + GAP);
            }
            Phase::Awake | Phase::Paused(_) | Phase::Offered(_) | Phase::Left => {}
        }
        News::None
    }
}

impl Control {
    /// Wakes cars that do not charge on after a pause; wanted on each tick.
    pub(crate) fn wake_cars(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.site.pacing == Pacing::Published {
            return;
        }
        let mut sleepers: Vec<Connector> = Vec::new();
        let mut changed = false;
        for (id, live) in self.chargers.iter_mut().filter(|(_, live)| live.is_online()) {
            for (number, connector) in &mut live.connectors {
                if self.ledger.running(id, *number).is_none() {
                    continue;
                }
                let before = connector.wake.attempt(now.instant);
                let drawn = drawn_since(now, connector);
                let is_full = connector.appetite == Appetite::Idle;
                match connector.wake.look(now.instant, connector.set, drawn, is_full) {
                    News::None => {}
                    News::Woke | News::Sleeps => sleepers.push((id.clone(), *number)),
                }
                changed |= connector.wake.attempt(now.instant) != before;
            }
        }
        self.unsettled |= changed;
        for key in sleepers {
            self.remember_sleeper(&key, out);
        }
    }

    /// Marks the card that began the session at a connector, with all its readings.
    fn remember_sleeper(&mut self, key: &Connector, out: &mut Vec<Output>) {
        let card = self.ledger.running(&key.0, key.1).and_then(|session| session.card.clone());
        let Some(group) = card.and_then(|card| self.access.group(&card)) else { return };
        let same = |card: &&mut domain::Card| card.alias_of.unwrap_or(card.id) == group && !card.policy.sleeps;
        for card in self.access.cards.values_mut().filter(same) {
            card.policy.sleeps = true;
            out.push(Output::Save(Record::Card(card.clone())));
        }
    }
}

/// What the car draws under the present setpoint. Without readings the charger's word counts.
fn drawn_since(now: Now, connector: &ConnectorLive) -> Option<MilliAmps> {
    match connector.draw(now) {
        Some(draw) => (draw.taken > connector.set_since()).then(|| draw.fullest()),
        None => match connector.status {
            ConnectorStatus::SuspendedEv => Some(MilliAmps::ZERO),
            ConnectorStatus::Charging => Some(AWAKE),
            ConnectorStatus::Available
            | ConnectorStatus::Preparing
            | ConnectorStatus::SuspendedEvse
            | ConnectorStatus::Finishing
            | ConnectorStatus::Reserved
            | ConnectorStatus::Unavailable
            | ConnectorStatus::Faulted
            | ConnectorStatus::Unknown => None,
        },
    }
}
