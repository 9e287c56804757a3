//! The check finds every broken rule, agrees with the allocator, and the safe plan always passes it.

use super::{amps, charger_id};
use crate::safe_plan::safe_plan;
use crate::{Violation, check};
use allocator::{Cause, Demand, Guide, Leftover, Node, NodeIndex, Plan, Share, Sharing, Snapshot, allocate};
use domain::{ConnectorNumber, MilliAmps, PerPhase, Phase, Wiring};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn demand(n: u32, node: usize, max: u16) -> Demand {
    Demand {
        charger: charger_id(n),
        connector: ConnectorNumber(1),
        node: NodeIndex(node),
        wiring: Wiring::three(),
        priority: 0,
        registered: n,
        max: amps(max),
        guide: Guide::default(),
    }
}

/// 30 A with 5 A taken, a feeder of 20 A below it, one car on each.
fn snapshot() -> Snapshot {
    let root = Node { parent: None, limit: PerPhase::splat(amps(30)), load: PerPhase::splat(amps(5)) };
    let feeder = Node { parent: Some(NodeIndex(0)), limit: PerPhase::splat(amps(20)), load: PerPhase::default() };
    Snapshot {
        nodes: vec![root, feeder],
        demands: vec![demand(1, 0, 16), demand(2, 1, 32)],
        min: amps(6),
        max_active: Some(2),
        leftover: Leftover::ToHigherPriority,
        sharing: Sharing::Equally,
    }
}

fn plan(limits: &[(u32, u32)]) -> Plan {
    let share = |(n, ma): &(u32, u32)| Share {
        charger: charger_id(*n),
        connector: ConnectorNumber(1),
        limit: MilliAmps(*ma),
        cause: Cause::Maximum,
    };
    Plan { shares: limits.iter().map(share).collect() }
}

/// Every rule, broken once.
#[test]
fn every_broken_rule_is_found() {
    let full = snapshot();
    assert_eq!(check(&full, &plan(&[(1, 12_000), (2, 13_000)])), Ok(()));
    assert_eq!(check(&full, &plan(&[])), Ok(()));
    let found = |limits: &[(u32, u32)]| check(&snapshot(), &plan(limits)).unwrap_err();
    assert!(matches!(found(&[(3, 6_000)]), Violation::Unasked { .. }));
    assert!(matches!(found(&[(1, 6_000), (1, 6_000)]), Violation::Unasked { .. }));
    assert!(matches!(found(&[(1, 5_000)]), Violation::OutOfRange { .. }));
    assert!(matches!(found(&[(1, 6_500)]), Violation::OutOfRange { .. }));
    assert!(matches!(found(&[(1, 17_000)]), Violation::OutOfRange { .. }));
    assert!(matches!(found(&[(2, 21_000)]), Violation::OverLimit { node: 1, phase: Phase::L1, .. }));
    assert!(matches!(found(&[(1, 13_000), (2, 13_000)]), Violation::OverLimit { node: 0, .. }));
    let one = Snapshot { max_active: Some(1), ..snapshot() };
    let both = plan(&[(1, 6_000), (2, 6_000)]);
    assert!(matches!(check(&one, &both), Err(Violation::TooManyActive { active: 2, max: 1 })));
    let mut overloaded = snapshot();
    overloaded.nodes[0].load.l2 = amps(31);
    assert!(check(&overloaded, &plan(&[(2, 6_000)])).is_err(), "the load alone is beyond the limit");
    assert_eq!(check(&overloaded, &plan(&[(2, 0)])), Ok(()));
    let mut circle = snapshot();
    circle.nodes[0].parent = Some(NodeIndex(1));
    assert!(check(&circle, &plan(&[(2, 6_000)])).is_err(), "no way up to a grid connection");
}

proptest! {
    /// Two programs written apart agree: what the allocator divides passes, and so does the safe plan.
    #[test]
    fn allocator_and_check_agree(
        limits in prop::collection::vec((0..70_000_u32, 0..70_000_u32, 0..30_000_u32), 1..4),
        cars in prop::collection::vec((0..4_usize, 0..40_u16, 0..4_u8), 0..8),
        max_active in prop::option::of(0..5_u16),
        fallback in 0..20_u32,
    ) {
        let nodes = limits.iter().enumerate().map(|(i, (a, b, load))| Node {
            parent: i.checked_sub(1).map(NodeIndex),
            limit: PerPhase::new(MilliAmps(*a), MilliAmps(*b), MilliAmps(*a)),
            load: PerPhase::splat(MilliAmps(*load)),
        });
        let wirings = [
            Wiring::three(),
            Wiring::single(),
            Wiring::new(vec![Phase::L2]).unwrap(),
            Wiring::new(vec![Phase::L3, Phase::L2]).unwrap(),
        ];
        let demands = (1..).zip(&cars).map(|(n, (node, max, wiring))| Demand {
            wiring: wirings[usize::from(*wiring)].clone(),
            ..demand(n, *node, *max)
        });
        let snapshot = Snapshot {
            nodes: nodes.collect(),
            demands: demands.collect(),
            min: amps(6),
            max_active,
            leftover: Leftover::ToHigherPriority,
            sharing: Sharing::Equally,
        };
        prop_assert_eq!(check(&snapshot, &allocate(&snapshot)), Ok(()));
        let kept = Snapshot { leftover: Leftover::Kept, ..snapshot.clone() };
        prop_assert_eq!(check(&kept, &allocate(&kept)), Ok(()));
        let in_line = Snapshot { sharing: Sharing::InLine, ..snapshot.clone() };
        prop_assert_eq!(check(&in_line, &allocate(&in_line)), Ok(()));
        let fallbacks: BTreeMap<_, _> =
            snapshot.demands.iter().map(|d| (d.charger.clone(), MilliAmps(fallback * 1000 + 300))).collect();
        let safe = safe_plan(&snapshot, &fallbacks);
        prop_assert_eq!(safe.shares.len(), snapshot.demands.len());
        prop_assert_eq!(check(&snapshot, &safe), Ok(()));
    }
}
