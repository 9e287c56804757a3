//! The room for cars on every circuit, by how fast they follow; and who gets it, by the allocator's rule.

use super::{CUT_FACTOR, Care, FULL_MILLI, Guard, Lateness, PINNED_FACTOR, PINNED_LEAST, PINNED_MOST, Rate, Step};
use crate::plan::Connector;
use allocator::{Demand, Node, NodeIndex, Plan, Snapshot, allocate};
use domain::{Instant, MilliAmps, PerPhase, Phase};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// A cut may have to wait this long for the pilot, in s.
const PILOT_S: u32 = 5;
const AMPERE: MilliAmps = MilliAmps::from_amps(1);

/// One picture of the site, with the room that is kept free in it.
pub(crate) struct Picture<'a> {
    guard: &'a Guard,
    snapshot: Snapshot,
    lateness: Lateness,
    /// What is over within seconds: it stops nobody, yet who can gives way to it.
    inrush: BTreeMap<usize, PerPhase<MilliAmps>>,
    /// What may switch on, by watched circuit and phase.
    steps: BTreeMap<usize, PerPhase<Vec<Step>>>,
    /// Most that building and cars may carry together, as far as it was asked for: it does not depend on the levels.
    ceilings: RefCell<BTreeMap<(usize, Phase, u32, Care), i64>>,
}

/// Why shares are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Something has to go now.
    Cut,
    /// There is time.
    None,
}

pub(super) fn key_of(demand: &Demand) -> Connector {
    (demand.charger.clone(), demand.connector)
}

impl<'a> Picture<'a> {
    pub(crate) fn new(guard: &'a Guard, snapshot: Snapshot, lateness: Lateness, now: Instant) -> Self {
        let available = |watch: &super::Watch| {
            let of = |phase| watch.steps.get(phase).available();
            PerPhase::new(of(Phase::L1), of(Phase::L2), of(Phase::L3))
        };
        let steps = guard.watches.iter().map(|(index, watch)| (*index, available(watch))).collect();
        let inrush = guard.watches.iter().map(|(index, watch)| (*index, watch.inrush(now))).collect();
        let mut this = Self { guard, snapshot, lateness, inrush, steps, ceilings: RefCell::default() };
        // Among equals who follows faster comes first.
        for demand in &mut this.snapshot.demands {
            demand.guide.rank = rank(guard, &key_of(demand));
            demand.guide.row = None;
        }
        this
    }

    /// Within how many seconds a car follows.
    fn speed(&self, key: &Connector, care: Care) -> u32 {
        let car = self.guard.cars.get(key);
        match care {
            Care::Flexible | Care::Pinned | Care::Cut => car.map_or(16, super::Car::response_s),
            Care::Minimum => car.map_or(11, super::Car::stop_s),
            Care::Entry => car.map_or(16, super::Car::response_s) + PILOT_S,
        }
    }

    pub(crate) const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Replaces the building's levels.
    pub(crate) fn at_peak(mut self, back: domain::DurationMs, now: Instant) -> Self {
        for (index, watch) in &self.guard.watches {
            let Some(node) = self.snapshot.nodes.get_mut(*index) else { continue };
            node.load = node.load.zip(watch.above_newest(now, back)).map(|(load, more)| load + more);
        }
        self
    }

    /// Room on a phase of a circuit for cars that follow within `speed_s` or later; negative where less is needed.
    fn room(&self, index: usize, phase: Phase, speed_s: u32, care: Care) -> i64 {
        let Some(node) = self.snapshot.nodes.get(index) else { return 0 };
        let (limit, load) = (*node.limit.get(phase), i64::from(node.load.get(phase).0));
        let key = (index, phase, speed_s, care);
        let known = self.ceilings.borrow().get(&key).copied();
        let ceiling = known.unwrap_or_else(|| {
            let ceiling = self.ceiling(index, phase, speed_s, care).unwrap_or_else(|| i64::from(limit.0));
            self.ceilings.borrow_mut().insert(key, ceiling);
            ceiling
        });
        let inrush = match care {
            Care::Flexible | Care::Pinned | Care::Cut | Care::Entry => {
                self.inrush.get(&index).map(|inrush| inrush.get(phase).0)
            }
            Care::Minimum => None,
        };
        ceiling - load - i64::from(inrush.unwrap_or_default())
    }

