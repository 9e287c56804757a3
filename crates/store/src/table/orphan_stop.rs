//! Table `orphan_stop`: session ends that fit no session.

use super::session::{provenance_of, provenance_word};
use super::{Result, bad, to_i64, to_u64, words};
use crate::page::{Key, Keyed};
use crate::{KeptOrphan, List, OrphanFilter, Page};
use domain::{
    CardUid, ChargerId, OrphanDecision, OrphanFate, OrphanStop, SessionId, SessionRef, StopReason, StopRequest,
    Timestamp, WattHours,
};
use sqlx::{QueryBuilder, SqliteConnection};

words!(reason_word, reason_of, "orphan_stop", StopReason {
    StopReason::Local => "local",
    StopReason::Remote => "remote",
    StopReason::EvDisconnected => "ev_disconnected",
    StopReason::PowerLoss => "power_loss",
    StopReason::Other => "other",
});

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    charger: String,
    session: Option<i32>,
    card: Option<String>,
    at_ms: i64,
    meter_wh: i64,
    reason: String,
    provenance: String,
    decided_at_ms: Option<i64>,
    decided_session: Option<i32>,
    decided_reason: Option<String>,
}

impl Keyed for Row {
    fn key(&self) -> Key {
        Key { at_ms: self.at_ms, id: self.id }
    }
}

impl TryFrom<Row> for OrphanStop {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            charger: ChargerId::new(row.charger).map_err(|error| bad("orphan_stop", error))?,
            request: StopRequest {
                session: row.session.map_or(SessionRef::Unknown, |id| SessionRef::Known(SessionId(id))),
                card: row.card.map(CardUid::new).transpose().map_err(|error| bad("orphan_stop", error))?,
                at: Timestamp(row.at_ms),
                meter: WattHours(to_u64("orphan_stop", row.meter_wh)?),
                reason: reason_of(&row.reason)?,
                provenance: provenance_of(&row.provenance)?,
            },
        })
    }
}

pub(crate) async fn insert(conn: &mut SqliteConnection, stop: &OrphanStop) -> Result<()> {
    sqlx::query(
        "INSERT INTO orphan_stop (charger, session, card, at_ms, meter_wh, reason, provenance) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(stop.charger.as_str())
    .bind(match stop.request.session {
        SessionRef::Known(id) => Some(id.0),
        SessionRef::Unknown => None,
    })
    .bind(stop.request.card.as_ref().map(CardUid::as_str))
    .bind(stop.request.at.0)
    .bind(to_i64(stop.request.meter.0))
    .bind(reason_word(stop.request.reason))
    .bind(provenance_word(stop.request.provenance))
    .execute(conn)
    .await?;
    Ok(())
}

/// Of a period, oldest first, those nobody decided about.
pub(crate) async fn list_between(
    conn: &mut SqliteConnection,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<OrphanStop>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM orphan_stop WHERE at_ms >= ? AND at_ms < ? AND decided_at_ms IS NULL ORDER BY at_ms, id",
    )
    .bind(from.0)
    .bind(to.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(OrphanStop::try_from).collect()
}

impl TryFrom<Row> for KeptOrphan {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        let decision = row.decided_at_ms.map(|at_ms| OrphanDecision {
            orphan: row.id,
            at: Timestamp(at_ms),
            fate: row.decided_session.map_or(OrphanFate::Dismissed, |id| OrphanFate::Assigned(SessionId(id))),
            reason: row.decided_reason.clone().unwrap_or_default(),
        });
        Ok(Self { id: row.id, decision, stop: OrphanStop::try_from(row)? })
    }
}

pub(crate) async fn decide(conn: &mut SqliteConnection, decision: &OrphanDecision) -> Result<()> {
    sqlx::query("UPDATE orphan_stop SET decided_at_ms = ?, decided_session = ?, decided_reason = ? WHERE id = ?")
        .bind(decision.at.0)
        .bind(match decision.fate {
            OrphanFate::Assigned(session) => Some(session.0),
            OrphanFate::Dismissed => None,
        })
        .bind(&decision.reason)
        .bind(decision.orphan)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection, filter: OrphanFilter, page: &Page) -> Result<List<KeptOrphan>> {
    let mut query = QueryBuilder::new("SELECT * FROM orphan_stop WHERE 1");
    match filter {
        OrphanFilter::All => {}
        OrphanFilter::Open => {
            query.push(" AND decided_at_ms IS NULL");
        }
    }
    page.finish(&mut query, "at_ms")?;
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    page.list(rows, KeptOrphan::try_from)
}

pub(crate) async fn get(conn: &mut SqliteConnection, id: i64) -> Result<Option<KeptOrphan>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM orphan_stop WHERE id = ?").bind(id).fetch_optional(conn).await?;
    row.map(KeptOrphan::try_from).transpose()
}
