//! Reading a site back: to restore it on a new computer.

use super::Cloud;
use super::connect::Settings;
use super::write::{failed, quoted};
use crate::Trouble;
use sqlx::AssertSqlSafe;

/// A site in the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSite {
    /// Identity, 32 hexadecimal digits.
    pub id: String,
    /// Name.
    pub name: String,
    /// Computer that sends for it.
    pub computer: String,
    /// When it last sent, as text.
    pub at: String,
    /// Rows it sent.
    pub rows: i64,
}

/// A row in the cloud: key as a JSON array, row as a JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteRow {
    /// Number of the change that brought it.
    pub seq: i64,
    /// The row.
    pub body: String,
}

/// Sites in the database.
///
/// # Errors
/// As [`super::test`].
pub(crate) async fn sites(settings: &Settings, password: &str) -> Result<Vec<RemoteSite>, Trouble> {
    let mut cloud = Cloud::look(settings, password, &"0".repeat(32)).await?;
    let rows: Vec<(String, Option<String>, String, String, i64)> = sqlx::query_as(
        "SELECT replace(link.site_id::text, '-', ''), coalesce(site.name, link.name), writer_name, at::text, rows
         FROM meshwatt.link LEFT JOIN meshwatt.site ON site.site_id = link.site_id ORDER BY 2, 1",
    )
    .fetch_all(&mut cloud.conn)
    .await
    .map_err(|error| failed(&error))?;
    let site = |(id, name, computer, at, rows): (String, Option<String>, String, String, i64)| RemoteSite {
        id,
        name: name.unwrap_or_default(),
        computer,
        at,
        rows,
    };
    Ok(rows.into_iter().map(site).collect())
}

impl Cloud {
    /// Sites in the database.
    ///
    /// # Errors
    /// As [`super::test`].
    pub async fn sites(settings: &Settings, password: &str) -> Result<Vec<RemoteSite>, Trouble> {
        sites(settings, password).await
    }

    /// Rows of a table that are not removed, some at once, in the order of their keys; `after` is the last row before.
    ///
    /// # Errors
    /// When the connection breaks or there is no such table.
    pub async fn rows(
        &mut self,
        table: &str,
        key_columns: &[&str],
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<RemoteRow>, Trouble> {
        let keys: Vec<String> = key_columns.iter().map(|name| format!("here.{}", quoted(name))).collect();
        let columns = self.tables.columns(table);
        let types = key_columns.iter().map(|name| {
            let kind = columns.and_then(|columns| columns.get(*name)).map_or("text", String::as_str);
            format!("($2::jsonb ->> '{name}')::{kind}")
        });
        let (keys, types): (String, Vec<String>) = (keys.join(", "), types.collect());
        let sql = format!(
            "SELECT seq, (to_jsonb(here) - '{{site_id,seq,removed,more}}'::text[] || coalesce(more, '{{}}'))::text
             FROM meshwatt.{} AS here
             WHERE site_id = $1 AND NOT removed AND ($2::jsonb IS NULL OR ({keys}) > ({})) ORDER BY {keys} LIMIT $3",
            quoted(table),
            types.join(", "),
        );
        let rows: Vec<(i64, String)> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(self.site)
            .bind(after)
            .bind(limit)
            .fetch_all(&mut self.conn)
            .await
            .map_err(|error| failed(&error))?;
        Ok(rows.into_iter().map(|(seq, body)| RemoteRow { seq, body }).collect())
    }

    /// Readings of all series in a period: series name, milliseconds since 1970, step in milliseconds, value.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn readings(&mut self, from_ms: i64, to_ms: i64) -> Result<Vec<(String, i64, i64, i64)>, Trouble> {
        sqlx::query_as(
            "SELECT name, (extract(epoch FROM at) * 1000)::bigint, step_s::bigint * 1000, value
             FROM meshwatt.reading JOIN meshwatt.series USING (site_id, series_id)
             WHERE site_id = $1 AND at >= to_timestamp($2::double precision / 1000)
               AND at < to_timestamp($3::double precision / 1000) ORDER BY name, at",
        )
        .bind(self.site)
        .bind(from_ms)
        .bind(to_ms)
        .fetch_all(&mut self.conn)
        .await
        .map_err(|error| failed(&error))
    }

    /// The highest number the site ever sent.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn newest(&mut self) -> Result<i64, Trouble> {
        let found: Option<i64> = sqlx::query_scalar("SELECT cursor FROM meshwatt.link WHERE site_id = $1")
            .bind(self.site)
            .fetch_optional(&mut self.conn)
            .await
            .map_err(|error| failed(&error))?;
        Ok(found.unwrap_or(0))
    }

    /// First and last time there are readings of, in milliseconds since 1970.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn readings_span(&mut self) -> Result<Option<(i64, i64)>, Trouble> {
        let span: (Option<i64>, Option<i64>) = sqlx::query_as(
            "SELECT (extract(epoch FROM min(at)) * 1000)::bigint, (extract(epoch FROM max(at)) * 1000)::bigint
             FROM meshwatt.reading WHERE site_id = $1",
        )
        .bind(self.site)
        .fetch_one(&mut self.conn)
        .await
        .map_err(|error| failed(&error))?;
        Ok(span.0.zip(span.1))
    }
}
