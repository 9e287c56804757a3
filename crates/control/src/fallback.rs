//! What every charger may draw when nobody speaks to it, such that all of them together fit.

use crate::estimate::{on_phases, sum};
use crate::tree::Tree;
use crate::{Control, FallbackCheck, FallbackCircuit, FallbackFit, Output};
use domain::{Charger, CircuitId, MilliAmps, PerPhase};
use std::cmp::Reverse;

impl Control {
    /// Fits the fallbacks: in the order of priority each gets its configured one where it fits beside the
    /// building's load and those before it, else 0. Gives those that changed, to be installed.
    pub(crate) fn fit_fallbacks(&mut self) -> Vec<Output> {
        let fits = self.fallback_check().chargers;
        let mut changed = Vec::new();
        for (id, live) in &mut self.chargers {
            let limit = fits.iter().find(|fit| fit.charger == *id).map(|fit| fit.installed).unwrap_or_default();
            if live.fallback != Some(limit) {
                live.fallback = Some(limit);
                changed.push(Output::Fallback { charger: id.clone(), limit });
            }
        }
        changed
    }

    /// What flows at every circuit when nobody commands, and who cannot charge then.
    pub(crate) fn fallback_check(&self) -> FallbackCheck {
        // A charger on its own follows no clock, so what it falls back to fits the smallest contract.
        let tree = Tree::new(&self.site, &self.circuits, self.site.contracted_least());
        let mut building: Vec<PerPhase<MilliAmps>> = vec![PerPhase::default(); self.tree.branches.len()];
        let measured = self.ahead.usual_most();
        if let Some(root) = building.get_mut(self.tree.root) {
            for phase in self.site.phases.phases() {
                *root.get_mut(*phase) = measured.map_or(self.site.declared_load, |most| *most.get(*phase));
            }
        }
        let mut flows = building.clone();
        let mut order: Vec<&Charger> =
            self.chargers.values().map(|live| &live.charger).filter(|charger| charger.approved).collect();
        order.sort_by_key(|charger| (Reverse(charger.priority), charger.registered));
        let chargers = order.into_iter().map(|charger| self.fit(&tree, charger, &mut flows)).collect();
        let circuits = tree.branches.iter().zip(building).zip(flows).map(|((branch, building), flow)| {
            let less = |(flow, building): (MilliAmps, MilliAmps)| flow.saturating_sub(building);
            FallbackCircuit {
                circuit: branch.id.clone(),
                usable: branch.limit.map(|limit| limit.saturating_sub(self.site.margin)),
                building,
                chargers: flow.zip(building).map(less),
            }
        });
        FallbackCheck {
            circuits: circuits.collect(),
            chargers,
            measured_days: self.ahead.days(),
            is_measured: measured.is_some(),
        }
    }

    /// Gives a charger its fallback where it fits and counts it.
    fn fit(&self, tree: &Tree, charger: &Charger, flows: &mut [PerPhase<MilliAmps>]) -> FallbackFit {
        let wanted = charger.fallback;
        let none = |held_by| FallbackFit { charger: charger.id.clone(), wanted, installed: MilliAmps::ZERO, held_by };
        let Some(own) = tree.index(&charger.circuit) else { return none(Some(charger.circuit.clone())) };
        // Each connector falls back by itself.
        let connectors = u32::from(charger.connectors.max(1));
        let together = MilliAmps(wanted.0.saturating_mul(connectors));
        let phases = charger.counted_phases(self.site.phases);
        let full = tree.path(own).find(|index| {
            let (Some(branch), Some(flow)) = (tree.branches.get(*index), flows.get(*index)) else { return true };
            phases.iter().any(|phase| *flow.get(*phase) + together + self.site.margin > *branch.limit.get(*phase))
        });
        if let Some(full) = full {
            let name: Option<CircuitId> = tree.branches.get(full).map(|branch| branch.id.clone());
            return none(name.filter(|_| !wanted.is_zero()));
        }
        for index in tree.path(own) {
            if let Some(flow) = flows.get_mut(index) {
                *flow = sum(*flow, on_phases(phases, together));
            }
        }
        FallbackFit { charger: charger.id.clone(), wanted, installed: wanted, held_by: None }
    }
}
