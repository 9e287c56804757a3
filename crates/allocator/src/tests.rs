use crate::{Cause, Demand, Guide, Leftover, Node, NodeIndex, Plan, Sharing, Snapshot, allocate};
use domain::{ChargerId, ConnectorNumber, MilliAmps, PerPhase, Phase, Wiring};
use proptest::prelude::*;

pub(crate) fn amps(a: u16) -> MilliAmps {
    MilliAmps::from_amps(a)
}

fn root(limit_ma: u32) -> Node {
    Node { parent: None, limit: PerPhase::splat(MilliAmps(limit_ma)), load: PerPhase::default() }
}

pub(crate) fn car(number: u32, wiring: Wiring) -> Demand {
    Demand {
        charger: ChargerId::new(format!("C{number}")).unwrap(),
        connector: ConnectorNumber(1),
        node: NodeIndex(0),
        wiring,
        priority: 0,
        registered: number,
        max: amps(32),
        guide: Guide::default(),
    }
}

pub(crate) fn single(limit_ma: u32, cars: u32, leftover: Leftover) -> Snapshot {
    Snapshot {
        nodes: vec![root(limit_ma)],
        demands: (1..=cars).map(|n| car(n, Wiring::single())).collect(),
        min: amps(6),
        max_active: None,
        leftover,
        sharing: Sharing::Equally,
    }
}

pub(crate) fn limits(plan: &Plan) -> Vec<u32> {
    plan.shares.iter().map(|share| share.limit.amps_floor()).collect()
}

/// The published divisions, and ours where an ampere would be stranded.
#[test]
fn whole_amperes_divide_as_published() {
    for (room_ma, cars, kept, ours) in [
        (26_800, 1, vec![26], vec![26]),
        (25_000, 2, vec![12, 12], vec![13, 12]),
        (25_000, 3, vec![8, 8, 8], vec![9, 8, 8]),
        (17_900, 3, vec![8, 8, 0], vec![9, 8, 0]),
        (13_600, 2, vec![6, 6], vec![7, 6]),
        (13_600, 1, vec![13], vec![13]),
        (5_999, 1, vec![0], vec![0]),
        (200_000, 2, vec![32, 32], vec![32, 32]),
    ] {
        assert_eq!(limits(&allocate(&single(room_ma, cars, Leftover::Kept))), kept, "{room_ma} mA, kept");
        assert_eq!(limits(&allocate(&single(room_ma, cars, Leftover::ToHigherPriority))), ours, "{room_ma} mA");
    }
}

/// Reasons name the place, how many share it and who stands where in line.
#[test]
fn causes_name_bottleneck_and_place() {
    let plan = allocate(&single(13_600, 4, Leftover::ToHigherPriority));
    let causes: Vec<_> = plan.shares.iter().map(|share| share.cause.clone()).collect();
    assert!(matches!(causes[0], Cause::Shared { cars: 2, extra_amp: true, .. }), "{causes:?}");
    assert!(matches!(causes[1], Cause::Shared { cars: 2, extra_amp: false, .. }), "{causes:?}");
    assert!(matches!(causes[2], Cause::Waiting { place: 1, bottleneck: Some(_) }), "{causes:?}");
    assert!(matches!(causes[3], Cause::Waiting { place: 2, .. }), "{causes:?}");
}

/// The number of active chargers is a limit of its own.
#[test]
fn only_so_many_are_active() {
    let snapshot = Snapshot { max_active: Some(1), ..single(60_000, 2, Leftover::ToHigherPriority) };
    let plan = allocate(&snapshot);
    assert_eq!(limits(&plan), [32, 0]);
    assert_eq!(plan.shares[1].cause, Cause::WaitingForTurn { max_active: 1, place: 1 });
}

/// A single-phase car that waits for L1 does not keep a car on L2 from charging.
#[test]
fn phases_are_apart() {
    let mut snapshot = single(20_000, 3, Leftover::ToHigherPriority);
    snapshot.nodes[0].load = PerPhase::new(amps(15), amps(0), amps(0));
    snapshot.demands[1].wiring = Wiring::new(vec![Phase::L2]).unwrap();
    snapshot.demands[2].wiring = Wiring::three();
    assert_eq!(limits(&allocate(&snapshot)), [0, 20, 0]);
}

