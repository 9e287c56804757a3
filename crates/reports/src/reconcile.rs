//! Sessions against charger registers against meters: shown and explained, never spread.

use crate::input::MonthInput;
use crate::obstacle::ObstacleKind;
use crate::statement::{Explanation, MeterRow, Reconciliation, RegisterRow, Statement};
use domain::{ChargerId, ConnectorNumber};
use std::collections::BTreeMap;

/// Registers are read every few minutes, not at the stroke of the month: a half per cent and what a 22 kW connector
/// gives in a quarter of an hour.
const REGISTER_SLACK_WH: u64 = 5_500;
const REGISTER_SLACK_PERMILLE: u64 = 5;

/// A meter also sees the chargers' own use and the losses of the wiring.
const METER_SLACK_WH: u64 = 11_000;
const METER_SLACK_PERMILLE: u64 = 30;

/// Compares all counts; the second list is what must be settled.
pub(crate) fn reconcile(
    input: &MonthInput,
    statements: &[Statement],
    unassigned: &Statement,
) -> (Reconciliation, Vec<ObstacleKind>) {
    let tenants_wh = statements.iter().map(|statement| statement.energy_wh).sum::<u64>();
    let sessions_wh = tenants_wh + unassigned.energy_wh;
    let mut by_connector: BTreeMap<(ChargerId, ConnectorNumber), u64> = BTreeMap::new();
    for line in statements.iter().chain([unassigned]).flat_map(|statement| &statement.sessions) {
        *by_connector.entry((line.charger.clone(), line.connector)).or_default() += line.energy_wh;
    }
    let ends: BTreeMap<(ChargerId, ConnectorNumber), _> = input
        .registers
        .iter()
        .map(|register| ((register.charger.clone(), register.connector), (register.at_start, register.at_end)))
        .collect();
    for key in ends.keys() {
        by_connector.entry(key.clone()).or_default();
    }
    let registers: Vec<RegisterRow> = by_connector
        .into_iter()
        .map(|((charger, connector), wh)| {
            let (start, end) = ends.get(&(charger.clone(), connector)).copied().unwrap_or((None, None));
            register_row(charger, connector, wh, start.zip(end).map(|(start, end)| (start.0, end.0)))
        })
        .collect();
    let meters: Vec<MeterRow> =
        input.meters.iter().map(|meter| meter_row(&meter.name, meter.energy.0, sessions_wh)).collect();
    let mut found = Vec::new();
    for row in &registers {
        if let (true, Some(difference_wh)) = (is_mismatch(row.explanation), row.difference_wh) {
            let (charger, connector) = (row.charger.clone(), row.connector);
            found.push(ObstacleKind::RegisterMismatch { charger, connector, difference_wh });
        }
    }
    for row in meters.iter().filter(|row| is_mismatch(row.explanation)) {
        found.push(ObstacleKind::MeterMismatch { meter: row.name.clone(), difference_wh: row.difference_wh });
    }
    let unassigned_wh = unassigned.energy_wh;
    (Reconciliation { sessions_wh, tenants_wh, unassigned_wh, registers, meters }, found)
}

const fn is_mismatch(explanation: Explanation) -> bool {
    match explanation {
        Explanation::OutsideSessions | Explanation::SessionsExceed => true,
        Explanation::Equal | Explanation::WithinTolerance | Explanation::RegisterReset | Explanation::NoRegister => {
            false
        }
    }
}

fn register_row(
    charger: ChargerId,
    connector: ConnectorNumber,
    sessions_wh: u64,
    ends: Option<(u64, u64)>,
) -> RegisterRow {
    let register_wh = ends.and_then(|(start, end)| end.checked_sub(start));
    let difference_wh = register_wh.map(|register| difference(register, sessions_wh));
    let explanation = match (ends, difference_wh) {
        (None, _) => Explanation::NoRegister,
        (Some(_), None) => Explanation::RegisterReset,
        (Some(_), Some(difference)) => explain(difference, sessions_wh, (REGISTER_SLACK_WH, REGISTER_SLACK_PERMILLE)),
    };
    RegisterRow { charger, connector, sessions_wh, register_wh, difference_wh, explanation }
}

fn meter_row(name: &str, meter_wh: u64, sessions_wh: u64) -> MeterRow {
    let difference_wh = difference(meter_wh, sessions_wh);
    let explanation = explain(difference_wh, sessions_wh, (METER_SLACK_WH, METER_SLACK_PERMILLE));
    MeterRow { name: name.to_owned(), meter_wh, difference_wh, explanation }
}

fn difference(counted: u64, sessions: u64) -> i64 {
    i64::try_from(i128::from(counted) - i128::from(sessions)).unwrap_or(i64::MAX)
}

const fn explain(difference: i64, sessions_wh: u64, (slack, permille): (u64, u64)) -> Explanation {
    let relative = sessions_wh / 1000 * permille;
    let tolerance = if relative > slack { relative } else { slack };
    if difference == 0 {
        Explanation::Equal
    } else if difference.unsigned_abs() <= tolerance {
        Explanation::WithinTolerance
    } else if difference > 0 {
        Explanation::OutsideSessions
    } else {
        Explanation::SessionsExceed
    }
}
