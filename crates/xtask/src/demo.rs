//! `cargo xtask demo`: from an empty machine to a living building.

use crate::process::{Result, cargo, run};
use crate::{console, install};
use clap::Args;

/// How to show the demo.
#[derive(Args)]
pub(crate) struct Options {
    /// Open no window; print the address to open in a browser
    #[arg(long)]
    headless: bool,
    /// Optimise the program: builds longer, runs leaner
    #[arg(long)]
    release: bool,
}

/// Installs, builds and shows the demo until it is closed.
pub(crate) fn run_demo(options: &Options) -> Result {
    let window = !options.headless && has_display();
    if window {
        install::for_demo()?
    } else {
        install::for_service()?
    }
    console::build()?;
    // The window carries the same program inside, so only one of the two is built.
    let (package, arguments): (&str, &[&str]) = if window { ("desktop", &["--demo"]) } else { ("cli", &["demo"]) };
    let profile: &[&str] = if options.release { &["--release"] } else { &[] };
    let mut command = cargo(&["run", "--package", package]);
    command.args(profile).arg("--").args(arguments);
    if std::env::var_os("RUST_LOG").is_none() {
        // The address to open shall not scroll away.
        command.env("RUST_LOG", "warn");
    }
    if !window && !options.headless {
        println!("There is no display here, so open the address below in a browser.");
    }
    run(command)
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
