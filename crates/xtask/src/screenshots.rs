//! `cargo xtask screenshots`: the pictures of the README, taken from the running demo.

use crate::process::{self, Result, cargo, run};
use crate::{console, install};

/// Builds the demo, walks through the console in headless Chromium, writes `docs/screenshots`.
pub(crate) fn run_all() -> Result {
    install::for_tests()?;
    console::build()?;
    run(cargo(&["build", "--package", "cli"]))?;
    let target = process::target_directory()?;
    let mut command = cargo(&["run", "--package", "tests", "--bin", "screenshots", "--", "docs/screenshots"]);
    command.env("MESHWATT_BIN", target.join("debug/meshwatt"));
    run(command)
}
