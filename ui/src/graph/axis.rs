//! Where the grid lines of time and of values stand. Pure.

use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

/// Steps of time that people read at a glance.
const STEPS_MS: [i64; 12] = [
    MINUTE_MS,
    2 * MINUTE_MS,
    5 * MINUTE_MS,
    10 * MINUTE_MS,
    15 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    3 * HOUR_MS,
    6 * HOUR_MS,
    12 * HOUR_MS,
    DAY_MS,
];

/// Room a clock reading needs, in points.
const LABEL_WIDTH: f64 = 84.0;

/// Moments between `from_ms` and `to_ms` at round local clock readings, with their distance.
pub(crate) fn time_marks(from_ms: i64, to_ms: i64, offset_min: i32, width: f64) -> (Vec<i64>, i64) {
    let length = (to_ms - from_ms).max(1);
    let most = (width / LABEL_WIDTH).max(1.0);
    let fits = |step: &&i64| super::columns::to_f64(length) / super::columns::to_f64(**step) <= most;
    let step = STEPS_MS.iter().find(fits).copied().unwrap_or(DAY_MS);
    let offset = i64::from(offset_min) * MINUTE_MS;
    let first = (from_ms + offset).div_euclid(step) * step + step - offset;
    let marks = std::iter::successors(Some(first), |mark| Some(mark + step)).take_while(|mark| *mark <= to_ms);
    (marks.collect(), step)
}

/// A round step of values so that about `lines` of them cover `range`: 1, 2 or 5 times a power of ten.
pub(crate) fn value_step(range: f64, lines: f64) -> f64 {
    let raw = (range / lines.max(1.0)).max(1e-6);
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= raw).unwrap_or(10.0);
    step * power
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks stand on round local readings, also where the zone is half an hour off.
    #[test]
    fn marks_are_round_on_local_clocks() {
        let (marks, step) = time_marks(0, HOUR_MS, 0, 600.0);
        assert_eq!((step, marks.first(), marks.len()), (10 * MINUTE_MS, Some(&(10 * MINUTE_MS)), 6));
        let (marks, step) = time_marks(0, DAY_MS, 330, 700.0);
        assert_eq!(step, 3 * HOUR_MS);
        assert!(marks.iter().all(|mark| (mark + 330 * MINUTE_MS) % step == 0), "{marks:?}");
    }

    /// Steps of values are 1, 2 or 5 times a power of ten.
    #[test]
    fn value_steps_are_round() {
        for (range, expected) in [(45.0, 10.0), (9.0, 2.0), (0.4, 0.1), (120.0, 50.0)] {
            assert!((value_step(range, 5.0) - expected).abs() < 1e-9, "{range}: {}", value_step(range, 5.0));
        }
    }
}
