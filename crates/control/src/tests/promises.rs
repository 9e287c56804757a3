//! What people rely on, held by the whole decider in buildings that live for minutes, not by one division alone.

use super::{Building, MeterRole, amps, charger_id, site};
use crate::Order;
use domain::{MilliAmps, Pacing, SharingRule, Site, SiteRules};
use proptest::prelude::*;

/// Seconds after which learning and raising are over while nothing changes.
const SETTLED: u64 = 240;

/// A building that lives.
#[derive(Clone, Debug)]
struct Draw {
    fuse: u16,
    house: u16,
    /// Most each car takes, and its charger's priority.
    cars: Vec<(u16, i32)>,
    max_active: Option<u16>,
    rule: SharingRule,
    role: MeterRole,
}

fn draws() -> impl Strategy<Value = Draw> {
    let rules = [SharingRule::Equal, SharingRule::ByPriority, SharingRule::ByFairness, SharingRule::ByDeparture];
    (
        16..64_u16,
        0..20_u16,
        prop::collection::vec((6..33_u16, 0..3), 1..6),
        prop::option::weighted(0.3, 1..4_u16),
        prop::sample::select(rules.to_vec()),
        prop::sample::select(vec![MeterRole::House, MeterRole::Circuit]),
    )
        .prop_map(|(fuse, house, cars, max_active, rule, role)| Draw { fuse, house, cars, max_active, rule, role })
}

impl Draw {
    fn start(&self) -> Building {
        let site = Site {
            main_fuse: amps(self.fuse),
            contracted: domain::VoltAmps(u32::from(self.fuse) * 230),
            max_active_chargers: self.max_active,
            rules: SiteRules { sharing: self.rule, ..SiteRules::default() },
            ..site(Pacing::Careful)
        };
        let mut b = Building::new(site, self.count(), self.role);
        b.house = amps(self.house);
        for (n, (max, priority)) in (1..).zip(&self.cars) {
            let live = b.control.chargers.get_mut(&charger_id(n)).unwrap();
            live.charger.priority = *priority;
            b.start(n, amps(*max));
        }
        b.run(SETTLED);
        b
    }

    fn count(&self) -> u32 {
        u32::try_from(self.cars.len()).unwrap()
    }

    fn sets(&self, b: &Building) -> Vec<MilliAmps> {
        (1..=self.count()).map(|n| b.set(n)).collect()
    }

    /// Cars begin in their order of service, so that the rule of the planner does not matter.
    fn by_priority_alone(&self) -> Self {
        Self { rule: SharingRule::Equal, max_active: None, ..self.clone() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Every second of a building's life: whole amperes in the charger's range, no more active than may be, and house and
    /// setpoints within the limit.
    #[test]
    fn limits_hold_every_second(draw in draws(), jump in 0..40_u16) {
        let mut b = draw.start();
        b.house = amps(jump);
        for _ in 0..30 {
            b.run(1);
            let sets = draw.sets(&b);
            prop_assert!(sets.iter().all(|set| set.is_zero() || set.0 % 1000 == 0 && (6..=32).contains(&set.amps_floor())));
            let active = sets.iter().filter(|set| !set.is_zero()).count();
            prop_assert!(draw.max_active.is_none_or(|max| active <= usize::from(max)), "{sets:?}");
            let cars: MilliAmps = sets.iter().copied().sum();
            prop_assert!(cars.is_zero() || cars + b.house <= amps(draw.fuse), "{sets:?} beside {}", b.house);
        }
    }

    /// No ampere is left that a car below its maximum could use, once nothing changes any more.
    #[test]
    fn nothing_is_left_over(draw in draws()) {
        let b = draw.start();
        let sets = draw.sets(&b);
        let left = amps(draw.fuse).saturating_sub(b.house).saturating_sub(sets.iter().copied().sum());
        let active = sets.iter().filter(|set| !set.is_zero()).count();
        let may_begin = draw.max_active.is_none_or(|max| active < usize::from(max));
        for (set, (max, _)) in sets.iter().zip(&draw.cars) {
            // What a car does not take it is not offered, but for an ampere by which it may show that it wants more.
            let wants_more = if set.is_zero() { may_begin && left >= amps(6) } else { *set < amps(*max) && left >= amps(1) };
            prop_assert!(!wants_more, "{sets:?}, {left} left");
        }
    }

    /// A car that leaves lowers nobody else.
    #[test]
    fn a_car_that_leaves_takes_from_nobody(draw in draws(), who in 0..5_u32) {
        let draw = draw.by_priority_alone();
        let mut b = draw.start();
        let before = draw.sets(&b);
        let who = 1 + who % draw.count();
        b.stop(who);
        b.run(90);
        for (n, (had, has)) in (1..).zip(before.into_iter().zip(draw.sets(&b))) {
            prop_assert!(n == who || has >= had, "car {n} had {had} and has {has} after {who} left");
        }
    }

    /// Raising a charger's priority never lowers its car.
    #[test]
    fn a_higher_priority_never_lowers(draw in draws(), who in 0..5_u32) {
        let draw = draw.by_priority_alone();
        let mut b = draw.start();
        let who = 1 + who % draw.count();
        let had = b.set(who);
        let mut charger = b.control.charger(&charger_id(who)).cloned().unwrap();
        charger.priority += 1;
        b.order(Order::SetCharger(charger)).unwrap();
        for _ in 0..90 {
            b.run(1);
            prop_assert!(b.set(who) >= had, "had {had}, has {}", b.set(who));
        }
    }
}
