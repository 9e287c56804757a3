//! What leaves the building: one task for each place records are sent to, and what the console and the command line
//! may ask of them. Nothing here is waited for by the control loop.

mod carry;
mod measure;
mod orders;
mod pace;
mod tool;
mod verify;

pub use self::measure::{CaughtUp, catch_up};
pub use self::pace::Pace;
pub use self::tool::{CloudError, CloudStatus, CloudTool, Pulled, SettledRows};
pub use self::verify::{Verification, VerifiedTable};

use self::carry::Carrier;
use crate::credentials::random_hex;
use crate::engine::Happened;
use crate::secrets::Secrets;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Reader, SinkState, Writer};
use sync::kafka::Stream;
use sync::mqtt::Northbound;
use sync::postgres::{Cloud, Settings};
use sync::{Sink, Status, Trouble};
use tokio::sync::{mpsc, watch};

/// The sink of the cloud database.
pub(crate) const CLOUD: &str = "cloud";

/// The sink of the broker further up.
pub(crate) const MQTT: &str = "mqtt";

/// The sink of Kafka.
pub(crate) const KAFKA: &str = "kafka";

/// Pause before looking again whether a sink was made.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// File with the identity of this data folder: a copy of the records elsewhere must not write for the same building.
const COMPUTER_FILE: &str = "computer.id";

/// Everything the sinks need.
#[derive(Clone)]
pub(crate) struct Clouds(Arc<Inner>);

struct Inner {
    reader: Reader,
    writer: Writer,
    secrets: Secrets,
    dir: PathBuf,
    /// How each sink is doing.
    status: BTreeMap<&'static str, watch::Sender<Status>>,
    wake: watch::Sender<u64>,
}

/// Name of a sink's password among the secrets.
pub(crate) fn secret_name(sink: &str) -> String {
    format!("{sink}-password")
}

/// The identity of this data folder on this computer; made when there is none.
pub(crate) fn computer_id(dir: &Path) -> std::io::Result<String> {
    let path = dir.join(COMPUTER_FILE);
    if let Ok(known) = std::fs::read_to_string(&path)
        && known.trim().len() == 32
    {
        return Ok(known.trim().to_owned());
    }
    let id = random_hex(16).map_err(|_unavailable| std::io::Error::other("the system gives no random numbers"))?;
    std::fs::write(&path, &id)?;
    Ok(id)
}

pub(crate) fn computer_name() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

impl Clouds {
    pub(crate) fn new(reader: Reader, writer: Writer, secrets: Secrets, dir: &Path) -> Self {
        let status = [CLOUD, MQTT, KAFKA].map(|sink| (sink, watch::Sender::default())).into();
        Self(Arc::new(Inner { reader, writer, secrets, dir: dir.to_owned(), status, wake: watch::Sender::default() }))
    }

    /// How the sending of a sink goes.
    pub(crate) fn status(&self, sink: &str) -> Status {
        self.0.status.get(sink).map(|status| status.borrow().clone()).unwrap_or_default()
    }

    /// All sinks as they are kept.
    pub(crate) async fn sinks(&self) -> Result<Vec<SinkState>, store::StoreError> {
        self.0.reader.sink_list().await
    }

    /// Looks at once whether there is something to do.
    pub(crate) fn wake(&self) {
        self.0.wake.send_modify(|count| *count += 1);
    }

