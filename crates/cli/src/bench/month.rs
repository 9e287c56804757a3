//! `meshwatt bench month`: how long a month of a building takes on virtual time.

use crate::Failure;
use std::io::Write as _;
use std::time::Instant;

/// What to play.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Chargers of the building
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=500))]
    chargers: u16,
    /// Days to play
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Through stations, mesh and their codecs instead of from domain events
    #[arg(long)]
    wire: bool,
}

/// How many buildings to try.
#[derive(Clone, Debug, clap::Args)]
pub struct Trials {
    /// Random buildings, twenty minutes each
    #[arg(long, default_value_t = 1000)]
    count: u32,
    /// Seed of the first; each later one has the next
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Plays random buildings in which things break, and fails when a breaker opened.
pub(super) fn run_trials(options: &Trials) -> Result<(), Failure> {
    let begun = Instant::now();
    let (mut worst, mut got_wh) = (0.0_f64, 0);
    for seed in (options.seed..).take(usize::try_from(options.count).unwrap_or(usize::MAX)) {
        let trial = scenario::try_building(seed).map_err(wrong)?;
        worst = worst.max(trial.used_percent);
        got_wh += trial.got_wh;
        if trial.tripped {
            return Err(Failure::NotMet(format!("a breaker opened in the building of seed {seed}: {trial:?}")));
        }
    }
    let took = begun.elapsed().as_secs_f64();
    say(format_args!(
        "{} random buildings with faults: no breaker opened, the worst used {worst:.0} % of the way; {:.0} kWh charged; {took:.1} s",
        options.count,
        kilo(got_wh),
    ))
}

fn say(line: std::fmt::Arguments<'_>) -> Result<(), Failure> {
    writeln!(std::io::stdout().lock(), "{line}")
        .map_err(|source| Failure::System { what: "cannot write standard output", source })
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let begun = Instant::now();
    let Options { chargers, days, seed, wire } = *options;
    let said = if wire {
        let report = scenario::month_by_wire(chargers, days, seed).map_err(wrong)?;
        format!(
            "{} sessions, {:.0} kWh, {} setpoints, {:.0} s over the limit, most {:.1} A of {:.0} A",
            report.sessions,
            kilo(report.delivered_wh),
            report.setpoints,
            report.over_limit_s,
            report.max_a,
            report.limit_a,
        )
    } else {
        let figures = scenario::play_month(chargers, days, seed).map_err(wrong)?;
        format!(
            "{} events, {} sessions, {:.0} of {:.0} kWh, {} setpoints, {} s over the limit, most {}",
            figures.events,
            figures.sessions,
            kilo(figures.got_wh),
            kilo(figures.wanted_wh),
            figures.setpoints,
            figures.over_limit_s,
            figures.most,
        )
    };
    let took = begun.elapsed().as_secs_f64();
    let how = if wire { "through the wire codecs" } else { "from domain events" };
    say(format_args!(
        "{days} days of {chargers} chargers in steps of a second, {how}, seed {seed}: {took:.1} s\n{said}"
    ))
}

fn wrong(error: scenario::ScenarioError) -> Failure {
    Failure::Usage(error.to_string())
}

/// Watt-hours in thousands; what is beyond a float's whole numbers saturates.
fn kilo(watt_hours: u64) -> f64 {
    u32::try_from(watt_hours).map_or(f64::INFINITY, f64::from) / 1000.0
}
