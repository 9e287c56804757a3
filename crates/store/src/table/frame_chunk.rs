//! Table `frame_chunk`: frames of the past, packed.

use super::frame::Row;
use super::{Result, bad};
use crate::FrameFilter;
use crate::page::{Key, Keyed as _};
use domain::Timestamp;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use sqlx::{QueryBuilder, SqliteConnection};
use std::io::{Read as _, Write as _};

/// Frames in a chunk: large enough to compress well, small enough to be read for one of them.
const FRAMES_MAX: i64 = 1000;

/// Bytes a chunk can unpack to: bounds what damaged bytes can ask for. A frame has 64 KB at the most.
const BYTES_MAX: u64 = 128 * 1024 * 1024;

/// A frame as it is packed: row number, direction, time, topic, text.
type Packed = (i64, bool, i64, String, String);

/// Whether a frame is about a transaction, in any of the protocols.
fn is_transaction(row: &Row) -> bool {
    row.text.contains("ransaction")
}

/// Packs the oldest frames of one device from before a time. Gives their number; 0 when there are none.
pub(crate) async fn pack(conn: &mut SqliteConnection, before: Timestamp) -> Result<u64> {
    // What a sink still has to send stays where the sink reads it.
    const FREE: &str = "NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'frame' AND key = json_array(frame.id))";
    let oldest = format!("SELECT device FROM frame WHERE at_ms < ? AND {FREE} ORDER BY at_ms LIMIT 1");
    let device: Option<String> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(oldest)).bind(before.0).fetch_optional(&mut *conn).await?;
    let Some(device) = device else { return Ok(0) };
    let sql = format!(
        "SELECT id, device, received, at_ms, topic, text FROM frame WHERE device = ? AND at_ms < ? AND {FREE}
         ORDER BY at_ms LIMIT {FRAMES_MAX}"
    );
    let rows: Vec<Row> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(&device).bind(before.0).fetch_all(&mut *conn).await?;
    let count = rows.len();
    let numbers: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let (transactions, others): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(is_transaction);
    insert(conn, &device, true, transactions).await?;
    insert(conn, &device, false, others).await?;
    sqlx::query("DELETE FROM frame WHERE id IN (SELECT value FROM json_each(?))")
        .bind(super::to_json(&numbers))
        .execute(conn)
        .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Packs rows of one device, oldest first; nothing happens when there are none.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    device: &str,
    transactions: bool,
    rows: Vec<Row>,
) -> Result<()> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
    let (start, end) = (first.at_ms, last.at_ms);
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    for row in rows {
        let packed: Packed = (row.id, row.received, row.at_ms, row.topic, row.text);
        writeln!(encoder, "{}", super::to_json(&packed)).map_err(|error| bad("frame_chunk", error))?;
    }
    let bytes = encoder.finish().map_err(|error| bad("frame_chunk", error))?;
    sqlx::query("INSERT INTO frame_chunk (device, transaction_frames, start_ms, end_ms, bytes) VALUES (?, ?, ?, ?, ?)")
        .bind(device)
        .bind(transactions)
        .bind(start)
        .bind(end)
        .bind(bytes)
        .execute(conn)
        .await?;
    Ok(())
}

fn unpack(device: &str, bytes: &[u8]) -> Result<Vec<Row>> {
    let mut text = String::new();
    DeflateDecoder::new(bytes)
        .take(BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| bad("frame_chunk", format_args!("its bytes are damaged: {error}")))?;
    let row = |line: &str| {
        let (id, received, at_ms, topic, text): Packed = super::from_json("frame_chunk", line)?;
        Ok(Row { id, device: device.to_owned(), received, at_ms, topic, text })
    };
    text.lines().map(row).collect()
}

/// Whether a frame passes a filter.
fn passes(row: &Row, filter: &FrameFilter, text: &str) -> bool {
    filter.from.is_none_or(|from| row.at_ms >= from.0)
        && filter.to.is_none_or(|to| row.at_ms < to.0)
        && (text.is_empty()
            || row.text.to_ascii_lowercase().contains(text)
            || row.topic.to_ascii_lowercase().contains(text))
}

/// The newest packed frames before a place in the list, at least `rows` of them when there are as many.
pub(crate) async fn list(
    conn: &mut SqliteConnection,
    device: Option<&str>,
    filter: &FrameFilter,
    before: Option<Key>,
    rows: usize,
) -> Result<Vec<Row>> {
    let mut query = QueryBuilder::new("SELECT id, end_ms FROM frame_chunk WHERE 1");
    if let Some(device) = device {
        query.push(" AND device = ").push_bind(device.to_owned());
    }
    if let Some(key) = before {
        query.push(" AND start_ms <= ").push_bind(key.at_ms);
    }
    if let Some(from) = filter.from {
        query.push(" AND end_ms >= ").push_bind(from.0);
    }
    if let Some(to) = filter.to {
        query.push(" AND start_ms < ").push_bind(to.0);
    }
    query.push(" ORDER BY end_ms DESC");
    let chunks: Vec<(i64, i64)> = query.build_query_as().fetch_all(&mut *conn).await?;
    let text = filter.text.to_ascii_lowercase();
    let place = |row: &Row| (row.at_ms, row.id);
    let mut found: Vec<Row> = Vec::new();
    for (id, end_ms) in chunks {
        // All that follow are older than what is wanted.
        if found.len() >= rows && found.get(rows - 1).is_some_and(|row| row.at_ms > end_ms) {
            break;
        }
        let (device, bytes): (String, Vec<u8>) =
            sqlx::query_as("SELECT device, bytes FROM frame_chunk WHERE id = ?").bind(id).fetch_one(&mut *conn).await?;
        let fits = |row: &Row| {
            let earlier = before.is_none_or(|key| (row.key().at_ms, row.key().id) < (key.at_ms, key.id));
            earlier && passes(row, filter, &text)
        };
        found.extend(unpack(&device, &bytes)?.into_iter().filter(fits));
        found.sort_by_key(|row| std::cmp::Reverse(place(row)));
        found.truncate(rows);
    }
    Ok(found)
}

/// Removes chunks whose newest frame is from before a time, some at once.
pub(crate) async fn remove_before(
    conn: &mut SqliteConnection,
    transactions: bool,
    before: Timestamp,
    rows_max: i64,
) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM frame_chunk WHERE id IN
             (SELECT id FROM frame_chunk WHERE transaction_frames = ? AND end_ms < ? ORDER BY end_ms LIMIT ?)",
    )
    .bind(transactions)
    .bind(before.0)
    .bind(rows_max)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