    /// Who sends, as the cloud knows it.
    pub(crate) async fn computer(&self) -> Result<sync::postgres::Writer, String> {
        let words = |error: &(dyn std::error::Error + 'static)| crate::error::chain(error);
        let site = self.0.reader.site_key().await.map_err(|error| words(&error))?;
        let sent = self.0.reader.outbox_sent(CLOUD).await.map_err(|error| words(&error))?;
        let basis = self.0.reader.statement_basis().await.map_err(|error| words(&error))?;
        Ok(sync::postgres::Writer {
            site,
            site_name: basis.site.map(|site| site.name).unwrap_or_default(),
            computer: computer_id(&self.0.dir).map_err(|error| words(&error))?,
            computer_name: computer_name(),
            sent,
        })
    }

    /// Sends to the cloud until the drain.
    pub(crate) async fn run_cloud(self, drain: watch::Receiver<bool>) {
        let clouds = self.clone();
        self.run(CLOUD, drain, move |settings| {
            let clouds = clouds.clone();
            async move { clouds.connect(&settings).await }
        })
        .await;
    }

    /// Sends to the broker further up until the drain.
    pub(crate) async fn run_mqtt(self, drain: watch::Receiver<bool>) {
        let clouds = self.clone();
        self.run(MQTT, drain, move |settings| {
            let clouds = clouds.clone();
            async move { Northbound::connect(&parse(&settings)?, &clouds.password(MQTT).await?).await }
        })
        .await;
    }

    /// Sends to Kafka until the drain.
    pub(crate) async fn run_kafka(self, drain: watch::Receiver<bool>) {
        let clouds = self.clone();
        self.run(KAFKA, drain, move |settings| {
            let clouds = clouds.clone();
            async move {
                let site = clouds.0.reader.site_key().await;
                let site = site.map_err(|error| own_trouble("outbox", crate::error::chain(&error)))?;
                Stream::connect(&parse(&settings)?, &clouds.password(KAFKA).await?, &site).await
            }
        })
        .await;
    }

    /// Runs a sink whenever it is set up.
    async fn run<S: Sink, F: Future<Output = Result<S, Trouble>> + Send>(
        &self,
        name: &'static str,
        mut drain: watch::Receiver<bool>,
        mut make: impl FnMut(String) -> F + Send,
    ) {
        let Some(status) = self.0.status.get(name) else { return };
        while !*drain.borrow() {
            let carrier = Carrier::new(self.0.reader.clone(), self.0.writer.clone(), name);
            sync::run(carrier, &mut make, status.clone(), self.0.wake.subscribe(), drain.clone()).await;
            status.send_replace(Status::default());
            let mut wake = self.0.wake.subscribe();
            tokio::select! {
                () = crate::drain::drained(&mut drain) => return,
                _ = wake.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Asks the cloud for orders about cards until the drain.
    pub(crate) async fn run_orders(self, engine: mpsc::WeakSender<Happened>, pace: Pace, drain: watch::Receiver<bool>) {
        orders::run(&self, engine, pace, drain).await;
    }

    async fn password(&self, sink: &str) -> Result<String, sync::Trouble> {
        let found = self.0.secrets.get(&secret_name(sink)).await;
        let found = found.map_err(|error| own_trouble("secrets", crate::error::chain(&error)))?;
        Ok(found.map(|password| password.to_string()).unwrap_or_default())
    }

    async fn connect(&self, settings: &str) -> Result<Cloud, sync::Trouble> {
        let settings = parse(settings)?;
        let password = self.password(CLOUD).await?;
        let computer = self.computer().await.map_err(|detail| own_trouble("outbox", detail))?;
        Cloud::connect(&settings, &password, &computer).await
    }

    /// Settings and password of the cloud; `None` when there is none.
    pub(crate) async fn credentials(&self) -> Result<Option<(Settings, String)>, sync::Trouble> {
        let sinks = self.sinks().await.map_err(|error| own_trouble("outbox", crate::error::chain(&error)))?;
        let Some(state) = sinks.into_iter().find(|state| state.sink.setup.name == CLOUD) else { return Ok(None) };
        Ok(Some((parse(&state.sink.setup.settings)?, self.password(CLOUD).await?)))
    }
}

fn parse<T: serde::de::DeserializeOwned>(settings: &str) -> Result<T, Trouble> {
    serde_json::from_str(settings)
        .map_err(|error| own_trouble("settings", format!("the settings are damaged; enter them again: {error}")))
}

/// Something of ours that stands in the way.
pub(crate) fn own_trouble(code: &'static str, sentence: String) -> sync::Trouble {
    sync::Trouble { code, sentence, detail: String::new() }
}
