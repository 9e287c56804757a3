//! Writing a batch: one transaction, one statement for each table, newer rows never replaced.

use super::Cloud;
use super::connect::trouble;
use crate::{Batch, Reading, Row, Trouble};
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::collections::{BTreeMap, BTreeSet};

/// Columns of ours in every table of rows.
const OURS: [&str; 4] = ["site_id", "seq", "removed", "more"];

/// The tables as they are in the database.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    /// This computer; only it writes.
    pub(crate) writer: String,
    /// Columns and their types by table, without ours.
    columns: BTreeMap<String, BTreeMap<String, String>>,
}

pub(crate) fn failed(error: &sqlx::Error) -> Trouble {
    match error {
        sqlx::Error::Database(source) => match source.code().as_deref() {
            Some("42501") => trouble("rights", "The user may not write the tables; grant it", source),
            Some("53100") => trouble("full", "The disk of the server is full; free space there", source),
            Some("25006") => {
                trouble("read_only", "The server is read-only, such as a replica; use the main one", source)
            }
            Some("57P01" | "57P02" | "57P03") => trouble("lost", "The server stopped; tried again by itself", source),
            _ => trouble("refused", "The server refused the rows", source),
        },
        other => trouble("lost", "The connection to the server broke; tried again by itself", other),
    }
}

impl Tables {
    pub(crate) async fn read(conn: &mut PgConnection) -> Result<Self, Trouble> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
             WHERE table_schema = 'meshwatt'",
        )
        .fetch_all(conn)
        .await
        .map_err(|error| failed(&error))?;
        let mut columns: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (table, column, kind) in rows {
            let table = columns.entry(table).or_default();
            if !OURS.contains(&column.as_str()) {
                table.insert(column, kind);
            }
        }
        Ok(Self { writer: String::new(), columns })
    }

    pub(crate) fn columns(&self, table: &str) -> Option<&BTreeMap<String, String>> {
        self.columns.get(table)
    }
}

/// A name as SQL takes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Cloud {
    /// Writes everything or nothing.
    pub(crate) async fn write(&mut self, batch: &Batch) -> Result<(), Trouble> {
        let Self { conn, site, tables } = self;
        let mut at = conn.begin().await.map_err(|error| failed(&error))?;
        // What is taken out of the outbox must survive a crash of the server, however the server is set.
        sqlx::query("SET LOCAL synchronous_commit = on").execute(&mut *at).await.map_err(|error| failed(&error))?;
        let writer: Option<String> =
            sqlx::query_scalar("SELECT writer FROM meshwatt.link WHERE site_id = $1 FOR UPDATE")
                .bind(*site)
                .fetch_optional(&mut *at)
                .await
                .map_err(|error| failed(&error))?;
        if writer.as_deref() != Some(tables.writer.as_str()) {
            return Err(trouble(
                "other_computer",
                "Another computer took this building over; it is not sent from here any more",
                "",
            ));
        }
        let mut by_table: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &batch.rows {
            by_table.entry(&row.table).or_default().push(row);
        }
        for (table, rows) in by_table {
            let (sql, json) = upsert(tables, table, &rows)?;
            let query = sqlx::query(AssertSqlSafe(sql)).bind(*site).bind(json);
            query.execute(&mut *at).await.map_err(|error| failed(&error))?;
        }
        if !batch.readings.is_empty() {
            let (numbers, names): (Vec<i64>, Vec<String>) =
                batch.series.iter().map(|(number, name)| (*number, name.clone())).unzip();
            sqlx::query(
                "INSERT INTO meshwatt.series (site_id, series_id, name) SELECT $1, * FROM unnest($2::bigint[], $3::text[])
                 ON CONFLICT (site_id, series_id) DO UPDATE SET name = excluded.name WHERE series.name <> excluded.name",
            )
            .bind(*site)
            .bind(numbers)
            .bind(names)
            .execute(&mut *at)
            .await
            .map_err(|error| failed(&error))?;
            write_readings(&mut at, *site, &batch.newest_readings()).await.map_err(|error| failed(&error))?;
        }
        sqlx::query("UPDATE meshwatt.link SET cursor = $2, rows = rows + $3, at = now() WHERE site_id = $1")
            .bind(*site)
            .bind(batch.through)
            .bind(i64::try_from(batch.len()).unwrap_or(i64::MAX))
            .execute(&mut *at)
            .await
            .map_err(|error| failed(&error))?;
        at.commit().await.map_err(|error| failed(&error))
    }
}

