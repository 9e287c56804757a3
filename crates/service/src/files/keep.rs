//! Taking bytes in: size and quota, onto the disk, then into the records.

use super::{ALL_BYTES_MAX, FILE_BYTES_MAX, Files, UPLOAD_FILES_MAX, is_closed, new_id};
use bytes::Bytes;
use domain::{FileKind, StoredFile};
use futures_util::{Stream, StreamExt as _};
use ring::digest::{Context, SHA256};
use std::path::PathBuf;
use std::time::Duration;
use store::StoreError;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

/// Silence after which a transfer is given up.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Longest name kept.
const NAME_CHARS_MAX: usize = 120;

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// There is no such place, or it is closed.
    #[error("this address takes no files; ask the charger for its diagnostics again")]
    NoPlace,
    /// Too many files for one place.
    #[error("this address took as many files as it may; ask the charger for its diagnostics again")]
    PlaceFull,
    /// Too large.
    #[error("the file is larger than {} MB", FILE_BYTES_MAX / 1024 / 1024)]
    TooLarge,
    /// All files together are too large.
    #[error("the files together are larger than {} MB; remove some in the console", ALL_BYTES_MAX / 1024 / 1024)]
    QuotaReached,
    /// Too many transfers at once.
    #[error("too many transfers at once; try again in a minute")]
    Busy,
    /// The sender went away.
    #[error("the transfer broke off; send the file again")]
    BrokeOff,
    /// An empty file.
    #[error("the file is empty")]
    Empty,
    /// The disk refuses.
    #[error("the file cannot be written to {path}; free space on the disk or check it")]
    Disk {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The record cannot be kept.
    #[error("the file cannot be recorded; free space on the disk or check it")]
    Store(#[source] StoreError),
    /// No random numbers.
    #[error("the system gives no random numbers; check the operating system")]
    Random,
}

/// What kind of answer an error deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileErrorKind {
    /// Nothing here.
    NotFound,
    /// Too large.
    TooLarge,
    /// No room.
    NoRoom,
    /// The sender's fault.
    Invalid,
    /// Try later.
    Unavailable,
}

impl FileError {
    pub(crate) const fn kind(&self) -> FileErrorKind {
        match self {
            Self::NoPlace | Self::PlaceFull => FileErrorKind::NotFound,
            Self::TooLarge => FileErrorKind::TooLarge,
            Self::QuotaReached => FileErrorKind::NoRoom,
            Self::BrokeOff | Self::Empty => FileErrorKind::Invalid,
            Self::Busy | Self::Disk { .. } | Self::Store(_) | Self::Random => FileErrorKind::Unavailable,
        }
    }
}

/// What a file is for.
pub(crate) enum Incoming {
    /// A charger sends it to this place.
    Upload {
        /// The place.
        place: String,
    },
    /// The manager gives it for chargers.
    Firmware,
}

impl Files {
    /// Takes a file in whole or not at all.
    ///
    /// # Errors
    /// When it is refused; nothing of it stays then.
    pub(crate) async fn take<E: std::fmt::Display>(
        &self,
        incoming: Incoming,
        name: &str,
        bytes: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    ) -> Result<StoredFile, FileError> {
        let _slot = self.0.transfers.try_acquire().map_err(|_busy| FileError::Busy)?;
        let mut file = self.destination(&incoming)?;
        let promised = Promise::new(self);
        let part = self.0.dir.join(format!("{}.part", file.id));
        let received = self.receive(&part, bytes, promised).await;
        let (size, sha256) = match received {
            Ok(received) => received,
            Err(error) => {
                drop(tokio::fs::remove_file(&part).await);
                return Err(error);
            }
        };
        let path = self.path(&file.id);
        tokio::fs::rename(&part, &path).await.map_err(|source| FileError::Disk { path, source })?;
        file.name = kept_name(name, &file);
        (file.bytes, file.sha256, file.at) = (Some(size), sha256, self.now());
        self.keep(file.clone()).await?;
        if let Incoming::Upload { place } = incoming {
            *self.known().parts.entry(place).or_insert(0) += 1;
        }
        tracing::info!(name = file.name, size, charger = ?file.charger, "file received");
        Ok(file)
    }

    /// The place itself for its first file, a new id for each further one.
    fn destination(&self, incoming: &Incoming) -> Result<StoredFile, FileError> {
        let fresh = |charger, kind| {
            let id = new_id()?;
            let at = self.now();
            Ok(StoredFile { id, kind, charger, name: String::new(), bytes: None, sha256: String::new(), at })
        };
        let Incoming::Upload { place } = incoming else { return fresh(None, FileKind::Firmware) };
        let known = self.get(place).filter(|file| file.kind == FileKind::Upload).ok_or(FileError::NoPlace)?;
        if is_closed(&known, self.now()) {
            return Err(FileError::NoPlace);
        }
        if self.known().parts.get(place).is_some_and(|count| *count >= UPLOAD_FILES_MAX) {
            return Err(FileError::PlaceFull);
        }
        if known.bytes.is_none() { Ok(known) } else { fresh(known.charger, FileKind::Upload) }
    }

    async fn receive<E: std::fmt::Display>(
        &self,
        part: &PathBuf,
        mut bytes: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
        mut promise: Promise<'_>,
    ) -> Result<(u64, String), FileError> {
        let failed = |source| FileError::Disk { path: part.clone(), source };
        tokio::fs::create_dir_all(&self.0.dir).await.map_err(failed)?;
        let mut file = tokio::fs::File::create(part).await.map_err(failed)?;
        let mut digest = Context::new(&SHA256);
        let mut size = 0_u64;
        loop {
            let chunk = match timeout(SILENCE_MAX, bytes.next()).await {
                Ok(Some(Ok(chunk))) => chunk,
                Ok(None) => break,
                Ok(Some(Err(error))) => {
                    tracing::debug!(%error, "a transfer broke off");
                    return Err(FileError::BrokeOff);
                }
                Err(_elapsed) => return Err(FileError::BrokeOff),
            };
            let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            size = size.saturating_add(length);
            if size > FILE_BYTES_MAX {
                return Err(FileError::TooLarge);
            }
            promise.more(length)?;
            digest.update(&chunk);
            file.write_all(&chunk).await.map_err(failed)?;
        }
        if size == 0 {
            return Err(FileError::Empty);
        }
        file.flush().await.map_err(failed)?;
        file.sync_all().await.map_err(failed)?;
        let sha256 = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((size, sha256))
    }
}

/// Bytes of a transfer under way, counted against the quota until it is recorded or given up.
struct Promise<'a> {
    files: &'a Files,
    bytes: u64,
}

impl<'a> Promise<'a> {
    const fn new(files: &'a Files) -> Self {
        Self { files, bytes: 0 }
    }

    fn more(&mut self, bytes: u64) -> Result<(), FileError> {
        let mut known = self.files.known();
        let stored: u64 = known.files.values().filter_map(|file| file.bytes).sum();
        if stored.saturating_add(known.arriving).saturating_add(bytes) > ALL_BYTES_MAX {
            return Err(FileError::QuotaReached);
        }
        known.arriving += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        let mut known = self.files.known();
        known.arriving = known.arriving.saturating_sub(self.bytes);
    }
}

/// The last part of what the sender called it, without anything that could be a path or a trick.
fn kept_name(name: &str, file: &StoredFile) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control() && *c != '"').take(NAME_CHARS_MAX).collect();
    let clean = clean.trim().trim_start_matches('.').to_owned();
    if !clean.is_empty() {
        return clean;
    }
    match &file.charger {
        Some(charger) => format!("{charger}-diagnostics"),
        None => "firmware".to_owned(),
    }
}
