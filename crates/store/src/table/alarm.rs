//! Table `alarm`.

use super::{Result, bad};
use crate::page::{Key, Keyed};
use crate::{AlarmFilter, List, Page};
use domain::{Alarm, AlarmKind, ChargerId, CircuitId, MeterId, Timestamp};
use sqlx::{QueryBuilder, SqliteConnection};

fn words(kind: &AlarmKind) -> (&'static str, &str) {
    match kind {
        AlarmKind::MeterSilent(id) => ("meter_silent", id.as_str()),
        AlarmKind::NoMeter => ("no_meter", ""),
        AlarmKind::ChargerOffline(id) => ("charger_offline", id.as_str()),
        AlarmKind::ChargerFaulted(id) => ("charger_faulted", id.as_str()),
        AlarmKind::ChargerDisobeys(id) => ("charger_disobeys", id.as_str()),
        AlarmKind::OverLimit(id) => ("over_limit", id.as_str()),
        AlarmKind::PlanRejected => ("plan_rejected", ""),
        AlarmKind::FallbackDoesNotFit(id) => ("fallback_does_not_fit", id.as_str()),
        AlarmKind::WaitsForApproval(device) => ("waits_for_approval", device),
        AlarmKind::StorageFailing => ("storage_failing", ""),
        AlarmKind::BrokerRestarted => ("broker_restarted", ""),
    }
}

fn kind_of(kind: &str, subject: String) -> Result<AlarmKind> {
    let charger = |text: String| ChargerId::new(text).map_err(|error| bad("alarm", error));
    Ok(match kind {
        "meter_silent" => AlarmKind::MeterSilent(MeterId::new(subject).map_err(|error| bad("alarm", error))?),
        "no_meter" => AlarmKind::NoMeter,
        "charger_offline" => AlarmKind::ChargerOffline(charger(subject)?),
        "charger_faulted" => AlarmKind::ChargerFaulted(charger(subject)?),
        "charger_disobeys" => AlarmKind::ChargerDisobeys(charger(subject)?),
        "over_limit" => AlarmKind::OverLimit(CircuitId::new(subject).map_err(|error| bad("alarm", error))?),
        "plan_rejected" => AlarmKind::PlanRejected,
        "fallback_does_not_fit" => AlarmKind::FallbackDoesNotFit(charger(subject)?),
        "waits_for_approval" => AlarmKind::WaitsForApproval(subject),
        "storage_failing" => AlarmKind::StorageFailing,
        "broker_restarted" => AlarmKind::BrokerRestarted,
        other => return Err(bad("alarm", format_args!("unknown word {other:?}"))),
    })
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    kind: String,
    subject: String,
    raised_at_ms: i64,
    cleared_at_ms: Option<i64>,
}

impl Keyed for Row {
    fn key(&self) -> Key {
        Key { at_ms: self.raised_at_ms, id: self.id }
    }
}

impl TryFrom<Row> for Alarm {
    type Error = crate::StoreError;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            kind: kind_of(&row.kind, row.subject)?,
            raised_at: Timestamp(row.raised_at_ms),
            cleared_at: row.cleared_at_ms.map(Timestamp),
        })
    }
}

pub(crate) async fn upsert(conn: &mut SqliteConnection, alarm: &Alarm) -> Result<()> {
    let (kind, subject) = words(&alarm.kind);
    sqlx::query(
        "INSERT INTO alarm (kind, subject, raised_at_ms, cleared_at_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (kind, subject, raised_at_ms) DO UPDATE SET cleared_at_ms = excluded.cleared_at_ms",
    )
    .bind(kind)
    .bind(subject)
    .bind(alarm.raised_at.0)
    .bind(alarm.cleared_at.map(|at| at.0))
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection, filter: AlarmFilter, page: &Page) -> Result<List<Alarm>> {
    let mut query = QueryBuilder::new("SELECT * FROM alarm WHERE 1");
    match filter {
        AlarmFilter::All => {}
        AlarmFilter::Open => {
            query.push(" AND cleared_at_ms IS NULL");
        }
    }
    page.finish(&mut query, "raised_at_ms")?;
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    page.list(rows, Alarm::try_from)
}

/// Alarms that last, oldest first.
pub(crate) async fn list_open(conn: &mut SqliteConnection) -> Result<Vec<Alarm>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM alarm WHERE cleared_at_ms IS NULL ORDER BY raised_at_ms, id")
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Alarm::try_from).collect()
}

/// Removes alarms that were cleared before a time, some at once.
pub(crate) async fn remove_before(conn: &mut SqliteConnection, before: Timestamp, rows_max: i64) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM alarm WHERE id IN
             (SELECT id FROM alarm WHERE raised_at_ms < ?1 AND cleared_at_ms < ?1 ORDER BY raised_at_ms LIMIT ?2)",
    )
    .bind(before.0)
    .bind(rows_max)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
