//! Two limits that protect no device and are kept all the same: solar surplus for the chargers that follow it, and the
//! most by which the phases may differ because of charging. Without such a rule nothing here does anything.

use crate::plan::Connector;
use crate::standing::{MaxFrom, Standing, Standings};
use crate::state::ChargerLive;
use crate::{Control, Reason};
use domain::{ChargerId, DurationMs, EnergySource, Instant, MilliAmps, Now, Pacing, PerPhase, PhaseCount};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Clouds come and go within a minute; the mean over it is what a charger follows.
const SMOOTH: DurationMs = DurationMs::from_secs(60);
/// Surplus has to be there, or be missing, this long before a car starts or stops for it: contactors wear.
const HOLD: DurationMs = DurationMs::from_secs(300);

/// Whether a charger may charge from surplus, and since when the opposite has been true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sun {
    is_enough: bool,
    differs_since: Option<Instant>,
    /// Current per wire the surplus gives.
    cap: MilliAmps,
}

/// What is known of the surplus.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surplus {
    /// Mean power that would be exported if the chargers that follow the sun took none, in W; negative for import.
    watts: i64,
    at: Option<Instant>,
    by_charger: BTreeMap<ChargerId, Sun>,
}

impl Control {
    fn serving_order(&self) -> Vec<&ChargerLive> {
        let mut order: Vec<&ChargerLive> = self.chargers.values().collect();
        order.sort_by_key(|live| (Reverse(live.charger.priority), live.charger.registered));
        order
    }

    /// Takes in what is exported now. Without a fresh meter there is no surplus.
    pub(crate) fn follow_sun(&mut self, now: Now) {
        let follows = |live: &&ChargerLive| live.charger.policy.source != EnergySource::Grid;
        let mut followers: Vec<&ChargerLive> = self.chargers.values().filter(follows).collect();
        followers.sort_by_key(|live| (Reverse(live.charger.priority), live.charger.registered));
        if followers.is_empty() {
            self.surplus = Surplus::default();
            return;
        }
        let own: i64 = followers
            .iter()
            .flat_map(|live| live.connectors.keys().map(move |number| (live, *number)))
            .map(|(live, number)| self.connector_power_w(now, live, number))
            .sum();
        let measured = self.known_flow(now, self.tree.root).is_some();
        // What a battery gives is no sun: cars that follow the sun would empty it.
        let from_battery = self.battery_power_w(now).map_or(0, |watts| (-watts).max(0));
        let exported = if measured { own - self.grid_flows(now).total_power_w - from_battery } else { 0 };
        let time = self.surplus.at.map_or(SMOOTH, |before| now.instant.since(before)).0.min(SMOOTH.0);
        let step = (exported - self.surplus.watts).saturating_mul(i64::try_from(time).unwrap_or(0));
        let watts = self.surplus.watts + step / i64::try_from(SMOOTH.0).unwrap_or(1);
        let mut left = u64::try_from(watts).unwrap_or(0);
        let mut by_charger = BTreeMap::new();
        for live in followers {
            let id = &live.charger.id;
            let before = self.surplus.by_charger.get(id).copied().unwrap_or_default();
            let wires = u64::try_from(live.charger.wiring.wires().len()).unwrap_or(1).max(1);
            let volts = u64::from(self.site.nominal_voltage.0 / 1_000).max(1);
            let amps = u16::try_from(left / (volts * wires)).unwrap_or(u16::MAX);
            let cap = MilliAmps::from_amps(amps).min(live.charger.max);
            let sun = next(before, cap, cap >= self.site.min_charge, now.instant);
            if sun.is_enough && live.connectors.keys().any(|number| self.ledger.running(id, *number).is_some()) {
                let used = u64::from(sun.cap.max(self.site.min_charge).amps_floor());
                left = left.saturating_sub(used * volts * wires);
            }
            by_charger.insert(id.clone(), sun);
        }
        self.surplus = Surplus { watts, at: Some(now.instant), by_charger };
    }

