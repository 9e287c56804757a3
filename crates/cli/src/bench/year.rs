//! How large the records of a building become, and how fast graphs open.

use crate::Failure;
use crate::report::{progress, say};
use clap::Args;
use service::YearPlan;
use std::path::PathBuf;

/// Most bytes: what the smallest PC has to spare.
const BYTES_MAX: u64 = 2_000_000_000;

/// Most milliseconds for a graph.
const GRAPH_MS_MAX: u128 = 200;

/// What to simulate.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Chargers, each with eight series every ten seconds
    #[arg(long, value_name = "N", default_value_t = 40)]
    chargers: u16,
    /// Days; after 761 minute means have reached their age too
    #[arg(long, value_name = "N", default_value_t = 365)]
    days: u16,
    /// Keep the records in this folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Simulates and measures; fails above 2 GB or 200 ms.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let temporary = std::env::temp_dir().join(format!("meshwatt-year-{}", std::process::id()));
    let dir = options.keep.clone().unwrap_or_else(|| temporary.clone());
    let plan = YearPlan { chargers: options.chargers, days: options.days };
    let done = service::year(&dir, plan, |day| progress(&format!("day {day} of {}", plan.days))).await;
    if options.keep.is_none() {
        drop(std::fs::remove_dir_all(&temporary));
    }
    let report = done.map_err(|error| Failure::Store(Box::new(error)))?;
    say(&format!(
        "{} chargers, {} days, {} readings: {} MB",
        plan.chargers,
        plan.days,
        report.readings,
        report.bytes / 1_000_000
    ))?;
    for (table, bytes) in &report.tables {
        say(&format!("  {table}: {} MB", bytes / 1_000_000))?;
    }
    let mut slow = Vec::new();
    for (graph, took) in &report.graphs {
        say(&format!("  {graph}: {} ms", took.as_millis()))?;
        if took.as_millis() > GRAPH_MS_MAX {
            slow.push(graph.as_str());
        }
    }
    if report.bytes > BYTES_MAX {
        return Err(Failure::NotMet(format!("{} bytes are more than {BYTES_MAX}", report.bytes)));
    }
    if !slow.is_empty() {
        return Err(Failure::NotMet(format!("slower than {GRAPH_MS_MAX} ms: {}", slow.join("; "))));
    }
    Ok(())
}
