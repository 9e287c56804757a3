//! Secrets that must be read back: keys of certificates, passwords for mail servers and clouds.
//!
//! They live in the operating system's keyring where there is one. On a machine without (a headless server), they
//! live in `DIR/secrets.json`, sealed with a key made from a passphrase, or with one in `DIR/secrets.key` that only this
//! user can read. That file also says which of the two is in use, so that a keyring that comes or goes never
//! splits the secrets. `docs/adr/0004-secrets-and-certificates.md` says why.
//!
//! Passwords that are only compared are no secrets in this sense; they are hashes in the database.

mod file;
mod keyring;
mod vault;

use self::file::{Marker, Place};
use self::vault::Vault;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// Time a store may take; a keyring that asks a person for its password is not worth a hanging program.
const STORE_WAIT: Duration = Duration::from_secs(20);

/// Where secrets are to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretsChoice {
    /// Where they are; new ones in the keyring when it works, else in the file.
    #[default]
    Auto,
    /// In the keyring; those in the file move there.
    Keyring,
    /// In the file; those in the keyring move there.
    File,
}

/// Where secrets are kept, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretsPlace {
    /// Nothing is kept yet.
    Nowhere,
    /// The operating system's keyring.
    Keyring,
    /// The file, sealed with a passphrase.
    SealedByPassphrase,
    /// The file, sealed with a key beside it that only this user can read.
    SealedByKeyFile,
}

impl SecretsPlace {
    /// Its stable name in the API.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nowhere => "none",
            Self::Keyring => "keyring",
            Self::SealedByPassphrase => "vault",
            Self::SealedByKeyFile => "key_file",
        }
    }
}

/// Why a secret could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The keyring does not answer.
    #[error("the keyring of this computer does not work; unlock it, or start with --secrets file")]
    Keyring(#[source] ::keyring::Error),
    /// The keyring takes too long.
    #[error("the place of the secrets does not answer; unlock the keyring of this computer and try again")]
    Slow,
    /// The file cannot be read or written.
    #[error("cannot use {path}; give this user the right to read and write it")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is damaged.
    #[error("{path} is damaged; restore it from a backup, or remove it and make new certificates")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase is missing.
    #[error("the secrets are sealed with a passphrase; set MESHWATT_VAULT_PASSPHRASE to it")]
    PassphraseMissing,
    /// The passphrase or key is wrong.
    #[error("the secrets in {path} do not open; set the passphrase or restore the key file they were sealed with")]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers; check the operating system")]
    Random,
}

/// Keeps secrets by name. Nothing is opened before the first one is asked for.
#[derive(Clone)]
pub(crate) struct Secrets(Arc<Mutex<Inner>>);

struct Inner {
    dir: PathBuf,
    choice: SecretsChoice,
    passphrase: Option<Zeroizing<String>>,
    open: Option<Open>,
}

/// The store in use.
struct Open {
    marker: Marker,
    vault: Option<Vault>,
}

/// What a copy of the records may take along: the names of all secrets, and the sealed file itself where nothing but a
/// passphrase opens it.
pub(crate) fn for_copy(dir: &Path) -> Result<(BTreeSet<String>, Option<String>), SecretsError> {
    let Some(marker) = Marker::read(dir)? else { return Ok((BTreeSet::new(), None)) };
    let sealed = match &marker.place {
        Place::Vault(sealed) if sealed.salt.is_some() => serde_json::to_string(&marker).ok(),
        Place::Vault(_) | Place::Keyring => None,
    };
    Ok((marker.names, sealed))
}

/// Puts the sealed file of a copy into a data folder that has no secrets.
pub(crate) fn from_copy(dir: &Path, sealed: &str) -> Result<(), SecretsError> {
    if Marker::read(dir)?.is_some() {
        return Ok(());
    }
    let marker: Marker =
        serde_json::from_str(sealed).map_err(|_damaged| SecretsError::Damaged { path: file::path(dir) })?;
    marker.write(dir)
}

