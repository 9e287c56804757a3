//! Passwords as Argon2id hashes, made and compared away from the tasks that must not wait.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Hashes under way at once: each takes tens of milliseconds of a core and 19 MiB, and logins come from outside.
const AT_ONCE: usize = 2;

/// What a secret protects decides what guessing it may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    /// A password people chose: OWASP's first choice for Argon2id, 19 MiB and two passes.
    Person,
    /// A device's password, checked whenever a link returns: 4 MiB and two passes.
    Device,
}

/// Why a hash could not be made or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be processed; try again")]
pub(crate) struct HashError;

/// Makes and compares hashes.
#[derive(Clone, Debug)]
pub(crate) struct Hasher(Arc<Semaphore>);

impl Default for Hasher {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Hasher {
    /// A hash as text, with its own salt.
    pub(crate) async fn hash(&self, strength: Strength, password: Vec<u8>) -> Result<String, HashError> {
        self.run(move || {
            let (memory_kib, passes) = match strength {
                Strength::Person => (19 * 1024, 2),
                Strength::Device => (4 * 1024, 2),
            };
            let params = Params::new(memory_kib, passes, 1, None).map_err(|_invalid| HashError)?;
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password(&password)
                .map(|hash| hash.to_string())
                .map_err(|_failed| HashError)
        })
        .await?
    }

    /// Whether the password is the one the hash was made from.
    pub(crate) async fn verify(&self, hash: String, password: Vec<u8>) -> Result<bool, HashError> {
        self.run(move || {
            let parsed = PasswordHash::new(&hash).map_err(|_invalid| HashError)?;
            Ok(Argon2::default().verify_password(&password, &parsed).is_ok())
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashError> {
        let _slot = self.0.acquire().await.map_err(|_closed| HashError)?;
        tokio::task::spawn_blocking(work).await.map_err(|_panicked| HashError)
    }
}

/// Random bytes as hexadecimal text.
pub(crate) fn random_hex(bytes: usize) -> Result<String, getrandom::Error> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer)?;
    Ok(buffer.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A new tenant's pseudonym.
pub(crate) fn tenant_key() -> Result<domain::TenantKey, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(domain::TenantKey(u128::from_le_bytes(bytes)))
}

/// Compares in a time that tells nothing about where two secrets differ.
pub(crate) fn same_secret(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.bytes().zip(right.bytes()).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hash accepts its own password only, whatever strength it was made with.
    #[tokio::test]
    async fn hash_and_verify() {
        let hasher = Hasher::default();
        for strength in [Strength::Person, Strength::Device] {
            let hash = hasher.hash(strength, b"correct horse".to_vec()).await.unwrap();
            assert!(hasher.verify(hash.clone(), b"correct horse".to_vec()).await.unwrap());
            assert!(!hasher.verify(hash, b"battery staple".to_vec()).await.unwrap());
        }
        assert!(same_secret("ab", "ab") && !same_secret("ab", "ac") && !same_secret("ab", "abc"));
    }
}
