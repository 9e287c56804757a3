//! `meshwatt bench loop`: hours of a harsh little site, and how close its protection came to acting.

use crate::Failure;
use scenario::{LoopBench, LoopFigures};
use std::io::Write as _;

/// Length of one run, in s: what is learnt in one is forgotten in the next.
const RUN_S: u32 = 3 * 3600;
const OWN_SEEDS: u64 = 500_000;

/// The site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum SiteChoice {
    /// 30 A on one phase, 4 cars
    #[value(name = "30A")]
    Single,
    /// 3 x 63 A, 9 cars
    #[value(name = "63A3p")]
    Three,
}

/// What to play.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Simulated hours, in runs of 3 hours that each begin with nothing learnt
    #[arg(long, default_value_t = 30)]
    hours: u32,
    /// The site; both when not given
    #[arg(long)]
    site: Option<SiteChoice>,
    /// Seconds between two samples of the meter, such as 1,2,5
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 5])]
    meter: Vec<u32>,
    /// Seconds between two readings of a charger, such as 2,10,60
    #[arg(long, value_delimiter = ',', default_values_t = [2])]
    telemetry: Vec<u32>,
    /// Seconds a setpoint needs to its charger: least and most, several pairs apart by `;`, such as "0.3,1.5;1,8"
    #[arg(long, default_value = "0.3,1.5;1,8")]
    latency: String,
    /// Seconds for which the meter falls silent, twice in each run
    #[arg(long, value_delimiter = ',', default_values_t = [0])]
    outage: Vec<u32>,
    /// Fail unless every row keeps a margin of 0.3, at most 7 s and two limit-seconds of overload
    #[arg(long)]
    check: bool,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let latencies = latencies(&options.latency)?;
    if options.meter.iter().chain(&options.telemetry).any(|seconds| *seconds == 0) {
        return Err(Failure::Usage("--meter and --telemetry need at least 1 s".to_owned()));
    }
    let sites = options.site.map_or(vec![SiteChoice::Single, SiteChoice::Three], |site| vec![site]);
    say(format_args!(
        "site   meter  silent  readings  latency    margin  longest s  worst As  most A  energy %  switches"
    ))?;
    let mut kept = true;
    for site in sites {
        for meter_s in &options.meter {
            for outage_s in &options.outage {
                for telemetry_s in &options.telemetry {
                    for latency_s in &latencies {
                        let bench = LoopBench {
                            three_phase: site == SiteChoice::Three,
                            meter_s: *meter_s,
                            telemetry_s: *telemetry_s,
                            latency_s: *latency_s,
                            outage_s: *outage_s,
                            loss: 0.01,
                            seconds: RUN_S,
                        };
                        kept &= row(&bench, options.hours)?;
                    }
                }
            }
        }
    }
    if options.check && !kept {
        return Err(Failure::NotMet("a row is outside margin 0.3, 7 s or two limit-seconds".to_owned()));
    }
    Ok(())
}

/// Plays one combination and prints its row. True when it stays within what is asked.
fn row(bench: &LoopBench, hours: u32) -> Result<bool, Failure> {
    let runs = (hours * 3600).div_ceil(RUN_S).max(1);
    let mut all = Vec::new();
    for run in 0..u64::from(runs) {
        let figures = bench.play(OWN_SEEDS + run).map_err(|error| Failure::Usage(error.to_string()))?;
        all.push(figures);
    }
    let most = |of: fn(&LoopFigures) -> f64| all.iter().map(of).fold(0.0, f64::max);
    let mean = |of: fn(&LoopFigures) -> f64| all.iter().map(of).sum::<f64>() / f64::from(runs);
    let margin = all.iter().map(|figures| figures.margin).fold(1.0, f64::min);
    let (longest, worst) = (most(|f| f.longest_over_s), most(|f| f.worst_excess_as));
    let (site, limit) = if bench.three_phase { ("63A3p", 63.0) } else { ("30A", 30.0) };
    say(format_args!(
        "{site:6} {:5}  {:6}  {:8}  {:>7}  {margin:8.2}  {longest:9}  {worst:8.0}  {:6.1}  {:8.1}  {:8.2}",
        bench.meter_s,
        bench.outage_s,
        bench.telemetry_s,
        format!("{}-{}", bench.latency_s.0, bench.latency_s.1),
        most(|f| f.most_a),
        100.0 * mean(|f| f.delivered),
        mean(|f| f.switches_per_hour),
    ))?;
    Ok(margin >= 0.3 - 1e-9 && longest <= 7.0 && worst <= 2.0 * limit)
}

fn latencies(text: &str) -> Result<Vec<(f64, f64)>, Failure> {
    let usage = || Failure::Usage("--latency takes pairs of seconds such as \"0.3,1.5;1,8\"".to_owned());
    text.split(';')
        .map(|pair| {
            let (least, most) = pair.split_once(',').ok_or_else(usage)?;
            let seconds = |text: &str| text.trim().parse::<f64>().ok().filter(|value| (0.0..=60.0).contains(value));
            let (least, most) = (seconds(least).ok_or_else(usage)?, seconds(most).ok_or_else(usage)?);
            if least <= most { Ok((least, most)) } else { Err(usage()) }
        })
        .collect()
}

fn say(line: std::fmt::Arguments<'_>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|source| Failure::System { what: "cannot write standard output", source })
}
