//! From a configuration to a running program, and back to silence.

use crate::access::Access;
use crate::backup::Backups;
use crate::beginning::{
    access, approved_chargers, foreign_from, load, manager_password, mesh_from, stations_from, store_error,
};
use crate::cloud::Clouds;
use crate::config::Config;
use crate::connections::Connections;
use crate::credentials::{Hasher, random_hex};
use crate::engine::{self, Commands, Happened, Live, Parts};
use crate::error::StartError;
use crate::feed;
use crate::files::{self, Files};
use crate::foreign::{self, ForeignMeters, Source};
use crate::http::{self, Auth, Metrics};
use crate::journal::Batch;
use crate::listeners::Listeners;
use crate::mqtt::{self, DeviceCredentials, Devices, Gatekeeper, Kind, ToBroker};
use crate::past;
use crate::secrets::Secrets;
use crate::settings::Settings;
use crate::sockets::{Secured, Sockets};
use crate::tls::Certificates;
use crate::{convert, journal, ocpp_socket};
use broker::Broker;
use control::{Control, Setup, StorageState};
use domain::{ChargerId, Now, Protocol, Session, WattHours};
use mesh::Mesh;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use store::{Options, Reader, Writer};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

/// How long the parts get to end by themselves.
const GRACE: Duration = Duration::from_secs(10);

/// Outcomes of commands a slow browser may miss before it has to ask.
const OUTCOMES_MAX: usize = 64;

/// Time between two rounds of tidying the records.
const MAINTAIN_EVERY: domain::DurationMs = domain::DurationMs::from_secs(300);

/// Name of the token's file inside the data folder.
const TOKEN_FILE: &str = "api.token";

/// Where the program listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// API and console.
    pub http: SocketAddr,
    /// OCPP chargers.
    pub ocpp: SocketAddr,
    /// MQTT devices.
    pub mqtt: SocketAddr,
    /// API and console with TLS.
    pub https: Option<SocketAddr>,
    /// OCPP chargers with TLS.
    pub ocpps: Option<SocketAddr>,
    /// MQTT devices with TLS.
    pub mqtts: Option<SocketAddr>,
    /// Files of chargers.
    pub files: Option<SocketAddr>,
}

/// A running program. Call [`Running::shutdown`] to end it in order; dropping it ends it at once.
pub struct Running {
    addresses: Addresses,
    token: String,
    auth: Arc<Auth>,
    drain: watch::Sender<bool>,
    /// In the order in which they are waited for.
    tasks: Vec<(&'static str, JoinHandle<()>)>,
    writer: Writer,
    registers: BTreeMap<ChargerId, WattHours>,
    open_sessions: Vec<Session>,
    settings: Settings,
}

impl Running {
    /// The site's settings, to read and replace.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Newest energy register known of each charger when the program started; a virtual charger goes on from it.
    #[must_use]
    pub const fn registers(&self) -> &BTreeMap<ChargerId, WattHours> {
        &self.registers
    }

    /// Sessions that were running when the program started; a virtual charger goes on with them.
    #[must_use]
    pub fn open_sessions(&self) -> &[Session] {
        &self.open_sessions
    }

    /// Where the program listens.
    #[must_use]
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The token of programs on this machine, as in `DIR/api.token`.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// An address that opens the console signed in, once, within a minute.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn sign_in_address(&self) -> Result<String, StartError> {
        Ok(format!("http://{}/enter?ticket={}", self.console_address(), self.ticket()?))
    }

    /// Address of the console for a browser on this machine.
    #[must_use]
    pub fn console_address(&self) -> SocketAddr {
        let mut address = self.addresses.http;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        address
    }

    /// A one-time ticket for `POST /api/v1/login/ticket`, valid for a minute.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn ticket(&self) -> Result<String, StartError> {
        self.auth.ticket().map_err(|_unavailable| StartError::Random)
    }

    /// Says goodbye to everybody, keeps what is still to be kept, and ends.
    pub async fn shutdown(mut self) {
        self.drain.send_replace(true);
        let deadline = tokio::time::Instant::now() + GRACE;
        for (name, task) in std::mem::take(&mut self.tasks) {
            let abort = task.abort_handle();
            match tokio::time::timeout_at(deadline, task).await {
                Ok(Ok(())) => tracing::debug!(name, "ended"),
                Ok(Err(error)) => tracing::error!(name, %error, "did not end well"),
                Err(_elapsed) => {
                    tracing::warn!(name, "did not end in time");
                    abort.abort();
                }
            }
        }
        if let Err(error) = self.writer.clone().close().await {
            tracing::error!(error = crate::error::chain(&error), "the records could not be closed cleanly");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.drain.send_replace(true);
        for (_, task) in &self.tasks {
            task.abort();
        }
    }
}

