//! How much of every circuit is taken by what is not a charger, from meters and their ages.
//!
//! A meter that measures a whole circuit measures the cars too, and a car's own reading is hardly ever of the
//! same instant. So what the cars drew when the meter looked is known between two bounds. The most they can
//! have drawn gives the low estimate of the building: when even that does not fit, a cut is needed. The least
//! gives the high estimate: only what fits under that may be raised.

use crate::guard::Guard;
use crate::per_connector::PerConnector;
use crate::plan::Connector;
use crate::standing::{Standing, Standings, tolerated};
use crate::state::{ChargerLive, ConnectorLive, MeterLive, SETTLE};
use crate::tree::Tree;
use domain::{
    ChargerId, ConnectorStatus, DurationMs, Flow, Instant, MeterId, MeterRole, MilliAmps, Now, PerPhase, Phase,
    Rotation, Site,
};
use std::collections::BTreeMap;

/// A setpoint that has stood this long without any reading is taken as drawn by a car that says it charges.
const UNMEASURED_STEADY: DurationMs = DurationMs::from_secs(60);

/// Where the load of a circuit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Measured; the oldest sample used arrived then.
    Measured(Instant),
    /// A meter is silent, so the declared load or the last measured one is assumed, whichever is larger.
    Silent,
    /// No meter, so the declared load is assumed.
    Declared,
    /// Not metered itself: what is known below it.
    Below,
}

/// The load of a circuit that is no car.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) low: PerPhase<MilliAmps>,
    pub(crate) high: PerPhase<MilliAmps>,
    pub(crate) basis: Basis,
}

/// All that an estimate is made from.
pub(crate) struct Evidence<'a> {
    pub(crate) now: Now,
    pub(crate) site: &'a Site,
    pub(crate) tree: &'a Tree,
    pub(crate) meters: &'a BTreeMap<MeterId, MeterLive>,
    pub(crate) chargers: &'a BTreeMap<ChargerId, ChargerLive>,
    pub(crate) standings: &'a Standings,
    pub(crate) committed: &'a PerConnector<MilliAmps>,
    pub(crate) guard: &'a Guard,
}

