//! The slow planner: once a minute or slower it says who is next in line and what each car can use.
//!
//! [`Planner::update`] learns from what happened since its last call and gives a [`Guidance`], which the
//! division uses until the next one. It decides no current: limits are the allocator's business, so nothing
//! here can break one. [`Bench`] is planner, division and check by themselves, for measuring tools.
//!
//! Must not know: the limits that are in force this second, who carries a setpoint, any clock.

mod appetite;
mod bench;
mod facts;
mod fair;
mod forecast;
mod price;
mod rank;
mod rooms;
mod stay;

pub use self::bench::{Bench, Moment};
pub use self::facts::{Branch, CarFacts, Facts, Guidance, LocalMinute, Period, Place};
pub use self::forecast::{Calibration, Forecast};
pub use self::stay::PastSession;

use self::appetite::Appetite;
use self::rank::{Seen, Urgency};
use self::rooms::Rooms;
use self::stay::Habits;
use allocator::Guide;
use domain::{CardUid, DurationMs, Instant, MilliAmps, SessionId, SharingRule, WattHours};
use std::collections::{BTreeMap, BTreeSet};

/// A car that was switched on charges at least this long, so that contactors and cars last.
const ON_AT_LEAST: DurationMs = DurationMs::from_secs(600);
/// Waiting cars take turns this often: cars that are paused for hours fall asleep.
const TURN: DurationMs = DurationMs::from_secs(20 * 60);

/// Learns and gives guidance.
#[derive(Clone, Debug, Default)]
pub struct Planner {
    visitors: BTreeMap<Place, Visitor>,
    habits: Habits,
    rooms: Rooms,
    /// What the car of each card was seen to be limited to.
    cards: BTreeMap<CardUid, MilliAmps>,
    /// How long the car of each card took to follow a command, at most.
    responses: BTreeMap<CardUid, DurationMs>,
}

/// A car that is here.
#[derive(Clone, Debug)]
struct Visitor {
    session: SessionId,
    appetite: Appetite,
    is_on: bool,
    /// Since when it has had current, or none.
    switched: Instant,
}

impl Planner {
    /// A car left, full or not: how long it stayed is known.
    pub fn left(&mut self, session: &PastSession) {
        self.habits.left(session);
    }

    /// A car got all it wanted.
    pub fn filled(&mut self, session: &PastSession) {
        self.habits.filled(session);
    }

