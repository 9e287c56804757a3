//! The circuits as numbered nodes, each with the limits in force.

use crate::{Bottleneck, BottleneckKind};
use domain::{CircuitId, CircuitTree, MilliAmps, PerPhase, Phase, PhaseCount, Site, VoltAmps};
use std::collections::BTreeMap;

/// A circuit with what limits it.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) id: CircuitId,
    pub(crate) parent: Option<usize>,
    /// Limit per phase before the margin. A phase the site does not have carries nothing.
    pub(crate) limit: PerPhase<MilliAmps>,
    kind: PerPhase<BottleneckKind>,
}

/// The circuits, numbered; the number of a circuit is its position.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) branches: Vec<Branch>,
    by_id: BTreeMap<CircuitId, usize>,
    pub(crate) root: usize,
    phases: PhaseCount,
}

impl Tree {
    /// The tree while `contract` is in force.
    pub(crate) fn new(site: &Site, circuits: &CircuitTree, contract: VoltAmps) -> Self {
        let by_id: BTreeMap<CircuitId, usize> = circuits.iter().enumerate().map(|(i, c)| (c.id.clone(), i)).collect();
        let branches = circuits
            .iter()
            .map(|circuit| {
                let is_root = circuit.id == *circuits.root();
                let limits = |phase| {
                    if !site.phases.phases().contains(&phase) {
                        return (MilliAmps::ZERO, BottleneckKind::Circuit);
                    }
                    let own = *circuit.limit.get(phase);
                    if is_root { grid_limit(site, own, contract) } else { (own, BottleneckKind::Circuit) }
                };
                let both = PerPhase::new(limits(Phase::L1), limits(Phase::L2), limits(Phase::L3));
                Branch {
                    id: circuit.id.clone(),
                    parent: circuit.parent.as_ref().and_then(|parent| by_id.get(parent).copied()),
                    limit: both.map(|(limit, _)| limit),
                    kind: both.map(|(_, kind)| kind),
                }
            })
            .collect();
        let root = by_id.get(circuits.root()).copied().unwrap_or(0);
        Self { branches, by_id, root, phases: site.phases }
    }

    pub(crate) fn index(&self, id: &CircuitId) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The circuit and all it hangs on.
    pub(crate) fn path(&self, from: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(from), |at| self.branches.get(*at).and_then(|branch| branch.parent))
            .take(self.branches.len())
    }

    /// Circuits from the leaves to the root: each comes before the one it hangs on.
    pub(crate) fn leaves_first(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.branches.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(self.path(*index).count()));
        order
    }

    pub(crate) fn bottleneck(&self, index: usize, phase: Phase) -> Option<Bottleneck> {
        let branch = self.branches.get(index)?;
        Some(Bottleneck {
            circuit: branch.id.clone(),
            kind: *branch.kind.get(phase),
            limit: *branch.limit.get(phase),
            phase: match self.phases {
                PhaseCount::One => None,
                PhaseCount::Three => Some(phase),
            },
        })
    }
}

/// The grid connection is limited by its own cable and fuse, by the contract, and by the main fuse named in
/// the settings. What people know as "the main fuse" is named where it is the smallest or equal.
fn grid_limit(site: &Site, own: MilliAmps, contract: VoltAmps) -> (MilliAmps, BottleneckKind) {
    let fuse = own.min(site.main_fuse);
    // What a home charger on its own keeps free for the home is no part of what it may use.
    let contract = site.current_of(contract).saturating_sub(site.rules.stand_alone.unwrap_or_default());
    if contract < fuse { (contract, BottleneckKind::Contract) } else { (fuse, BottleneckKind::MainFuse) }
}
