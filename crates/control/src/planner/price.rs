//! Which cars wait for cheaper energy: those that may, and whose energy fits into the cheapest periods before they leave.
//!
//! A car waits only while everything it needs still fits into better periods, with time to spare; one whose
//! departure or need nobody knows does not wait at all. Who does not look at prices is reckoned with first.

use super::fair::watts_per_amp;
use super::rank::{Seen, outlook, wh_per_minute};
use super::stay::Habits;
use super::{Facts, Period, Place, real};
use std::collections::BTreeMap;

/// Time that is kept before the departure, in minutes: forecasts err, and cars begin late.
const SPARE_MIN: f64 = 30.0;
/// Energy that is reckoned with above the need: cables lose some, and batteries taper towards their end.
const SPARE_ENERGY: f64 = 1.15;
/// Share of the expected room that is relied upon.
const RELIED_ON: f64 = 0.8;
/// Of the stays that habits know, all but this many of a thousand are longer; as many appetites are larger.
const CAUTIOUS: u64 = 200;
/// A car that charges goes on unless another period is cheaper by more than this share of the price.
const STICKY: f64 = 0.05;

/// A period while it is filled, beginning so many minutes from now.
#[derive(Clone, Copy, Debug)]
struct Open {
    begin: u32,
    minutes: f64,
    price: Option<f64>,
    surplus_w: f64,
    left_w: f64,
}

/// What a car still wants, and until when it can have it.
#[derive(Clone, Copy, Debug)]
struct Want {
    until_min: f64,
    wh: f64,
    most_w: f64,
    least_w: f64,
}

/// Minutes until the period in which a car begins, for every car that had better wait.
pub(crate) fn waits(facts: &Facts<'_>, habits: &Habits, cars: &[Seen<'_>]) -> BTreeMap<Place, u32> {
    let mut waits = BTreeMap::new();
    if facts.periods.is_empty() || !cars.iter().any(|seen| seen.car.thrifty) {
        return waits;
    }
    let mut periods = open(facts.periods);
    let (mut thrifty, others): (Vec<_>, Vec<_>) = cars.iter().partition(|seen| seen.car.thrifty);
    for seen in others {
        let want = want(facts, habits, seen).unwrap_or(Want { until_min: f64::INFINITY, ..usual(facts, seen) });
        let in_turn: Vec<usize> = (0..periods.len()).collect();
        fill(&mut periods, &in_turn, want);
    }
    thrifty.sort_by(|one, other| {
        let until = |seen: &Seen<'_>| want(facts, habits, seen).map_or(0.0, |want| want.until_min);
        until(one).total_cmp(&until(other)).then_with(|| one.car.place.cmp(&other.car.place))
    });
    for seen in thrifty {
        let Some(want) = want(facts, habits, seen) else { continue };
        let order = cheapest(&periods, want, !seen.car.set.is_zero());
        let (begin, missing) = fill(&mut periods, &order, want);
        if let (Some(begin), true) = (begin, missing <= 0.0)
            && begin > 0
            && let Some(period) = periods.get(begin)
        {
            waits.insert(seen.car.place.clone(), period.begin);
        }
    }
    waits
}

fn open(periods: &[Period]) -> Vec<Open> {
    let mut begin: u32 = 0;
    let each = periods.iter().map(|period| {
        let minutes = f64::from(period.minutes);
        let open = Open {
            begin,
            minutes,
            price: period.price_micro.map(|micro| real(micro / 100) / 10_000.0),
            surplus_w: f64::from(period.surplus_w),
            left_w: f64::from(period.room_w) * RELIED_ON,
        };
        begin = begin.saturating_add(period.minutes);
        open
    });
    each.collect()
}

/// What the car needs by when, on the cautious side; `None` when nobody knows.
fn want(facts: &Facts<'_>, habits: &Habits, seen: &Seen<'_>) -> Option<Want> {
    let known = || habits.are_known();
    let left_min = match seen.car.departs {
        Some(at) => real(at.since(facts.now).0 / 1000) / 60.0,
        None if known() => real(outlook(facts, habits, seen).quantile(CAUTIOUS)?),
        None => return None,
    };
    let needs = match seen.car.needs {
        Some(needs) => real(needs.0),
        None if known() => real(habits.appetite(seen.car.card.as_ref(), seen.car.delivered).quantile(1000 - CAUTIOUS)?),
        None => return None,
    };
    Some(Want { until_min: left_min - SPARE_MIN, wh: needs * SPARE_ENERGY, ..usual(facts, seen) })
}

/// What the middle of the residents takes, as fast as this car can.
fn usual(facts: &Facts<'_>, seen: &Seen<'_>) -> Want {
    let least_w = watts_per_amp(facts.volts, seen.car.wiring.wires().len()) * real(facts.min.0) / 1000.0;
    Want { until_min: 0.0, wh: 9_200.0, most_w: wh_per_minute(facts, seen) * 60.0, least_w }
}

/// The periods before the departure, cheapest first; those of unknown price come last. What the sun is expected to
/// leave over costs nothing.
fn cheapest(periods: &[Open], want: Want, charges: bool) -> Vec<usize> {
    let price = |index: usize| -> f64 {
        let Some(period) = periods.get(index) else { return f64::INFINITY };
        let known = period.price.unwrap_or(f64::MAX);
        let price = if period.surplus_w >= want.least_w { known.min(0.0) } else { known };
        if charges && index == 0 && price < f64::MAX { price - STICKY * price.abs() } else { price }
    };
    let mut order: Vec<usize> = (0..periods.len()).collect();
    order.sort_by(|one, other| price(*one).total_cmp(&price(*other)).then(one.cmp(other)));
    order
}

/// Takes the car's energy out of the periods in this order. Gives the earliest one it uses, and what is missing in Wh.
fn fill(periods: &mut [Open], order: &[usize], want: Want) -> (Option<usize>, f64) {
    let mut missing = want.wh;
    let mut first: Option<usize> = None;
    for index in order {
        let Some(period) = periods.get_mut(*index).filter(|_| missing > 0.0) else { continue };
        let minutes = period.minutes.min(want.until_min - f64::from(period.begin));
        let power = want.most_w.min(period.left_w);
        if minutes <= 0.0 || power < want.least_w {
            continue;
        }
        let taken = missing.min(power * minutes / 60.0);
        period.left_w -= taken * 60.0 / period.minutes.max(1.0);
        missing -= taken;
        first = Some(first.map_or(*index, |first| first.min(*index)));
    }
    (first, missing)
}
