//! A PostgreSQL, a Mosquitto and a Kafka broker of one's own on this computer, for tests and measurements: made in a
//! folder, gone with the value.

mod broker;
mod kafka;

pub use self::broker::{Listener, Mosquitto};
pub use self::kafka::{Consumer, Kafka, Record};

use crate::postgres::{Settings, Tls};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Password of its only user.
pub const PASSWORD: &str = "a-secret-of-the-cloud";

/// Time a server takes to answer after its start, at most.
const START_MAX: Duration = Duration::from_secs(60);

/// How to end a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In order.
    Fast,
    /// At once, as a crash: it recovers from its journal.
    Crash,
}

/// A PostgreSQL server.
#[derive(Debug)]
pub struct Cluster {
    dir: PathBuf,
    bin: PathBuf,
    port: u16,
    child: Option<Child>,
    extra: Vec<String>,
}

fn other(text: impl Into<String>) -> io::Error {
    io::Error::other(text.into())
}

/// The newest PostgreSQL installed.
fn binaries() -> io::Result<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    found.retain(|bin| bin.join("initdb").exists());
    found.sort();
    found.pop().ok_or_else(|| other("no PostgreSQL server is installed; cargo xtask test installs it"))
}

/// PostgreSQL refuses to run as root; then it runs as the user its package made.
fn program(path: &Path) -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !root {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(path);
    command
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// A port nobody uses at the moment.
///
/// # Errors
/// When the system gives none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Cluster {
    /// Makes and starts a server in an empty folder; `extra` are settings such as `ssl=on`.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start(dir: &Path, extra: &[&str]) -> io::Result<Self> {
        let bin = binaries()?;
        let secret = dir.join("password");
        std::fs::write(&secret, PASSWORD)?;
        let data = dir.join("data");
        std::fs::create_dir_all(&data)?;
        if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self")?) == 0 {
            run(Command::new("chown").args(["-R", "postgres:postgres"]).arg(dir))?;
        }
        run(program(&bin.join("initdb"))
            .current_dir(dir)
            .args(["--auth=scram-sha-256", "--username=meshwatt", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg(format!("--pwfile={}", secret.display()))
            .arg(&data))?;
        let mut cluster = Self {
            dir: dir.to_owned(),
            bin,
            port: free_port()?,
            child: None,
            extra: extra.iter().map(|text| (*text).to_owned()).collect(),
        };
        cluster.resume()?;
        Ok(cluster)
    }

    /// Starts it again after [`Self::stop`], on the same port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn resume(&mut self) -> io::Result<()> {
        let log = std::fs::File::create(self.dir.join("server.log"))?;
        let mut command = program(&self.bin.join("postgres"));
        command.current_dir(&self.dir).arg("-D").arg(self.dir.join("data"));
        command.args([
            "-p",
            &self.port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
        ]);
        command.args([
            "-c",
            "fsync=off",
            "-c",
            // As careless as a server may be set; who needs more must ask for it.
            "synchronous_commit=off",
            "-c",
            "autovacuum=on",
            "-c",
            "max_wal_size=4GB",
        ]);
        for setting in &self.extra {
            command.args(["-c", setting]);
        }
        self.child = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?);
        let deadline = Instant::now() + START_MAX;
        while Instant::now() < deadline {
            let ready = Command::new(self.bin.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status()?;
            if ready.success() {
                return Ok(());
            }
            if self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(Some(_)))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.dir.join("server.log")).unwrap_or_default();
        Err(other(format!("PostgreSQL did not start: {log}")))
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be told to.
    pub fn stop(&mut self, ending: Ending) -> io::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let signal = match ending {
            Ending::Fast => "-INT",
            Ending::Crash => "-QUIT",
        };
        run(Command::new("kill").args([signal, &child.id().to_string()]))?;
        child.wait()?;
        Ok(())
    }

    /// Where it is and who may enter.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            database: "postgres".to_owned(),
            user: "meshwatt".to_owned(),
            tls: Tls::Off,
            ca_file: String::new(),
        }
    }

    /// Runs SQL as its owner.
    ///
    /// # Errors
    /// What the server said.
    pub fn sql(&self, text: &str) -> io::Result<String> {
        let output = Command::new(self.bin.join("psql"))
            .env("PGPASSWORD", PASSWORD)
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "meshwatt", "-d", "postgres"])
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text])
            .output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(other(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.stop(Ending::Crash) {
            tracing::warn!(%error, "a PostgreSQL of a test may still run");
        }
    }
}
