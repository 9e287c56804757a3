//! Keeps records in the order they were made, many in one commit, and remembers them while the disk refuses.
//!
//! The engine hands over batches and never waits. While one commit is under way the next batches gather,
//! so the more chargers speak the more share one write to the disk.

use domain::Record;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;

/// Batches on their way to the journal; it empties this queue even while the disk hangs.
pub(crate) const BATCHES_MAX: usize = 8192;

/// Records kept in memory while the disk refuses: about 30 MB, hours of a large building without its frames.
const BACKLOG_MAX: usize = 60_000;

/// Records in one commit; keeps a commit short so that the next answers wait little.
const COMMIT_MAX: usize = 5_000;

/// Pause before a refused commit is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// A commit that takes longer counts as refused until it returns: chargers must not wait for a hanging disk.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where records end up.
pub(crate) trait Keeper: Send + Sync + 'static {
    /// Makes all of them durable, or none.
    fn keep(&self, records: Vec<Record>) -> impl Future<Output = Result<(), NotKept>> + Send;
}

/// Why records were not kept, with the words of the keeper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotKept {
    /// The disk refuses; the same records may be kept later.
    Disk(String),
    /// The records break a rule of the tables; trying again helps nobody.
    Rejected(String),
}

impl Keeper for store::Writer {
    async fn keep(&self, records: Vec<Record>) -> Result<(), NotKept> {
        self.commit(records).await.map_err(|error| {
            let words = crate::error::chain(&error);
            if error.is_storage() { NotKept::Disk(words) } else { NotKept::Rejected(words) }
        })
    }
}

/// Records that belong together, numbered upwards.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Grows by one with every batch.
    pub(crate) number: u64,
    /// The records.
    pub(crate) records: Vec<Record>,
}

/// What became of batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Everything up to this number is durable.
    Kept(u64),
    /// Everything up to this number is only in memory; it will be tried again.
    Delayed(u64),
    /// Nothing waits in memory any more.
    Recovered,
}

/// Runs until the batches end, then tries once more to keep what is left.
pub(crate) async fn run<K: Keeper>(keeper: K, mut batches: mpsc::Receiver<Batch>, fates: mpsc::Sender<Fate>) {
    let mut journal = Journal { backlog: VecDeque::new(), records: 0, told: 0, failing: false, alone: 0 };
    let mut under_way: Option<UnderWay<'_>> = None;
    let mut retry_at = tokio::time::Instant::now();
    let mut open = true;
    while open || under_way.is_some() || !journal.backlog.is_empty() {
        if under_way.is_none() && !journal.backlog.is_empty() && (tokio::time::Instant::now() >= retry_at || !open) {
            under_way = Some(UnderWay::new(&keeper, journal.next_commit()));
        }
        let idle = under_way.is_none();
        tokio::select! {
            biased;
            done = async { match under_way.as_mut() {
                Some(commit) => commit.result().await,
                None => std::future::pending().await,
            } } => match done {
                Step::Done(Ok(()), through) => {
                    under_way = None;
                    journal.kept(through);
                    journal.tell_kept(&fates).await;
                }
                Step::Done(Err(NotKept::Rejected(error)), through) => {
                    under_way = None;
                    journal.rejected(through, &error);
                    journal.tell_kept(&fates).await;
                }
                Step::Done(Err(NotKept::Disk(error)), _through) => {
                    tracing::error!(error, "records cannot be written; they are kept in memory and tried again");
                    under_way = None;
                    journal.tell_delayed(&fates).await;
                    retry_at = tokio::time::Instant::now() + RETRY_EVERY;
                    if !open {
                        break;
                    }
                }
                Step::Slow => {
                    tracing::warn!("the disk takes long; chargers are answered from memory meanwhile");
                    journal.tell_delayed(&fates).await;
                }
            },
            batch = batches.recv(), if open => match batch {
                Some(batch) => {
                    let delayed = journal.failing;
                    journal.push(batch);
                    while let Ok(batch) = batches.try_recv() {
                        journal.push(batch);
                    }
                    if delayed {
                        journal.tell_delayed(&fates).await;
                    }
                }
                None => open = false,
            },
            () = tokio::time::sleep_until(retry_at), if idle && !journal.backlog.is_empty() => {}
        }
    }
    if journal.records > 0 {
        tracing::error!(records = journal.records, "the program ends with records the disk refused");
    }
}

struct Journal {
    /// Oldest first; what is under way stays in it until it is durable.
    backlog: VecDeque<Batch>,
    records: usize,
    /// Number of the newest batch handed over.
    told: u64,
    failing: bool,
    /// Batches to commit each by itself, since one among them was refused.
    alone: usize,
}

