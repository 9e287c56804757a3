//! Opening: one program per directory, a whole file, tables in this program's format.

use crate::{Reader, StoreError, Writer};
use domain::DurationMs;
use std::path::Path;

/// How long each kind of record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Readings as measured.
    pub raw: DurationMs,
    /// Minute means. Quarter-hours are kept for ever.
    pub minutes: DurationMs,
    /// Protocol frames.
    pub frames: DurationMs,
    /// Decisions.
    pub decisions: DurationMs,
    /// Refused cards and cleared alarms.
    pub events: DurationMs,
}

const DAY: u64 = 86_400_000;

impl Default for Retention {
    /// 40 days raw covers a month and its statement; 25 months of minutes compare two years; a week of frames is what
    /// a support case needs.
    fn default() -> Self {
        Self {
            raw: DurationMs(40 * DAY),
            minutes: DurationMs(761 * DAY),
            frames: DurationMs(7 * DAY),
            decisions: DurationMs(400 * DAY),
            events: DurationMs(761 * DAY),
        }
    }
}

/// How to open the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How long each kind of record is kept.
    pub retention: Retention,
    /// Most pages of 4 KiB the file may have; `None` for as many as the disk holds.
    pub pages_max: Option<u32>,
}

/// The records of one site.
#[derive(Debug)]
pub struct Store;

impl Store {
    /// Opens (or makes) the records in `dir`, checks that the file is whole and brings its tables to this program's
    /// format. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another program has them, [`StoreError::NewerSchema`] when a newer program wrote them,
    /// [`StoreError::Damaged`] when the file was damaged: it has then been renamed, and calling again starts afresh.
    pub async fn open(dir: &Path, options: Options) -> Result<(Writer, Reader), StoreError> {
        drop((dir, options));
        Err(StoreError::Closed)
    }
}
