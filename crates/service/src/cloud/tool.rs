//! The cloud from the command line, also beside the running program.

use super::verify::{self, Verification};
use super::{CLOUD, computer_id, computer_name, secret_name};
use crate::secrets::{Secrets, SecretsChoice};
use domain::{Series, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use store::seed::{History, SeriesHistory};
use store::{Options, Reader, Resolution, SinkOrder, SinkSetup, SinkState, Store, StoreError, Writer};
use sync::Trouble;
use sync::postgres::{Cloud, RemoteSite, Settings};
use zeroize::Zeroizing;

/// Rows fetched at once.
const PAGE: i64 = 2000;

/// Days of readings written at once.
const DAYS: i64 = 2;

const DAY_MS: i64 = 86_400_000;

/// Why something with the cloud did not work.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The records here cannot be read or written.
    #[error("the records cannot be used")]
    Store(#[from] StoreError),
    /// Something stands in the way to the cloud.
    #[error(transparent)]
    Cloud(#[from] Trouble),
    /// No cloud was set up here.
    #[error("no cloud is set up for {dir}; do that on the Cloud page of the console, or name one with --url")]
    NotSetUp {
        /// The data folder.
        dir: PathBuf,
    },
    /// The data folder has records already.
    #[error("{dir} has records already; choose an empty folder, so that nothing is overwritten")]
    NotEmpty {
        /// The data folder.
        dir: PathBuf,
    },
    /// More than one building, or none, fits.
    #[error("{0}")]
    Which(String),
    /// The folder cannot be used.
    #[error("{dir} cannot be used")]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// How far sending has come, here and there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudStatus {
    /// Changes that wait here.
    pub waiting: i64,
    /// Rows sent.
    pub sent: i64,
    /// Whether it is paused.
    pub paused: bool,
    /// Buildings in the cloud.
    pub sites: Vec<RemoteSite>,
    /// Identity of this building.
    pub site: String,
}

/// What came back from the cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Name of the building.
    pub name: String,
    /// Rows by table.
    pub rows: Vec<(String, u64)>,
    /// Readings.
    pub readings: u64,
}

/// Rows a sink must have, each by its table and key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettledRows {
    /// What they say, as JSON.
    pub rows: BTreeMap<(String, String), String>,
    /// Rows that wait for the sink: it may have an older one of them, or none.
    pub way: BTreeSet<(String, String)>,
    /// Tables of which a row that goes here goes there too.
    pub follow: BTreeSet<String>,
}

/// The cloud of a data folder.
pub struct CloudTool {
    dir: PathBuf,
    secrets: Secrets,
    /// Given on the command line in place of what was kept.
    given: Option<(Settings, String)>,
}

impl CloudTool {
    /// For the cloud that is set up in a data folder, or the one given.
    #[must_use]
    pub fn new(
        dir: &Path,
        choice: SecretsChoice,
        passphrase: Option<Zeroizing<String>>,
        given: Option<(Settings, String)>,
    ) -> Self {
        Self { dir: dir.to_owned(), secrets: Secrets::new(dir, choice, passphrase), given }
    }

    async fn state(&self, reader: &Reader) -> Result<SinkState, CloudError> {
        let states = reader.sink_list().await?;
        let found = states.into_iter().find(|state| state.sink.setup.name == CLOUD);
        found.ok_or_else(|| CloudError::NotSetUp { dir: self.dir.clone() })
    }

    async fn credentials(&self) -> Result<(Settings, String), CloudError> {
        if let Some(given) = &self.given {
            return Ok(given.clone());
        }
        let reader = Store::open_to_read(&self.dir).await?;
        let settings = super::parse(&self.state(&reader).await?.sink.setup.settings)?;
        let password = self.secrets.get(&secret_name(CLOUD)).await;
        let password = password.map_err(|error| super::own_trouble("secrets", crate::error::chain(&error)))?;
        Ok((settings, password.map(|it| it.to_string()).unwrap_or_default()))
    }

    /// Makes or updates the tables in the cloud. Gives the format before and after.
    ///
    /// # Errors
    /// Says what stands in the way.
    pub async fn migrate(&self) -> Result<(Option<i32>, i32), CloudError> {
        let (settings, password) = self.credentials().await?;
        Ok(sync::postgres::migrate(&settings, &password).await?)
    }

    /// How far sending has come.
    ///
    /// # Errors
    /// Says what stands in the way.
    pub async fn status(&self) -> Result<CloudStatus, CloudError> {
        let (settings, password) = self.credentials().await?;
        let reader = Store::open_to_read(&self.dir).await?;
        let state = self.state(&reader).await?;
        Ok(CloudStatus {
            waiting: state.waiting,
            sent: state.sink.sent,
            paused: state.sink.setup.paused,
            sites: Cloud::sites(&settings, &password).await?,
            site: reader.site_key().await?,
        })
    }

