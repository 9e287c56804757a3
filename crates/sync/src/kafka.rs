//! Kafka: every change as a record on a topic, readings on another.
//!
//! The headers of a record name its row (`site`, `table`, `id`) and the number of the change (`seq`): whoever keeps the
//! newest `seq` of each row has everything once, although a record may travel twice. What its key is can be chosen; by
//! default it is the row, so that a compacted topic does the same, and all records of a building go to one partition.

use crate::postgres::trouble;
use crate::{Batch, Reading, Row, Sink, Trouble};
use chrono::{DateTime, Utc};
use rskafka::client::partition::{Compression, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder, Credentials, SaslConfig};
use rskafka::record::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;
use tokio::net::TcpStream;

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

/// What a record's key is. Records of one key stay in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// Its row: `site/table/id`. All of a building goes to one partition.
    #[default]
    Record,
    /// Its charger: `site/charger`, each on the partition of its key; `site` for what belongs to no charger.
    Charger,
    /// Its building: `site`.
    Site,
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
    /// What a record's key is.
    #[serde(default)]
    pub keys: Keys,
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

/// Looks for a broker that is there: the client itself would not say what is wrong with them.
async fn reach(brokers: &[String]) -> Result<(), Trouble> {
    let mut wrong = None;
    for broker in brokers {
        let port = broker.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none_or(|port| port == 0) {
            return Err(trouble(
                "incomplete",
                format!("{broker} is no address of a broker; write it as host:port"),
                "",
            ));
        }
        match tokio::time::timeout(STEP_MAX, tokio::net::lookup_host(broker)).await {
            Ok(Ok(addresses)) => {
                let addresses: Vec<_> = addresses.collect();
                let connected = tokio::time::timeout(STEP_MAX, TcpStream::connect(addresses.as_slice())).await;
                match connected {
                    Ok(Ok(_stream)) => return Ok(()),
                    Ok(Err(error)) => {
                        let sentence = format!("Nothing listens at {broker}; check the port and that the broker runs");
                        wrong = Some(trouble("port", sentence, error));
                    }
                    Err(_elapsed) => {
                        let sentence = format!("{broker} does not answer; a firewall in between may drop it");
                        wrong = Some(trouble("port", sentence, ""));
                    }
                }
            }
            Ok(Err(error)) => {
                wrong = Some(trouble("name", format!("No computer is called as in {broker}; check the name"), error));
            }
            Err(_elapsed) => {
                wrong = Some(trouble("name", format!("The name in {broker} is not answered; check the line"), ""));
            }
        }
    }
    wrong.map_or(Ok(()), Err)
}

/// A connection to the brokers.
pub struct Stream {
    client: Client,
    rows: Topic,
    readings: Option<Topic>,
    keys: Keys,
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
        Err(_elapsed) => {
            Err(trouble("port", "The brokers do not answer as Kafka; check the port and whether they want TLS", ""))
        }
    }
}

impl Stream {
    /// Connects for a site, of which the identity is given.
    ///
    /// # Errors
    /// With the code `incomplete`, `name`, `port`, `tls`, `password`, `topic` or `refused`.
    pub async fn connect(settings: &Settings, password: &str, site: &str) -> Result<Self, Trouble> {
        if settings.brokers.is_empty() || settings.topic.is_empty() {
            return Err(trouble("incomplete", "Enter at least one broker, as host:port, and the topic", ""));
        }
        reach(&settings.brokers).await?;
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
        let rows = Topic::new(&partitions, &settings.topic)?;
        let readings = match settings.readings_topic.as_str() {
            "" => None,
            name => Some(Topic::new(&partitions, name)?),
        };
        let mut stream = Self { client, rows, readings, keys: settings.keys, site: site.to_owned() };
        // A partition nobody leads is found now, not with the first record.
        stream.rows.open(&stream.client, site).await?;
        if let Some(readings) = &mut stream.readings {
            readings.open(&stream.client, site).await?;
        }
        Ok(stream)
    }

    fn row(&self, row: &Row) -> Keyed {
        let value = match (&row.body, self.keys) {
            (Some(body), _) => Some(body.clone()),
            // Without a value the row was removed, which is how compacted topics forget a key.
            (None, Keys::Record) => None,
            // Here nothing would make them forget everything of the key.
            (None, Keys::Charger | Keys::Site) => Some("null".to_owned()),
        };
        self.keyed(&row.table, &row.key, charger_of(row).as_deref(), row.seq, value)
    }

