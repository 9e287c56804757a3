//! What the demo begins with: the building on paper and two months of its past.

use crate::Failure;
use domain::{CircuitTree, DurationMs, Reading, Timestamp};
use service::{History, InitialSite, SeriesHistory};
use simulator::BuildingPlan;
use std::collections::BTreeMap;
use std::path::Path;

/// How much past there is.
pub(crate) const PAST: DurationMs = DurationMs(61 * 86_400_000);

/// The part of the past with a value each minute.
const FINE: DurationMs = DurationMs(86_400_000);

/// The database's file; where it exists the demo goes on.
const DATABASE: &str = "meshwatt.db";

/// The initial site; its past is only made up for a fresh folder.
pub(crate) fn initial(plan: &BuildingPlan, dir: &Path, begins: Timestamp) -> Result<InitialSite, Failure> {
    let wrong = |error| Failure::Demo(Box::new(error));
    let circuits = CircuitTree::new(plan.circuits.clone()).map_err(wrong)?;
    let history = if dir.join(DATABASE).exists() {
        None
    } else {
        let past = simulator::history(plan, begins - PAST, begins).map_err(wrong)?;
        Some(history(past, begins))
    };
    Ok(InitialSite {
        site: plan.site.clone(),
        circuits: Some(circuits),
        meters: plan.meters.clone(),
        chargers: plan.chargers.clone(),
        tenants: plan.households.iter().map(|home| home.tenant.clone()).collect(),
        cards: plan.households.iter().flat_map(|home| home.cards.clone()).collect(),
        mqtt_credentials: plan
            .credentials
            .iter()
            .map(|credential| (credential.device.clone(), credential.password.clone()))
            .collect(),
        history,
    })
}

fn history(past: simulator::History, begins: Timestamp) -> History {
    let fine_from = begins - FINE;
    let (fine, coarse): (Vec<Reading>, Vec<Reading>) =
        past.readings.into_iter().partition(|reading| reading.at >= fine_from);
    History { sessions: past.sessions, minutes: by_series(fine), quarters: by_series(coarse) }
}

fn by_series(readings: Vec<Reading>) -> Vec<SeriesHistory> {
    let mut series: BTreeMap<_, Vec<(Timestamp, i64)>> = BTreeMap::new();
    for reading in readings {
        series.entry(reading.series).or_default().push((reading.at, reading.value));
    }
    series.into_iter().map(|(series, values)| SeriesHistory { series, values }).collect()
}
