//! How the energy of a session grew, and how much of it lies before any moment: exactly, in whole watt-hours.
//!
//! Between two readings energy is taken to grow evenly. Cutting is done on the running total, which is rounded down,
//! so what is cut off one part is in the next: the parts of a session always sum to its energy.

use domain::{Timestamp, WattHours};

/// Readings further apart than this make a cut between them an estimate; chargers send one a minute to a quarter
/// of an hour.
const READING_GAP_MAX_MS: i64 = 16 * 60_000;

/// Running total of a session's energy by time; both never fall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    points: Vec<(i64, u64)>,
}

impl Trace {
    /// From the readings of a session and what its record says. Readings outside the session, out of order or above
    /// its energy are dropped: the record passed the plausibility gate, a single reading need not have.
    pub(crate) fn new(
        (start, end): (Timestamp, Option<Timestamp>),
        energy: WattHours,
        readings: &[(Timestamp, WattHours)],
    ) -> Self {
        let mut points = vec![(start.0, 0)];
        let last_ms = end.map_or(i64::MAX, |end| end.0);
        let mut newest = 0;
        let mut newest_at = start.0;
        for (at, value) in readings {
            let fits = at.0 > newest_at && at.0 <= last_ms && value.0 >= newest && value.0 <= energy.0;
            if fits {
                (newest_at, newest) = (at.0, value.0);
                points.push((at.0, value.0));
            }
        }
        let end_ms = end.map_or(newest_at, |end| end.0.max(start.0));
        match points.last_mut() {
            Some(last) if last.0 >= end_ms => last.1 = energy.0,
            Some(_) | None => points.push((end_ms, energy.0)),
        }
        Self { points }
    }

    /// Energy before a moment.
    pub(crate) fn before(&self, at: Timestamp) -> u64 {
        let after = self.points.partition_point(|point| point.0 < at.0);
        let Some((t0, e0)) = after.checked_sub(1).and_then(|index| self.points.get(index)).copied() else { return 0 };
        let Some((t1, e1)) = self.points.get(after).copied() else { return e0 };
        let (part, whole) = (i128::from(at.0 - t0), i128::from((t1 - t0).max(1)));
        let grown = i128::from(e1.saturating_sub(e0)) * part / whole;
        e0 + u64::try_from(grown).unwrap_or(0)
    }

    /// Energy between two moments.
    pub(crate) fn between(&self, from: Timestamp, to: Timestamp) -> u64 {
        self.before(to).saturating_sub(self.before(from))
    }

    /// Whether a cut at this moment rests on readings too far apart.
    pub(crate) fn is_estimated_at(&self, at: Timestamp) -> bool {
        let after = self.points.partition_point(|point| point.0 < at.0);
        let pair = after.checked_sub(1).and_then(|index| self.points.get(index)).zip(self.points.get(after));
        pair.is_some_and(|((t0, e0), (t1, e1))| *t1 != at.0 && e1 > e0 && t1 - t0 > READING_GAP_MAX_MS)
    }

    /// When the last energy arrived; `None` without readings in between, when nobody can tell.
    pub(crate) fn full_at(&self) -> Option<Timestamp> {
        let (_, total) = self.points.last()?;
        let first_full = self.points.iter().position(|(_, energy)| energy == total)?;
        (self.points.len() > 2 && *total > 0).then(|| self.points.get(first_full).map(|point| Timestamp(point.0)))?
    }

    /// When the newest reading was taken.
    pub(crate) fn newest_at(&self) -> Timestamp {
        Timestamp(self.points.last().map_or(0, |point| point.0))
    }
}
