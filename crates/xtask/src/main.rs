//! Chores of this repository: `cargo xtask demo` and `cargo xtask test` are the two commands of the README.
//!
//! Each command is one module. Must not know: how anything of the product works; it only builds, installs
//! and starts.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the person at the terminal")]

mod check;
mod console;
mod demo;
mod install;
mod ocpp_types;
mod process;
mod screenshots;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what is missing, build, and open the console on a living demo building
    Demo(demo::Options),
    /// Install what is missing and run every check and test
    Test,
    /// Write the OCPP types from the official schemas
    Generate {
        /// Change nothing; fail when what is there is out of date
        #[arg(long)]
        check: bool,
    },
    /// Install what building the service needs, and build the console for browsers into dist/console
    BuildConsole,
    /// Install what is missing, nothing else
    Setup,
    /// Make the screenshots of the README with headless Chromium
    Screenshots,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Demo(options) => demo::run_demo(&options),
        Chore::Test => check::run_all(),
        Chore::Generate { check } => generate(check),
        Chore::BuildConsole => install::for_service().and_then(|()| console::build()).map(|_directory| ()),
        Chore::Setup => install::for_tests(),
        Chore::Screenshots => screenshots::run_all(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes generated code, or with `check_only` tells whether it is up to date.
fn generate(check_only: bool) -> process::Result {
    ocpp_types::run(check_only).map_err(|error| process::ChoreError::Other(error.to_string()))
}
