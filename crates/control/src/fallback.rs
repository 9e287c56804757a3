//! What every charger may draw when nobody speaks to it, such that all of them together fit.

use crate::estimate::{on_phases, sum};
use crate::{Control, Output};
use domain::{ChargerId, MilliAmps, PerPhase};
use std::cmp::Reverse;

impl Control {
    /// Fits the fallbacks: in the order of priority each gets its configured one where it fits beside the
    /// declared load and those before it, else 0. Gives those that changed, to be installed.
    pub(crate) fn fit_fallbacks(&mut self) -> Vec<Output> {
        let mut flows: Vec<PerPhase<MilliAmps>> = vec![PerPhase::default(); self.tree.branches.len()];
        if let Some(root) = flows.get_mut(self.tree.root) {
            *root = PerPhase::splat(self.site.declared_load);
        }
        let mut order: Vec<_> = self
            .chargers
            .values()
            .map(|live| (Reverse(live.charger.priority), live.charger.registered, live.charger.id.clone()))
            .collect();
        order.sort();
        let mut changed = Vec::new();
        for (_, _, id) in order {
            let fits = self.fallback_that_fits(&id, &mut flows);
            let Some(live) = self.chargers.get_mut(&id) else { continue };
            if live.fallback != Some(fits) {
                live.fallback = Some(fits);
                changed.push(Output::Fallback { charger: id, limit: fits });
            }
        }
        changed
    }

    fn fallback_that_fits(&self, id: &ChargerId, flows: &mut [PerPhase<MilliAmps>]) -> MilliAmps {
        let Some(live) = self.chargers.get(id).filter(|live| live.charger.approved) else { return MilliAmps::ZERO };
        let Some(own) = self.tree.index(&live.charger.circuit) else { return MilliAmps::ZERO };
        // Each connector falls back by itself.
        let connectors = u32::from(live.charger.connectors.max(1));
        let together = MilliAmps(live.charger.fallback.0.saturating_mul(connectors));
        let wires = live.charger.wiring.wires();
        let fits = self.tree.path(own).all(|index| {
            let (Some(branch), Some(flow)) = (self.tree.branches.get(index), flows.get(index)) else { return false };
            wires.iter().all(|wire| *flow.get(*wire) + together + self.site.margin <= *branch.limit.get(*wire))
        });
        if !fits {
            return MilliAmps::ZERO;
        }
        for index in self.tree.path(own) {
            if let Some(flow) = flows.get_mut(index) {
                *flow = sum(*flow, on_phases(wires, together));
            }
        }
        live.charger.fallback
    }
}
