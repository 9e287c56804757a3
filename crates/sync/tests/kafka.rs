//! Against the broker of librdkafka, with librdkafka's own consumer behind it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use sync::cluster::{Kafka, free_port};
use sync::kafka::{Keys, Settings, Stream};
use sync::{Batch, Reading, Row, Sink as _};

/// The interpreter with `confluent-kafka`, as `cargo xtask test` installs it.
fn python() -> PathBuf {
    std::env::var_os("MESHWATT_TEST_PYTHON").map_or_else(
        || std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("python/bin/python"),
        PathBuf::from,
    )
}

struct Broker {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Broker {
    fn start() -> Self {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/kafka_mock.py");
        let mut child = Command::new(python())
            .arg(script)
            .args(["records", "readings"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("cargo xtask test installs the Python packages");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.next().expect("confluent-kafka is installed by cargo xtask test").unwrap();
        Self { child, lines, address }
    }

    fn hear(&mut self, count: usize) -> Vec<String> {
        self.lines.by_ref().take(count).map(Result::unwrap).collect()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn row(seq: i64, id: i64, body: Option<&str>) -> Row {
    Row {
        seq,
        table: "session".to_owned(),
        key_columns: vec!["id".to_owned()],
        key: format!("[{id}]"),
        body: body.map(str::to_owned),
    }
}

/// Rows and readings of a building arrive in order, each with its key and number, a removed row without a value, and all
/// of a building on one partition; what is wrong has a name.
#[tokio::test(flavor = "multi_thread")]
async fn records_arrive_in_order() {
    let mut broker = Broker::start();
    let settings = Settings {
        brokers: vec![broker.address.clone()],
        topic: "records".to_owned(),
        readings_topic: "readings".to_owned(),
        ..Settings::default()
    };
    let mut stream = Stream::connect(&settings, "", "sol7").await.unwrap();
    let rows = (1..=2500).map(|id| row(id, id, Some("{}"))).chain([row(2501, 7, None)]).collect();
    let reading = Reading { seq: 2502, series: 3, at_ms: 60_000, step_ms: 60_000, value: -5 };
    let series = BTreeMap::from([(3, "house/power_w".to_owned())]);
    stream.deliver(&Batch { through: 2502, rows, readings: vec![reading], series }).await.unwrap();
    let heard = broker.hear(2502);
    let (readings, rows): (Vec<&String>, Vec<&String>) = heard.iter().partition(|line| line.starts_with("readings"));
    assert_eq!(rows.len(), 2501);
    let partitions: std::collections::BTreeSet<&str> = rows.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(partitions.len(), 1, "one building, one partition, so one order");
    let numbers: Vec<i64> = rows.iter().filter_map(|line| line.split(' ').nth(3)?.parse().ok()).collect();
    assert!(numbers.is_sorted() && numbers.len() == 2501);
    assert!(rows[2500].ends_with("sol7/session/[7] 2501 -"), "{}", rows[2500]);
    assert!(readings[0].contains(r#"sol7/house/power_w/60000 2502 {"#) && readings[0].contains(r#""value":-5"#));

    let missing = Settings { topic: String::new(), ..settings.clone() };
    assert_eq!(Stream::connect(&missing, "", "x").await.map(|_| ()).unwrap_err().code, "incomplete");
    let nowhere = format!("127.0.0.1:{}", free_port().unwrap());
    for (broker, code) in
        [(nowhere.as_str(), "port"), ("no-such-host.invalid:9092", "name"), ("127.0.0.1", "incomplete")]
    {
        let away = Settings { brokers: vec![broker.to_owned()], ..settings.clone() };
        assert_eq!(Stream::connect(&away, "", "x").await.map(|_| ()).unwrap_err().code, code, "{broker}");
    }
    // One broker that is there is enough.
    let some = Settings { brokers: vec![nowhere, broker.address.clone()], ..settings.clone() };
    assert!(Stream::connect(&some, "", "x").await.is_ok());
    let topic = Settings { topic: "nobody-made-it".to_owned(), ..settings };
    assert_eq!(Stream::connect(&topic, "", "x").await.map(|_| ()).unwrap_err().code, "topic");
}

fn batch(rows: Vec<Row>) -> Batch {
    let reading = |series| Reading { seq: 90, series, at_ms: 60_000, step_ms: 60_000, value: 7 };
    let series = BTreeMap::from([(1, "charger/C1/1/power_w".to_owned()), (2, "house/power_w".to_owned())]);
    Batch { through: 90, rows, readings: vec![reading(1), reading(2)], series }
}

fn of_table(seq: i64, table: &str, column: &str, key: &str, body: Option<&str>) -> Row {
    Row {
        seq,
        table: table.to_owned(),
        key_columns: vec![column.to_owned()],
        key: key.to_owned(),
        body: body.map(str::to_owned),
    }
}

/// What a record's key is can be chosen: its row, its charger or its building; each record still says which row it is,
/// records of one key lie on one partition, and nothing but a row's own key is ever forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_chosen() {
    let ways = [Keys::Record, Keys::Charger, Keys::Site];
    let names: Vec<String> =
        ways.iter().flat_map(|keys| [format!("rows-{keys:?}"), format!("readings-{keys:?}")]).collect();
    let topics: Vec<(&str, i32)> = names.iter().map(|name| (name.as_str(), 5)).collect();
    let broker = Kafka::start(&topics).unwrap();
    let consumer = broker.read().await.unwrap();
    let rows = || {
        vec![
            of_table(1, "charger", "id", r#"["C1"]"#, Some(r#"{"id":"C1"}"#)),
            of_table(2, "session", "id", "[1]", Some(r#"{"id":1,"charger":"C1"}"#)),
            of_table(3, "session", "id", "[2]", Some(r#"{"id":2,"charger":"C2"}"#)),
            of_table(4, "hold", "charger", r#"["C2"]"#, None),
            of_table(5, "tenant", "id", "[1]", Some(r#"{"id":1}"#)),
        ]
    };
    for (keys, wanted) in [
        (
            Keys::Record,
            [
                r#"b/charger/["C1"]"#,
                "b/session/[1]",
                "b/session/[2]",
                r#"b/hold/["C2"]"#,
                "b/tenant/[1]",
                "b/charger/C1/1/power_w/60000",
                "b/house/power_w/60000",
            ],
        ),
        (Keys::Charger, ["b/C1", "b/C1", "b/C2", "b/C2", "b", "b/C1", "b"]),
        (Keys::Site, ["b"; 7]),
    ] {
        let [records, readings] = ["rows", "readings"].map(|name| format!("{name}-{keys:?}"));
        let settings = Settings {
            brokers: vec![format!("127.0.0.1:{}", broker.port())],
            topic: records.clone(),
            readings_topic: readings.clone(),
            keys,
            ..Settings::default()
        };
        let mut stream = Stream::connect(&settings, "", "b").await.unwrap();
        stream.deliver(&batch(rows())).await.unwrap();
        let mut found = consumer.until(&records, 5).await.unwrap();
        found.sort_by_key(sync::cluster::Record::seq);
        found.extend(consumer.until(&readings, 2).await.unwrap());
        let got: Vec<&str> = found.iter().map(|record| record.key.as_str()).collect();
        let (mut got_readings, mut wanted_readings) = (got[5..].to_vec(), wanted[5..].to_vec());
        got_readings.sort_unstable();
        wanted_readings.sort_unstable();
        assert_eq!((&got[..5], got_readings), (&wanted[..5], wanted_readings), "{keys:?}");
        let removed = found.iter().find(|record| record.seq() == 4).unwrap();
        assert_eq!((&*removed.headers["table"], &*removed.headers["id"]), ("hold", r#"["C2"]"#));
        assert_eq!(removed.value.as_deref(), if keys == Keys::Record { None } else { Some("null") }, "{keys:?}");
        let mut places: BTreeMap<&str, std::collections::BTreeSet<i32>> = BTreeMap::new();
        for record in &found[..5] {
            let of = if keys == Keys::Charger { record.key.as_str() } else { "the building" };
            places.entry(of).or_default().insert(record.partition);
        }
        assert!(places.values().all(|own| own.len() == 1), "what is in order stays on one partition: {places:?}");
    }
}

/// What is sent again because nobody heard the answer, here after the broker went away, changes nothing for whoever keeps
/// the newest number of each row: everything once in the result.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_changes_nothing() {
    let mut broker = Kafka::start(&[("records", 1)]).unwrap();
    let consumer = broker.read().await.unwrap();
    let settings = Settings {
        brokers: vec![format!("127.0.0.1:{}", broker.port())],
        topic: "records".to_owned(),
        ..Settings::default()
    };
    let send = async |rows: Vec<Row>| {
        let mut stream = Stream::connect(&settings, "", "b").await?;
        stream.deliver(&Batch { through: 0, rows, ..Batch::default() }).await
    };
    let all: Vec<Row> = (1..=1500).map(|id| row(id, id, Some(r#"{"now":"old"}"#))).collect();
    send(all.clone()).await.unwrap();
    broker.stop().unwrap();
    assert_eq!(send(all.clone()).await.unwrap_err().code, "port", "it says that the broker is away");
    broker.resume().unwrap();
    let changed = row(1501, 7, Some(r#"{"now":"new"}"#));
    send(all.into_iter().filter(|row| row.seq != 7).chain([changed]).collect()).await.unwrap();
    let records = consumer.until("records", 3000).await.unwrap();
    assert_eq!(records.len(), 3000, "every record was read, most of them twice");
    let mut newest: BTreeMap<&str, (i64, &str)> = BTreeMap::new();
    for record in &records {
        let kept = newest.entry(&record.key).or_default();
        *kept = (*kept).max((record.seq(), record.value.as_deref().unwrap_or_default()));
    }
    assert_eq!(newest.len(), 1500, "each row once in the result");
    assert_eq!(newest["b/session/[7]"], (1501, r#"{"now":"new"}"#));
}
