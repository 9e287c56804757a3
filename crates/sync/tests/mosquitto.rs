//! Against a real Mosquitto.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use sync::mqtt::{Northbound, Preset, Settings};
use sync::{Batch, Reading, Sink as _};

/// A broker of one's own with a user `ana`.
struct Broker {
    child: Child,
    port: u16,
    /// Where it speaks TLS, as `localhost`.
    secure: u16,
    dir: tempfile::TempDir,
}

/// An authority and a certificate for `localhost`, as files.
fn certificates(dir: &std::path::Path) {
    let issuer_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    std::fs::write(dir.join("ca.pem"), authority.self_signed(&issuer_key).unwrap().pem()).unwrap();
    let issuer = rcgen::Issuer::new(authority, issuer_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("server.pem"), leaf.pem()).unwrap();
    std::fs::write(dir.join("server.key"), key.serialize_pem()).unwrap();
    // The broker becomes another user before it reads it.
    std::fs::set_permissions(dir.join("server.key"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
}

impl Broker {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = sync::cluster::free_port().unwrap();
        let passwords = dir.path().join("passwords");
        let status =
            Command::new("mosquitto_passwd").arg("-c").arg("-b").arg(&passwords).args(["ana", "secret"]).status();
        assert!(status.unwrap().success(), "cargo xtask test installs mosquitto");
        std::fs::set_permissions(&passwords, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let config = dir.path().join("mosquitto.conf");
        certificates(dir.path());
        let secure = sync::cluster::free_port().unwrap();
        let file = |name: &str| dir.path().join(name).display().to_string();
        let text = format!(
            "password_file {}\nallow_anonymous false\nlistener {port} 127.0.0.1\nlistener {secure} 127.0.0.1\n\
             certfile {}\nkeyfile {}\n",
            passwords.display(),
            file("server.pem"),
            file("server.key")
        );
        std::fs::write(&config, text).unwrap();
        let program =
            if std::path::Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
        let child = Command::new(program).arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("cargo xtask test installs mosquitto");
        for port in [port, secure] {
            while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
                std::thread::yield_now();
            }
        }
        Self { child, port, secure, dir }
    }

    fn settings(&self, preset: Preset) -> Settings {
        Settings {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: "ana".to_owned(),
            name: "sol7".to_owned(),
            preset,
            topic: "own/{source}/{quantity}".to_owned(),
            payload: r#"{"v":{value},"at":"{at}"}"#.to_owned(),
            ..Settings::default()
        }
    }

    /// The next so many messages, as mosquitto's own client hears them; `say` is called once it listens.
    fn hear(&self, count: usize, say: impl FnOnce()) -> Vec<String> {
        // Into a pipe it keeps its words back; stdbuf makes it print each line.
        let mut child = Command::new("stdbuf")
            .args(["-oL", "mosquitto_sub"])
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-u",
                "ana",
                "-P",
                "secret",
                "-t",
                "#",
                "-q",
                "1",
                "-d",
            ])
            .args(["-v", "-W", "30"])
            .stdout(Stdio::piped())
            .env("LC_ALL", "C")
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.by_ref().any(|line| line.contains("received SUBACK")), "it listens");
        say();
        let heard =
            lines.filter(|line| !line.starts_with("Client ") && !line.starts_with("Subscribed")).take(count).collect();
        drop(child.kill());
        drop(child.wait());
        heard
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn batch() -> Batch {
    let reading =
        |series, minute: i64, value| Reading { seq: 9, series, at_ms: minute * 60_000, step_ms: 60_000, value };
    Batch {
        through: 9,
        readings: vec![reading(1, 1, 7000), reading(1, 2, 7100), reading(2, 1, 50)],
        series: BTreeMap::from([(1, "charger/C1/1/power_w".to_owned()), (2, "house/power_w".to_owned())]),
        ..Batch::default()
    }
}

