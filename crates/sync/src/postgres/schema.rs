//! The format of the tables: numbered, each step in one transaction, refused when it is not this program's.

use super::connect::trouble;
use super::write::failed;
use crate::Trouble;
use sqlx::{Connection as _, PgConnection};

/// The steps; the format is their count.
const STEPS: &[&str] = &[include_str!("migrations/0001_tables.sql"), include_str!("migrations/0002_views.sql")];

/// Format of the tables this program writes.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a handful of steps")]
pub const FORMAT: i32 = STEPS.len() as i32;

/// A lock of ours for the whole database, so that two sites do not make the tables at once: "meshwatt" in ASCII.
const LOCK: i64 = 0x6d65_7368_7761_7474;

/// Format of the tables; `None` when there are none. The user may write them.
pub(crate) async fn format(conn: &mut PgConnection, user: &str) -> Result<Option<i32>, Trouble> {
    // The catalogue may be read without rights on the schema.
    let made: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE nspname = 'meshwatt' AND relname = 'format')",
    )
    .fetch_one(&mut *conn)
    .await
    .map_err(|error| failed(&error))?;
    if !made {
        return Ok(None);
    }
    check_rights(conn, user).await?;
    sqlx::query_scalar("SELECT max(format) FROM meshwatt.format").fetch_one(conn).await.map_err(|error| failed(&error))
}

/// Whether the tables have this program's format.
pub(crate) fn check_format(found: Option<i32>) -> Result<(), Trouble> {
    match found {
        Some(found) if found == FORMAT => Ok(()),
        Some(found) if found > FORMAT => Err(trouble(
            "format",
            format!(
                "The tables in the cloud have format {found}, this program knows up to {FORMAT}; update Meshwatt here"
            ),
            "",
        )),
        Some(found) => Err(trouble(
            "format",
            format!(
                "The tables in the cloud have format {found}, this program needs {FORMAT}; press Prepare tables, or run \
                 meshwatt cloud migrate. Sites with an older Meshwatt stop sending until they are updated, and lose nothing"
            ),
            "",
        )),
        None => Err(trouble(
            "format",
            "There are no tables in the database yet; press Prepare tables, or run meshwatt cloud migrate",
            "",
        )),
    }
}

/// Whether the user may write the tables.
async fn check_rights(conn: &mut PgConnection, user: &str) -> Result<(), Trouble> {
    let may: bool = sqlx::query_scalar(
        "SELECT has_schema_privilege('meshwatt', 'USAGE') AND coalesce(bool_and(
             has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
             AND has_table_privilege(c.oid, 'UPDATE')), true)
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = 'meshwatt' AND c.relkind IN ('r', 'p')",
    )
    .fetch_one(conn)
    .await
    .map_err(|error| failed(&error))?;
    if may {
        return Ok(());
    }
    let sentence = format!(
        "{user} may not write the tables; let an administrator run: GRANT USAGE ON SCHEMA meshwatt TO {user}; \
         GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA meshwatt TO {user}"
    );
    Err(trouble("rights", sentence, ""))
}

/// Makes or updates the tables.
pub(crate) async fn migrate(conn: &mut PgConnection) -> Result<i32, Trouble> {
    let mut at = conn.begin().await.map_err(|error| failed(&error))?;
    let done: Result<i32, sqlx::Error> = async {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *at).await?;
        sqlx::raw_sql(
            "CREATE SCHEMA IF NOT EXISTS meshwatt;
             CREATE TABLE IF NOT EXISTS meshwatt.format (format integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
        )
        .execute(&mut *at)
        .await?;
        let found: Option<i32> =
            sqlx::query_scalar("SELECT max(format) FROM meshwatt.format").fetch_one(&mut *at).await?;
        let mut format = found.unwrap_or(0);
        for step in STEPS.iter().skip(usize::try_from(format).unwrap_or(0)) {
            sqlx::raw_sql(*step).execute(&mut *at).await?;
            format += 1;
            sqlx::query("INSERT INTO meshwatt.format (format) VALUES ($1)").bind(format).execute(&mut *at).await?;
        }
        Ok(format)
    }
    .await;
    let format = done.map_err(|error| failed(&error))?;
    if format > FORMAT {
        return check_format(Some(format)).map(|()| format);
    }
    at.commit().await.map_err(|error| failed(&error))?;
    Ok(format)
}
