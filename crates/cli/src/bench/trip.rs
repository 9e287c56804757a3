//! How close a building comes to a trip while `serve` manages it on real sockets: chargers and meter are clients of their
//! own, limits get lost on their way, loads switch on and off, and the program is killed in the middle.
//!
//! The currents are those of the virtual building itself, at every circuit and phase; nothing the program says of itself
//! counts.

use super::faults::Program;
use crate::Failure;
use crate::report::say;
use clap::Args;
use domain::{CardUid, CircuitTree, Clock as _, DurationMs, ProtectionDevice, WattHours};
use service::{Config, InitialSite, SecretsChoice};
use simulator::{
    Building, BuildingCommand, BuildingConfig, BuildingError, BuildingPlan, Changes, Dice, Life, Physics, ScaledClock,
    Speed, TripFigures, TripWatch,
};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use sync::cluster::free_port;

/// What to play and what to demand.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// How long, in real time
    #[arg(long, value_name = "S", default_value_t = 600, value_parser = clap::value_parser!(u64).range(20..=86_400))]
    seconds: u64,
    /// Seed of the building, its loads and what gets lost
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Limits that get lost on their way to a charger, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=100))]
    loss: u64,
    /// How often the program is killed and started again
    #[arg(long, value_name = "N", default_value_t = 1)]
    kills: u64,
    /// Least share of the way to a trip that no device may use
    #[arg(long, value_name = "SHARE", default_value_t = 0.3)]
    margin: f64,
    /// Longest time above 1.05 times a limit, in s
    #[arg(long, value_name = "S", default_value_t = 7.0)]
    longest: f64,
    /// Worst overload in a row, in seconds of the whole limit
    #[arg(long, value_name = "S", default_value_t = 2.0)]
    excess: f64,
}

/// Time between two looks at the currents.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A killed program is started again after this.
const DOWN_FOR: Duration = Duration::from_secs(2);
/// Loads of the building that come and go beside its flats and its lift, over all phases, in W.
const LOADS_W: [i64; 4] = [0, 3_000, 6_000, 9_000];
/// A load stays on or off for so long, at least and at most, in s.
const LOAD_LASTS_S: (u64, u64) = (10, 50);
/// Energy each car wants: more than the time is enough for.
const WANTED: WattHours = WattHours(40_000);
/// Cards are held to the chargers when these have had time to connect.
const CARDS_AFTER: DurationMs = DurationMs(10_000);
/// Stream of the dice that no part of the virtual building uses.
const STREAM: u64 = 0x0054_5249_5053;

fn failed(what: &'static str) -> impl Fn(std::io::Error) -> Failure {
    move |source| Failure::System { what, source }
}

pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let home = std::env::temp_dir().join(format!("meshwatt-trip-{}", std::process::id()));
    std::fs::create_dir_all(&home).map_err(failed("cannot write to the temporary folder"))?;
    let done = play(options, &home).await;
    if std::fs::remove_dir_all(&home).is_err() {
        tracing::debug!("the temporary folder stays");
    }
    done
}

async fn play(options: &Options, home: &Path) -> Result<(), Failure> {
    let clock = Arc::new(ScaledClock::from_now(Speed::X1));
    let mut plan =
        simulator::building_plan(options.seed, clock.now().wall).map_err(|error| Failure::Demo(Box::new(error)))?;
    // The strictest device: what it is spared no other minds.
    for circuit in plan.circuits.iter_mut().filter(|circuit| circuit.parent.is_none()) {
        circuit.rating.device = Some(ProtectionDevice::PortugueseDcp);
    }
    let circuits = CircuitTree::new(plan.circuits.clone()).map_err(|error| Failure::Demo(Box::new(error)))?;
    furnish(&plan, &circuits, home).await?;
    let [ocpp, mqtt] = [free_port(), free_port()].map(|port| port.map_err(failed("no free port")));
    let [ocpp, mqtt] = [ocpp?, mqtt?].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let (ocpp_arg, mqtt_arg) = (ocpp.to_string(), mqtt.to_string());
    let mode = ["serve", "--secrets", "file", "--ocpp", &ocpp_arg, "--mqtt", &mqtt_arg];
    let program = Program::start(home, &mode).await?;
    let cards = plan.households.iter().filter_map(|home| home.cards.first()).map(|card| card.uid.clone());
    let everywhere: Vec<_> = plan.chargers.iter().map(|charger| charger.id.to_string()).zip(cards).collect();
    let mut watch = TripWatch::new(&circuits, &plan.chargers, plan.site.grid_limit(), plan.site.phases);
    let building = Building::start(BuildingConfig {
        ocpp_url: format!("ws://{ocpp}/ocpp"),
        mqtt,
        clock: Arc::clone(&clock),
        plan,
        registers: BTreeMap::new(),
        sessions: Vec::new(),
        physics: Physics::REAL,
        life: Life::Lively,
        changes: Changes::default(),
        lost_percent: options.loss,
    });
    let visitors = bring_cars(&building, everywhere)?;
    let looking = look(&building, &clock, &mut watch, visitors, options);
    let killing = kill(program, home, &mode, options);
    let (looked, killed) = tokio::join!(looking, killing);
    looked?;
    let program = killed?;
    let charged = building.with_world(|world| world.delivered()).wh();
    let lost = building.lost();
    drop(building);
    program.kill().await?;
    judge(&watch.figures(), options)?;
    say(&format!(
        "{} s, seed {}: {} Wh charged, {lost} limits lost on their way, killed {} times; no device opened",
        options.seconds, options.seed, charged.0, options.kills,
    ))?;
    if charged.0 == 0 {
        return Err(Failure::NotMet("no car charged".to_owned()));
    }
    Ok(())
}

