//! Secrets in a real keyring of the operating system: GNOME's, on a message bus of its own, without a screen.

use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tests::{Lines, Meshwatt, meshwatt_program, until};

/// A message bus and a keyring on it, both of the test alone; they end with it.
struct Keyring {
    bus: Child,
    address: String,
    daemon: Child,
    home: tempfile::TempDir,
}

impl Keyring {
    /// An unlocked keyring with nothing in it.
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
            .arg(format!("--address=unix:dir={}", home.path().display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed by cargo xtask setup");
        let lines = Lines::collect(bus.stdout.take().unwrap());
        let address = until("the address of the bus", || lines.find("unix:"));
        let daemon = Self::daemon(&address, home.path());
        Self { bus, address, daemon, home }
    }

    fn daemon(address: &str, home: &Path) -> Child {
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .arg(format!("--control-directory={}", home.join("control").display()))
            .env("DBUS_SESSION_BUS_ADDRESS", address)
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_RUNTIME_DIR", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon is installed by cargo xtask setup");
        daemon.stdin.take().unwrap().write_all(b"password of the keyring").unwrap();
        let lines = Lines::collect(daemon.stdout.take().unwrap());
        let _ready = until("the keyring", || lines.find("GNOME_KEYRING_CONTROL"));
        daemon
    }

    /// `meshwatt serve` that finds this keyring, with the given choice of a place.
    fn serve(&self, directory: &Path, secrets: &str) -> Meshwatt {
        let mut command = Command::new(meshwatt_program());
        command.args(["serve", "--secrets", secrets, "--data-dir"]).arg(directory);
        for listener in ["--http", "--https", "--ocpp", "--mqtt"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address).env("HOME", self.home.path());
        Meshwatt::start(command, directory)
    }

    /// What lies in the keyring's folder, by name.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.home.path().join("data/keyrings"));
        let names = entries.into_iter().flatten().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        for child in [&mut self.daemon, &mut self.bus] {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Protects the keys of the certificates: with a keyring they are in it and in no file, a restart finds them there, and
/// the manager can move them into a file and back without losing the authority that chargers trust.
#[test]
fn keys_live_in_the_keyring() {
    let keyring = Keyring::start();
    let directory = tempfile::tempdir().unwrap();
    let mut authorities = Vec::new();
    for (secrets, place) in [("auto", "keyring"), ("auto", "keyring"), ("file", "key_file"), ("keyring", "keyring")] {
        let program = keyring.serve(directory.path(), secrets);
        let security = program.api().get("security").ok();
        assert_eq!(security["secrets"], json!(place), "{secrets}: {security}");
        authorities.push(program.api().get("certificates/authority").text);
        let has_key_file = directory.path().join("secrets.key").exists();
        assert_eq!(has_key_file, place == "key_file", "{secrets}: a key beside the data only where that was chosen");
        assert!(program.stop().success());
    }
    assert!(authorities.iter().all(|authority| *authority == authorities[0]), "one authority all the time");
    assert!(!keyring.files().is_empty(), "the keyring wrote what it was given");
    let marker = std::fs::read_to_string(directory.path().join("secrets.json")).unwrap();
    assert!(marker.contains("\"keyring\"") && !marker.contains("sealed"), "nothing sealed stays behind: {marker}");
}
