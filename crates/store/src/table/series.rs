//! Table `series`: short numbers for long names.

use super::{Result, bad};
use crate::maintenance::Mean;
use domain::Series;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// Number of a series in this file.
pub(crate) type SeriesNumber = i64;

/// Numbers already looked up. Forget it after a rollback: numbers given out in that transaction do not exist.
#[derive(Debug, Default)]
pub(crate) struct SeriesNumbers {
    known: BTreeMap<Series, SeriesNumber>,
}

impl SeriesNumbers {
    /// The number of a series; gives it one when it has none.
    pub(crate) async fn number(&mut self, conn: &mut SqliteConnection, series: &Series) -> Result<SeriesNumber> {
        if self.known.is_empty() {
            // After a start all are wanted within seconds; one statement is a hundred times faster than one for each.
            self.look_up_all(conn).await?;
        }
        if let Some(number) = self.known.get(series) {
            return Ok(*number);
        }
        let number = sqlx::query_scalar("INSERT INTO series (name) VALUES (?) RETURNING id")
            .bind(series.to_string())
            .fetch_one(conn)
            .await?;
        self.known.insert(series.clone(), number);
        Ok(number)
    }

    async fn look_up_all(&mut self, conn: &mut SqliteConnection) -> Result<()> {
        let rows: Vec<(SeriesNumber, String)> = sqlx::query_as("SELECT id, name FROM series").fetch_all(conn).await?;
        // A name this program cannot read is one it never writes.
        self.known.extend(rows.into_iter().filter_map(|(number, name)| Some((name.parse().ok()?, number))));
        Ok(())
    }

    /// Forgets everything looked up.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }
}

/// The number of a series, if it ever had a value.
pub(crate) async fn find(conn: &mut SqliteConnection, series: &Series) -> Result<Option<SeriesNumber>> {
    let name = series.to_string();
    Ok(sqlx::query_scalar("SELECT id FROM series WHERE name = ?").bind(name).fetch_optional(conn).await?)
}

pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<Series>> {
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM series ORDER BY name").fetch_all(conn).await?;
    names.iter().map(|name| name.parse().map_err(|error| bad("series", error))).collect()
}

/// Series with a raw value before a time that waits to be packed, with that value's time; some at once.
pub(crate) async fn list_waiting(
    conn: &mut SqliteConnection,
    before_ms: i64,
    rows_max: i64,
) -> Result<Vec<(SeriesNumber, i64)>> {
    let rows = sqlx::query_as(
        "SELECT id, first_ms FROM
             (SELECT id, (SELECT min(at_ms) FROM reading WHERE series = series.id) AS first_ms FROM series)
         WHERE first_ms < ? LIMIT ?",
    )
    .bind(before_ms)
    .bind(rows_max)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// How values of a series become one; a name this program does not know is averaged.
pub(crate) async fn mean(conn: &mut SqliteConnection, number: SeriesNumber) -> Result<Mean> {
    let name: String = sqlx::query_scalar("SELECT name FROM series WHERE id = ?").bind(number).fetch_one(conn).await?;
    Ok(name.parse::<Series>().map_or(Mean::Average, |series| Mean::of(series.quantity)))
}
