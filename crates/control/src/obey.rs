//! What cars and chargers do with what they are told: less than offered, nothing at all, or more than allowed.

use crate::Control;
use crate::standing::tolerated;
use crate::state::{ASLEEP, AWAKE, Appetite, ConnectorLive, HABIT, SETTLE};
use domain::{ConnectorStatus, DurationMs, Instant, MilliAmps, Now, Pacing, Protocol, Site};

/// On top of [`SETTLE`], for a reading that was taken while the car still followed.
const OVER_FOR: DurationMs = DurationMs::from_secs(5);
/// A charger that disobeyed is believed again after this long.
const OBEYS_AGAIN: DurationMs = DurationMs::from_secs(60);
/// What a car is offered above what it takes.
const RESERVE: MilliAmps = MilliAmps(1000);
/// A capped car that comes this close to its cap may want more.
const CLOSE: MilliAmps = MilliAmps(400);

impl Control {
    /// Looks at every connector; wanted on each tick.
    pub(crate) fn watch(&mut self, now: Now) {
        let Self { chargers, ledger, site, .. } = self;
        // What takes no orders disobeys none.
        for (id, live) in chargers.iter_mut().filter(|(_, live)| live.charger.protocol != Protocol::Metered) {
            for (number, connector) in &mut live.connectors {
                watch_obedience(now, connector);
                if ledger.running(id, *number).is_some() {
                    watch_appetite(now, site, connector);
                }
            }
        }
    }
}

/// Measured beyond what any setpoint of the last seconds before that allowed, for a while: it disobeys. On a
/// slow line a charger keeps a limit from its answer on, and is counted at what it held until then.
fn watch_obedience(now: Now, connector: &mut ConnectorLive) {
    let Some(draw) = connector.draw(now) else { return };
    let (at, fullest) = (draw.at, draw.fullest());
    let back = DurationMs(now.instant.since(draw.told).0.saturating_add(SETTLE.0));
    let allowed =
        tolerated(connector.largest_set(now.instant, back).max(connector.largest_held(now, back)).max(connector.set));
    if fullest > allowed {
        let since = *connector.over_since.get_or_insert(at);
        if now.instant.since(since) >= OVER_FOR {
            connector.disobeys = true;
        }
    } else {
        connector.over_since = None;
    }
    if fullest > tolerated(connector.set) {
        connector.obeys_since = None;
    } else {
        connector.refuses &= at <= connector.set_since();
        let since = *connector.obeys_since.get_or_insert(at);
        if connector.disobeys && at.since(since) >= OBEYS_AGAIN {
            connector.disobeys = false;
        }
    }
}

/// Clearly less than offered for a minute: the car cannot use more, or sleeps.
pub(crate) fn watch_appetite(now: Now, site: &Site, connector: &mut ConnectorLive) {
    if site.pacing == Pacing::Published || connector.set.is_zero() {
        return;
    }
    let (at, taken) = match connector.draw(now) {
        Some(draw) => (draw.at, draw.fullest()),
        // Without readings the charger's word is enough.
        None if connector.status == ConnectorStatus::SuspendedEv => (now.instant, MilliAmps::ZERO),
        None => return,
    };
    match connector.appetite {
        Appetite::Idle if taken >= AWAKE => connector.appetite = Appetite::Open,
        Appetite::Capped(cap) if taken + CLOSE >= cap => {
            connector.appetite = Appetite::Open;
            connector.below_since = None;
        }
        Appetite::Idle | Appetite::Capped(_) | Appetite::Open => {}
    }
    if taken + RESERVE >= connector.set && taken >= ASLEEP {
        connector.below_since = None;
        return;
    }
    // Counted from a reading after the last raise, so that a car that still ramps up is not judged.
    let since = *connector.below_since.get_or_insert(at.max(connector.set_since()));
    if lasts(now, since) {
        connector.appetite = if taken < ASLEEP { Appetite::Idle } else { Appetite::Capped(cap_for(site, taken)) };
    }
}

const fn lasts(now: Now, since: Instant) -> bool {
    now.instant.since(since).0 >= HABIT.0
}

fn cap_for(site: &Site, taken: MilliAmps) -> MilliAmps {
    let whole = MilliAmps((taken + RESERVE).0.div_ceil(1000).saturating_mul(1000));
    whole.max(site.min_charge)
}