/// Lets the program begin in a folder that knows the building.
async fn furnish(plan: &BuildingPlan, circuits: &CircuitTree, home: &Path) -> Result<(), Failure> {
    let mut config = Config::new(home.to_owned());
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    (config.http, config.ocpp, config.mqtt) = (any, any, any);
    config.secrets = SecretsChoice::File;
    config.initial = InitialSite {
        site: plan.site.clone(),
        circuits: Some(circuits.clone()),
        meters: plan.meters.clone(),
        chargers: plan.chargers.clone(),
        tenants: plan.households.iter().map(|home| home.tenant.clone()).collect(),
        cards: plan.households.iter().flat_map(|home| home.cards.clone()).collect(),
        mqtt_credentials: plan.credentials.iter().map(|one| (one.device.clone(), one.password.clone())).collect(),
        history: None,
        tariff: None,
        letterhead: None,
    };
    service::start(config).await?.shutdown().await;
    Ok(())
}

fn tell(building: &Building, command: BuildingCommand) -> Result<(), Failure> {
    building.command(command).map_err(|error| Failure::Demo(Box::new(error)))
}

/// Brings a hungry car to every charger that has none; whose cards are still to be held there.
fn bring_cars(building: &Building, everywhere: Vec<(String, CardUid)>) -> Result<Vec<(String, CardUid)>, Failure> {
    let mut visitors = Vec::new();
    for (charger, card) in everywhere {
        match building.command(BuildingCommand::Plug { charger: charger.clone(), wants: WANTED }) {
            Ok(()) => visitors.push((charger, card)),
            // Its driver is one of the building's own people and holds a card there himself.
            Err(BuildingError::Occupied(_)) => {}
            Err(error) => return Err(Failure::Demo(Box::new(error))),
        }
    }
    Ok(visitors)
}

/// Switches loads and adds up what flows, until the time is over.
async fn look(
    building: &Building,
    clock: &ScaledClock,
    watch: &mut TripWatch,
    mut visitors: Vec<(String, CardUid)>,
    options: &Options,
) -> Result<(), Failure> {
    let mut dice = Dice::new(options.seed, STREAM);
    let begun = clock.now().instant;
    let (mut last, mut switches) = (begun, begun);
    loop {
        let now = clock.now().instant;
        if now.since(begun).0 >= options.seconds * 1000 {
            return Ok(());
        }
        if now.since(begun) >= CARDS_AFTER {
            for (charger, card) in visitors.drain(..) {
                tell(building, BuildingCommand::TapCard { charger, card })?;
            }
        }
        if now >= switches {
            let load = dice.between(0, 3).try_into().ok().and_then(|index: usize| LOADS_W.get(index)).copied();
            tell(building, BuildingCommand::SetExtraLoad(load.unwrap_or_default()))?;
            let (least, most) = LOAD_LASTS_S;
            switches = now + DurationMs::from_secs(dice.between(least, most));
        }
        building.with_world(|world| watch.step(world, now.since(last)));
        last = now;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Kills the program at even distances, as a power cut does, and starts it again.
async fn kill(mut program: Program, home: &Path, mode: &[&str], options: &Options) -> Result<Program, Failure> {
    let pause = Duration::from_secs(options.seconds) / u32::try_from(options.kills + 1).unwrap_or(u32::MAX);
    for _ in 0..options.kills {
        tokio::time::sleep(pause).await;
        program.kill().await?;
        tokio::time::sleep(DOWN_FOR).await;
        program = Program::start(home, mode).await?;
    }
    Ok(program)
}

/// Prints every circuit's worst phase and fails when one came closer than it may.
fn judge(figures: &[TripFigures], options: &Options) -> Result<(), Failure> {
    let mut circuits: BTreeMap<&str, &TripFigures> = BTreeMap::new();
    for one in figures {
        let worst = circuits.entry(&one.circuit).or_insert(one);
        if one.margin() < worst.margin() || one.worst_excess_as > worst.worst_excess_as {
            *worst = one;
        }
    }
    for one in circuits.values() {
        let used: Vec<String> = one.used_percent.iter().map(|(kind, used)| format!("{kind:?} {used:.0} %")).collect();
        say(&format!(
            "{}, L{}: most {:.1} of {:.0} A, margin {:.2} ({}), {:.1} s above 1.05, worst overload {:.0} A s",
            one.circuit,
            one.phase,
            one.most_a,
            one.limit_a,
            one.margin(),
            used.join(", "),
            one.longest_over_s,
            one.worst_excess_as,
        ))?;
    }
    let unmet = figures.iter().find(|one| {
        one.tripped
            || one.margin() < options.margin
            || one.longest_over_s > options.longest
            || one.worst_excess_as > options.excess * one.limit_a
    });
    unmet.map_or(Ok(()), |one| {
        let what = if one.tripped { "a device opened" } else { "a device came closer to a trip than it may" };
        Err(Failure::NotMet(format!("{what} on {} L{}", one.circuit, one.phase)))
    })
}
