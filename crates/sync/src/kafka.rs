//! Kafka: every change as a record on a topic, readings on another.
//!
//! A record's key is the identity of its row, its header `seq` the number of the change: whoever keeps the newest `seq`
//! of each key, as a compacted topic does, has everything once, although a record may travel twice. All records of a
//! building go to one partition, so they stay in order.

use crate::postgres::trouble;
use crate::{Batch, Reading, Row, Sink, Trouble};
use chrono::{DateTime, Utc};
use rskafka::client::partition::{Compression, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder, Credentials, SaslConfig};
use rskafka::record::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Records in one request: some hundred kilobytes, below what brokers take by default.
const RECORDS_MAX: usize = 1000;

/// Time for a step; the client itself would try for ever.
const STEP_MAX: Duration = Duration::from_secs(15);

/// How to prove who we are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sasl {
    /// Not at all.
    #[default]
    None,
    /// User and password as they are; only with TLS.
    Plain,
    /// SCRAM with SHA-256.
    Scram256,
    /// SCRAM with SHA-512.
    Scram512,
}

/// Where the brokers are; the password is kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Brokers to begin with, as `host:port`.
    pub brokers: Vec<String>,
    /// Topic of rows.
    pub topic: String,
    /// Topic of readings; empty to send none.
    #[serde(default)]
    pub readings_topic: String,
    /// How to prove who we are.
    #[serde(default)]
    pub sasl: Sasl,
    /// User.
    #[serde(default)]
    pub user: String,
    /// Whether the connection is encrypted and the server's certificate checked.
    #[serde(default)]
    pub tls: bool,
    /// File with the authority's certificate, PEM; empty for those this computer knows.
    #[serde(default)]
    pub ca_file: String,
}

/// A connection to the brokers.
pub struct Stream {
    rows: PartitionClient,
    readings: Option<PartitionClient>,
    site: String,
}

async fn step<T, E: std::fmt::Display>(
    what: &'static str,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(STEP_MAX, future).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            let detail = error.to_string();
            let code = if detail.contains("asl") || detail.contains("uthent") { "password" } else { "refused" };
            Err(trouble(code, what, detail))
        }
        Err(_elapsed) => Err(trouble("port", "The brokers do not answer; check names, ports and TLS", "")),
    }
}

impl Stream {
    /// Connects for a site, of which the identity is given.
    ///
    /// # Errors
    /// With the code `incomplete`, `tls`, `port`, `password`, `topic` or `refused`.
    pub async fn connect(settings: &Settings, password: &str, site: &str) -> Result<Self, Trouble> {
        if settings.brokers.is_empty() || settings.topic.is_empty() {
            return Err(trouble("incomplete", "Enter at least one broker, as host:port, and the topic", ""));
        }
        let credentials = || Credentials::new(settings.user.clone(), password.to_owned());
        let mut builder = ClientBuilder::new(settings.brokers.clone()).client_id("meshwatt");
        builder = match settings.sasl {
            Sasl::None => builder,
            Sasl::Plain => builder.sasl_config(SaslConfig::Plain(credentials())),
            Sasl::Scram256 => builder.sasl_config(SaslConfig::ScramSha256(credentials())),
            Sasl::Scram512 => builder.sasl_config(SaslConfig::ScramSha512(credentials())),
        };
        if settings.tls {
            builder = builder.tls_config(crate::tls::client(&settings.ca_file)?);
        }
        let client = step("The brokers refused the connection", builder.build()).await?;
        let topics = step("The brokers do not say which topics there are", client.list_topics()).await?;
        let partitions: BTreeMap<String, Vec<i32>> =
            topics.into_iter().map(|topic| (topic.name, topic.partitions.into_iter().collect())).collect();
        let rows = partition(&client, &partitions, &settings.topic, site).await?;
        let readings = if settings.readings_topic.is_empty() {
            None
        } else {
            Some(partition(&client, &partitions, &settings.readings_topic, site).await?)
        };
        Ok(Self { rows, readings, site: site.to_owned() })
    }

    fn row(&self, row: &Row) -> Record {
        let key = format!("{}/{}/{}", self.site, row.table, row.key);
        record(key, row.body.clone(), row.seq)
    }

    fn reading(&self, reading: &Reading, series: &BTreeMap<i64, String>) -> Record {
        let name = series.get(&reading.series).map_or("", String::as_str);
        let value = serde_json::json!({
            "site": self.site,
            "series": name,
            "at_ms": reading.at_ms,
            "step_ms": reading.step_ms,
            "value": reading.value,
        });
        record(format!("{}/{name}/{}", self.site, reading.at_ms), Some(value.to_string()), reading.seq)
    }
}

/// A record; without a value the row was removed, which is how compacted topics forget a key.
fn record(key: String, value: Option<String>, seq: i64) -> Record {
    Record {
        key: Some(key.into_bytes()),
        value: value.map(String::into_bytes),
        headers: BTreeMap::from([("seq".to_owned(), seq.to_string().into_bytes())]),
        // Numbers are microseconds since 1970, those of the first upload count from zero.
        timestamp: DateTime::<Utc>::from_timestamp_micros(seq).unwrap_or_default(),
    }
}

async fn partition(
    client: &Client,
    topics: &BTreeMap<String, Vec<i32>>,
    topic: &str,
    site: &str,
) -> Result<PartitionClient, Trouble> {
    let missing = || trouble("topic", format!("The brokers have no topic {topic}; create it there"), "");
    let partitions = topics.get(topic).filter(|all| !all.is_empty()).ok_or_else(missing)?;
    // FNV-1a: the same partition for a building on every computer.
    let hash = site
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let count = u64::try_from(partitions.len()).unwrap_or(1);
    let index = usize::try_from(hash % count).unwrap_or(0);
    let number = partitions.get(index).copied().ok_or_else(missing)?;
    let opened = client.partition_client(topic.to_owned(), number, UnknownTopicHandling::Error);
    step("The brokers do not give the topic", opened).await
}

async fn produce(to: &PartitionClient, records: Vec<Record>) -> Result<(), Trouble> {
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        let some: Vec<Record> = records.by_ref().take(RECORDS_MAX).collect();
        step("The brokers refused records", to.produce(some, Compression::NoCompression)).await?;
    }
    Ok(())
}

impl Sink for Stream {
    async fn deliver(&mut self, batch: &Batch) -> Result<(), Trouble> {
        produce(&self.rows, batch.rows.iter().map(|row| self.row(row)).collect()).await?;
        if let Some(readings) = &self.readings {
            let records = batch.newest_readings();
            produce(readings, records.iter().map(|one| self.reading(one, &batch.series)).collect()).await?;
        }
        Ok(())
    }
}
