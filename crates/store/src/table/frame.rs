//! Table `frame`: protocol frames as they crossed the wire.

use super::{Result, frame_chunk};
use crate::page::{Key, Keyed};
use crate::{FrameFilter, List, Page};
use domain::{Direction, Frame, Timestamp};
use sqlx::{QueryBuilder, SqliteConnection};
use std::sync::LazyLock;

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) device: String,
    pub(crate) received: bool,
    pub(crate) at_ms: i64,
    pub(crate) topic: String,
    pub(crate) text: String,
}

impl Keyed for Row {
    fn key(&self) -> Key {
        Key { at_ms: self.at_ms, id: self.id }
    }
}

impl From<Row> for Frame {
    fn from(row: Row) -> Self {
        Self {
            device: row.device,
            direction: if row.received { Direction::Received } else { Direction::Sent },
            at: Timestamp(row.at_ms),
            topic: row.topic,
            text: row.text,
        }
    }
}

/// FNV-1a of topic and text, 64 bits: stable across versions of the program, which `Hasher` does not promise.
fn digest(frame: &Frame) -> i64 {
    let bytes = frame.topic.bytes().chain([0xff]).chain(frame.text.bytes());
    bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
        .cast_signed()
}

/// Frames in one statement: each statement is a way to the database's thread and back.
const TOGETHER: usize = 32;

static INSERT_MANY: LazyLock<String> = LazyLock::new(|| insert(TOGETHER));
static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insert(1));

fn insert(rows: usize) -> String {
    let rows = vec!["(?, ?, ?, ?, ?, ?)"; rows].join(", ");
    format!("INSERT INTO frame (device, received, at_ms, topic, text, digest) VALUES {rows} ON CONFLICT DO NOTHING")
}

/// Inserts in order; a frame that is already there is left alone.
pub(crate) async fn insert_all(conn: &mut SqliteConnection, frames: &[&Frame]) -> Result<()> {
    let (many, rest) = frames.as_chunks::<TOGETHER>();
    for frames in many {
        insert_with(conn, &INSERT_MANY, frames).await?;
    }
    for frame in rest {
        insert_with(conn, &INSERT_ONE, &[frame]).await?;
    }
    Ok(())
}

async fn insert_with(conn: &mut SqliteConnection, sql: &'static str, frames: &[&Frame]) -> Result<()> {
    let mut query = sqlx::query(sql);
    for frame in frames {
        query = query
            .bind(&frame.device)
            .bind(match frame.direction {
                Direction::Received => true,
                Direction::Sent => false,
            })
            .bind(frame.at.0)
            .bind(&frame.topic)
            .bind(&frame.text)
            .bind(digest(frame));
    }
    query.execute(conn).await?;
    Ok(())
}

pub(crate) async fn list(conn: &mut SqliteConnection, device: Option<&str>, page: &Page) -> Result<List<Frame>> {
    let mut query = QueryBuilder::new("SELECT id, device, received, at_ms, topic, text FROM frame WHERE 1");
    if let Some(device) = device {
        query.push(" AND device = ").push_bind(device.to_owned());
    }
    page.finish(&mut query, "at_ms")?;
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut *conn).await?;
    with_packed(conn, rows, device, &FrameFilter::default(), page).await
}

/// The rows of a page together with those that are packed.
async fn with_packed(
    conn: &mut SqliteConnection,
    mut rows: Vec<Row>,
    device: Option<&str>,
    filter: &FrameFilter,
    page: &Page,
) -> Result<List<Frame>> {
    let wanted = usize::try_from(page.rows()).unwrap_or(usize::MAX);
    rows.extend(frame_chunk::list(conn, device, filter, page.key()?, wanted).await?);
    rows.sort_by_key(|row| std::cmp::Reverse((row.at_ms, row.id)));
    rows.truncate(wanted);
    page.list(rows, |row| Ok(Frame::from(row)))
}

pub(crate) async fn search(
    conn: &mut SqliteConnection,
    device: &str,
    filter: &FrameFilter,
    page: &Page,
) -> Result<List<Frame>> {
    let mut query = QueryBuilder::new("SELECT id, device, received, at_ms, topic, text FROM frame WHERE device = ");
    query.push_bind(device.to_owned());
    if !filter.text.is_empty() {
        let text = filter.text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
        query.push(" AND (text LIKE ").push_bind(format!("%{text}%"));
        query.push(r" ESCAPE '\' OR topic LIKE ").push_bind(format!("%{text}%")).push(r" ESCAPE '\')");
    }
    if let Some(from) = filter.from {
        query.push(" AND at_ms >= ").push_bind(from.0);
    }
    if let Some(to) = filter.to {
        query.push(" AND at_ms < ").push_bind(to.0);
    }
    page.finish(&mut query, "at_ms")?;
    let rows: Vec<Row> = query.build_query_as().fetch_all(&mut *conn).await?;
    with_packed(conn, rows, Some(device), filter, page).await
}

/// Removes the frames before a time, some at once.
pub(crate) async fn remove_before(conn: &mut SqliteConnection, before: Timestamp, rows_max: i64) -> Result<u64> {
    let done =
        sqlx::query("DELETE FROM frame WHERE id IN (SELECT id FROM frame WHERE at_ms < ? AND text NOT LIKE '%ransaction%'
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'frame' AND key = json_array(frame.id)) ORDER BY at_ms LIMIT ?)")
            .bind(before.0)
            .bind(rows_max)
            .execute(conn)
            .await?;
    Ok(done.rows_affected())
}
