//! What the manager decides is accepted whole or refused; what is known is written down with every decision.

use super::{Building, amps, charger, charger_id, circuits, site};
use crate::{Input, Made, Order, OrderError, Output, Setup};
use domain::{
    CardPolicy, ChargerPolicy, MeterRole, MilliAmps, Pacing, Pausing, PerPhase, PhaseCount, Rotation, SessionId,
    VoltAmps, WattHours, Wiring, Wish,
};

/// A decision carries what it was made from, so that it can be judged later: the building, the limit, the age of the
/// sample and what the other cars counted for.
#[test]
fn decisions_say_what_was_known() {
    let mut b = Building::new(site(Pacing::Careful), 2, MeterRole::House);
    b.house = amps(4);
    b.start(1, amps(32));
    b.run(60);
    let from = b.ms;
    b.start(2, amps(32));
    let mut seen = Vec::new();
    for _ in 0..60 {
        b.ms += 1000;
        b.sample();
        seen.extend(b.input(Input::Tick));
    }
    assert!(b.ms > from);
    let known = seen.iter().find_map(|out| match out {
        Output::Decided { charger, known, .. } if *charger == charger_id(2) => Some(known.clone()),
        _ => None,
    });
    let known = known.expect("the second car is decided about");
    assert_eq!(known.house_ma.l1, 4_000);
    assert_eq!(known.limit.l1, amps(30));
    assert!(known.sample_age.is_some_and(|age| age.0 <= 5_000), "{known:?}");
    assert_eq!(known.cars.len(), 1, "the other car only: {known:?}");
    assert_eq!(known.cars[0].charger, charger_id(1));
    assert!(!known.cars[0].counted.is_zero());
}

/// A wish is for a session that runs, is kept, shown where it charges and forgotten with the session.
#[test]
fn a_wish_lives_with_its_session() {
    let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::House);
    b.start(1, amps(32));
    b.run(5);
    let session = b.control.snapshot(b.now()).chargers[0].connectors[0].session.clone().unwrap().id;
    let by = b.now().wall + domain::DurationMs::from_secs(3600);
    let wish = Wish { energy: WattHours(20_000), by };
    let past = Wish { by: b.now().wall, ..wish };
    let refused = b.order(Order::SetWish { session, wish: Some(past) });
    assert!(matches!(refused, Err(OrderError::Policy(_))), "a time that is past");
    let unknown = b.order(Order::SetWish { session: SessionId(99), wish: Some(wish) });
    assert_eq!(unknown, Err(OrderError::UnknownSession(SessionId(99))));
    assert_eq!(b.order(Order::SetWish { session, wish: Some(wish) }), Ok(Made::Nothing));
    assert_eq!(b.control.snapshot(b.now()).chargers[0].connectors[0].wish, Some(wish));
    b.order(Order::SetWish { session, wish: None }).unwrap();
    assert_eq!(b.control.snapshot(b.now()).chargers[0].connectors[0].wish, None);
}

/// A card's policy is kept with the card and leaves its status alone.
#[test]
fn a_card_policy_is_kept() {
    let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::House);
    let policy = CardPolicy { max: Some(amps(10)), priority: Some(7), pausing: Pausing::Never, sleeps: false };
    let made = b.order(Order::SetCardPolicy { uid: super::uid(1), policy });
    let Ok(Made::Card(card)) = made else { panic!("{made:?}") };
    assert_eq!((card.policy, card.status), (policy, domain::CardStatus::Active));
}

/// The check names the circuit that has no room, counts a charger of unknown rotation on every phase, and adds up.
#[test]
fn the_fallback_check_names_who_cannot_charge() {
    let three = domain::Site {
        phases: PhaseCount::Three,
        contracted: VoltAmps(41_400),
        main_fuse: amps(60),
        declared_load: amps(46),
        ..site(Pacing::Careful)
    };
    let mut setup = Setup::empty(three, circuits(60));
    let with = |n, rotation| domain::Charger {
        fallback: amps(8),
        policy: ChargerPolicy { rotation, ..ChargerPolicy::default() },
        ..charger(n, Wiring::single())
    };
    setup.chargers = vec![with(1, Rotation::Unknown), with(2, Rotation::Known)];
    let b = Building::of(setup, MeterRole::House);
    let check = b.control.snapshot(b.now()).fallbacks;
    assert_eq!(check.circuits[0].building, PerPhase::splat(amps(46)));
    assert_eq!(check.circuits[0].chargers, PerPhase::splat(amps(8)), "on every phase while its phase is unknown");
    assert_eq!(check.chargers[0].installed, amps(8));
    assert_eq!(check.chargers[1].installed, MilliAmps::ZERO, "46 + 8 + 8 is more than 60");
    assert_eq!(check.chargers[1].held_by, Some(super::root()));
}

