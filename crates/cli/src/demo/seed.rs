//! What the demo begins with: the building on paper and two months of its past.

use crate::Failure;
use domain::{CircuitTree, DurationMs, Series, Timestamp};
use service::{History, InitialSite, SeriesHistory};
use simulator::BuildingPlan;
use std::collections::BTreeMap;
use std::path::Path;

/// How much past there is.
pub(crate) const PAST: DurationMs = DurationMs(61 * 86_400_000);

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
        Some(history(past))
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
        tariff: Some("pt_tri_weekly".to_owned()),
        letterhead: Some(letterhead(plan)),
    })
}

/// Who sends the demo's statements. Two of its chargers have a certified meter.
fn letterhead(plan: &BuildingPlan) -> api::LetterheadItem {
    api::LetterheadItem {
        name: plan.site.name.clone(),
        lines: vec![
            "Rua do Exemplo 7, 1000-001 Lisboa".to_owned(),
            "administracao@edificio.example · +351 210 000 000".to_owned(),
        ],
        logo_base64: String::new(),
        language: "pt-PT".to_owned(),
        mid_chargers: plan.chargers.iter().take(2).map(|charger| charger.id.as_str().to_owned()).collect(),
    }
}

fn history(past: simulator::History) -> History {
    History {
        sessions: past.sessions,
        traces: past.traces,
        minutes: listed(past.minutes),
        quarters: listed(past.quarters),
    }
}

fn listed(series: BTreeMap<Series, Vec<(Timestamp, i64)>>) -> Vec<SeriesHistory> {
    series.into_iter().map(|(series, values)| SeriesHistory { series, values }).collect()
}
