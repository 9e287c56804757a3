//! mosquitto's own clients as a meter or an IEVCC charger.

use crate::{Lines, until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// A device that mosquitto's clients speak for: its name is its user name and its topic.
#[derive(Debug)]
pub struct MqttDevice {
    port: u16,
    name: String,
    password: String,
    /// Version of MQTT as mosquitto names it: `311` or `5`.
    version: &'static str,
    next_id: AtomicU64,
    /// Whom to trust, with TLS.
    authority: Option<PathBuf>,
}

/// What arrives on a device's topic.
pub struct Subscription {
    child: Child,
    lines: Lines,
}

impl MqttDevice {
    /// A device of the broker at `port`.
    #[must_use]
    pub fn new(port: u16, name: &str, password: &str, version: &'static str) -> Self {
        Self {
            port,
            name: name.to_owned(),
            password: password.to_owned(),
            version,
            next_id: AtomicU64::new(1),
            authority: None,
        }
    }

    /// The same with TLS, trusting the authority in this PEM file.
    #[must_use]
    pub fn trusting(self, authority: &Path) -> Self {
        Self { authority: Some(authority.to_owned()), ..self }
    }

    /// Publishes a message of the protocol with QoS 1: the head is added to `body`. Returns its `id`, or
    /// `None` when the broker did not take it.
    #[must_use]
    pub fn say(&self, topic: &str, code: &str, body: Value) -> Option<u64> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut message = json!({"v": 1, "code": code, "from": self.name, "id": id});
        for (name, value) in body.as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
        self.publish(topic, &message.to_string()).then_some(id)
    }

    /// Publishes any text with QoS 1 and tells whether the broker acknowledged it.
    #[must_use]
    pub fn publish(&self, topic: &str, text: &str) -> bool {
        let output = self
            .command("mosquitto_pub", "pub")
            .args(["-t", topic, "-m", text])
            .output()
            .expect("mosquitto_pub starts; cargo xtask setup installs mosquitto-clients");
        // With MQTT 5 a refusal comes inside the acknowledgement: mosquitto_pub says so and ends as if all were well.
        output.status.success() && !String::from_utf8_lossy(&output.stderr).contains("failed")
    }

    /// Subscribes to the device's own topic.
    #[must_use]
    pub fn listen(&self) -> Subscription {
        let inner = self.command("mosquitto_sub", "sub");
        // Into a pipe mosquitto_sub keeps its own words back until it ends; stdbuf makes it print each line.
        let mut child = Command::new("stdbuf")
            .arg("-oL")
            .arg(inner.get_program())
            .args(inner.get_args())
            .args(["-t", &self.name, "-d"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto_sub starts; cargo xtask setup installs mosquitto-clients");
        let lines = Lines::collect(child.stdout.take().unwrap());
        until("mosquitto_sub to subscribe", || {
            assert!(lines.find("denied").is_none(), "{} may not listen: {:?}", self.name, lines.all());
            lines.find("Subscribed")
        });
        Subscription { child, lines }
    }

    fn command(&self, program: &str, role: &str) -> Command {
        let mut command = Command::new(program);
        let (port, client) = (self.port.to_string(), format!("{}-{role}", self.name));
        command.args(["-h", "127.0.0.1", "-p", &port, "-V", self.version, "-q", "1", "-i", &client]);
        if let Some(authority) = &self.authority {
            command.arg("--cafile").arg(authority);
        }
        command.args(["-u", &self.name, "-P", &self.password]).stdin(Stdio::null());
        command
    }
}

impl Subscription {
    /// Waits for a message of the manager that `wanted` recognises.
    #[track_caller]
    pub fn wait(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(what, || self.messages().into_iter().find(&wanted))
    }

    /// All messages of the manager so far.
    #[must_use]
    pub fn messages(&self) -> Vec<Value> {
        let all = self.lines.all();
        all.iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|m: &Value| m["from"] == "manager")
            .collect()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("mosquitto_sub printed:\n{}", self.lines.all().join("\n"));
        }
        // It may have ended already; both calls then fail harmlessly.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
