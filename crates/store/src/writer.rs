//! The one writer: a task that owns the only writing connection and gives everything that waits one transaction.
//!
//! A disk takes milliseconds to make a transaction durable, however small it is. So the task takes all commits that
//! arrived meanwhile, writes them together, and answers all of them. When one of them is refused by the tables, the
//! group is written again with a savepoint around each, and only that caller gets the error.

use crate::lock::Lock;
use crate::maintenance::{self, Maintenance};
use crate::seed::{self, History};
use crate::table::series::SeriesNumbers;
use crate::table::{
    alarm, card, certificate, charger, charger_security, circuit, decision, fact, frame, hardware, hold, meter,
    orphan_stop, reading, refused_card, retention, secret, session, session_change, session_trace, site, statement,
    status_change, stored_file, tenant, wish,
};
use crate::{Retention, SinkOrder, StatementRecord, StoreError, outbox};
use domain::{Frame, Reading, Record, Timestamp};
use sqlx::{Connection as _, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Callers that may wait; more wait in their own `commit`, which is the back-pressure. Twice the chargers of the
/// largest bench.
const QUEUE: usize = 512;

/// Most callers that share a transaction: bounds how long the first of them waits.
const GROUP_MAX: usize = 256;

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the task is asked to do.
enum Job {
    Commit { records: Arc<[Record]>, answer: Answer<()> },
    Secret { name: String, value: Option<String>, answer: Answer<()> },
    Statement { record: Box<StatementRecord>, answer: Answer<()> },
    Sink { order: Box<SinkOrder>, answer: Answer<()> },
    Retain { retention: Retention, answer: Answer<()> },
    Maintain { now: Timestamp, answer: Answer<Option<Maintenance>> },
    Seed { history: Box<History>, answer: Answer<()> },
    Close { answer: Answer<()> },
}

/// Makes records durable. Clones share one queue and one connection.
#[derive(Clone, Debug)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
    transactions: Arc<AtomicU64>,
    doubt: Arc<AtomicBool>,
}