    fn reading(&self, reading: &Reading, series: &BTreeMap<i64, String>) -> Keyed {
        let name = series.get(&reading.series).map_or("", String::as_str);
        let value = serde_json::json!({
            "site": self.site,
            "series": name,
            "at_ms": reading.at_ms,
            "step_ms": reading.step_ms,
            "value": reading.value,
        });
        let charger = name.strip_prefix("charger/").and_then(|rest| rest.split('/').next());
        let id = format!("{name}/{}", reading.at_ms);
        self.keyed("reading", &id, charger, reading.seq, Some(value.to_string()))
    }

    fn keyed(&self, table: &str, id: &str, charger: Option<&str>, seq: i64, value: Option<String>) -> Keyed {
        let site = &self.site;
        let key = match (self.keys, charger) {
            (Keys::Record, _) if table == "reading" => format!("{site}/{id}"),
            (Keys::Record, _) => format!("{site}/{table}/{id}"),
            (Keys::Charger, Some(charger)) => format!("{site}/{charger}"),
            (Keys::Charger, None) | (Keys::Site, _) => site.clone(),
        };
        let place = if self.keys == Keys::Charger { key.clone() } else { site.clone() };
        let headers = [("site", site.as_str()), ("table", table), ("id", id), ("seq", &seq.to_string())];
        let record = Record {
            key: Some(key.into_bytes()),
            value: value.map(String::into_bytes),
            headers: headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).into(),
            // Numbers are microseconds since 1970, those of the first upload count from zero.
            timestamp: DateTime::<Utc>::from_timestamp_micros(seq).unwrap_or_default(),
        };
        Keyed { place, record }
    }
}

/// A record, and the text that decides its partition.
struct Keyed {
    place: String,
    record: Record,
}

/// The charger a row belongs to, when it has one.
fn charger_of(row: &Row) -> Option<String> {
    let key: Vec<Value> = serde_json::from_str(&row.key).unwrap_or_default();
    let own = if row.table == "charger" { "id" } else { "charger" };
    let place = row.key_columns.iter().position(|column| column == own);
    let found = match place {
        Some(place) => key.into_iter().nth(place),
        None => serde_json::from_str::<Value>(row.body.as_deref()?).ok()?.get_mut(own).map(Value::take),
    };
    found?.as_str().map(str::to_owned)
}

/// A topic and those of its partitions that were needed.
struct Topic {
    name: String,
    partitions: Vec<i32>,
    open: BTreeMap<i32, PartitionClient>,
}

impl Topic {
    fn new(topics: &BTreeMap<String, Vec<i32>>, name: &str) -> Result<Self, Trouble> {
        let missing = || {
            trouble("topic", format!("The brokers show no topic {name}; create it there, or let this user see it"), "")
        };
        let partitions = topics.get(name).filter(|all| !all.is_empty()).ok_or_else(missing)?.clone();
        Ok(Self { name: name.to_owned(), partitions, open: BTreeMap::new() })
    }

    /// The partition of a text: FNV-1a, so the same on every computer.
    fn partition(&self, text: &str) -> i32 {
        let hash = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let index = usize::try_from(hash % u64::try_from(self.partitions.len()).unwrap_or(1).max(1)).unwrap_or(0);
        self.partitions.get(index).copied().unwrap_or(0)
    }

    async fn open(&mut self, client: &Client, text: &str) -> Result<&PartitionClient, Trouble> {
        match self.open.entry(self.partition(text)) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(place) => {
                let opened = client.partition_client(self.name.clone(), *place.key(), UnknownTopicHandling::Error);
                Ok(place.insert(step("The brokers do not give the topic", opened).await?))
            }
        }
    }

    async fn produce(&mut self, client: &Client, records: Vec<Keyed>) -> Result<(), Trouble> {
        let mut by_partition: BTreeMap<i32, (String, Vec<Record>)> = BTreeMap::new();
        for Keyed { place, record } in records {
            by_partition.entry(self.partition(&place)).or_insert_with(|| (place, Vec::new())).1.push(record);
        }
        for (place, records) in by_partition.into_values() {
            let to = self.open(client, &place).await?;
            let mut records = records.into_iter().peekable();
            while records.peek().is_some() {
                let some: Vec<Record> = records.by_ref().take(RECORDS_MAX).collect();
                step("The brokers refused records", to.produce(some, Compression::NoCompression)).await?;
            }
        }
        Ok(())
    }
}

impl Sink for Stream {
    async fn deliver(&mut self, batch: &Batch) -> Result<(), Trouble> {
        let rows = batch.rows.iter().map(|row| self.row(row)).collect();
        self.rows.produce(&self.client, rows).await?;
        let readings = batch.newest_readings();
        let readings = readings.iter().map(|one| self.reading(one, &batch.series)).collect();
        match &mut self.readings {
            Some(topic) => topic.produce(&self.client, readings).await,
            None => Ok(()),
        }
    }
}
