//! Table `decision`: why a connector got what it got.

use super::{Result, bad, from_json, to_json};
use crate::page::{Key, Keyed};
use crate::{List, Page};
use domain::{ChargerId, ConnectorNumber, Decision, MilliAmps, Timestamp};
use sqlx::{QueryBuilder, SqliteConnection};

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    charger: String,
    connector: u16,
    at_ms: i64,
    limit_ma: u32,
    sentence: String,
    reason: Option<String>,
    known: Option<String>,
}

impl Keyed for Row {
    fn key(&self) -> Key {
        Key { at_ms: self.at_ms, id: self.id }
    }
}

impl TryFrom<Row> for Decision {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            charger: ChargerId::new(row.charger).map_err(|error| bad("decision", error))?,
            connector: ConnectorNumber(row.connector),
            at: Timestamp(row.at_ms),
            limit: MilliAmps(row.limit_ma),
            sentence: row.sentence,
            reason: row.reason,
            known: row.known.as_deref().map(|text| from_json("decision", text)).transpose()?,
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, decision: &Decision) -> Result<()> {
    sqlx::query(
        "INSERT INTO decision (charger, connector, at_ms, limit_ma, sentence, reason, known) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (charger, at_ms, connector) DO UPDATE SET limit_ma = excluded.limit_ma, sentence = excluded.sentence,
             reason = excluded.reason, known = excluded.known",
    )
    .bind(decision.charger.as_str())
    .bind(decision.connector.0)
    .bind(decision.at.0)
    .bind(decision.limit.0)
    .bind(&decision.sentence)
    .bind(&decision.reason)
    .bind(decision.known.as_ref().map(to_json))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn list(
    conn: &mut SqliteConnection,
    charger: Option<&ChargerId>,
    page: &Page,
) -> Result<List<Decision>> {
    let mut query = QueryBuilder::new("SELECT * FROM decision WHERE 1");
    if let Some(charger) = charger {
        query.push(" AND charger = ").push_bind(charger.as_str().to_owned());
    }
    page.finish(&mut query, "at_ms")?;
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    page.list(rows, Decision::try_from)
}

/// Removes the decisions before a time, some at once.
pub(crate) async fn remove_before(conn: &mut SqliteConnection, before: Timestamp, rows_max: i64) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE at_ms < ? ORDER BY at_ms LIMIT ?)",
    )
    .bind(before.0)
    .bind(rows_max)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
