//! Only one program at a time: a lock the system drops with the process, however it ends.

use crate::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;

/// Said inside the lock file after a clean close; anything else means the last program was killed.
const CLEAN: &str = "clean";

/// Held as long as the records are open.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock; the flag says whether the records were closed cleanly before.
    pub(crate) fn take(dir: &Path) -> Result<(Self, Closed), StoreError> {
        let directory = |source| StoreError::Directory { dir: dir.to_path_buf(), source: Arc::new(source) };
        std::fs::create_dir_all(dir).map_err(directory)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join("meshwatt.lock"))
            .map_err(directory)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { dir: dir.to_path_buf() }),
            Err(TryLockError::Error(source)) => return Err(directory(source)),
        }
        let mut text = String::new();
        // Not being able to read it means only that the file is checked once more.
        let closed = match file.read_to_string(&mut text) {
            Ok(_) if text.trim() == CLEAN => Closed::Cleanly,
            Ok(_) | Err(_) => Closed::Unknown,
        };
        file.set_len(0).map_err(directory)?;
        Ok((Self { file }, closed))
    }

    /// Remembers that the records were closed cleanly.
    pub(crate) fn mark_clean(&mut self) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(CLEAN.as_bytes())?;
        self.file.sync_all()
    }
}

/// How the records were left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// By [`crate::Writer::close`].
    Cleanly,
    /// By a crash, by power loss, or never opened.
    Unknown,
}
