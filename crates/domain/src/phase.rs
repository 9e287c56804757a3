//! The three conductors of a site and how a charger hangs on them.

use serde::{Deserialize, Serialize};

/// A grid phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// First conductor; the only one of a single-phase site.
    L1,
    /// Second conductor.
    L2,
    /// Third conductor.
    L3,
}

impl Phase {
    /// All phases in order.
    pub const ALL: [Self; 3] = [Self::L1, Self::L2, Self::L3];

    /// 1, 2 or 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::L1 => 1,
            Self::L2 => 2,
            Self::L3 => 3,
        }
    }

    /// The phase with this number, if it is 1, 2 or 3.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::L1),
            2 => Some(Self::L2),
            3 => Some(Self::L3),
            _ => None,
        }
    }
}

/// How many phases a grid connection or a charger has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseCount {
    /// L1 and neutral.
    One,
    /// L1, L2 and L3.
    Three,
}

impl PhaseCount {
    /// The phases that carry current, in order.
    #[must_use]
    pub const fn phases(self) -> &'static [Phase] {
        match self {
            Self::One => &[Phase::L1],
            Self::Three => &Phase::ALL,
        }
    }
}

/// One value for each grid phase. On a single-phase site L2 and L3 hold the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PerPhase<T> {
    /// Value of L1.
    pub l1: T,
    /// Value of L2.
    pub l2: T,
    /// Value of L3.
    pub l3: T,
}

impl<T> PerPhase<T> {
    /// From the values in order.
    pub const fn new(l1: T, l2: T, l3: T) -> Self {
        Self { l1, l2, l3 }
    }

    /// The value of one phase.
    pub const fn get(&self, phase: Phase) -> &T {
        match phase {
            Phase::L1 => &self.l1,
            Phase::L2 => &self.l2,
            Phase::L3 => &self.l3,
        }
    }

    /// The value of one phase, to change it.
    pub const fn get_mut(&mut self, phase: Phase) -> &mut T {
        match phase {
            Phase::L1 => &mut self.l1,
            Phase::L2 => &mut self.l2,
            Phase::L3 => &mut self.l3,
        }
    }

    /// Applies `f` to each value.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> PerPhase<U> {
        PerPhase { l1: f(self.l1), l2: f(self.l2), l3: f(self.l3) }
    }

    /// Joins two sets of values phase by phase.
    pub fn zip<U>(self, other: PerPhase<U>) -> PerPhase<(T, U)> {
        PerPhase { l1: (self.l1, other.l1), l2: (self.l2, other.l2), l3: (self.l3, other.l3) }
    }

    /// The phases with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Phase, &T)> {
        Phase::ALL.into_iter().map(|phase| (phase, self.get(phase)))
    }
}

impl<T: Copy> PerPhase<T> {
    /// The same value on every phase.
    pub const fn splat(value: T) -> Self {
        Self { l1: value, l2: value, l3: value }
    }
}

/// The grid phase of each wire of a charger, in the order of the charger's own terminals.
///
/// `[L2, L3, L1]` says that the charger's first wire hangs on L2. Rotation between chargers is
/// normal practice, so a value the charger reports for "its L1" is translated here, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Phase>", into = "Vec<Phase>")]
pub struct Wiring(Vec<Phase>);

/// Why a wiring cannot exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WiringError {
    /// A charger has one, two or three wires.
    #[error("a charger is wired to one, two or three phases, not {0}")]
    Count(usize),
    /// Two wires on one phase would double its current unseen.
    #[error("each wire needs a phase of its own")]
    Repeated,
}

impl Wiring {
    /// Checks that there are one to three wires on distinct phases.
    ///
    /// # Errors
    /// When the count or the phases cannot exist.
    pub fn new(wires: Vec<Phase>) -> Result<Self, WiringError> {
        if wires.is_empty() || wires.len() > 3 {
            return Err(WiringError::Count(wires.len()));
        }
        let distinct: std::collections::BTreeSet<_> = wires.iter().collect();
        if distinct.len() != wires.len() {
            return Err(WiringError::Repeated);
        }
        Ok(Self(wires))
    }

    /// One wire on L1.
    #[must_use]
    pub fn single() -> Self {
        Self(vec![Phase::L1])
    }

    /// Three wires in the order of the grid.
    #[must_use]
    pub fn three() -> Self {
        Self(Phase::ALL.to_vec())
    }

    /// The grid phase of each wire, first wire first.
    #[must_use]
    pub fn wires(&self) -> &[Phase] {
        &self.0
    }

    /// Whether any wire hangs on this phase.
    #[must_use]
    pub fn uses(&self, phase: Phase) -> bool {
        self.0.contains(&phase)
    }

    /// Moves values measured per wire of the charger to grid phases; missing wires stay at the default.
    #[must_use]
    pub fn to_grid<T: Copy + Default>(&self, per_wire: &[T]) -> PerPhase<T> {
        let mut grid = PerPhase::default();
        for (phase, value) in self.0.iter().zip(per_wire) {
            *grid.get_mut(*phase) = *value;
        }
        grid
    }
}

impl TryFrom<Vec<Phase>> for Wiring {
    type Error = WiringError;
    fn try_from(wires: Vec<Phase>) -> Result<Self, WiringError> {
        Self::new(wires)
    }
}

impl From<Wiring> for Vec<Phase> {
    fn from(wiring: Wiring) -> Self {
        wiring.0
    }
}
