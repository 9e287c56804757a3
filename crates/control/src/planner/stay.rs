//! How long cars stay and what they take, learnt from the sessions of this building and of each card.
//!
//! Nothing has to be known: what residents of apartment buildings usually do is the first guess, and every
//! session that ends makes it smaller beside what this building and this card do.

use super::{LocalMinute, real};
use domain::{CardUid, DurationMs, WattHours};
use std::collections::{BTreeMap, VecDeque};

/// A session that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastSession {
    /// The card that began it.
    pub card: Option<CardUid>,
    /// When the car was plugged in.
    pub plugged_in: LocalMinute,
    /// How long it stayed.
    pub stay: DurationMs,
    /// What it got.
    pub energy: WattHours,
}

const DAY: i64 = 24 * 60;
/// Newest visits of the building that count: some months of a middling building.
const VISITS_MAX: usize = 400;
/// Newest sessions of one card that count: habits change.
const OF_CARD_MAX: usize = 40;
/// Sessions from which on the habits of a building are known: about a month of ten cars.
const KNOWN: usize = 100;
/// What the first guess, a visit of the building and one of the same card weigh. Of the first guess the ends have
/// shares of a hundred, the energies of one.
const WEIGHT_USUAL_END: u64 = 2;
const WEIGHT_USUAL: u64 = 100;
const WEIGHT_VISIT: u64 = 10;
const WEIGHT_CARD: u64 = 200;
/// Visits that began at a time of day further apart than this say nothing of each other.
const ALIKE_MIN: i64 = 8 * 60;

#[derive(Clone, Copy, Debug)]
struct Visit {
    begin: LocalMinute,
    end: LocalMinute,
}

/// What was seen of one card, or of the building.
#[derive(Clone, Debug, Default)]
struct Record {
    visits: VecDeque<Visit>,
    /// Energies of sessions that got all they wanted, in Wh.
    energies: VecDeque<u64>,
}

/// All that was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Habits {
    building: Record,
    cards: BTreeMap<CardUid, Record>,
}

/// Ways something may go on, smallest first, each with its weight.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outlook(Vec<(i64, u64)>);

impl Habits {
    /// A car left after `session`.
    pub(crate) fn left(&mut self, session: &PastSession) {
        let minutes = i64::try_from(session.stay.0 / 60_000).unwrap_or(DAY * 365);
        let end = LocalMinute(session.plugged_in.0.saturating_add(minutes));
        let visit = Visit { begin: session.plugged_in, end };
        push(&mut self.building.visits, visit, VISITS_MAX);
        if let Some(card) = &session.card {
            push(&mut self.cards.entry(card.clone()).or_default().visits, visit, OF_CARD_MAX);
        }
    }

    /// A car got all it wanted in `session`.
    pub(crate) fn filled(&mut self, session: &PastSession) {
        push(&mut self.building.energies, session.energy.0, VISITS_MAX);
        if let Some(card) = &session.card {
            push(&mut self.cards.entry(card.clone()).or_default().energies, session.energy.0, OF_CARD_MAX);
        }
    }

    /// Whether so many sessions were seen that what a car will need can be told from them.
    pub(crate) fn are_known(&self) -> bool {
        self.building.visits.len() >= KNOWN && self.building.energies.len() >= KNOWN
    }

    /// Minutes a car may stay on that came at `begin` and is here at `now`.
    pub(crate) fn stay(&self, card: Option<&CardUid>, begin: LocalMinute, now: LocalMinute) -> Outlook {
        let mut ways = Vec::new();
        let mut add = |end: i64, weight: u64| {
            if end > now.0 && weight > 0 {
                ways.push((end - now.0, weight));
            }
        };
        for (end, share) in usual_ends(begin) {
            add(end, share * WEIGHT_USUAL_END);
        }
        let own = card.and_then(|card| self.cards.get(card));
        let of = |record: &Record, weight: u64| -> Vec<(i64, u64)> {
            record.visits.iter().map(|v| (transfer(v, begin), likeness(v, begin) * weight)).collect()
        };
        for (end, weight) in of(&self.building, WEIGHT_VISIT) {
            add(end, weight);
        }
        for (end, weight) in own.map(|own| of(own, WEIGHT_CARD)).unwrap_or_default() {
            add(end, weight);
        }
        Outlook::new(ways)
    }

