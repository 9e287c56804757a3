//! Who is next: minutes a car can wait, the smaller the sooner it is served.

use super::fair::{Claim, lower, watts_per_amp};
use super::stay::{Habits, Outlook};
use super::{Branch, CarFacts, Facts, LocalMinute, Rooms, real};
use domain::{MilliAmps, Phase};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A car that charges goes on unless another can wait this much less: LLF alone would switch every few minutes.
const STICKY_MIN: f64 = 30.0;
/// Part of the time a car still needs that is taken off the time it has: between earliest departure (0), which
/// needs no energy figure, and least laxity (1), which switches more.
const LAXITY: f64 = 0.8;
/// Who has the fair level lets others of like urgency go first.
const SERVED_MIN: f64 = 60.0;
/// A car that draws less than the minimum wastes the rest of it; at no draw at all it waits this much longer.
const WASTE_MIN: f64 = 200.0;
/// A car that charges on phases nobody lacks uses more for the same scarce ampere.
const SPARE_PHASES_MIN: f64 = 150.0;
/// A phase without contention still has some price, so that three idle phases are not for free.
const IDLE_PHASE: f64 = 0.4;
/// Where departures are guesses, what comes within this time counts.
const HORIZON_MIN: f64 = 350.0;
/// Where needs are unknown too, who can wait about as long as others shares with them: nobody knows who of them wants
/// most, and many that are nearly full use the room of the night better than one that is still empty.
const ROW_MIN: f64 = 100.0;
/// Of a row those who charge go on until one that waits has this much less on a wire, in kWh.
const KEEPS_KWH: f64 = 2.0;
/// What a car wants is guessed a little above the middle: cars that are still here want more than most.
const LIKELY: u64 = 600;
/// A guess for who stayed longer than anybody before: he leaves within the hour.
const OVERDUE_MIN: f64 = 60.0;

/// A car with what was learnt of it.
pub(crate) struct Seen<'a> {
    pub(crate) car: &'a CarFacts,
    /// What it can use.
    pub(crate) usable: MilliAmps,
    /// What it was seen to be limited to.
    pub(crate) cap: Option<MilliAmps>,
    pub(crate) began: LocalMinute,
}

/// How soon a car is to be served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Urgency {
    /// Minutes it can wait.
    minutes: f64,
    /// Who can wait as long stands in one row and shares, for all that is known; the smaller gets a minimum first where
    /// they do not go round. `None` stands alone.
    turn: Option<f64>,
}

impl Urgency {
    pub(crate) const fn alone(minutes: f64) -> Self {
        Self { minutes, turn: None }
    }

    /// In the row of all that can wait about as long.
    fn in_row(minutes: f64, turn: f64) -> Self {
        Self { minutes: (minutes / ROW_MIN).floor() * ROW_MIN, turn: Some(turn) }
    }

    /// The first in line is next. Who stands alone comes before a row.
    pub(crate) fn total_cmp(&self, other: &Self) -> Ordering {
        let turn = |urgency: &Self| urgency.turn.unwrap_or(f64::NEG_INFINITY);
        self.minutes.total_cmp(&other.minutes).then_with(|| turn(self).total_cmp(&turn(other)))
    }

    /// Numbers the rows of a line. Numbers of one row are the same.
    pub(crate) fn rows(line: &[Self]) -> Vec<Option<u32>> {
        let mut row = 0;
        let mut before: Option<f64> = None;
        let numbers = line.iter().map(|urgency| {
            row += u32::from(before.is_none_or(|before| before.total_cmp(&urgency.minutes).is_ne()));
            before = Some(urgency.minutes);
            urgency.turn.map(|_| row)
        });
        numbers.collect()
    }
}

/// The urgency of every car, in the order of `cars`.
pub(crate) fn by_departure(facts: &Facts<'_>, habits: &Habits, rooms: &Rooms, cars: &[Seen<'_>]) -> Vec<Urgency> {
    let stays: Vec<f64> = cars.iter().map(|seen| stays_for(facts, habits, seen)).collect();
    let needs: Vec<Option<f64>> = cars.iter().map(|seen| needs_of(habits, seen)).collect();
    let levels = fair_levels(facts, habits, rooms, cars, &stays);
    let scarce = scarce_phases(facts.branches, cars);
    cars.iter()
        .zip(stays)
        .zip(levels)
        .zip(needs)
        .map(|(((seen, left), level), needs)| {
            let car = seen.car;
            let got = real(car.delivered.0);
            let served = if got >= level { SERVED_MIN } else { 0.0 };
            let sticky = if car.set.is_zero() { 0.0 } else { STICKY_MIN };
            let minutes = left + served + waste(facts, seen) - sticky - spare(facts.branches, &scarce, car);
            match needs {
                Some(needs) => {
                    let wants = (got + needs).min(level) - got;
                    Urgency::alone(minutes - LAXITY * wants.max(0.0) / wh_per_minute(facts, seen))
                }
                None => {
                    let stays_on = if car.set.is_zero() { 0.0 } else { KEEPS_KWH };
                    Urgency::in_row(minutes, got / 1000.0 / real(car.wiring.wires().len()) - stays_on)
                }
            }
        })
        .collect()
}