    /// Most that a phase of a watched circuit may carry with cars that follow within `speed_s` or later.
    fn ceiling(&self, index: usize, phase: Phase, speed_s: u32, care: Care) -> Option<i64> {
        let (watch, steps) = (self.guard.watches.get(&index)?, self.steps.get(&index)?.get(phase));
        let limit = *self.snapshot.nodes.get(index)?.limit.get(phase);
        let factor = match care {
            Care::Flexible | Care::Entry => 1,
            Care::Minimum => self.lateness.stop_factor(),
            Care::Pinned => self.pinned_factor(),
            Care::Cut => CUT_FACTOR,
        };
        let accepted = self.lateness.accepted() * factor;
        let reserve = watch.reserve(steps, speed_s, accepted, self.lateness.extra_s());
        let by_time = signed(u64::from(limit.0) * watch.cap_milli / 1000) - i64::from(reserve.0);
        Some(match care {
            Care::Minimum => by_time.min(i64::from(limit.0)),
            Care::Pinned | Care::Cut | Care::Entry => by_time,
            Care::Flexible => {
                let by_excess = signed(watch.most_by_excess(limit, steps, speed_s, self.lateness.accepted()));
                by_time.min(by_excess).min(signed(u64::from(limit.0) * FULL_MILLI / 1000))
            }
        })
    }

    fn pinned_factor(&self) -> Rate {
        let demands = &self.snapshot.demands;
        let of = |phase: Phase| demands.iter().filter(|demand| demand.wiring.uses(phase)).map(|_| 1).sum::<Rate>();
        let wires: Rate = Phase::ALL.into_iter().map(of).sum();
        let phases: Rate = Phase::ALL.into_iter().map(|phase| of(phase).min(1)).sum();
        (PINNED_FACTOR / (wires * phases).max(1)).clamp(PINNED_LEAST, PINNED_MOST)
    }

    /// The circuits with everything taken that cars of this speed may not use.
    fn nodes(&self, speed_s: u32, care: Care) -> Vec<Node> {
        let mut nodes = self.snapshot.nodes.clone();
        for index in self.guard.watches.keys() {
            let Some(node) = nodes.get_mut(*index) else { continue };
            for phase in Phase::ALL {
                let limit = i64::from(node.limit.get(phase).0);
                let load = limit - self.room(*index, phase, speed_s, care);
                *node.load.get_mut(phase) = MilliAmps(u32::try_from(load.max(0)).unwrap_or(u32::MAX));
            }
        }
        nodes
    }

    fn speeds(&self, among: &BTreeSet<Connector>, care: Care) -> BTreeSet<u32> {
        among.iter().map(|key| self.speed(key, care)).collect()
    }

    /// Who of those that charge keeps at least the minimum. Where it does not fit, the one whose stop shows first goes.
    pub(crate) fn kept(&self, charging: &BTreeSet<Connector>) -> BTreeSet<Connector> {
        let mut kept = charging.clone();
        for index in self.guard.used_up() {
            for demand in &self.snapshot.demands {
                if path(&self.snapshot.nodes, demand).contains(&index) {
                    kept.remove(&key_of(demand));
                }
            }
        }
        for level in self.speeds(charging, Care::Minimum) {
            let is_slow = |key: &Connector| self.speed(key, Care::Minimum) >= level;
            let mut part = Snapshot { nodes: self.nodes(level, Care::Minimum), ..self.snapshot.clone() };
            part.demands.retain(|demand| kept.contains(&key_of(demand)) && is_slow(&key_of(demand)));
            for demand in &mut part.demands {
                demand.max = part.min;
                demand.guide.rank = 100 - self.speed(&key_of(demand), Care::Minimum).min(100);
            }
            for share in allocate(&part).shares {
                if share.limit.is_zero() {
                    kept.remove(&(share.charger, share.connector));
                }
            }
        }
        kept
    }

