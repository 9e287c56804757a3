//! Table `retention`: how long each kind of record is kept, once somebody chose.

use super::Result;
use crate::Retention;
use domain::DurationMs;
use sqlx::SqliteConnection;

const DAY_MS: u64 = 86_400_000;

/// What was chosen; `None` while nobody did.
pub(crate) async fn get(conn: &mut SqliteConnection) -> Result<Option<Retention>> {
    let row: Option<(i64, i64, i64, i64, i64, i64)> =
        sqlx::query_as("SELECT raw, minutes, frames, transaction_frames, decisions, events FROM retention")
            .fetch_optional(conn)
            .await?;
    let days = |count: i64| DurationMs(u64::try_from(count).unwrap_or(0).saturating_mul(DAY_MS));
    Ok(row.map(|(raw, minutes, frames, transaction_frames, decisions, events)| Retention {
        raw: days(raw),
        minutes: days(minutes),
        frames: days(frames),
        transaction_frames: days(transaction_frames),
        decisions: days(decisions),
        events: days(events),
    }))
}

pub(crate) async fn set(conn: &mut SqliteConnection, retention: &Retention) -> Result<()> {
    let days = |time: DurationMs| i64::try_from(time.0 / DAY_MS).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT OR REPLACE INTO retention (id, raw, minutes, frames, transaction_frames, decisions, events)
         VALUES (1, ?, ?, ?, ?, ?, ?)",
    )
    .bind(days(retention.raw))
    .bind(days(retention.minutes))
    .bind(days(retention.frames))
    .bind(days(retention.transaction_frames))
    .bind(days(retention.decisions))
    .bind(days(retention.events))
    .execute(conn)
    .await?;
    Ok(())
}