/// What hangs on a circuit that does not exist, or on a circle, carries nothing.
#[test]
fn broken_trees_give_nothing() {
    let mut snapshot = single(30_000, 1, Leftover::ToHigherPriority);
    snapshot.demands[0].node = NodeIndex(7);
    assert_eq!(limits(&allocate(&snapshot)), [0]);
    snapshot.demands[0].node = NodeIndex(0);
    snapshot.nodes[0].parent = Some(NodeIndex(0));
    assert_eq!(limits(&allocate(&snapshot)), [0]);
}

pub(crate) fn wiring() -> impl Strategy<Value = Wiring> + Clone + 'static {
    prop_oneof![
        Just(Wiring::three()),
        Just(Wiring::single()),
        Just(Wiring::new(vec![Phase::L2]).unwrap()),
        Just(Wiring::new(vec![Phase::L3]).unwrap()),
        Just(Wiring::new(vec![Phase::L3, Phase::L1]).unwrap()),
    ]
}

fn per_phase(max: u32) -> impl Strategy<Value = PerPhase<MilliAmps>> {
    (0..=max, 0..=max, 0..=max).prop_map(|(a, b, c)| PerPhase::new(MilliAmps(a), MilliAmps(b), MilliAmps(c)))
}

pub(crate) fn buildings(wiring: impl Strategy<Value = Wiring> + Clone + 'static) -> impl Strategy<Value = Snapshot> {
    let node = (any::<prop::sample::Index>(), per_phase(100_000), per_phase(30_000));
    let demand = (any::<prop::sample::Index>(), wiring, -2..3_i32, 0..40_000_u32);
    (
        prop::collection::vec(node, 1..5),
        prop::collection::vec(demand, 0..9),
        prop::option::of(0..6_u16),
        prop::bool::ANY,
    )
        .prop_map(|(nodes, demands, max_active, kept)| {
            let count = nodes.len();
            let nodes = nodes
                .into_iter()
                .enumerate()
                .map(|(i, (parent, limit, load))| Node {
                    parent: (i > 0).then(|| NodeIndex(parent.index(i))),
                    limit,
                    load,
                })
                .collect();
            let demands = (0_u32..)
                .zip(demands)
                .map(|(n, (node, wiring, priority, max))| Demand {
                    node: NodeIndex(node.index(count)),
                    priority,
                    max: MilliAmps(max),
                    ..car(n + 1, wiring)
                })
                .collect();
            let leftover = if kept { Leftover::Kept } else { Leftover::ToHigherPriority };
            Snapshot { nodes, demands, min: amps(6), max_active, leftover, sharing: Sharing::Equally }
        })
}

pub(crate) fn limit_of(plan: &Plan, demand: &Demand) -> MilliAmps {
    plan.share(&demand.charger, demand.connector).unwrap().limit
}

/// What flows through a circuit and phase when the plan is followed, the uncontrolled load included.
pub(crate) fn flow(snapshot: &Snapshot, plan: &Plan, node: usize, phase: Phase) -> MilliAmps {
    let below = |mut at: usize| loop {
        if at == node {
            return true;
        }
        match snapshot.nodes[at].parent {
            Some(NodeIndex(parent)) => at = parent,
            None => return false,
        }
    };
    let cars: MilliAmps =
        snapshot.demands.iter().filter(|d| d.wiring.uses(phase) && below(d.node.0)).map(|d| limit_of(plan, d)).sum();
    cars + *snapshot.nodes[node].load.get(phase)
}

