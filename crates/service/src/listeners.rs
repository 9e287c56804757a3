//! Listeners that the manager switched on in the console: those with TLS, and the file server. An option of the command
//! line goes before them.
//!
//! They are kept in a file beside the records, since ports are taken before the records are opened.

use crate::config::Config;
use api::{ListenerItem, ListenerSwitches};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FILE: &str = "listeners.json";

/// Where each listens when it is switched on here.
const HTTPS: u16 = 8443;
const OCPPS: u16 = 8888;
const MQTTS: u16 = 8883;
const FILES: u16 = 8889;

/// What was switched on when the program started, and where that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Listeners {
    path: Arc<PathBuf>,
    begun: ListenerSwitches,
}

impl Listeners {
    /// Reads what was switched on.
    pub(crate) fn of(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let begun = read(&path);
        Self { path: Arc::new(path), begun }
    }

    /// Adds what was switched on to what the command line asks for. A port that another program has must not keep chargers
    /// from the others, so that one stays off.
    pub(crate) fn add_to(&self, config: &mut Config) {
        let add = |option: &'static str, is_on: bool, port: u16, place: &mut Option<SocketAddr>| {
            if !is_on || place.is_some() {
                return;
            }
            let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
            match std::net::TcpListener::bind(address) {
                Ok(_free) => *place = Some(address),
                Err(error) => {
                    tracing::error!(%address, %error, "{option} was switched on and cannot be; its port is taken")
                }
            }
        };
        add("https", self.begun.https, HTTPS, &mut config.https);
        add("ocpps", self.begun.ocpps, OCPPS, &mut config.ocpps);
        add("mqtts", self.begun.mqtts, MQTTS, &mut config.mqtts);
        add("files", self.begun.files, FILES, &mut config.files);
    }

    /// What is switched on, and whether that needs another start.
    pub(crate) fn item(&self, addresses: crate::Addresses) -> ListenerItem {
        let switches = read(&self.path);
        let running = ListenerSwitches {
            https: addresses.https.is_some(),
            ocpps: addresses.ocpps.is_some(),
            mqtts: addresses.mqtts.is_some(),
            files: addresses.files.is_some(),
        };
        ListenerItem { switches, running, restart: switches != self.begun }
    }

    /// Keeps what is wanted at the next start.
    pub(crate) fn set(&self, switches: ListenerSwitches) -> std::io::Result<()> {
        let text = serde_json::to_string(&switches).map_err(std::io::Error::other)?;
        let fresh = self.path.with_extension("new");
        std::fs::write(&fresh, text)?;
        std::fs::rename(&fresh, &*self.path)
    }
}

/// All off where there is no file, or one that cannot be read.
fn read(path: &Path) -> ListenerSwitches {
    let Ok(text) = std::fs::read_to_string(path) else { return ListenerSwitches::default() };
    serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::error!(%error, path = %path.display(), "the file of the switched-on listeners cannot be read; they stay off");
        ListenerSwitches::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is switched on holds from the next start on; the command line goes first, and a damaged file switches nothing on.
    #[test]
    fn switches_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let listeners = Listeners::of(dir.path());
        let wanted = ListenerSwitches { files: true, ..ListenerSwitches::default() };
        listeners.set(wanted).unwrap();
        let next = Listeners::of(dir.path());
        let mut config = Config::new(dir.path().to_path_buf());
        let chosen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.files = Some(chosen);
        next.add_to(&mut config);
        assert_eq!((config.files, config.ocpps), (Some(chosen), None));
        std::fs::write(dir.path().join(FILE), "{").unwrap();
        assert_eq!(Listeners::of(dir.path()).begun, ListenerSwitches::default());
    }
}