impl Secrets {
    /// Secrets of the data folder `dir`.
    pub(crate) fn new(dir: &Path, choice: SecretsChoice, passphrase: Option<Zeroizing<String>>) -> Self {
        Self(Arc::new(Mutex::new(Inner { dir: dir.to_owned(), choice, passphrase, open: None })))
    }

    /// A secret, when there is one of this name.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretsError> {
        let name = name.to_owned();
        self.run(move |inner| inner.existing()?.map_or(Ok(None), |open| open.get(&name))).await
    }

    /// Keeps a secret; the one of this name before is gone.
    pub(crate) async fn set(&self, name: &str, value: &str) -> Result<(), SecretsError> {
        let (name, value) = (name.to_owned(), Zeroizing::new(value.to_owned()));
        self.run(move |inner| {
            let dir = inner.dir.clone();
            inner.opened()?.set(&dir, &name, value)
        })
        .await
    }

    /// Forgets a secret; nothing happens when there is none.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), SecretsError> {
        let name = name.to_owned();
        self.run(move |inner| {
            let dir = inner.dir.clone();
            inner.existing()?.map_or(Ok(()), |open| open.remove(&dir, &name))
        })
        .await
    }

    /// Where they are kept.
    pub(crate) async fn place(&self) -> Result<SecretsPlace, SecretsError> {
        self.run(|inner| {
            Ok(inner.existing()?.map_or(SecretsPlace::Nowhere, |open| match (&open.marker.place, &open.vault) {
                (Place::Keyring, _) => SecretsPlace::Keyring,
                (Place::Vault(_), Some(vault)) if vault.is_sealed_by_passphrase() => SecretsPlace::SealedByPassphrase,
                (Place::Vault(_), _) => SecretsPlace::SealedByKeyFile,
            }))
        })
        .await
    }

    /// Stores block, and the keyring may ask a person something.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Inner) -> Result<T, SecretsError> + Send + 'static,
    ) -> Result<T, SecretsError> {
        let inner = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || work(&mut inner.lock().unwrap_or_else(PoisonError::into_inner)));
        match tokio::time::timeout(STORE_WAIT, task).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) | Err(_) => Err(SecretsError::Slow),
        }
    }
}

impl Inner {
    /// The store, when anything was ever kept.
    fn existing(&mut self) -> Result<Option<&mut Open>, SecretsError> {
        if self.open.is_none() && Marker::read(&self.dir)?.is_none() {
            return Ok(None);
        }
        self.opened().map(Some)
    }

    fn opened(&mut self) -> Result<&mut Open, SecretsError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        Ok(self.open.insert(open))
    }

    fn open(&self) -> Result<Open, SecretsError> {
        let known = Marker::read(&self.dir)?;
        let Some(marker) = known else {
            return self.begin();
        };
        let mut open = match &marker.place {
            Place::Keyring => Open { marker, vault: None },
            Place::Vault(sealed) => {
                let vault = Vault::unseal(&self.dir, &marker.installation, sealed, self.passphrase.as_ref())?;
                Open { marker, vault: Some(vault) }
            }
        };
        if let Some(passphrase) = &self.passphrase {
            open.seal_by(&self.dir, passphrase)?;
        }
        match (self.choice, &open.marker.place) {
            (SecretsChoice::Keyring, Place::Vault(_)) => open.move_to_keyring(&self.dir)?,
            (SecretsChoice::File, Place::Keyring) => open.move_to_vault(&self.dir, self.passphrase.as_ref())?,
            (SecretsChoice::Auto, _)
            | (SecretsChoice::Keyring, Place::Keyring)
            | (SecretsChoice::File, Place::Vault(_)) => {}
        }
        Ok(open)
    }

    /// The store of a folder that has none.
    fn begin(&self) -> Result<Open, SecretsError> {
        let installation = crate::credentials::random_hex(16).map_err(|_unavailable| SecretsError::Random)?;
        let with_keyring = match self.choice {
            SecretsChoice::File => false,
            SecretsChoice::Keyring => {
                keyring::probe(&installation).map_err(SecretsError::Keyring)?;
                true
            }
            SecretsChoice::Auto => match keyring::probe(&installation) {
                Ok(()) => true,
                Err(error) => {
                    tracing::info!(%error, "no keyring on this computer; secrets are kept in a sealed file");
                    false
                }
            },
        };
        let mut marker = Marker { installation, names: BTreeSet::new(), place: Place::Keyring };
        let mut vault = None;
        if !with_keyring {
            let made = Vault::create(&self.dir, &marker.installation, self.passphrase.as_ref())?;
            marker.place = Place::Vault(made.seal()?);
            vault = Some(made);
        }
        marker.write(&self.dir)?;
        Ok(Open { marker, vault })
    }
}