impl Journal {
    fn push(&mut self, batch: Batch) {
        self.records += batch.records.len();
        self.told = batch.number;
        self.backlog.push_back(batch);
        if self.records > BACKLOG_MAX {
            self.make_room();
        }
    }

    /// Frames and readings go first; sessions and settings stay as long as anything does.
    fn make_room(&mut self) {
        let half = self.backlog.len() / 2;
        for batch in self.backlog.iter_mut().take(half.max(1)) {
            let before = batch.records.len();
            batch.records.retain(|record| !matches!(record, Record::Frame(_) | Record::Readings(_)));
            self.records -= before - batch.records.len();
        }
        while self.records > BACKLOG_MAX {
            let Some(batch) = self.backlog.pop_front() else { break };
            tracing::error!(records = batch.records.len(), "the memory for records is full; the oldest are lost");
            self.records -= batch.records.len();
        }
    }

    /// Clones of the oldest records and the number of the batch they reach to.
    fn next_commit(&self) -> (Vec<Record>, u64) {
        let mut records = Vec::new();
        let mut through = 0;
        for batch in &self.backlog {
            let full = records.len() + batch.records.len() > COMMIT_MAX;
            if through > 0 && (full || self.alone > 0) {
                break;
            }
            records.extend(batch.records.iter().cloned());
            through = batch.number;
        }
        (records, through)
    }

    fn kept(&mut self, through: u64) {
        self.alone = self.alone.saturating_sub(1);
        while self.backlog.front().is_some_and(|batch| batch.number <= through) {
            if let Some(batch) = self.backlog.pop_front() {
                self.records -= batch.records.len();
            }
        }
        self.told = self.told.max(through);
    }

    /// One batch at a time from now on until the guilty one is found; that one is dropped.
    fn rejected(&mut self, through: u64, error: &str) {
        if self.backlog.front().is_some_and(|batch| batch.number == through) {
            if let Some(batch) = self.backlog.pop_front() {
                self.records -= batch.records.len();
                tracing::error!(error, records = ?batch.records, "records contradict the others and are not kept");
            }
            self.alone = self.alone.saturating_sub(1);
        } else {
            self.alone = self.backlog.iter().take_while(|batch| batch.number <= through).count();
        }
    }

    async fn tell_kept(&mut self, fates: &mpsc::Sender<Fate>) {
        let through = self.backlog.front().map_or(self.told, |batch| batch.number.saturating_sub(1));
        send(fates, Fate::Kept(through)).await;
        if self.failing && self.backlog.is_empty() {
            self.failing = false;
            send(fates, Fate::Recovered).await;
        }
    }

    async fn tell_delayed(&mut self, fates: &mpsc::Sender<Fate>) {
        self.failing = true;
        send(fates, Fate::Delayed(self.told)).await;
    }
}

async fn send(fates: &mpsc::Sender<Fate>, fate: Fate) {
    if fates.send(fate).await.is_err() {
        tracing::debug!("the engine ended before the journal");
    }
}

type Commit<'a> = Pin<Box<dyn Future<Output = Result<(), NotKept>> + Send + 'a>>;

struct UnderWay<'a> {
    commit: Commit<'a>,
    through: u64,
    began: tokio::time::Instant,
    slow: bool,
}

enum Step {
    Done(Result<(), NotKept>, u64),
    Slow,
}

impl<'a> UnderWay<'a> {
    fn new<K: Keeper>(keeper: &'a K, (records, through): (Vec<Record>, u64)) -> Self {
        Self { commit: Box::pin(keeper.keep(records)), through, began: tokio::time::Instant::now(), slow: false }
    }