    /// What those who keep the minimum get, each at most `cap`. Where a cut is urgent the slower ones are served first,
    /// so that what goes is taken from those that follow at once; otherwise all share by the allocator's rule.
    pub(crate) fn shares(
        &self,
        kept: &BTreeSet<Connector>,
        urgency: Urgency,
        cap: impl Fn(&Demand) -> MilliAmps,
    ) -> (BTreeMap<Connector, MilliAmps>, Plan) {
        let min = self.snapshot.min;
        let mut most: BTreeMap<Connector, MilliAmps> = BTreeMap::new();
        for demand in self.snapshot.demands.iter().filter(|demand| kept.contains(&key_of(demand))) {
            most.insert(key_of(demand), cap(demand).min(demand.max).saturating_sub(min));
        }
        let mut plan = Plan::default();
        for level in self.speeds(kept, Care::Flexible).into_iter().rev() {
            let is_slow = |key: &Connector| self.speed(key, Care::Flexible) >= level;
            let mut part = Snapshot { nodes: self.nodes(level, Care::Flexible), min: AMPERE, ..self.snapshot.clone() };
            part.max_active = None;
            part.demands.retain(|demand| kept.contains(&key_of(demand)) && is_slow(&key_of(demand)));
            for demand in &mut part.demands {
                demand.max = most.get(&key_of(demand)).copied().unwrap_or_default();
                add(&mut part.nodes, demand, min);
            }
            if urgency == Urgency::Cut {
                self.serve_slower_first(&mut part, level);
            }
            plan = allocate(&part);
            for share in &plan.shares {
                most.insert((share.charger.clone(), share.connector), share.limit);
            }
        }
        (most.into_iter().map(|(key, more)| (key, min + more)).collect(), plan)
    }

    /// Takes those out who follow more slowly than this and have what they have, unless not even the minimum of the
    /// others fits beside it: then all give.
    fn serve_slower_first(&self, part: &mut Snapshot, level: u32) {
        let is_slower = |demand: &&Demand| self.speed(&key_of(demand), Care::Flexible) > level;
        let mut nodes = part.nodes.clone();
        part.demands.iter().filter(is_slower).for_each(|demand| add(&mut nodes, demand, demand.max));
        let fits = |node: &Node| Phase::ALL.iter().all(|phase| node.load.get(*phase) <= node.limit.get(*phase));
        if nodes.iter().all(fits) {
            part.demands.retain(|demand| !is_slower(&demand));
            part.nodes = nodes;
        }
    }

    /// Whether everybody who charges and these fit with their minimum, with all room kept free.
    pub(crate) fn admits(&self, charging: &BTreeSet<Connector>, newcomer: &Connector) -> bool {
        let mut all = charging.clone();
        all.insert(newcomer.clone());
        let fits = |care: Care| {
            self.speeds(&all, care).into_iter().all(|level| {
                let is_slow = |key: &Connector| self.speed(key, care) >= level;
                let mut part = Snapshot { nodes: self.nodes(level, care), ..self.snapshot.clone() };
                part.demands.retain(|demand| all.contains(&key_of(demand)) && is_slow(&key_of(demand)));
                part.demands.iter_mut().for_each(|demand| demand.max = part.min);
                allocate(&part).shares.iter().all(|share| !share.limit.is_zero())
            })
        };
        // A cut to the minimum makes a stop wait for the pilot, so one more must not make both likely.
        let bears_both = charging.is_empty() || fits(Care::Entry);
        fits(Care::Flexible) && bears_both && self.kept(&all) == all
    }

    /// Whether what is commanded fits, but for `slack`.
    pub(crate) fn fits(&self, set: &BTreeMap<Connector, MilliAmps>, slack: MilliAmps) -> bool {
        let keys: BTreeSet<Connector> = set.keys().cloned().collect();
        self.speeds(&keys, Care::Flexible).into_iter().all(|level| {
            let mut flows: Vec<Node> = self.snapshot.nodes.clone();
            flows.iter_mut().for_each(|node| node.load = PerPhase::default());
            for demand in &self.snapshot.demands {
                let key = key_of(demand);
                if self.speed(&key, Care::Flexible) >= level {
                    add(&mut flows, demand, set.get(&key).copied().unwrap_or_default());
                }
            }
            flows.iter().enumerate().all(|(index, flow)| {
                flow.load.iter().all(|(phase, amount)| {
                    let room = self.room(index, phase, level, Care::Flexible) + i64::from(slack.0);
                    amount.is_zero() || i64::from(amount.0) <= room
                })
            })
        })
    }

