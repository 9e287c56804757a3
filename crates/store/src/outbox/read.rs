//! What a sink gets: the entries after its cursor, each with its row as it is now.

use super::catalogue::{Removal, TABLES, Table, table};
use super::sinks::{Resolution, Sink};
use crate::maintenance::{Mean, means};
use crate::series_codec::Point;
use crate::table::reading_chunk::{self, Resolution as Chunk};
use crate::table::{Result, bad, reading, series};
use sqlx::{AssertSqlSafe, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

/// Entries looked at for one batch.
const ENTRIES_MAX: i64 = 2000;

/// Readings in one batch; a day of minutes of one series more at the most.
const READINGS_MAX: usize = 20_000;

const MINUTE_MS: i64 = 60_000;

const DAY_MS: i64 = 86_400_000;

/// A row that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number in the outbox.
    pub seq: i64,
    /// Its table.
    pub table: &'static str,
    /// Names of the columns of its key.
    pub key_columns: &'static [&'static str],
    /// Values of its key, a JSON array.
    pub key: String,
    /// The row, a JSON object with what may leave, key included; `None` when it was removed.
    pub body: Option<String>,
}

/// A reading, or the mean of some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxReading {
    /// Number in the outbox of what it came with.
    pub seq: i64,
    /// Number of its series.
    pub series: i64,
    /// Beginning of its minute or quarter-hour, or its moment; milliseconds since 1970.
    pub at_ms: i64,
    /// What it is a mean over, in milliseconds; 0 for a raw value.
    pub step_ms: i64,
    /// The value in the unit of its series.
    pub value: i64,
}

/// Entries in their order, with what they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxBatch {
    /// Number of the last entry; the cursor once everything has arrived.
    pub through: i64,
    /// Rows in the order of their numbers.
    pub rows: Vec<OutboxRow>,
    /// Readings in the order of their numbers.
    pub readings: Vec<OutboxReading>,
    /// Names of the series in it, by number.
    pub series: BTreeMap<i64, String>,
}

/// Some rows of a table, to compare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowPage {
    /// Key and body, both JSON, in the order of the keys.
    pub rows: Vec<(String, String)>,
    /// Whether there are no more.
    pub is_last: bool,
}

/// The next entries for a sink.
pub(crate) async fn batch(conn: &mut SqliteConnection, sink: &Sink) -> Result<OutboxBatch> {
    let entries: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT seq, kind, key FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?")
            .bind(sink.cursor)
            .bind(ENTRIES_MAX)
            .fetch_all(&mut *conn)
            .await?;
    let mut batch = OutboxBatch { through: sink.cursor, ..OutboxBatch::default() };
    let mut kinds = BTreeSet::new();
    let mut expand = Expand::new(sink.setup.resolution);
    for (seq, kind, key) in entries {
        match kind.as_str() {
            "minute" | "chunk" | "quarters" => expand.entry(conn, &mut batch.readings, seq, &kind, &key).await?,
            _ => {
                kinds.insert(kind);
            }
        }
        batch.through = seq;
        if batch.readings.len() >= READINGS_MAX {
            break;
        }
    }
    for kind in &kinds {
        // A kind of a newer program, after a downgrade: its rows are sent again by the newer one's fill.
        let Some(table) = table(kind) else { continue };
        if table.leaves(&sink.setup.consents) {
            rows(conn, sink, table, batch.through, &mut batch.rows).await?;
        }
    }
    batch.rows.sort_by_key(|row| row.seq);
    let used: BTreeSet<i64> = batch.readings.iter().map(|reading| reading.series).collect();
    batch.series = names(conn).await?.into_iter().filter(|(number, _)| used.contains(number)).collect();
    Ok(batch)
}

async fn names(conn: &mut SqliteConnection) -> Result<BTreeMap<i64, String>> {
    let rows: Vec<(i64, String)> = sqlx::query_as("SELECT id, name FROM series").fetch_all(conn).await?;
    Ok(rows.into_iter().collect())
}

/// SQL that makes a row's JSON object.
fn json_body(table: &Table, sink: &Sink) -> String {
    let mut parts: Vec<String> = table.key.iter().map(|column| format!("'{column}', t.{column}")).collect();
    for column in table.leaving(&sink.setup.consents) {
        // JSON has no bytes.
        let value = if table.name == "session_trace" { format!("hex(t.{column})") } else { format!("t.{column}") };
        parts.push(format!("'{column}', {value}"));
    }
    format!("json_object({})", parts.join(", "))
}

async fn rows(
    conn: &mut SqliteConnection,
    sink: &Sink,
    table: &'static Table,
    through: i64,
    into: &mut Vec<OutboxRow>,
) -> Result<()> {
    let body = json_body(table, sink);
    let on: Vec<String> =
        table.key.iter().enumerate().map(|(i, column)| format!("t.{column} = o.key ->> {i}")).collect();
    let (on, first, name) = (on.join(" AND "), table.key.first().copied().unwrap_or_default(), table.name);
    let sql = format!(
        "SELECT o.seq, o.key, CASE WHEN t.{first} IS NULL THEN NULL ELSE {body} END
         FROM outbox AS o LEFT JOIN {name} AS t ON {on}
         WHERE o.seq > ? AND o.seq <= ? AND +o.kind = '{name}' ORDER BY o.seq"
    );
    let found: Vec<(i64, String, Option<String>)> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(sink.cursor).bind(through).fetch_all(conn).await?;
    for (seq, key, body) in found {
        if body.is_some() || table.removal == Removal::Follows {
            into.push(OutboxRow { seq, table: table.name, key_columns: table.key, key, body });
        }
    }
    Ok(())
}

