//! Rows from a cloud back into the tables they came from.

use super::catalogue::table;
use super::feed::LIVE_FROM;
use crate::table::{Result, bad};
use sqlx::{AssertSqlSafe, SqliteConnection};

/// Rows without these columns would be of no use, because what identifies them stayed at home.
const NEEDED: &[(&str, &str)] = &[("card", "uid"), ("refused_card", "uid"), ("fact", "value"), ("document", "text")];

/// Writes rows (JSON objects) of a table; those that are there are replaced. Gives how many could be written.
pub(crate) async fn restore(conn: &mut SqliteConnection, name: &str, bodies: &[String]) -> Result<u64> {
    let table = table(name).ok_or_else(|| bad("outbox", format_args!("no table {name}")))?;
    let info: Vec<(String, String, bool)> = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT name, type, \"notnull\" FROM pragma_table_info('{}')",
        table.name
    )))
    .fetch_all(&mut *conn)
    .await?;
    // What stayed at home is empty here where the table wants something.
    let value = |(column, kind, needed): &(String, String, bool)| match (kind.as_str(), needed) {
        ("BLOB", _) => format!("unhex(value ->> '{column}')"),
        ("INTEGER", true) => format!("ifnull(value ->> '{column}', 0)"),
        (_, true) => format!("ifnull(value ->> '{column}', '')"),
        (_, false) => format!("value ->> '{column}'"),
    };
    let columns: Vec<&str> = info.iter().map(|(column, ..)| column.as_str()).collect();
    let values: Vec<String> = info.iter().map(value).collect();
    let needed: Vec<String> = NEEDED
        .iter()
        .filter(|(of, _)| *of == table.name)
        .map(|(_, column)| format!(" AND value ->> '{column}' IS NOT NULL"))
        .collect();
    let sql = format!(
        "INSERT OR REPLACE INTO {} ({}) SELECT {} FROM json_each(?) WHERE true{}",
        table.name,
        columns.join(", "),
        values.join(", "),
        needed.concat(),
    );
    let json = format!("[{}]", bodies.join(","));
    let done = sqlx::query(AssertSqlSafe(sql)).bind(json).execute(conn).await?;
    Ok(done.rows_affected())
}

/// This file goes on as a site of a cloud, with numbers above everything it ever sent.
pub(crate) async fn adopt(conn: &mut SqliteConnection, site: &str, above: i64) -> Result<()> {
    sqlx::query("UPDATE site_key SET site = ?").bind(site).execute(&mut *conn).await?;
    sqlx::query("INSERT INTO outbox (seq, kind, key) VALUES (?, 'adopted', '[]')")
        .bind(above.max(LIVE_FROM).saturating_add(1))
        .execute(&mut *conn)
        .await?;
    sqlx::query("DELETE FROM outbox WHERE kind = 'adopted'").execute(conn).await?;
    Ok(())
}
