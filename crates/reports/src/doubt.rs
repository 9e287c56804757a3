//! What looks wrong in a session: the plausibility gate in front of money. It flags; the manager decides.

use crate::input::MeteredSession;
use crate::obstacle::ObstacleKind;
use crate::trace::Trace;
use domain::{Provenance, Timestamp};

/// A quarter more than the connector's rating, for voltages above nominal, and the last digit of two registers.
const RATING_PERCENT: u128 = 125;
const SLACK_WH: u128 = 100;

/// Milliseconds of an hour.
const HOUR_MS: u128 = 3_600_000;

/// Everything that must be settled about a session before the month that ends at `month_end` closes.
pub(crate) fn doubts(one: &MeteredSession, trace: &Trace, month_end: Timestamp) -> Vec<ObstacleKind> {
    let session = &one.session;
    let mut found = Vec::new();
    let Some(ended_at) = session.ended_at else {
        if trace.newest_at() < month_end {
            found.push(ObstacleKind::OpenSession { session: session.id, charger: session.charger.clone() });
        }
        return found;
    };
    if one.decided {
        return found;
    }
    if ended_at < session.started_at {
        let (session, started_at) = (session.id, session.started_at);
        found.push(ObstacleKind::EndsBeforeStart { session, started_at, ended_at });
    } else if let Some(possible_wh) = possible_wh(one, ended_at).filter(|possible| session.energy.0 > *possible) {
        let (session, energy_wh) = (session.id, session.energy.0);
        found.push(ObstacleKind::ImpossibleEnergy { session, energy_wh, possible_wh });
    }
    let counted = session.meter_last.0.checked_sub(session.meter_start.0);
    if counted != Some(session.energy.0) {
        found.push(ObstacleKind::RegisterDoubt {
            session: session.id,
            energy_wh: session.energy.0,
            meter_start_wh: session.meter_start.0,
            meter_last_wh: session.meter_last.0,
        });
    }
    if session.provenance == Provenance::Estimated {
        found.push(ObstacleKind::EndEstimated { session: session.id });
    }
    found
}

fn possible_wh(one: &MeteredSession, ended_at: Timestamp) -> Option<u64> {
    let watts = u128::from(one.power_max_w);
    let time = u128::try_from(ended_at.0 - one.session.started_at.0).ok()?;
    let possible = watts * time * RATING_PERCENT / 100 / HOUR_MS + SLACK_WH;
    (watts > 0).then(|| u64::try_from(possible).unwrap_or(u64::MAX))
}
