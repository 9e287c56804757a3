//! A Kafka broker of one's own on this computer, that of librdkafka, and somebody who reads along.

use super::other;
use rskafka::client::ClientBuilder;
use rskafka::client::partition::{PartitionClient, UnknownTopicHandling};
use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The broker, as a program that takes orders.
const SCRIPT: &str = include_str!("kafka_broker.py");

/// Bytes fetched at once.
const FETCH: std::ops::Range<i32> = 1..4_000_000;

/// Time the broker waits for new records, in milliseconds.
const FETCH_WAIT_MS: i32 = 500;

/// Pause of a reader after a failure.
const AGAIN: Duration = Duration::from_millis(100);

/// Time records may take to be read, at most.
const READ_MAX: Duration = Duration::from_secs(60);

/// A broker that can go away and come back. It keeps its newest 5 MB of each partition in memory.
#[derive(Debug)]
pub struct Kafka {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u16,
    topics: Vec<(String, i32)>,
}

/// The interpreter with librdkafka in it, as `cargo xtask test` installs it.
fn python() -> io::Result<PathBuf> {
    if let Some(given) = std::env::var_os("MESHWATT_TEST_PYTHON") {
        return Ok(PathBuf::from(given));
    }
    let here = std::env::current_exe()?;
    let mut found = here.ancestors().map(|dir| dir.join("python/bin/python"));
    found
        .find(|path| path.exists())
        .ok_or_else(|| other("no Python with confluent-kafka; cargo xtask test installs it"))
}

impl Kafka {
    /// Starts one with topics, each with so many partitions.
    ///
    /// # Errors
    /// When librdkafka is not installed or does not start.
    pub fn start(topics: &[(&str, i32)]) -> io::Result<Self> {
        let mut child = Command::new(python()?)
            .args(["-c", SCRIPT])
            .args(topics.iter().map(|(name, partitions)| format!("{name}:{partitions}")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(other("the Kafka broker cannot be spoken to"));
        };
        let topics = topics.iter().map(|(name, partitions)| ((*name).to_owned(), *partitions)).collect();
        let mut broker = Self { child, orders, answers: BufReader::new(answers), port: 0, topics };
        let port = broker.answer()?;
        broker.port = port.parse().map_err(|_none| other("the Kafka broker did not start"))?;
        Ok(broker)
    }

    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    fn order(&mut self, order: &str) -> io::Result<()> {
        writeln!(self.orders, "{order}")?;
        self.orders.flush()?;
        if self.answer()? == "done" { Ok(()) } else { Err(other("the Kafka broker ended")) }
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Clients are told to come to this port in place of its own.
    ///
    /// # Errors
    /// When it ended.
    pub fn advertise(&mut self, port: u16) -> io::Result<()> {
        self.order(&format!("advertise {port}"))
    }

    /// Goes away: all connections end at once, in the middle of whatever they carry, and nobody is let in. What it
    /// acknowledged stays.
    ///
    /// # Errors
    /// When it ended.
    pub fn stop(&mut self) -> io::Result<()> {
        self.order("down")
    }

    /// Comes back on the same port.
    ///
    /// # Errors
    /// When it ended.
    pub fn resume(&mut self) -> io::Result<()> {
        self.order("up")
    }

    /// Reads all its topics along from now on, across its absences; needs a tokio runtime, and ends with it.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn read(&self) -> io::Result<Consumer> {
        let client = ClientBuilder::new(vec![format!("127.0.0.1:{}", self.port)]).build().await;
        let client = client.map_err(io::Error::other)?;
        let consumer = Consumer::default();
        for (topic, partitions) in &self.topics {
            for partition in 0..*partitions {
                let opened = client.partition_client(topic, partition, UnknownTopicHandling::Error).await;
                drop(tokio::spawn(consumer.clone().follow(
                    topic.clone(),
                    partition,
                    opened.map_err(io::Error::other)?,
                )));
            }
        }
        Ok(consumer)
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            tracing::warn!(%error, "a Kafka broker of a test may still run");
        }
    }
}

/// A record of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its key.
    pub key: String,
    /// Its value, when it has one.
    pub value: Option<String>,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
}

impl Record {
    fn of(partition: i32, record: rskafka::record::Record) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            partition,
            key: record.key.map(text).unwrap_or_default(),
            value: record.value.map(text),
            headers: record.headers.into_iter().map(|(name, value)| (name, text(value))).collect(),
        }
    }

    /// The number of its change.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.headers.get("seq").and_then(|seq| seq.parse().ok()).unwrap_or(0)
    }
}

/// Has everything a broker ever acknowledged, each partition in its order.
#[derive(Clone, Debug, Default)]
pub struct Consumer {
    read: Arc<Mutex<BTreeMap<String, Vec<Record>>>>,
}

impl Consumer {
    async fn follow(self, topic: String, partition: i32, from: PartitionClient) {
        let mut next = 0;
        loop {
            match from.fetch_records(next, FETCH, FETCH_WAIT_MS).await {
                Ok((page, _)) => {
                    next = page.last().map_or(next, |last| last.offset + 1);
                    let records = page.into_iter().map(|found| Record::of(partition, found.record));
                    let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
                    read.entry(topic.clone()).or_default().extend(records);
                }
                Err(_away) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// What was read of a topic so far.
    #[must_use]
    pub fn records(&self, topic: &str) -> Vec<Record> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).get(topic).cloned().unwrap_or_default()
    }

    /// What was read of a topic once there are so many records.
    ///
    /// # Errors
    /// When they do not come.
    pub async fn until(&self, topic: &str, count: usize) -> io::Result<Vec<Record>> {
        let deadline = tokio::time::Instant::now() + READ_MAX;
        loop {
            let records = self.records(topic);
            if records.len() >= count {
                return Ok(records);
            }
            if tokio::time::Instant::now() > deadline {
                return Err(other(format!("{} of {count} records of {topic} came", records.len())));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}
