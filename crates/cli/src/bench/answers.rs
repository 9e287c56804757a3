//! How long chargers wait for an answer. Every message is durable before it is answered.

use super::charger;
use super::process::Served;
use crate::Failure;
use clap::Args;
use std::io::Write as _;
use std::time::Duration;

/// How much load.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Chargers, each of which reports every second
    #[arg(long, default_value_t = 200)]
    chargers: usize,
    /// Seconds to measure
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Most milliseconds the 99th percentile may take; beyond it the command fails
    #[arg(long, default_value_t = 50)]
    p99_ms_max: u64,
}

/// Seconds before the measurement begins: connections, boots and first profiles are no steady load.
const WARM_UP_S: u32 = 8;

pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let served = Served::start(options.chargers).await?;
    let mut reporters = charger::connect(options.chargers, served.ocpp).await?;
    let pause = Duration::from_secs(1) / u32::try_from(options.chargers.max(1)).unwrap_or(u32::MAX);
    let mut times = Vec::new();
    for second in 0..WARM_UP_S + options.seconds {
        if second == WARM_UP_S {
            for reporter in &reporters {
                drop(reporter.take());
            }
        }
        // Spread over the second, as real chargers are.
        let mut turn = tokio::time::interval(pause);
        for reporter in &mut reporters {
            turn.tick().await;
            reporter.report();
        }
        turn.tick().await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut unanswered = 0;
    for reporter in &reporters {
        let (answered, waiting) = reporter.take();
        times.extend(answered);
        unanswered += waiting;
    }
    let (memory_mb, cpu_s) = served.cost().unwrap_or_default();
    drop(served);
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied();
    let p99 = at(99).unwrap_or(Duration::MAX);
    let text = format!(
        "{} answers to {} chargers in {} s: p50 {:.1?}, p95 {:.1?}, p99 {p99:.1?}, most {:.1?}; {unanswered} unanswered; {memory_mb:.0} MB, {cpu_s:.1} s of processor time in all",
        times.len(),
        options.chargers,
        options.seconds,
        at(50).unwrap_or_default(),
        at(95).unwrap_or_default(),
        times.last().copied().unwrap_or_default(),
    );
    let failed = |source| Failure::System { what: "cannot write to stdout", source };
    writeln!(std::io::stdout().lock(), "{text}").map_err(failed)?;
    if p99 > Duration::from_millis(options.p99_ms_max) || unanswered > 0 {
        return Err(Failure::NotMet(format!(
            "p99 must stay below {} ms with every message answered",
            options.p99_ms_max
        )));
    }
    Ok(())
}