impl Evidence<'_> {
    /// The load of every circuit, by number.
    pub(crate) fn loads(&self) -> Vec<Load> {
        let count = self.tree.branches.len();
        let nothing = Load { low: PerPhase::default(), high: PerPhase::default(), basis: Basis::Below };
        let mut loads = vec![nothing; count];
        for index in self.tree.leaves_first() {
            let below = loads.get(index).copied().unwrap_or(nothing);
            let load = self.measured(index).unwrap_or_else(|| self.unmetered(index, below));
            if let Some(slot) = loads.get_mut(index) {
                *slot = load;
            }
            let parent = self.tree.branches.get(index).and_then(|branch| branch.parent);
            if let Some(parent) = parent.and_then(|parent| loads.get_mut(parent)) {
                parent.low = sum(parent.low, load.low);
                parent.high = sum(parent.high, load.high);
            }
        }
        loads
    }

    fn unmetered(&self, index: usize, below: Load) -> Load {
        if index != self.tree.root {
            return below;
        }
        let declared = PerPhase::splat(self.site.declared_load);
        Load { low: larger(below.low, declared), high: larger(below.high, declared), basis: Basis::Declared }
    }

    /// From the meters of this circuit; `None` when it has none.
    fn measured(&self, index: usize) -> Option<Load> {
        let circuit = &self.tree.branches.get(index)?.id;
        let here = || self.meters.values().filter(|m| m.meter.approved && m.meter.circuit == *circuit);
        let mut result: Option<Load> = None;
        let houses: Vec<&MeterLive> = here().filter(|m| m.meter.role == MeterRole::House).collect();
        if !houses.is_empty() {
            result = Some(self.house(&houses));
        }
        for meter in here().filter(|m| m.meter.role == MeterRole::Circuit) {
            let load = self.whole(index, meter);
            result = Some(result.map_or(load, |other| join(other, load)));
        }
        result
    }

    /// Meters that measure only what is no car: their sum is the load.
    fn house(&self, meters: &[&MeterLive]) -> Load {
        let mut net = PerPhase::<i64>::default();
        let mut oldest = None;
        let mut silent = false;
        for meter in meters {
            let is_fresh = meter.is_fresh(self.now, self.site.meter_max_age);
            silent |= !is_fresh;
            let Some((at, sample)) = meter.sample else { continue };
            oldest = Some(oldest.map_or(at, |oldest: Instant| oldest.min(at)));
            // An export that nobody confirms any more makes no room for what others import.
            let flow = |flow: Flow<MilliAmps>| if is_fresh { flow.net_ma() } else { flow.net_ma().max(0) };
            net = net.zip(sample.current.map(flow)).map(|(sum, flow)| sum.saturating_add(flow));
        }
        let load = net.map(import_only);
        self.or_assumed(Load { low: load, high: load, basis: oldest.map_or(Basis::Silent, Basis::Measured) }, silent)
    }

    /// A meter that measures the cars below the circuit too.
    pub(crate) fn whole(&self, index: usize, meter: &MeterLive) -> Load {
        let fresh = meter.is_fresh(self.now, self.site.meter_max_age);
        let Some((at, sample)) = meter.sample.filter(|_| fresh) else {
            // What the cars drew back then is forgotten, so the load found while the meter spoke is kept.
            let last = meter.last_load;
            return self.or_assumed(Load { low: last, high: last, basis: Basis::Silent }, true);
        };
        let (mut least, mut most) = (PerPhase::default(), PerPhase::default());
        for live in self.chargers.values() {
            let below =
                self.tree.index(&live.charger.circuit).is_some_and(|own| self.tree.path(own).any(|i| i == index));
            if !below {
                continue;
            }
            for (number, connector) in &live.connectors {
                let key = (live.charger.id.clone(), *number);
                let followed = match self.standings.get(&key) {
                    Some(Standing::Demand { .. } | Standing::Nothing(_)) => {
                        meter.taken().and_then(|(taken, _)| self.guard.bounds(&key, taken))
                    }
                    Some(Standing::Counted { .. }) | None => None,
                };
                let on_wires =
                    |amount| on_phases(connector.wiring_in_use(self.now, &live.charger.wiring).wires(), amount);
                let is_known = live.charger.policy.rotation == Rotation::Known;
                let bounds = match followed.filter(|_| is_known) {
                    Some((least, most)) => (on_wires(least), on_wires(most)),
                    None => self.drawn(live, key, connector, at),
                };
                least = sum(least, bounds.0);
                most = sum(most, bounds.1);
            }
        }
        let net = sample.current.map(|flow| flow.net_ma());
        let less = |cars: PerPhase<MilliAmps>| net.zip(cars).map(|(net, car)| import_only(net - i64::from(car.0)));
        Load { low: less(most), high: less(least), basis: Basis::Measured(at) }
    }

    fn or_assumed(&self, load: Load, silent: bool) -> Load {
        if !silent {
            return load;
        }
        let declared = PerPhase::splat(self.site.declared_load);
        Load { low: larger(load.low, declared), high: larger(load.high, declared), basis: Basis::Silent }
    }

    /// The least and the most a connector can have drawn when a meter looked, on grid phases.
    fn drawn(
        &self,
        live: &ChargerLive,
        key: Connector,
        connector: &ConnectorLive,
        at: Instant,
    ) -> (PerPhase<MilliAmps>, PerPhase<MilliAmps>) {
        let wiring = &live.charger.wiring;
        let on_wires = |amount: MilliAmps| on_phases(wiring.wires(), amount);
        let in_use = connector.wiring_in_use(self.now, wiring);
        let committed = self.committed.get(&key).copied().unwrap_or_default();
        let in_force = connector.largest_set(at, SETTLE);
        let counted = match self.standings.get(&key) {
            Some(Standing::Counted { amount, .. }) => *amount,
            Some(Standing::Demand { .. } | Standing::Nothing(_)) | None => MilliAmps::ZERO,
        };
        let (before, after) = connector.draws_around(at);
        let grid = |draw: Option<&crate::state::Draw>| draw.map(|draw| draw.on_grid(wiring));
        // A reading taken later may show a raise the meter cannot have seen yet.
        let possible_after = grid(after).map(|draw| draw.map(|a| a.min(tolerated(in_force).max(counted))));
        let least = match (grid(before), grid(after)) {
            (Some(before), Some(after)) => smaller(before, after),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => on_wires(unmeasured(connector, at)),
        };
        // A raise that no later reading has confirmed may be in the sample already.
        let confirmed = before.is_some_and(|draw| draw.at.since(connector.set_since()) >= SETTLE) || after.is_some();
        let raised = if confirmed && before.is_some() { MilliAmps::ZERO } else { in_force };
        // And a cut that should have taken effect by then cannot be used a second time.
        let seen = larger(grid(before).unwrap_or_default(), possible_after.unwrap_or_default());
        let obeyed = seen.map(|draw| draw.min(tolerated(in_force).max(counted)));
        let most = larger(obeyed, larger(on_phases(in_use.wires(), raised), on_wires(counted)));
        if live.charger.policy.rotation == Rotation::Unknown {
            // On some phase it may have drawn its most, and on any nothing.
            let fullest = most.iter().map(|(_, amount)| *amount).max().unwrap_or_default();
            return (PerPhase::default(), on_phases(self.site.phases.phases(), fullest));
        }
        (least.map(|draw| draw.min(committed)), most)
    }
}