    /// Learns from what happened and gives the guidance until the next update.
    pub fn update(&mut self, facts: &Facts<'_>) -> Guidance {
        self.rooms.note(facts.now, facts.branches);
        let here: BTreeSet<(&Place, SessionId)> = facts.cars.iter().map(|car| (&car.place, car.session)).collect();
        self.visitors.retain(|place, visitor| here.contains(&(place, visitor.session)));
        for car in facts.cars {
            self.observe(facts.now, car);
        }
        let seen: Vec<Seen<'_>> = facts.cars.iter().map(|car| self.seen(facts, car)).collect();
        let urgency = match facts.sharing {
            SharingRule::ByDeparture => rank::by_departure(facts, &self.habits, &self.rooms, &seen),
            SharingRule::Equal => facts.cars.iter().map(|car| Urgency::alone(self.turn(facts.now, car))).collect(),
            SharingRule::ByPriority => vec![Urgency::alone(0.0); seen.len()],
            SharingRule::ByFairness => facts.cars.iter().map(|car| Urgency::alone(received(car))).collect(),
        };
        let mut line: Vec<(Urgency, &Seen<'_>)> = urgency.into_iter().zip(&seen).collect();
        line.sort_by(|(a, one), (b, other)| {
            a.total_cmp(b)
                .then_with(|| (one.car.registered, &one.car.place).cmp(&(other.car.registered, &other.car.place)))
        });
        let rows = Urgency::rows(&line.iter().map(|(urgency, _)| *urgency).collect::<Vec<_>>());
        let guides = line.into_iter().zip(rows).zip(0..).map(|(((_, seen), row), rank)| {
            let guide = Guide {
                rank,
                row,
                usable: seen.usable,
                keeps: self.keeps(facts.now, seen.car),
                floor: seen.car.promised,
                unpausable: seen.car.never_pause,
            };
            (seen.car.place.clone(), guide)
        });
        Guidance::new(guides.collect(), price::waits(facts, &self.habits, &seen))
    }

    /// How long the car of a card takes to follow a command; `None` for one that was never seen to.
    #[must_use]
    pub fn response(&self, card: &CardUid) -> Option<DurationMs> {
        self.responses.get(card).copied()
    }

    fn observe(&mut self, now: Instant, car: &CarFacts) {
        let expected = car.card.as_ref().and_then(|card| self.cards.get(card)).copied();
        let visitor = self.visitors.entry(car.place.clone()).or_insert_with(|| Visitor {
            session: car.session,
            appetite: Appetite::expecting(expected),
            is_on: false,
            switched: now,
        });
        if let Some(drawn) = car.drawn {
            visitor.appetite.observe(now, car.set, drawn);
        }
        let is_on = !car.set.is_zero();
        if is_on != visitor.is_on {
            (visitor.is_on, visitor.switched) = (is_on, now);
        }
        let Some(card) = &car.card else { return };
        if let Some(response) = car.response {
            let known = self.responses.entry(card.clone()).or_insert(response);
            *known = (*known).max(response);
        }
        match (visitor.appetite.cap(), self.cards.get_mut(card)) {
            (Some(cap), known) if cap >= MilliAmps::from_amps(6) => {
                let most = known.map_or(cap, |known| (*known).max(cap));
                self.cards.insert(card.clone(), most);
            }
            (_, Some(known)) => *known = (*known).max(visitor.appetite.most()),
            (_, None) => {}
        }
    }

    fn seen<'a>(&self, facts: &Facts<'_>, car: &'a CarFacts) -> Seen<'a> {
        let appetite = self.visitors.get(&car.place).map(|visitor| visitor.appetite).unwrap_or_default();
        let learnt = || appetite.usable(facts.now, facts.min);
        Seen { car, usable: car.car_max.unwrap_or_else(learnt).min(car.max), cap: appetite.cap(), began: car.since }
    }

    /// Who was switched on a moment ago goes on.
    fn keeps(&self, now: Instant, car: &CarFacts) -> bool {
        let visitor = self.visitors.get(&car.place);
        car.never_pause || visitor.is_some_and(|visitor| visitor.is_on && now.since(visitor.switched).0 < ON_AT_LEAST.0)
    }

    /// Taking turns: who has waited for a turn comes first, longest first, then who has not had a whole turn yet.
    fn turn(&self, now: Instant, car: &CarFacts) -> f64 {
        if car.never_pause {
            return f64::NEG_INFINITY;
        }
        let Some(visitor) = self.visitors.get(&car.place) else { return 0.0 };
        let minutes = real(now.since(visitor.switched).0 / 1000) / 60.0;
        let turn = real(TURN.0 / 1000) / 60.0;
        match visitor.is_on {
            true if minutes < turn => -1.0,
            false if minutes >= turn => -minutes,
            true | false => 0.0,
        }
    }
}

/// Energy in Wh on each wire, in steps of a kWh so that cars do not change places for every watt-hour.
fn received(car: &CarFacts) -> f64 {
    let wires = u64::try_from(car.wiring.wires().len()).unwrap_or(1).max(1);
    let stays_on = if car.set.is_zero() { 0.0 } else { 1.0 };
    let WattHours(before) = car.received_before;
    real((before + car.delivered.0) / wires / 1000) - stays_on
}

/// As a number for statistics; no current is computed from it. What is larger than any count here saturates.
fn real(value: impl TryInto<i32>) -> f64 {
    value.try_into().map_or(f64::from(i32::MAX), f64::from)
}

#[cfg(test)]
mod tests;
