//! Files that chargers fetch and leave: firmware, diagnostics, logs.
//!
//! The bytes are in `DIR/files`, one file per id; ids are random and are the only key a charger has, since most chargers
//! can send nothing but an address. A place for an upload is made when a charger is asked for its diagnostics
//! ([`Files::upload_url`]); firmware is given by the manager and fetched under [`Files::firmware_url`].

mod keep;
mod listen;
mod serve;

pub(crate) use self::keep::{FileError, FileErrorKind, Incoming};
pub(crate) use self::serve::{send, serve};

use crate::credentials::random_hex;
use crate::reach;
use domain::{ChargerId, Clock, FileKind, Record, StoredFile, Timestamp};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Reader, StoreError, Writer};
use tokio::sync::Semaphore;

/// Largest file: firmware of today stays below 200 MB, diagnostics below 50.
pub(crate) const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// All files together; beyond it uploads are refused until some are removed.
pub(crate) const ALL_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// How long a place for an upload is open; chargers retry for hours.
const UPLOAD_OPEN_MS: i64 = 24 * 3600 * 1000;

/// Files one place takes: some chargers send a log in parts.
const UPLOAD_FILES_MAX: usize = 16;

/// Places waiting at once; the oldest empty one makes room.
const PLACES_MAX: usize = 1000;

/// Transfers at once; each holds a file and a socket.
const TRANSFERS_MAX: usize = 32;

/// How a charger reaches us.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Its own network address, which decides which of ours it can reach.
    pub(crate) at: Option<IpAddr>,
    /// Whether it trusts our certificate, since its OCPP line is private.
    pub(crate) is_private: bool,
}

/// The files of a building.
#[derive(Clone)]
pub(crate) struct Files(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    writer: Writer,
    clock: Arc<dyn Clock>,
    /// Where chargers reach the file server; `None` while it is off.
    bound: Option<SocketAddr>,
    known: Mutex<Known>,
    transfers: Semaphore,
}

#[derive(Default)]
struct Known {
    files: BTreeMap<String, StoredFile>,
    /// Further files of a place, by the place.
    parts: BTreeMap<String, usize>,
    /// Bytes promised to transfers under way.
    arriving: u64,
}

impl Files {
    /// The files of the last run.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub(crate) async fn open(
        data_dir: &Path,
        bound: Option<SocketAddr>,
        reader: &Reader,
        writer: Writer,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let files = reader.file_list().await?.into_iter().map(|file| (file.id.clone(), file)).collect();
        let known = Mutex::new(Known { files, ..Known::default() });
        let transfers = Semaphore::new(TRANSFERS_MAX);
        Ok(Self(Arc::new(Inner { dir: data_dir.join("files"), writer, clock, bound, known, transfers })))
    }

    /// The address a charger leaves its next diagnostics at; `None` while the file server is off. `charger_at` says how
    /// it reaches us.
    ///
    /// # Errors
    /// When the place cannot be kept.
    pub(crate) async fn upload_url(&self, charger: &ChargerId, charger_at: Reach) -> Result<Option<String>, FileError> {
        let Some(base) = self.base(charger_at) else { return Ok(None) };
        let file = StoredFile {
            id: new_id()?,
            kind: FileKind::Upload,
            charger: Some(charger.clone()),
            name: String::new(),
            bytes: None,
            sha256: String::new(),
            at: self.now(),
        };
        let url = format!("{base}/upload/{}/", file.id);
        self.forget_old_places().await?;
        self.keep(file).await?;
        Ok(Some(url))
    }

    /// The address chargers fetch this firmware from; `None` while the file server is off or without such a file.
    pub(crate) fn firmware_url(&self, id: &str, charger_at: Reach) -> Option<String> {
        let file = self.get(id).filter(|file| file.kind == FileKind::Firmware && file.bytes.is_some())?;
        Some(format!("{}/firmware/{}/{}", self.base(charger_at)?, file.id, path_name(&file.name)))
    }

    /// One file or place.
    pub(crate) fn get(&self, id: &str) -> Option<StoredFile> {
        self.known().files.get(id).cloned()
    }

    /// All files and places, newest first.
    pub(crate) fn list(&self) -> Vec<StoredFile> {
        let mut files: Vec<StoredFile> = self.known().files.values().cloned().collect();
        files.sort_by(|left, right| right.at.cmp(&left.at).then_with(|| left.id.cmp(&right.id)));
        files
    }

    /// Removes a file and what is known of it; `false` when there is none.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub(crate) async fn remove(&self, id: &str) -> Result<bool, FileError> {
        if self.get(id).is_none() {
            return Ok(false);
        }
        self.0.writer.commit(vec![Record::FileRemoved(id.to_owned())]).await.map_err(FileError::Store)?;
        self.known().files.remove(id);
        match tokio::fs::remove_file(self.path(id)).await {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(id, %error, "a removed file stays on the disk"),
        }
        Ok(true)
    }

    /// Where the bytes of a file are.
    pub(crate) fn path(&self, id: &str) -> PathBuf {
        self.0.dir.join(id)
    }

    /// Where chargers reach us.
    fn base(&self, charger: Reach) -> Option<String> {
        let scheme = if charger.is_private { "https" } else { "http" };
        Some(format!("{scheme}://{}", reach::nearest(self.0.bound?, charger.at)))
    }

    /// Empty places that are closed are forgotten, and the oldest when there are too many.
    async fn forget_old_places(&self) -> Result<(), FileError> {
        let now = self.now();
        let mut empty: Vec<StoredFile> = self.list().into_iter().filter(|file| file.bytes.is_none()).collect();
        empty.reverse();
        let surplus = empty.len().saturating_sub(PLACES_MAX - 1);
        let old: Vec<String> = empty
            .into_iter()
            .enumerate()
            .filter(|(index, file)| *index < surplus || is_closed(file, now))
            .map(|(_, file)| file.id)
            .collect();
        for id in old {
            self.remove(&id).await?;
        }
        Ok(())
    }

    async fn keep(&self, file: StoredFile) -> Result<(), FileError> {
        self.0.writer.commit(vec![Record::File(file.clone())]).await.map_err(FileError::Store)?;
        self.known().files.insert(file.id.clone(), file);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now().wall
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_closed(file: &StoredFile, now: Timestamp) -> bool {
    now.0 - file.at.0 > UPLOAD_OPEN_MS
}

/// 128 random bits: nobody guesses where another charger's diagnostics go.
fn new_id() -> Result<String, FileError> {
    random_hex(16).map_err(|_unavailable| FileError::Random)
}

/// A name as it may stand in an address: chargers are bad at decoding.
fn path_name(name: &str) -> String {
    let safe: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect();
    if safe.is_empty() { "file".to_owned() } else { safe }
}

#[cfg(test)]
mod tests;
