//! Packing readings into chunks, and forgetting what is past its retention.
//!
//! An hour is packed once it is over. Values that arrive later wait in `reading` again and are merged into the chunks
//! the next time, so packing never loses a value and may be repeated.

use crate::Retention;
use crate::outbox::{self, Repacked};
use crate::series_codec::Point;
use crate::table::reading_chunk::{self, Resolution};
use crate::table::series::SeriesNumber;
use crate::table::{Result, alarm, decision, frame, frame_chunk, reading, refused_card, series, status_change};
use domain::{DurationMs, Quantity, Timestamp};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};

/// What one round of maintenance did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// Raw readings packed into chunks.
    pub packed: u64,
    /// Frames packed into chunks.
    pub frames: u64,
    /// Rows and chunks removed because they were too old.
    pub removed: u64,
}

/// An hour is packed this long after its end: readings of its last seconds are still on their way.
const SETTLE_MS: i64 = 120_000;

/// Series packed in one transaction: about 10 ms, which is how long a commit may have to wait.
const SERIES_PER_SLICE: i64 = 16;

/// Rows removed in one transaction, for the same reason.
const ROWS_PER_SLICE: i64 = 2000;

/// How values within one step become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mean {
    /// Their average, rounded to the nearest.
    Average,
    /// The newest: a register.
    Newest,
}

impl Mean {
    /// The way for a quantity.
    pub(crate) const fn of(quantity: Quantity) -> Self {
        match quantity {
            Quantity::Energy => Self::Newest,
            Quantity::CurrentL1
            | Quantity::CurrentL2
            | Quantity::CurrentL3
            | Quantity::Power
            | Quantity::Setpoint
            | Quantity::Limit
            | Quantity::VoltageL1
            | Quantity::VoltageL2
            | Quantity::VoltageL3
            | Quantity::StateOfCharge
            | Quantity::Temperature => Self::Average,
        }
    }
}

/// Sum and count of the values of one step.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    sum: i128,
    count: i64,
    newest: i64,
}

impl Step {
    /// Adds a value; call in the order of time.
    pub(crate) fn add(&mut self, value: i64) {
        self.sum += i128::from(value);
        self.count += 1;
        self.newest = value;
    }

    /// Whether nothing was added.
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The one value; `None` for an empty step.
    pub(crate) fn value(&self, mean: Mean) -> Option<i64> {
        if self.count == 0 {
            return None;
        }
        let count = i128::from(self.count);
        match mean {
            Mean::Newest => Some(self.newest),
            // Half away from zero would bias nothing here; half up is one addition.
            Mean::Average => i64::try_from((self.sum * 2 + count).div_euclid(count * 2)).ok(),
        }
    }
}

/// Means at a resolution, of points in the order of time.
pub(crate) fn means(points: &[Point], step_ms: i64, mean: Mean) -> BTreeMap<i64, i64> {
    let mut all = BTreeMap::new();
    let (mut start, mut step) = (0, Step::default());
    for (at, value) in points {
        let own = at.saturating_sub(at.rem_euclid(step_ms));
        if own != start {
            all.extend(step.value(mean).map(|value| (start, value)));
            (start, step) = (own, Step::default());
        }
        step.add(*value);
    }
    all.extend(step.value(mean).map(|value| (start, value)));
    all
}

/// Packs a few hours and forgets a few rows; `None` in place of the result when nothing was left to do.
pub(crate) async fn slice(
    conn: &mut SqliteConnection,
    retention: &Retention,
    now: Timestamp,
    feeding: bool,
) -> Result<Option<Maintenance>> {
    let mut done = Maintenance::default();
    let settled = now.0.saturating_sub(SETTLE_MS);
    let over = Resolution::Raw.chunk_start(settled);
    if feeding {
        outbox::flush_minutes(conn, settled).await?;
    }
    for (number, first_ms) in series::list_waiting(conn, over, SERIES_PER_SLICE).await? {
        done.packed += pack_hour(conn, number, Resolution::Raw.chunk_start(first_ms), feeding).await?;
    }
    if done.packed == 0 {
        if feeding {
            outbox::minute_settled(conn, over).await?;
        }
        done.removed = forget(conn, retention, now).await?;
    }
    // Last, since it needs room, which forgetting makes.
    if done.packed == 0 && done.removed == 0 {
        done.frames = frame_chunk::pack(conn, Timestamp(over)).await?;
    }
    Ok((done != Maintenance::default()).then_some(done))
}

