//! What was known when a decision was made, for its record.

use crate::estimate::Basis;
use crate::plan::Connector;
use crate::{Control, Reason};
use domain::{CircuitId, Known, KnownCar, Now};

impl Control {
    /// What is known of the grid connection and of all cars now.
    pub(crate) fn known(&self, now: Now) -> Known {
        let assessment = self.assess(now);
        let root = self.tree.root;
        let sample_age = match assessment.loads.get(root).map(|load| load.basis) {
            Some(Basis::Measured(at)) => Some(now.instant.since(at)),
            Some(Basis::Silent | Basis::Declared | Basis::Below) | None => None,
        };
        let cars = self.chargers.values().flat_map(|live| {
            let id = &live.charger.id;
            live.connectors.iter().map(move |(number, connector)| ((id.clone(), *number), connector.set))
        });
        let cars = cars.filter_map(|(key, set)| {
            let counted = assessment.committed.get(&key).copied().unwrap_or_default();
            let idle = counted.is_zero() && set.is_zero();
            (!idle).then_some(KnownCar { charger: key.0, connector: key.1, set, counted })
        });
        Known {
            house_ma: self.grid_flows(now).house,
            limit: self.tree.branches.get(root).map(|branch| branch.limit).unwrap_or_default(),
            margin: self.site.margin,
            reserve: self.guard.reserve(root),
            sample_age,
            trip_used_milli: self.gauges.used_milli(root),
            cars: cars.collect(),
            ..Known::default()
        }
    }

    /// The same for the decision about one connector: the other cars only, and the circuit that held it.
    pub(crate) fn known_besides(&self, known: &Known, key: &Connector) -> Known {
        let mut known = known.clone();
        known.cars.retain(|car| car.charger != key.0 || car.connector != key.1);
        let reason = self.chargers.get(&key.0).and_then(|live| live.connectors.get(&key.1)).map(|c| &c.reason);
        known.tightest = reason.and_then(tightest);
        known
    }
}

/// The circuit that holds a connector down, where one does.
fn tightest(reason: &Reason) -> Option<CircuitId> {
    if let Reason::Shared { bottleneck: Some(held), .. } | Reason::Waiting { bottleneck: Some(held), .. } = reason {
        return Some(held.circuit.clone());
    }
    None
}
