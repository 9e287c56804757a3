//! How close a living building comes to a trip: at every circuit and phase, from what truly flows there.

use crate::breaker::{Breaker, BreakerKind};
use crate::world::World;
use domain::{Charger, ChargerId, Circuit, CircuitTree, DurationMs, MilliAmps, PerPhase, Phase, PhaseCount};
use std::collections::BTreeMap;

/// Above this share of the limit, in thousandths, a definite-time device counts the seconds.
const OVER_PER_MILLE: u64 = 1_050;

/// One phase of one circuit with the devices that might protect it, all at full load in the beginning.
#[derive(Clone, Debug)]
struct Node {
    circuit: String,
    phase: Phase,
    limit: MilliAmps,
    /// Chargers below the circuit.
    below: Vec<ChargerId>,
    /// Whether the building's own load flows here too.
    is_grid: bool,
    breakers: Vec<Breaker>,
    over_ms: u64,
    excess_ma_ms: u64,
    longest_over_ms: u64,
    worst_excess_ma_ms: u64,
    most: MilliAmps,
}

/// What came of a phase of a circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct TripFigures {
    /// Circuit.
    pub circuit: String,
    /// Phase, from 1.
    pub phase: u8,
    /// Its limit in A.
    pub limit_a: f64,
    /// Highest current in A.
    pub most_a: f64,
    /// The largest share of the way to a trip, in percent, of each kind of device.
    pub used_percent: Vec<(BreakerKind, f64)>,
    /// Whether one of them opened.
    pub tripped: bool,
    /// Longest time in a row above 1.05 times the limit, in s.
    pub longest_over_s: f64,
    /// Worst overload in a row, in ampere-seconds.
    pub worst_excess_as: f64,
}

impl TripFigures {
    /// Share of the way to a trip that the device which came closest has not used; below 0 one opened.
    #[must_use]
    pub fn margin(&self) -> f64 {
        1.0 - self.used_percent.iter().map(|(_, used)| used / 100.0).fold(0.0, f64::max)
    }
}

/// Watches every circuit of a building.
#[derive(Clone, Debug)]
pub struct TripWatch(Vec<Node>);

impl TripWatch {
    /// Every phase of every circuit; the grid connection is held to `grid`, the others to their own limits.
    #[must_use]
    pub fn new(circuits: &CircuitTree, chargers: &[Charger], grid: MilliAmps, phases: PhaseCount) -> Self {
        let nodes = circuits.iter().flat_map(|circuit| {
            let is_below =
                |charger: &&Charger| circuits.path_to_root(&charger.circuit).any(|above| above.id == circuit.id);
            let below: Vec<ChargerId> = chargers.iter().filter(is_below).map(|charger| charger.id.clone()).collect();
            phases.phases().iter().map(move |phase| Node::new(circuit, *phase, grid, below.clone()))
        });
        Self(nodes.collect())
    }

    /// Lets `time` pass with what flows now.
    pub fn step(&mut self, world: &World, time: DurationMs) {
        let drawn: BTreeMap<&str, PerPhase<MilliAmps>> = world
            .devices()
            .filter_map(|(name, device)| {
                let outlet = device.outlet()?;
                Some((name, outlet.build().wiring.to_grid(&outlet.currents())))
            })
            .collect();
        for node in &mut self.0 {
            let cars = node.below.iter().filter_map(|id| drawn.get(id.as_str()));
            let cars: i64 = cars.map(|amps| i64::from(amps.get(node.phase).0)).sum();
            let house = if node.is_grid { *world.house_ma().get(node.phase) } else { 0 };
            let size = (house + cars).unsigned_abs();
            node.step(MilliAmps(u32::try_from(size).unwrap_or(u32::MAX)), time);
        }
    }

    /// Every phase of every circuit.
    #[must_use]
    pub fn figures(&self) -> Vec<TripFigures> {
        self.0.iter().map(Node::figures).collect()
    }
}