proptest! {
    /// No circuit and phase carries more than its limit, unless its own load already does and cars get nothing.
    #[test]
    fn never_exceeds_any_place(snapshot in buildings(wiring())) {
        let plan = allocate(&snapshot);
        for (index, node) in snapshot.nodes.iter().enumerate() {
            for (phase, limit) in node.limit.iter() {
                let most = (*limit).max(*node.load.get(phase));
                prop_assert!(flow(&snapshot, &plan, index, phase) <= most, "node {index} {phase:?}: {plan:?}");
            }
        }
    }

    /// A share is nothing or whole amperes between the minimum and what the connector can use.
    #[test]
    fn shares_are_whole_amperes_in_range(snapshot in buildings(wiring())) {
        let plan = allocate(&snapshot);
        prop_assert_eq!(plan.shares.len(), snapshot.demands.len());
        let active = plan.shares.iter().filter(|s| !s.limit.is_zero()).count();
        prop_assert!(snapshot.max_active.is_none_or(|max| active <= usize::from(max)));
        for demand in &snapshot.demands {
            let limit = limit_of(&plan, demand);
            prop_assert!(limit.is_zero() || (limit.0.is_multiple_of(1000) && limit >= amps(6) && limit <= demand.max));
        }
    }

    /// While the higher priority takes the leftover, no ampere is stranded that an active car could use, and
    /// nobody waits who would fit.
    #[test]
    fn nothing_is_stranded(mut snapshot in buildings(wiring())) {
        snapshot.leftover = Leftover::ToHigherPriority;
        let plan = allocate(&snapshot);
        let active = plan.shares.iter().filter(|s| !s.limit.is_zero()).count();
        for demand in &snapshot.demands {
            let limit = limit_of(&plan, demand);
            let step = if limit.is_zero() { amps(6) } else { amps(1) };
            let turn = !limit.is_zero() || snapshot.max_active.is_none_or(|max| active < usize::from(max));
            if !turn || limit + step > demand.max {
                continue;
            }
            let mut at = Some(demand.node);
            let mut fits = true;
            while let Some(NodeIndex(index)) = at {
                for wire in demand.wiring.wires() {
                    fits &= flow(&snapshot, &plan, index, *wire) + step <= *snapshot.nodes[index].limit.get(*wire);
                }
                at = snapshot.nodes[index].parent;
            }
            prop_assert!(!fits, "{:?} could have {step} more: {plan:?}", demand.charger);
        }
    }

    /// Nobody waits while someone of lower priority holds what the minimum needs.
    #[test]
    fn standby_follows_priority(snapshot in buildings(wiring())) {
        let plan = allocate(&snapshot);
        for demand in snapshot.demands.iter().filter(|d| d.max >= amps(6)) {
            if !limit_of(&plan, demand).is_zero() {
                continue;
            }
            let mut ahead = snapshot.clone();
            let key = |d: &Demand| (std::cmp::Reverse(d.priority), d.registered);
            ahead.demands.retain(|d| key(d) <= key(demand));
            prop_assert!(limit_of(&allocate(&ahead), demand).is_zero(), "{:?} waits for a lower one", demand.charger);
        }
    }

    /// Raising a priority never lowers that connector.
    #[test]
    fn raising_a_priority_never_hurts(snapshot in buildings(wiring()), who in any::<prop::sample::Index>()) {
        if snapshot.demands.is_empty() {
            return Ok(());
        }
        let who = who.index(snapshot.demands.len());
        let before = limit_of(&allocate(&snapshot), &snapshot.demands[who]);
        let mut raised = snapshot;
        raised.demands[who].priority += 2;
        prop_assert!(limit_of(&allocate(&raised), &raised.demands[who]) >= before);
    }

    /// With one phase and nobody waiting, a connector that leaves never lowers one that stays.
    #[test]
    fn leaving_never_hurts(mut snapshot in buildings(Just(Wiring::single())), who in any::<prop::sample::Index>()) {
        snapshot.leftover = Leftover::ToHigherPriority;
        let all = allocate(&snapshot);
        snapshot.demands.retain(|demand| !limit_of(&all, demand).is_zero());
        if snapshot.demands.is_empty() {
            return Ok(());
        }
        let before = allocate(&snapshot);
        let mut smaller = snapshot;
        smaller.demands.remove(who.index(smaller.demands.len()));
        let after = allocate(&smaller);
        for demand in &smaller.demands {
            prop_assert!(limit_of(&after, demand) >= limit_of(&before, demand), "{before:?} {after:?}");
        }
    }

    /// More room everywhere never lowers the sum of what is given, with one phase and nobody waiting.
    #[test]
    fn room_is_used(mut snapshot in buildings(Just(Wiring::single()))) {
        snapshot.leftover = Leftover::ToHigherPriority;
        let all = allocate(&snapshot);
        snapshot.demands.retain(|demand| !limit_of(&all, demand).is_zero());
        let sum = |plan: &Plan| plan.shares.iter().map(|s| s.limit).sum::<MilliAmps>();
        let before = sum(&allocate(&snapshot));
        for node in &mut snapshot.nodes {
            node.limit = node.limit.map(|limit| limit + amps(3));
        }
        prop_assert!(sum(&allocate(&snapshot)) >= before);
    }

    /// The same building gives the same plan, in whatever order its connectors are listed.
    #[test]
    fn order_of_the_list_is_nothing(snapshot in buildings(wiring())) {
        let mut reversed = snapshot.clone();
        reversed.demands.reverse();
        prop_assert_eq!(allocate(&snapshot), allocate(&reversed));
    }
}