/// Opens the records, listens and begins.
///
/// # Errors
/// In one line what stands in the way and what to do.
pub async fn start(mut config: Config) -> Result<Running, StartError> {
    make_data_dir(&config.data_dir)?;
    Listeners::of(&config.data_dir).add_to(&mut config);
    let sockets = Sockets::listen(&config)?;
    let (writer, reader) = open_store(&config.data_dir, config.store_pages_max).await?;
    let token = token(&config.data_dir)?;
    let now = config.clock.now();
    let hasher = Hasher::default();
    let credentials = DeviceCredentials { reader: reader.clone(), writer: writer.clone(), hasher: hasher.clone() };
    let (loaded, kept) = load(&config, &writer, &reader, &credentials, now).await?;
    let password_hash = manager_password(&config, &writer, &reader, &hasher).await?;
    let auth = Arc::new(Auth::new(token.clone(), hasher.clone(), password_hash));
    let secrets = Secrets::new(&config.data_dir, config.secrets, config.secrets_passphrase.clone());
    let certificates = Certificates::new(secrets.clone(), reader.clone(), writer.clone(), Arc::clone(&config.clock));
    let bound = sockets.files_address(&config)?;
    let files = Files::open(&config.data_dir, bound, &reader, writer.clone(), Arc::clone(&config.clock))
        .await
        .map_err(|error| store_error(&config.data_dir, error))?;
    let approved = approved_chargers(&loaded);
    let access = access(&config, &reader, &writer, hasher, approved).await?;
    let clouds = Clouds::new(reader.clone(), writer.clone(), secrets.clone(), &config.data_dir);
    let backups = Backups::new(&config.data_dir, Arc::clone(&config.clock));
    let records = Records { writer, reader, credentials, secrets, certificates, files, access, clouds, backups };
    let plumbing = Plumbing::new(&config, loaded, kept, now);
    plumbing.begin(config, sockets, records, auth, token).await
}

struct Records {
    writer: Writer,
    reader: Reader,
    credentials: DeviceCredentials,
    secrets: Secrets,
    certificates: Certificates,
    files: Files,
    access: Access,
    clouds: Clouds,
    backups: Backups,
}

/// The deciders and everything that connects the tasks, before any of them runs.
struct Plumbing {
    control: Control,
    mesh: Mesh,
    stations: BTreeMap<ChargerId, Box<dyn central_system::ChargerMachine>>,
    kept: engine::Kept,
    approved: BTreeSet<ChargerId>,
    devices: Devices,
    foreign: ForeignMeters,
    connections: Connections,
    live: watch::Sender<Arc<Live>>,
    drain: watch::Sender<bool>,
    registers: BTreeMap<ChargerId, WattHours>,
    open_sessions: Vec<Session>,
}

impl Plumbing {
    fn new(config: &Config, loaded: Setup, kept: engine::Kept, now: Now) -> Self {
        let mut registers = BTreeMap::new();
        for session in loaded.recent_sessions.iter().chain(&loaded.open_sessions) {
            let newest = registers.entry(session.charger.clone()).or_insert(session.meter_last);
            *newest = session.meter_last.max(*newest);
        }
        let connections = Connections::default();
        let devices = Devices::default();
        for meter in &loaded.meters {
            devices.set(meter.id.as_str(), Kind::Meter, meter.approved);
        }
        for charger in loaded.chargers.iter().filter(|charger| charger.protocol == Protocol::Ievcc) {
            devices.set(charger.id.as_str(), Kind::Charger, charger.approved);
        }
        let foreign = foreign_from(&loaded, &kept);
        for known in foreign.iter() {
            devices.set(&known.source.id, Kind::Foreign, true);
        }
        let mesh = mesh_from(&loaded, now);
        let stations = stations_from(&loaded, &kept, now);
        let approved = approved_chargers(&loaded);
        let open_sessions = loaded.open_sessions.clone();
        let control = Control::new(loaded, now);
        let state = control.snapshot(now);
        let shown = convert::live_snapshot(&state, &connections, 0, config.demo.is_some());
        let live = watch::Sender::new(Arc::new(Live { shown, state, storage: StorageState::Healthy }));
        Self {
            control,
            mesh,
            stations,
            kept,
            approved,
            devices,
            foreign,
            connections,
            live,
            drain: watch::Sender::new(false),
            registers,
            open_sessions,
        }
    }