async fn pack_hour(conn: &mut SqliteConnection, number: SeriesNumber, hour_ms: i64, feeding: bool) -> Result<u64> {
    let mean = series::mean(conn, number).await?;
    let end_ms = hour_ms.saturating_add(Resolution::Raw.chunk_ms());
    let new = reading::list(conn, number, hour_ms, end_ms).await?;
    let mut raw = reading_chunk::get(conn, number, Resolution::Raw, hour_ms).await?;
    let fresh = if raw.is_empty() { Overwrite::OnlyMissing } else { Overwrite::Always };
    raw.extend(new);
    reading_chunk::set(conn, number, Resolution::Raw, hour_ms, raw.iter().map(|(at, value)| (*at, *value))).await?;
    let raw: Vec<Point> = raw.into_iter().collect();
    let done = merge(conn, number, Resolution::Minute, means(&raw, Resolution::Minute.step_ms(), mean), fresh).await?;
    merge(conn, number, Resolution::Quarter, means(&raw, Resolution::Quarter.step_ms(), mean), fresh).await?;
    if feeding {
        outbox::repack(conn, number, (hour_ms, end_ms), done).await?;
    }
    reading::remove(conn, number, hour_ms, end_ms).await
}

/// Whether new means replace old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overwrite {
    /// The new ones know every raw value.
    Always,
    /// The raw values of the old ones may be gone already.
    OnlyMissing,
}

/// Merges means into the chunks they belong to; says whether any that was there is another now.
pub(crate) async fn merge(
    conn: &mut SqliteConnection,
    number: SeriesNumber,
    resolution: Resolution,
    means: BTreeMap<i64, i64>,
    overwrite: Overwrite,
) -> Result<Repacked> {
    let starts: BTreeSet<i64> = means.keys().map(|at| resolution.chunk_start(*at)).collect();
    let mut done = Repacked::Unchanged;
    for start in starts {
        let mut chunk = reading_chunk::get(conn, number, resolution, start).await?;
        for (at, value) in means.range(start..start.saturating_add(resolution.chunk_ms())) {
            match overwrite {
                Overwrite::Always => {
                    if chunk.insert(*at, *value).is_some_and(|before| before != *value) {
                        done = Repacked::Changed;
                    }
                }
                Overwrite::OnlyMissing => {
                    chunk.entry(*at).or_insert(*value);
                }
            }
        }
        reading_chunk::set(conn, number, resolution, start, chunk).await?;
    }
    Ok(done)
}

async fn forget(conn: &mut SqliteConnection, retention: &Retention, now: Timestamp) -> Result<u64> {
    let before = |keep: DurationMs| now - keep;
    let mut removed = frame::remove_before(conn, before(retention.frames), ROWS_PER_SLICE).await?;
    for (transactions, keep) in [(false, retention.frames), (true, retention.transaction_frames)] {
        removed += frame_chunk::remove_before(conn, transactions, before(keep), ROWS_PER_SLICE).await?;
    }
    removed += decision::remove_before(conn, before(retention.decisions), ROWS_PER_SLICE).await?;
    removed += status_change::remove_before(conn, before(retention.events), ROWS_PER_SLICE).await?;
    removed += refused_card::remove_before(conn, before(retention.events), ROWS_PER_SLICE).await?;
    removed += alarm::remove_before(conn, before(retention.events), ROWS_PER_SLICE).await?;
    for (resolution, keep) in [(Resolution::Raw, retention.raw), (Resolution::Minute, retention.minutes)] {
        removed += reading_chunk::remove_before(conn, resolution, before(keep).0, ROWS_PER_SLICE).await?;
    }
    Ok(removed)
}
