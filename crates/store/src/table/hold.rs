//! Table `hold`: what the manager ordered for a charger.

use super::{Result, bad};
use domain::{ChargerId, Hold, MilliAmps};
use sqlx::SqliteConnection;

pub(crate) async fn set(conn: &mut SqliteConnection, charger: &ChargerId, hold: Option<Hold>) -> Result<()> {
    let query = match hold {
        None => sqlx::query("DELETE FROM hold WHERE charger = ?").bind(charger.as_str()),
        Some(hold) => sqlx::query("INSERT OR REPLACE INTO hold (charger, limit_ma) VALUES (?, ?)")
            .bind(charger.as_str())
            .bind(match hold {
                Hold::Paused => None,
                Hold::LimitedTo(limit) => Some(limit.0),
            }),
    };
    query.execute(conn).await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<(ChargerId, Hold)>> {
    let rows: Vec<(String, Option<u32>)> =
        sqlx::query_as("SELECT charger, limit_ma FROM hold ORDER BY charger").fetch_all(conn).await?;
    rows.into_iter()
        .map(|(charger, limit)| {
            let id = ChargerId::new(charger).map_err(|error| bad("hold", error))?;
            Ok((id, limit.map_or(Hold::Paused, |limit| Hold::LimitedTo(MilliAmps(limit)))))
        })
        .collect()
}
