//! Tables of the statements: `document`, `obstacle_decision`, `closed_month`, `statement`, `delivery`.

use crate::statements::{
    ClosedMonth, ClosedStatement, Delivery, NamedDocument, ObstacleDecision, Result, StatementRecord,
};
use crate::table::bad;
use domain::{TenantId, Timestamp};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

pub(crate) async fn write(conn: &mut SqliteConnection, record: &StatementRecord) -> Result<()> {
    match record {
        StatementRecord::Document(document) => document_add(conn, document).await,
        StatementRecord::Decision(decision) => decision_set(conn, decision).await,
        StatementRecord::Close(month, statements) => close(conn, month, statements).await,
        StatementRecord::Delivery(delivery) => delivery_add(conn, delivery).await,
    }
}

async fn document_add(conn: &mut SqliteConnection, document: &NamedDocument) -> Result<()> {
    sqlx::query("INSERT INTO document (name, at_ms, text) VALUES (?, ?, ?)")
        .bind(&document.name)
        .bind(document.at.0)
        .bind(&document.text)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn document_newest(conn: &mut SqliteConnection, name: &str) -> Result<Option<NamedDocument>> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT at_ms, text FROM document WHERE name = ? ORDER BY id DESC LIMIT 1")
            .bind(name)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|(at_ms, text)| NamedDocument { name: name.to_owned(), at: Timestamp(at_ms), text }))
}

async fn decision_set(conn: &mut SqliteConnection, decision: &ObstacleDecision) -> Result<()> {
    let query = if decision.reason.is_empty() {
        sqlx::query("DELETE FROM obstacle_decision WHERE month = ? AND key = ?")
            .bind(&decision.month)
            .bind(&decision.key)
    } else {
        sqlx::query("INSERT OR REPLACE INTO obstacle_decision (month, key, reason, at_ms) VALUES (?, ?, ?, ?)")
            .bind(&decision.month)
            .bind(&decision.key)
            .bind(&decision.reason)
            .bind(decision.at.0)
    };
    query.execute(conn).await?;
    Ok(())
}

pub(crate) async fn decision_list(conn: &mut SqliteConnection, month: &str) -> Result<BTreeMap<String, String>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT key, reason FROM obstacle_decision WHERE month = ?").bind(month).fetch_all(conn).await?;
    Ok(rows.into_iter().collect())
}

async fn close(conn: &mut SqliteConnection, month: &ClosedMonth, statements: &[ClosedStatement]) -> Result<()> {
    sqlx::query(
        "INSERT INTO closed_month (month, closed_at_ms, from_ms, to_ms, tariff, fingerprint) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&month.month)
    .bind(month.closed_at.0)
    .bind(month.from.0)
    .bind(month.to.0)
    .bind(&month.tariff)
    .bind(&month.fingerprint)
    .execute(&mut *conn)
    .await?;
    for one in statements {
        // A number that is taken or leaves a gap was computed on a chain that grew meanwhile.
        let last: Option<i64> = sqlx::query_scalar("SELECT max(number) FROM statement").fetch_one(&mut *conn).await?;
        if one.number != last.unwrap_or(0).saturating_add(1) {
            return Err(bad("statement", "another month was closed meanwhile; close this one again"));
        }
        sqlx::query(
            "INSERT INTO statement (number, month, tenant, kind, text, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(one.number)
        .bind(&one.month)
        .bind(&one.tenant)
        .bind(&one.kind)
        .bind(&one.text)
        .bind(&one.previous)
        .bind(&one.hash)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

pub(crate) async fn closed_list(conn: &mut SqliteConnection) -> Result<Vec<ClosedMonth>> {
    let rows: Vec<(String, i64, i64, i64, String, String)> = sqlx::query_as(
        "SELECT month, closed_at_ms, from_ms, to_ms, tariff, fingerprint FROM closed_month ORDER BY month",
    )
    .fetch_all(conn)
    .await?;
    let month = |(month, closed, from, to, tariff, fingerprint)| ClosedMonth {
        month,
        closed_at: Timestamp(closed),
        from: Timestamp(from),
        to: Timestamp(to),
        tariff,
        fingerprint,
    };
    Ok(rows.into_iter().map(month).collect())
}

#[derive(sqlx::FromRow)]
struct Row {
    number: i64,
    month: String,
    tenant: Option<String>,
    kind: String,
    text: String,
    previous: String,
    hash: String,
}

impl From<Row> for ClosedStatement {
    fn from(row: Row) -> Self {
        let Row { number, month, tenant, kind, text, previous, hash } = row;
        Self { number, month, tenant, kind, text, previous, hash }
    }
}

/// In the order of the chain, some at once, from a number on.
pub(crate) async fn chain(conn: &mut SqliteConnection, from: i64, limit: u32) -> Result<Vec<ClosedStatement>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM statement WHERE number >= ? ORDER BY number LIMIT ?")
        .bind(from)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(ClosedStatement::from).collect())
}

pub(crate) async fn of_month(conn: &mut SqliteConnection, month: &str) -> Result<Vec<ClosedStatement>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM statement WHERE month = ? ORDER BY number").bind(month).fetch_all(conn).await?;
    Ok(rows.into_iter().map(ClosedStatement::from).collect())
}

pub(crate) async fn last(conn: &mut SqliteConnection) -> Result<Option<(i64, String)>> {
    Ok(sqlx::query_as("SELECT number, hash FROM statement ORDER BY number DESC LIMIT 1").fetch_optional(conn).await?)
}

async fn delivery_add(conn: &mut SqliteConnection, delivery: &Delivery) -> Result<()> {
    sqlx::query("INSERT INTO delivery (month, tenant, at_ms, sent, detail) VALUES (?, ?, ?, ?, ?)")
        .bind(&delivery.month)
        .bind(delivery.tenant.0)
        .bind(delivery.at.0)
        .bind(delivery.sent)
        .bind(&delivery.detail)
        .execute(conn)
        .await?;
    Ok(())
}

/// Newest first.
pub(crate) async fn delivery_list(conn: &mut SqliteConnection, month: &str) -> Result<Vec<Delivery>> {
    let rows: Vec<(i64, i64, bool, String)> =
        sqlx::query_as("SELECT tenant, at_ms, sent, detail FROM delivery WHERE month = ? ORDER BY id DESC")
            .bind(month)
            .fetch_all(conn)
            .await?;
    let delivery = |(tenant, at_ms, sent, detail)| Delivery {
        month: month.to_owned(),
        tenant: TenantId(tenant),
        at: Timestamp(at_ms),
        sent,
        detail,
    };
    Ok(rows.into_iter().map(delivery).collect())
}
