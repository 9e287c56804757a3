//! `meshwatt demo`: the service and a virtual building on loopback, as separate clients of real sockets.

mod changes;
mod panel;
mod published;
mod seed;

use crate::failure::chain;
use crate::{Failure, console_assets, signal};
use clap::Args;
use domain::{Clock as _, DurationMs, Timestamp};
use panel::Panel;
use service::{Config, Running};
use simulator::{Building, BuildingConfig, Life, Physics, ScaledClock, Speed};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Password of the demo's manager; shown, since the building is not real.
pub const PASSWORD: &str = "meshwatt-demo";

/// Seed of the demo building.
const SEED: u64 = 2026;

/// File with the last time of the demo's clock, so that a fast clock never goes back at the next start.
const CLOCK_FILE: &str = "demo-clock";

/// Real time between two notes of the clock.
const CLOCK_EVERY: Duration = Duration::from_secs(2);

/// Where the demo lives.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Folder with the demo's database; a folder in your cache when absent
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where the console listens; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480")]
    pub http: SocketAddr,
    /// How fast time runs: 1, 10 or 60
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub speed: u8,
}

impl Default for Options {
    /// The folder in the cache, a free port, time as in life.
    fn default() -> Self {
        Self { data_dir: None, http: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), speed: 1 }
    }
}

/// A running demo.
pub struct Demo {
    running: Running,
    panel: Arc<Panel>,
    clock: JoinHandle<()>,
    rules: JoinHandle<()>,
    dir: PathBuf,
}

impl Demo {
    /// The service inside.
    #[must_use]
    pub const fn running(&self) -> &Running {
        &self.running
    }

    /// Takes the virtual building away, then ends the service in order.
    pub async fn shutdown(self) {
        self.clock.abort();
        self.rules.abort();
        self.panel.close();
        restore(&self.running, &self.dir).await;
        self.running.shutdown().await;
    }
}

/// Starts the service and the virtual building.
///
/// # Errors
/// In one line what stands in the way and what to do.
pub async fn start(options: Options) -> Result<Demo, Failure> {
    let speed = match options.speed {
        1 => Speed::X1,
        10 => Speed::X10,
        60 => Speed::X60,
        other => return Err(Failure::Usage(format!("--speed must be 1, 10 or 60, not {other}"))),
    };
    let dir = options.data_dir.map_or_else(default_dir, Ok)?;
    let begins = begins(&dir);
    let clock = Arc::new(ScaledClock::new(begins, speed));
    let plan = simulator::building_plan(SEED, begins - seed::PAST).map_err(|error| Failure::Demo(Box::new(error)))?;
    let panel = Arc::new(Panel::default());
    let mut config = Config::new(dir.clone());
    config.http = options.http;
    config.ocpp = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    config.mqtt = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    config.clock = Arc::clone(&clock) as Arc<dyn domain::Clock>;
    config.console = console_assets();
    config.demo = Some(Arc::clone(&panel) as Arc<dyn service::Demo>);
    config.initial = seed::initial(&plan, &dir, begins)?;
    config.manager_password = Some(PASSWORD.to_owned());
    let running = service::start(config).await?;
    let addresses = running.addresses();
    restore(&running, &dir).await;
    let building = Building::start(BuildingConfig {
        ocpp_url: format!("ws://{}/ocpp", addresses.ocpp),
        mqtt: addresses.mqtt,
        clock: Arc::clone(&clock),
        plan,
        registers: running.registers().clone(),
        sessions: running.open_sessions().to_vec(),
        physics: Physics::REAL,
        life: Life::Lively,
        changes: changes::read(&dir),
        lost_percent: 0,
    });
    let settings = running.settings().clone();
    panel.open(building, settings.clone(), &dir);
    let rules = tokio::spawn(published::follow(Arc::clone(&panel), settings, Arc::clone(&clock), dir.clone()));
    let clock = tokio::spawn(note_clock(clock, dir.clone()));
    Ok(Demo { running, panel, clock, rules, dir })
}

async fn restore(running: &Running, dir: &Path) {
    if let Err(error) = published::restore(running.settings(), dir).await {
        tracing::warn!(error = chain(&error), "the site is still set for a simulation; start the demo again");
    }
}

/// Runs the demo until the signal to end.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let ended = signal::listen()?;
    let demo = start(options).await?;
    let address = demo.running.console_address();
    let once = demo.running.sign_in_address()?;
    let text = format!(
        "The demo building is running\n\n  Open   {once}\n  or     http://{address}/ and sign in with the password {PASSWORD}\n\nCtrl-C ends it"
    );
    let failed = |source| Failure::System { what: "cannot write to stdout", source };
    writeln!(std::io::stdout().lock(), "{text}").map_err(failed)?;
    ended.await;
    demo.shutdown().await;
    Ok(())
}

/// Now, or where the clock stood when the demo ended if that lies ahead.
fn begins(dir: &Path) -> Timestamp {
    let now = ScaledClock::from_now(Speed::X1).now().wall;
    let noted =
        std::fs::read_to_string(dir.join(CLOCK_FILE)).ok().and_then(|text| text.trim().parse().ok()).map(Timestamp);
    noted.map_or(now, |noted| now.max(noted + DurationMs::from_secs(1)))
}

async fn note_clock(clock: Arc<ScaledClock>, dir: PathBuf) {
    loop {
        tokio::time::sleep(CLOCK_EVERY).await;
        let ahead = clock.now().wall + DurationMs::from_secs(CLOCK_EVERY.as_secs() * u64::from(clock.speed().factor()));
        if let Err(error) = tokio::fs::write(dir.join(CLOCK_FILE), ahead.0.to_string()).await {
            tracing::debug!(%error, "the demo's clock was not noted");
        }
    }
}

/// A folder in the user's cache.
fn default_dir() -> Result<PathBuf, Failure> {
    let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    var("XDG_CACHE_HOME")
        .or_else(|| var("LOCALAPPDATA"))
        .or_else(|| var("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("meshwatt-demo"))
        .ok_or_else(|| Failure::Usage("no cache folder is known here; name a folder with --data-dir".to_owned()))
}
