//! Row by row: what is here against what is there.

use super::Cloud;
use super::write::{failed, quoted, without_nul};
use crate::Trouble;
use serde_json::{Map, Value};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// How a row differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is here only.
    Missing,
    /// It is there only.
    Extra,
    /// Here and there it says different things.
    Different,
}

/// A row that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its table.
    pub table: String,
    /// Its key, a JSON array.
    pub key: String,
    /// How it differs.
    pub kind: Kind,
    /// Names of the columns that do.
    pub columns: Vec<String>,
}

/// A reading in the cloud: milliseconds since 1970 and value.
pub type RemoteReading = (i64, i64);

/// Which readings of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Means of a minute, and values as measured.
    Fine,
    /// Means of a quarter-hour.
    Quarter,
}

impl Cloud {
    /// Compares rows of a table with those of the same keys in the cloud. `key_columns` as of the rows; rows are key and
    /// body, both JSON.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn compare(
        &mut self,
        table: &str,
        key_columns: &[&str],
        rows: &[(String, String)],
    ) -> Result<Vec<Difference>, Trouble> {
        let columns = self.tables.columns(table);
        let kinds = key_columns.iter().enumerate().map(|(i, name)| {
            let kind = columns.and_then(|columns| columns.get(*name)).map_or("text", String::as_str);
            format!("here.{} = (k ->> {i})::{kind}", quoted(name))
        });
        let on: Vec<String> = kinds.collect();
        let sql = format!(
            "SELECT k::text, (to_jsonb(here) - '{{site_id,seq,removed,more}}'::text[] || coalesce(more, '{{}}'))::text
             FROM jsonb_array_elements($2::jsonb) AS k JOIN meshwatt.{} AS here ON here.site_id = $1 AND {} AND NOT removed",
            quoted(table),
            on.join(" AND "),
        );
        let keys: Vec<&str> = rows.iter().map(|(key, _)| key.as_str()).collect();
        let found: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(self.site)
            .bind(format!("[{}]", keys.join(",")))
            .fetch_all(&mut self.conn)
            .await
            .map_err(|error| failed(&error))?;
        let found: BTreeMap<String, Map<String, Value>> =
            found.into_iter().map(|(key, body)| (normal(&key), object(&body))).collect();
        let mut differences = Vec::new();
        for (key, body) in rows {
            let (kind, columns) = match found.get(&normal(key)) {
                None => (Kind::Missing, Vec::new()),
                Some(there) => (Kind::Different, unequal(&object(body), there)),
            };
            if kind == Kind::Missing || !columns.is_empty() {
                differences.push(Difference { table: table.to_owned(), key: key.clone(), kind, columns });
            }
        }
        Ok(differences)
    }

    /// How many rows of a table the cloud has.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn count(&mut self, table: &str) -> Result<i64, Trouble> {
        let sql = format!("SELECT count(*) FROM meshwatt.{} WHERE site_id = $1 AND NOT removed", quoted(table));
        sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(self.site)
            .fetch_one(&mut self.conn)
            .await
            .map_err(|error| failed(&error))
    }

    /// Readings of one series in a period, from its first millisecond to before its last.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn series_readings(
        &mut self,
        series: i64,
        step: Step,
        (from_ms, to_ms): (i64, i64),
    ) -> Result<Vec<RemoteReading>, Trouble> {
        sqlx::query_as(
            "SELECT (extract(epoch FROM at) * 1000)::bigint, value FROM meshwatt.reading
             WHERE site_id = $1 AND series_id = $2 AND (step_s = 900) = $5 AND at >= to_timestamp($3::double precision / 1000)
               AND at < to_timestamp($4::double precision / 1000) ORDER BY at",
        )
        .bind(self.site)
        .bind(series)
        .bind(from_ms)
        .bind(to_ms)
        .bind(step == Step::Quarter)
        .fetch_all(&mut self.conn)
        .await
        .map_err(|error| failed(&error))
    }
}

/// The same JSON always as the same text.
fn normal(json: &str) -> String {
    serde_json::from_str::<Value>(json).map_or_else(|_unreadable| json.to_owned(), |value| value.to_string())
}

fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Columns that say different things; absent is the same as null, and SQLite has no booleans.
fn unequal(here: &Map<String, Value>, there: &Map<String, Value>) -> Vec<String> {
    let plain = |value: Option<&Value>| match value.cloned().map(without_nul) {
        None | Some(Value::Null) => Value::Null,
        Some(Value::Bool(value)) => Value::from(i64::from(value)),
        Some(value) => value,
    };
    let names = here.keys().chain(there.keys().filter(|name| !here.contains_key(*name)));
    names.filter(|name| plain(here.get(*name)) != plain(there.get(*name))).cloned().collect()
}