/// The least a car is taken to draw whose charger never tells: its setpoint, once that has stood and it says it
/// charges. A charger that did tell and fell silent is taken to draw nothing: silence never makes room.
fn unmeasured(connector: &ConnectorLive, at: Instant) -> MilliAmps {
    if connector.status != ConnectorStatus::Charging || connector.is_measured() {
        return MilliAmps::ZERO;
    }
    let from = Instant(at.0.saturating_sub(UNMEASURED_STEADY.0));
    connector.sets_between(from, at).min().unwrap_or_default()
}

fn import_only(net_ma: i64) -> MilliAmps {
    MilliAmps(u32::try_from(net_ma.max(0)).unwrap_or(u32::MAX))
}

fn join(a: Load, b: Load) -> Load {
    let basis = match (a.basis, b.basis) {
        (Basis::Measured(x), Basis::Measured(y)) => Basis::Measured(x.min(y)),
        (Basis::Silent, _) | (_, Basis::Silent) => Basis::Silent,
        (other, _) => other,
    };
    Load { low: larger(a.low, b.low), high: larger(a.high, b.high), basis }
}

pub(crate) fn sum(a: PerPhase<MilliAmps>, b: PerPhase<MilliAmps>) -> PerPhase<MilliAmps> {
    a.zip(b).map(|(a, b)| a + b)
}

fn larger(a: PerPhase<MilliAmps>, b: PerPhase<MilliAmps>) -> PerPhase<MilliAmps> {
    a.zip(b).map(|(a, b)| a.max(b))
}

fn smaller(a: PerPhase<MilliAmps>, b: PerPhase<MilliAmps>) -> PerPhase<MilliAmps> {
    a.zip(b).map(|(a, b)| a.min(b))
}

/// The wires' current on the phases they hang on.
pub(crate) fn on_phases(wires: &[Phase], amount: MilliAmps) -> PerPhase<MilliAmps> {
    let mut grid = PerPhase::default();
    for wire in wires {
        *grid.get_mut(*wire) = amount;
    }
    grid
}
