//! The contract of `meshwatt serve`, of its exit codes, and the demo as one would start it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_meshwatt");

fn serve(dir: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--http", "127.0.0.1:0", "--ocpp", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data-dir"]);
    command.arg(dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ready(child: &mut Child) -> (String, BufReader<std::process::ChildStdout>) {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    (line, out)
}

fn get(http: &str, path: &str, token: &str) -> Value {
    let mut stream = TcpStream::connect(http).unwrap();
    let head = format!(
        "GET /api/v1/{path} HTTP/1.1\r\nHost: {http}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// One JSON line on stdout with exactly the promised fields, then nothing; SIGTERM drains and exits 0.
#[cfg(unix)]
#[test]
fn ready_line_and_drain() {
    let dir = tempfile::tempdir().unwrap();
    let site = dir.path().join("site.toml");
    std::fs::write(&site, "[site]\nname = \"Rua das Flores 12\"\ncontracted_kva = 41.4\n").unwrap();
    let data = dir.path().join("data");
    let mut child = serve(&data).arg("--site").arg(&site).spawn().unwrap();
    let (line, mut out) = ready(&mut child);
    let ready: Value = serde_json::from_str(&line).unwrap();
    let fields: Vec<&String> = ready.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["files", "http", "https", "mqtt", "mqtts", "ocpp", "ocpps", "ready"]);
    assert!(line.starts_with(r#"{"ready":true,"http":"127.0.0.1:"#), "{line}");
    assert!(ready["ocpp"].as_str().unwrap().parse::<SocketAddr>().unwrap().port() > 0);
    assert_eq!(ready["https"], Value::Null);
    let token = std::fs::read_to_string(data.join("api.token")).unwrap();
    let shown = get(ready["http"].as_str().unwrap(), "site", &token);
    assert_eq!((&shown["name"], &shown["contracted_kva"]), (&Value::from("Rua das Flores 12"), &Value::from(41.4)));
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "nothing else on stdout");
}

fn failed(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Wrong arguments exit 64; what stands in the way exits 1 with one line that says what to do.
#[test]
fn exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(failed(serve(dir.path()).arg("--bogus")).0, Some(64));
    assert_eq!(failed(Command::new(PROGRAM).arg("--version")).0, Some(0));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--http", &address, "--data-dir"]).arg(dir.path());
    let (code, words) = failed(&mut command);
    assert_eq!(code, Some(1));
    assert_eq!(
        words.trim(),
        format!("meshwatt: {address} is taken by another program; stop it or choose another port with --http")
    );
    let missing = failed(serve(dir.path()).args(["--site", "no-such-file.toml"]));
    assert!(missing.0 == Some(1) && missing.1.contains("cannot read no-such-file.toml"), "{missing:?}");
    let wrong = dir.path().join("wrong.toml");
    std::fs::write(&wrong, "[site]\nphases = 2\n").unwrap();
    let (code, words) = failed(serve(dir.path()).arg("--site").arg(&wrong));
    assert!(code == Some(1) && words.contains("phases must be 1 or 3, not 2"), "{words}");
}

/// A published simulation comes out as published; a file that is none is refused by name.
#[test]
fn simulate_prints_metrics() {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenario/scenarios/three-chargers.toml");
    let output = Command::new(PROGRAM).args(["simulate", "--json"]).arg(scenario).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["unmet"], serde_json::json!([]));
    assert_eq!(failed(Command::new(PROGRAM).args(["simulate", "nothing.toml"])).0, Some(1));
}

/// The demo comes alive: every virtual device connects by itself, cars charge, the panel answers, the past is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demo_lives() {
    let dir = tempfile::tempdir().unwrap();
    let options =
        cli::demo::Options { data_dir: Some(dir.path().to_owned()), speed: 10, ..cli::demo::Options::default() };
    let demo = cli::demo::start(options).await.unwrap();
    let http = demo.running().console_address().to_string();
    let token = demo.running().token().to_owned();
    let ask = |path: &'static str| {
        let (http, token) = (http.clone(), token.clone());
        async move { tokio::task::spawn_blocking(move || get(&http, path, &token)).await.unwrap() }
    };
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let snapshot = ask("snapshot").await;
        let chargers = snapshot["chargers"].as_array().unwrap();
        let online = chargers.iter().filter(|charger| charger["online"] == true).count();
        if online == 8
            && snapshot["site"]["cars_charging"].as_u64().unwrap() >= 2
            && snapshot["site"]["metered"] == true
        {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the demo did not come alive: {snapshot:#}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(ask("demo").await["chargers"].as_array().unwrap().len(), 8);
    let sessions = ask("sessions?limit=1000").await;
    assert!(sessions["items"].as_array().unwrap().len() > 100, "two months of sessions are there");
    let past = ask("readings?series=house/power_w&from=2026-01-01T00:00:00Z&step_s=86400").await;
    assert!(past["values"][0].as_array().unwrap().iter().filter(|value| !value.is_null()).count() > 50, "{past}");
    demo.shutdown().await;
}
