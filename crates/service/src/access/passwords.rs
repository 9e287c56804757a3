//! Passwords of chargers: kept as hashes, compared fast enough for two thousand chargers in the same second.
//!
//! A password we made has 160 random bits, which nobody can guess, so that one keyed hash under a random salt of 128 bits
//! protects it. A password a person chose is kept under Argon2id, and the one that was right is remembered
//! in memory under a keyed hash, so that only the first connection after a start pays for it.

use crate::credentials::{HashError, Hasher, Strength, random_hex};
use domain::ChargerId;
use ring::hmac;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use store::{Reader, StoreError, Writer};
use zeroize::Zeroizing;

/// Lengths the whitepaper allows.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 16..=40;

/// Names of the secrets with passwords in force.
const CURRENT: &str = "ocpp/";

/// Names of the secrets with passwords that were sent to the charger and not used yet.
const NEXT: &str = "ocpp-next/";

/// Names of the secrets with what chargers presented that wait for approval.
const WAITING: &str = "ocpp-waiting/";

/// Chargers whose password is remembered while they wait; a flood of names must not fill the store.
const WAITING_MAX: usize = 64;

/// Begins the text of a keyed hash; every other text is one of Argon2id.
const KEYED: &str = "hmac-sha256$";

/// Why a password could not be checked or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    /// The records refuse.
    #[error("the password cannot be read or kept; check the disk")]
    Store(#[source] StoreError),
    /// Hashing failed.
    #[error("the password cannot be hashed")]
    Hash(#[source] HashError),
    /// No random numbers.
    #[error("the system gives no random numbers; check the operating system")]
    Random,
    /// Wrong length or characters.
    #[error("a charger's password has 16 to 40 letters, digits or signs, without spaces")]
    Shape,
}

/// What a presented password amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It is the one.
    Right,
    /// It is not.
    Wrong,
    /// The charger has none; what it presents proves nothing.
    NoneSet,
}

/// A password to be shown once and sent to the charger.
pub(crate) struct NewPassword(pub(crate) Zeroizing<String>);

/// Passwords of chargers.
#[derive(Clone)]
pub(crate) struct Passwords(Arc<Inner>);

struct Inner {
    reader: Reader,
    writer: Writer,
    hasher: Hasher,
    /// Hashes by name of the secret: every connection asks, so they are in memory.
    hashes: RwLock<BTreeMap<String, String>>,
    /// What was right lately, by charger, under a key of this run.
    verified: Mutex<BTreeMap<ChargerId, Vec<u8>>>,
    key: hmac::Key,
}

