//! The published simulations, on the preset `published`: 6.9 kVA, an update every 5 s, minimum 6 A.

use super::{Building, amps, charger, charger_id, circuits, root, site};
use crate::{Change, Order, Reason};
use domain::{Charger, Circuit, CircuitId, CircuitTree, MeterRole, MilliAmps, Pacing, PerPhase, Wiring};

fn building(n: u32) -> Building {
    Building::new(site(Pacing::Published), n, MeterRole::House)
}

/// One update and what the cars do with it.
fn update(building: &mut Building, house_ma: u32) {
    building.house = MilliAmps(house_ma);
    building.run(6);
}

/// (1) One charger follows a house that jumps; the excess is gone within one update.
#[test]
fn one_charger_follows_the_house() {
    let mut b = building(1);
    update(&mut b, 3_200);
    b.start(1, amps(32));
    update(&mut b, 3_200);
    assert_eq!(b.sets(1), [26]);
    for house in [5_000, 18_000, 22_500, 9_000, 28_000, 1_000] {
        update(&mut b, house);
        assert!(b.total() <= amps(30), "house {house} mA: {}", b.total());
        let room = 30 - house.div_ceil(1000);
        assert_eq!(b.sets(1), [if room < 6 { 0 } else { room }], "house {house} mA");
    }
}

/// (2) Three chargers by priority of registration, steps (a) to (n).
#[test]
fn three_chargers_as_published() {
    let mut b = building(3);
    update(&mut b, 3_200);
    assert_eq!(b.sets(3), [0, 0, 0], "(a)");
    b.start(1, amps(32));
    update(&mut b, 3_200);
    assert_eq!(b.sets(3), [26, 0, 0], "(b)");
    update(&mut b, 5_000);
    assert_eq!(b.sets(3), [25, 0, 0], "(c)(d)");
    b.start(2, amps(32));
    update(&mut b, 5_000);
    assert_eq!(b.sets(3), [12, 12, 0], "(e)");
    b.start(3, amps(32));
    update(&mut b, 5_000);
    assert_eq!(b.sets(3), [8, 8, 8], "(f)");
    update(&mut b, 12_500);
    assert_eq!(b.sets(3), [8, 8, 0], "(g)(h)");
    assert!(matches!(b.reason(3), Reason::Waiting { place: 1, .. }), "{:?}", b.reason(3));
    update(&mut b, 16_400);
    assert_eq!(b.sets(3), [6, 6, 0], "(i)(j)");
    b.stop(2);
    update(&mut b, 16_400);
    assert_eq!(b.sets(3), [13, 0, 0], "(k)");
    b.start(2, amps(32));
    update(&mut b, 4_300);
    assert_eq!(b.sets(3), [8, 8, 8], "(l)");
    b.stop(3);
    update(&mut b, 4_300);
    assert_eq!(b.sets(3), [12, 12, 0], "(m)");
    b.stop(2);
    update(&mut b, 4_300);
    assert_eq!(b.sets(3), [25, 0, 0], "(n)");
}

/// (3) With 19.9 A available; as the building rises the last registered leave one by one, and return in
/// the order of priority.
#[test]
fn the_earlier_run_with_19_9_a() {
    let mut b = building(3);
    update(&mut b, 10_100);
    b.start(1, amps(32));
    update(&mut b, 10_100);
    assert_eq!(b.sets(3), [19, 0, 0]);
    update(&mut b, 11_500);
    assert_eq!(b.sets(3), [18, 0, 0]);
    b.start(2, amps(32));
    update(&mut b, 11_500);
    assert_eq!(b.sets(3), [9, 9, 0]);
    b.start(3, amps(32));
    update(&mut b, 11_500);
    assert_eq!(b.sets(3), [6, 6, 6]);
    for (house, sets) in [
        (13_000, [8, 8, 0]),
        (19_000, [11, 0, 0]),
        (25_000, [0, 0, 0]),
        (23_900, [6, 0, 0]),
        (17_900, [6, 6, 0]),
        (12_500, [8, 8, 0]),
        (11_900, [6, 6, 6]),
    ] {
        update(&mut b, house);
        assert_eq!(b.sets(3), sets, "house {house} mA");
    }
}

/// Behind a meter that measures the cars too, a car's ramp must not look like building: chargers that report
/// every 10 s are not cut and raised in turn.
#[test]
fn a_meter_of_everything_gives_the_same_currents_without_swinging() {
    let mut b = Building::new(site(Pacing::Published), 2, MeterRole::Circuit);
    b.report_every = 10;
    b.house = MilliAmps(3_200);
    b.run(6);
    b.start(1, amps(32));
    b.run(30);
    assert_eq!(b.sets(1), [26], "alone");
    b.house = MilliAmps(5_000);
    b.run(30);
    assert_eq!(b.sets(1), [25], "beside 5 A");
    b.start(2, amps(32));
    b.run(60);
    assert_eq!(b.sets(2), [12, 12], "shared equally");
    let before = b.changes(Change::Cut) + b.changes(Change::Raise);
    b.run(120);
    assert_eq!(b.changes(Change::Cut) + b.changes(Change::Raise), before, "nothing changes while nothing changes");
}

/// A car on standby that the manager drags to the top charges at the next update, and the last one waits.
#[test]
fn a_waiting_car_moved_to_the_top_takes_its_turn() {
    let mut b = building(3);
    update(&mut b, 5_000);
    for n in 1..=3 {
        b.start(n, amps(32));
        update(&mut b, 5_000);
    }
    update(&mut b, 16_400);
    assert_eq!(b.sets(3), [6, 6, 0], "room for two");
    b.order(Order::OrderChargers(vec![charger_id(3), charger_id(1), charger_id(2)])).unwrap();
    update(&mut b, 16_400);
    assert_eq!(b.sets(3), [6, 0, 6], "the new order");
}

/// A charger on a small circuit of its own returns from standby: that circuit need not have room for the cars
/// elsewhere in the building.
#[test]
fn a_small_circuit_does_not_keep_its_only_car_on_standby() {
    let mut b = building(3);
    let garage = CircuitId::new("garage").unwrap();
    let mut tree: Vec<Circuit> = circuits(200).iter().cloned().collect();
    let limit = PerPhase::splat(amps(14));
    tree.push(Circuit {
        id: garage.clone(),
        name: "Garage".to_owned(),
        parent: Some(root()),
        limit,
        rating: domain::CircuitRating::default(),
    });
    b.order(Order::SetCircuits(CircuitTree::new(tree).unwrap())).unwrap();
    b.order(Order::SetCharger(Charger { circuit: garage, ..charger(3, Wiring::single()) })).unwrap();
    update(&mut b, 5_000);
    for n in 1..=3 {
        b.start(n, amps(32));
        update(&mut b, 5_000);
    }
    update(&mut b, 12_600);
    assert_eq!(b.sets(3), [8, 8, 0], "less than 18 A");
    b.stop(2);
    update(&mut b, 14_000);
    assert_eq!(b.sets(3), [16, 0, 0], "still less than 18 A");
    b.start(2, amps(32));
    update(&mut b, 4_300);
    assert_eq!(b.sets(3), [8, 8, 8], "enough for three");
}