impl Writer {
    pub(crate) fn start(conn: SqliteConnection, lock: Lock, retention: Retention, feeding: bool) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let transactions = Arc::new(AtomicU64::new(0));
        let doubt = Arc::new(AtomicBool::new(false));
        let task = Task {
            doubt: doubt.clone(),
            conn,
            lock,
            retention,
            numbers: SeriesNumbers::default(),
            transactions: transactions.clone(),
            feeding,
        };
        // It ends when the last `Writer` is gone; everything accepted until then is written.
        drop(tokio::spawn(task.run(queue)));
        Self { jobs, transactions, doubt }
    }

    /// Makes the records durable together: when this returns `Ok`, they survive power loss; when it fails, none of them
    /// is kept. Concurrent callers share one transaction, and a caller whose records are refused does not affect the
    /// others. Writing a record twice changes nothing. Pass an `Arc<[Record]>` to keep the records for another try.
    ///
    /// Dropping the future gives up waiting, not writing.
    ///
    /// # Errors
    /// Says what is wrong with the disk or the records.
    pub async fn commit(&self, records: impl Into<Arc<[Record]>>) -> Result<(), StoreError> {
        let records = records.into();
        self.ask(|answer| Job::Commit { records, answer }).await
    }

    /// Keeps a small secret value, such as a password hash, under a name.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn secret_set(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let (name, value) = (name.to_owned(), Some(value.to_owned()));
        self.ask(|answer| Job::Secret { name, value, answer }).await
    }

    /// Forgets a secret; nothing happens when there is none.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn secret_remove(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.ask(|answer| Job::Secret { name, value: None, answer }).await
    }

    /// Makes something of the statements durable. A month is closed with all its statements or not at all.
    ///
    /// # Errors
    /// As [`Self::commit`]; a month that is closed already, or a chain that grew meanwhile, is refused.
    pub async fn statement(&self, record: StatementRecord) -> Result<(), StoreError> {
        let record = Box::new(record);
        self.ask(|answer| Job::Statement { record, answer }).await
    }

    /// Makes, changes or advances a sink, in one transaction.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn sink(&self, order: SinkOrder) -> Result<(), StoreError> {
        let order = Box::new(order);
        self.ask(|answer| Job::Sink { order, answer }).await
    }

    /// Chooses how long each kind of record is kept, in whole days; the next [`Self::maintain`] removes what is older.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn retain(&self, retention: Retention) -> Result<(), StoreError> {
        self.ask(|answer| Job::Retain { retention, answer }).await
    }

    /// Packs finished hours and removes what is past its retention, in short transactions between which others commit.
    /// Call it every few minutes of the site's clock.
    ///
    /// # Errors
    /// As [`Self::commit`]; what is done so far stays done.
    pub async fn maintain(&self, now: Timestamp) -> Result<Maintenance, StoreError> {
        let mut total = Maintenance::default();
        while let Some(done) = self.ask(|answer| Job::Maintain { now, answer }).await? {
            total.packed += done.packed;
            total.frames += done.frames;
            total.removed += done.removed;
        }
        Ok(total)
    }

    /// Damage was seen: all pages are checked at the next start, however the program ends.
    pub fn doubt(&self) {
        self.doubt.store(true, Ordering::Relaxed);
    }

    /// Whether damage was seen.
    #[must_use]
    pub fn is_doubted(&self) -> bool {
        self.doubt.load(Ordering::Relaxed)
    }

    /// Transactions committed since opening; fewer than commits when callers shared them.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    /// Writes everything that waits, folds the journal into the file, marks it as cleanly closed and lets the data
    /// directory go. Other clones fail from then on.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn close(self) -> Result<(), StoreError> {
        self.ask(|answer| Job::Close { answer }).await
    }

    pub(crate) async fn seed(&self, history: History) -> Result<(), StoreError> {
        let history = Box::new(history);
        self.ask(|answer| Job::Seed { history, answer }).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).await.map_err(|_ended| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }
}

struct Task {
    /// Whether damage was seen.
    doubt: Arc<AtomicBool>,
    conn: SqliteConnection,
    lock: Lock,
    retention: Retention,
    numbers: SeriesNumbers,
    transactions: Arc<AtomicU64>,
    /// Whether there is a sink, so that minutes of readings are put into the outbox.
    feeding: bool,
}

