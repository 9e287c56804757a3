//! What the OCPP side carries: connections, messages a second, latency, memory and processor time, beside the ceiling
//! of this computer: a responder that only keeps every message durably and says so.

mod aims;
mod load;
mod passwords;

use super::process::Served;
use crate::Failure;
use aims::Aims;
use clap::Args;
use load::{Fleet, Habit, percentile};
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What to measure, and what is demanded.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Chargers that connect at once and then report as fast as they are answered
    #[arg(long, default_value_t = 1000)]
    chargers: usize,
    /// Seconds of that
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Chargers that come back in the same second
    #[arg(long, default_value_t = 2000)]
    burst: usize,
    /// Steps of the scalability test instead: so many chargers with eight measurands every 10 s
    #[arg(long, value_delimiter = ',')]
    ramp: Vec<usize>,
    /// Seconds of each step
    #[arg(long, default_value_t = 30)]
    ramp_seconds: u32,
    /// Fail when a demand is missed: half the ceiling, 1,000 connected in 1 s, a burst within 10 s, 40 kB per charger
    #[arg(long)]
    check: bool,
}

/// Most memory a connected charger may cost, in kB.
const KB_PER_CHARGER_MAX: f64 = 40.0;
/// Time in which a thousand chargers are connected.
const CONNECT_MAX: Duration = Duration::from_secs(1);
/// Time in which a burst is served.
const BURST_MAX: Duration = Duration::from_secs(10);
/// Part of the ceiling that is demanded.
const CEILING_PART: f64 = 0.5;

/// What one run showed.
struct Throughput {
    calls_per_s: f64,
    text: String,
}

pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    if !options.ramp.is_empty() {
        return ramp(options).await;
    }
    let mut aims = Aims::default();
    let served = Served::start(options.chargers.max(options.burst)).await?;
    // What the program takes for itself in its first seconds is no charger's.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let before = served.cost()?;
    let fleet = Fleet::launch(served.ocpp, 1, options.chargers);
    let connected = connected(&fleet, options.chargers).await;
    let booted = fleet.served(options.chargers).await;
    say(&format!("{} chargers connected in {connected:.2?}, all booted {booted:.2?} later", options.chargers))?;
    if options.chargers >= 1000 {
        let most = CONNECT_MAX.mul_f64(count(options.chargers) / 1000.0);
        let name = format!("{} chargers connected within {most:.2?}", options.chargers);
        aims.add(name, format!("{connected:.2?}"), connected <= most);
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    let after = served.cost()?;
    let kb = (after.0 - before.0) * 1000.0 / count(options.chargers);
    say(&format!("{kb:.1} kB per connected charger ({:.1} MB before, {:.1} MB after)", before.0, after.0))?;
    let name = format!("at most {KB_PER_CHARGER_MAX} kB of memory for a connected charger");
    aims.add(name, format!("{kb:.1} kB"), kb <= KB_PER_CHARGER_MAX);
    let ours = throughput(&served, &fleet, options).await?;
    say(&format!("meshwatt: {}", ours.text))?;
    fleet.drop_all().await;
    burst(&served, options, &[], &mut aims).await?;
    let logins = passwords::logins(&served, options.burst).await?;
    burst(&served, options, &logins, &mut aims).await?;
    drop(served);
    let bare = Served::ceiling().await?;
    let fleet = Fleet::launch(bare.ocpp, 1, options.chargers);
    fleet.served(options.chargers).await;
    let ceiling = throughput(&bare, &fleet, options).await?;
    say(&format!("ceiling:  {}", ceiling.text))?;
    let part = ours.calls_per_s / ceiling.calls_per_s.max(1.0);
    say(&format!("{:.0} % of the ceiling", part * 100.0))?;
    let name = format!("at least {:.0} % of the ceiling", CEILING_PART * 100.0);
    aims.add(name, format!("{:.0} %", part * 100.0), part >= CEILING_PART);
    say(&aims.to_string())?;
    match aims.missed() {
        Some(missed) if options.check => Err(Failure::NotMet(missed)),
        Some(_) | None => Ok(()),
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number.max(1)).unwrap_or(u32::MAX))
}

