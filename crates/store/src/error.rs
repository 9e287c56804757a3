//! What can go wrong, in words that say what to do.

use std::path::PathBuf;
use std::sync::Arc;

/// Why something could not be kept or read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Two programs on one file would each undo what the other decided.
    #[error("another Meshwatt already uses {dir}: stop it, or give this one a data directory of its own")]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// The data directory cannot be made or written.
    #[error("the data directory {dir} cannot be used: check that it exists and that this user may write there")]
    Directory {
        /// The data directory.
        dir: PathBuf,
        /// What the system said.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The file was written by a newer program.
    #[error(
        "the records in {path} have format {found}, this program knows up to {known}: install the newer Meshwatt again"
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Format of the file.
        found: i64,
        /// Newest format this program knows.
        known: i64,
    },
    /// The file was damaged and has been set aside; opening again starts with an empty one.
    #[error(
        "the records were damaged and have been set aside as {set_aside}: restore a backup, or go on with empty records"
    )]
    Damaged {
        /// Where the damaged file is now.
        set_aside: PathBuf,
    },
    /// The file is no copy of records.
    #[error(
        "{file} is no copy of Meshwatt's records, or is not there: choose a file such as meshwatt-20261120T030000Z.db"
    )]
    NoCopy {
        /// The file.
        file: PathBuf,
    },
    /// A copy is damaged.
    #[error("the copy {file} is damaged: choose another one; nothing was changed")]
    DamagedCopy {
        /// The file.
        file: PathBuf,
        /// What the database said.
        #[source]
        source: Arc<sqlx::Error>,
    },
    /// The file became damaged while in use.
    #[error("the records are damaged: restart Meshwatt, it sets the damaged file aside")]
    Corrupt(#[source] Arc<sqlx::Error>),
    /// No room left.
    #[error("the disk is full: free some space, charging goes on from memory until then")]
    DiskFull(#[source] Arc<sqlx::Error>),
    /// The file or its directory cannot be written.
    #[error("the records cannot be written because the disk or the file is read-only: make it writable")]
    ReadOnly(#[source] Arc<sqlx::Error>),
    /// The disk did not do what it was asked.
    #[error(
        "the disk failed or became read-only: check its cable and health, and whether the data directory is still there"
    )]
    Disk(#[source] Arc<sqlx::Error>),
    /// Another program holds the file.
    #[error("another program holds the records: close it")]
    Busy(#[source] Arc<sqlx::Error>),
    /// A record breaks a rule of the tables; the records of other callers are not affected.
    #[error("a record was refused because it contradicts the others")]
    Rejected(#[source] Arc<sqlx::Error>),
    /// The tables cannot be brought to this program's format.
    #[error("the records cannot be brought to the format of this program")]
    Migration(#[source] Arc<sqlx::migrate::MigrateError>),
    /// A row holds something this program cannot understand.
    #[error("a row of {table} cannot be understood: {detail}")]
    Row {
        /// Which table.
        table: &'static str,
        /// What it holds.
        detail: String,
    },
    /// A cursor that no list gave out.
    #[error("{0:?} is no cursor of this list: start again without one")]
    Cursor(String),
    /// Anything else the database said.
    #[error("the database refused")]
    Query(#[source] Arc<sqlx::Error>),
    /// The writer has ended.
    #[error("the records are closed because the program is stopping")]
    Closed,
}

impl StoreError {
    /// Whether the disk is the cause, so that the same records may succeed later; `false` when the records themselves
    /// or the request are.
    #[must_use]
    pub const fn is_storage(&self) -> bool {
        match self {
            Self::InUse { .. }
            | Self::Directory { .. }
            | Self::Damaged { .. }
            | Self::Corrupt(_)
            | Self::DiskFull(_)
            | Self::ReadOnly(_)
            | Self::Disk(_)
            | Self::Busy(_)
            | Self::Query(_)
            | Self::Closed => true,
            Self::NewerSchema { .. }
            | Self::NoCopy { .. }
            | Self::DamagedCopy { .. }
            | Self::Rejected(_)
            | Self::Migration(_)
            | Self::Row { .. }
            | Self::Cursor(_) => false,
        }
    }
}

/// Primary result codes of SQLite, from `sqlite3.h`.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const CONSTRAINT: i32 = 19;
    pub(super) const MISMATCH: i32 = 20;
    pub(super) const NOTADB: i32 = 26;
}

impl From<sqlx::Error> for StoreError {
    /// Sorts by SQLite's primary result code.
    fn from(error: sqlx::Error) -> Self {
        let primary = match &error {
            sqlx::Error::Database(database) => {
                database.code().and_then(|text| text.parse::<i32>().ok()).map(|code| code & 0xff)
            }
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => return Self::Closed,
            _ => None,
        };
        let error = Arc::new(error);
        match primary {
            Some(code::FULL) => Self::DiskFull(error),
            Some(code::READONLY) => Self::ReadOnly(error),
            Some(code::IOERR | code::CANTOPEN) => Self::Disk(error),
            Some(code::CORRUPT | code::NOTADB) => Self::Corrupt(error),
            Some(code::BUSY | code::LOCKED) => Self::Busy(error),
            Some(code::CONSTRAINT | code::MISMATCH) => Self::Rejected(error),
            _ => Self::Query(error),
        }
    }
}