type Waiting = (Arc<[Record]>, Answer<()>);

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        while queue.recv_many(&mut jobs, GROUP_MAX).await > 0 {
            let mut group: Vec<Waiting> = Vec::new();
            for job in jobs.drain(..) {
                match job {
                    Job::Commit { records, answer } => group.push((records, answer)),
                    Job::Secret { name, value, answer } => {
                        self.commit_group(std::mem::take(&mut group)).await;
                        reply(answer, self.secret(&name, value.as_deref()).await);
                    }
                    Job::Statement { record, answer } => {
                        self.commit_group(std::mem::take(&mut group)).await;
                        reply(answer, self.statement(&record).await);
                    }
                    Job::Sink { order, answer } => {
                        self.commit_group(std::mem::take(&mut group)).await;
                        reply(answer, self.sink(&order).await);
                    }
                    Job::Retain { retention, answer } => {
                        self.commit_group(std::mem::take(&mut group)).await;
                        reply(answer, self.retain(retention).await);
                    }
                    Job::Maintain { now, answer } => {
                        self.commit_group(std::mem::take(&mut group)).await;
                        reply(answer, self.maintain(now).await);
                    }
                    Job::Seed { history, answer } => {
                        self.commit_group(std::mem::take(&mut group)).await;
                        reply(answer, self.seed(*history).await);
                    }
                    Job::Close { answer } => {
                        self.commit_group(std::mem::take(&mut group)).await;
                        let closed = self.close().await;
                        reply(answer, closed);
                        return;
                    }
                }
            }
            self.commit_group(group).await;
        }
        if let Err(error) = self.close().await {
            tracing::warn!(%error, "the records were not closed cleanly and will be checked at the next start");
        }
    }

    async fn commit_group(&mut self, group: Vec<Waiting>) {
        if group.is_empty() {
            return;
        }
        let together = self.commit_together(&group).await;
        match together {
            Err(StoreError::Rejected(_)) if group.len() > 1 => self.commit_each(group).await,
            result => {
                for (_, answer) in group {
                    reply(answer, result.clone());
                }
            }
        }
    }

    async fn commit_together(&mut self, group: &[Waiting]) -> Result<(), StoreError> {
        self.begin().await?;
        let applied = self.apply(group.iter().flat_map(|(records, _)| records.iter())).await;
        self.end(applied).await
    }

    /// One transaction, a savepoint for each caller.
    async fn commit_each(&mut self, group: Vec<Waiting>) {
        let mut results = Vec::new();
        let mut outcome = self.begin().await;
        if outcome.is_ok() {
            for (records, _) in &group {
                match self.commit_one(records).await {
                    Ok(()) => results.push(Ok(())),
                    Err(error @ StoreError::Rejected(_)) => results.push(Err(error)),
                    Err(error) => {
                        outcome = Err(error);
                        break;
                    }
                }
            }
            outcome = self.end(outcome).await;
        }
        let mut results = results.into_iter();
        for (_, answer) in group {
            let own = results.next().unwrap_or(Ok(()));
            reply(answer, outcome.clone().and(own));
        }
    }

    async fn commit_one(&mut self, records: &[Record]) -> Result<(), StoreError> {
        self.run_sql("SAVEPOINT caller").await?;
        let applied = self.apply(records.iter()).await;
        if applied.is_err() {
            self.numbers.forget();
            self.run_sql("ROLLBACK TO caller").await?;
        }
        self.run_sql("RELEASE caller").await?;
        applied
    }

    /// Writes records inside the open transaction. Frames and readings, the many, go last and together.
    async fn apply(&mut self, records: impl Iterator<Item = &Record>) -> Result<(), StoreError> {
        let mut frames: Vec<&Frame> = Vec::new();
        let mut readings: Vec<&Reading> = Vec::new();
        for record in records {
            match record {
                Record::Frame(frame) => frames.push(frame),
                Record::Readings(many) => readings.extend(many),
                other => apply_one(&mut self.conn, other).await?,
            }
        }
        frame::insert_all(&mut self.conn, &frames).await?;
        reading::upsert_all(&mut self.conn, &mut self.numbers, &readings).await?;
        if self.feeding && !readings.is_empty() {
            outbox::minutes_seen(&mut self.conn, readings.iter().map(|reading| reading.at.0)).await?;
        }
        Ok(())
    }

    async fn secret(&mut self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.begin().await?;
        let done = secret::set(&mut self.conn, name, value).await;
        self.end(done).await
    }

    async fn statement(&mut self, record: &StatementRecord) -> Result<(), StoreError> {
        self.begin().await?;
        let done = statement::write(&mut self.conn, record).await;
        self.end(done).await
    }

    async fn sink(&mut self, order: &SinkOrder) -> Result<(), StoreError> {
        self.begin().await?;
        let done = outbox::obey(&mut self.conn, order).await;
        let done = match (done, order) {
            (Ok(()), SinkOrder::Set(_) | SinkOrder::Remove(_)) => outbox::install(&mut self.conn).await,
            (done, _) => done.map(|()| self.feeding),
        };
        let feeding = self.end(done).await?;
        self.feeding = feeding;
        Ok(())
    }

    async fn retain(&mut self, retention: Retention) -> Result<(), StoreError> {
        self.begin().await?;
        let done = retention::set(&mut self.conn, &retention).await;
        self.end(done).await?;
        self.retention = retention;
        Ok(())
    }

    async fn maintain(&mut self, now: Timestamp) -> Result<Option<Maintenance>, StoreError> {
        self.begin().await?;
        let done = maintenance::slice(&mut self.conn, &self.retention, now, self.feeding).await;
        self.end(done).await
    }

    async fn seed(&mut self, history: History) -> Result<(), StoreError> {
        self.begin().await?;
        let done = seed::write(&mut self.conn, &mut self.numbers, history).await;
        self.end(done).await
    }

    async fn close(self) -> Result<(), StoreError> {
        let Self { mut conn, mut lock, doubt, .. } = self;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await?;
        conn.close().await?;
        if doubt.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Err(error) = lock.mark_clean() {
            tracing::warn!(%error, "the lock file cannot be written; the records will be checked at the next start");
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), StoreError> {
        self.run_sql("BEGIN IMMEDIATE").await
    }

    /// Commits when all went well, else takes everything back.
    async fn end<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        let done = match done {
            Ok(value) => self.run_sql("COMMIT").await.map(|()| value),
            Err(error) => Err(error),
        };
        match &done {
            Ok(_) => {
                self.transactions.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                if let StoreError::Corrupt(_) = error {
                    self.doubt.store(true, Ordering::Relaxed);
                }
                self.numbers.forget();
                // SQLite may have taken it back by itself; then there is nothing to roll back, which is as good.
                let _already = self.run_sql("ROLLBACK").await;
            }
        }
        done
    }

    async fn run_sql(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::query(sql).execute(&mut self.conn).await?;
        Ok(())
    }
}

