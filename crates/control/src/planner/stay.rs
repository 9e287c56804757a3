//! How long cars stay, learnt from the sessions of this building and of each card.

use super::LocalMinute;
use domain::{CardUid, DurationMs, WattHours};
use std::collections::BTreeMap;

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

#[derive(Clone, Copy, Debug)]
struct Visit {
    begin: LocalMinute,
    end: LocalMinute,
}

/// All visits seen, of the building and of each card.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stays {
    all: Vec<Visit>,
    of_card: BTreeMap<CardUid, Vec<Visit>>,
    energies: Vec<(u64, u64)>,
    pub(crate) prior: u64,
}

/// One way a stay may go on: minutes from now, and its weight.
pub(crate) type Outlook = Vec<(i64, u64)>;

impl Stays {
    /// P(needs more than `more` | got `got`), permille
    pub(crate) fn survival(&self, got: u64, more: u64) -> u64 {
        let (mut a, mut b) = (1u64, 0u64);
        for (e, w) in
            USUAL_WH.iter().map(|(e, w)| (*e, *w * self.prior)).chain(self.energies.iter().map(|(e, w)| (*e, *w * 100)))
        {
            if e > got {
                a += w;
                if e > got + more {
                    b += w;
                }
            }
        }
        b * 1000 / a
    }

    /// full energies
    pub(crate) fn filled(&mut self, wh: u64) {
        self.energies.push((wh, 1));
    }

    pub(crate) fn learn(&mut self, session: &PastSession) {
        let minutes = i64::try_from(session.stay.0 / 60_000).unwrap_or(i64::MAX / 2);
        let visit = Visit { begin: session.plugged_in, end: LocalMinute(session.plugged_in.0 + minutes) };
        self.all.push(visit);
        if let Some(card) = &session.card {
            self.of_card.entry(card.clone()).or_default().push(visit);
        }
    }

    /// How much longer a car may stay that came at `begin` and is still here, soonest first.
    pub(crate) fn outlook(&self, card: Option<&CardUid>, begin: LocalMinute, now: LocalMinute) -> Outlook {
        let mut outlook: Outlook = Vec::new();
        let mut add = |end: i64, weight: u64| {
            if end > now.0 && weight > 0 {
                outlook.push((end - now.0, weight));
            }
        };
        for (end, weight) in usual(begin) {
            add(end, weight);
        }
        for visit in self.all.iter().rev().take(400) {
            add(transfer(visit, begin), likeness(visit, begin) * 10);
        }
        if let Some(visits) = card.and_then(|card| self.of_card.get(card)) {
            for visit in visits.iter().rev().take(40) {
                add(transfer(visit, begin), likeness(visit, begin) * 100);
            }
        }
        outlook.sort_unstable();
        outlook
    }
}

/// The weighted quantile of an outlook, in minutes.
pub(crate) fn quantile(outlook: &Outlook, permille: u64) -> Option<i64> {
    let total: u64 = outlook.iter().map(|(_, weight)| weight).sum();
    let mut below = 0;
    for (minutes, weight) in outlook {
        below += weight;
        if below * 1000 >= total * permille {
            return Some(*minutes);
        }
    }
    None
}

/// When a visit like `visit` ends that began at `begin`: after a night at the same time of day, else as long after.
fn transfer(visit: &Visit, begin: LocalMinute) -> i64 {
    let nights = visit.end.0.div_euclid(DAY) - visit.begin.0.div_euclid(DAY);
    if nights > 0 && visit.end.0 - visit.begin.0 > 5 * 60 {
        let end = (begin.0.div_euclid(DAY) + nights) * DAY + visit.end.0.rem_euclid(DAY);
        if end > begin.0 {
            return end;
        }
    }
    begin.0 + visit.end.0 - visit.begin.0
}

/// 0 to 10: how much a visit says about one that begins at `begin`.
fn likeness(visit: &Visit, begin: LocalMinute) -> u64 {
    let apart = (visit.begin.0 - begin.0).rem_euclid(DAY);
    let apart = apart.min(DAY - apart);
    u64::try_from((240 - apart).max(0) / 24).unwrap_or(0)
}

/// What residents do, for a building that has not told its own habits yet: minute of the end and weight.
fn usual(begin: LocalMinute) -> Vec<(i64, u64)> {
    let mut ends: Vec<(i64, u64)> =
        [45, 75, 120, 180, 250, 360, 540].into_iter().map(|stay| (begin.0 + stay, 20)).collect();
    let minute = begin.0.rem_euclid(DAY);
    let midnight = begin.0 - minute;
    let next = if minute < 5 * 60 { midnight } else { midnight + DAY };
    let weight = if (5 * 60..13 * 60).contains(&minute) { 20 } else { 70 };
    ends.extend([375, 420, 450, 480, 525, 600].into_iter().map(|at| (next + at, weight)));
    ends
}

const USUAL_WH: [(u64, u64); 17] = [
    (2000, 1),
    (2800, 1),
    (3600, 1),
    (4400, 1),
    (5200, 1),
    (6000, 1),
    (7000, 1),
    (8000, 1),
    (9200, 1),
    (10500, 1),
    (12000, 1),
    (14000, 1),
    (17000, 1),
    (21000, 1),
    (28000, 1),
    (40000, 1),
    (65000, 1),
];
