//! `meshwatt simulate`: a scenario on virtual time.

use crate::Failure;
use clap::Args;
use scenario::{Report, Scenario};
use std::io::Write as _;
use std::path::PathBuf;

/// What to play.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The scenario file
    #[arg(value_name = "SCENARIO.toml")]
    scenario: PathBuf,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the metrics as JSON
    #[arg(long)]
    json: bool,
    /// Draw what flowed as an SVG picture into this file
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
}

/// Plays the scenario, prints the metrics, and fails when an expectation of the file was not met.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let path = &options.scenario;
    let text = std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.clone(), source })?;
    let wrong = |source| Failure::Scenario { path: path.clone(), source };
    let scenario = Scenario::parse(&text).map_err(wrong)?;
    let report = match &options.picture {
        None => scenario::run(&scenario, options.seed).map_err(wrong)?,
        Some(path) => {
            let (report, trace) = scenario::run_traced(&scenario, options.seed).map_err(wrong)?;
            let failed = |source| Failure::System { what: "cannot write the picture; choose another file", source };
            std::fs::write(path, trace.svg(&scenario)).map_err(failed)?;
            report
        }
    };
    print(&report, options.json)?;
    if report.unmet.is_empty() {
        return Ok(());
    }
    Err(Failure::NotMet(format!("{} expectations were not met; seed {}", report.unmet.len(), options.seed)))
}

fn print(report: &Report, json: bool) -> Result<(), Failure> {
    let failed = |source| Failure::System { what: "cannot write to stdout", source };
    let text = if json {
        serde_json::to_string_pretty(report).map_err(|error| failed(error.into()))?
    } else {
        report.to_string()
    };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).map_err(failed)
}
