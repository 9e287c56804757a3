//! Division in line.

use crate::tests::{amps, buildings, car, flow, limit_of, limits, single, wiring};
use crate::{Demand, Guide, Leftover, NodeIndex, Plan, Sharing, Snapshot, allocate};
use domain::{MilliAmps, Phase, Wiring};
use proptest::prelude::*;

fn line(room_ma: u32, cars: &[(u16, bool)]) -> Snapshot {
    let mut snapshot = single(room_ma, 0, Leftover::ToHigherPriority);
    snapshot.sharing = Sharing::InLine;
    snapshot.demands = (1..)
        .zip(cars)
        .map(|(n, (usable, keeps))| Demand {
            guide: Guide { rank: n, usable: amps(*usable), keeps: *keeps, ..Guide::default() },
            ..car(n, Wiring::single())
        })
        .collect();
    snapshot
}

/// Who is ahead gets all; an ampere below the minimum is never stranded while somebody waits; what nobody can
/// use for certain is offered; who was just switched on keeps the minimum.
#[test]
fn the_first_in_line_gets_all() {
    for (room_ma, cars, expected) in [
        (30_000, vec![(16, false), (16, false)], vec![16, 14]),
        (20_000, vec![(16, false), (16, false)], vec![14, 6]),
        (11_000, vec![(16, false), (16, false)], vec![11, 0]),
        (16_000, vec![(16, false), (16, false)], vec![16, 0]),
        (16_000, vec![(16, false), (16, true)], vec![10, 6]),
        (26_000, vec![(10, false), (10, false)], vec![16, 10]),
        (5_900, vec![(16, true)], vec![0]),
        (32_000, vec![(16, false), (10, false), (6, false)], vec![16, 10, 6]),
    ] {
        assert_eq!(limits(&allocate(&line(room_ma, &cars))), expected, "{room_ma} mA, {cars:?}");
    }
}

/// Who stand in one row share equally what their cars use, behind those ahead; minimums go in line where they do not go
/// round.
#[test]
fn a_row_shares_equally() {
    for (room_ma, expected) in [
        (50_000, [16, 12, 11, 11]),
        (40_000, [16, 8, 8, 8]),
        (30_000, [12, 6, 6, 6]),
        (25_000, [13, 6, 6, 0]),
        (19_000, [13, 6, 0, 0]),
        (66_000, [18, 16, 16, 16]),
    ] {
        let mut snapshot = line(room_ma, &[(16, false), (16, false), (16, false), (16, false)]);
        for (demand, row) in snapshot.demands.iter_mut().zip([None, Some(2), Some(2), Some(2)]) {
            demand.guide.row = row;
        }
        assert_eq!(limits(&allocate(&snapshot)), expected, "{room_ma} mA");
    }
}

/// A higher priority is served before anybody who is ahead in line at a lower one.
#[test]
fn priority_comes_before_the_line() {
    let mut snapshot = line(16_000, &[(16, true), (16, false)]);
    snapshot.demands[1].priority = 1;
    let plan = allocate(&snapshot);
    assert_eq!(limit_of(&plan, &snapshot.demands[1]), amps(16));
    assert_eq!(limit_of(&plan, &snapshot.demands[0]), amps(0));
}

/// Whom a pause would strand keeps the minimum beside any higher priority, by both rules; the rest goes by priority.
#[test]
fn who_must_not_be_paused_keeps_the_minimum() {
    for (sharing, expected) in [(Sharing::InLine, [6, 10, 0]), (Sharing::Equally, [8, 8, 0])] {
        let mut snapshot = line(16_000, &[(16, false), (16, false), (16, false)]);
        snapshot.sharing = sharing;
        snapshot.demands[0].guide.unpausable = true;
        snapshot.demands[1].priority = 1;
        let plan = allocate(&snapshot);
        let got: Vec<u32> = snapshot.demands.iter().map(|demand| limit_of(&plan, demand).amps_floor()).collect();
        assert_eq!(got, expected, "{sharing:?}");
    }
}

fn lines(wiring: impl Strategy<Value = Wiring> + Clone + 'static) -> impl Strategy<Value = Snapshot> {
    let guide = (
        (0..4_u32, prop::option::of(0..3_u32)),
        0..40_000_u32,
        any::<bool>(),
        prop_oneof![Just(0), 0..20_000_u32],
        prop::bool::weighted(0.2),
    );
    (buildings(wiring), prop::collection::vec(guide, 9)).prop_map(|(mut snapshot, guides)| {
        snapshot.sharing = Sharing::InLine;
        for (demand, ((rank, row), usable, keeps, floor, unpausable)) in snapshot.demands.iter_mut().zip(guides) {
            demand.guide = Guide { rank, row, usable: MilliAmps(usable), keeps, floor: MilliAmps(floor), unpausable };
        }
        snapshot
    })
}

fn fits(snapshot: &Snapshot, plan: &Plan, demand: &Demand, step: MilliAmps) -> bool {
    let mut at = Some(demand.node);
    while let Some(NodeIndex(index)) = at {
        for wire in demand.wiring.wires() {
            if flow(snapshot, plan, index, *wire) + step > *snapshot.nodes[index].limit.get(*wire) {
                return false;
            }
        }
        at = snapshot.nodes[index].parent;
    }
    true
}

