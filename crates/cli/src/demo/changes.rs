//! The virtual devices added and removed on the panel, kept so that they are as they were at the next start.

use simulator::Changes;
use std::path::Path;

/// File with what was added and removed.
const FILE: &str = "demo-devices.json";

/// What an earlier run of the demo added and removed.
pub(super) fn read(dir: &Path) -> Changes {
    let Ok(text) = std::fs::read_to_string(dir.join(FILE)) else { return Changes::default() };
    let read = serde_json::from_str(&text);
    read.inspect_err(|error| tracing::warn!(%error, "{FILE} is not readable; the demo has the devices of its plan"))
        .unwrap_or_default()
}

/// Keeps them. Without it the demo goes on, and forgets them at its end.
pub(super) fn write(dir: &Path, changes: &Changes) {
    let written = serde_json::to_string(changes)
        .map_err(std::io::Error::from)
        .and_then(|text| std::fs::write(dir.join(FILE), text));
    if let Err(error) = written {
        tracing::warn!(%error, "{FILE} cannot be written; devices added now are gone at the next start");
    }
}
