//! Tables `sink` and `site_key`: where records go, what may leave, and how far each has come.

use super::catalogue::{Consent, TABLES, Table};
use super::feed::{self, LIVE_FROM, json_key};
use crate::table::{Result, bad, words};
use sqlx::{AssertSqlSafe, SqliteConnection};

/// How fine readings leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolution {
    /// One mean a minute.
    #[default]
    Minutes,
    /// As measured.
    Raw,
}

words!(resolution_word, resolution_of, "sink", Resolution {
    Resolution::Minutes => "minutes",
    Resolution::Raw => "raw",
});

/// A place records are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSetup {
    /// Its name: one of each.
    pub name: String,
    /// Settings of whoever sends, as JSON; no secrets.
    pub settings: String,
    /// What the manager allowed to leave.
    pub consents: Vec<Consent>,
    /// How fine readings leave.
    pub resolution: Resolution,
    /// Whether nothing is sent for now.
    pub paused: bool,
}

/// A sink and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Its settings.
    pub setup: SinkSetup,
    /// Everything up to this number has arrived.
    pub cursor: i64,
    /// Rows sent since it was made.
    pub sent: i64,
    /// Entries that waited when it was made.
    pub filled: i64,
}

/// A sink with what waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkState {
    /// The sink.
    pub sink: Sink,
    /// Entries that wait.
    pub waiting: i64,
    /// When the oldest of them changed, in milliseconds since 1970; `None` when nothing waits or it belongs to the
    /// first upload.
    pub oldest_ms: Option<i64>,
}

/// What is asked of the sinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkOrder {
    /// Makes or changes one. A new one begins with everything there is; one that may see more gets that too.
    Set(SinkSetup),
    /// Sends nothing, or goes on.
    Pause(String, bool),
    /// Forgets one.
    Remove(String),
    /// Everything up to a number is about to be handed over.
    Attempt {
        /// Which sink.
        name: String,
        /// The number.
        through: i64,
    },
    /// Everything up to a number has arrived, in so many rows.
    Advance {
        /// Which sink.
        name: String,
        /// The number.
        through: i64,
        /// Rows sent.
        rows: i64,
    },
    /// Everything is sent again, above what was ever sent.
    Resend(String),
    /// Rows of a table as they came back from a cloud, JSON objects.
    Restore {
        /// Which table.
        table: String,
        /// The rows.
        rows: Vec<String>,
    },
    /// This building takes the identity of a site of a cloud, after a restore from there.
    Adopt {
        /// The identity.
        site: String,
        /// The highest number it ever sent.
        above: i64,
    },
}

type Row = (String, String, String, String, bool, i64, i64, i64);

fn sink_from((name, settings, boxes, resolution, paused, cursor, sent, filled): Row) -> Result<Sink> {
    let consent = |word: &str| {
        let known = Consent::BOXES.into_iter().find(|consent| consent.word() == word);
        known.ok_or_else(|| bad("sink", format_args!("unknown box {word:?}")))
    };
    let consents = boxes.split_ascii_whitespace().map(consent).collect::<Result<_>>()?;
    let setup = SinkSetup { name, settings, consents, resolution: resolution_of(&resolution)?, paused };
    Ok(Sink { setup, cursor, sent, filled })
}

/// All sinks by name.
pub(crate) async fn list(conn: &mut SqliteConnection) -> Result<Vec<Sink>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT name, settings, boxes, resolution, paused, cursor, sent, filled FROM sink ORDER BY name",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(sink_from).collect()
}

/// What waits for a sink.
pub(crate) async fn state(conn: &mut SqliteConnection, sink: Sink) -> Result<SinkState> {
    let (waiting, oldest): (i64, Option<i64>) =
        sqlx::query_as("SELECT count(*), min(seq) FROM outbox WHERE seq > ?").bind(sink.cursor).fetch_one(conn).await?;
    let oldest_ms = oldest.filter(|seq| *seq >= LIVE_FROM).map(|seq| seq / 1000);
    Ok(SinkState { sink, waiting, oldest_ms })
}

/// The identity of this site among all sites of a cloud.
pub(crate) async fn site_key(conn: &mut SqliteConnection) -> Result<String> {
    Ok(sqlx::query_scalar("SELECT site FROM site_key").fetch_one(conn).await?)
}

/// Does what is asked. Returns whether there is any sink afterwards.
pub(crate) async fn obey(conn: &mut SqliteConnection, order: &SinkOrder) -> Result<()> {
    match order {
        SinkOrder::Set(setup) => set(conn, setup).await,
        SinkOrder::Pause(name, paused) => {
            sqlx::query("UPDATE sink SET paused = ? WHERE name = ?").bind(paused).bind(name).execute(conn).await?;
            Ok(())
        }
        SinkOrder::Remove(name) => {
            sqlx::query("DELETE FROM sink WHERE name = ?").bind(name).execute(&mut *conn).await?;
            trim(conn).await
        }
        SinkOrder::Attempt { name, through } => note(conn, name, *through).await,
        SinkOrder::Advance { name, through, rows } => {
            note(conn, name, *through).await?;
            sqlx::query("UPDATE sink SET cursor = max(cursor, ?), sent = sent + ? WHERE name = ?")
                .bind(through)
                .bind(rows)
                .bind(name)
                .execute(&mut *conn)
                .await?;
            trim(conn).await
        }
        SinkOrder::Resend(name) => {
            let sinks = list(conn).await?;
            let Some(sink) = sinks.iter().find(|sink| sink.setup.name == *name) else { return Ok(()) };
            fill(conn, &sink.setup, Numbers::Live).await
        }
        SinkOrder::Restore { table, rows } => {
            let written = super::restore::restore(conn, table, rows).await?;
            tracing::debug!(table, written, of = rows.len(), "rows came back");
            Ok(())
        }
        SinkOrder::Adopt { site, above } => super::restore::adopt(conn, site, *above).await,
    }
}

