//! Table `fact`: named texts that only their own part of the program understands.

use super::Result;
use domain::Fact;
use sqlx::SqliteConnection;

pub(crate) async fn set(conn: &mut SqliteConnection, fact: &Fact) -> Result<()> {
    let query = match &fact.value {
        None => sqlx::query("DELETE FROM fact WHERE subject = ? AND name = ?").bind(&fact.subject).bind(&fact.name),
        Some(value) => sqlx::query("INSERT OR REPLACE INTO fact (subject, name, value) VALUES (?, ?, ?)")
            .bind(&fact.subject)
            .bind(&fact.name)
            .bind(value),
    };
    query.execute(conn).await?;
    Ok(())
}

/// Forgets everything about a subject.
pub(crate) async fn remove(conn: &mut SqliteConnection, subject: &str) -> Result<()> {
    sqlx::query("DELETE FROM fact WHERE subject = ?").bind(subject).execute(conn).await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<Fact>> {
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("SELECT subject, name, value FROM fact ORDER BY subject, name").fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(subject, name, value)| Fact { subject, name, value: Some(value) }).collect())
}