    /// Compares row by row.
    ///
    /// # Errors
    /// Says what stands in the way.
    pub async fn verify(&self) -> Result<Verification, CloudError> {
        let (settings, password) = self.credentials().await?;
        let reader = Store::open_to_read(&self.dir).await?;
        let state = self.state(&reader).await?;
        let mut cloud = Cloud::look(&settings, &password, &reader.site_key().await?).await?;
        verify::verify(&reader, &state, &mut cloud).await
    }

    /// Every mean of a minute that a sink (`mqtt` or `kafka`) must have, by name of the series and milliseconds since 1970:
    /// all but those that wait or may still change.
    ///
    /// # Errors
    /// Says what stands in the way.
    pub async fn settled_minutes(&self, sink: &str) -> Result<BTreeMap<(String, i64), i64>, CloudError> {
        let reader = Store::open_to_read(&self.dir).await?;
        let setup = SinkSetup {
            name: "compare".to_owned(),
            settings: String::new(),
            consents: Vec::new(),
            resolution: Resolution::Minutes,
            paused: false,
        };
        let all = store::Sink { setup, cursor: 0, sent: 0, filled: 0 };
        let way = verify::OnItsWay::read(&reader, sink).await?;
        let mut minutes = BTreeMap::new();
        for (series, name, day) in reader.outbox_days().await? {
            for (at, value) in reader.outbox_readings(&all, series, Timestamp(day), Timestamp(day + DAY_MS)).await? {
                if way.has_arrived(series, at) {
                    minutes.insert((name.clone(), at), value);
                }
            }
        }
        Ok(minutes)
    }

    /// Every row that a sink must have and what is on its way to it.
    ///
    /// # Errors
    /// Says what stands in the way.
    pub async fn settled_rows(&self, sink: &str) -> Result<SettledRows, CloudError> {
        let reader = Store::open_to_read(&self.dir).await?;
        let states = reader.sink_list().await?;
        let state = states.into_iter().find(|state| state.sink.setup.name == sink);
        let state = state.ok_or_else(|| CloudError::NotSetUp { dir: self.dir.clone() })?;
        let way = reader.outbox_waiting(sink).await?;
        let mut settled = SettledRows::default();
        for table in store::outbox_tables(&state.sink) {
            if table.follows {
                settled.follow.insert(table.name.to_owned());
            }
            let mut after: Option<String> = None;
            loop {
                let page = reader.outbox_rows(&state.sink, table.name, after.as_deref(), PAGE).await?;
                after = page.rows.last().map(|(key, _)| key.clone());
                let rows = page.rows.into_iter().map(|(key, body)| ((table.name.to_owned(), key), body));
                settled.rows.extend(rows.filter(|(row, _)| !way.contains(row)));
                if page.is_last {
                    break;
                }
            }
        }
        settled.way = way;
        Ok(settled)
    }

    /// This computer sends for the building from now on.
    ///
    /// # Errors
    /// Says what stands in the way.
    pub async fn take_over(&self) -> Result<(), CloudError> {
        let (settings, password) = self.credentials().await?;
        let reader = Store::open_to_read(&self.dir).await?;
        let site_name = reader.statement_basis().await?.site.map(|site| site.name).unwrap_or_default();
        let computer = self.computer(&reader.site_key().await?, &site_name)?;
        Ok(Cloud::take_over(&settings, &password, &computer).await?)
    }

    fn computer(&self, site: &str, site_name: &str) -> Result<sync::postgres::Writer, CloudError> {
        let computer = computer_id(&self.dir).map_err(|source| CloudError::Folder { dir: self.dir.clone(), source })?;
        Ok(sync::postgres::Writer {
            site: site.to_owned(),
            site_name: site_name.to_owned(),
            computer,
            computer_name: computer_name(),
            // It takes over, which asks no questions.
            sent: 0,
        })
    }

    /// Makes the records of a building in an empty data folder from what the cloud has, and goes on sending for it from
    /// here. `which` is part of its name or its identity; not needed when there is only one. `tell` hears what it does.
    ///
    /// # Errors
    /// Says what stands in the way; then the folder is no building yet.
    pub async fn pull(&self, which: Option<&str>, tell: impl Fn(&str)) -> Result<Pulled, CloudError> {
        let (settings, password) = self.credentials().await?;
        let site = choose(Cloud::sites(&settings, &password).await?, which)?;
        if self.dir.join("meshwatt.db").exists() {
            return Err(CloudError::NotEmpty { dir: self.dir.clone() });
        }
        std::fs::create_dir_all(&self.dir).map_err(|source| CloudError::Folder { dir: self.dir.clone(), source })?;
        // First of all, so that nothing is written for the building while it is read.
        Cloud::take_over(&settings, &password, &self.computer(&site.id, &site.name)?).await?;
        let mut cloud = Cloud::look(&settings, &password, &site.id).await?;
        let (writer, reader) = Store::open(&self.dir, Options::default()).await?;
        let pulled = fetch(&mut cloud, &writer, &site, &tell).await;
        let pulled = match pulled {
            Ok(pulled) => pulled,
            Err(error) => {
                // Half a building must not be taken for a whole one.
                drop(reader);
                writer.close().await?;
                std::fs::remove_file(self.dir.join("meshwatt.db"))
                    .map_err(|source| CloudError::Folder { dir: self.dir.clone(), source })?;
                return Err(error);
            }
        };
        let above = cloud.newest().await?;
        writer.sink(SinkOrder::Adopt { site: site.id.clone(), above }).await?;
        self.go_on(&writer, &settings, &password, above).await?;
        drop(reader);
        writer.close().await?;
        Ok(pulled)
    }