fn say(line: &str) -> Result<(), Failure> {
    let failed = |source| Failure::System { what: "cannot write to stdout", source };
    writeln!(std::io::stdout().lock(), "{line}").map_err(failed)
}

async fn connected(fleet: &Fleet, wanted: usize) -> Duration {
    let begun = std::time::Instant::now();
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    let done = || fleet.tally.connected.load(Ordering::Relaxed) + fleet.tally.refused.load(Ordering::Relaxed);
    while done() < wanted && begun.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    begun.elapsed()
}

/// Everybody reports as fast as they are answered.
async fn throughput(served: &Served, fleet: &Fleet, options: &Options) -> Result<Throughput, Failure> {
    fleet.set(Habit::Eager);
    tokio::time::sleep(Duration::from_secs(2)).await;
    drop(fleet.tally.take_times());
    let (begun, before) = (std::time::Instant::now(), served.cost()?);
    tokio::time::sleep(Duration::from_secs(u64::from(options.seconds))).await;
    let (took, after) = (begun.elapsed().as_secs_f64(), served.cost()?);
    let times = fleet.tally.take_times();
    fleet.set(Habit::Idle);
    let calls_per_s = count(times.len()) / took;
    let text = format!(
        "{calls_per_s:.0} calls/s; p50 {:.1?}, p95 {:.1?}, p99 {:.1?}; {:.0} % of a core, {:.0} µs a call; {:.0} MB; {} lost",
        percentile(&times, 50),
        percentile(&times, 95),
        percentile(&times, 99),
        (after.1 - before.1) * 100.0 / took,
        (after.1 - before.1) * 1e6 / count(times.len()),
        after.0,
        fleet.tally.lost.load(Ordering::Relaxed),
    );
    Ok(Throughput { calls_per_s, text })
}

/// Everybody comes back at once, with or without a password.
async fn burst(served: &Served, options: &Options, logins: &[String], aims: &mut Aims) -> Result<(), Failure> {
    let first = Fleet::launch_with(served.ocpp, 1, options.burst, logins);
    first.served(options.burst).await;
    first.drop_all().await;
    let again = Fleet::launch_with(served.ocpp, 1, options.burst, logins);
    let took = again.served(options.burst).await;
    let refused = again.tally.refused.load(Ordering::Relaxed);
    let booted = again.tally.booted.load(Ordering::Relaxed);
    let how = if logins.is_empty() { "" } else { ", each with its password" };
    let of = options.burst;
    say(&format!("{booted} of {of} chargers came back{how} and were served in {took:.2?}; {refused} refused"))?;
    let name = format!("{of} chargers that come back{how} served within {BURST_MAX:?}, none refused");
    aims.add(name, format!("{took:.2?}, {refused} refused"), took <= BURST_MAX && refused == 0);
    again.drop_all().await;
    Ok(())
}

/// The published scalability test: eight measurands every 10 s, more chargers step by step.
async fn ramp(options: &Options) -> Result<(), Failure> {
    let most = options.ramp.iter().copied().max().unwrap_or(1);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    say("chargers  messages/s      p50      p99  core %  all cores %  memory MB")?;
    for &chargers in &options.ramp {
        let served = Served::start(most).await?;
        let fleet = Fleet::launch(served.ocpp, 1, chargers);
        fleet.served(chargers).await;
        fleet.set(Habit::Every(Duration::from_secs(10)));
        tokio::time::sleep(Duration::from_secs(12)).await;
        drop(fleet.tally.take_times());
        let before = served.cost()?;
        tokio::time::sleep(Duration::from_secs(u64::from(options.ramp_seconds))).await;
        let after = served.cost()?;
        let times = fleet.tally.take_times();
        let seconds = f64::from(options.ramp_seconds.max(1));
        let percent = (after.1 - before.1) * 100.0 / seconds;
        let line = format!(
            "{chargers:>8}  {:>10.1}  {:>7.1?}  {:>7.1?}  {percent:>6.2}  {:>11.2}  {:>9.1}",
            count(times.len()) / seconds,
            percentile(&times, 50),
            percentile(&times, 99),
            percent / count(cores),
            after.0,
        );
        say(&line)?;
        fleet.drop_all().await;
    }
    Ok(())
}
