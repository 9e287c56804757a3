//! Against the broker of librdkafka, with librdkafka's own consumer behind it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use sync::kafka::{Settings, Stream};
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
    let nowhere = format!("127.0.0.1:{}", sync::cluster::free_port().unwrap());
    let away = Settings { brokers: vec![nowhere], ..settings };
    assert_eq!(Stream::connect(&away, "", "x").await.map(|_| ()).unwrap_err().code, "port");
}
