//! How the outbox is filled: triggers for rows, the writer for minutes of readings.

use super::catalogue::{Removal, TABLES, Table};
use super::sinks;
use crate::table::Result;
use sqlx::{AssertSqlSafe, SqliteConnection};
use std::collections::BTreeSet;

/// Numbers from here on are times; those of a fill are below.
pub(crate) const LIVE_FROM: i64 = 1_000_000_000_000_000;

/// The next number: microseconds since 1970, and always more than the last.
pub(crate) const NEXT: &str = "max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0) + 1, \
     CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000)";

const MINUTE_MS: i64 = 60_000;

/// Makes the triggers fit the sinks there are. Returns whether there is any sink.
pub(crate) async fn install(conn: &mut SqliteConnection) -> Result<bool> {
    let old: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'outbox_*'")
            .fetch_all(&mut *conn)
            .await?;
    for name in old {
        sqlx::query(AssertSqlSafe(format!("DROP TRIGGER {name}"))).execute(&mut *conn).await?;
    }
    let sinks = sinks::list(conn).await?;
    if sinks.is_empty() {
        return Ok(false);
    }
    let consents: BTreeSet<_> = sinks.iter().flat_map(|sink| sink.setup.consents.iter().copied()).collect();
    let consents: Vec<_> = consents.into_iter().collect();
    for table in TABLES.iter().filter(|table| table.leaves(&consents)) {
        for sql in triggers(table) {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *conn).await?;
        }
    }
    Ok(true)
}

fn triggers(table: &Table) -> Vec<String> {
    let event = |event: &str, row: &str| {
        let name = table.name;
        let key = json_key(table, row);
        // Not INSERT OR REPLACE: the conflict clause of the outer statement would win over that of the trigger.
        format!(
            "CREATE TRIGGER outbox_{name}_{event} AFTER {event} ON {name} BEGIN
                DELETE FROM outbox WHERE kind = '{name}' AND key = {key};
                INSERT INTO outbox (seq, kind, key) VALUES ({NEXT}, '{name}', {key});
             END"
        )
    };
    let mut all = vec![event("INSERT", "NEW"), event("UPDATE", "NEW")];
    if table.removal == Removal::Follows {
        all.push(event("DELETE", "OLD"));
    }
    all
}

/// SQL for the key of a row.
pub(crate) fn json_key(table: &Table, row: &str) -> String {
    let columns: Vec<String> = table.key.iter().map(|column| format!("{row}.{column}")).collect();
    format!("json_array({})", columns.join(", "))
}

/// Remembers minutes that got readings, and puts those that are over into the outbox.
pub(crate) async fn minutes_seen(conn: &mut SqliteConnection, times: impl Iterator<Item = i64>) -> Result<()> {
    let minutes: BTreeSet<i64> = times.map(|at| at.saturating_sub(at.rem_euclid(MINUTE_MS))).collect();
    for minute in &minutes {
        sqlx::query("INSERT OR IGNORE INTO open_minute (at_ms) VALUES (?)").bind(minute).execute(&mut *conn).await?;
    }
    // The newest may still get more; all others are over, or late.
    flush_where(conn, "at_ms < (SELECT max(at_ms) FROM open_minute)").await
}

/// Puts minutes that ended before a time into the outbox: when no reading follows, nothing else would.
pub(crate) async fn flush_minutes(conn: &mut SqliteConnection, before_ms: i64) -> Result<()> {
    let before = before_ms.saturating_sub(MINUTE_MS);
    flush_where(conn, &format!("at_ms < {before}")).await
}

async fn flush_where(conn: &mut SqliteConnection, which: &str) -> Result<()> {
    let over: Vec<i64> =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT at_ms FROM open_minute WHERE {which} ORDER BY at_ms")))
            .fetch_all(&mut *conn)
            .await?;
    for minute in over {
        put(conn, "minute", &format!("[{minute}]")).await?;
        sqlx::query("DELETE FROM open_minute WHERE at_ms = ?").bind(minute).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Puts one entry at the end.
pub(crate) async fn put(conn: &mut SqliteConnection, kind: &'static str, key: &str) -> Result<()> {
    sqlx::query("DELETE FROM outbox WHERE kind = ? AND key = ?").bind(kind).bind(key).execute(&mut *conn).await?;
    sqlx::query(AssertSqlSafe(format!("INSERT INTO outbox (seq, kind, key) VALUES ({NEXT}, ?, ?)")))
        .bind(kind)
        .bind(key)
        .execute(conn)
        .await?;
    Ok(())
}

/// What packing an hour did to means that were kept before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repacked {
    /// They are as they were; new ones may have been added.
    Unchanged,
    /// Some say something else now.
    Changed,
}

/// An hour of a series was packed: when minutes of it still wait, or were sent with other values, the packed hour goes
/// out for this series.
pub(crate) async fn repack(
    conn: &mut SqliteConnection,
    series: i64,
    (hour_ms, end_ms): (i64, i64),
    done: Repacked,
) -> Result<()> {
    let waits: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM outbox WHERE kind = 'minute' AND key ->> 0 >= ?1 AND key ->> 0 < ?2
         UNION ALL SELECT 1 FROM open_minute WHERE at_ms >= ?1 AND at_ms < ?2 LIMIT 1",
    )
    .bind(hour_ms)
    .bind(end_ms)
    .fetch_optional(&mut *conn)
    .await?;
    if waits.is_some() || done == Repacked::Changed {
        return put(conn, "chunk", &format!("[{series},{hour_ms},{end_ms}]")).await;
    }
    Ok(())
}

/// All hours before a time are packed: their minutes say nothing any more.
pub(crate) async fn minute_settled(conn: &mut SqliteConnection, before_ms: i64) -> Result<()> {
    sqlx::query("DELETE FROM outbox WHERE kind = 'minute' AND key ->> 0 < ?")
        .bind(before_ms)
        .execute(&mut *conn)
        .await?;
    sqlx::query("DELETE FROM open_minute WHERE at_ms < ?").bind(before_ms).execute(conn).await?;
    Ok(())
}
