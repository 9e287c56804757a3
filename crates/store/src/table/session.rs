//! Table `session`.

use super::{Result, bad, to_i64, to_u64, words};
use crate::page::{Key, Keyed};
use crate::{List, OwnerFilter, Page, SessionFilter, TracedSession};
use domain::{
    CardUid, ChargerId, ConnectorNumber, EndReason, Provenance, Session, SessionId, TenantId, Timestamp, WattHours,
};
use sqlx::{QueryBuilder, SqliteConnection};

words!(provenance_word, provenance_of, "session", Provenance {
    Provenance::Measured => "measured",
    Provenance::ReceivedLate => "received_late",
    Provenance::ClockCorrected => "clock_corrected",
    Provenance::Estimated => "estimated",
    Provenance::Corrected => "corrected",
});
words!(end_word, end_of, "session", EndReason {
    EndReason::Card => "card",
    EndReason::Manager => "manager",
    EndReason::Unplugged => "unplugged",
    EndReason::PowerLoss => "power_loss",
    EndReason::Charger => "charger",
    EndReason::Lost => "lost",
});

#[derive(sqlx::FromRow)]
struct Row {
    id: i32,
    charger: String,
    connector: u16,
    card: Option<String>,
    tenant: Option<i64>,
    started_at_ms: i64,
    ended_at_ms: Option<i64>,
    meter_start_wh: i64,
    meter_last_wh: i64,
    energy_wh: i64,
    provenance: String,
    end_reason: Option<String>,
}

impl Keyed for Row {
    fn key(&self) -> Key {
        Key { at_ms: self.started_at_ms, id: i64::from(self.id) }
    }
}

