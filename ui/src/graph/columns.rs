//! From values to pixels: a pure function that makes at most one point per pixel column.
//!
//! # Contract
//! - A sample belongs to column `floor(at_ms / ms_per_px)` of an absolute grid, so that a point does not
//!   change its column while the window slides.
//! - A column's boundary `k` is the **mean** over its samples of the *stacked* value: building plus the first
//!   `k` chargers of the stack. Its peak is the **maximum** of the stacked total, so that no short peak
//!   disappears at any zoom.
//! - A charger without a value counts as 0 in its sample. A sample without a building value is dropped.
//! - Between two samples further apart than [`GAP_MS`] a new segment starts: silence stays a hole and is
//!   never bridged by a line.
//! - Negative building load (export) stays negative; chargers are stacked on it, so a charger's part below
//!   zero is what the roof gives it.
//! - Empty input, a window without samples or a width of 0 give no columns.

use crate::history::Track;
use std::ops::Range;

/// The longest pause between two samples that still counts as one line.
pub(crate) const GAP_MS: i64 = 90_000;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// First moment, included.
    pub(crate) from_ms: i64,
    /// Last moment, included.
    pub(crate) to_ms: i64,
    /// Pixel columns.
    pub(crate) width_px: u32,
}

/// One point per pixel column that has samples, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Columns {
    /// Mean time of the samples of each column, milliseconds since 1970.
    pub(crate) at_ms: Vec<f64>,
    /// `boundaries[0]` is the building, `boundaries[k]` the building and the first `k` chargers.
    pub(crate) boundaries: Vec<Vec<f64>>,
    /// Maximum of the stacked total.
    pub(crate) peak: Vec<f64>,
    /// Stretches of columns without a gap.
    pub(crate) segments: Vec<Range<usize>>,
}

/// Sums of the column under construction.
struct Sums {
    column: i64,
    count: f64,
    at: f64,
    boundaries: Vec<f64>,
    peak: f64,
}

/// Aggregates a track to pixel columns; `stack` names the chargers from the bottom up.
pub(crate) fn aggregate(track: &Track, stack: &[String], window: Window) -> Columns {
    let mut columns = Columns { boundaries: vec![Vec::new(); stack.len() + 1], ..Columns::default() };
    if window.width_px == 0 || window.to_ms <= window.from_ms {
        return columns;
    }
    let ms_per_px = ((window.to_ms - window.from_ms) / i64::from(window.width_px)).max(1);
    let chargers: Vec<Option<&[f32]>> = stack.iter().map(|id| track.chargers.get(id).map(Vec::as_slice)).collect();
    let mut sums: Option<Sums> = None;
    let mut last_at: Option<i64> = None;
    let mut segment = 0;
    for row in rows_in(track, window) {
        let (Some(at), Some(house)) = (track.at_ms.get(row).copied(), track.house.get(row).copied()) else { continue };
        if house.is_nan() {
            continue;
        }
        let column = at.div_euclid(ms_per_px);
        let gap = last_at.is_some_and(|last| at - last > GAP_MS);
        last_at = Some(at);
        if gap || sums.as_ref().is_some_and(|sums| sums.column != column) {
            close(&mut columns, sums.take());
        }
        if gap {
            columns.segments.push(segment..columns.at_ms.len());
            segment = columns.at_ms.len();
        }
        let sums = sums.get_or_insert_with(|| Sums::new(column, stack.len()));
        sums.add(at, house, &chargers, row);
    }
    close(&mut columns, sums);
    if segment < columns.at_ms.len() {
        columns.segments.push(segment..columns.at_ms.len());
    }
    columns
}

/// The rows inside the window and one on each side, so that lines reach its edges.
fn rows_in(track: &Track, window: Window) -> Range<usize> {
    let start = track.at_ms.partition_point(|at| *at < window.from_ms);
    let end = track.at_ms.partition_point(|at| *at <= window.to_ms);
    start.saturating_sub(1)..(end + 1).min(track.at_ms.len())
}

impl Sums {
    fn new(column: i64, chargers: usize) -> Self {
        Self { column, count: 0.0, at: 0.0, boundaries: vec![0.0; chargers + 1], peak: f64::NEG_INFINITY }
    }

