//! The independent check of a plan, written from the rules and not from the allocator.
//!
//! It runs in release for every plan. The rules: a share is nothing, or whole amperes from the minimum up to
//! what the connector can use; no more are active than may be; on every phase of every circuit the shares and
//! the load stay within the limit, and where the load alone is beyond it no share flows at all; nobody has a
//! share who did not ask or whose circuit is unknown.

use allocator::{Demand, Plan, Snapshot};
use domain::{ChargerId, ConnectorNumber, MilliAmps, Phase};
use std::collections::BTreeMap;

/// Which rule a plan breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A share without a demand, or two for one connector.
    #[error("connector {connector} of {charger} has a share it did not ask for")]
    Unasked {
        /// Which charger.
        charger: ChargerId,
        /// Which connector.
        connector: ConnectorNumber,
    },
    /// A share chargers cannot be commanded, or more than this one can use.
    #[error("connector {connector} of {charger} cannot be given {limit}")]
    OutOfRange {
        /// Which charger.
        charger: ChargerId,
        /// Which connector.
        connector: ConnectorNumber,
        /// What it was given.
        limit: MilliAmps,
    },
    /// More are active than may be.
    #[error("{active} connectors are active, {max} may be")]
    TooManyActive {
        /// How many are.
        active: usize,
        /// How many may be.
        max: u16,
    },
    /// Too much on a phase of a circuit.
    #[error("node {node} would carry {total} on {phase:?}, more than {limit}")]
    OverLimit {
        /// Which circuit.
        node: usize,
        /// Which phase.
        phase: Phase,
        /// Shares and load together.
        total: MilliAmps,
        /// What it may carry.
        limit: MilliAmps,
    },
}

/// Verifies a plan against all that it was made from.
///
/// # Errors
/// Names the first rule it breaks.
pub fn check(snapshot: &Snapshot, plan: &Plan) -> Result<(), Violation> {
    let mut asked: BTreeMap<(&ChargerId, ConnectorNumber), &Demand> =
        snapshot.demands.iter().map(|demand| ((&demand.charger, demand.connector), demand)).collect();
    let mut flows: BTreeMap<(usize, Phase), MilliAmps> = BTreeMap::new();
    let mut active: usize = 0;
    for share in &plan.shares {
        let (charger, connector) = (share.charger.clone(), share.connector);
        // Taken out, so that a second share for the same connector finds nothing.
        let Some(demand) = asked.remove(&(&share.charger, connector)) else {
            return Err(Violation::Unasked { charger, connector });
        };
        let limit = share.limit;
        if limit.0 == 0 {
            continue;
        }
        if limit.0 % 1000 != 0 || limit < snapshot.min || limit > demand.max {
            return Err(Violation::OutOfRange { charger, connector, limit });
        }
        active += 1;
        if !add_upwards(snapshot, demand, limit, &mut flows) {
            return Err(Violation::Unasked { charger, connector });
        }
    }
    if let Some(max) = snapshot.max_active.filter(|max| active > usize::from(*max)) {
        return Err(Violation::TooManyActive { active, max });
    }
    for ((node, phase), cars) in flows {
        let Some(circuit) = snapshot.nodes.get(node) else { continue };
        let limit = *circuit.limit.get(phase);
        let total = cars + *circuit.load.get(phase);
        if total > limit {
            return Err(Violation::OverLimit { node, phase, total, limit });
        }
    }
    Ok(())
}

/// Adds one share to every circuit above it. False when the way up does not end at a grid connection.
fn add_upwards(
    snapshot: &Snapshot,
    demand: &Demand,
    limit: MilliAmps,
    flows: &mut BTreeMap<(usize, Phase), MilliAmps>,
) -> bool {
    let mut node = demand.node.0;
    for _ in 0..snapshot.nodes.len() {
        let Some(circuit) = snapshot.nodes.get(node) else { return false };
        for phase in demand.wiring.wires() {
            *flows.entry((node, *phase)).or_default() += limit;
        }
        match circuit.parent {
            Some(parent) => node = parent.0,
            None => return true,
        }
    }
    false
}