    /// Whether the site bears a step while these have a change of their pilot behind them, so that their next cut comes
    /// later. Such moments are few, so more is accepted in them.
    pub(crate) fn bears(&self, set: &BTreeMap<Connector, MilliAmps>, pinned: &BTreeSet<Connector>) -> bool {
        self.beyond(set, pinned, Care::Pinned) == 0
    }

    /// By how much what is left after a cut is too much to bear another step until these pilots may change again.
    pub(crate) fn unborne(&self, set: &BTreeMap<Connector, MilliAmps>, pinned: &BTreeSet<Connector>) -> i64 {
        self.beyond(set, pinned, Care::Cut)
    }

    /// What those who follow late have beyond the room for them, over all circuits and phases, where these are as much
    /// later as a pilot waits.
    fn beyond(&self, set: &BTreeMap<Connector, MilliAmps>, pinned: &BTreeSet<Connector>, care: Care) -> i64 {
        let speed = |key: &Connector| self.speed(key, Care::Flexible) + if pinned.contains(key) { PILOT_S } else { 0 };
        let levels: BTreeSet<u32> = pinned.iter().map(speed).collect();
        let mut beyond = 0;
        for level in levels {
            let mut flows: Vec<Node> = self.snapshot.nodes.clone();
            flows.iter_mut().for_each(|node| node.load = PerPhase::default());
            for demand in &self.snapshot.demands {
                let key = key_of(demand);
                if speed(&key) >= level {
                    add(&mut flows, demand, set.get(&key).copied().unwrap_or_default());
                }
            }
            for (index, flow) in flows.iter().enumerate() {
                for (phase, amount) in flow.load.iter().filter(|(_, amount)| !amount.is_zero()) {
                    beyond += (i64::from(amount.0) - self.room(index, phase, level, care)).max(0);
                }
            }
        }
        beyond
    }

    /// What a newcomer could use of the room that these shares leave, over all its wires: none where every watched
    /// circuit above it is used up on all its phases.
    pub(crate) fn gain(&self, shares: &BTreeMap<Connector, MilliAmps>, newcomer: &Demand, usable: MilliAmps) -> i64 {
        let fastest = self.guard.cars.values().map(super::Car::response_s).min().unwrap_or(16);
        let watched = |index: &usize| self.guard.watches.contains_key(index);
        let places: Vec<usize> = path(&self.snapshot.nodes, newcomer).into_iter().filter(watched).collect();
        let taken = |phase: Phase| -> MilliAmps {
            let on_it = self.snapshot.demands.iter().filter(|other| other.wiring.uses(phase));
            on_it.map(|other| shares.get(&key_of(other)).copied().unwrap_or_default()).sum()
        };
        let left = |phase: &Phase| {
            let rooms = places.iter().map(|index| self.room(*index, *phase, fastest, Care::Flexible));
            let left = rooms.min().unwrap_or(i64::MAX).saturating_sub(i64::from(taken(*phase).0));
            left.clamp(0, i64::from(usable.0))
        };
        newcomer.wiring.wires().iter().map(left).sum()
    }
}

/// Place among equals: who follows fast, then who is not known yet, then who follows slowly.
pub(super) fn rank(guard: &Guard, key: &Connector) -> u32 {
    guard.cars.get(key).map_or(9, |car| if car.is_known() { 2 * car.response_s() } else { 9 })
}

fn path(nodes: &[Node], demand: &Demand) -> Vec<usize> {
    let mut path = Vec::new();
    let mut at = Some(demand.node);
    while let Some(NodeIndex(index)) = at {
        let Some(node) = nodes.get(index).filter(|_| path.len() <= nodes.len()) else { break };
        path.push(index);
        at = node.parent;
    }
    path
}

/// Adds a demand's current to every circuit it flows through.
fn add(nodes: &mut [Node], demand: &Demand, amount: MilliAmps) {
    for index in path(nodes, demand) {
        let Some(node) = nodes.get_mut(index) else { continue };
        for wire in demand.wiring.wires() {
            let load = node.load.get_mut(*wire);
            *load += amount;
        }
    }
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
