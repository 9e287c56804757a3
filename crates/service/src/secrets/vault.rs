//! Secrets sealed in a file: ChaCha20-Poly1305 under a key from a passphrase (Argon2id) or from a file of this user.

use super::SecretsError;
use super::file::{self, Sealed};
use crate::credentials::random_hex;
use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The key's file inside the data folder.
const KEY_FILE: &str = "secrets.key";

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Opened secrets and the key that seals them again.
pub(super) struct Vault {
    installation: String,
    key: Zeroizing<Vec<u8>>,
    /// `None` when the key is in a file.
    salt: Option<String>,
    entries: BTreeMap<String, Zeroizing<String>>,
}

impl Vault {
    /// An empty vault under the passphrase, or else under a new key in a file.
    pub(super) fn create(
        dir: &Path,
        installation: &str,
        passphrase: Option<&Zeroizing<String>>,
    ) -> Result<Self, SecretsError> {
        let (key, salt) = match passphrase {
            Some(passphrase) => {
                let salt = random_hex(16).map_err(|_unavailable| SecretsError::Random)?;
                (stretched(dir, passphrase, &salt)?, Some(salt))
            }
            None => (new_key_file(dir)?, None),
        };
        Ok(Self { installation: installation.to_owned(), key, salt, entries: BTreeMap::new() })
    }

    /// Opens what was sealed.
    pub(super) fn unseal(
        dir: &Path,
        installation: &str,
        sealed: &Sealed,
        passphrase: Option<&Zeroizing<String>>,
    ) -> Result<Self, SecretsError> {
        let key = match (&sealed.salt, passphrase) {
            (Some(salt), Some(passphrase)) => stretched(dir, passphrase, salt)?,
            (Some(_), None) => return Err(SecretsError::PassphraseMissing),
            (None, _) => read_key_file(dir)?,
        };
        let wrong = || SecretsError::WrongKey { path: file::path(dir) };
        let damaged = || SecretsError::Damaged { path: file::path(dir) };
        let mut bytes = Zeroizing::new(unhex(&sealed.sealed).ok_or_else(damaged)?);
        let nonce =
            unhex(&sealed.nonce).and_then(|nonce| <[u8; NONCE_LEN]>::try_from(nonce).ok()).ok_or_else(damaged)?;
        let aead = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &key).map_err(|_unspecified| wrong())?);
        let plain = aead
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(installation.as_bytes()), &mut bytes)
            .map_err(|_unspecified| wrong())?;
        let entries: BTreeMap<String, String> = serde_json::from_slice(plain).map_err(|_damaged| damaged())?;
        let entries = entries.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect();
        Ok(Self { installation: installation.to_owned(), key, salt: sealed.salt.clone(), entries })
    }

    /// From now on seals with the passphrase.
    pub(super) fn rekey(&mut self, dir: &Path, passphrase: &str) -> Result<(), SecretsError> {
        let salt = random_hex(16).map_err(|_unavailable| SecretsError::Random)?;
        self.key = stretched(dir, passphrase, &salt)?;
        self.salt = Some(salt);
        Ok(())
    }

    /// Everything sealed under a fresh nonce. Random nonces of 96 bits are safe for far more writes than ever happen here.
    pub(super) fn seal(&self) -> Result<Sealed, SecretsError> {
        let entries: BTreeMap<&str, &str> =
            self.entries.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut bytes = serde_json::to_vec(&entries).map_err(|_never| SecretsError::Random)?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_unavailable| SecretsError::Random)?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.key).map_err(|_unspecified| SecretsError::Random)?;
        LessSafeKey::new(key)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(self.installation.as_bytes()),
                &mut bytes,
            )
            .map_err(|_unspecified| SecretsError::Random)?;
        Ok(Sealed { salt: self.salt.clone(), nonce: hex(&nonce), sealed: hex(&bytes) })
    }

    pub(super) const fn is_sealed_by_passphrase(&self) -> bool {
        self.salt.is_some()
    }

    pub(super) fn get(&self, name: &str) -> Option<Zeroizing<String>> {
        self.entries.get(name).cloned()
    }

    pub(super) fn set(&mut self, name: &str, value: Zeroizing<String>) {
        self.entries.insert(name.to_owned(), value);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.entries.remove(name);
    }
}

/// OWASP's first choice for Argon2id, 19 MiB and two passes.
fn stretched(dir: &Path, passphrase: &str, salt: &str) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
    let damaged = || SecretsError::Damaged { path: file::path(dir) };
    let params = Params::new(19 * 1024, 2, 1, Some(KEY_BYTES)).map_err(|_invalid| damaged())?;
    let mut key = Zeroizing::new(vec![0; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt.as_bytes(), &mut key)
        .map_err(|_invalid| damaged())?;
    Ok(key)
}

fn key_path(dir: &Path) -> PathBuf {
    dir.join(KEY_FILE)
}

fn new_key_file(dir: &Path) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
    let mut key = Zeroizing::new(vec![0; KEY_BYTES]);
    getrandom::fill(&mut key).map_err(|_unavailable| SecretsError::Random)?;
    let path = key_path(dir);
    let text = Zeroizing::new(hex(&key));
    file::write_private(&path, text.as_bytes()).map_err(|source| SecretsError::File { path, source })?;
    Ok(key)
}

fn read_key_file(dir: &Path) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
    let path = key_path(dir);
    match std::fs::read_to_string(&path) {
        Ok(text) => unhex(text.trim())
            .filter(|key| key.len() == KEY_BYTES)
            .map(Zeroizing::new)
            .ok_or(SecretsError::Damaged { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(SecretsError::WrongKey { path }),
        Err(source) => Err(SecretsError::File { path, source }),
    }
}

/// Removes the key of a vault that is no longer in use.
pub(super) fn remove_key_file(dir: &Path) -> Result<(), SecretsError> {
    let path = key_path(dir);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(SecretsError::File { path, source }),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}
