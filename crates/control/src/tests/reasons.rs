//! The sentence of a connector is true: what it names is what holds it.

use super::{Building, amps, site};
use crate::{Order, Reason, Setup};
use domain::{
    ChargerEvent, ChargerSample, MeterRole, MilliAmps, Pacing, Provenance, Session, SessionId, TenantId, Timestamp,
    WattHours,
};

/// "More follows" is said only while more follows: each time it is shown, a raise comes soon after.
#[test]
fn confirming_is_followed_by_a_raise() {
    for report_every in [1, 10, 60] {
        for role in [MeterRole::House, MeterRole::Circuit] {
            let mut b = Building::new(site(Pacing::Careful), 3, role);
            b.report_every = report_every;
            for n in 1..=3 {
                b.start(n, amps([7, 13, 32][usize::try_from(n).unwrap() - 1]));
            }
            let mut since = [None; 3];
            for second in 0..600_u64 {
                // A hob: it comes and goes faster than held peaks are forgotten.
                b.house = amps(if second % 20 < 8 { 12 } else { 1 });
                b.run(1);
                for n in 1..=3_u32 {
                    let limit = b.set(n);
                    b.event(n, ChargerEvent::LimitAnswered { connector: super::ONE, limit, accepted: true });
                    let since = &mut since[usize::try_from(n).unwrap() - 1];
                    let set = b.set(n);
                    if b.reason(n) != Reason::Confirming {
                        *since = None;
                        continue;
                    }
                    let (from, first) = *since.get_or_insert((second, set));
                    if set != first {
                        *since = Some((second, set));
                    }
                    assert!(second - from <= 30, "{role:?}, every {report_every} s: {n} at {set} since {from} s");
                }
            }
        }
    }
}

/// A car at its own maximum says so, not that more follows.
#[test]
fn a_car_at_its_maximum_says_so() {
    let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::Circuit);
    b.start(1, amps(10));
    b.run(240);
    for _ in 0..120 {
        b.run(1);
        assert!(matches!(b.reason(1), Reason::CarTakesLess { .. }), "{:?}", b.reason(1));
    }
}

/// A charger that refused its limit is not said to share.
#[test]
fn orders_show_in_the_sentence_at_once() {
    let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::House);
    b.start(1, amps(32));
    b.run(90);
    let hold = |hold| Order::Hold { charger: super::charger_id(1), hold };
    b.order(hold(Some(domain::Hold::Paused))).unwrap();
    assert_eq!(b.reason(1), Reason::Paused);
    b.run(10);
    b.order(hold(None)).unwrap();
    assert_eq!(b.set(1), amps(6), "resuming starts in the very order");
}

/// A single-phase car behind a three-phase charger leaves the phases it does not use to others, after a
/// minute, and takes them back the moment it draws there.
#[test]
fn unused_wires_are_released() {
    for role in [MeterRole::House, MeterRole::Circuit] {
        let settings = domain::Site {
            phases: domain::PhaseCount::Three,
            contracted: domain::VoltAmps(20_700),
            ..site(Pacing::Careful)
        };
        let mut b = Building::new(settings, 2, role);
        b.metered = false;
        b.start(1, amps(32));
        b.start(2, amps(32));
        b.order(Order::SetCharger(super::charger(2, domain::Wiring::new(vec![domain::Phase::L2]).unwrap()))).unwrap();
        let step = |b: &mut Building, first: [u16; 3]| {
            b.ms += 1000;
            let (one, two) = (b.set(1), b.set(2));
            let draws = first.map(|a| one.min(amps(a)));
            let house = match role {
                MeterRole::House => [MilliAmps::ZERO; 3],
                MeterRole::Circuit | MeterRole::Solar | MeterRole::Battery => [draws[0], draws[1] + two, draws[2]],
            };
            let [l1, l2, l3] = house.map(domain::Flow::Import);
            let current = domain::PerPhase::new(l1, l2, l3);
            let sample = domain::MeterSample { at: b.now().wall, current, ..domain::MeterSample::default() };
            let id = domain::MeterId::new("M").unwrap();
            b.input(crate::Input::Meter { id, event: domain::MeterEvent::Measured(sample) });
            for (n, current_per_wire) in [(1, draws.to_vec()), (2, vec![two])] {
                let sample = ChargerSample { at: b.now().wall, current_per_wire, ..ChargerSample::default() };
                b.event(n, ChargerEvent::Measured { connector: Some(super::ONE), session: None, sample });
            }
            b.input(crate::Input::Tick);
            assert!(draws[1] + two <= amps(30), "{role:?}: {draws:?} {two}");
        };
        for _ in 0..30 {
            step(&mut b, [32, 0, 0]);
        }
        assert!(b.set(2) <= amps(15), "{role:?}: not yet a habit, {}", b.set(2));
        for _ in 0..150 {
            step(&mut b, [32, 0, 0]);
        }
        assert_eq!(b.sets(2), [30, 30], "{role:?}");
        // It wakes on its second wire: the very reading that shows it makes the room.
        b.ms += 1000;
        let current_per_wire = vec![b.set(1), amps(5), MilliAmps::ZERO];
        let sample = ChargerSample { at: b.now().wall, current_per_wire, ..ChargerSample::default() };
        b.event(1, ChargerEvent::Measured { connector: Some(super::ONE), session: None, sample });
        assert_eq!(b.sets(2), [15, 15], "{role:?}");
    }
}

