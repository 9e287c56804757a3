//! How much is left on every phase of every circuit while shares are handed out.

use crate::{Bottleneck, Demand, Node, NodeIndex};
use domain::{MilliAmps, PerPhase};

/// The room left per circuit and phase.
#[derive(Debug)]
pub(crate) struct Room {
    left: Vec<PerPhase<MilliAmps>>,
}

/// The circuits a connector's current flows through, its own first; empty when its circuit does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(Vec<usize>);

impl Path {
    /// Walks up from the demand's circuit. A parent that does not exist or a circle makes the path empty:
    /// what is not known to be protected carries nothing.
    pub(crate) fn new(nodes: &[Node], demand: &Demand) -> Self {
        let mut path = Vec::new();
        let mut at = Some(demand.node);
        while let Some(NodeIndex(index)) = at {
            let Some(node) = nodes.get(index) else { return Self(Vec::new()) };
            if path.len() > nodes.len() {
                return Self(Vec::new());
            }
            path.push(index);
            at = node.parent;
        }
        Self(path)
    }

    pub(crate) const fn exists(&self) -> bool {
        !self.0.is_empty()
    }
}

impl Room {
    pub(crate) fn new(nodes: &[Node]) -> Self {
        let left = nodes.iter().map(|node| node.limit.zip(node.load).map(|(l, used)| l.saturating_sub(used))).collect();
        Self { left }
    }

    /// Takes `amount` on each wire, all the way up, or says where it does not fit and takes nothing.
    pub(crate) fn take(&mut self, path: &Path, demand: &Demand, amount: MilliAmps) -> Result<(), Bottleneck> {
        if let Some(bottleneck) = self.places(path, demand).find(|(_, left)| **left < amount).map(|(place, _)| place) {
            return Err(bottleneck);
        }
        for &index in &path.0 {
            let Some(left) = self.left.get_mut(index) else { continue };
            for wire in demand.wiring.wires() {
                let left = left.get_mut(*wire);
                *left = left.saturating_sub(amount);
            }
        }
        Ok(())
    }

    /// The most that fits on each wire, and where it is limited.
    pub(crate) fn left(&self, path: &Path, demand: &Demand) -> Option<(Bottleneck, MilliAmps)> {
        self.places(path, demand).min_by_key(|(_, left)| **left).map(|(place, left)| (place, *left))
    }

    /// Gives back what was taken.
    pub(crate) fn give_back(&mut self, path: &Path, demand: &Demand, amount: MilliAmps) {
        for &index in &path.0 {
            let Some(left) = self.left.get_mut(index) else { continue };
            for wire in demand.wiring.wires() {
                *left.get_mut(*wire) += amount;
            }
        }
    }

    /// Every circuit and phase the demand's current flows through, its own circuit first.
    pub(crate) fn places<'a>(
        &'a self,
        path: &'a Path,
        demand: &'a Demand,
    ) -> impl Iterator<Item = (Bottleneck, &'a MilliAmps)> {
        path.0.iter().filter_map(|&index| self.left.get(index).map(|left| (index, left))).flat_map(|(index, left)| {
            demand
                .wiring
                .wires()
                .iter()
                .map(move |&phase| (Bottleneck { node: NodeIndex(index), phase }, left.get(phase)))
        })
    }
}