    async fn result(&mut self) -> Step {
        if self.slow {
            return Step::Done(self.commit.as_mut().await, self.through);
        }
        match tokio::time::timeout_at(self.began + PATIENCE, self.commit.as_mut()).await {
            Ok(result) => Step::Done(result, self.through),
            Err(_elapsed) => {
                self.slow = true;
                Step::Slow
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{TenantId, Timestamp};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Disk {
        full: Arc<AtomicBool>,
        kept: Arc<Mutex<Vec<Record>>>,
    }

    impl Keeper for Disk {
        async fn keep(&self, records: Vec<Record>) -> Result<(), NotKept> {
            if self.full.load(Ordering::SeqCst) {
                return Err(NotKept::Disk("the disk is full".to_owned()));
            }
            if records.contains(&Record::TenantErased(TenantId(13), Timestamp(0))) {
                return Err(NotKept::Rejected("thirteen".to_owned()));
            }
            self.kept.lock().unwrap().extend(records);
            Ok(())
        }
    }

    fn batch(number: u64) -> Batch {
        Batch { number, records: vec![Record::TenantErased(TenantId(i64::try_from(number).unwrap()), Timestamp(0))] }
    }

    /// Records survive a disk that refuses for a while, in order and each once, and the engine hears of every step.
    #[tokio::test(start_paused = true)]
    async fn refused_records_are_kept_and_written_later() {
        let disk = Disk::default();
        let (batches, received) = mpsc::channel(16);
        let (fates, mut told) = mpsc::channel(16);
        let task = tokio::spawn(run(disk.clone(), received, fates));
        batches.send(batch(1)).await.unwrap();
        assert_eq!(told.recv().await, Some(Fate::Kept(1)));
        disk.full.store(true, Ordering::SeqCst);
        batches.send(batch(2)).await.unwrap();
        assert_eq!(told.recv().await, Some(Fate::Delayed(2)));
        batches.send(batch(3)).await.unwrap();
        assert_eq!(told.recv().await, Some(Fate::Delayed(3)), "answers must not wait for a disk that refuses");
        disk.full.store(false, Ordering::SeqCst);
        let mut seen = Vec::new();
        while seen.last() != Some(&Fate::Recovered) {
            seen.push(told.recv().await.unwrap());
        }
        assert!(seen.contains(&Fate::Kept(3)), "{seen:?}");
        drop(batches);
        task.await.unwrap();
        let kept = disk.kept.lock().unwrap().clone();
        assert_eq!(kept, (1..=3).flat_map(|number| batch(number).records).collect::<Vec<_>>());
    }

    /// A disk that hangs counts as refusing until it returns, so that chargers get their answers meanwhile.
    #[tokio::test(start_paused = true)]
    async fn hanging_disk_is_told() {
        struct Hanging(tokio::sync::Semaphore);
        impl Keeper for Arc<Hanging> {
            async fn keep(&self, _records: Vec<Record>) -> Result<(), NotKept> {
                drop(self.0.acquire().await);
                Ok(())
            }
        }
        let disk = Arc::new(Hanging(tokio::sync::Semaphore::new(0)));
        let (batches, received) = mpsc::channel(16);
        let (fates, mut told) = mpsc::channel(16);
        let task = tokio::spawn(run(Arc::clone(&disk), received, fates));
        batches.send(batch(1)).await.unwrap();
        assert_eq!(told.recv().await, Some(Fate::Delayed(1)));
        batches.send(batch(2)).await.unwrap();
        assert_eq!(told.recv().await, Some(Fate::Delayed(2)), "the journal takes more while the disk hangs");
        disk.0.add_permits(10);
        assert_eq!(told.recv().await, Some(Fate::Kept(1)));
        assert_eq!(told.recv().await, Some(Fate::Kept(2)));
        assert_eq!(told.recv().await, Some(Fate::Recovered));
        drop(batches);
        task.await.unwrap();
    }

    /// One contradicting batch is dropped; the batches around it are kept.
    #[tokio::test(start_paused = true)]
    async fn rejected_batch_does_not_block_the_others() {
        let disk = Disk::default();
        let (batches, received) = mpsc::channel(16);
        let (fates, mut told) = mpsc::channel(16);
        for number in 12..=14 {
            batches.send(batch(number)).await.unwrap();
        }
        drop(batches);
        run(disk.clone(), received, fates).await;
        let mut last = None;
        while let Some(fate) = told.recv().await {
            last = Some(fate);
        }
        assert_eq!(last, Some(Fate::Kept(14)));
        let kept = disk.kept.lock().unwrap().clone();
        assert_eq!(kept, [12, 14].into_iter().flat_map(|number| batch(number).records).collect::<Vec<_>>());
    }

    /// When memory runs out, frames go before sessions and settings do.
    #[test]
    fn room_is_made_from_frames() {
        let mut journal = Journal { backlog: VecDeque::new(), records: 0, told: 0, failing: true, alone: 0 };
        let frame = Record::Readings(Vec::new());
        for number in 0..=u64::try_from(BACKLOG_MAX).unwrap() {
            let mut batch = batch(number);
            batch.records.push(frame.clone());
            if journal.records + 2 > BACKLOG_MAX {
                batch.records.truncate(1);
            }
            journal.push(batch);
            if journal.records >= BACKLOG_MAX - 1 {
                break;
            }
        }
        journal.push(Batch { number: u64::MAX, records: vec![frame; 3] });
        assert!(journal.records <= BACKLOG_MAX, "{}", journal.records);
        let first = journal.backlog.front().unwrap();
        assert_eq!((first.number, first.records.len()), (0, 1), "the setting stayed, the reading went");
    }
}
