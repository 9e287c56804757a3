//! What a large month of statements costs: the preview, and a PDF for every tenant.

use crate::{Failure, report};
use clap::Args;
use domain::{
    ChargerId, ConnectorNumber, EndReason, Provenance, Session, SessionId, Tenant, TenantId, TenantKey, Timestamp,
    WattHours,
};
use service::{Books, Config, FileKind, History};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How large the month is, and what it may cost.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Tenants
    #[arg(long, default_value_t = 500)]
    tenants: u32,
    /// Sessions
    #[arg(long, default_value_t = 50_000)]
    sessions: u32,
    /// Most seconds for the preview
    #[arg(long, default_value_t = 1.0)]
    preview_s_max: f64,
    /// Most seconds for all PDFs
    #[arg(long, default_value_t = 60.0)]
    pdf_s_max: f64,
    /// Most resident memory in megabytes
    #[arg(long, default_value_t = 300.0)]
    memory_mb_max: f64,
    /// Measure in this folder, which another run filled
    #[arg(long, hide = true)]
    data_dir: Option<PathBuf>,
}

const MONTH: &str = "2025-10";

/// 2025-10-01 00:00 in Lisbon.
const MONTH_MS: i64 = 1_759_273_200_000;
const HOUR_MS: i64 = 3_600_000;

/// Hours between the first and the last start: the month less a night.
const HOURS: i64 = 720;

/// Sessions run this long, with a reading each quarter of an hour.
const SESSION_HOURS: i64 = 4;

pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    match &options.data_dir {
        Some(dir) => measure(options, dir).await,
        None => {
            let dir = std::env::temp_dir().join(format!("meshwatt-bench-statements-{}", std::process::id()));
            let done = fill_and_measure(options, &dir).await;
            drop(std::fs::remove_dir_all(&dir));
            done
        }
    }
}

/// Fills a folder, then measures in a process of its own, so that filling does not count.
async fn fill_and_measure(options: &Options, dir: &Path) -> Result<(), Failure> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut config = Config::new(dir.to_owned());
    (config.http, config.ocpp, config.mqtt) = (any, any, any);
    config.initial.tariff = Some("pt_tri_weekly".to_owned());
    config.initial.tenants = (1..=i64::from(options.tenants)).map(tenant).collect();
    config.initial.history = Some(history(options));
    service::start(config).await?.shutdown().await;
    let failed = |what| move |source| Failure::System { what, source };
    let program = std::env::current_exe().map_err(failed("cannot find this program"))?;
    let status = tokio::process::Command::new(program)
        .args(["bench", "statements", "--data-dir"])
        .arg(dir)
        .args(["--preview-s-max", &options.preview_s_max.to_string()])
        .args(["--pdf-s-max", &options.pdf_s_max.to_string()])
        .args(["--memory-mb-max", &options.memory_mb_max.to_string()])
        .status()
        .await
        .map_err(failed("cannot start a process to measure"))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::NotMet("the measurement did not come out as it must".to_owned()))
    }
}

fn tenant(id: i64) -> Tenant {
    let key = TenantKey(u128::try_from(id).unwrap_or_default() << 64);
    Tenant::new(TenantId(id), key, format!("Tenant number {id}"), format!("{id}.º Esq."), Timestamp(0))
}

fn history(options: &Options) -> History {
    let mut history = History::default();
    for number in 0..i64::from(options.sessions) {
        let Ok(charger) = ChargerId::new(format!("C{}", number % 200)) else { continue };
        let id = SessionId(i32::try_from(number + 1).unwrap_or(i32::MAX));
        let started_at = Timestamp(MONTH_MS + number * 7_919 % (HOURS * 60) * 60_000);
        let energy = WattHours(u64::try_from(4_000 + number % 9_001).unwrap_or(4_000));
        let readings = SESSION_HOURS * 4;
        let reading = |index: i64| {
            let part = energy.0 * u64::try_from(index).unwrap_or(0) / u64::try_from(readings).unwrap_or(1);
            (Timestamp(started_at.0 + index * HOUR_MS / 4), WattHours(part))
        };
        history.traces.push((id, (1..readings).map(reading).collect()));
        history.sessions.push(Session {
            id,
            charger,
            connector: ConnectorNumber(1),
            card: None,
            tenant: Some(TenantId(1 + number % i64::from(options.tenants.max(1)))),
            started_at,
            ended_at: Some(Timestamp(started_at.0 + SESSION_HOURS * HOUR_MS)),
            meter_start: WattHours::ZERO,
            meter_last: energy,
            energy,
            provenance: Provenance::Measured,
            end_reason: Some(EndReason::Unplugged),
        });
    }
    history
}

async fn measure(options: &Options, dir: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::Books(Box::new(error));
    let month = MONTH.parse().map_err(|error| Failure::Usage(format!("{error}")))?;
    let books = Books::open(dir).await.map_err(failed)?;
    let begun = Instant::now();
    let book = books.month(month, Books::present()).await.map_err(failed)?;
    let preview_s = begun.elapsed().as_secs_f64();
    let out = dir.join("statements");
    let begun = Instant::now();
    let files = report::write_all(&book, FileKind::Pdf, &out, |_, _| {})?;
    let pdf_s = begun.elapsed().as_secs_f64();
    let memory_mb = peak_mb()?;
    let text = format!("preview {preview_s:.2} s, {files} PDFs {pdf_s:.1} s, {memory_mb:.0} MB resident at most");
    let cannot = |source| Failure::System { what: "cannot write to stdout", source };
    writeln!(std::io::stdout().lock(), "{text}").map_err(cannot)?;
    if preview_s > options.preview_s_max || pdf_s > options.pdf_s_max || memory_mb > options.memory_mb_max {
        return Err(Failure::NotMet(format!(
            "it must stay below {} s, {} s and {} MB",
            options.preview_s_max, options.pdf_s_max, options.memory_mb_max
        )));
    }
    Ok(())
}

/// Most memory this process ever had, as Linux counts it.
fn peak_mb() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")
        .map_err(|source| Failure::System { what: "this computer does not tell what a process costs", source })?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: f64 = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0);
    Ok(kilobytes / 1024.0)
}
