//! The programs under test, started and stopped.

use crate::{Api, Lines, until};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// The `meshwatt` command of this build.
#[must_use]
pub fn meshwatt_program() -> PathBuf {
    named("MESHWATT_BIN", "meshwatt")
}

/// The desktop shell of this build.
#[must_use]
pub fn desktop_program() -> PathBuf {
    named("MESHWATT_DESKTOP_BIN", "meshwatt-desktop")
}

/// The Python with the foreign OCPP client; `cargo xtask setup` makes it.
#[must_use]
pub fn python() -> PathBuf {
    let path = std::env::var_os("MESHWATT_TEST_PYTHON")
        .map_or_else(|| build_directory().join("../python/bin/python"), PathBuf::from);
    assert!(path.exists(), "{} is missing; run cargo xtask setup", path.display());
    path
}

/// A script of `tests/foreign`.
#[must_use]
pub fn foreign(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign").join(script)
}

fn named(variable: &str, name: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(|| build_directory().join(name), PathBuf::from);
    assert!(path.exists(), "{} is missing; build it first, or run cargo xtask test", path.display());
    path
}

/// Where cargo put the programs: two levels above a test, one above a program.
fn build_directory() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let directory = own.parent().unwrap();
    if directory.ends_with("deps") { directory.parent().unwrap().to_owned() } else { directory.to_owned() }
}

/// A running `meshwatt serve` or `meshwatt demo`.
pub struct Meshwatt {
    child: Child,
    ready: Value,
    errors: Lines,
    api: Api,
}

impl Meshwatt {
    /// `meshwatt serve` on free ports with its data in `directory`.
    #[must_use]
    pub fn serve(directory: &Path) -> Self {
        Self::serve_with(directory, &[])
    }

    /// The same with more arguments.
    #[must_use]
    pub fn serve_with(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = serve_command(directory);
        command.args(arguments);
        Self::start(command, directory)
    }

    /// `meshwatt demo` on a free port with its data in `directory`, and the address that signs in once.
    #[must_use]
    pub fn demo(directory: &Path) -> (Self, String) {
        let mut command = Command::new(meshwatt_program());
        command.args(["demo", "--http", "127.0.0.1:0", "--data-dir"]).arg(directory);
        let (mut child, output, errors) = spawn(&mut command);
        let line = until("the demo's address", || {
            still_runs(&mut child, &command, &errors);
            output.find("ticket=")
        });
        let sign_in = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        let http = sign_in["http://".len()..].split('/').next().unwrap().to_owned();
        let token = until("the token file", || std::fs::read_to_string(directory.join("api.token")).ok());
        let api = Api::new(&http, &token);
        (Self { child, ready: serde_json::json!({"http": http}), errors, api }, sign_in)
    }

    /// Starts a prepared command and waits for its ready line.
    #[must_use]
    pub fn start(command: Command, directory: &Path) -> Self {
        Self::start_seeing(command, |_id| directory.to_owned()).0
    }

    /// The same for a program whose data folder is seen elsewhere from here, depending on its process id.
    #[must_use]
    pub fn start_seeing(mut command: Command, seen: impl FnOnce(u32) -> PathBuf) -> (Self, PathBuf) {
        let (mut child, output, errors) = spawn(&mut command);
        let line = until("the ready line", || {
            still_runs(&mut child, &command, &errors);
            output.find("\"ready\"")
        });
        let ready: Value = serde_json::from_str(&line).expect("the ready line is JSON");
        let directory = seen(child.id());
        let token = until("the token file", || std::fs::read_to_string(directory.join("api.token")).ok());
        let api = Api::new(ready["http"].as_str().unwrap(), &token);
        (Self { child, ready, errors, api }, directory)
    }

    /// Its API.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The ready line.
    #[must_use]
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// Address of a listener for a client on this computer: `http`, `ocpp` or `mqtt`.
    #[must_use]
    pub fn address(&self, listener: &str) -> String {
        self.ready[listener].as_str().unwrap().replace("0.0.0.0", "127.0.0.1")
    }

    /// Port of a listener.
    #[must_use]
    pub fn port(&self, listener: &str) -> u16 {
        self.address(listener).rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Where charger `id` connects.
    #[must_use]
    pub fn charger_url(&self, id: &str) -> String {
        format!("ws://{}/ocpp/{id}", self.address("ocpp"))
    }

    /// What it logged.
    #[must_use]
    pub fn errors(&self) -> &Lines {
        &self.errors
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end and returns how it did.
    pub fn stop(mut self) -> ExitStatus {
        terminate(&self.child);
        until("the program to end after SIGTERM", || self.child.try_wait().unwrap())
    }
}

impl Drop for Meshwatt {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let lines = self.errors.all();
            let last = lines.len().saturating_sub(60);
            eprintln!("the program's last lines:\n{}", lines[last..].join("\n"));
        }
        // It may have ended already; both calls then fail harmlessly.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts a program and collects what it prints.
fn spawn(command: &mut Command) -> (Child, Lines, Lines) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} cannot start: {error}"));
    let output = Lines::collect(child.stdout.take().unwrap());
    let errors = Lines::collect(child.stderr.take().unwrap());
    (child, output, errors)
}

/// Fails the test when a program that should get ready has ended instead.
fn still_runs(child: &mut Child, command: &Command, errors: &Lines) {
    if let Some(status) = child.try_wait().unwrap() {
        panic!("{command:?} ended with {status}:\n{}", errors.all().join("\n"));
    }
}

/// `meshwatt serve` on free ports of the loopback.
#[must_use]
pub fn serve_command(directory: &Path) -> Command {
    let mut command = Command::new(meshwatt_program());
    command.arg("serve").arg("--data-dir").arg(directory).args([
        "--http",
        "127.0.0.1:0",
        "--ocpp",
        "127.0.0.1:0",
        "--mqtt",
        "127.0.0.1:0",
        // The keyring belongs to whoever runs the tests.
        "--secrets",
        "file",
    ]);
    command
}

/// Sends SIGTERM.
pub fn terminate(child: &Child) {
    let id = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
}
