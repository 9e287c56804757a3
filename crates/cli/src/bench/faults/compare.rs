//! What arrived, against what is here.

use crate::Failure;
use crate::report::say;
use service::{CloudTool, SecretsChoice};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use sync::cluster::{Consumer, Listener, Record};

/// Compares the cloud, what a listener of the broker heard and what lies in Kafka with the records.
pub(super) async fn all(
    data: &Path,
    listener: &Listener,
    stream: &Consumer,
    patience: Duration,
    since_ms: i64,
) -> Result<(), Failure> {
    let tool = CloudTool::new(data, SecretsChoice::Auto, None, None);
    let cloud = cloud(&tool).await?;
    let broker = broker(&tool, listener, patience, since_ms).await?;
    let stream = kafka(&tool, stream, patience).await?;
    if cloud && broker && stream {
        Ok(())
    } else {
        Err(Failure::NotMet("what arrived differs from the records".to_owned()))
    }
}

fn failed(error: service::CloudError) -> Failure {
    Failure::Cloud(Box::new(error))
}

async fn cloud(tool: &CloudTool) -> Result<bool, Failure> {
    let found = tool.verify().await.map_err(failed)?;
    let sum = |part: fn(&service::VerifiedTable) -> u64| found.tables.iter().map(part).sum::<u64>();
    say(&format!(
        "{} rows here; in the cloud {} are missing, {} differ, {} are too many",
        sum(|it| it.rows),
        sum(|it| it.missing),
        sum(|it| it.different),
        sum(|it| it.extra)
    ))?;
    for line in &found.shown {
        say(line)?;
    }
    Ok(found.is_equal())
}

/// What a listener makes of everything it heard.
#[derive(Default)]
struct Heard {
    /// Newest value of each minute of each series.
    values: BTreeMap<(String, i64), i64>,
    /// Messages that came again, which is allowed on the wire.
    again: u64,
    /// Minutes that were heard for the first time after a later one of the same series, although measured before it.
    late: u64,
}

impl Heard {
    /// Since `since_ms` the program runs without the virtual building, whose time is ahead: what it measures is late by
    /// right.
    fn of(messages: &[(String, String)], since_ms: i64) -> Self {
        let own = since_ms.saturating_sub(60_000)..=jiff::Timestamp::now().as_millisecond();
        let mut heard = Self::default();
        let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
        for (topic, text) in messages {
            let Some((at, value)) = text.split_once(' ') else { continue };
            let (Ok(at), Ok(value)) = (at.parse::<i64>(), value.parse::<i64>()) else { continue };
            if heard.values.insert((topic.clone(), at), value).is_some() {
                heard.again += 1;
            } else {
                let newest = newest.entry(topic).or_insert(at);
                heard.late += u64::from(at < *newest && !own.contains(&at));
                *newest = at.max(*newest);
            }
        }
        heard
    }
}

async fn broker(tool: &CloudTool, listener: &Listener, patience: Duration, since_ms: i64) -> Result<bool, Failure> {
    let minutes = tool.settled_minutes("mqtt").await.map_err(failed)?;
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        let heard = Heard::of(&listener.heard(), since_ms);
        let missing = minutes.keys().filter(|key| !heard.values.contains_key(*key)).count();
        let other = |(key, value): &(&(String, i64), &i64)| heard.values.get(*key).is_some_and(|it| it != *value);
        let different = minutes.iter().filter(other).count();
        // The broker has everything; the listener may still be taking it.
        if missing + different > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        }
        say(&format!(
            "{} minutes here; at the broker {missing} are missing, {different} differ, {} came after a later one \
             ({} messages came again)",
            minutes.len(),
            heard.late,
            heard.again
        ))?;
        return Ok(missing == 0 && different == 0 && heard.late == 0);
    }
}

/// What a consumer keeps that follows the one rule: of each row the record with the highest number.
#[derive(Default)]
struct Kept {
    /// By table and key; `None` when the row was removed.
    newest: BTreeMap<(String, String), Record>,
    /// Records that came again, which is allowed on the wire.
    again: usize,
    /// Records that came after a newer one of their row, which the rule drops.
    late: usize,
}

impl Kept {
    fn of(records: Vec<Record>) -> Self {
        let mut kept = Self::default();
        for record in records {
            let header = |name: &str| record.headers.get(name).cloned().unwrap_or_default();
            let row = (header("table"), header("id"));
            match kept.newest.get(&row).map(Record::seq) {
                Some(known) if record.seq() == known => kept.again += 1,
                Some(known) if record.seq() < known => {
                    kept.late += 1;
                    continue;
                }
                Some(_) | None => {}
            }
            kept.newest.insert(row, record);
        }
        kept
    }
}

/// How rows compare with what a consumer keeps: missing, different, too many.
fn rows_differ(local: &service::SettledRows, kept: &Kept) -> [usize; 3] {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    let there = |row: &(String, String)| kept.newest.get(row).and_then(|record| record.value.as_deref());
    let differs = |(row, body): &(&(String, String), &String)| there(row).is_some_and(|it| json(it) != json(body));
    let lives = kept.newest.iter().filter(|(_, record)| record.value.is_some()).map(|(row, _)| row);
    let known = |row: &&(String, String)| local.rows.contains_key(*row) || local.way.contains(*row);
    [
        local.rows.keys().filter(|row| there(row).is_none()).count(),
        local.rows.iter().filter(differs).count(),
        lives.filter(|row| local.follow.contains(&row.0) && !known(row)).count(),
    ]
}

async fn kafka(tool: &CloudTool, stream: &Consumer, patience: Duration) -> Result<bool, Failure> {
    let rows = tool.settled_rows("kafka").await.map_err(failed)?;
    let means = tool.settled_minutes("kafka").await.map_err(failed)?;
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        let kept = Kept::of(stream.records(super::TOPIC));
        let [missing, different, extra] = rows_differ(&rows, &kept);
        let minutes = Kept::of(stream.records(super::READINGS_TOPIC));
        let there: BTreeMap<(String, i64), i64> = minutes.newest.values().filter_map(minute).collect();
        let missing_minutes = means.keys().filter(|key| !there.contains_key(*key)).count();
        let other = means.iter().filter(|(key, value)| there.get(*key).is_some_and(|it| it != *value)).count();
        let wrong = missing + different + extra + missing_minutes + other;
        // The broker has everything; the consumer may still be reading it.
        if wrong > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        }
        let wire =
            |kept: &Kept| format!("{} records came again, {} after a newer one of their row", kept.again, kept.late);
        say(&format!(
            "{} rows here; in Kafka {missing} are missing, {different} differ, {extra} are too many ({})",
            rows.rows.len(),
            wire(&kept)
        ))?;
        say(&format!(
            "{} minutes here; in Kafka {missing_minutes} are missing, {other} differ ({})",
            means.len(),
            wire(&minutes)
        ))?;
        return Ok(wrong == 0);
    }
}

/// Series, time and value of a record that is the mean of a minute.
fn minute(record: &Record) -> Option<((String, i64), i64)> {
    let value: serde_json::Value = serde_json::from_str(record.value.as_deref()?).ok()?;
    let number = |name: &str| value.get(name)?.as_i64();
    (number("step_ms")? == 60_000).then_some(())?;
    Some(((value.get("series")?.as_str()?.to_owned(), number("at_ms")?), number("value")?))
}
