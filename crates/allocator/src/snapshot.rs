//! What there is to divide, and between whom.

use domain::{ChargerId, ConnectorNumber, MilliAmps, PerPhase, Wiring};

/// Position of a circuit in [`Snapshot::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub usize);

/// A protected branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The branch it hangs on; `None` for the grid connection.
    pub parent: Option<NodeIndex>,
    /// Most that may flow on each phase, less every margin.
    pub limit: PerPhase<MilliAmps>,
    /// All that flows through it and is not one of the demands, those below it included.
    pub load: PerPhase<MilliAmps>,
}

/// A connector whose car wants energy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Which charger.
    pub charger: ChargerId,
    /// Which connector of it.
    pub connector: ConnectorNumber,
    /// Circuit it hangs on. A circuit that does not exist gives nothing.
    pub node: NodeIndex,
    /// Grid phase of each wire; each wire carries the share.
    pub wiring: Wiring,
    /// Higher is served first.
    pub priority: i32,
    /// Order of registration: breaks ties, earlier wins.
    pub registered: u32,
    /// Most it can use on each wire.
    pub max: MilliAmps,
    /// What the planner knows of it; the default knows nothing.
    pub guide: Guide,
}

/// What a planner adds to a demand: its place in line and what its car can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guide {
    /// Lower is served first within one priority; ties go by registration.
    pub rank: u32,
    /// Neighbours in line who have the same number here stand in one row: their minimums are given in the order of
    /// the line, and what their cars are known to use in equal whole amperes. `None` stands alone.
    pub row: Option<u32>,
    /// What its car is known to use on each wire. Current above it, up to the demand's maximum, is offered
    /// only when nobody can use it for certain.
    pub usable: MilliAmps,
    /// Whether it keeps the minimum it has before those ahead in line get more than theirs: cars that were
    /// switched on a moment ago are not switched off again.
    pub keeps: bool,
    /// Current it gets before anybody of its priority gets more than the minimum; nothing for no such promise.
    pub floor: MilliAmps,
    /// Whether it gets its minimum before anybody else of any priority gets anything: its car does not come back
    /// from a pause, or the manager does not want it paused.
    pub unpausable: bool,
}

impl Default for Guide {
    fn default() -> Self {
        Self { rank: 0, row: None, usable: MilliAmps::MAX, keeps: false, floor: MilliAmps::ZERO, unpausable: false }
    }
}

/// How the current of one priority is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// In equal whole amperes among all who fit.
    #[default]
    Equally,
    /// In line: the first gets all its car uses, then the next; only as many charge as it takes to use
    /// every ampere.
    InLine,
}

/// What becomes of an ampere that cannot be divided equally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftover {
    /// It goes to the higher priority: 13 and 12 of 25.
    ToHigherPriority,
    /// Nobody gets it, as in the published simulations: 12 and 12 of 25.
    Kept,
}

/// All that a division depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The tree of circuits, in any order.
    pub nodes: Vec<Node>,
    /// Who wants energy, in any order.
    pub demands: Vec<Demand>,
    /// Least a car can charge with; rounded up to whole amperes.
    pub min: MilliAmps,
    /// Most that may be active at once; `None` for no such rule.
    pub max_active: Option<u16>,
    /// What becomes of an ampere that cannot be divided equally.
    pub leftover: Leftover,
    /// How the current of one priority is divided.
    pub sharing: Sharing,
}