    async fn begin(
        self,
        config: Config,
        sockets: Sockets,
        records: Records,
        auth: Arc<Auth>,
        token: String,
    ) -> Result<Running, StartError> {
        let (engine, inbox) = mpsc::channel(engine::INBOX_MAX);
        let (batches, received) = mpsc::channel(journal::BATCHES_MAX);
        let (fates_in, fates) = mpsc::channel(engine::FATES_MAX);
        let (to_broker, outgoing) = mpsc::channel(mqtt::OUTGOING_MAX);
        let addresses = sockets.addresses(&config)?;
        let gatekeeper = self.gatekeeper(&config, &records, &engine);
        let broker = Broker::start(broker::Config::default(), sockets.mqtt, Arc::clone(&gatekeeper))
            .await
            .map_err(|error| StartError::Broker(Box::new(error)))?;
        let carrier = self.carrier(&config, &records, &engine);
        let shared = self.shared(&config, &records, &engine, &to_broker, &auth, addresses);
        let maintenance = maintain(records.writer.clone(), Arc::clone(&config.clock), self.drain.subscribe());
        let (drain, registers, open_sessions) =
            (self.drain.clone(), self.registers.clone(), self.open_sessions.clone());
        let settings = Settings::new(engine.downgrade(), self.live.subscribe());
        let feed =
            feed::run(Arc::clone(&config.clock), self.live.subscribe(), engine.downgrade(), self.drain.subscribe());
        let past = past::recall(config.clock.now(), records.reader.clone(), self.live.subscribe(), engine.downgrade());
        let asked = self.foreign.iter().map(|known| known.source.clone()).collect();
        let polled = watch::Sender::new(Arc::new(asked));
        let foreign = foreign::poll(polled.subscribe(), engine.downgrade(), self.drain.subscribe());
        let parts = self.parts(&config, &shared, batches, to_broker, polled);
        let certificates = records.certificates.clone();
        let secured = Secured { certificates: &certificates, drain: &drain };
        let mut tasks = secured.begin(sockets.secured, addresses, &shared, &carrier, &gatekeeper).await?;
        let mqtts = tasks.mqtts.take();
        let mut tasks = tasks.tasks;
        if let Some(listener) = sockets.files {
            let noted = carrier.clone();
            let failed = Arc::new(move |peer, code, about| noted.handshake_failed(peer, code, about));
            let (files, certificates) = (records.files.clone(), records.certificates.clone());
            let served = files::serve(listener, files, certificates, failed, drain.subscribe());
            tasks.push(named("files", served));
        }
        tasks.push(named("backup", records.backups.clone().run(drain.subscribe())));
        let clouds = records.clouds.clone();
        let orders = clouds.clone().run_orders(engine.downgrade(), config.order_pace.clone(), drain.subscribe());
        tasks.push(named("orders", orders));
        tasks.push(named("northbound", clouds.clone().run_mqtt(drain.subscribe())));
        tasks.push(named("kafka", clouds.clone().run_kafka(drain.subscribe())));
        tasks.push(named("cloud", clouds.run_cloud(drain.subscribe())));
        tasks.extend([
            named("http", http::serve(sockets.http, shared)),
            named("ocpp", ocpp_socket::listen(sockets.ocpp, carrier)),
            named("mqtt", mqtt::run(broker, outgoing, engine, mqtts, drain.subscribe())),
            named("maintenance", maintenance),
            named("feed", feed),
            named("past", past),
            named("foreign", foreign),
            named("engine", engine::run(parts, inbox, fates)),
            named("journal", journal::run(records.writer.clone(), received, fates_in)),
        ]);
        Ok(Running { addresses, token, auth, drain, tasks, writer: records.writer, registers, open_sessions, settings })
    }

    fn gatekeeper(&self, config: &Config, records: &Records, engine: &mpsc::Sender<Happened>) -> Arc<Gatekeeper> {
        Arc::new(Gatekeeper {
            engine: engine.clone(),
            devices: self.devices.clone(),
            credentials: records.credentials.clone(),
            connections: self.connections.clone(),
            clock: Arc::clone(&config.clock),
        })
    }

    fn carrier(&self, config: &Config, records: &Records, engine: &mpsc::Sender<Happened>) -> ocpp_socket::Carrier {
        ocpp_socket::Carrier {
            engine: engine.clone(),
            connections: self.connections.clone(),
            clock: Arc::clone(&config.clock),
            drain: self.drain.subscribe(),
            generations: Arc::new(AtomicU64::new(1)),
            access: records.access.clone(),
            slots: ocpp_socket::Slots::default(),
        }
    }