    /// Keeps sending to the same cloud; what is there already is not sent again.
    async fn go_on(&self, writer: &Writer, settings: &Settings, password: &str, above: i64) -> Result<(), CloudError> {
        let secret = self.secrets.set(&secret_name(CLOUD), password).await;
        secret.map_err(|error| super::own_trouble("secrets", crate::error::chain(&error)))?;
        let settings = serde_json::to_string(settings)
            .map_err(|error| super::own_trouble("settings", format!("the settings cannot be written: {error}")))?;
        let setup = SinkSetup {
            name: CLOUD.to_owned(),
            settings,
            consents: Vec::new(),
            resolution: Resolution::Minutes,
            // The manager ticks again what may leave before anything does.
            paused: true,
        };
        writer.sink(SinkOrder::Set(setup)).await?;
        Ok(writer.sink(SinkOrder::Advance { name: CLOUD.to_owned(), through: above, rows: 0 }).await?)
    }
}

fn choose(sites: Vec<RemoteSite>, which: Option<&str>) -> Result<RemoteSite, CloudError> {
    let fits = |site: &RemoteSite| {
        which.is_none_or(|which| site.id.starts_with(which) || site.name.to_lowercase().contains(&which.to_lowercase()))
    };
    let list = sites.iter().map(|site| format!("{} ({})", site.name, site.id)).collect::<Vec<_>>().join(", ");
    let mut fitting: Vec<RemoteSite> = sites.into_iter().filter(fits).collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(site), true) => Ok(site),
        (Some(_), false) => Err(CloudError::Which(format!("several buildings fit; name one with --site: {list}"))),
        (None, _) => Err(CloudError::Which(format!("no building fits; in the cloud are: {list}"))),
    }
}

async fn fetch(
    cloud: &mut Cloud,
    writer: &Writer,
    site: &RemoteSite,
    tell: &impl Fn(&str),
) -> Result<Pulled, CloudError> {
    let mut pulled = Pulled { name: site.name.clone(), ..Pulled::default() };
    for table in store::all_outbox_tables() {
        let mut after: Option<String> = None;
        let mut rows = 0;
        loop {
            let page = cloud.rows(table.name, table.key, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.body.clone());
            rows += u64::try_from(page.len()).unwrap_or(0);
            let bodies = page.into_iter().map(|row| row.body).collect();
            writer.sink(SinkOrder::Restore { table: table.name.to_owned(), rows: bodies }).await?;
        }
        tell(&format!("{}: {rows} rows", table.name));
        pulled.rows.push((table.name.to_owned(), rows));
    }
    let Some((first, last)) = cloud.readings_span().await? else { return Ok(pulled) };
    let mut from = first - first.rem_euclid(DAY_MS);
    while from <= last {
        let to = from + DAYS * DAY_MS;
        let readings = cloud.readings(from, to).await?;
        pulled.readings += u64::try_from(readings.len()).unwrap_or(0);
        store::seed::seed_history(writer, history(readings)).await?;
        from = to;
    }
    tell(&format!("reading: {} rows", pulled.readings));
    Ok(pulled)
}

fn history(readings: Vec<(String, i64, i64, i64)>) -> History {
    let mut minutes: BTreeMap<Series, Vec<(Timestamp, i64)>> = BTreeMap::new();
    let mut quarters: BTreeMap<Series, Vec<(Timestamp, i64)>> = BTreeMap::new();
    for (name, at, step, value) in readings {
        // A name this program cannot read is of a newer one.
        let Ok(series) = name.parse::<Series>() else { continue };
        let into = if step > 60_000 { &mut quarters } else { &mut minutes };
        into.entry(series).or_default().push((Timestamp(at), value));
    }
    let list = |map: BTreeMap<Series, Vec<(Timestamp, i64)>>| {
        map.into_iter().map(|(series, values)| SeriesHistory { series, values }).collect()
    };
    History { minutes: list(minutes), quarters: list(quarters), ..History::default() }
}
