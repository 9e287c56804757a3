//! The published simulations as the demo's panel plays them, on real sockets and the demo's fast clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use scenario::Published;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Chargers of the demo building that play chargers 1 to 3: those with three phases, as registered.
const CAST: [&str; 3] = ["CP-1", "CP-2", "Charger-1"];

/// At ten times the speed of life the longest simulation takes 41 s.
const SPEED: u8 = 10;

/// Longest wait for a state outside the simulation.
const DEADLINE: Duration = Duration::from_secs(60);

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// A running demo as a program sees it.
#[derive(Clone)]
struct Api {
    http: String,
    token: String,
}

impl Api {
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let Self { http, token } = self;
        let mut stream = TcpStream::connect(http).unwrap();
        let head = format!(
            "{method} /api/v1/{path} HTTP/1.1\r\nHost: {http}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {text}");
        body.to_owned()
    }

    fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.ask("GET", path, "")).unwrap()
    }

    fn command(&self, command: &Value) {
        self.ask("POST", "demo", &command.to_string());
    }

    /// The step being played: label and sentence.
    fn step(&self) -> Option<String> {
        self.get("demo")["scenario"][1].as_str().map(str::to_owned)
    }

    /// What each charger of the cast is set to, in amps, and why.
    fn set_a(&self) -> [(f64, String); 3] {
        let snapshot = self.get("snapshot");
        let chargers = snapshot["chargers"].as_array().unwrap();
        CAST.map(|name| {
            let charger = chargers.iter().find(|charger| charger["id"] == name).unwrap();
            let connector = &charger["connectors"][0];
            (connector["set_a"].as_f64().unwrap(), connector["reason"].to_string())
        })
    }

    /// Rule of the site and role of the meter of its grid connection.
    fn rule(&self) -> (String, String) {
        let (site, meters) = (self.get("site"), self.get("meters"));
        let meter = meters["items"].as_array().unwrap().iter().find(|meter| meter["id"] == "Counter-1").unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&site["pacing"]), text(&meter["role"]))
    }

    fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(begun.elapsed() < DEADLINE, "waited in vain for {what}");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

async fn with_demo(dir: &Path, test: impl FnOnce(&Api) + Send + 'static) {
    let options = cli::demo::Options { data_dir: Some(dir.to_owned()), speed: SPEED, ..cli::demo::Options::default() };
    let demo = cli::demo::start(options).await.unwrap();
    let api = Api { http: demo.running().console_address().to_string(), token: demo.running().token().to_owned() };
    tokio::task::spawn_blocking(move || {
        api.until("every charger to be online", |api| {
            let snapshot = api.get("snapshot");
            snapshot["chargers"].as_array().unwrap().iter().all(|charger| charger["online"] == true).then_some(())
        });
        test(&api);
    })
    .await
    .unwrap();
    demo.shutdown().await;
}

/// Plays a simulation to its end; gives the last setpoints seen in each step.
fn play(api: &Api, scenario: &str) -> BTreeMap<String, [(f64, String); 3]> {
    api.command(&json!({"command": "start_scenario", "scenario": scenario}));
    let mut last = BTreeMap::new();
    while let Some(step) = api.step() {
        let set_a = api.set_a();
        if api.step().as_ref() == Some(&step) {
            last.insert(step, set_a);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    last
}

async fn check(published: Published, name: &'static str) {
    let dir = tempfile::tempdir().unwrap();
    with_demo(dir.path(), move |api| {
        let own = api.rule();
        let last = play(api, name);
        for step in published.scenario().unwrap().steps {
            let seen = last.get(&format!("({}) {}", step.label, step.says));
            for (number, amps) in &step.expect.0 {
                let index = number.strip_prefix("Charger-").unwrap().parse::<usize>().unwrap() - 1;
                let seen = seen.unwrap_or_else(|| panic!("step {} was not seen", step.label));
                assert!(
                    (seen[index].0 - f64::from(*amps)).abs() < 0.01,
                    "step ({}) settles at {seen:?}, published {:?}",
                    step.label,
                    step.expect.0
                );
            }
        }
        api.until("the site to be as before", |api| (api.rule() == own).then_some(()));
    })
    .await;
}

/// Steps (a) to (n), played live in the demo building with its margin, its larger connection and its voltage drop,
/// settle on the published amps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_chargers() {
    check(Published::ThreeChargers, "three_chargers").await;
}

/// So does the charger that follows a house whose load jumps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_charger() {
    check(Published::OneCharger, "one_charger").await;
}

/// So does the run in which everybody goes to standby and returns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn available_19() {
    check(Published::Available19, "available19").await;
}

/// A simulation that is stopped, or left in the middle when the program ends, leaves nothing of its rule behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_site_is_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let own = ("careful".to_owned(), "circuit".to_owned());
    let played = ("published".to_owned(), "house".to_owned());
    let start = json!({"command": "start_scenario", "scenario": "three_chargers"});
    let (expected, start_again) = (own.clone(), start.clone());
    with_demo(dir.path(), move |api| {
        assert_eq!(api.rule(), own);
        api.command(&start);
        api.until("the published rule", |api| (api.rule() == played).then_some(()));
        api.command(&json!({"command": "stop_scenario"}));
        api.until("the site's own rule", |api| (api.rule() == own).then_some(()));
        api.command(&start_again);
        api.until("the published rule", |api| (api.rule() == played).then_some(()));
    })
    .await;
    with_demo(dir.path(), move |api| assert_eq!(api.rule(), expected)).await;
}