async fn write_readings(
    conn: &mut PgConnection,
    site: sqlx::types::Uuid,
    readings: &[Reading],
) -> Result<(), sqlx::Error> {
    let column = |value: fn(&Reading) -> i64| readings.iter().map(value).collect::<Vec<i64>>();
    sqlx::query(
        "INSERT INTO meshwatt.reading (site_id, series_id, at, step_s, value, seq)
         SELECT $1, series_id, to_timestamp(at_ms::double precision / 1000), step_s, value, seq
         FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
             AS x(series_id, at_ms, step_s, value, seq)
         ON CONFLICT (site_id, series_id, at) DO UPDATE
             SET step_s = excluded.step_s, value = excluded.value, seq = excluded.seq
             WHERE reading.seq < excluded.seq",
    )
    .bind(site)
    .bind(column(|it| it.series))
    .bind(column(|it| it.at_ms))
    .bind(column(|it| it.step_ms / 1000))
    .bind(column(|it| it.value))
    .bind(column(|it| it.seq))
    .execute(conn)
    .await?;
    Ok(())
}

/// The statement for rows of one table, and the rows as one JSON text.
fn upsert(tables: &Tables, table: &str, rows: &[&Row]) -> Result<(String, String), Trouble> {
    let Some(columns) = tables.columns(table) else {
        return Err(trouble("format", format!("The cloud has no table {table}; run meshwatt cloud migrate"), ""));
    };
    let key: BTreeSet<&str> = rows.iter().flat_map(|row| row.key_columns.iter().map(String::as_str)).collect();
    let names: Vec<String> = columns.keys().map(|name| quoted(name)).collect();
    let names = names.join(", ");
    let types: Vec<String> = columns.iter().map(|(name, kind)| format!("{} {kind}", quoted(name))).collect();
    let key_names: Vec<String> = key.iter().map(|name| quoted(name)).collect();
    let mut sets: Vec<String> = vec!["seq = excluded.seq".to_owned(), "removed = excluded.removed".to_owned()];
    let others = columns.keys().map(String::as_str).filter(|name| !key.contains(name)).chain(["more"]);
    sets.extend(others.map(|name| format!("{0} = excluded.{0}", quoted(name))));
    let table = quoted(table);
    let sql = format!(
        "INSERT INTO meshwatt.{table} AS here (site_id, seq, removed, more, {names})
         SELECT $1, x.* FROM (SELECT seq, removed, more, {names} FROM jsonb_to_recordset($2::jsonb)
             AS r(seq bigint, removed boolean, more jsonb, {types})) AS x
         ON CONFLICT (site_id, {keys}) DO UPDATE SET {sets} WHERE here.seq < excluded.seq",
        types = types.join(", "),
        keys = key_names.join(", "),
        sets = sets.join(", "),
    );
    let bodies = rows.iter().map(|row| row_json(row, columns)).collect::<Result<Vec<Value>, Trouble>>()?;
    Ok((sql, Value::Array(bodies).to_string()))
}

/// A row with its number; columns without a place go into `more`.
fn row_json(row: &Row, columns: &BTreeMap<String, String>) -> Result<Value, Trouble> {
    let damaged = |error: serde_json::Error| trouble("outbox", "A row in the outbox is damaged", error);
    let mut known = Map::new();
    let mut more = Map::new();
    match &row.body {
        Some(body) => {
            for (name, value) in serde_json::from_str::<Map<String, Value>>(body).map_err(damaged)? {
                let value = without_nul(value);
                let _none =
                    if columns.contains_key(&name) { known.insert(name, value) } else { more.insert(name, value) };
            }
        }
        None => {
            let values: Vec<Value> = serde_json::from_str(&row.key).map_err(damaged)?;
            known.extend(row.key_columns.iter().cloned().zip(values));
        }
    }
    if !more.is_empty() {
        known.insert("more".to_owned(), Value::Object(more));
    }
    known.insert("seq".to_owned(), row.seq.into());
    known.insert("removed".to_owned(), row.body.is_none().into());
    Ok(Value::Object(known))
}

/// PostgreSQL has no NUL in texts.
pub(crate) fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "\u{fffd}")),
        other => other,
    }
}