/// A caller that gave up waiting needs no answer.
fn reply<T>(answer: Answer<T>, result: Result<T, StoreError>) {
    drop(answer.send(result));
}

async fn apply_one(conn: &mut SqliteConnection, record: &Record) -> Result<(), StoreError> {
    match record {
        Record::Site(site) => site::upsert(conn, site).await,
        Record::Circuits(circuits) => circuit::replace_all(conn, circuits).await,
        Record::Meter(meter) => meter::upsert(conn, meter).await,
        Record::MeterRemoved(id) => meter::remove(conn, id).await,
        Record::Charger(charger) => charger::upsert(conn, charger).await,
        Record::ChargerRemoved(id) => charger::remove(conn, id).await,
        Record::Hardware(id, info) => hardware::upsert(conn, id, info).await,
        Record::Hold(id, hold) => hold::set(conn, id, *hold).await,
        Record::Tenant(tenant) => tenant::upsert(conn, tenant).await,
        Record::TenantErased(id, at) => tenant::erase(conn, *id, *at).await,
        Record::Card(card) => card::upsert(conn, card).await,
        Record::CardRemoved(uid) => card::remove(conn, uid).await,
        Record::CardRefused(refused) => refused_card::upsert(conn, refused).await,
        Record::Session(session) => session::upsert(conn, session).await,
        Record::Wish(session, wish) => wish::set(conn, *session, *wish).await,
        Record::SessionMeasured { session, at, energy } => session_trace::add(conn, *session, *at, *energy).await,
        Record::SessionChanged(change) => session_change::insert(conn, change).await,
        Record::OrphanStop(stop) => orphan_stop::insert(conn, stop).await,
        Record::OrphanDecided(decision) => orphan_stop::decide(conn, decision).await,
        Record::Decision(decision) => decision::upsert(conn, decision).await,
        Record::Alarm(alarm) => alarm::upsert(conn, alarm).await,
        Record::ChargerSecurity(security) => charger_security::upsert(conn, security).await,
        Record::Certificate(certificate) => certificate::upsert(conn, certificate).await,
        Record::File(file) => stored_file::upsert(conn, file).await,
        Record::FileRemoved(id) => stored_file::remove(conn, id).await,
        Record::StatusChange(change) => status_change::insert(conn, change).await,
        Record::Fact(fact) => fact::set(conn, fact).await,
        // Written together by `apply`.
        Record::Frame(_) | Record::Readings(_) => Ok(()),
    }
}
