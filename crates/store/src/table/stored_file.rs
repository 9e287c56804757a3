//! Table `stored_file`: files from and for chargers; their bytes are on the disk.

use super::{Result, bad, to_i64, to_u64};
use domain::{ChargerId, FileKind, StoredFile, Timestamp};
use sqlx::SqliteConnection;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    firmware: bool,
    charger: Option<String>,
    name: String,
    bytes: Option<i64>,
    sha256: String,
    at_ms: i64,
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, file: &StoredFile) -> Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO stored_file (id, firmware, charger, name, bytes, sha256, at_ms) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&file.id)
    .bind(file.kind == FileKind::Firmware)
    .bind(file.charger.as_ref().map(ChargerId::as_str))
    .bind(&file.name)
    .bind(file.bytes.map(to_i64))
    .bind(&file.sha256)
    .bind(file.at.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn remove(conn: &mut SqliteConnection, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM stored_file WHERE id = ?").bind(id).execute(conn).await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<StoredFile>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM stored_file ORDER BY at_ms DESC, id").fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            let charger = row.charger.map(ChargerId::new).transpose().map_err(|error| bad("stored_file", error))?;
            Ok(StoredFile {
                id: row.id,
                kind: if row.firmware { FileKind::Firmware } else { FileKind::Upload },
                charger,
                name: row.name,
                bytes: row.bytes.map(|bytes| to_u64("stored_file", bytes)).transpose()?,
                sha256: row.sha256,
                at: Timestamp(row.at_ms),
            })
        })
        .collect()
}
