//! From what is known to a target per connector: builds the allocator's snapshot, has it divided, and has the
//! result checked.

use crate::check::check;
use crate::estimate::{Basis, Load, on_phases, sum};
use crate::guide::Guides;
use crate::per_connector::PerConnector;
use crate::safe_plan::safe_plan;
use crate::standing::{MaxFrom, Standing, Standings};
use crate::state::{ChargerLive, ConnectorLive};
use crate::tree::Tree;
use crate::{Bottleneck, Reason};
use allocator::{Cause, Demand, Leftover, Node, NodeIndex, Plan, Share, Sharing, Snapshot, allocate};
use domain::{ChargerId, ConnectorNumber, MilliAmps, Now, Pacing, PerPhase, Rotation, SharingRule, Site, Wiring};
use std::collections::BTreeMap;

/// A connector of the site.
pub(crate) type Connector = (ChargerId, ConnectorNumber);

/// Which estimate of the building a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The least the building can take: what does not fit here must be cut.
    Low,
    /// The most it can take: what fits here may be raised.
    High,
}

/// What a connector is meant to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) limit: MilliAmps,
    pub(crate) reason: Reason,
}

/// A checked plan.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    pub(crate) by_connector: PerConnector<Target>,
    pub(crate) snapshot: Snapshot,
    /// Whether the check refused the allocator's plan and the safe plan took its place.
    pub(crate) rejected: bool,
}

/// All that a plan is made from.
pub(crate) struct Grounds<'a> {
    pub(crate) now: Now,
    pub(crate) site: &'a Site,
    pub(crate) tree: &'a Tree,
    pub(crate) chargers: &'a BTreeMap<ChargerId, ChargerLive>,
    pub(crate) standings: &'a Standings,
    pub(crate) loads: &'a [Load],
    pub(crate) guides: &'a Guides,
}

