//! Cars arriving and leaving as in the recorded sessions, mapped to the days of the demo.

use crate::dice::{Dice, stream};
use crate::recordings::{RecordedSession, SESSIONS};
use domain::{DurationMs, Timestamp, WattHours};

/// A car that comes, charges and leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Bay, counted from 0.
    pub bay: usize,
    /// Household, counted from 0.
    pub household: usize,
    /// Arrival.
    pub arrives: Timestamp,
    /// Departure.
    pub leaves: Timestamp,
    /// Energy the car wants.
    pub wants: WattHours,
}

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;
/// Monday 2019-03-04: from here on the garages were in regular use.
const RECORDED_FROM_DAY: i64 = 17_959;
/// Whole weeks of the recording from that Monday on.
const RECORDED_WEEKS: i64 = 25;
/// 1970-01-01 was a Thursday; day 4 the first Monday.
const FIRST_MONDAY: i64 = 4;
/// Longest stay in minutes: bays are shared, so nobody parks for days.
const STAY_MIN_MAX: u64 = 15 * 60;

/// Visits that begin between two times, in the order of arrival. No two overlap in one bay, and no
/// household has two cars. Times of day and weekdays are those of the recording.
#[must_use]
pub fn visits(seed: u64, from: Timestamp, until: Timestamp, bays: usize, households: usize) -> Vec<Visit> {
    let mut plan: Vec<Visit> = Vec::new();
    let mut bay_free = vec![from; bays];
    let mut home_free = vec![from; households];
    for day in from.0.div_euclid(DAY_MS)..=until.0.div_euclid(DAY_MS) {
        let mut dice = Dice::new(seed, stream::VISITS.wrapping_add(day.unsigned_abs()));
        for session in recorded_on(day) {
            let second = i64::try_from(dice.between(0, 59_999)).unwrap_or(0);
            let arrives = Timestamp(day * DAY_MS + minutes_ms(session.minute) + second);
            let leaves = arrives + DurationMs(session.stay_min.min(STAY_MIN_MAX) * 60_000);
            let (bay, home) = (pick(&mut dice, &bay_free, arrives), pick(&mut dice, &home_free, arrives));
            let (Some(bay), Some(household)) = (bay, home) else { continue };
            if arrives < from || arrives >= until {
                continue;
            }
            // Ten minutes pass before another car stands there.
            let again = leaves + DurationMs(600_000);
            for (list, index) in [(&mut bay_free, bay), (&mut home_free, household)] {
                if let Some(free) = list.get_mut(index) {
                    *free = again;
                }
            }
            plan.push(Visit { bay, household, arrives, leaves, wants: WattHours(session.energy_wh) });
        }
    }
    plan.sort_by_key(|visit| (visit.arrives, visit.bay));
    plan
}

/// The recorded day of the same weekday that stands for this day.
fn recorded_on(day: i64) -> impl Iterator<Item = &'static RecordedSession> {
    let since_monday = day - FIRST_MONDAY;
    let week = since_monday.div_euclid(7).rem_euclid(RECORDED_WEEKS);
    let recorded = RECORDED_FROM_DAY + week * 7 + since_monday.rem_euclid(7);
    SESSIONS.iter().filter(move |session| session.day == recorded)
}

fn pick(dice: &mut Dice, free_from: &[Timestamp], at: Timestamp) -> Option<usize> {
    let free: Vec<usize> =
        free_from.iter().enumerate().filter(|(_, from)| **from <= at).map(|(index, _)| index).collect();
    let last = u64::try_from(free.len().checked_sub(1)?).ok()?;
    free.get(usize::try_from(dice.between(0, last)).ok()?).copied()
}

fn minutes_ms(minutes: u64) -> i64 {
    i64::try_from(minutes).unwrap_or(0) * MINUTE_MS
}
