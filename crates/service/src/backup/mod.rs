//! Copies of the records: made every day while the program runs, kept by a rule, brought back, and written out in open
//! formats. `docs/backup.md` says it for people.

mod beside;
mod export;
mod keep;
mod recover;

pub use self::beside::{Beside, look as backup_beside};
pub use self::export::{Exported, export};
pub(crate) use self::recover::{open_store, restore_at_next_start, waits};

use domain::Clock;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
pub use store::Inspection;
use store::StoreError;
use tokio::sync::{Notify, watch};

/// File with the settings, beside the records: they must be found when the records are damaged.
const SETTINGS_FILE: &str = "backup.json";

/// Folder of the copies while none was chosen.
const DEFAULT_FOLDER: &str = "backups";

/// How often it is looked whether a copy is due.
const LOOK_EVERY: Duration = Duration::from_secs(300);

/// Time between two copies, in milliseconds: a day, less what a start a little earlier may differ.
const DUE_MS: i64 = 86_400_000 - 600_000;

/// Why a copy could not be made, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The copy or the records are the cause.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or folder cannot be used.
    #[error("{path} cannot be read or written; check that it is there, writable, and that its disk is not full")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no such copy.
    #[error("there is no copy {0}; read the list for what there is")]
    Unknown(String),
    /// The numbers of the rule are out of range, or the secrets cannot be read.
    #[error("{0}")]
    Rule(String),
}

/// Where copies go and how many are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupSettings {
    /// Folder; empty for `backups` in the data folder.
    pub folder: String,
    /// Whether a copy is made every day.
    pub daily: bool,
    /// The newest of this many days are kept.
    pub days: u32,
    /// And of this many weeks.
    pub weeks: u32,
    /// And of this many months.
    pub months: u32,
}

impl Default for BackupSettings {
    fn default() -> Self {
        Self { folder: String::new(), daily: true, days: 7, weeks: 4, months: 12 }
    }
}

impl BackupSettings {
    /// The settings of a data folder.
    #[must_use]
    pub fn read(dir: &Path) -> Self {
        let text = std::fs::read_to_string(dir.join(SETTINGS_FILE)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<(), BackupError> {
        if self.days == 0 || self.days > 366 || self.weeks > 520 || self.months > 1200 {
            return Err(BackupError::Rule(
                "keep between 1 and 366 days, and up to 520 weeks and 1200 months".to_owned(),
            ));
        }
        let path = dir.join(SETTINGS_FILE);
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let unfinished = dir.join("backup.json.new");
        std::fs::create_dir_all(self.folder_in(dir))
            .and_then(|()| std::fs::write(&unfinished, text))
            .and_then(|()| std::fs::rename(&unfinished, &path))
            .map_err(|source| BackupError::File { path: self.folder_in(dir), source })
    }

    /// The folder of the copies of a data folder.
    #[must_use]
    pub fn folder_in(&self, dir: &Path) -> PathBuf {
        if self.folder.is_empty() { dir.join(DEFAULT_FOLDER) } else { PathBuf::from(&self.folder) }
    }
}

/// A copy in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// File name.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub at_ms: i64,
    /// Size in bytes.
    pub bytes: u64,
}

/// Copies in a folder, newest first. Other files there are left alone.
#[must_use]
pub fn copies(folder: &Path) -> Vec<Copy> {
    let mut found: Vec<Copy> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let at_ms = keep::stamp_of(&name)?;
            Some(Copy { name, at_ms, bytes: entry.metadata().ok()?.len() })
        })
        .collect();
    found.sort_by(|a, b| b.at_ms.cmp(&a.at_ms).then_with(|| b.name.cmp(&a.name)));
    found
}

/// Makes a copy now and removes those the rule does not keep. Gives the new one.
///
/// # Errors
/// When the folder cannot be written.
pub async fn backup_now(dir: &Path, settings: &BackupSettings, now_ms: i64) -> Result<Copy, BackupError> {
    let folder = settings.folder_in(dir);
    let name = keep::name_at(now_ms);
    let bytes = store::backup_write(dir, &folder.join(&name)).await?;
    beside::take(dir, &folder.join(&name)).await?;
    let gone = keep::to_remove(&copies(&folder), settings);
    for name in &gone {
        let path = folder.join(name);
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "an old copy could not be removed");
        }
    }
    beside::sweep(&folder, &copies(&folder), &gone);
    Ok(Copy { name, at_ms: now_ms, bytes })
}

/// Looks into a copy and checks that it is whole.
///
/// # Errors
/// When it is damaged, no copy of records, or of a newer program.
pub async fn backup_inspect(file: &Path) -> Result<Inspection, BackupError> {
    Ok(store::backup_inspect(file).await?)
}

/// Puts a copy in place of the records of a data folder that no program uses, with the files that lie beside it; gives
/// where the records before are kept.
///
/// # Errors
/// As [`backup_inspect`], and while a program uses the records.
pub async fn backup_restore(file: &Path, dir: &Path) -> Result<Option<PathBuf>, BackupError> {
    let kept = store::backup_restore(file, dir).await?;
    beside::give(file, dir).await?;
    Ok(kept)
}

/// Makes copies while the program runs.
#[derive(Clone)]
pub(crate) struct Backups(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    clock: Arc<dyn Clock>,
    trouble: Mutex<Option<String>>,
    wake: Notify,
}

impl Backups {
    pub(crate) fn new(dir: &Path, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { dir: dir.to_owned(), clock, trouble: Mutex::new(None), wake: Notify::new() }))
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.0.dir
    }

    pub(crate) fn settings(&self) -> BackupSettings {
        BackupSettings::read(&self.0.dir)
    }

    /// Why the last copy failed; `None` when it did not.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, settings: &BackupSettings) -> Result<(), BackupError> {
        settings.write(&self.0.dir)?;
        self.0.wake.notify_one();
        Ok(())
    }

    /// Makes a copy and remembers how it went.
    pub(crate) async fn now(&self) -> Result<Copy, BackupError> {
        let made = backup_now(&self.0.dir, &self.settings(), self.0.clock.now().wall.0).await;
        let trouble = made.as_ref().err().map(|error| crate::error::chain(error));
        *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        made
    }

    /// Makes the copies that are due, until the drain.
    pub(crate) async fn run(self, mut drain: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = crate::drain::drained(&mut drain) => return,
                () = self.0.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let settings = self.settings();
            let newest = copies(&settings.folder_in(&self.0.dir)).first().map(|copy| copy.at_ms);
            let now_ms = self.0.clock.now().wall.0;
            // A copy from the future means the clock was wrong once.
            if settings.daily && newest.is_none_or(|at| now_ms - at >= DUE_MS || at > now_ms) {
                match self.now().await {
                    Ok(copy) => tracing::info!(name = copy.name, bytes = copy.bytes, "the records were copied"),
                    Err(error) => {
                        tracing::error!(error = crate::error::chain(&error), "the records could not be copied");
                    }
                }
            }
        }
    }
}
