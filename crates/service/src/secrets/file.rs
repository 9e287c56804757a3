//! `DIR/secrets.json`: which store is in use, and the sealed secrets when it is the file itself.

use super::SecretsError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Name inside the data folder.
const NAME: &str = "secrets.json";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    /// Keeps two data folders on one computer apart in its one keyring.
    pub(super) installation: String,
    /// Names of the secrets, which a keyring cannot list.
    pub(super) names: BTreeSet<String>,
    /// Where they are.
    pub(super) place: Place,
}

/// Where secrets are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// In the operating system's keyring.
    Keyring,
    /// Here.
    Vault(Sealed),
}

/// Secrets in one sealed piece; all fields in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed {
    /// Salt of the passphrase; absent when the key is in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) salt: Option<String>,
    /// Used once.
    pub(super) nonce: String,
    /// ChaCha20-Poly1305 over a JSON object of names and values.
    pub(super) sealed: String,
}

impl Marker {
    /// What the file says; `None` without a file.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, SecretsError> {
        let path = dir.join(NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SecretsError::File { path, source }),
        };
        serde_json::from_str(&text).map(Some).map_err(|_damaged| SecretsError::Damaged { path })
    }

    /// Replaces the file, whole or not at all.
    pub(super) fn write(&self, dir: &Path) -> Result<(), SecretsError> {
        let path = path(dir);
        let failed = |source| SecretsError::File { path: path.clone(), source };
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        write_private(&path, text.as_bytes()).map_err(failed)
    }
}

/// Where the file is.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join(NAME)
}

/// Writes a file that only this user can read, whole or not at all, and durable when this returns.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    #[cfg(unix)]
    if let Some(dir) = path.parent() {
        std::fs::File::open(dir)?.sync_all()?;
    }
    Ok(())
}
