//! Readings for a graph: an even grid of times and one column per series.
//!
//! Each series is read at the finest resolution its step can show, and what is only kept coarser (an older part of the
//! period) fills the rest. Values that are not packed yet are reduced the same way as packing would.

use crate::maintenance::{Mean, Step, means};
use crate::series_codec::Point;
use crate::table::reading_chunk::{self, Resolution};
use crate::table::{Result, reading, series};
use domain::{DurationMs, Series, Timestamp};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// Readings on an even grid of times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Width of a step; wider than asked where that many points would not fit.
    pub step: DurationMs,
    /// Start of each step.
    pub at: Vec<Timestamp>,
    /// One column per series asked for, in that order; `None` where nothing is known.
    pub values: Vec<Vec<Option<i64>>>,
}

/// Most steps in an answer: a day of 5-second values, and wider than any screen.
const STEPS_MAX: i64 = 20_000;

/// An even grid of times.
#[derive(Clone, Copy, Debug)]
struct Grid {
    start_ms: i64,
    end_ms: i64,
    step_ms: i64,
    steps: usize,
}

impl Grid {
    fn new(from: Timestamp, to: Timestamp, step: DurationMs) -> Self {
        let span = to.0.saturating_sub(from.0).max(0);
        let wanted = i64::try_from(step.0).unwrap_or(i64::MAX).max(1);
        // One step more may be needed, because the first begins before `from`.
        let least = span / (STEPS_MAX - 1) + 1;
        let step_ms = (least.saturating_sub(1) / wanted).saturating_add(1).saturating_mul(wanted);
        let start_ms = from.0.saturating_sub(from.0.rem_euclid(step_ms));
        let steps = if span == 0 { 0 } else { (to.0.saturating_sub(start_ms) - 1) / step_ms + 1 };
        Self { start_ms, end_ms: to.0, step_ms, steps: usize::try_from(steps).unwrap_or(0) }
    }

    fn index(&self, at_ms: i64) -> Option<usize> {
        let index = usize::try_from(at_ms.checked_sub(self.start_ms)?.div_euclid(self.step_ms)).ok()?;
        (index < self.steps).then_some(index)
    }

    /// Number of the first step that begins at or after a time; the number of steps when none does.
    fn first_from(&self, at_ms: i64) -> usize {
        let offset = at_ms.saturating_sub(self.start_ms).max(0);
        let whole = offset / self.step_ms;
        let first = if offset % self.step_ms == 0 { whole } else { whole.saturating_add(1) };
        usize::try_from(first).unwrap_or(usize::MAX).min(self.steps)
    }

    fn times(&self) -> Vec<Timestamp> {
        (0..self.steps)
            .scan(self.start_ms, |next, _| {
                let at = *next;
                *next = next.saturating_add(self.step_ms);
                Some(Timestamp(at))
            })
            .collect()
    }

    /// The finest resolution the steps can show, then the coarser ones.
    const fn resolutions(&self) -> (Resolution, &'static [Resolution]) {
        if self.step_ms >= Resolution::Quarter.step_ms() {
            (Resolution::Quarter, &[])
        } else if self.step_ms >= Resolution::Minute.step_ms() {
            (Resolution::Minute, &[Resolution::Quarter])
        } else {
            (Resolution::Raw, &[Resolution::Minute, Resolution::Quarter])
        }
    }
}

/// Reads columns.
pub(crate) async fn read(
    conn: &mut SqliteConnection,
    wanted: &[Series],
    from: Timestamp,
    to: Timestamp,
    step: DurationMs,
) -> Result<Columns> {
    let grid = Grid::new(from, to, step);
    let mut values = Vec::with_capacity(wanted.len());
    for one in wanted {
        values.push(column(conn, one, &grid).await?);
    }
    Ok(Columns { step: DurationMs(grid.step_ms.unsigned_abs()), at: grid.times(), values })
}

async fn column(conn: &mut SqliteConnection, wanted: &Series, grid: &Grid) -> Result<Vec<Option<i64>>> {
    let mut steps = vec![Step::default(); grid.steps];
    let mean = Mean::of(wanted.quantity);
    let Some(number) = series::find(conn, wanted).await?.filter(|_| grid.steps > 0) else {
        return Ok(vec![None; grid.steps]);
    };
    let (finest, coarser) = grid.resolutions();
    for (at, value) in finest_points(conn, number, finest, grid, mean).await? {
        if let Some(step) = grid.index(at).and_then(|index| steps.get_mut(index)) {
            step.add(value);
        }
    }
    for resolution in coarser {
        let from_ms = grid.start_ms.saturating_sub(resolution.step_ms());
        for point in reading_chunk::list(conn, number, *resolution, from_ms, grid.end_ms).await? {
            fill(&mut steps, grid, *resolution, point);
        }
    }
    Ok(steps.iter().map(|step| step.value(mean)).collect())
}

/// Packed values of the finest resolution, and over them what waits to be packed.
async fn finest_points(
    conn: &mut SqliteConnection,
    number: series::SeriesNumber,
    finest: Resolution,
    grid: &Grid,
    mean: Mean,
) -> Result<Vec<Point>> {
    let packed = reading_chunk::list(conn, number, finest, grid.start_ms, grid.end_ms).await?;
    let waiting = reading::list(conn, number, grid.start_ms, grid.end_ms).await?;
    if waiting.is_empty() {
        return Ok(packed);
    }
    let waiting: Vec<Point> = match finest {
        Resolution::Raw => waiting,
        Resolution::Minute | Resolution::Quarter => means(&waiting, finest.step_ms(), mean).into_iter().collect(),
    };
    // Nearly always all that waits is newer than all that is packed.
    if packed.last().map(|point| point.0) < waiting.first().map(|point| point.0) {
        return Ok(packed.into_iter().chain(waiting).collect());
    }
    let mut merged: BTreeMap<i64, i64> = packed.into_iter().collect();
    merged.extend(waiting);
    Ok(merged.into_iter().collect())
}

/// Gives a coarse value to all empty steps that begin within it, unless a finer value is known inside it: then the
/// empty steps are times when nothing was measured.
fn fill(steps: &mut [Step], grid: &Grid, resolution: Resolution, (at, value): Point) {
    let end_ms = at.saturating_add(resolution.step_ms());
    let (first, end) = (grid.first_from(at), grid.first_from(end_ms));
    let Some(covered) = steps.get_mut(first..end) else { return };
    // The last step may reach into what follows, where finer values can begin.
    let reaches_beyond = grid.index(end_ms).is_some_and(|index| index < end);
    let (inside, last) = covered.split_at_mut(covered.len().saturating_sub(usize::from(reaches_beyond)));
    if inside.iter().all(Step::is_empty) {
        for step in inside.iter_mut().chain(last).filter(|step| step.is_empty()) {
            step.add(value);
        }
    }
}
