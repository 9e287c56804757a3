//! The operating system's keyring: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.

use keyring::{Entry, Error};
use zeroize::Zeroizing;

/// Under which name people find our entries.
const SERVICE: &str = "Meshwatt";

fn entry(installation: &str, name: &str) -> Result<Entry, Error> {
    Entry::new(SERVICE, &format!("{installation}/{name}"))
}

pub(super) fn get(installation: &str, name: &str) -> Result<Option<Zeroizing<String>>, Error> {
    match entry(installation, name)?.get_password() {
        Ok(value) => Ok(Some(Zeroizing::new(value))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn set(installation: &str, name: &str, value: &str) -> Result<(), Error> {
    entry(installation, name)?.set_password(value)
}

pub(super) fn remove(installation: &str, name: &str) -> Result<(), Error> {
    match entry(installation, name)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether the keyring keeps what it is given; one that only pretends to exist is found out here.
pub(super) fn probe(installation: &str) -> Result<(), Error> {
    const NAME: &str = "probe";
    set(installation, NAME, "probe")?;
    let read = get(installation, NAME)?;
    remove(installation, NAME)?;
    match read {
        Some(value) if value.as_str() == "probe" => Ok(()),
        Some(_) | None => Err(Error::NoEntry),
    }
}