    /// Lowers what connectors can use to what the two rules leave; raises nothing.
    pub(crate) fn soften(&self, standings: &mut Standings) {
        if self.site.pacing == Pacing::Published {
            return;
        }
        for live in self.chargers.values().filter(|live| live.charger.policy.source != EnergySource::Grid) {
            for number in live.connectors.keys() {
                if let Some(standing) = standings.get_mut(&(live.charger.id.clone(), *number)) {
                    self.keep_to_surplus(live, standing);
                }
            }
        }
        if let (Some(most), PhaseCount::Three) = (self.site.rules.imbalance, self.site.phases) {
            self.keep_balance(most, standings);
        }
    }

    fn keep_to_surplus(&self, live: &ChargerLive, standing: &mut Standing) {
        let Standing::Demand { max, from, .. } = standing else { return };
        let sun = self.surplus.by_charger.get(&live.charger.id).copied().unwrap_or_default();
        let min = self.site.min_charge;
        let cap = match (live.charger.policy.source, sun.is_enough) {
            (EnergySource::Grid, _) => return,
            (EnergySource::SolarOnly, false) => {
                *standing = Standing::Nothing(Reason::NoSurplus);
                return;
            }
            (EnergySource::SolarFirst, false) => min,
            (EnergySource::SolarFirst | EnergySource::SolarOnly, true) => sun.cap.max(min),
        };
        if cap < *max {
            (*max, *from) = (cap, MaxFrom::Manager);
        }
    }

    /// On each phase, chargers that do not load all phases together stay below the limit; then no two phases differ by
    /// more. Those served first are let in first.
    fn keep_balance(&self, most: MilliAmps, standings: &mut Standings) {
        let min = self.site.min_charge;
        let mut room = PerPhase::splat(most);
        let mut admitted: Vec<Connector> = Vec::new();
        let uneven: Vec<&ChargerLive> =
            self.serving_order().into_iter().filter(|live| live.charger.wiring.wires().len() < 3).collect();
        let keys = || {
            let of = |live: &&ChargerLive| -> Vec<Connector> {
                live.connectors.keys().map(|number| (live.charger.id.clone(), *number)).collect()
            };
            uneven.iter().flat_map(of)
        };
        let phases = |key: &Connector| {
            let live = self.chargers.get(&key.0);
            live.map(|live| live.charger.counted_phases(self.site.phases)).unwrap_or_default()
        };
        for key in keys() {
            if let Some(Standing::Counted { amount, .. }) = standings.get(&key) {
                take(&mut room, phases(&key), *amount);
            }
        }
        for key in keys() {
            let Some(standing @ Standing::Demand { .. }) = standings.get_mut(&key) else { continue };
            if phases(&key).iter().all(|phase| *room.get(*phase) >= min) {
                take(&mut room, phases(&key), min);
                admitted.push(key);
            } else {
                *standing = Standing::Nothing(Reason::Imbalance);
            }
        }
        let mut sharers = PerPhase::splat(0_u32);
        for phase in admitted.iter().flat_map(&phases) {
            *sharers.get_mut(*phase) += 1;
        }
        for key in &admitted {
            let extra = phases(key).iter().map(|phase| room.get(*phase).0 / (*sharers.get(*phase)).max(1)).min();
            let cap = MilliAmps((min.0 + extra.unwrap_or(0)) / 1_000 * 1_000);
            if let Some(Standing::Demand { max, from, .. }) = standings.get_mut(key)
                && cap < *max
            {
                (*max, *from) = (cap, MaxFrom::Manager);
            }
        }
    }
}

fn take(room: &mut PerPhase<MilliAmps>, phases: &[domain::Phase], amount: MilliAmps) {
    for phase in phases {
        let left = room.get_mut(*phase);
        *left = left.saturating_sub(amount);
    }
}

/// What a charger may do next: the other thing only once it has been true for the hold time without a pause.
fn next(before: Sun, cap: MilliAmps, wanted: bool, now: Instant) -> Sun {
    if wanted == before.is_enough {
        return Sun { is_enough: wanted, differs_since: None, cap };
    }
    let since = before.differs_since.unwrap_or(now);
    if now.since(since) >= HOLD {
        return Sun { is_enough: wanted, differs_since: None, cap };
    }
    Sun { differs_since: Some(since), cap, ..before }
}