/// What each preset promises arrives at a real broker, acknowledged, in the order of time.
#[tokio::test(flavor = "multi_thread")]
async fn presets_arrive_at_mosquitto() {
    let broker = Broker::start();
    for (preset, count, wanted) in [
        (Preset::Own, 3, r#"own/charger/C1/1/power_w {"v":7100,"at":"1970-01-01T00:02:00Z"}"#),
        (Preset::Dojot, 3, r#"sol7:house/attrs {"power_w":50,"timestamp":60000}"#),
        (Preset::Emoncms, 3, "emon/sol7_charger_C1_1/power_w 7000"),
        (Preset::HomeAssistant, 5, "meshwatt/sol7/house/power_w 50"),
    ] {
        let mut sink = Northbound::connect(&broker.settings(preset), "secret").await.unwrap();
        let heard = tokio::task::block_in_place(|| {
            broker.hear(count, || {
                let sent = batch();
                tokio::runtime::Handle::current().block_on(sink.deliver(&sent)).unwrap();
            })
        });
        assert!(heard.iter().any(|line| line == wanted), "{preset:?}: {heard:#?}");
        assert_eq!(heard.len(), count, "{heard:#?}");
    }
}

/// Thousands of messages are all acknowledged, and what is wrong with a broker has a name.
#[tokio::test(flavor = "multi_thread")]
async fn many_arrive_and_trouble_is_named() {
    let broker = Broker::start();
    let good = broker.settings(Preset::Own);
    let mut sink = Northbound::connect(&good, "secret").await.unwrap();
    let many = Batch {
        readings: (0..5000).map(|minute| Reading { at_ms: minute * 60_000, ..batch().readings[0] }).collect(),
        ..batch()
    };
    tokio::time::timeout(Duration::from_secs(60), sink.deliver(&many)).await.unwrap().unwrap();
    for (settings, password, code) in [
        (good.clone(), "wrong", "password"),
        (Settings { port: sync::cluster::free_port().unwrap(), ..good.clone() }, "secret", "port"),
        (Settings { host: "no.such.host.invalid".to_owned(), ..good.clone() }, "secret", "name"),
        (Settings { topic: "a/#".to_owned(), ..good.clone() }, "secret", "template"),
        (Settings { name: String::new(), ..good }, "secret", "incomplete"),
    ] {
        let trouble = Northbound::connect(&settings, password).await.map(|_open| ()).unwrap_err();
        assert_eq!(trouble.code, code, "{trouble:?}");
    }
    drop(broker);
    assert_eq!(sink.deliver(&batch()).await.unwrap_err().code, "lost");
}

/// With TLS the broker's certificate is checked, and what is wrong with it has a name; without the box nothing is
/// encrypted behind the manager's back.
#[tokio::test(flavor = "multi_thread")]
async fn the_line_is_encrypted_and_the_broker_checked() {
    let broker = Broker::start();
    let ca_file = broker.dir.path().join("ca.pem").display().to_string();
    let good = Settings {
        host: "localhost".to_owned(),
        port: broker.secure,
        tls: true,
        ca_file,
        ..broker.settings(Preset::Emoncms)
    };
    let mut sink = Northbound::connect(&good, "secret").await.unwrap();
    let heard = broker.hear(3, || {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(sink.deliver(&batch()))).unwrap();
    });
    assert!(heard.iter().any(|line| line == "emon/sol7_house/power_w 50"), "{heard:?}");
    for (settings, code, says) in [
        (Settings { ca_file: String::new(), ..good.clone() }, "tls", "authority nobody here knows"),
        (Settings { host: "127.0.0.1".to_owned(), ..good.clone() }, "tls", "another name"),
        (Settings { port: broker.port, ..good.clone() }, "tls", "does not speak TLS"),
        (Settings { ca_file: "/no/such.pem".to_owned(), ..good.clone() }, "tls", "/no/such.pem"),
        (Settings { tls: false, ..good.clone() }, "port", "TLS"),
    ] {
        let trouble = Northbound::connect(&settings, "secret").await.map(|_open| ()).unwrap_err();
        assert!(trouble.code == code && trouble.sentence.contains(says), "wanted {code}, {says}: {trouble:?}");
    }
}