/// Energy in Wh the car still needs: said by its driver, or likely by the habits of its card.
fn needs_of(habits: &Habits, seen: &Seen<'_>) -> Option<f64> {
    match seen.car.needs {
        Some(needs) => Some(real(needs.0)),
        None if habits.are_known() => {
            habits.appetite(seen.car.card.as_ref(), seen.car.delivered).quantile(LIKELY).map(real)
        }
        None => None,
    }
}

/// Minutes until the car leaves: said by its driver, or guessed on the cautious side.
fn stays_for(facts: &Facts<'_>, habits: &Habits, seen: &Seen<'_>) -> f64 {
    match seen.car.departs {
        Some(at) => real(at.since(facts.now).0 / 1000) / 60.0,
        None => outlook(facts, habits, seen).soon(HORIZON_MIN).unwrap_or(OVERDUE_MIN),
    }
}

pub(super) fn outlook(facts: &Facts<'_>, habits: &Habits, seen: &Seen<'_>) -> Outlook {
    habits.stay(seen.car.card.as_ref(), seen.began, facts.local)
}

/// The fair level of each car in Wh, the lowest of the places its current flows through. Who did not say what he
/// needs takes part with what is likely.
fn fair_levels(facts: &Facts<'_>, habits: &Habits, rooms: &Rooms, cars: &[Seen<'_>], stays: &[f64]) -> Vec<f64> {
    let mut levels = vec![f64::INFINITY; cars.len()];
    if !habits.are_known() && cars.iter().all(|seen| seen.car.needs.is_none()) {
        return levels;
    }
    let claims: Vec<Claim> = cars
        .iter()
        .zip(stays)
        .zip(0..)
        .map(|((seen, left_min), car)| {
            let got_wh = real(seen.car.delivered.0);
            let likely = || habits.appetite(seen.car.card.as_ref(), seen.car.delivered).quantile(LIKELY).unwrap_or(0);
            let needs = seen.car.needs.map_or_else(|| real(likely()), |needs| real(needs.0));
            let watts = watts_per_amp(facts.volts, seen.car.wiring.wires().len());
            Claim { car, left_min: *left_min, got_wh, wants_wh: got_wh + needs, watts_per_amp: watts }
        })
        .collect();
    for ((branch, phase), members) in places(facts.branches, cars) {
        let mut here: Vec<Claim> = members.iter().filter_map(|car| claims.get(*car).copied()).collect();
        lower(&mut levels, &mut here, rooms.usual(branch, phase));
    }
    levels
}

/// Which cars' current flows where.
fn places(branches: &[Branch], cars: &[Seen<'_>]) -> BTreeMap<(usize, Phase), Vec<usize>> {
    let mut places: BTreeMap<(usize, Phase), Vec<usize>> = BTreeMap::new();
    for (number, seen) in cars.iter().enumerate() {
        for branch in path(branches, seen.car.branch) {
            for wire in seen.car.wiring.wires() {
                places.entry((branch, *wire)).or_default().push(number);
            }
        }
    }
    places
}

/// Where the cars could use more than there is.
fn scarce_phases(branches: &[Branch], cars: &[Seen<'_>]) -> BTreeMap<(usize, Phase), f64> {
    let scarce = places(branches, cars).into_iter().map(|((branch, phase), members)| {
        let wanted: u64 = members.iter().filter_map(|car| cars.get(*car)).map(|seen| u64::from(seen.usable.0)).sum();
        let room = branches.get(branch).map(|b| u64::from(b.room.get(phase).0)).unwrap_or_default();
        ((branch, phase), if wanted > room { 1.0 } else { 0.0 })
    });
    scarce.collect()
}

/// What a car gains for using phases that nobody lacks.
fn spare(branches: &[Branch], scarce: &BTreeMap<(usize, Phase), f64>, car: &CarFacts) -> f64 {
    let price: f64 = car
        .wiring
        .wires()
        .iter()
        .map(|wire| {
            let prices = path(branches, car.branch).into_iter().filter_map(|branch| scarce.get(&(branch, *wire)));
            prices.copied().fold(0.0, f64::max)
        })
        .sum();
    (real(car.wiring.wires().len()) / (price + IDLE_PHASE) - 1.0 / (1.0 + IDLE_PHASE)) * SPARE_PHASES_MIN
}

fn waste(facts: &Facts<'_>, seen: &Seen<'_>) -> f64 {
    let min = real(facts.min.0).max(1.0);
    seen.cap.map_or(0.0, |cap| ((min - real(cap.0)) / min).max(0.0) * WASTE_MIN)
}

pub(super) fn wh_per_minute(facts: &Facts<'_>, seen: &Seen<'_>) -> f64 {
    let amps = real(seen.usable.min(seen.car.max).0).max(1000.0) / 1000.0;
    watts_per_amp(facts.volts, seen.car.wiring.wires().len()) * amps / 60.0
}

/// The branches a car's current flows through; a circle ends it.
fn path(branches: &[Branch], from: usize) -> Vec<usize> {
    let mut path = Vec::new();
    let mut at = Some(from);
    while let Some(index) = at.filter(|index| !path.contains(index)) {
        let Some(branch) = branches.get(index) else { break };
        path.push(index);
        at = branch.parent;
    }
    path
}
