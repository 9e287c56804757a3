//! What can be wrong around the program, checked from outside: ports, disk, clock, keyring, certificates, firewall, copies.

use crate::backup::{BackupSettings, copies};
use crate::secrets::{Secrets, SecretsChoice, SecretsPlace};
use domain::{Clock as _, Timestamp};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use store::Store;
use zeroize::Zeroizing;

/// Least free space: a month of a large building with its copy.
const FREE_KB_MIN: u64 = 4_000_000;

const DAY_MS: i64 = 86_400_000;

/// Certificates that end within this many days are named.
const EXPIRES_DAYS: i64 = 30;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Good,
    /// It works, but something should be done.
    Warn,
    /// It does not work.
    Bad,
    /// It could not be found out.
    Unknown,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found, and what to do.
    pub finding: String,
}

fn check(name: &'static str, verdict: Verdict, finding: impl Into<String>) -> Check {
    Check { name, verdict, finding: finding.into() }
}

/// Checks everything around a data folder.
pub async fn doctor(dir: &Path, choice: SecretsChoice, passphrase: Option<Zeroizing<String>>) -> Vec<Check> {
    let now = crate::config::SystemClock::default().now().wall;
    let mut checks = vec![folder(dir), disk(dir)];
    checks.extend(ports());
    checks.push(clock());
    checks.push(secrets(dir, choice, passphrase).await);
    checks.extend(records(dir, now).await);
    checks.push(backups(dir, now));
    checks.push(firewall());
    checks
}

fn folder(dir: &Path) -> Check {
    let probe = dir.join(".writable");
    match std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => check("data folder", Verdict::Good, format!("{} can be written", dir.display())),
        Err(error) => check(
            "data folder",
            Verdict::Bad,
            format!(
                "{} cannot be written ({error}); give this user the right, or choose another with --data-dir",
                dir.display()
            ),
        ),
    }
}

/// Output of a command of the system; `None` when there is none or it fails.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let done = Command::new(program).args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
}

fn disk(dir: &Path) -> Check {
    let table = output("df", &["-Pk", &dir.display().to_string()]);
    let free = table.as_deref().and_then(|text| text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok());
    match free {
        Some(free) if free < FREE_KB_MIN => check(
            "disk",
            Verdict::Warn,
            format!(
                "{} MB are free; free some space, Meshwatt and its copies want {} MB",
                free / 1000,
                FREE_KB_MIN / 1000
            ),
        ),
        Some(free) => check("disk", Verdict::Good, format!("{} MB are free", free / 1000)),
        None => check("disk", Verdict::Unknown, "the free space cannot be asked for on this system"),
    }
}

fn ports() -> Vec<Check> {
    let usual = [("port 8480 (console)", 8480), ("port 8887 (OCPP)", 8887), ("port 1883 (MQTT)", 1883)];
    usual
        .into_iter()
        .map(|(name, port)| match TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))) {
            Ok(_listener) => check(name, Verdict::Good, "free"),
            Err(error) => check(
                name,
                Verdict::Warn,
                format!(
                    "taken ({error}); fine while Meshwatt runs, else stop the other program or choose another port"
                ),
            ),
        })
        .collect()
}

fn clock() -> Check {
    match output("timedatectl", &["show", "-p", "NTPSynchronized", "--value"]).as_deref().map(str::trim) {
        Some("yes") => check("clock", Verdict::Good, "set by a time server"),
        Some(_) => check(
            "clock",
            Verdict::Warn,
            "not set by a time server; statements depend on it: switch on automatic time (timedatectl set-ntp true)",
        ),
        None => check(
            "clock",
            Verdict::Unknown,
            "this system does not say whether a time server sets it; compare it by eye",
        ),
    }
}

