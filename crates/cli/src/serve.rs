//! `meshwatt serve`: one's own building, headless.

use crate::{Failure, console_assets, signal};
use clap::Args;
use domain::Clock as _;
use serde::Serialize;
use service::{Config, Running, SecretsChoice, SystemClock};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Name of the systemd credential with the passphrase of the secrets.
const PASSPHRASE_CREDENTIAL: &str = "meshwatt-vault-passphrase";

/// Environment variable with the passphrase of the secrets.
const PASSPHRASE_VARIABLE: &str = "MESHWATT_VAULT_PASSPHRASE";

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
    /// Where the API and the console listen with TLS, such as 0.0.0.0:8443
    #[arg(long, value_name = "ADDR")]
    pub https: Option<SocketAddr>,
    /// Where OCPP chargers connect with TLS, such as 0.0.0.0:8888, as wss://HOST:PORT/ocpp/NAME
    #[arg(long, value_name = "ADDR")]
    pub ocpps: Option<SocketAddr>,
    /// Where MQTT meters and chargers connect with TLS, such as 0.0.0.0:8883
    #[arg(long, value_name = "ADDR")]
    pub mqtts: Option<SocketAddr>,
    /// Where chargers fetch firmware and leave diagnostics, such as 0.0.0.0:8889
    #[arg(long, value_name = "ADDR")]
    pub files: Option<SocketAddr>,
    /// Description of the building (TOML or JSON) that an empty data folder begins with
    #[arg(long, value_name = "FILE")]
    pub site: Option<PathBuf>,
    /// Where keys and passwords are kept; auto takes this computer's keyring when it works, else a sealed file
    #[arg(long, value_name = "PLACE", value_enum, default_value_t = SecretsPlace::Auto)]
    pub secrets: SecretsPlace,
}

/// Where keys and passwords are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SecretsPlace {
    /// Where they are; new ones in the keyring when it works, else in a file
    Auto,
    /// In the keyring of this computer
    Keyring,
    /// In a sealed file of the data folder
    File,
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
    let clock = Arc::new(SystemClock::new());
    let mut config = Config::new(options.data_dir);
    (config.http, config.ocpp, config.mqtt) = (options.http, options.ocpp, options.mqtt);
    (config.https, config.ocpps, config.mqtts) = (options.https, options.ocpps, options.mqtts);
    config.files = options.files;
    config.secrets = match options.secrets {
        SecretsPlace::Auto => SecretsChoice::Auto,
        SecretsPlace::Keyring => SecretsChoice::Keyring,
        SecretsPlace::File => SecretsChoice::File,
    };
    config.secrets_passphrase = passphrase();
    if let Some(path) = &options.site {
        config.initial = site(path, clock.now().wall)?;
    }
    config.console = console_assets();
    config.clock = clock;
    Ok(service::start(config).await?)
}

/// What seals the secrets where there is no keyring: a systemd credential, else the environment.
pub(crate) fn passphrase() -> Option<Zeroizing<String>> {
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY")
        .and_then(|dir| std::fs::read_to_string(Path::new(&dir).join(PASSPHRASE_CREDENTIAL)).ok());
    credential
        .or_else(|| std::env::var(PASSPHRASE_VARIABLE).ok())
        .map(|text| Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
        .filter(|text| !text.is_empty())
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
        https: addresses.https,
        ocpp: addresses.ocpp,
        ocpps: addresses.ocpps,
        mqtt: addresses.mqtt,
        mqtts: addresses.mqtts,
        files: addresses.files,
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