/// A drawing is taken whole: a circuit goes while what hung on it moves, and one mistake leaves everything as it was.
#[test]
fn rewiring_is_all_or_nothing() {
    let three = domain::Site {
        phases: PhaseCount::Three,
        contracted: VoltAmps(41_400),
        main_fuse: amps(60),
        ..site(Pacing::Careful)
    };
    let circuit = |id: &str, parent: Option<domain::CircuitId>| domain::Circuit {
        id: domain::CircuitId::new(id).unwrap(),
        name: id.to_owned(),
        parent,
        limit: PerPhase::splat(amps(40)),
        rating: domain::CircuitRating::default(),
    };
    let tree = |ids: &[&str]| {
        let below = ids.iter().map(|id| circuit(id, Some(super::root())));
        domain::CircuitTree::new(below.chain([circuit("main", None)]).collect()).unwrap()
    };
    let mut setup = Setup::empty(three, tree(&["old"]));
    let old = domain::CircuitId::new("old").unwrap();
    setup.chargers = vec![domain::Charger { circuit: old.clone(), ..charger(1, Wiring::single()) }];
    let mut b = Building::of(setup, MeterRole::House);
    let new = domain::CircuitId::new("new").unwrap();
    let moved = domain::Charger { circuit: new.clone(), ..charger(1, Wiring::three()) };
    let rewire =
        |chargers: Vec<domain::Charger>| Order::Rewire { circuits: tree(&["new"]), chargers, meters: Vec::new() };
    let refused = b.order(rewire(Vec::new()));
    assert!(matches!(refused, Err(OrderError::CircuitInUse { .. })), "{refused:?}");
    let wrong = domain::Charger { circuit: domain::CircuitId::new("nowhere").unwrap(), ..moved.clone() };
    assert!(b.order(rewire(vec![wrong])).is_err());
    let stranger = domain::Charger { id: charger_id(9), ..moved.clone() };
    assert_eq!(b.order(rewire(vec![moved.clone(), stranger])), Err(OrderError::UnknownCharger(charger_id(9))));
    assert_eq!(b.control.charger(&charger_id(1)).unwrap().circuit, old, "nothing changed");
    assert!(b.control.snapshot(b.now()).circuits.iter().any(|state| state.circuit.id == old));
    assert_eq!(b.order(rewire(vec![moved])), Ok(Made::Nothing));
    let charger = b.control.charger(&charger_id(1)).unwrap();
    assert_eq!((&charger.circuit, charger.wiring.wires().len()), (&new, 3));
}

/// In a period of less contracted power the limit is that period's, at once, and the fallbacks fit it at all times.
#[test]
fn the_contract_follows_the_clock() {
    let mut settings = site(Pacing::Careful);
    let local = domain::LocalTime::of(domain::Timestamp(super::WALL), domain::UtcOffset(0));
    let begins = local.minute + 2;
    let window = domain::TimeWindow { days: Vec::new(), from_minute: begins, to_minute: begins + 30 };
    settings.rules.contract_periods = vec![domain::ContractPeriod { window, contracted: VoltAmps(2_300) }];
    let mut b = Building::new(settings, 1, MeterRole::House);
    let usable = b.control.snapshot(b.now()).fallbacks.circuits[0].usable.l1;
    assert_eq!(usable, amps(10), "a charger on its own follows no clock");
    b.start(1, amps(32));
    b.run(60);
    assert!(b.set(1) > amps(10));
    b.run(90);
    assert!(b.set(1) <= amps(10) && b.control.snapshot(b.now()).grid.limit.l1 == amps(10), "{}", b.set(1));
    b.input(Input::UtcOffset(domain::UtcOffset(3600)));
    assert_eq!(b.control.snapshot(b.now()).grid.limit.l1, amps(30), "an hour later on the wall it is over");
}

/// Outside its charging times a charger waits and says so; off-peak times nobody named keep nobody waiting.
#[test]
fn charging_times_are_kept() {
    let local = domain::LocalTime::of(domain::Timestamp(super::WALL), domain::UtcOffset(0));
    let later = domain::TimeWindow { days: Vec::new(), from_minute: local.minute + 2, to_minute: local.minute + 60 };
    let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::House);
    let with = |times| domain::Charger {
        policy: ChargerPolicy { times, ..ChargerPolicy::default() },
        ..charger(1, Wiring::single())
    };
    b.order(Order::SetCharger(with(domain::ChargingTimes::OffPeak))).unwrap();
    b.start(1, amps(32));
    b.run(30);
    assert!(!b.set(1).is_zero(), "no off-peak time is known");
    b.order(Order::SetCharger(with(domain::ChargingTimes::Windows(vec![later])))).unwrap();
    b.run(5);
    assert_eq!((b.set(1), b.reason(1)), (MilliAmps::ZERO, crate::Reason::OutsideTimes));
    b.run(240);
    assert!(!b.set(1).is_zero(), "its time has come");
}