impl TryFrom<Row> for Session {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        let energy = |value| to_u64("session", value).map(WattHours);
        Ok(Self {
            id: SessionId(row.id),
            charger: ChargerId::new(row.charger).map_err(|error| bad("session", error))?,
            connector: ConnectorNumber(row.connector),
            card: row.card.map(CardUid::new).transpose().map_err(|error| bad("session", error))?,
            tenant: row.tenant.map(TenantId),
            started_at: Timestamp(row.started_at_ms),
            ended_at: row.ended_at_ms.map(Timestamp),
            meter_start: energy(row.meter_start_wh)?,
            meter_last: energy(row.meter_last_wh)?,
            energy: energy(row.energy_wh)?,
            provenance: provenance_of(&row.provenance)?,
            end_reason: row.end_reason.as_deref().map(end_of).transpose()?,
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, session: &Session) -> Result<()> {
    sqlx::query(
        "INSERT OR REPLACE INTO session (id, charger, connector, card, tenant, started_at_ms, ended_at_ms, meter_start_wh,
             meter_last_wh, energy_wh, provenance, end_reason)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(session.id.0)
    .bind(session.charger.as_str())
    .bind(session.connector.0)
    .bind(session.card.as_ref().map(CardUid::as_str))
    .bind(session.tenant.map(|tenant| tenant.0))
    .bind(session.started_at.0)
    .bind(session.ended_at.map(|at| at.0))
    .bind(to_i64(session.meter_start.0))
    .bind(to_i64(session.meter_last.0))
    .bind(to_i64(session.energy.0))
    .bind(provenance_word(session.provenance))
    .bind(session.end_reason.map(end_word))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn get(conn: &mut SqliteConnection, id: SessionId) -> Result<Option<Session>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM session WHERE id = ?").bind(id.0).fetch_optional(conn).await?;
    row.map(Session::try_from).transpose()
}

pub(crate) async fn list(conn: &mut SqliteConnection, filter: &SessionFilter, page: &Page) -> Result<List<Session>> {
    let mut query = QueryBuilder::new("SELECT * FROM session WHERE 1");
    if let Some(from) = filter.from {
        query.push(" AND started_at_ms >= ").push_bind(from.0);
    }
    if let Some(to) = filter.to {
        query.push(" AND started_at_ms < ").push_bind(to.0);
    }
    if let Some(tenant) = filter.tenant {
        query.push(" AND tenant = ").push_bind(tenant.0);
    }
    if let Some(charger) = &filter.charger {
        query.push(" AND charger = ").push_bind(charger.as_str().to_owned());
    }
    match filter.owner {
        OwnerFilter::Anyone => {}
        OwnerFilter::Nobody => {
            query.push(" AND tenant IS NULL");
        }
    }
    if let Some(provenance) = filter.provenance {
        query.push(" AND provenance = ").push_bind(provenance_word(provenance));
    }
    if let Some(text) = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        search(&mut query, text);
    }
    page.finish(&mut query, "started_at_ms")?;
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    page.list(rows, Session::try_from)
}

/// A session and its packed trace.
#[derive(sqlx::FromRow)]
struct TracedRow {
    #[sqlx(flatten)]
    row: Row,
    bytes: Option<Vec<u8>>,
}

/// Sessions that touch a period, oldest first, with their traces. A session that ended before it began counts at its
/// beginning.
pub(crate) async fn list_traced(
    conn: &mut SqliteConnection,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<TracedSession>> {
    let rows: Vec<TracedRow> = sqlx::query_as(
        "SELECT session.*, bytes FROM session LEFT JOIN session_trace ON session_trace.session = session.id
         WHERE +started_at_ms < ?2 AND (ended_at_ms IS NULL OR ended_at_ms >= ?1 OR started_at_ms >= ?1)
         ORDER BY started_at_ms, id",
    )
    .bind(from.0)
    .bind(to.0)
    .fetch_all(conn)
    .await?;
    let traced = |traced: TracedRow| {
        let points = super::session_trace::unpack(traced.bytes.as_deref())?;
        let energy = |(at, wh): (i64, i64)| Ok((Timestamp(at), WattHours(to_u64("session_trace", wh)?)));
        let trace = points.into_iter().map(energy).collect::<Result<_>>()?;
        Ok(TracedSession { session: Session::try_from(traced.row)?, trace })
    };
    rows.into_iter().map(traced).collect()
}

/// Count and sums over what a statement is made of; two sets of sessions that differ have different ones.
pub(crate) async fn fingerprint(conn: &mut SqliteConnection, from: Timestamp, to: Timestamp) -> Result<String> {
    // Weighted sums: any one figure that changes changes a sum, and two changes cannot well cancel each other out.
    let row: (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*),
             ifnull(sum((energy_wh * 1009 + ifnull(tenant, -1) * 31 + id) % 1000003 * (id % 9973 + 1)), 0),
             ifnull(sum((started_at_ms / 1000 * 3 + ifnull(ended_at_ms, 0) / 1000) % 1000003 * (id % 9967 + 1)), 0)
         FROM session
         WHERE +started_at_ms < ?2 AND (ended_at_ms IS NULL OR ended_at_ms >= ?1 OR started_at_ms >= ?1)",
    )
    .bind(from.0)
    .bind(to.0)
    .fetch_one(conn)
    .await?;
    Ok(format!("{}-{}-{}", row.0, row.1, row.2))
}

/// Start of the first session with energy; `None` when there is none.
pub(crate) async fn first_start(conn: &mut SqliteConnection) -> Result<Option<Timestamp>> {
    let at: Option<i64> =
        sqlx::query_scalar("SELECT min(started_at_ms) FROM session WHERE energy_wh > 0").fetch_one(conn).await?;
    Ok(at.map(Timestamp))
}

/// Number, card, charger, tenant or flat; letters of ASCII in any case.
fn search(query: &mut QueryBuilder<sqlx::Sqlite>, text: &str) {
    let like = format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    let card = text.replace([' ', ':', '-'], "");
    let card = if card.is_empty() { like.clone() } else { format!("%{card}%") };
    query
        .push(" AND (CAST(id AS TEXT) = ")
        .push_bind(text.to_owned())
        .push(" OR card LIKE ")
        .push_bind(card)
        .push(" OR charger LIKE ")
        .push_bind(like.clone())
        .push(" ESCAPE '\\' OR charger IN (SELECT id FROM charger WHERE name LIKE ")
        .push_bind(like.clone())
        .push(" ESCAPE '\\') OR tenant IN (SELECT tenant FROM person WHERE name LIKE ")
        .push_bind(like.clone())
        .push(" ESCAPE '\\' OR unit LIKE ")
        .push_bind(like)
        .push(" ESCAPE '\\'))");
}

/// Sessions that run, oldest first.
pub(crate) async fn list_open(conn: &mut SqliteConnection) -> Result<Vec<Session>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM session WHERE ended_at_ms IS NULL ORDER BY started_at_ms, id")
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Session::try_from).collect()
}

/// Sessions that ended at or after a time, oldest first.
pub(crate) async fn list_ended_since(conn: &mut SqliteConnection, since: Timestamp) -> Result<Vec<Session>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM session WHERE ended_at_ms >= ? ORDER BY started_at_ms, id")
        .bind(since.0)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Session::try_from).collect()
}

/// Highest number ever given; sessions are never removed.
pub(crate) async fn last_id(conn: &mut SqliteConnection) -> Result<SessionId> {
    let last: Option<i32> = sqlx::query_scalar("SELECT max(id) FROM session").fetch_one(conn).await?;
    Ok(SessionId(last.unwrap_or(0)))
}