/// Remembers the highest number a sink was ever given.
async fn note(conn: &mut SqliteConnection, name: &str, through: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO sent (sink, through) VALUES (?, ?)
         ON CONFLICT (sink) DO UPDATE SET through = max(through, excluded.through)",
    )
    .bind(name)
    .bind(through)
    .execute(conn)
    .await?;
    Ok(())
}

/// The highest number a sink was ever given; 0 for none.
pub(crate) async fn sent(conn: &mut SqliteConnection, name: &str) -> Result<i64> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT through FROM sent WHERE sink = ?").bind(name).fetch_optional(conn).await?;
    Ok(found.unwrap_or(0))
}

/// Removes what has arrived everywhere.
async fn trim(conn: &mut SqliteConnection) -> Result<()> {
    sqlx::query("DELETE FROM outbox WHERE seq <= ifnull((SELECT min(cursor) FROM sink), 9223372036854775807)")
        .execute(conn)
        .await?;
    Ok(())
}

async fn set(conn: &mut SqliteConnection, setup: &SinkSetup) -> Result<()> {
    let old = list(conn).await?.into_iter().find(|sink| sink.setup.name == setup.name);
    let boxes: Vec<&str> = setup.consents.iter().map(|consent| consent.word()).collect();
    sqlx::query(
        "INSERT INTO sink (name, settings, boxes, resolution, paused, cursor, sent, filled) VALUES (?, ?, ?, ?, ?, 0, 0, 0)
         ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, boxes = excluded.boxes,
             resolution = excluded.resolution, paused = excluded.paused",
    )
    .bind(&setup.name)
    .bind(&setup.settings)
    .bind(boxes.join(" "))
    .bind(resolution_word(setup.resolution))
    .bind(setup.paused)
    .execute(&mut *conn)
    .await?;
    match old {
        None => {
            // A sink that is set up again has what was sent before; what changed since must win over it.
            let numbers = if sent(conn, &setup.name).await? > 0 { Numbers::Live } else { Numbers::Fill };
            fill(conn, setup, numbers).await?;
            sqlx::query("UPDATE sink SET filled = (SELECT count(*) FROM outbox) WHERE name = ?")
                .bind(&setup.name)
                .execute(conn)
                .await?;
        }
        // What may now be seen, or not any more, goes out again with its columns as they shall be.
        Some(old) if old.setup.consents != setup.consents => {
            for table in TABLES {
                let differs = table.leaving(&old.setup.consents).ne(table.leaving(&setup.consents));
                if differs {
                    fill_table(conn, table, Numbers::Live).await?;
                }
            }
        }
        Some(_) => {}
    }
    Ok(())
}

/// Which numbers entries get that no change put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// Below all changes: what arrived later stays.
    Fill,
    /// Above everything sent so far.
    Live,
}

async fn fill(conn: &mut SqliteConnection, setup: &SinkSetup, numbers: Numbers) -> Result<()> {
    for table in TABLES.iter().filter(|table| table.leaves(&setup.consents)) {
        fill_table(conn, table, numbers).await?;
    }
    let chunks = |resolution: i64, kind: &str, span: i64, unless: &str| {
        (
            kind.to_owned(),
            format!("json_array(series, start_ms, start_ms + {span})"),
            format!("reading_chunk AS one WHERE resolution_ms = {resolution}{unless} ORDER BY start_ms, series"),
        )
    };
    let days = match setup.resolution {
        Resolution::Minutes => chunks(60_000, "chunk", 86_400_000, ""),
        Resolution::Raw => chunks(0, "chunk", 3_600_000, ""),
    };
    // Quarter-hours only where there are no minutes any more.
    let quarters = chunks(
        900_000,
        "quarters",
        32 * 86_400_000,
        " AND NOT EXISTS (SELECT 1 FROM reading_chunk AS fine WHERE fine.series = one.series AND fine.resolution_ms = 60000
              AND fine.start_ms <= one.start_ms)",
    );
    let waiting = (
        "minute".to_owned(),
        "json_array(at_ms)".to_owned(),
        "(SELECT DISTINCT at_ms - at_ms % 60000 AS at_ms FROM reading) ORDER BY at_ms".to_owned(),
    );
    for (kind, key, from) in [quarters, days, waiting] {
        fill_from(conn, &kind, &key, &from, numbers).await?;
    }
    Ok(())
}

async fn fill_table(conn: &mut SqliteConnection, table: &Table, numbers: Numbers) -> Result<()> {
    let from = format!("{0} AS one ORDER BY {1}", table.name, table.key.join(", "));
    fill_from(conn, table.name, &json_key(table, "one"), &from, numbers).await
}

async fn fill_from(conn: &mut SqliteConnection, kind: &str, key: &str, from: &str, numbers: Numbers) -> Result<()> {
    let base = match numbers {
        Numbers::Fill => format!("(SELECT ifnull(max(seq), 0) FROM outbox WHERE seq < {LIVE_FROM})"),
        Numbers::Live => {
            sqlx::query("DELETE FROM outbox WHERE kind = ?").bind(kind).execute(&mut *conn).await?;
            feed::NEXT.to_owned()
        }
    };
    let base: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT {base}"))).fetch_one(&mut *conn).await?;
    let sql = format!(
        "INSERT OR IGNORE INTO outbox (seq, kind, key)
         SELECT {base} + row_number() OVER (), '{kind}', key FROM (SELECT {key} AS key FROM {from})"
    );
    sqlx::query(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}
