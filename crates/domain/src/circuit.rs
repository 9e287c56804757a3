//! The tree of protected circuits.

use crate::{CircuitId, CircuitRating, DeviceError, MilliAmps, PerPhase};
use std::collections::BTreeMap;

/// A protected branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Identity.
    pub id: CircuitId,
    /// Name people see.
    pub name: String,
    /// The branch it hangs on; `None` for the grid connection.
    pub parent: Option<CircuitId>,
    /// Most it may carry on each phase: the smaller of fuse and cable.
    pub limit: PerPhase<MilliAmps>,
    /// What protects it; where known, the limit is never above it.
    pub rating: CircuitRating,
}

/// Why circuits do not form a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CircuitTreeError {
    /// Exactly one circuit hangs on nothing: the grid connection.
    #[error("a site has exactly one grid connection, these circuits have {0}")]
    Roots(usize),
    /// Two circuits with one identity.
    #[error("the circuit {0} is listed twice")]
    Repeated(CircuitId),
    /// A parent that does not exist.
    #[error("the circuit {child} hangs on {parent}, which does not exist")]
    UnknownParent {
        /// The branch.
        child: CircuitId,
        /// What it names.
        parent: CircuitId,
    },
    /// A circuit that hangs on itself, directly or through others.
    #[error("the circuit {0} hangs on itself")]
    Cycle(CircuitId),
    /// A limit that its fuse or cable does not carry.
    #[error("the limit of the circuit {0} is above its protection or its cable")]
    AboveRating(CircuitId),
    /// A protection device that cannot exist.
    #[error("the protection of the circuit {circuit} cannot be used: {reason}")]
    Device {
        /// Which circuit.
        circuit: CircuitId,
        /// What is wrong with it.
        reason: DeviceError,
    },
}

/// Circuits with one root and no cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitTree {
    root: CircuitId,
    circuits: BTreeMap<CircuitId, Circuit>,
}

impl CircuitTree {
    /// Checks that the circuits form one tree.
    ///
    /// # Errors
    /// Names the circuit that breaks the tree.
    pub fn new(list: Vec<Circuit>) -> Result<Self, CircuitTreeError> {
        let mut circuits = BTreeMap::new();
        let mut roots = Vec::new();
        for circuit in list {
            check_rating(&circuit)?;
            if circuit.parent.is_none() {
                roots.push(circuit.id.clone());
            }
            if let Some(first) = circuits.insert(circuit.id.clone(), circuit) {
                return Err(CircuitTreeError::Repeated(first.id));
            }
        }
        let [root] = roots.as_slice() else {
            return Err(CircuitTreeError::Roots(roots.len()));
        };
        let tree = Self { root: root.clone(), circuits };
        tree.check_parents()?;
        Ok(tree)
    }

    fn check_parents(&self) -> Result<(), CircuitTreeError> {
        for circuit in self.circuits.values() {
            let mut steps = 0;
            let mut at = circuit;
            while let Some(parent) = &at.parent {
                at = self
                    .circuits
                    .get(parent)
                    .ok_or_else(|| CircuitTreeError::UnknownParent { child: at.id.clone(), parent: parent.clone() })?;
                steps += 1;
                if steps > self.circuits.len() {
                    return Err(CircuitTreeError::Cycle(circuit.id.clone()));
                }
            }
        }
        Ok(())
    }

    /// The grid connection.
    #[must_use]
    pub const fn root(&self) -> &CircuitId {
        &self.root
    }

    /// A circuit by identity.
    #[must_use]
    pub fn get(&self, id: &CircuitId) -> Option<&Circuit> {
        self.circuits.get(id)
    }

    /// All circuits, ordered by identity.
    pub fn iter(&self) -> impl Iterator<Item = &Circuit> {
        self.circuits.values()
    }

    /// The circuit and everything it hangs on, up to the grid connection; empty for an unknown one.
    pub fn path_to_root<'a>(&'a self, id: &CircuitId) -> impl Iterator<Item = &'a Circuit> {
        std::iter::successors(self.circuits.get(id), |circuit| {
            circuit.parent.as_ref().and_then(|parent| self.circuits.get(parent))
        })
    }
}

fn check_rating(circuit: &Circuit) -> Result<(), CircuitTreeError> {
    let rating = &circuit.rating;
    rating.check().map_err(|reason| CircuitTreeError::Device { circuit: circuit.id.clone(), reason })?;
    let above = |most: PerPhase<MilliAmps>| circuit.limit.zip(most).iter().any(|(_, (limit, most))| limit > most);
    if rating.limit().is_some_and(above) {
        return Err(CircuitTreeError::AboveRating(circuit.id.clone()));
    }
    Ok(())
}