proptest! {
    /// No circuit and phase carries more than its limit for the sake of a car, every share can be commanded, and
    /// no more are active than may be.
    #[test]
    fn limits_hold(snapshot in lines(wiring())) {
        let plan = allocate(&snapshot);
        for (index, node) in snapshot.nodes.iter().enumerate() {
            for phase in Phase::ALL {
                let most = (*node.limit.get(phase)).max(*node.load.get(phase));
                prop_assert!(flow(&snapshot, &plan, index, phase) <= most);
            }
        }
        for demand in &snapshot.demands {
            let limit = limit_of(&plan, demand);
            prop_assert!(limit.is_zero() || (limit >= snapshot.min && limit <= demand.max && limit.0.is_multiple_of(1000)));
        }
        let active = plan.shares.iter().filter(|share| !share.limit.is_zero()).count();
        prop_assert!(snapshot.max_active.is_none_or(|max| active <= usize::from(max)));
    }

    /// No ampere is left that a car which charges could use, and no minimum that a waiting one could.
    #[test]
    fn nothing_is_stranded(snapshot in lines(wiring())) {
        let plan = allocate(&snapshot);
        let active = plan.shares.iter().filter(|share| !share.limit.is_zero()).count();
        for demand in &snapshot.demands {
            let limit = limit_of(&plan, demand);
            if limit.is_zero() {
                let turn = snapshot.max_active.is_none_or(|max| active < usize::from(max));
                prop_assert!(demand.max < snapshot.min || !turn || !fits(&snapshot, &plan, demand, snapshot.min));
            } else {
                prop_assert!(limit + amps(1) > demand.max || !fits(&snapshot, &plan, demand, amps(1)));
            }
        }
    }

    /// On one phase not even less than a minimum is left while a car waits that it could be squeezed in for.
    #[test]
    fn less_than_a_minimum_is_not_stranded(snapshot in lines(Just(Wiring::single()))) {
        let plan = allocate(&snapshot);
        let one = Snapshot { nodes: vec![snapshot.nodes[0].clone()], max_active: None, ..snapshot.clone() };
        let one = Snapshot {
            demands: one.demands.iter().map(|d| Demand { node: NodeIndex(0), priority: 0, guide: Guide { floor: MilliAmps(0), ..d.guide }, ..d.clone() }).collect(),
            ..one
        };
        let plan_one = allocate(&one);
        let total: MilliAmps = plan_one.shares.iter().map(|share| share.limit).sum();
        let room = one.nodes[0].limit.l1.saturating_sub(one.nodes[0].load.l1).amps_floor();
        let wanted: u32 = one.demands.iter().map(|d| d.max.amps_floor()).filter(|a| *a >= 6).sum();
        let waits = plan_one.shares.iter().any(|share| share.limit.is_zero());
        let cannot_lend = plan_one.shares.iter().filter(|share| share.limit > amps(6)).map(|s| s.limit.0 - 6000).sum::<u32>();
        // A minimum can be lent as soon as those who charge have enough above theirs.
        let left = room - total.amps_floor();
        prop_assert!(left == 0 || wanted == total.amps_floor() || (waits && left * 1000 + cannot_lend < 6000), "{left} {plan_one:?}");
        prop_assert!(plan.shares.len() == snapshot.demands.len());
    }

    /// Raising a priority never lowers that connector.
    #[test]
    fn raising_a_priority_never_hurts(snapshot in lines(wiring()), who in any::<prop::sample::Index>()) {
        if snapshot.demands.is_empty() {
            return Ok(());
        }
        let who = who.index(snapshot.demands.len());
        let before = limit_of(&allocate(&snapshot), &snapshot.demands[who]);
        let mut raised = snapshot;
        raised.demands[who].priority += 2;
        prop_assert!(limit_of(&allocate(&raised), &raised.demands[who]) >= before);
    }

    /// On one phase, one priority and with nobody waiting, a connector that leaves never lowers one that stays.
    #[test]
    fn leaving_never_hurts(mut snapshot in lines(Just(Wiring::single())), who in any::<prop::sample::Index>()) {
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

    /// Who must not be paused is never without the minimum for the sake of one who may be.
    #[test]
    fn who_may_wait_waits_first(snapshot in lines(wiring())) {
        let plan = allocate(&snapshot);
        let strict = Snapshot {
            demands: snapshot.demands.iter().filter(|demand| demand.guide.unpausable).cloned().collect(),
            ..snapshot.clone()
        };
        let alone = allocate(&strict);
        for demand in &strict.demands {
            prop_assert_eq!(limit_of(&plan, demand).is_zero(), limit_of(&alone, demand).is_zero());
        }
    }

    /// The same building gives the same plan, in whatever order its connectors are listed.
    #[test]
    fn order_of_the_list_is_nothing(snapshot in lines(wiring())) {
        let mut reversed = snapshot.clone();
        reversed.demands.reverse();
        prop_assert_eq!(allocate(&snapshot), allocate(&reversed));
    }
}
