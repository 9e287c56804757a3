//! Logs on stderr, as `RUST_LOG` says, and for a building that is served also in files that rotate.

use crate::log_file::LogFile;
use std::io::IsTerminal as _;
use std::path::Path;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged when `RUST_LOG` says nothing: our own at info, libraries only when something is wrong.
const DEFAULT: &str = "warn,service=info,cli=info,broker=info,store=info,sync=info";

/// Folder of the files inside the data folder.
const FOLDER: &str = "logs";

/// Begins logging; a second call changes nothing. `dir` is the data folder whose log is kept in files.
pub fn begin(dir: Option<&Path>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new(DEFAULT));
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // A folder that cannot be written is said when the records are opened.
    let file = dir.and_then(|dir| LogFile::open(&dir.join(FOLDER)).ok());
    let file = file.map(|file| {
        tracing_subscriber::fmt::layer().with_writer(std::sync::Mutex::new(file)).with_ansi(false).with_target(false)
    });
    if tracing_subscriber::registry().with(filter).with(stderr).with(file).try_init().is_err() {
        tracing::debug!("logging began before");
    }
}
