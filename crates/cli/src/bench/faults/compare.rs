//! What arrived, against what is here.

use crate::Failure;
use crate::report::say;
use service::{CloudTool, SecretsChoice};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use sync::cluster::Listener;

/// Compares the cloud and what a listener of the broker heard with the records.
pub(super) async fn all(data: &Path, listener: &Listener, patience: Duration, since_ms: i64) -> Result<(), Failure> {
    let tool = CloudTool::new(data, SecretsChoice::Auto, None, None);
    let cloud = cloud(&tool).await?;
    let broker = broker(&tool, listener, patience, since_ms).await?;
    if cloud && broker { Ok(()) } else { Err(Failure::NotMet("what arrived differs from the records".to_owned())) }
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
