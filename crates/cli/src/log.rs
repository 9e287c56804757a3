//! Logs on stderr, as `RUST_LOG` says.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// What is logged when `RUST_LOG` says nothing: our own at info, libraries only when something is wrong.
const DEFAULT: &str = "warn,service=info,cli=info,broker=info,store=info";

/// Begins logging; a second call changes nothing.
pub(crate) fn begin() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new(DEFAULT));
    let begun = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    if begun.is_err() {
        tracing::debug!("logging began before");
    }
}