impl Open {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretsError> {
        match &self.vault {
            Some(vault) => Ok(vault.get(name)),
            None => keyring::get(&self.marker.installation, name).map_err(SecretsError::Keyring),
        }
    }

    fn set(&mut self, dir: &Path, name: &str, value: Zeroizing<String>) -> Result<(), SecretsError> {
        match &mut self.vault {
            Some(vault) => {
                vault.set(name, value);
                self.marker.place = Place::Vault(vault.seal()?);
            }
            None => keyring::set(&self.marker.installation, name, &value).map_err(SecretsError::Keyring)?,
        }
        self.marker.names.insert(name.to_owned());
        self.marker.write(dir)
    }

    fn remove(&mut self, dir: &Path, name: &str) -> Result<(), SecretsError> {
        match &mut self.vault {
            Some(vault) => {
                vault.remove(name);
                self.marker.place = Place::Vault(vault.seal()?);
            }
            None => keyring::remove(&self.marker.installation, name).map_err(SecretsError::Keyring)?,
        }
        self.marker.names.remove(name);
        self.marker.write(dir)
    }

    /// A passphrase given for a vault under a key file takes that file's place.
    fn seal_by(&mut self, dir: &Path, passphrase: &Zeroizing<String>) -> Result<(), SecretsError> {
        let Some(vault) = self.vault.as_mut().filter(|vault| !vault.is_sealed_by_passphrase()) else { return Ok(()) };
        vault.rekey(dir, passphrase)?;
        self.marker.place = Place::Vault(vault.seal()?);
        self.marker.write(dir)?;
        vault::remove_key_file(dir)?;
        tracing::info!("the secrets are now sealed with the passphrase");
        Ok(())
    }

    /// Copies first, then says so, then deletes: a crash in between loses nothing.
    fn move_to_keyring(&mut self, dir: &Path) -> Result<(), SecretsError> {
        let Some(vault) = self.vault.take() else { return Ok(()) };
        for name in &self.marker.names {
            if let Some(value) = vault.get(name) {
                keyring::set(&self.marker.installation, name, &value).map_err(SecretsError::Keyring)?;
            }
        }
        self.marker.place = Place::Keyring;
        self.marker.write(dir)?;
        vault::remove_key_file(dir)?;
        tracing::info!("the secrets moved from the file to the keyring");
        Ok(())
    }

    fn move_to_vault(&mut self, dir: &Path, passphrase: Option<&Zeroizing<String>>) -> Result<(), SecretsError> {
        let mut vault = Vault::create(dir, &self.marker.installation, passphrase)?;
        for name in &self.marker.names {
            if let Some(value) = keyring::get(&self.marker.installation, name).map_err(SecretsError::Keyring)? {
                vault.set(name, value);
            }
        }
        self.marker.place = Place::Vault(vault.seal()?);
        self.vault = Some(vault);
        self.marker.write(dir)?;
        for name in &self.marker.names {
            if let Err(error) = keyring::remove(&self.marker.installation, name) {
                tracing::warn!(name, %error, "a secret that moved to the file stays in the keyring too");
            }
        }
        tracing::info!("the secrets moved from the keyring to the file");
        Ok(())
    }
}

#[cfg(test)]
mod tests;