impl Grounds<'_> {
    /// Divides the current for one estimate of the building.
    pub(crate) fn targets(&self, side: Side) -> Targets {
        let (snapshot, sitting_out) = self.snapshot(side);
        let plan = allocate(&snapshot);
        let rejected = check(&snapshot, &plan).is_err();
        let plan = if rejected { safe_plan(&snapshot, &self.fallbacks()) } else { plan };
        let mut by_connector = self.fixed(&snapshot.nodes);
        let line = plan.shares.iter().filter(|share| share.limit.is_zero()).count();
        for (place, key) in sitting_out.into_iter().enumerate() {
            let place = u16::try_from(line + place + 1).unwrap_or(u16::MAX);
            let reason = Reason::Waiting { min: self.site.min_charge, place, bottleneck: None };
            by_connector.insert(key, Target { limit: MilliAmps::ZERO, reason });
        }
        for share in plan.shares {
            let reason = self.reason(&share);
            by_connector.insert((share.charger, share.connector), Target { limit: share.limit, reason });
        }
        Targets { by_connector, snapshot, rejected }
    }

    /// Connectors that do not share: what they are told, and why. Where what is counted does not fit, one that
    /// is only counted is told to take nothing.
    fn fixed(&self, nodes: &[Node]) -> PerConnector<Target> {
        self.standings
            .iter()
            .filter_map(|(key, standing)| {
                let (limit, reason) = match standing {
                    Standing::Demand { .. } => return None,
                    Standing::Counted { set, reason, .. } => {
                        (if self.is_over(nodes, &key.0) { MilliAmps::ZERO } else { *set }, reason.clone())
                    }
                    Standing::Nothing(reason) => (MilliAmps::ZERO, reason.clone()),
                };
                Some((key.clone(), Target { limit, reason }))
            })
            .collect()
    }

    /// The allocator's view, and who sits this division out (preset `published`).
    pub(crate) fn snapshot(&self, side: Side) -> (Snapshot, Vec<Connector>) {
        let mut nodes = self.nodes(side);
        let mut demands = Vec::new();
        let mut sitting_out = Vec::new();
        for (id, live) in self.chargers {
            let shares = |number| matches!(self.standings.get(&(id.clone(), number)), Some(Standing::Demand { .. }));
            if live.connectors.len() < 2 && !live.connectors.keys().any(|number| shares(*number)) {
                continue;
            }
            let own = self.tree.index(&live.charger.circuit);
            let node = self.node_of(live, own, &mut nodes);
            for (number, connector) in &live.connectors {
                let key = (id.clone(), *number);
                match self.standings.get(&key) {
                    Some(Standing::Demand { max, boost, .. }) => {
                        let wiring = self.wiring(live, connector);
                        let waits = |needed| !self.may_return(&nodes, (id, node), &wiring, needed);
                        if connector.standby_room.is_some_and(waits) && self.someone_charges(&key) {
                            sitting_out.push(key);
                            continue;
                        }
                        demands.push(Demand {
                            charger: id.clone(),
                            connector: *number,
                            node,
                            wiring,
                            priority: self
                                .guides
                                .card_priority(&key)
                                .unwrap_or(live.charger.priority)
                                .saturating_add(*boost),
                            registered: live.charger.registered,
                            max: *max,
                            guide: self.guides.of(&key),
                        });
                    }
                    Some(Standing::Counted { .. } | Standing::Nothing(_)) | None => {}
                }
            }
        }
        let leftover = match self.site.pacing {
            Pacing::Careful => Leftover::ToHigherPriority,
            Pacing::Published => Leftover::Kept,
        };
        let max_active = self.site.max_active_chargers;
        (
            Snapshot { nodes, demands, min: self.site.min_charge, max_active, leftover, sharing: self.sharing() },
            sitting_out,
        )
    }

    /// How the current of one priority is divided. The preset `published` knows equal shares only.
    fn sharing(&self) -> Sharing {
        match (self.site.pacing, self.site.rules.sharing) {
            (Pacing::Published, _) | (Pacing::Careful, SharingRule::Equal) => Sharing::Equally,
            (Pacing::Careful, SharingRule::ByPriority | SharingRule::ByFairness | SharingRule::ByDeparture) => {
                Sharing::InLine
            }
        }
    }

    /// The wires whose current is counted; the published rule knows of no others than all.
    fn wiring(&self, live: &ChargerLive, connector: &ConnectorLive) -> Wiring {
        if live.charger.policy.rotation == Rotation::Unknown {
            return live.charger.counted_wiring(self.site.phases);
        }
        match self.site.pacing {
            Pacing::Careful => connector.wiring_in_use(self.now, &live.charger.wiring),
            Pacing::Published => live.charger.wiring.clone(),
        }
    }

    /// The circuits with their loads, counted chargers included.
    fn nodes(&self, side: Side) -> Vec<Node> {
        let mut nodes: Vec<Node> = self
            .tree
            .branches
            .iter()
            .zip(self.loads)
            .map(|(branch, load)| Node {
                parent: branch.parent.map(NodeIndex),
                limit: branch.limit.map(|limit| limit.saturating_sub(self.site.margin)),
                load: match side {
                    Side::Low => load.low,
                    Side::High => load.high,
                },
            })
            .collect();
        for ((charger, _), standing) in self.standings {
            let Standing::Counted { amount, .. } = standing else { continue };
            let Some(live) = self.chargers.get(charger) else { continue };
            let own = self.tree.index(&live.charger.circuit).unwrap_or(self.tree.root);
            for index in self.tree.path(own) {
                if let Some(node) = nodes.get_mut(index) {
                    node.load = sum(node.load, on_phases(live.charger.counted_phases(self.site.phases), *amount));
                }
            }
        }
        nodes
    }

    /// The node a charger's connectors hang on: a node of its own where several share the charger's maximum.
    fn node_of(&self, live: &ChargerLive, own: Option<usize>, nodes: &mut Vec<Node>) -> NodeIndex {
        let circuit = NodeIndex(own.unwrap_or(usize::MAX));
        if live.connectors.len() < 2 {
            return circuit;
        }
        let counted: MilliAmps = live
            .connectors
            .keys()
            .filter_map(|number| match self.standings.get(&(live.charger.id.clone(), *number)) {
                Some(Standing::Counted { amount, .. }) => Some(*amount),
                Some(Standing::Demand { .. } | Standing::Nothing(_)) | None => None,
            })
            .sum();
        nodes.push(Node { parent: Some(circuit), limit: PerPhase::splat(live.most()), load: PerPhase::splat(counted) });
        NodeIndex(nodes.len() - 1)
    }

    /// Whether the loads alone are beyond a limit above this charger.
    fn is_over(&self, nodes: &[Node], charger: &ChargerId) -> bool {
        let Some(live) = self.chargers.get(charger) else { return true };
        let Some(own) = self.tree.index(&live.charger.circuit) else { return true };
        self.tree.path(own).filter_map(|index| nodes.get(index)).any(|node| {
            live.charger
                .counted_phases(self.site.phases)
                .iter()
                .any(|wire| node.load.get(*wire) > node.limit.get(*wire))
        })
    }

    /// Whether there is room again for one that was sent to standby (preset `published`): at the grid connection for
    /// as many as charged there then, `needed`; further down, of which the published runs know nothing, for those
    /// who want current there now.
    fn may_return(
        &self,
        nodes: &[Node],
        (charger, node): (&ChargerId, NodeIndex),
        wiring: &Wiring,
        needed: MilliAmps,
    ) -> bool {
        let mut at = Some(node);
        for _ in 0..=nodes.len() {
            let Some((NodeIndex(index), found)) = at.and_then(|at| nodes.get(at.0).map(|found| (at, found))) else {
                break;
            };
            let needed = if found.parent.is_none() { needed } else { needed.min(self.minima_below(index, charger)) };
            let room = |wire| found.limit.get(wire).saturating_sub(*found.load.get(wire));
            if wiring.wires().iter().any(|wire| room(*wire) < needed) {
                return false;
            }
            at = found.parent;
        }
        true
    }

    /// The minimum of this charger and of every other that shares below a circuit.
    fn minima_below(&self, index: usize, charger: &ChargerId) -> MilliAmps {
        let is_below = |id: &ChargerId| {
            let own = self.chargers.get(id).and_then(|live| self.tree.index(&live.charger.circuit));
            own.is_some_and(|own| self.tree.path(own).any(|at| at == index))
        };
        let shares = |(key, standing): &(&Connector, &Standing)| {
            matches!(standing, Standing::Demand { .. }) && key.0 != *charger && is_below(&key.0)
        };
        let others = u32::try_from(self.standings.iter().filter(shares).count()).unwrap_or(u32::MAX);
        MilliAmps(self.site.min_charge.0.saturating_mul(others.saturating_add(1)))
    }

    fn someone_charges(&self, but: &Connector) -> bool {
        self.chargers.iter().any(|(id, live)| {
            live.connectors.iter().any(|(number, connector)| {
                let key = (id.clone(), *number);
                key != *but
                    && !connector.set.is_zero()
                    && matches!(self.standings.get(&key), Some(Standing::Demand { .. }))
            })
        })
    }

    fn fallbacks(&self) -> BTreeMap<ChargerId, MilliAmps> {
        self.chargers.iter().map(|(id, live)| (id.clone(), live.fallback_in_force())).collect()
    }

    pub(crate) fn reason(&self, share: &Share) -> Reason {
        let key = (share.charger.clone(), share.connector);
        let from = match self.standings.get(&key) {
            Some(Standing::Demand { from, .. }) => *from,
            Some(Standing::Counted { .. } | Standing::Nothing(_)) | None => MaxFrom::Charger,
        };
        match &share.cause {
            Cause::Maximum | Cause::BelowMinimum => match from {
                MaxFrom::Charger => Reason::ChargerMaximum,
                MaxFrom::Manager => Reason::ManagerLimit,
                MaxFrom::Tenant => Reason::TenantLimit,
                MaxFrom::Car(measured) => Reason::CarTakesLess { measured },
            },
            Cause::Shared { .. } if self.is_silent(&share.charger) => Reason::MeterSilent,
            Cause::Shared { cars, bottleneck, extra_amp } => {
                Reason::Shared { cars: *cars, bottleneck: self.place(*bottleneck), extra_amp: *extra_amp }
            }
            Cause::Waiting { place, bottleneck } => Reason::Waiting {
                min: self.site.min_charge,
                place: *place,
                bottleneck: bottleneck.and_then(|bottleneck| self.place(bottleneck)),
            },
            Cause::WaitingForTurn { max_active, place } => {
                Reason::WaitingForTurn { max_active: *max_active, place: *place }
            }
        }
    }

    fn place(&self, bottleneck: allocator::Bottleneck) -> Option<Bottleneck> {
        self.tree.bottleneck(bottleneck.node.0, bottleneck.phase)
    }

    fn is_silent(&self, charger: &ChargerId) -> bool {
        self.chargers.get(charger).is_some_and(|live| is_below_silence(self.tree, self.loads, live))
    }
}

/// Whether a meter of a circuit above this charger is silent.
pub(crate) fn is_below_silence(tree: &Tree, loads: &[Load], live: &ChargerLive) -> bool {
    let is_silent = |index: usize| loads.get(index).is_some_and(|load| load.basis == Basis::Silent);
    tree.index(&live.charger.circuit).is_some_and(|own| tree.path(own).any(is_silent))
}

impl Targets {
    /// The same division as if every connector were commanded what `set` says.
    pub(crate) fn as_commanded(&self, set: impl Fn(&Connector) -> MilliAmps) -> Plan {
        let shares = self.snapshot.demands.iter().map(|demand| Share {
            charger: demand.charger.clone(),
            connector: demand.connector,
            limit: set(&(demand.charger.clone(), demand.connector)),
            cause: Cause::Maximum,
        });
        Plan { shares: shares.collect() }
    }
}
