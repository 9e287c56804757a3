//! At the start: bring back what was asked for, and recover from damage by the newest good copy and what can still be
//! read.

use super::{BackupError, BackupSettings, copies};
use std::path::{Path, PathBuf};
use store::{Options, Reader, Store, StoreError, Writer};

/// File that names the copy to restore at the next start.
const WAITING_FILE: &str = "restore.waiting";

/// Restores a copy when the program starts the next time; the console cannot do it under its own feet.
pub(crate) fn restore_at_next_start(dir: &Path, copy: &Path) -> Result<(), BackupError> {
    let path = dir.join(WAITING_FILE);
    std::fs::write(&path, copy.display().to_string()).map_err(|source| BackupError::File { path, source })
}

/// The copy that waits to be restored.
pub(crate) fn waits(dir: &Path) -> Option<PathBuf> {
    std::fs::read_to_string(dir.join(WAITING_FILE)).ok().map(|text| PathBuf::from(text.trim()))
}

/// Opens the records; after damage with the newest good copy and what can still be read of the damaged file.
pub(crate) async fn open_store(dir: &Path, options: Options) -> Result<(Writer, Reader), StoreError> {
    if let Some(copy) = waits(dir) {
        match super::backup_restore(&copy, dir).await {
            Ok(kept) => tracing::info!(copy = %copy.display(), ?kept, "the copy was restored"),
            Err(error) => {
                tracing::error!(copy = %copy.display(), error = crate::error::chain(&error), "the copy was not restored; going on with the records as they are");
            }
        }
        if let Err(error) = std::fs::remove_file(dir.join(WAITING_FILE)) {
            tracing::warn!(%error, "{WAITING_FILE} cannot be removed; remove it by hand");
        }
    }
    match Store::open(dir, options.clone()).await {
        Err(StoreError::Damaged { set_aside }) => {
            tracing::error!(set_aside = %set_aside.display(), "the records were damaged and set aside");
            recover(dir, &set_aside, options).await
        }
        opened => opened,
    }
}

async fn recover(dir: &Path, damaged: &Path, options: Options) -> Result<(Writer, Reader), StoreError> {
    let folder = BackupSettings::read(dir).folder_in(dir);
    for copy in copies(&folder) {
        match store::backup_restore(&folder.join(&copy.name), dir).await {
            Ok(_nothing_there) => {
                tracing::warn!(copy = copy.name, "the newest good copy takes their place");
                break;
            }
            Err(error) => tracing::error!(copy = copy.name, error = crate::error::chain(&error), "a copy is no good"),
        }
    }
    // Brings the tables to this program's format before anything is put into them.
    let (writer, reader) = Store::open(dir, options.clone()).await?;
    drop(reader);
    writer.close().await?;
    match store::salvage(damaged, dir).await {
        Ok(rows) => tracing::warn!(rows, "rows were saved from the damaged file"),
        Err(error) => {
            tracing::error!(error = crate::error::chain(&error), "nothing could be saved from the damaged file")
        }
    }
    Store::open(dir, options).await
}