async fn secrets(dir: &Path, choice: SecretsChoice, passphrase: Option<Zeroizing<String>>) -> Check {
    match Secrets::new(dir, choice, passphrase).place().await {
        Ok(place) => {
            let found = match place {
                SecretsPlace::Nowhere => {
                    "no password or key was given to Meshwatt yet; the first goes to the keyring of this computer, or to \
                     a sealed file where there is none"
                }
                SecretsPlace::Keyring => "passwords and keys are in the keyring of this computer, and it opens",
                SecretsPlace::SealedByPassphrase => {
                    "passwords and keys are in secrets.json, sealed with your passphrase"
                }
                SecretsPlace::SealedByKeyFile => {
                    "passwords and keys are in secrets.json, sealed with a key file of this user: no keyring was found"
                }
            };
            check("keyring", Verdict::Good, found)
        }
        Err(error) => check("keyring", Verdict::Bad, crate::error::chain(&error)),
    }
}

async fn records(dir: &Path, now: Timestamp) -> Vec<Check> {
    if !dir.join("meshwatt.db").exists() {
        let finding =
            format!("none in {} yet; start Meshwatt there, or name its folder with --data-dir", dir.display());
        return vec![check("records", Verdict::Warn, finding)];
    }
    let reader = match Store::open_to_read(dir).await {
        Ok(reader) => reader,
        Err(error) => {
            return vec![check(
                "records",
                Verdict::Bad,
                format!("{}; see docs/backup.md", crate::error::chain(&error)),
            )];
        }
    };
    let mut checks = vec![match reader.setup(now).await {
        Ok(setup) => check("records", Verdict::Good, format!("readable, {} chargers", setup.chargers.len())),
        Err(error) => check("records", Verdict::Bad, crate::error::chain(&error)),
    }];
    if let Ok(certificates) = reader.certificate_list().await {
        let soon = Timestamp(now.0 + EXPIRES_DAYS * DAY_MS);
        let ending: Vec<String> = certificates
            .iter()
            .filter(|one| one.revoked_at.is_none() && one.expires_at < soon)
            .map(|one| one.charger.to_string())
            .collect();
        checks.push(if ending.is_empty() {
            check("certificates", Verdict::Good, format!("{} issued, none ends within a month", certificates.len()))
        } else {
            let finding =
                format!("those of {} end within a month; renew them on the page of the charger", ending.join(", "));
            check("certificates", Verdict::Warn, finding)
        });
    }
    for state in reader.sink_list().await.unwrap_or_default() {
        let (name, waiting) = (&state.sink.setup.name, state.waiting);
        let late = state.oldest_ms.is_some_and(|oldest| now.0 - oldest > DAY_MS);
        let verdict = if late { Verdict::Warn } else { Verdict::Good };
        checks.push(check("sending", verdict, format!("{waiting} changes wait for the {name}; see the Cloud page")));
    }
    checks
}

fn backups(dir: &Path, now: Timestamp) -> Check {
    let settings = BackupSettings::read(dir);
    let folder = settings.folder_in(dir);
    match copies(&folder).first() {
        Some(newest) if now.0 - newest.at_ms < 2 * DAY_MS => {
            check("copies", Verdict::Good, format!("newest {} in {}", newest.name, folder.display()))
        }
        Some(newest) => check(
            "copies",
            Verdict::Warn,
            format!(
                "the newest, {}, is older than two days; see whether {} can be written",
                newest.name,
                folder.display()
            ),
        ),
        None => check("copies", Verdict::Warn, format!("none in {} yet; run meshwatt backup", folder.display())),
    }
}

fn firewall() -> Check {
    match output("ufw", &["status"]) {
        Some(text) if text.contains("Status: active") && !(text.contains("8887") && text.contains("1883")) => check(
            "firewall",
            Verdict::Warn,
            "on, and it does not name the ports of chargers; run: ufw allow 8887/tcp; ufw allow 1883/tcp",
        ),
        Some(text) if text.contains("Status: active") => check("firewall", Verdict::Good, "on, and chargers may pass"),
        Some(_) => check("firewall", Verdict::Good, "off"),
        None => check(
            "firewall",
            Verdict::Unknown,
            "cannot be asked; chargers must reach ports 8887 and 1883 of this computer over TCP",
        ),
    }
}
