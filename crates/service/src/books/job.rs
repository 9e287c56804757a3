//! Long jobs: files or e-mails for all tenants, with progress and a way to stop them.

use api::{JobItem, JobState};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Finished jobs that are remembered with their files; the oldest goes first.
const REMEMBERED: usize = 4;

/// A long job.
#[derive(Debug)]
pub(crate) struct Job {
    id: u64,
    kind: &'static str,
    month: String,
    total: u32,
    done: AtomicU32,
    cancelled: AtomicBool,
    outcome: Mutex<Option<Outcome>>,
}

#[derive(Debug)]
enum Outcome {
    File { name: String, bytes: bytes::Bytes },
    Done,
    Cancelled,
    Failed(String),
}

impl Job {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// One more tenant is done.
    pub(crate) fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn end(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    pub(crate) fn end_with_file(&self, name: String, bytes: Vec<u8>) {
        self.end(Outcome::File { name, bytes: bytes.into() });
    }

    pub(crate) fn end_done(&self) {
        self.end(if self.is_cancelled() { Outcome::Cancelled } else { Outcome::Done });
    }

    pub(crate) fn end_cancelled(&self) {
        self.end(Outcome::Cancelled);
    }

    pub(crate) fn end_failed(&self, detail: String) {
        self.end(Outcome::Failed(detail));
    }

    /// Name and bytes of the file it made, once it did.
    pub(crate) fn file(&self) -> Option<(String, bytes::Bytes)> {
        match &*self.outcome.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Outcome::File { name, bytes }) => Some((name.clone(), bytes.clone())),
            Some(Outcome::Done | Outcome::Cancelled | Outcome::Failed(_)) | None => None,
        }
    }

    pub(crate) fn item(&self) -> JobItem {
        let (state, detail) = match &*self.outcome.lock().unwrap_or_else(PoisonError::into_inner) {
            None => (JobState::Running, String::new()),
            Some(Outcome::File { .. } | Outcome::Done) => (JobState::Done, String::new()),
            Some(Outcome::Cancelled) => (JobState::Cancelled, String::new()),
            Some(Outcome::Failed(detail)) => (JobState::Failed, detail.clone()),
        };
        JobItem {
            id: self.id,
            kind: self.kind.to_owned(),
            month: self.month.clone(),
            state,
            done: self.done.load(Ordering::Relaxed),
            total: self.total,
            detail,
        }
    }
}

/// All jobs since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jobs(Arc<Mutex<BTreeMap<u64, Arc<Job>>>>);

impl Jobs {
    /// Begins a job.
    pub(crate) fn begin(&self, kind: &'static str, month: String, total: usize) -> Arc<Job> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while jobs.len() >= REMEMBERED {
            let Some((_, oldest)) = jobs.pop_first() else { break };
            oldest.cancel();
        }
        let id = jobs.last_key_value().map_or(1, |(id, _)| id + 1);
        let job = Arc::new(Job {
            id,
            kind,
            month,
            total: u32::try_from(total).unwrap_or(u32::MAX),
            done: AtomicU32::new(0),
            cancelled: AtomicBool::new(false),
            outcome: Mutex::new(None),
        });
        jobs.insert(id, Arc::clone(&job));
        job
    }

    pub(crate) fn get(&self, id: u64) -> Option<Arc<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}
