//! Table `hardware`: what chargers said about themselves.

use super::{Result, bad};
use domain::{ChargerId, HardwareInfo};
use sqlx::SqliteConnection;

#[derive(sqlx::FromRow)]
struct Row {
    charger: String,
    vendor: String,
    model: String,
    firmware: String,
    serial: String,
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, charger: &ChargerId, info: &HardwareInfo) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO hardware (charger, vendor, model, firmware, serial) VALUES (?, ?, ?, ?, ?)")
        .bind(charger.as_str())
        .bind(&info.vendor)
        .bind(&info.model)
        .bind(&info.firmware)
        .bind(&info.serial)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn remove(conn: &mut SqliteConnection, charger: &ChargerId) -> Result<()> {
    sqlx::query("DELETE FROM hardware WHERE charger = ?").bind(charger.as_str()).execute(conn).await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<(ChargerId, HardwareInfo)>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM hardware ORDER BY charger").fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            let id = ChargerId::new(row.charger).map_err(|error| bad("hardware", error))?;
            Ok((id, HardwareInfo { vendor: row.vendor, model: row.model, firmware: row.firmware, serial: row.serial }))
        })
        .collect()
}
