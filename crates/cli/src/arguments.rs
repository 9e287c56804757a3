//! The command line.

use crate::{Failure, allocate, backup, bench, cloud, demo, doctor, log, report, serve, simulate};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// Runs the EV chargers of a condominium.
#[derive(Debug, Parser)]
#[command(name = "meshwatt", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run your building; prints one JSON line when everything listens
    Serve(Box<serve::Options>),
    /// Run a living demo building on this computer
    Demo(demo::Options),
    /// Play a scenario on virtual time and print its metrics
    Simulate(simulate::Options),
    /// Decide for a measuring tool: JSON lines in, JSON lines out
    Allocate(allocate::Options),
    /// Write the statements of a month as files
    Report(report::ReportOptions),
    /// Check that no closed statement was altered
    Verify(report::VerifyOptions),
    /// The cloud database: its tables, how far sending has come, comparing, restoring
    #[command(subcommand)]
    Cloud(cloud::Cloud),
    /// Copy the records while the program runs
    Backup(backup::BackupOptions),
    /// Look into a copy of the records, or bring it back
    Restore(backup::RestoreOptions),
    /// Write everything as open formats
    Export(backup::ExportOptions),
    /// Check ports, disk, clock, keyring, certificates, firewall and copies, and say what to do
    Doctor(doctor::Options),
    /// Measure this program on this computer
    #[command(subcommand)]
    Bench(bench::Bench),
}

/// Runs the command line; the exit code is 0, 1 for a failure, 64 for wrong arguments.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    log::begin(arguments.command.data_dir());
    match perform(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure.line());
            ExitCode::from(failure.exit_code())
        }
    }
}

impl Command {
    /// The data folder whose log is kept in files.
    fn data_dir(&self) -> Option<&Path> {
        match self {
            Self::Serve(options) => Some(&options.data_dir),
            _ => None,
        }
    }
}

fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be done when not even the help can be printed.
    drop(error.print());
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(64),
    }
}

#[expect(clippy::print_stderr, reason = "the one line for whoever started the program")]
fn complain(line: &str) {
    eprintln!("meshwatt: {line}");
}

fn perform(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(options) => runtime()?.block_on(serve::run(*options)),
        Command::Demo(options) => runtime()?.block_on(demo::run(options)),
        Command::Simulate(options) => simulate::run(&options),
        Command::Allocate(options) => allocate::run(&options),
        Command::Report(options) => runtime()?.block_on(report::report(options)),
        Command::Verify(options) => runtime()?.block_on(report::verify(options)),
        Command::Cloud(cloud) => runtime()?.block_on(cloud::run(cloud)),
        Command::Backup(options) => runtime()?.block_on(backup::backup(options)),
        Command::Restore(options) => runtime()?.block_on(backup::restore(options)),
        Command::Export(options) => runtime()?.block_on(backup::export(options)),
        Command::Doctor(options) => runtime()?.block_on(doctor::run(options)),
        Command::Bench(bench) => runtime()?.block_on(bench::run(bench)),
    }
}

/// Two workers carry hundreds of chargers, and each costs memory.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| Failure::System { what: "the system gives no threads; close other programs", source })
}
