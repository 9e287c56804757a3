//! What the program is told before it starts. Nothing here binds, opens or reads.

use crate::cloud::Pace;
use crate::secrets::SecretsChoice;
use domain::{
    Card, CardUid, Charger, CircuitTree, Clock, DurationMs, Instant, Meter, MilliAmps, MilliVolts, Now, PhaseCount,
    Site, Tenant, Timestamp, VoltAmps,
};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use store::seed::History;
use zeroize::Zeroizing;

/// Everything [`crate::start`] needs.
#[derive(Clone)]
pub struct Config {
    /// Folder with the database and the token file; made when it does not exist.
    pub data_dir: PathBuf,
    /// Where the API and the console listen; port 0 picks a free one.
    pub http: SocketAddr,
    /// Where OCPP chargers connect.
    pub ocpp: SocketAddr,
    /// Where MQTT devices connect.
    pub mqtt: SocketAddr,
    /// Where the API and the console listen with TLS; `None` for nowhere.
    pub https: Option<SocketAddr>,
    /// Where OCPP chargers connect with TLS; `None` for nowhere.
    pub ocpps: Option<SocketAddr>,
    /// Where MQTT devices connect with TLS; `None` for nowhere.
    pub mqtts: Option<SocketAddr>,
    /// Where chargers fetch firmware and leave diagnostics; `None` for nowhere.
    pub files: Option<SocketAddr>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The console's files, when it was built.
    pub console: Option<Arc<ConsoleAssets>>,
    /// The virtual building, in the demo.
    pub demo: Option<Arc<dyn Demo>>,
    /// What a data folder without a site begins with.
    pub initial: InitialSite,
    /// Password of the manager for a data folder that has none; `None` leaves it to the first-run questions.
    pub manager_password: Option<String>,
    /// Most pages of 4 KiB the database may have; `None` for as many as the disk holds.
    pub store_pages_max: Option<u32>,
    /// Where keys and passwords of other systems are kept.
    pub secrets: SecretsChoice,
    /// Seals them where there is no keyring; `None` leaves that to a key file of this user.
    pub secrets_passphrase: Option<Zeroizing<String>>,
    /// How waits between questions to the cloud about cards pass.
    pub order_pace: Pace,
}

impl Config {
    /// The defaults of `meshwatt serve`: console on loopback only, chargers and meters on every address.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 8480)),
            ocpp: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8887)),
            mqtt: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 1883)),
            https: None,
            ocpps: None,
            mqtts: None,
            files: None,
            clock: Arc::new(SystemClock::new()),
            console: None,
            demo: None,
            initial: InitialSite::default(),
            manager_password: None,
            store_pages_max: None,
            secrets: SecretsChoice::Auto,
            secrets_passphrase: None,
            order_pace: Pace::Real,
        }
    }
}

/// A file of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// As sent in `Content-Type`.
    pub content_type: &'static str,
    /// The file.
    pub bytes: &'static [u8],
    /// The file in gzip, when it was compressed at build time.
    pub gzip: Option<&'static [u8]>,
    /// The file in brotli, when it was compressed at build time.
    pub brotli: Option<&'static [u8]>,
    /// Differs whenever the file does; letters and digits.
    pub tag: &'static str,
}

/// The console's files by path without a leading slash, such as `index.html`.
#[derive(Clone, Debug, Default)]
pub struct ConsoleAssets {
    /// The files.
    pub files: BTreeMap<String, Asset>,
}

/// The virtual building behind the demo panel.
pub trait Demo: Send + Sync + 'static {
    /// Its state now.
    fn snapshot(&self) -> api::DemoSnapshot;

    /// Does what the panel asked.
    ///
    /// # Errors
    /// Says in plain words why it cannot be done.
    fn command(&self, command: api::DemoCommand) -> Result<(), String>;
}

/// What a data folder without a site begins with.
#[derive(Clone, Debug)]
pub struct InitialSite {
    /// Settings.
    pub site: Site,
    /// Circuits; one root with the grid's limit when `None`.
    pub circuits: Option<CircuitTree>,
    /// Meters that are already let in or known.
    pub meters: Vec<Meter>,
    /// Chargers that are already let in or known.
    pub chargers: Vec<Charger>,
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// Their cards.
    pub cards: Vec<Card>,
    /// MQTT user names with their passwords.
    pub mqtt_credentials: Vec<(String, String)>,
    /// Made-up history to begin with; only for demonstrations.
    pub history: Option<History>,
    /// Ready-made tariff to begin with, by its key, such as `pt_tri_weekly`; only for demonstrations.
    pub tariff: Option<String>,
    /// Letterhead to begin with; only for demonstrations.
    pub letterhead: Option<api::LetterheadItem>,
}

impl Default for InitialSite {
    /// A small single building until the first-run questions are answered: 13.8 kVA, three phases.
    fn default() -> Self {
        Self {
            site: Site {
                name: "My building".to_owned(),
                time_zone: "Europe/Lisbon".to_owned(),
                currency: "EUR".to_owned(),
                nominal_voltage: MilliVolts(230_000),
                connection: domain::Connection::LineNeutral,
                phases: PhaseCount::Three,
                contracted: VoltAmps(13_800),
                main_fuse: MilliAmps::from_amps(20),
                margin: MilliAmps::from_amps(1),
                min_charge: MilliAmps::from_amps(6),
                max_active_chargers: None,
                max_meters: 16,
                control_interval: DurationMs::from_secs(5),
                declared_load: MilliAmps::from_amps(20),
                meter_max_age: DurationMs::from_secs(30),
                pacing: domain::Pacing::Careful,
                rules: domain::SiteRules::default(),
            },
            circuits: None,
            meters: Vec::new(),
            chargers: Vec::new(),
            tenants: Vec::new(),
            cards: Vec::new(),
            mqtt_credentials: Vec::new(),
            history: None,
            tariff: None,
            letterhead: None,
        }
    }
}

impl InitialSite {
    /// A card of a tenant, for lists written by hand.
    #[must_use]
    pub fn card(id: i64, uid: CardUid, tenant: domain::TenantId, enrolled_at: Timestamp) -> Card {
        Card {
            id: domain::CardId(id),
            uid,
            tenant,
            status: domain::CardStatus::Active,
            enrolled_at,
            policy: domain::CardPolicy::default(),
            alias_of: None,
        }
    }
}

/// The computer's own clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    began: std::time::Instant,
}

impl SystemClock {
    /// Its monotonic part begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { began: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let wall_ms = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        let instant_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Now { instant: Instant(instant_ms), wall: Timestamp(wall_ms) }
    }

    fn real(&self, duration: DurationMs) -> std::time::Duration {
        std::time::Duration::from_millis(duration.0)
    }
}
