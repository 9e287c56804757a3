//! Table `certificate`: what our authority issued to chargers.

use super::{Result, bad};
use domain::{ChargerId, IssuedCertificate, Timestamp};
use sqlx::SqliteConnection;

#[derive(sqlx::FromRow)]
struct Row {
    serial: String,
    charger: String,
    pem: String,
    issued_at_ms: i64,
    expires_at_ms: i64,
    revoked_at_ms: Option<i64>,
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, certificate: &IssuedCertificate) -> Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO certificate (serial, charger, pem, issued_at_ms, expires_at_ms, revoked_at_ms) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&certificate.serial)
    .bind(certificate.charger.as_str())
    .bind(&certificate.pem)
    .bind(certificate.issued_at.0)
    .bind(certificate.expires_at.0)
    .bind(certificate.revoked_at.map(|at| at.0))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<IssuedCertificate>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM certificate ORDER BY serial").fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            Ok(IssuedCertificate {
                serial: row.serial,
                charger: ChargerId::new(row.charger).map_err(|error| bad("certificate", error))?,
                pem: row.pem,
                issued_at: Timestamp(row.issued_at_ms),
                expires_at: Timestamp(row.expires_at_ms),
                revoked_at: row.revoked_at_ms.map(Timestamp),
            })
        })
        .collect()
}
