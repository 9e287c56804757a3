//! While a published simulation plays, the site shares by the published rule and its meter measures the house alone,
//! as in the papers; afterwards, also after a stop in the middle of it, everything is as it was.

use super::panel::Panel;
use crate::failure::chain;
use domain::{Clock as _, DurationMs, Meter, MeterId, MeterRole, Pacing, Site};
use serde::{Deserialize, Serialize};
use service::{Settings, SettingsError};
use simulator::{Measures, ScaledClock};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A step of a simulation lasts at least half a second even at the fastest speed.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// File that says how the site was, while it is not so.
const FILE: &str = "demo-before-simulation.json";

/// A meter speaks once in a control interval; after two of them what it said before counts no more.
const REPORTS: u64 = 2;

/// What a simulation changes, as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Before {
    pacing: Pacing,
    meters: Vec<MeterId>,
}

/// Keeps the site in step with the panel until it is aborted.
pub(super) async fn follow(panel: Arc<Panel>, settings: Settings, clock: Arc<ScaledClock>, dir: PathBuf) {
    let mut is_set = false;
    loop {
        let done = match (panel.is_playing(), is_set) {
            (true, false) => begin(&panel, &settings, &dir).await,
            (false, true) => end(&panel, &settings, &clock, &dir).await,
            (true, true) | (false, false) => Ok(is_set),
        };
        match done {
            Ok(now_set) => is_set = now_set,
            Err(error) => {
                tracing::warn!(error = chain(&error), "the site was not set for the simulation; tried again");
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Why the site could not be changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("the settings were not taken")]
    Settings(#[source] SettingsError),
    #[error("{path} cannot be written; make room or choose another --data-dir")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// First the role, then the meter: in between the cars count twice, never not at all.
async fn begin(panel: &Panel, settings: &Settings, dir: &Path) -> Result<bool, Trouble> {
    let site = settings.site();
    let all: Vec<Meter> =
        settings.meters().into_iter().filter(|meter| meter.approved && meter.role == MeterRole::Circuit).collect();
    let before = Before { pacing: site.pacing, meters: all.iter().map(|meter| meter.id.clone()).collect() };
    write(dir, &before)?;
    for meter in all {
        let id = meter.id.clone();
        settings.set_meter(Meter { role: MeterRole::House, ..meter }).await.map_err(Trouble::Settings)?;
        panel.set_measures(&id, Measures::House);
    }
    // The margin stays: the script makes the house leave free, below it, what was free in the papers.
    settings.set_site(Site { pacing: Pacing::Published, ..site }).await.map_err(Trouble::Settings)?;
    Ok(true)
}

/// First the meter, then, when it has spoken, the role.
async fn end(panel: &Panel, settings: &Settings, clock: &ScaledClock, dir: &Path) -> Result<bool, Trouble> {
    let Some(before) = read(dir) else { return Ok(false) };
    for meter in &before.meters {
        panel.set_measures(meter, Measures::Everything);
    }
    tokio::time::sleep(clock.real(DurationMs(settings.site().control_interval.0 * REPORTS))).await;
    if !panel.is_playing() {
        restore(settings, dir).await?;
        return Ok(false);
    }
    for meter in &before.meters {
        panel.set_measures(meter, Measures::House);
    }
    Ok(true)
}

/// Puts back what a simulation that was left in the middle had changed.
pub(super) async fn restore(settings: &Settings, dir: &Path) -> Result<(), Trouble> {
    let Some(before) = read(dir) else { return Ok(()) };
    for meter in settings.meters().into_iter().filter(|meter| before.meters.contains(&meter.id)) {
        settings.set_meter(Meter { role: MeterRole::Circuit, ..meter }).await.map_err(Trouble::Settings)?;
    }
    let site = settings.site();
    settings.set_site(Site { pacing: before.pacing, ..site }).await.map_err(Trouble::Settings)?;
    let path = dir.join(FILE);
    std::fs::remove_file(&path).map_err(|source| Trouble::File { path, source })
}

fn read(dir: &Path) -> Option<Before> {
    let text = std::fs::read_to_string(dir.join(FILE)).ok()?;
    let read = serde_json::from_str(&text);
    read.inspect_err(|error| tracing::warn!(%error, "{FILE} is not readable; the site stays as it is")).ok()
}

/// One that is there already tells of the time before an earlier simulation whose end was not seen: it stays.
fn write(dir: &Path, before: &Before) -> Result<(), Trouble> {
    let path = dir.join(FILE);
    if path.exists() {
        return Ok(());
    }
    let failed = |source| Trouble::File { path: path.clone(), source };
    let text = serde_json::to_string(before).map_err(|error| failed(error.into()))?;
    std::fs::write(&path, text).map_err(failed)
}