/// Turns entries of readings into readings.
struct Expand {
    resolution: Resolution,
    means: BTreeMap<i64, Mean>,
}

impl Expand {
    const fn new(resolution: Resolution) -> Self {
        Self { resolution, means: BTreeMap::new() }
    }

    async fn entry(
        &mut self,
        conn: &mut SqliteConnection,
        into: &mut Vec<OutboxReading>,
        seq: i64,
        kind: &str,
        key: &str,
    ) -> Result<()> {
        let numbers: Vec<i64> = serde_json::from_str(key).map_err(|error| bad("outbox", error))?;
        let mut add = |series: i64, step_ms: i64, points: &mut dyn Iterator<Item = Point>| {
            into.extend(points.map(|(at_ms, value)| OutboxReading { seq, series, at_ms, step_ms, value }));
        };
        match (kind, numbers.as_slice()) {
            ("minute", [minute]) => {
                for (series, points) in self.minute(conn, *minute).await? {
                    let step = if self.resolution == Resolution::Raw { 0 } else { MINUTE_MS };
                    add(series, step, &mut points.into_iter());
                }
            }
            ("chunk", [series, from, to]) => {
                let (chunk, step) = match self.resolution {
                    Resolution::Minutes => (Chunk::Minute, MINUTE_MS),
                    Resolution::Raw => (Chunk::Raw, 0),
                };
                let points = reading_chunk::list(conn, *series, chunk, *from, *to).await?;
                add(*series, step, &mut points.into_iter());
            }
            ("quarters", [series, from, to]) => {
                let points = quarters(conn, *series, *from, *to).await?;
                add(*series, Chunk::Quarter.step_ms(), &mut points.into_iter());
            }
            _ => return Err(bad("outbox", format_args!("unknown entry {kind} {key}"))),
        }
        Ok(())
    }

    /// The values of a minute that are not packed yet, by series.
    async fn minute(&mut self, conn: &mut SqliteConnection, minute: i64) -> Result<BTreeMap<i64, Vec<Point>>> {
        let end = minute.saturating_add(MINUTE_MS);
        let waiting: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT series.id, at_ms, value FROM series CROSS JOIN reading
             ON reading.series = series.id AND at_ms >= ? AND at_ms < ? ORDER BY series.id, at_ms",
        )
        .bind(minute)
        .bind(end)
        .fetch_all(&mut *conn)
        .await?;
        let mut by_series: BTreeMap<i64, BTreeMap<i64, i64>> = BTreeMap::new();
        for (number, at, value) in waiting {
            by_series.entry(number).or_default().insert(at, value);
        }
        let mut values = BTreeMap::new();
        for (number, late) in by_series {
            let points = self.completed(conn, number, minute, late).await?;
            values.insert(number, points);
        }
        Ok(values)
    }

    /// The values of a minute of one series of which some are not packed yet.
    async fn completed(
        &mut self,
        conn: &mut SqliteConnection,
        number: i64,
        minute: i64,
        late: BTreeMap<i64, i64>,
    ) -> Result<Vec<Point>> {
        let end = minute.saturating_add(MINUTE_MS);
        // Values that came after their hour was packed are only part of the minute.
        let packed = reading_chunk::list(conn, number, Chunk::Raw, minute, end).await?;
        if packed.is_empty() && self.resolution == Resolution::Minutes {
            let kept = reading_chunk::list(conn, number, Chunk::Minute, minute, end).await?;
            if !kept.is_empty() {
                // The mean that is kept knows more than what came late: its raw values are gone, or were never here.
                return Ok(kept);
            }
        }
        let mut all: BTreeMap<i64, i64> = packed.into_iter().collect();
        all.extend(late);
        let points: Vec<Point> = all.into_iter().collect();
        Ok(match self.resolution {
            Resolution::Raw => points,
            Resolution::Minutes => means(&points, MINUTE_MS, self.mean(conn, number).await?).into_iter().collect(),
        })
    }

    async fn mean(&mut self, conn: &mut SqliteConnection, number: i64) -> Result<Mean> {
        if let Some(mean) = self.means.get(&number) {
            return Ok(*mean);
        }
        let mean = series::mean(conn, number).await?;
        self.means.insert(number, mean);
        Ok(mean)
    }
}

/// A table that leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxTable {
    /// Its name.
    pub name: &'static str,
    /// Names of the columns of its key.
    pub key: &'static [&'static str],
    /// Whether a row that goes here is removed at the other end; else the other end keeps what is old.
    pub follows: bool,
}

impl OutboxTable {
    fn of(table: &Table) -> Self {
        Self { name: table.name, key: table.key, follows: table.removal == Removal::Follows }
    }
}