impl Node {
    fn new(circuit: &Circuit, phase: Phase, grid: MilliAmps, below: Vec<ChargerId>) -> Self {
        let own = *circuit.limit.get(phase);
        let is_grid = circuit.parent.is_none();
        let limit = if is_grid { own.min(grid) } else { own };
        Self {
            circuit: circuit.id.to_string(),
            phase,
            limit,
            below,
            is_grid,
            breakers: BreakerKind::ALL.map(|kind| Breaker::new(kind, limit)).to_vec(),
            over_ms: 0,
            excess_ma_ms: 0,
            longest_over_ms: 0,
            worst_excess_ma_ms: 0,
            most: MilliAmps::ZERO,
        }
    }

    fn step(&mut self, current: MilliAmps, time: DurationMs) {
        for breaker in &mut self.breakers {
            breaker.step(current, time);
        }
        let excess = u64::from(current.saturating_sub(self.limit).0);
        let is_over = u64::from(current.0) * 1000 > u64::from(self.limit.0) * OVER_PER_MILLE;
        self.over_ms = if is_over { self.over_ms + time.0 } else { 0 };
        self.excess_ma_ms = if excess > 0 { self.excess_ma_ms + excess * time.0 } else { 0 };
        self.longest_over_ms = self.longest_over_ms.max(self.over_ms);
        self.worst_excess_ma_ms = self.worst_excess_ma_ms.max(self.excess_ma_ms);
        self.most = self.most.max(current);
    }

    fn figures(&self) -> TripFigures {
        TripFigures {
            circuit: self.circuit.clone(),
            phase: self.phase.number(),
            limit_a: thousands(u64::from(self.limit.0)),
            most_a: thousands(u64::from(self.most.0)),
            used_percent: self.breakers.iter().map(|breaker| (breaker.kind(), breaker.used_percent())).collect(),
            tripped: self.breakers.iter().any(Breaker::tripped),
            longest_over_s: thousands(self.longest_over_ms),
            worst_excess_as: thousands(self.worst_excess_ma_ms / 1000),
        }
    }
}

/// A whole number in thousandths; what is beyond a float's whole numbers saturates.
fn thousands(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX)) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CircuitId, CircuitRating, Timestamp};

    /// A feeder is judged by its own cars and limit, the grid connection by everything and the smaller of its limits.
    #[test]
    fn each_circuit_has_its_own_figures() {
        let plan = crate::building_plan(1, Timestamp(0)).unwrap();
        let id = |text: &str| CircuitId::new(text).unwrap();
        let circuit = |name: &str, parent: Option<CircuitId>, amps: u16| Circuit {
            id: id(name),
            name: name.to_owned(),
            parent,
            limit: PerPhase::splat(MilliAmps::from_amps(amps)),
            rating: CircuitRating::default(),
        };
        let all = vec![
            circuit("main", None, 63),
            circuit("garage-1", Some(id("main")), 50),
            circuit("garage-2", Some(id("main")), 16),
        ];
        let tree = CircuitTree::new(all).unwrap();
        let mut watch = TripWatch::new(&tree, &plan.chargers, plan.site.grid_limit(), plan.site.phases);
        for _ in 0..11 {
            for node in &mut watch.0 {
                node.step(MilliAmps::from_amps(20), DurationMs::from_secs(1));
            }
        }
        let of = |name: &str| watch.figures().into_iter().find(|f| f.circuit == name && f.phase == 1);
        let feeder = of("garage-2").unwrap();
        assert!(feeder.tripped && feeder.margin() < 0.0, "{feeder:?}");
        assert!((feeder.longest_over_s - 11.0).abs() < 1e-9 && (feeder.worst_excess_as - 44.0).abs() < 1e-9);
        let grid = of("main").unwrap();
        assert!(!grid.tripped && (grid.limit_a - 60.0).abs() < 1e-9, "{grid:?}");
        assert_eq!(watch.0.iter().filter(|node| node.is_grid).map(|node| node.below.len()).max(), Some(8));
        assert!(watch.0.iter().all(|node| node.circuit != "garage-2" || node.below.len() == 4));
    }
}