    fn add(&mut self, at: i64, house: f32, chargers: &[Option<&[f32]>], row: usize) {
        self.count += 1.0;
        self.at += to_f64(at);
        let mut top = f64::from(house);
        let mut boundaries = self.boundaries.iter_mut();
        if let Some(first) = boundaries.next() {
            *first += top;
        }
        for (boundary, charger) in boundaries.zip(chargers) {
            let value = charger.and_then(|column| column.get(row)).copied().unwrap_or(0.0);
            top += if value.is_nan() { 0.0 } else { f64::from(value) };
            *boundary += top;
        }
        self.peak = self.peak.max(top);
    }
}

fn close(columns: &mut Columns, sums: Option<Sums>) {
    let Some(sums) = sums else { return };
    columns.at_ms.push(sums.at / sums.count);
    columns.peak.push(sums.peak);
    for (into, sum) in columns.boundaries.iter_mut().zip(&sums.boundaries) {
        into.push(sum / sums.count);
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit in 53 bits for 280 000 years")]
pub(crate) const fn to_f64(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn track(rows: &[(i64, f32, f32)]) -> Track {
        Track {
            at_ms: rows.iter().map(|row| row.0).collect(),
            house: rows.iter().map(|row| row.1).collect(),
            chargers: BTreeMap::from([("A".to_owned(), rows.iter().map(|row| row.2).collect())]),
            ..Track::default()
        }
    }

    fn run(rows: &[(i64, f32, f32)], width_px: u32) -> Columns {
        aggregate(&track(rows), &["A".to_owned()], Window { from_ms: 0, to_ms: 100_000, width_px })
    }

    /// Each sample that shares a column is averaged after stacking, and the peak survives.
    #[test]
    fn columns_hold_mean_and_peak_of_stacked_values() {
        let columns = run(&[(0, 1.0, 2.0), (1_000, 3.0, 8.0), (50_000, 5.0, 0.0)], 10);
        assert_eq!(columns.at_ms, [500.0, 50_000.0]);
        assert_eq!(columns.boundaries, [vec![2.0, 5.0], vec![7.0, 5.0]]);
        assert_eq!(columns.peak, [11.0, 5.0]);
        assert_eq!((columns.segments.len(), columns.segments.first()), (1, Some(&(0..2))));
    }

    /// Silence is a hole, a missing charger is zero, a missing building value is dropped.
    #[test]
    fn gaps_and_unknown_values_are_kept() {
        let nan = f32::NAN;
        let rows = [(0, 1.0, nan), (5_000, nan, 4.0), (100_000, 2.0, 1.0), (100_001, 2.0, 1.0)];
        let columns = run(&rows, 100);
        assert_eq!(columns.boundaries, [vec![1.0, 2.0], vec![1.0, 3.0]]);
        assert_eq!(columns.segments, [0..1, 1..2], "100 s of silence separate two segments");
    }

    /// Export stays below zero and chargers stand on it.
    #[test]
    fn export_stays_negative() {
        let columns = run(&[(0, -5.0, 7.0)], 10);
        assert_eq!((columns.boundaries[0][0], columns.boundaries[1][0]), (-5.0, 2.0));
    }

    /// Degenerate windows give nothing instead of failing.
    #[test]
    fn nothing_to_show_is_no_columns() {
        assert!(run(&[], 10).at_ms.is_empty(), "no samples");
        assert!(run(&[(0, 1.0, 1.0)], 0).at_ms.is_empty(), "no width");
    }

    /// The points do not depend on how often the window was moved: a column keeps its samples.
    #[test]
    fn sliding_does_not_regroup_samples() {
        let rows: Vec<(i64, f32, f32)> = (0..200).map(|i| (i * 1000, to_f64(i) as f32, 0.0)).collect();
        let track = track(&rows);
        let window = |from_ms| Window { from_ms, to_ms: from_ms + 100_000, width_px: 10 };
        let a = aggregate(&track, &[], window(0));
        let b = aggregate(&track, &[], window(30_000));
        let common: Vec<f64> = a.at_ms.iter().copied().filter(|at| b.at_ms.contains(at)).collect();
        assert!(common.len() >= 6, "shared columns agree: {common:?}");
    }
}
