//! A `meshwatt serve` of its own in an empty folder, and what it costs.

use crate::Failure;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Time it has to be ready.
const READY_WAIT: Duration = Duration::from_secs(30);

/// Unit of processor time in `/proc`, in a second; fixed in Linux' interface to programs.
const TICKS_PER_S: f64 = 100.0;

/// Size of a page of memory on the machines we measure.
const PAGE_BYTES: f64 = 4096.0;

/// A measured process; killed and cleaned up when dropped.
pub(super) struct Served {
    child: Child,
    dir: PathBuf,
    pub(super) ocpp: SocketAddr,
    pub(super) http: SocketAddr,
}

/// What of the ready line is needed.
#[derive(Deserialize)]
struct Ready {
    ocpp: SocketAddr,
    /// The bare responder has none.
    #[serde(default)]
    http: Option<SocketAddr>,
}

impl Served {
    /// Starts it with a site that knows these chargers.
    pub(super) async fn start(chargers: usize) -> Result<Self, Failure> {
        let dir = std::env::temp_dir().join(format!("meshwatt-bench-{}", std::process::id()));
        let failed = |what| move |source| Failure::System { what, source };
        std::fs::create_dir_all(&dir).map_err(failed("cannot write to the temporary folder"))?;
        let site = dir.join("site.toml");
        std::fs::write(&site, site_file(chargers)).map_err(failed("cannot write to the temporary folder"))?;
        let program = std::env::current_exe().map_err(failed("cannot find this program"))?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--http", "127.0.0.1:0", "--ocpp", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data-dir"])
            .arg(dir.join("data"))
            .arg("--site")
            .arg(site);
        Self::spawn(command, dir).await
    }

    /// Starts the bare responder that the service is compared with.
    pub(super) async fn ceiling() -> Result<Self, Failure> {
        let dir = std::env::temp_dir().join(format!("meshwatt-ceiling-{}", std::process::id()));
        let program =
            std::env::current_exe().map_err(|source| Failure::System { what: "cannot find this program", source })?;
        let mut command = Command::new(program);
        command.args(["bench", "ceiling"]).arg(&dir);
        Self::spawn(command, dir).await
    }

    async fn spawn(mut command: Command, dir: PathBuf) -> Result<Self, Failure> {
        let failed = |what| move |source| Failure::System { what, source };
        let mut child = command
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed("cannot start a process to measure"))?;
        let not_ready = || Failure::NotMet("the measured process did not become ready; see its messages".to_owned());
        let out = child.stdout.take().ok_or_else(not_ready)?;
        let mut lines = BufReader::new(out).lines();
        let line = tokio::time::timeout(READY_WAIT, lines.next_line()).await;
        let line = line.ok().and_then(Result::ok).flatten().ok_or_else(not_ready)?;
        let ready: Ready = serde_json::from_str(&line).map_err(|_no_json| not_ready())?;
        Ok(Self { child, dir, ocpp: ready.ocpp, http: ready.http.unwrap_or(ready.ocpp) })
    }

    /// The token of programs on this machine.
    pub(super) fn token(&self) -> Result<String, Failure> {
        let read = std::fs::read_to_string(self.dir.join("data").join("api.token"));
        let text = read.map_err(|source| Failure::System { what: "cannot read the token", source })?;
        Ok(text.trim().to_owned())
    }

    /// Resident memory in megabytes and processor time in seconds, from `/proc`.
    pub(super) fn cost(&self) -> Result<(f64, f64), Failure> {
        let unknown = || Failure::NotMet("memory and processor time are only known on Linux".to_owned());
        let pid = self.child.id().ok_or_else(unknown)?;
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).map_err(|_absent| unknown());
        let pages: f64 = read("statm")?.split(' ').nth(1).and_then(|text| text.parse().ok()).ok_or_else(unknown)?;
        let stat = read("stat")?;
        // The name in brackets may hold spaces; the 12th and 13th field after it are user and system time.
        let fields = stat.rsplit(')').next().ok_or_else(unknown)?;
        let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<f64>().ok()).sum();
        Ok((pages * PAGE_BYTES / 1e6, ticks / TICKS_PER_S))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.child.start_kill().is_err() {
            tracing::debug!("the measured process ended before");
        }
        if std::fs::remove_dir_all(&self.dir).is_err() {
            tracing::debug!("the temporary folder stays");
        }
    }
}

fn site_file(chargers: usize) -> String {
    let mut text = "[site]\nname = \"Bench\"\ncontracted_kva = 690\nphases = 3\n".to_owned();
    for number in 1..=chargers {
        text.push_str(&format!("[[chargers]]\nid = \"B{number}\"\n"));
    }
    text
}
