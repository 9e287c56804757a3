//! Table `wish`: what tenants need from sessions that run.

use super::{Result, to_i64, to_u64};
use domain::{SessionId, Timestamp, WattHours, Wish};
use sqlx::SqliteConnection;

pub(crate) async fn set(conn: &mut SqliteConnection, session: SessionId, wish: Option<Wish>) -> Result<()> {
    let query = match wish {
        None => sqlx::query("DELETE FROM wish WHERE session = ?").bind(session.0),
        Some(wish) => sqlx::query("INSERT OR REPLACE INTO wish (session, energy_wh, by_ms) VALUES (?, ?, ?)")
            .bind(session.0)
            .bind(to_i64(wish.energy.0))
            .bind(wish.by.0),
    };
    query.execute(conn).await?;
    Ok(())
}

/// Wishes of sessions that run.
pub(crate) async fn list_open(conn: &mut SqliteConnection) -> Result<Vec<(SessionId, Wish)>> {
    let rows: Vec<(i32, i64, i64)> = sqlx::query_as(
        "SELECT wish.session, wish.energy_wh, wish.by_ms FROM wish JOIN session ON session.id = wish.session
         WHERE session.ended_at_ms IS NULL ORDER BY wish.session",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(session, energy, by)| {
            let wish = Wish { energy: WattHours(to_u64("wish", energy)?), by: Timestamp(by) };
            Ok((SessionId(session), wish))
        })
        .collect()
}
