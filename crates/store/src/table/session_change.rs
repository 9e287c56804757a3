//! Table `session_change`: what people changed about sessions.

use super::session::{provenance_of, provenance_word};
use super::{Result, to_i64, to_u64};
use domain::{SessionChange, SessionFigures, SessionId, TenantId, Timestamp, WattHours};
use sqlx::SqliteConnection;

#[derive(sqlx::FromRow)]
struct Row {
    session: i32,
    at_ms: i64,
    reason: String,
    before_tenant: Option<i64>,
    before_started_at_ms: i64,
    before_ended_at_ms: Option<i64>,
    before_energy_wh: i64,
    before_provenance: String,
    after_tenant: Option<i64>,
    after_started_at_ms: i64,
    after_ended_at_ms: Option<i64>,
    after_energy_wh: i64,
    after_provenance: String,
}

impl TryFrom<Row> for SessionChange {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            session: SessionId(row.session),
            at: Timestamp(row.at_ms),
            reason: row.reason,
            before: SessionFigures {
                tenant: row.before_tenant.map(TenantId),
                started_at: Timestamp(row.before_started_at_ms),
                ended_at: row.before_ended_at_ms.map(Timestamp),
                energy: WattHours(to_u64("session_change", row.before_energy_wh)?),
                provenance: provenance_of(&row.before_provenance)?,
            },
            after: SessionFigures {
                tenant: row.after_tenant.map(TenantId),
                started_at: Timestamp(row.after_started_at_ms),
                ended_at: row.after_ended_at_ms.map(Timestamp),
                energy: WattHours(to_u64("session_change", row.after_energy_wh)?),
                provenance: provenance_of(&row.after_provenance)?,
            },
        })
    }
}

pub(crate) async fn insert(conn: &mut SqliteConnection, change: &SessionChange) -> Result<()> {
    let mut query = sqlx::query(
        "INSERT INTO session_change (session, at_ms, reason, before_tenant, before_started_at_ms, before_ended_at_ms,
             before_energy_wh, before_provenance, after_tenant, after_started_at_ms, after_ended_at_ms, after_energy_wh,
             after_provenance)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(change.session.0)
    .bind(change.at.0)
    .bind(&change.reason);
    for figures in [&change.before, &change.after] {
        query = query
            .bind(figures.tenant.map(|tenant| tenant.0))
            .bind(figures.started_at.0)
            .bind(figures.ended_at.map(|at| at.0))
            .bind(to_i64(figures.energy.0))
            .bind(provenance_word(figures.provenance));
    }
    query.execute(conn).await?;
    Ok(())
}

/// The changes of a session, oldest first.
pub(crate) async fn list(conn: &mut SqliteConnection, session: SessionId) -> Result<Vec<SessionChange>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM session_change WHERE session = ? ORDER BY at_ms, id")
        .bind(session.0)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(SessionChange::try_from).collect()
}
