//! Table `reading_chunk`: packed values in three resolutions.

use super::series::SeriesNumber;
use super::{Result, bad};
use crate::series_codec::{Point, decode, encode};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// How far apart the values of a chunk are, and how long a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resolution {
    /// As measured; a chunk is an hour.
    Raw,
    /// Minute means; a chunk is a day.
    Minute,
    /// Quarter-hour means; a chunk is 32 days.
    Quarter,
}

impl Resolution {
    /// Time between two values; 0 for raw ones.
    pub(crate) const fn step_ms(self) -> i64 {
        match self {
            Self::Raw => 0,
            Self::Minute => 60_000,
            Self::Quarter => 900_000,
        }
    }

    /// Time that one chunk covers. A multiple of every finer one, so that packing an hour touches one chunk of each.
    pub(crate) const fn chunk_ms(self) -> i64 {
        match self {
            Self::Raw => 3_600_000,
            Self::Minute => 86_400_000,
            Self::Quarter => 32 * 86_400_000,
        }
    }

    /// Start of the chunk that holds a time.
    pub(crate) const fn chunk_start(self, at_ms: i64) -> i64 {
        at_ms.saturating_sub(at_ms.rem_euclid(self.chunk_ms()))
    }
}

/// The values of one chunk by time; empty when there is none.
pub(crate) async fn get(
    conn: &mut SqliteConnection,
    series: SeriesNumber,
    resolution: Resolution,
    start_ms: i64,
) -> Result<BTreeMap<i64, i64>> {
    let bytes: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT bytes FROM reading_chunk WHERE series = ? AND resolution_ms = ? AND start_ms = ?")
            .bind(series)
            .bind(resolution.step_ms())
            .bind(start_ms)
            .fetch_optional(conn)
            .await?;
    let mut points = BTreeMap::new();
    if let Some(bytes) = bytes {
        unpack(&bytes, |(at, value)| {
            points.insert(at, value);
        })?;
    }
    Ok(points)
}

pub(crate) async fn set(
    conn: &mut SqliteConnection,
    series: SeriesNumber,
    resolution: Resolution,
    start_ms: i64,
    points: impl IntoIterator<Item = Point>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO reading_chunk (series, resolution_ms, start_ms, bytes) VALUES (?, ?, ?, ?)
         ON CONFLICT (series, resolution_ms, start_ms) DO UPDATE SET bytes = excluded.bytes",
    )
    .bind(series)
    .bind(resolution.step_ms())
    .bind(start_ms)
    .bind(encode(points))
    .execute(conn)
    .await?;
    Ok(())
}

/// The values of a period in the order of time.
pub(crate) async fn list(
    conn: &mut SqliteConnection,
    series: SeriesNumber,
    resolution: Resolution,
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<Point>> {
    let chunks: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT bytes FROM reading_chunk WHERE series = ? AND resolution_ms = ? AND start_ms >= ? AND start_ms < ?
         ORDER BY start_ms",
    )
    .bind(series)
    .bind(resolution.step_ms())
    .bind(resolution.chunk_start(from_ms))
    .bind(to_ms)
    .fetch_all(conn)
    .await?;
    let mut points = Vec::new();
    for chunk in chunks {
        unpack(&chunk, |point| {
            if point.0 >= from_ms && point.0 < to_ms {
                points.push(point);
            }
        })?;
    }
    Ok(points)
}

/// Removes whole chunks that end before a time, some at once.
pub(crate) async fn remove_before(
    conn: &mut SqliteConnection,
    resolution: Resolution,
    before_ms: i64,
    rows_max: i64,
) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM reading_chunk WHERE id IN
             (SELECT id FROM reading_chunk WHERE resolution_ms = ? AND start_ms < ? ORDER BY start_ms LIMIT ?)",
    )
    .bind(resolution.step_ms())
    .bind(before_ms.saturating_sub(resolution.chunk_ms()))
    .bind(rows_max)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

fn unpack(bytes: &[u8], each: impl FnMut(Point)) -> Result<()> {
    decode(bytes, each).ok_or_else(|| bad("reading_chunk", "its bytes are damaged"))
}
