//! `meshwatt serve`: one's own building, headless.

use crate::{Failure, console_assets, signal};
use clap::Args;
use domain::Clock as _;
use serde::Serialize;
use service::{Config, Running, SystemClock};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What to serve and where.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Folder with the database and the token file; made when it does not exist
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Where the API and the console listen; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480")]
    pub http: SocketAddr,
    /// Where OCPP chargers connect, as ws://HOST:PORT/ocpp/NAME
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8887")]
    pub ocpp: SocketAddr,
    /// Where MQTT meters and chargers connect
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:1883")]
    pub mqtt: SocketAddr,
    /// The API over TLS; not available yet
    #[arg(long, value_name = "ADDR", hide = true)]
    pub https: Option<SocketAddr>,
    /// OCPP over TLS; not available yet
    #[arg(long, value_name = "ADDR", hide = true)]
    pub ocpps: Option<SocketAddr>,
    /// MQTT over TLS; not available yet
    #[arg(long, value_name = "ADDR", hide = true)]
    pub mqtts: Option<SocketAddr>,
    /// File server for chargers; not available yet
    #[arg(long, value_name = "ADDR", hide = true)]
    pub files: Option<SocketAddr>,
    /// Description of the building (TOML or JSON) that an empty data folder begins with
    #[arg(long, value_name = "FILE")]
    pub site: Option<PathBuf>,
}

/// What is printed once everything listens.
#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    http: SocketAddr,
    https: Option<SocketAddr>,
    ocpp: SocketAddr,
    ocpps: Option<SocketAddr>,
    mqtt: SocketAddr,
    mqtts: Option<SocketAddr>,
    files: Option<SocketAddr>,
}

/// Starts the service; the desktop shell does the same.
///
/// # Errors
/// In one line what stands in the way and what to do.
pub async fn start(options: Options) -> Result<Running, Failure> {
    let later =
        [("https", options.https), ("ocpps", options.ocpps), ("mqtts", options.mqtts), ("files", options.files)];
    if let Some((name, _)) = later.into_iter().find(|(_, address)| address.is_some()) {
        return Err(Failure::Usage(format!("--{name} is not available in this version; leave it out")));
    }
    let clock = Arc::new(SystemClock::new());
    let mut config = Config::new(options.data_dir);
    (config.http, config.ocpp, config.mqtt) = (options.http, options.ocpp, options.mqtt);
    if let Some(path) = &options.site {
        config.initial = site(path, clock.now().wall)?;
    }
    config.console = console_assets();
    config.clock = clock;
    Ok(service::start(config).await?)
}

fn site(path: &Path, now: domain::Timestamp) -> Result<service::InitialSite, Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
    service::parse_site_file(&text, now).map_err(|source| Failure::Site { path: path.to_owned(), source })
}

/// Serves until the signal to end.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let ended = signal::listen()?;
    let running = start(options).await?;
    let addresses = running.addresses();
    let ready = Ready {
        ready: true,
        http: addresses.http,
        https: None,
        ocpp: addresses.ocpp,
        ocpps: None,
        mqtt: addresses.mqtt,
        mqtts: None,
        files: None,
    };
    say(&ready)?;
    tracing::info!("console at http://{}", running.console_address());
    ended.await;
    tracing::info!("ending");
    running.shutdown().await;
    Ok(())
}

/// The one line on stdout.
fn say(ready: &Ready) -> Result<(), Failure> {
    let failed = |source| Failure::System { what: "cannot write to stdout", source };
    let line = serde_json::to_string(ready).map_err(|error| failed(error.into()))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(failed)
}
