//! Table `status_change`: how the states of chargers and connectors changed.

use super::{Result, bad};
use domain::{ChargerId, ConnectorNumber, ConnectorStatus, ReportedState, StatusChange, Timestamp};
use sqlx::SqliteConnection;

/// Changes of one charger in one answer: a charger that flaps all day makes a few thousand.
const CHANGES_MAX: i64 = 5000;

#[derive(sqlx::FromRow)]
struct Row {
    charger: String,
    connector: u16,
    at_ms: i64,
    state: String,
    error: String,
}

super::words!(status_word, status_of, "status_change", ConnectorStatus {
    ConnectorStatus::Available => "available",
    ConnectorStatus::Preparing => "preparing",
    ConnectorStatus::Charging => "charging",
    ConnectorStatus::SuspendedEv => "suspended_ev",
    ConnectorStatus::SuspendedEvse => "suspended_evse",
    ConnectorStatus::Finishing => "finishing",
    ConnectorStatus::Reserved => "reserved",
    ConnectorStatus::Unavailable => "unavailable",
    ConnectorStatus::Faulted => "faulted",
    ConnectorStatus::Unknown => "unknown",
});

const fn word(state: ReportedState) -> &'static str {
    match state {
        ReportedState::Online => "online",
        ReportedState::Offline => "offline",
        ReportedState::Status(status) => status_word(status),
    }
}

fn state(word: &str) -> Result<ReportedState> {
    match word {
        "online" => Ok(ReportedState::Online),
        "offline" => Ok(ReportedState::Offline),
        word => status_of(word).map(ReportedState::Status),
    }
}

impl TryFrom<Row> for StatusChange {
    type Error = crate::StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            charger: ChargerId::new(row.charger).map_err(|error| bad("status_change", error))?,
            connector: (row.connector > 0).then_some(ConnectorNumber(row.connector)),
            at: Timestamp(row.at_ms),
            state: state(&row.state)?,
            error: row.error,
        })
    }
}

pub(crate) async fn insert(conn: &mut SqliteConnection, change: &StatusChange) -> Result<()> {
    sqlx::query(
        "INSERT INTO status_change (charger, connector, at_ms, state, error) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(change.charger.as_str())
    .bind(change.connector.map_or(0, |number| number.0))
    .bind(change.at.0)
    .bind(word(change.state))
    .bind(&change.error)
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes of a charger in a span, oldest first, and before them the last change of each connector before the span.
pub(crate) async fn list(
    conn: &mut SqliteConnection,
    charger: &ChargerId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<StatusChange>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT charger, connector, max(at_ms) AS at_ms, state, error FROM status_change
            WHERE charger = ?1 AND at_ms < ?2 GROUP BY connector
         UNION ALL SELECT * FROM (SELECT charger, connector, at_ms, state, error FROM status_change
            WHERE charger = ?1 AND at_ms >= ?2 AND at_ms < ?3 ORDER BY at_ms, id LIMIT ?4)",
    )
    .bind(charger.as_str())
    .bind(from.0)
    .bind(to.0)
    .bind(CHANGES_MAX)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(StatusChange::try_from).collect()
}

/// Removes the changes before a time, some at once.
pub(crate) async fn remove_before(conn: &mut SqliteConnection, before: Timestamp, rows_max: i64) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM status_change WHERE id IN (SELECT id FROM status_change WHERE at_ms < ? ORDER BY at_ms LIMIT ?)",
    )
    .bind(before.0)
    .bind(rows_max)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