    fn shared(
        &self,
        config: &Config,
        records: &Records,
        engine: &mpsc::Sender<Happened>,
        to_broker: &mpsc::Sender<ToBroker>,
        auth: &Arc<Auth>,
        addresses: Addresses,
    ) -> http::Shared {
        http::Shared {
            reader: records.reader.clone(),
            writer: records.writer.clone(),
            credentials: records.credentials.clone(),
            secrets: records.secrets.clone(),
            certificates: records.certificates.clone(),
            files: records.files.clone(),
            access: records.access.clone(),
            clouds: records.clouds.clone(),
            backups: records.backups.clone(),
            jobs: crate::books::Jobs::default(),
            engine: engine.clone(),
            live: self.live.subscribe(),
            outcomes: broadcast::Sender::new(OUTCOMES_MAX),
            commands: Commands::default(),
            auth: Arc::clone(auth),
            connections: self.connections.clone(),
            clock: Arc::clone(&config.clock),
            console: config.console.clone(),
            demo: config.demo.clone(),
            metrics: Arc::new(Metrics::default()),
            to_broker: to_broker.clone(),
            addresses,
            listeners: Listeners::of(&config.data_dir),
            drain: self.drain.subscribe(),
        }
    }

    fn parts(
        self,
        config: &Config,
        shared: &http::Shared,
        batches: mpsc::Sender<Batch>,
        broker: mpsc::Sender<ToBroker>,
        polled: watch::Sender<Arc<Vec<Source>>>,
    ) -> Parts {
        Parts {
            clock: Arc::clone(&config.clock),
            control: self.control,
            mesh: self.mesh,
            stations: self.stations,
            kept: self.kept,
            access: shared.access.clone(),
            certificates: shared.certificates.clone(),
            inbox: shared.engine.downgrade(),
            approved: self.approved,
            batches,
            broker,
            devices: self.devices,
            foreign: self.foreign,
            polled,
            connections: self.connections,
            commands: shared.commands.clone(),
            outcomes: shared.outcomes.clone(),
            live: self.live,
            metrics: Arc::clone(&shared.metrics),
            demo: config.demo.is_some(),
            drain: self.drain.subscribe(),
        }
    }
}

pub(crate) fn named(
    name: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
) -> (&'static str, JoinHandle<()>) {
    (name, tokio::spawn(task.instrument(tracing::info_span!("task", name))))
}

/// Tidies the records now and then until the drain.
async fn maintain(writer: Writer, clock: Arc<dyn domain::Clock>, mut drain: watch::Receiver<bool>) {
    loop {
        // The demo's fast clock must not make this a busy loop.
        let pause = clock.real(MAINTAIN_EVERY).max(Duration::from_secs(10));
        tokio::select! {
            () = crate::drain::drained(&mut drain) => return,
            () = tokio::time::sleep(pause) => {}
        }
        match writer.maintain(clock.now().wall).await {
            Ok(done) => tracing::debug!(?done, "records tidied"),
            Err(error) => tracing::warn!(
                error = crate::error::chain(&error),
                "the records could not be tidied; tried again later"
            ),
        }
    }
}

fn make_data_dir(dir: &Path) -> Result<(), StartError> {
    let failed = |source| StartError::DataDir { path: dir.to_owned(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let probe = dir.join(".writable");
    std::fs::write(&probe, b"").map_err(failed)?;
    std::fs::remove_file(&probe).map_err(failed)
}

async fn open_store(dir: &Path, pages_max: Option<u32>) -> Result<(Writer, Reader), StartError> {
    let options = Options { pages_max, ..Options::default() };
    let opened = crate::backup::open_store(dir, options).await;
    opened.map_err(|error| match error {
        store::StoreError::InUse { .. } => StartError::DataDirInUse { path: dir.to_owned() },
        other => store_error(dir, other),
    })
}

/// The token of programs: the one of the last run, or a new one, readable by this user only.
fn token(dir: &Path) -> Result<String, StartError> {
    let path = dir.join(TOKEN_FILE);
    if let Ok(known) = std::fs::read_to_string(&path) {
        let known = known.trim();
        if known.len() == 64 && known.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(known.to_owned());
        }
    }
    let token = random_hex(32).map_err(|_unavailable| StartError::Random)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(&path)
        .and_then(|mut file| {
            #[cfg(unix)]
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            file.write_all(token.as_bytes())
        })
        .map_err(|source| StartError::DataDir { path, source })?;
    Ok(token)
}