impl Passwords {
    pub(crate) fn new(reader: Reader, writer: Writer, hasher: Hasher) -> Result<Self, PasswordError> {
        let mut key = Zeroizing::new([0_u8; 32]);
        getrandom::fill(&mut *key).map_err(|_unavailable| PasswordError::Random)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*key);
        let (hashes, verified) = (RwLock::default(), Mutex::default());
        Ok(Self(Arc::new(Inner { reader, writer, hasher, hashes, verified, key })))
    }

    /// Reads what was kept.
    pub(crate) async fn load(&self) -> Result<(), StoreError> {
        for prefix in [CURRENT, NEXT, WAITING] {
            for name in self.0.reader.secret_names(prefix).await? {
                if let Some(hash) = self.0.reader.secret_get(&name).await? {
                    self.hashes_mut().insert(name, hash);
                }
            }
        }
        Ok(())
    }

    /// Whether a charger has a password.
    pub(crate) fn is_set(&self, charger: &ChargerId) -> bool {
        self.hash_of(CURRENT, charger).is_some() || self.hash_of(NEXT, charger).is_some()
    }

    /// Makes a password. It counts beside the one in force until the charger uses it first, then alone.
    pub(crate) async fn generate(&self, charger: &ChargerId) -> Result<NewPassword, PasswordError> {
        let password = Zeroizing::new(random_hex(20).map_err(|_unavailable| PasswordError::Random)?);
        let salt = random_hex(16).map_err(|_unavailable| PasswordError::Random)?;
        let hash = format!("{KEYED}{salt}${}", keyed(&salt, password.as_bytes()));
        self.keep(NEXT, charger, hash).await?;
        Ok(NewPassword(password))
    }

    /// Takes a password a person chose.
    pub(crate) async fn choose(&self, charger: &ChargerId, password: &str) -> Result<(), PasswordError> {
        if !PASSWORD_CHARS.contains(&password.chars().count()) || !password.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(PasswordError::Shape);
        }
        let hash = self.hash(password.as_bytes()).await?;
        self.keep(NEXT, charger, hash).await
    }

    /// The charger refused the password that was sent to it; the one before stays.
    pub(crate) async fn take_back(&self, charger: &ChargerId) -> Result<(), StoreError> {
        self.drop_hash(NEXT, charger).await
    }

    /// What a charger presented while it waited is its password from now on.
    pub(super) async fn pin(&self, charger: &ChargerId) -> Result<(), StoreError> {
        if let Some(hash) = self.hash_of(WAITING, charger) {
            self.0.writer.secret_set(&format!("{CURRENT}{charger}"), &hash).await?;
            self.hashes_mut().insert(format!("{CURRENT}{charger}"), hash);
            self.drop_hash(WAITING, charger).await?;
        }
        Ok(())
    }

    /// Forgets every password of a charger.
    pub(super) async fn forget(&self, charger: &ChargerId) -> Result<(), StoreError> {
        self.verified().remove(charger);
        for prefix in [CURRENT, NEXT, WAITING] {
            self.drop_hash(prefix, charger).await?;
        }
        Ok(())
    }

    /// What the password a charger presents amounts to.
    pub(super) async fn check(
        &self,
        charger: &ChargerId,
        password: &[u8],
        approved: bool,
    ) -> Result<Judgement, PasswordError> {
        if self.verified().get(charger).is_some_and(|tag| hmac::verify(&self.0.key, password, tag).is_ok()) {
            return Ok(Judgement::Right);
        }
        if let Some(next) = self.hash_of(NEXT, charger)
            && self.matches(&next, password).await?
        {
            self.keep(CURRENT, charger, next).await?;
            self.drop_hash(NEXT, charger).await.map_err(PasswordError::Store)?;
            self.remember(charger, password);
            return Ok(Judgement::Right);
        }
        if let Some(current) = self.hash_of(CURRENT, charger) {
            let right = self.matches(&current, password).await?;
            if right {
                self.remember(charger, password);
            }
            return Ok(if right { Judgement::Right } else { Judgement::Wrong });
        }
        if approved { Ok(Judgement::NoneSet) } else { self.check_stranger(charger, password).await }
    }

    /// The first password a stranger presents is remembered; somebody else under its name is refused.
    async fn check_stranger(&self, charger: &ChargerId, password: &[u8]) -> Result<Judgement, PasswordError> {
        if let Some(waiting) = self.hash_of(WAITING, charger) {
            let same = self.matches(&waiting, password).await?;
            return Ok(if same { Judgement::NoneSet } else { Judgement::Wrong });
        }
        let waiting = self.hashes().keys().filter(|name| name.starts_with(WAITING)).count();
        if waiting < WAITING_MAX {
            let hash = self.hash(password).await?;
            self.keep(WAITING, charger, hash).await?;
        }
        Ok(Judgement::NoneSet)
    }

    /// The whitepaper writes passwords in hexadecimal; some chargers send the text, others the bytes it stands for.
    async fn matches(&self, hash: &str, password: &[u8]) -> Result<bool, PasswordError> {
        let as_hex: String = password.iter().map(|byte| format!("{byte:02x}")).collect();
        let lower = String::from_utf8_lossy(password).to_ascii_lowercase();
        if let Some((salt, tag)) = hash.strip_prefix(KEYED).and_then(|rest| rest.split_once('$')) {
            let same = |candidate: &[u8]| crate::credentials::same_secret(&keyed(salt, candidate), tag);
            return Ok(same(password) || same(as_hex.as_bytes()) || same(lower.as_bytes()));
        }
        let verify = |candidate: Vec<u8>| self.0.hasher.verify(hash.to_owned(), candidate);
        if verify(password.to_vec()).await.map_err(PasswordError::Hash)? {
            return Ok(true);
        }
        // Only a password that is no text can be the bytes of one in hexadecimal.
        let is_text = password.iter().all(u8::is_ascii_graphic);
        Ok(!is_text
            && (verify(as_hex.clone().into_bytes()).await.map_err(PasswordError::Hash)?
                || verify(as_hex.to_ascii_uppercase().into_bytes()).await.map_err(PasswordError::Hash)?))
    }

    async fn hash(&self, password: &[u8]) -> Result<String, PasswordError> {
        self.0.hasher.hash(Strength::Device, password.to_vec()).await.map_err(PasswordError::Hash)
    }

    fn remember(&self, charger: &ChargerId, password: &[u8]) {
        let tag = hmac::sign(&self.0.key, password).as_ref().to_vec();
        self.verified().insert(charger.clone(), tag);
    }

    async fn keep(&self, prefix: &str, charger: &ChargerId, hash: String) -> Result<(), PasswordError> {
        let name = format!("{prefix}{charger}");
        self.0.writer.secret_set(&name, &hash).await.map_err(PasswordError::Store)?;
        self.hashes_mut().insert(name, hash);
        if prefix == CURRENT {
            self.verified().remove(charger);
        }
        Ok(())
    }

    async fn drop_hash(&self, prefix: &str, charger: &ChargerId) -> Result<(), StoreError> {
        let name = format!("{prefix}{charger}");
        if self.hashes_mut().remove(&name).is_some() {
            self.0.writer.secret_remove(&name).await?;
        }
        Ok(())
    }

    fn hash_of(&self, prefix: &str, charger: &ChargerId) -> Option<String> {
        self.hashes().get(&format!("{prefix}{charger}")).cloned()
    }

    fn hashes(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, String>> {
        self.0.hashes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn hashes_mut(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, String>> {
        self.0.hashes.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, BTreeMap<ChargerId, Vec<u8>>> {
        self.0.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keyed(salt: &str, password: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes());
    hmac::sign(&key, password).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