/// The tables that may leave to a sink.
pub(crate) fn table_list(sink: &Sink) -> Vec<OutboxTable> {
    TABLES.iter().filter(|table| table.leaves(&sink.setup.consents)).map(OutboxTable::of).collect()
}

/// The tables that can leave.
pub(crate) fn all_tables() -> Vec<OutboxTable> {
    TABLES.iter().map(OutboxTable::of).collect()
}

/// Rows of a table as a sink would get them, from the one after `after` (a key) on.
pub(crate) async fn row_page(
    conn: &mut SqliteConnection,
    sink: &Sink,
    name: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<RowPage> {
    let table = table(name).ok_or_else(|| bad("outbox", format_args!("no table {name}")))?;
    let body = json_body(table, sink);
    let key = super::feed::json_key(table, "t");
    let columns: Vec<String> = table.key.iter().map(|column| format!("t.{column}")).collect();
    let places: Vec<String> = (0..table.key.len()).map(|i| format!("?1 ->> {i}")).collect();
    let (columns, places) = (columns.join(", "), places.join(", "));
    let sql = format!(
        "SELECT {key}, {body} FROM {name} AS t WHERE ?1 IS NULL OR ({columns}) > ({places}) ORDER BY {columns} LIMIT ?2",
    );
    let rows: Vec<(String, String)> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(after).bind(limit).fetch_all(conn).await?;
    let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < limit;
    Ok(RowPage { rows, is_last })
}

/// Days with values of each series, as series number, name and beginning of the day.
pub(crate) async fn day_list(conn: &mut SqliteConnection) -> Result<Vec<(i64, String, i64)>> {
    Ok(sqlx::query_as(
        "SELECT series, name, start_ms FROM
             (SELECT series, start_ms FROM reading_chunk WHERE resolution_ms = 60000
              UNION SELECT series, at_ms - at_ms % 86400000 FROM reading)
         JOIN series ON series.id = series ORDER BY series, start_ms",
    )
    .fetch_all(conn)
    .await?)
}

/// Means of quarter-hours of a series from before it has minutes: where there are minutes, those leave.
pub(crate) async fn quarters(conn: &mut SqliteConnection, series: i64, from: i64, to: i64) -> Result<Vec<Point>> {
    let mut points = reading_chunk::list(conn, series, Chunk::Quarter, from, to).await?;
    let day: Option<i64> =
        sqlx::query_scalar("SELECT min(start_ms) FROM reading_chunk WHERE series = ? AND resolution_ms = 60000")
            .bind(series)
            .fetch_one(&mut *conn)
            .await?;
    let packed = match day {
        Some(day) => reading_chunk::list(conn, series, Chunk::Minute, day, day.saturating_add(DAY_MS)).await?,
        None => Vec::new(),
    };
    let waiting: Option<i64> =
        sqlx::query_scalar("SELECT min(at_ms) FROM reading WHERE series = ?").bind(series).fetch_one(conn).await?;
    let first = packed.first().map(|(at, _)| *at).into_iter().chain(waiting).min();
    points.retain(|(at, _)| first.is_none_or(|first| *at < first));
    Ok(points)
}

/// All series that ever had a value, by number.
pub(crate) async fn series_list(conn: &mut SqliteConnection) -> Result<Vec<(i64, String)>> {
    Ok(names(conn).await?.into_iter().collect())
}

/// What waits for a sink, as kind and key: it has not got these as they are.
pub(crate) async fn waiting(conn: &mut SqliteConnection, sink: &str) -> Result<BTreeSet<(String, String)>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, key FROM outbox WHERE seq > (SELECT cursor FROM sink WHERE name = ?)")
            .bind(sink)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().collect())
}

/// Minutes that may still get values, and so were not sent as they will be.
pub(crate) async fn open_minutes(conn: &mut SqliteConnection) -> Result<BTreeSet<i64>> {
    let minutes: Vec<i64> = sqlx::query_scalar("SELECT at_ms FROM open_minute").fetch_all(conn).await?;
    Ok(minutes.into_iter().collect())
}

/// Values of a series in a period, as a sink would get them: packed ones, and those that wait to be packed.
pub(crate) async fn readings_between(
    conn: &mut SqliteConnection,
    resolution: Resolution,
    number: i64,
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<Point>> {
    let chunk = match resolution {
        Resolution::Minutes => Chunk::Minute,
        Resolution::Raw => Chunk::Raw,
    };
    let packed = reading_chunk::list(conn, number, chunk, from_ms, to_ms).await?;
    let mut values: BTreeMap<i64, i64> = packed.into_iter().collect();
    let mut late: BTreeMap<i64, BTreeMap<i64, i64>> = BTreeMap::new();
    for (at, value) in reading::list(conn, number, from_ms, to_ms).await? {
        late.entry(at.saturating_sub(at.rem_euclid(MINUTE_MS))).or_default().insert(at, value);
    }
    let mut expand = Expand::new(resolution);
    for (minute, late) in late {
        values.extend(expand.completed(conn, number, minute, late).await?);
    }
    Ok(values.into_iter().collect())
}
