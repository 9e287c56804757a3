//! Table `secret`: hashes of passwords and device credentials, by name.

use super::Result;
use sqlx::SqliteConnection;

pub(crate) async fn set(conn: &mut SqliteConnection, name: &str, value: Option<&str>) -> Result<()> {
    let query = match value {
        Some(value) => sqlx::query("INSERT OR REPLACE INTO secret (name, value) VALUES (?, ?)").bind(name).bind(value),
        None => sqlx::query("DELETE FROM secret WHERE name = ?").bind(name),
    };
    query.execute(conn).await?;
    Ok(())
}

pub(crate) async fn get(conn: &mut SqliteConnection, name: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT value FROM secret WHERE name = ?").bind(name).fetch_optional(conn).await?)
}

pub(crate) async fn names(conn: &mut SqliteConnection, prefix: &str) -> Result<Vec<String>> {
    let all: Vec<String> = sqlx::query_scalar("SELECT name FROM secret ORDER BY name").fetch_all(conn).await?;
    Ok(all.into_iter().filter(|name| name.starts_with(prefix)).collect())
}
