//! `meshwatt doctor`: what is wrong around the program, and what to do.

use crate::Failure;
use crate::report::{desktop_dir, say};
use clap::Args;
use service::{SecretsChoice, Verdict};
use std::path::PathBuf;

/// What to look at.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Folder with the building's records; the desktop program's when absent
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Prints one line for each check; fails when something does not work.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let dir = options.data_dir.map_or_else(desktop_dir, Ok)?;
    let checks = service::doctor(&dir, SecretsChoice::Auto, crate::serve::passphrase()).await;
    for check in &checks {
        let word = match check.verdict {
            Verdict::Good => "good",
            Verdict::Warn => "look",
            Verdict::Bad => "BAD",
            Verdict::Unknown => "?",
        };
        say(&format!("{word:<5} {:<22} {}", check.name, check.finding))?;
    }
    let bad = checks.iter().filter(|check| check.verdict == Verdict::Bad).count();
    if bad == 0 { Ok(()) } else { Err(Failure::NotMet(format!("{bad} of {} checks failed", checks.len()))) }
}
