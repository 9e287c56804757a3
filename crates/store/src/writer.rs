//! The one writer.

use crate::{Maintenance, StoreError};
use domain::{Record, Timestamp};
use std::sync::Arc;

/// Makes records durable. Clones share one queue and one connection.
#[derive(Clone, Debug)]
pub struct Writer {
}

impl Writer {
    /// Makes the records durable together: when this returns `Ok`, they survive power loss; when it fails, none of them
    /// is kept. Concurrent callers share one transaction, and a caller whose records are refused does not affect the
    /// others. Writing a record twice changes nothing. Pass an `Arc<[Record]>` to keep the records for another try.
    ///
    /// # Errors
    /// Says what is wrong with the disk or the records.
    pub async fn commit(&self, records: impl Into<Arc<[Record]>>) -> Result<(), StoreError> {
        drop(records.into());
        Err(StoreError::Closed)
    }

    /// Keeps a small secret value, such as a password hash, under a name.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn secret_set(&self, name: &str, value: &str) -> Result<(), StoreError> {
        drop((name, value));
        Err(StoreError::Closed)
    }

    /// Forgets a secret; nothing happens when there is none.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn secret_remove(&self, name: &str) -> Result<(), StoreError> {
        drop(name);
        Err(StoreError::Closed)
    }

    /// Packs finished hours and removes what is past its retention, in short transactions between which others commit.
    /// Call it every few minutes of the site's clock.
    ///
    /// # Errors
    /// As [`Self::commit`]; what is done so far stays done.
    pub async fn maintain(&self, now: Timestamp) -> Result<Maintenance, StoreError> {
        let _ = now;
        Err(StoreError::Closed)
    }

    /// Transactions committed since opening; fewer than commits when callers shared them.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        0
    }

    /// Writes everything that waits, folds the journal into the file and marks it as cleanly closed.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(())
    }
}