/// Readings that name no wire, or only some, release nothing.
#[test]
fn unmeasured_wires_are_not_released() {
    for per_wire in [vec![amps(7)], Vec::new()] {
        let settings = domain::Site {
            phases: domain::PhaseCount::Three,
            contracted: domain::VoltAmps(20_700),
            ..site(Pacing::Careful)
        };
        let mut b = Building::new(settings, 2, MeterRole::House);
        b.start(1, amps(32));
        b.start(2, amps(32));
        b.cars.clear();
        for _ in 0..200 {
            b.run(1);
            let power = Some(domain::Watts(1_610));
            let sample = ChargerSample {
                at: b.now().wall,
                current_per_wire: per_wire.clone(),
                power,
                ..ChargerSample::default()
            };
            b.event(1, ChargerEvent::Measured { connector: Some(super::ONE), session: None, sample });
        }
        let sum: MilliAmps = [b.set(1), b.set(2)].into_iter().sum();
        assert!(sum <= amps(30), "{:?}", b.sets(2));
    }
}

fn running_session(n: u32) -> Session {
    let id = i32::try_from(n).unwrap();
    Session {
        id: SessionId(id),
        charger: super::charger_id(n),
        connector: super::ONE,
        card: Some(super::uid(n)),
        tenant: Some(TenantId(i64::from(n))),
        started_at: Timestamp(super::WALL - 3_600_000),
        ended_at: None,
        meter_start: WattHours(100),
        meter_last: WattHours(5_000),
        energy: WattHours(4_900),
        provenance: Provenance::Measured,
        end_reason: None,
    }
}

/// After a start, who waits beside chargers nobody has heard from yet is told so; when all were heard, the ordinary
/// sentence is true again.
#[test]
fn who_waits_for_unheard_chargers_is_told_so() {
    let template = Building::new(site(Pacing::Careful), 3, MeterRole::House);
    let template = template.control.snapshot(template.now());
    let mut setup = Setup::empty(site(Pacing::Careful), super::circuits(200));
    (setup.tenants, setup.cards) = (template.tenants, template.cards);
    setup.chargers = (1..=3).map(|n| super::charger(n, domain::Wiring::single())).collect();
    setup.meters = vec![super::meter(MeterRole::House)];
    setup.open_sessions = (1..=2).map(running_session).collect();
    let mut b = Building::of(setup, MeterRole::House);
    b.event(3, ChargerEvent::Connected);
    b.start(3, amps(32));
    b.run(6);
    assert_eq!(b.reason(3), Reason::WaitingForNews { chargers: 2 });
    assert_eq!(b.reason(1), Reason::Unheard { counted: amps(32) });
    b.event(1, ChargerEvent::Connected);
    b.run(1);
    assert_eq!(b.reason(3), Reason::WaitingForNews { chargers: 1 });
    b.event(2, ChargerEvent::Connected);
    for n in [1, 2] {
        b.cars.insert(n, amps(32));
    }
    b.house = amps(13);
    b.run(120);
    // Two of three fit; who charges has a turn before another takes its place.
    let waits = |n: &u32| matches!(b.reason(*n), Reason::Waiting { place: 1, .. });
    assert_eq!((1..=3).filter(waits).count(), 1);
}

/// There is one line: two cars that wait for different circuits do not both come first.
#[test]
fn nobody_shares_a_place_in_line() {
    let mut b = Building::new(site(Pacing::Careful), 4, MeterRole::House);
    let garage = domain::CircuitId::new("garage").unwrap();
    let mut tree: Vec<domain::Circuit> = super::circuits(200).iter().cloned().collect();
    let limit = domain::PerPhase::splat(amps(7));
    tree.push(domain::Circuit {
        id: garage.clone(),
        name: "Garage".to_owned(),
        parent: Some(super::root()),
        limit,
        rating: domain::CircuitRating::default(),
    });
    b.order(Order::SetCircuits(domain::CircuitTree::new(tree).unwrap())).unwrap();
    for n in [1, 2] {
        let charger = domain::Charger { circuit: garage.clone(), ..super::charger(n, domain::Wiring::single()) };
        b.order(Order::SetCharger(charger)).unwrap();
    }
    b.house = amps(17);
    for n in 1..=4 {
        b.start(n, amps(32));
    }
    for second in 0..240 {
        // The building wobbles, so that its two estimates and the held peaks differ.
        b.house = amps(if second % 30 < 15 { 17 } else { 18 });
        b.run(1);
        let places: Vec<u16> = (1..=4)
            .filter_map(|n| if let Reason::Waiting { place, .. } = b.reason(n) { Some(place) } else { None })
            .collect();
        let expected: Vec<u16> = (1..).take(places.len()).collect();
        assert_eq!(places, expected, "second {second}: {:?}", (1..=4).map(|n| b.reason(n)).collect::<Vec<_>>());
    }
    assert_eq!(b.sets(4), [6, 0, 6, 0]);
}