    /// Energy in Wh a car may still want that got `got`.
    pub(crate) fn appetite(&self, card: Option<&CardUid>, got: WattHours) -> Outlook {
        let mut ways = Vec::new();
        let mut add = |energy: u64, weight: u64| {
            if let Some(more) = energy.checked_sub(got.0).filter(|more| *more > 0) {
                ways.push((i64::try_from(more).unwrap_or(i64::MAX), weight));
            }
        };
        for energy in USUAL_WH {
            add(energy, WEIGHT_USUAL);
        }
        for energy in &self.building.energies {
            add(*energy, WEIGHT_VISIT);
        }
        for energy in card.and_then(|card| self.cards.get(card)).iter().flat_map(|own| &own.energies) {
            add(*energy, WEIGHT_CARD);
        }
        Outlook::new(ways)
    }
}

impl Outlook {
    fn new(mut ways: Vec<(i64, u64)>) -> Self {
        ways.sort_unstable();
        Self(ways)
    }

    /// The value that so many of a thousand stay below; `None` when nothing is known.
    pub(crate) fn quantile(&self, permille: u64) -> Option<i64> {
        let total: u64 = self.0.iter().map(|(_, weight)| weight).sum();
        let mut below = 0;
        self.0.iter().find_map(|(value, weight)| {
            below += weight;
            (below * 1000 >= total * permille).then_some(*value)
        })
    }

    /// A cautious mean: what comes soon counts more, fading over `horizon`. `None` when nothing is known.
    pub(crate) fn soon(&self, horizon: f64) -> Option<f64> {
        let (mut weights, mut sum) = (0.0, 0.0);
        for (value, weight) in &self.0 {
            let weight = real(*weight);
            weights += weight;
            sum += weight * (-real(*value) / horizon).exp();
        }
        (weights > 0.0).then(|| -horizon * (sum / weights).max(f64::MIN_POSITIVE).ln())
    }
}

fn push<T>(list: &mut VecDeque<T>, value: T, max: usize) {
    list.push_back(value);
    while list.len() > max {
        list.pop_front();
    }
}

/// When a visit like `visit` ends that began at `begin`: after a night at the same time of day, else as long after.
fn transfer(visit: &Visit, begin: LocalMinute) -> i64 {
    let stay = visit.end.0.saturating_sub(visit.begin.0);
    let nights = visit.end.0.div_euclid(DAY) - visit.begin.0.div_euclid(DAY);
    let morning = (begin.0.div_euclid(DAY) + nights) * DAY + visit.end.0.rem_euclid(DAY);
    let overnight = nights > 0 && stay > 5 * 60 && morning > begin.0;
    if overnight { morning } else { begin.0.saturating_add(stay) }
}

/// 0 to 20: how much a visit says about one that begins at `begin`.
fn likeness(visit: &Visit, begin: LocalMinute) -> u64 {
    let apart = visit.begin.0.saturating_sub(begin.0).rem_euclid(DAY);
    let apart = apart.min(DAY - apart);
    u64::try_from((ALIKE_MIN - apart).max(0) * 20 / ALIKE_MIN).unwrap_or(0)
}

/// What residents do (private points of Norwegian apartment buildings, Sørensen et al. 2021): a visit that begins
/// by day lasts some hours and hardly ever until the next morning, one that begins in the evening mostly does.
/// Minute of the end and share, in percent at each of as many equally likely ends of both kinds.
fn usual_ends(begin: LocalMinute) -> impl Iterator<Item = (i64, u64)> {
    let minute = begin.0.rem_euclid(DAY);
    let midnight = begin.0 - minute;
    let (morning, nights) = match minute {
        0..300 => (midnight, 75),
        300..840 => (midnight + DAY, 8),
        _ => (midnight + DAY, 75),
    };
    let by_day = USUAL_STAYS.into_iter().map(move |stay| (begin.0 + stay, 100 - nights));
    by_day.chain(USUAL_MORNINGS.into_iter().map(move |at| (morning + at, nights)))
}

/// Minutes of a visit that ends on the same day: whoever has stayed for some time is as likely to go as at first.
const USUAL_STAYS: [i64; 20] =
    [25, 37, 49, 62, 76, 90, 106, 123, 141, 161, 183, 208, 235, 267, 304, 348, 403, 477, 589, 831];
/// Minutes after midnight at which residents leave who stayed for the night.
const USUAL_MORNINGS: [i64; 20] =
    [345, 375, 397, 415, 430, 440, 450, 460, 470, 480, 490, 500, 510, 525, 540, 560, 580, 610, 645, 700];

/// What residents take, as 17 equally likely sessions: median 9.2 kWh (same source), with the tail of long trips.
const USUAL_WH: [u64; 17] = [
    2000, 2800, 3600, 4400, 5200, 6000, 7000, 8000, 9200, 10_500, 12_000, 14_000, 17_000, 21_000, 28_000, 40_000,
    65_000,
];