/// A car on a phase nobody knows leaves room on every phase.
#[test]
fn an_unknown_rotation_counts_on_every_phase() {
    let three = domain::Site {
        phases: PhaseCount::Three,
        contracted: VoltAmps(20_700),
        main_fuse: amps(30),
        ..site(Pacing::Careful)
    };
    let mut b = Building::new(three, 2, MeterRole::House);
    let unknown = ChargerPolicy { rotation: Rotation::Unknown, ..ChargerPolicy::default() };
    b.order(Order::SetCharger(domain::Charger { policy: unknown, ..charger(1, Wiring::single()) })).unwrap();
    let on_l2 = Wiring::new(vec![domain::Phase::L2]).unwrap();
    b.order(Order::SetCharger(charger(2, on_l2))).unwrap();
    b.start(1, amps(32));
    b.start(2, amps(32));
    b.run(240);
    assert!(b.set(1) + b.set(2) <= amps(30), "{} and {}", b.set(1), b.set(2));
    assert!(!b.set(1).is_zero() && !b.set(2).is_zero());
}

/// A home charger on its own leaves its buffer to the home.
#[test]
fn a_stand_alone_charger_keeps_its_buffer_free() {
    let mut settings = site(Pacing::Careful);
    settings.rules.stand_alone = Some(amps(5));
    let mut b = Building::new(settings, 1, MeterRole::House);
    b.house = amps(4);
    b.start(1, amps(32));
    b.run(120);
    assert_eq!(b.set(1), amps(21), "30 A less 4 A of the house and 5 A of buffer");
}

/// A charger that takes solar surplus only waits for it, follows it once it has been there for a while, and gives
/// back what the house takes; one that takes it first keeps its minimum from the grid.
#[test]
fn solar_chargers_follow_the_surplus() {
    for (source, alone) in [(domain::EnergySource::SolarOnly, 0), (domain::EnergySource::SolarFirst, 6)] {
        let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::Circuit);
        let policy = ChargerPolicy { source, ..ChargerPolicy::default() };
        b.order(Order::SetCharger(domain::Charger { policy, ..charger(1, Wiring::single()) })).unwrap();
        b.start(1, amps(32));
        // The car draws what it is told; the house exports 12 A in the sun and imports 3 A without it.
        let step = |b: &mut Building, house_ma: i64| {
            b.ms += 1000;
            let set = b.set(1);
            let draw = domain::ChargerSample { at: b.now().wall, current_per_wire: vec![set], ..Default::default() };
            let connector = Some(super::ONE);
            b.event(1, domain::ChargerEvent::Measured { connector, session: None, sample: draw });
            let net = house_ma + i64::from(set.0);
            let current = PerPhase::new(domain::Flow::from_net_ma(net), Default::default(), Default::default());
            let sample = domain::MeterSample { at: b.now().wall, current, ..Default::default() };
            let id = domain::MeterId::new("M").unwrap();
            b.input(Input::Meter { id, event: domain::MeterEvent::Measured(sample) });
            b.input(Input::Tick);
        };
        for _ in 0..200 {
            step(&mut b, 3_000);
        }
        assert_eq!(b.set(1), amps(alone), "{source:?}: no sun");
        for _ in 0..700 {
            step(&mut b, -12_000);
        }
        assert!((amps(10)..=amps(12)).contains(&b.set(1)), "{source:?}: in the sun {}", b.set(1));
        for _ in 0..700 {
            step(&mut b, 3_000);
        }
        assert_eq!(b.set(1), amps(alone), "{source:?}: the sun has gone");
        if alone == 0 {
            assert_eq!(b.reason(1), crate::Reason::NoSurplus);
        }
    }
}

/// Chargers on one phase never load it by more than the imbalance limit; those on all phases are left alone, and one
/// that cannot be let in says why.
#[test]
fn the_phases_differ_by_no_more_than_the_limit() {
    let mut settings = domain::Site {
        phases: PhaseCount::Three,
        contracted: VoltAmps(41_400),
        main_fuse: amps(60),
        ..site(Pacing::Careful)
    };
    settings.rules.imbalance = Some(amps(18));
    let mut b = Building::new(settings, 5, MeterRole::House);
    for n in 1..=4 {
        b.order(Order::SetCharger(charger(n, Wiring::single()))).unwrap();
    }
    b.order(Order::SetCharger(charger(5, Wiring::three()))).unwrap();
    for n in 1..=5 {
        b.start(n, amps(32));
    }
    for _ in 0..300 {
        b.run(1);
        let on_l1: MilliAmps = (1..=4).map(|n| b.set(n)).sum();
        assert!(on_l1 <= amps(18), "{on_l1}");
    }
    assert_eq!([1, 2, 3].map(|n| b.set(n)), [amps(6); 3]);
    assert_eq!((b.set(4), b.reason(4)), (MilliAmps::ZERO, crate::Reason::Imbalance));
    assert!(b.set(5) > amps(18), "{}", b.set(5));
}
