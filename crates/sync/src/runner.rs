//! The task of one sink: read, deliver, advance; wait longer after each failure, and say what is wrong.

use crate::Batch;
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;

/// Pause when nothing waits: how old the newest change is at the other end, at most.
const IDLE: Duration = Duration::from_secs(1);

/// First pause after a failure; doubles up to the longest.
const RETRY_FIRST: Duration = Duration::from_secs(1);

/// Longest pause after failures: a line that comes back is used within half a minute.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// A delivery that takes longer has failed: the other end hangs.
const DELIVER_MAX: Duration = Duration::from_secs(120);

/// What comes next.
#[derive(Clone, Debug)]
pub struct Next {
    /// Settings of the sink, as they were kept.
    pub settings: String,
    /// Whether nothing is to be sent.
    pub paused: bool,
    /// The cursor before the batch.
    pub cursor: i64,
    /// The batch; nothing to do when its `through` is the cursor.
    pub batch: Batch,
}

/// Where batches come from. Errors are sentences for people.
pub trait Outbox: Send + Sync {
    /// What comes next; `None` when the sink was removed.
    fn next(&self) -> impl Future<Output = Result<Option<Next>, String>> + Send;

    /// Everything up to a number is about to be delivered; remembered for good, so that records restored from an older
    /// copy can be told from those that sent it.
    fn begins(&self, through: i64) -> impl Future<Output = Result<(), String>> + Send;

    /// Everything up to a number has arrived, in so many rows.
    fn arrived(&self, through: i64, rows: i64) -> impl Future<Output = Result<(), String>> + Send;
}

/// What stands in the way, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Trouble {
    /// Stable word for programs.
    pub code: &'static str,
    /// What is wrong and what to do, in English.
    pub sentence: String,
    /// What the other end said, if anything.
    pub detail: String,
}

/// Where batches go to. Delivering a batch twice, or a batch that overlaps the last, must change nothing.
pub trait Sink: Send {
    /// Delivers all of it; `Ok` only when it will not be lost at the other end any more.
    fn deliver(&mut self, batch: &Batch) -> impl Future<Output = Result<(), Trouble>> + Send;
}

/// What a sink is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It has not begun.
    #[default]
    Beginning,
    /// It sends.
    Sending,
    /// Everything has arrived.
    UpToDate,
    /// The manager paused it.
    Paused,
    /// Something stands in the way; it tries again by itself.
    Failing,
}

/// What a sink is doing, and how well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What it does.
    pub phase: Phase,
    /// Rows sent since the program started.
    pub rows: u64,
    /// Failures since the last success.
    pub failures: u32,
    /// The last thing that stood in the way; stays after it is gone.
    pub last_trouble: Option<Trouble>,
}

/// Runs one sink until it is removed or `drain` becomes true. `make` makes the sink from its settings, again after every
/// failure and every change of them. A change of `wake` cuts a pause short.
pub async fn run<O: Outbox, S: Sink, F: Future<Output = Result<S, Trouble>> + Send>(
    outbox: O,
    mut make: impl FnMut(String) -> F + Send,
    status: watch::Sender<Status>,
    mut wake: watch::Receiver<u64>,
    mut drain: watch::Receiver<bool>,
) {
    let mut sink: Option<(String, S)> = None;
    while !*drain.borrow() {
        let pause = match outbox.next().await {
            Ok(None) => return,
            Ok(Some(next)) => {
                if sink.as_ref().is_some_and(|(settings, _)| *settings != next.settings) {
                    sink = None;
                }
                let step = step(&outbox, &mut make, &mut sink, next, &status);
                tokio::select! {
                    biased;
                    pause = step => pause,
                    _ = drain.wait_for(|draining| *draining) => return,
                }
            }
            Err(sentence) => {
                fail(&status, own(sentence));
                Some(RETRY_FIRST)
            }
        };
        let Some(pause) = pause else { continue };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            changed = wake.changed() => if changed.is_err() { return },
            _ = drain.wait_for(|draining| *draining) => return,
        }
    }
}

/// Our own records stand in the way.
const fn own(sentence: String) -> Trouble {
    Trouble { code: "outbox", sentence, detail: String::new() }
}

/// Delivers one batch. Gives the pause before the next, `None` for no pause.
async fn step<O: Outbox, S: Sink, F: Future<Output = Result<S, Trouble>> + Send>(
    outbox: &O,
    make: &mut (impl FnMut(String) -> F + Send),
    sink: &mut Option<(String, S)>,
    next: Next,
    status: &watch::Sender<Status>,
) -> Option<Duration> {
    if next.paused {
        phase(status, Phase::Paused);
        return Some(IDLE);
    }
    if next.batch.through == next.cursor && sink.is_some() {
        phase(status, Phase::UpToDate);
        return Some(IDLE);
    }
    let delivered = tokio::time::timeout(DELIVER_MAX, async {
        let (_, open) = match sink.take() {
            Some(open) => sink.insert(open),
            None => sink.insert((next.settings.clone(), make(next.settings.clone()).await?)),
        };
        phase(status, Phase::Sending);
        if next.batch.is_empty() {
            return Ok(());
        }
        outbox.begins(next.batch.through).await.map_err(own)?;
        open.deliver(&next.batch).await
    });
    let slow = || Trouble {
        code: "slow",
        sentence: "The other end took longer than two minutes; check its load and the line".to_owned(),
        detail: String::new(),
    };
    let delivered = delivered.await.unwrap_or_else(|_elapsed| Err(slow()));
    let rows = i64::try_from(next.batch.len()).unwrap_or(i64::MAX);
    let done = match delivered {
        Ok(()) => outbox.arrived(next.batch.through, rows).await.map_err(own),
        Err(trouble) => Err(trouble),
    };
    match done {
        Ok(()) => {
            status.send_modify(|status| {
                status.rows += u64::try_from(rows).unwrap_or(0);
                status.failures = 0;
            });
            None
        }
        Err(trouble) => {
            *sink = None;
            let failures = fail(status, trouble);
            Some(RETRY_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(5)).min(RETRY_MAX))
        }
    }
}

fn phase(status: &watch::Sender<Status>, phase: Phase) {
    status.send_if_modified(|status| std::mem::replace(&mut status.phase, phase) != phase);
}

fn fail(status: &watch::Sender<Status>, trouble: Trouble) -> u32 {
    tracing::warn!(code = trouble.code, detail = trouble.detail, "{}", trouble.sentence);
    let mut failures = 0;
    status.send_modify(|status| {
        status.failures = status.failures.saturating_add(1);
        failures = status.failures;
        status.phase = Phase::Failing;
        status.last_trouble = Some(trouble);
    });
    failures
}
