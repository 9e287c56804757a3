//! Table `session_trace`: energy of a session by time.

use super::{Result, bad, to_i64};
use crate::series_codec::{Point, decode, encode};
use domain::{SessionId, Timestamp, WattHours};
use sqlx::SqliteConnection;

/// Tariffs change their period on the quarter of an hour, in every time zone.
const QUARTER_MS: i64 = 900_000;

/// Adds a reading. Of each quarter of an hour the first and the last are kept: enough to cut exactly at its borders.
pub(crate) async fn add(
    conn: &mut SqliteConnection,
    session: SessionId,
    at: Timestamp,
    energy: WattHours,
) -> Result<()> {
    let mut points = get(conn, session).await?;
    let point = (at.0, to_i64(energy.0));
    match points.last() {
        Some(last) if last.0 < point.0 => {
            let quarter = |point: &Point| point.0.div_euclid(QUARTER_MS);
            let inside = points.len() >= 2 && points.iter().rev().take(2).all(|old| quarter(old) == quarter(&point));
            if inside {
                points.pop();
            }
            points.push(point);
        }
        Some(_) => {
            // Out of order: a backlog among live readings. It is put in its place.
            let place = points.partition_point(|old| old.0 < point.0);
            match points.get_mut(place).filter(|old| old.0 == point.0) {
                Some(old) => *old = point,
                None => points.insert(place, point),
            }
        }
        None => points.push(point),
    }
    set(conn, session, points).await
}

pub(crate) async fn set(conn: &mut SqliteConnection, session: SessionId, points: Vec<Point>) -> Result<()> {
    sqlx::query(
        "INSERT INTO session_trace (session, bytes) VALUES (?, ?)
         ON CONFLICT (session) DO UPDATE SET bytes = excluded.bytes",
    )
    .bind(session.0)
    .bind(encode(points))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn get(conn: &mut SqliteConnection, session: SessionId) -> Result<Vec<Point>> {
    let bytes: Option<Vec<u8>> = sqlx::query_scalar("SELECT bytes FROM session_trace WHERE session = ?")
        .bind(session.0)
        .fetch_optional(conn)
        .await?;
    unpack(bytes.as_deref())
}

/// The readings inside a row's bytes.
pub(crate) fn unpack(bytes: Option<&[u8]>) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    if let Some(bytes) = bytes {
        decode(bytes, |point| points.push(point)).ok_or_else(|| bad("session_trace", "its bytes are damaged"))?;
    }
    Ok(points)
}
