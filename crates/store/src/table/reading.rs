//! Table `reading`: values as they came, until their hour is packed.

use super::series::{SeriesNumber, SeriesNumbers};
use super::{Result, bad};
use crate::series_codec::Point;
use domain::Reading;
use sqlx::SqliteConnection;
use std::fmt::Write as _;

/// Writes many with one statement; the newest value of a moment wins.
pub(crate) async fn upsert_all(
    conn: &mut SqliteConnection,
    numbers: &mut SeriesNumbers,
    readings: &[&Reading],
) -> Result<()> {
    if readings.is_empty() {
        return Ok(());
    }
    let mut json = String::with_capacity(readings.len() * 32);
    for reading in readings {
        let number = numbers.number(conn, &reading.series).await?;
        json.push(if json.is_empty() { '[' } else { ',' });
        // Writing to a String cannot fail.
        let _infallible = write!(json, "[{number},{},{}]", reading.at.0, reading.value);
    }
    json.push(']');
    sqlx::query(
        "INSERT INTO reading (series, at_ms, value)
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
         ON CONFLICT (series, at_ms) DO UPDATE SET value = excluded.value",
    )
    .bind(json)
    .execute(conn)
    .await?;
    Ok(())
}

/// Values of a period in the order of time. One text instead of many rows: an hour arrives in one step.
pub(crate) async fn list(
    conn: &mut SqliteConnection,
    series: SeriesNumber,
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<Point>> {
    let text: Option<String> = sqlx::query_scalar(
        "SELECT group_concat(at_ms || ' ' || value, ' ') FROM
             (SELECT at_ms, value FROM reading WHERE series = ? AND at_ms >= ? AND at_ms < ? ORDER BY at_ms)",
    )
    .bind(series)
    .bind(from_ms)
    .bind(to_ms)
    .fetch_one(conn)
    .await?;
    let text = text.unwrap_or_default();
    let mut numbers = text.split_ascii_whitespace().map(str::parse::<i64>);
    let mut points = Vec::new();
    while let (Some(at), Some(value)) = (numbers.next(), numbers.next()) {
        points.push((at.map_err(|error| bad("reading", error))?, value.map_err(|error| bad("reading", error))?));
    }
    Ok(points)
}

/// Removes the values of a period.
pub(crate) async fn remove(conn: &mut SqliteConnection, series: SeriesNumber, from_ms: i64, to_ms: i64) -> Result<u64> {
    let done = sqlx::query("DELETE FROM reading WHERE series = ? AND at_ms >= ? AND at_ms < ?")
        .bind(series)
        .bind(from_ms)
        .bind(to_ms)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}
