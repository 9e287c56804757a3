//! What a small building costs while little happens.

use super::charger;
use super::process::Served;
use crate::Failure;
use clap::Args;
use std::io::Write as _;
use std::time::Duration;

/// How much load, and what it may cost.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Chargers
    #[arg(long, default_value_t = 10)]
    chargers: usize,
    /// Seconds between two reports of a charger
    #[arg(long, default_value_t = 10)]
    every_s: u32,
    /// Seconds to measure
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Most resident memory in megabytes
    #[arg(long, default_value_t = 100.0)]
    memory_mb_max: f64,
    /// Most of one core in percent
    #[arg(long, default_value_t = 2.0)]
    core_percent_max: f64,
}

/// Seconds before the measurement begins.
const WARM_UP_S: u32 = 15;

pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let served = Served::start(options.chargers).await?;
    let mut reporters = charger::connect(options.chargers, served.ocpp).await?;
    let mut before = (0.0, 0.0);
    for second in 0..WARM_UP_S + options.seconds {
        if second == WARM_UP_S {
            before = served.cost()?;
        }
        for (number, reporter) in (0_u32..).zip(&mut reporters) {
            if (second + number) % options.every_s.max(1) == 0 {
                reporter.report();
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let (memory_mb, cpu_s) = served.cost()?;
    let percent = (cpu_s - before.1) * 100.0 / f64::from(options.seconds.max(1));
    let text = format!(
        "{} chargers every {} s: {memory_mb:.1} MB resident, {percent:.2} % of one core",
        options.chargers, options.every_s
    );
    let failed = |source| Failure::System { what: "cannot write to stdout", source };
    writeln!(std::io::stdout().lock(), "{text}").map_err(failed)?;
    if memory_mb > options.memory_mb_max || percent > options.core_percent_max {
        return Err(Failure::NotMet(format!(
            "it must stay below {} MB and {} % of one core",
            options.memory_mb_max, options.core_percent_max
        )));
    }
    Ok(())
}
