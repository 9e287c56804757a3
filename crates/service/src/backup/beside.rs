//! What a copy takes along from beside the records: files of chargers, and secrets where only a passphrase opens them.
//!
//! Files never change once they are there, so all copies of a folder share one folder `files`, and a file goes when no copy
//! names it any more. Beside each copy lies `meshwatt-<time>.json`, which says what it needs.

use super::BackupError;
use crate::secrets;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folder of the files, in the data folder and beside the copies.
const FOLDER: &str = "files";

/// What lies beside a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Note {
    /// Names of the files it needs.
    files: BTreeSet<String>,
    /// Names of the secrets there were.
    secrets: BTreeSet<String>,
    /// They themselves, as `secrets.json` was, when a passphrase seals them.
    sealed: Option<String>,
}

impl Note {
    fn read(copy: &Path) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(path(copy)).ok()?).ok()
    }
}

fn path(copy: &Path) -> PathBuf {
    copy.with_extension("json")
}

fn beside(copy: &Path) -> PathBuf {
    copy.parent().unwrap_or(Path::new(".")).join(FOLDER)
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> BackupError + '_ {
    |source| BackupError::File { path: path.to_owned(), source }
}

/// What a copy has beside the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Files of chargers that come back with it.
    pub files: u64,
    /// Files it knows of, but which are not there.
    pub files_missing: u64,
    /// Whether passwords and keys come back with it: sealed, to be opened with the passphrase of then.
    pub sealed: bool,
    /// What must be entered or made again after it is put on a new computer: `cloud`, `mqtt`, `kafka`, `mail`,
    /// `certificates`, or the name of another secret.
    pub again: Vec<String>,
}

/// A name that could lead out of its folder is none of ours.
fn is_ours(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// Names of the files a copy knows of.
async fn names(copy: &Path) -> Result<Vec<String>, BackupError> {
    Ok(store::backup_files(copy).await?.into_iter().filter(|name| is_ours(name)).collect())
}

/// Takes along what a new copy needs.
pub(super) async fn take(dir: &Path, copy: &Path) -> Result<(), BackupError> {
    let mut files = BTreeSet::new();
    for name in names(copy).await? {
        let (from, to) = (dir.join(FOLDER).join(&name), beside(copy).join(&name));
        // Gone from the disk, though the records know it.
        if !from.exists() && !to.exists() {
            continue;
        }
        bring(&from, &to).await?;
        files.insert(name);
    }
    let (names, sealed) = secrets::for_copy(dir).map_err(|error| BackupError::Rule(crate::error::chain(&error)))?;
    let note = Note { files, secrets: names, sealed };
    let (path, text) = (path(copy), serde_json::to_string_pretty(&note).unwrap_or_default());
    tokio::fs::write(&path, text).await.map_err(at(&path))
}

/// Copies a file to where it is not yet, whole or not at all.
async fn bring(from: &Path, to: &Path) -> Result<(), BackupError> {
    if to.exists() {
        return Ok(());
    }
    let folder = to.parent().unwrap_or(Path::new("."));
    tokio::fs::create_dir_all(folder).await.map_err(at(folder))?;
    let unfinished = to.with_extension("unfinished");
    tokio::fs::copy(from, &unfinished).await.map_err(at(from))?;
    tokio::fs::rename(&unfinished, to).await.map_err(at(to))
}

/// Removes what lies beside copies that are gone: their notes, and files they named that no copy needs any more. What
/// else lies in the folder is somebody's own.
pub(super) fn sweep(folder: &Path, copies: &[super::Copy], gone: &[String]) {
    let removed = |path: &Path| match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(path = %path.display(), %error, "what an old copy needed stays on the disk"),
    };
    let mut named = BTreeSet::new();
    for name in gone {
        let copy = folder.join(name);
        named.extend(Note::read(&copy).unwrap_or_default().files);
        removed(&path(&copy));
    }
    let mut needed = BTreeSet::new();
    for copy in copies {
        match Note::read(&folder.join(&copy.name)) {
            Some(note) => needed.extend(note.files),
            // A note that was there and cannot be read may name any file.
            None if path(&folder.join(&copy.name)).exists() => return,
            None => {}
        }
    }
    for name in named.difference(&needed).filter(|name| is_ours(name)) {
        removed(&folder.join(FOLDER).join(name));
    }
}

/// What a copy has beside the records.
///
/// # Errors
/// When the copy cannot be read.
pub async fn look(copy: &Path) -> Result<Beside, BackupError> {
    let note = Note::read(copy).unwrap_or_default();
    let all = names(copy).await?.into_iter();
    let (there, missing): (Vec<String>, Vec<String>) = all.partition(|name| beside(copy).join(name).exists());
    let count = |names: &[String]| u64::try_from(names.len()).unwrap_or(u64::MAX);
    let again: BTreeSet<String> = if note.sealed.is_some() { BTreeSet::new() } else { note.secrets };
    Ok(Beside {
        files: count(&there),
        files_missing: count(&missing),
        sealed: note.sealed.is_some(),
        again: again.into_iter().map(|name| word(&name)).collect::<BTreeSet<_>>().into_iter().collect(),
    })
}

/// What a secret is for, in one word.
fn word(secret: &str) -> String {
    match secret {
        "cloud-password" => "cloud",
        "mqtt-password" => "mqtt",
        "kafka-password" => "kafka",
        "smtp-password" => "mail",
        _ if secret.starts_with("certificates/") => "certificates",
        other => other,
    }
    .to_owned()
}

/// Puts back what a copy took along, into a data folder that has its records already. Secrets that are there stay.
pub(super) async fn give(copy: &Path, dir: &Path) -> Result<(), BackupError> {
    for name in names(copy).await? {
        let from = beside(copy).join(&name);
        if from.exists() {
            bring(&from, &dir.join(FOLDER).join(&name)).await?;
        }
    }
    if let Some(sealed) = Note::read(copy).and_then(|note| note.sealed) {
        secrets::from_copy(dir, &sealed).map_err(|error| BackupError::Rule(crate::error::chain(&error)))?;
    }
    Ok(())
}
