//! Careful pacing: cuts at once, raises into measured room, and every way a number can be missing.

use super::{Building, ONE, WALL, amps, charger, charger_id, circuits, meter, root, site, uid};
use crate::{Change, Input, Order, Output, Reason, Setup};
use domain::{
    Alarm, AlarmKind, ChargerEvent, Circuit, CircuitId, CircuitTree, ConnectorStatus, Hold, MeterId, MeterRole,
    MilliAmps, Pacing, PerPhase, Phase, PhaseCount, Provenance, Session, SessionId, Site, StatusDetail, TenantId,
    Timestamp, VoltAmps, WattHours, Wiring,
};

fn building(n: u32, role: MeterRole) -> Building {
    Building::new(site(Pacing::Careful), n, role)
}

pub(super) fn has_alarm(b: &Building, wanted: impl Fn(&AlarmKind) -> bool) -> bool {
    b.control.snapshot(b.now()).alarms.iter().any(|Alarm { kind, .. }| wanted(kind))
}

/// With either kind of meter a car climbs to all that is free, in steps, and never beyond.
#[test]
fn a_car_climbs_to_what_is_free() {
    for role in [MeterRole::House, MeterRole::Circuit] {
        let mut b = building(1, role);
        b.house = MilliAmps(4_500);
        b.start(1, amps(32));
        let mut before = 0;
        for _ in 0..90 {
            b.run(1);
            assert!(b.total() <= amps(30), "{role:?}: {}", b.total());
            assert!(b.sets(1)[0] >= before, "{role:?}: a steady house never lowers it");
            before = b.sets(1)[0];
        }
        assert_eq!(before, 25, "{role:?}");
        assert!(b.changes(Change::Raise) > 3, "{role:?}: it climbs in steps");
        assert!(matches!(b.reason(1), Reason::Shared { cars: 1, .. }), "{:?}", b.reason(1));
    }
}

/// A rise of the building cuts in the very `handle` that brings the sample, by all that is needed.
#[test]
fn a_cut_waits_for_nothing() {
    for role in [MeterRole::House, MeterRole::Circuit] {
        let mut b = building(2, role);
        b.start(1, amps(32));
        b.start(2, amps(32));
        b.run(90);
        assert_eq!(b.sets(2), [15, 15], "{role:?}");
        b.house = amps(10);
        let out = b.sample();
        let cuts = out.iter().filter(|o| matches!(o, Output::Setpoint { change: Change::Cut, .. })).count();
        assert_eq!((cuts, b.sets(2)), (2, vec![10, 10]), "{role:?}");
    }
}

/// A newcomer gets its share only after the others were seen to give theirs up.
#[test]
fn a_newcomer_waits_for_the_cut_to_take_effect() {
    let mut b = building(2, MeterRole::Circuit);
    b.start(1, amps(32));
    b.run(90);
    assert_eq!(b.sets(2), [30, 0]);
    let out = b.start(2, amps(32));
    let cut = |o: &Output| matches!(o, Output::Setpoint { change: Change::Cut, limit, .. } if *limit == amps(15));
    assert!(out.iter().any(cut), "{out:?}");
    // The first car does not follow: its charger keeps reporting 30 A.
    for _ in 0..9 {
        b.ms += 1000;
        b.measure_as(1, amps(30));
        b.sample();
        b.input(Input::Tick);
        assert_eq!(b.set(2), MilliAmps::ZERO);
    }
    b.run(60);
    assert_eq!(b.sets(2), [15, 15]);
}

/// Chargers that report rarely make the raise slower, never larger than the room: a stale meter value and a
/// fresh charger reading are never subtracted from each other.
#[test]
fn rare_reports_never_run_away() {
    for every in [2, 10, 30, 60] {
        let mut b = building(3, MeterRole::Circuit);
        b.report_every = every;
        b.house = amps(5);
        for n in 1..=3 {
            b.start(n, amps(32));
        }
        for _ in 0..600 {
            b.run(1);
            assert!(b.total() <= amps(30), "every {every} s: {}", b.total());
        }
        assert!(b.total() >= amps(28), "every {every} s: {:?}", b.sets(3));
    }
}

/// Between the lowest and the minimum the last registered stops, waits at least a minute, and returns.
#[test]
fn standby_holds_before_it_returns() {
    let mut b = building(2, MeterRole::House);
    b.start(1, amps(32));
    b.start(2, amps(32));
    b.run(60);
    b.house = amps(20);
    b.run(1);
    assert_eq!(b.sets(2), [10, 0]);
    b.house = amps(2);
    for _ in 0..58 {
        b.run(1);
        assert_eq!(b.set(2), MilliAmps::ZERO);
        assert!(matches!(b.reason(2), Reason::WaitingHold { .. }), "{:?}", b.reason(2));
    }
    b.run(120);
    assert_eq!(b.sets(2), [14, 14]);
}

/// A silent meter means the declared load, or the last measured one where that was larger.
#[test]
fn a_silent_meter_is_a_declared_load() {
    for role in [MeterRole::House, MeterRole::Circuit] {
        for (house, allowed) in [(2, 10), (23, 7)] {
            let mut b = building(1, role);
            b.house = amps(house);
            b.start(1, amps(32));
            b.run(90);
            b.metered = false;
            b.run(16);
            let silent = |kind: &AlarmKind| *kind == AlarmKind::MeterSilent(MeterId::new("M").unwrap());
            assert!(has_alarm(&b, silent), "{role:?}");
            assert_eq!(b.sets(1), [allowed], "{role:?}, house {house}");
            b.run(300);
            assert_eq!(b.sets(1), [allowed], "{role:?}, house {house}: time alone changes nothing");
            b.metered = true;
            b.run(60);
            assert!(!has_alarm(&b, silent), "{role:?}");
            assert_eq!(b.sets(1), [30 - u32::from(house)], "{role:?}");
        }
    }
}

/// No meter at all: the declared load, and the console says so.
#[test]
fn no_meter_is_a_declared_load() {
    let mut b = building(1, MeterRole::Solar);
    b.start(1, amps(32));
    b.run(120);
    assert!(has_alarm(&b, |kind| *kind == AlarmKind::NoMeter));
    assert_eq!(b.sets(1), [10]);
}

/// A charger whose link breaks keeps its share until its profile has run out, and then its fallback.
#[test]
fn an_offline_charger_is_counted() {
    let mut setup = Setup::empty(site(Pacing::Careful), circuits(200));
    setup.site.declared_load = amps(10);
    setup.chargers = vec![charger(1, Wiring::single()), charger(2, Wiring::single())];
    setup.chargers[0].fallback = amps(6);
    setup.meters = vec![meter(MeterRole::House)];
    let full = Building::new(site(Pacing::Careful), 2, MeterRole::House)
        .control
        .snapshot(Building::of(setup.clone(), MeterRole::House).now());
    (setup.tenants, setup.cards) = (full.tenants, full.cards);
    let mut b = Building::of(setup, MeterRole::House);
    for n in [1, 2] {
        b.event(n, ChargerEvent::Connected);
        b.start(n, amps(32));
    }
    b.run(90);
    assert_eq!(b.sets(2), [15, 15]);
    b.cars.remove(&1);
    b.event(1, ChargerEvent::Disconnected);
    b.run(60);
    assert_eq!(b.sets(2), [15, 15], "its live profile may still be in force");
    b.run(120);
    assert_eq!(b.sets(2), [0, 24], "only its fallback is left");
    assert!(matches!(b.reason(1), Reason::Offline { counted } if counted == amps(6)), "{:?}", b.reason(1));
    assert!(has_alarm(&b, |kind| *kind == AlarmKind::ChargerOffline(charger_id(1))));
}

/// A charger that draws more than it is told is found out, counted at its maximum, and believed again later.
#[test]
fn a_disobedient_charger_is_counted_at_its_maximum() {
    let mut b = Building::new(
        Site { main_fuse: amps(60), contracted: VoltAmps(13_800), ..site(Pacing::Careful) },
        2,
        MeterRole::House,
    );
    b.start(1, amps(32));
    b.start(2, amps(32));
    b.run(90);
    assert_eq!(b.sets(2), [30, 30]);
    b.house = amps(40);
    b.run(1);
    assert_eq!(b.sets(2), [10, 10]);
    let mut found = None;
    b.cars.remove(&1);
    for second in 1..=20 {
        b.measure_as(1, amps(20));
        b.run(1);
        if found.is_none() && has_alarm(&b, |kind| *kind == AlarmKind::ChargerDisobeys(charger_id(1))) {
            found = Some(second);
        }
    }
    assert!(found.is_some_and(|second| (8..=16).contains(&second)), "{found:?}");
    assert_eq!(b.sets(2)[1], 0, "nothing is left beside 32 A");
    b.cars.insert(1, amps(32));
    b.house = amps(10);
    b.run(180);
    assert!(!has_alarm(&b, |kind| matches!(kind, AlarmKind::ChargerDisobeys(_))));
    assert_eq!(b.sets(2), [25, 25]);
}

/// A car that cannot use its share leaves it to the others, and an idle one keeps only a reserve until it wakes.
#[test]
fn what_a_car_does_not_take_others_get() {
    let mut b = building(2, MeterRole::Circuit);
    b.start(1, amps(10));
    b.start(2, amps(32));
    b.run(240);
    assert_eq!(b.sets(2), [11, 19]);
    assert!(matches!(b.reason(1), Reason::CarTakesLess { measured } if measured == amps(10)), "{:?}", b.reason(1));
    b.cars.insert(1, MilliAmps::ZERO);
    b.run(240);
    assert_eq!(b.sets(2), [6, 29], "full: it may still take 6 A, and 1 A is kept for it");
    b.cars.insert(1, amps(10));
    b.measure(1);
    assert!(b.set(2) <= amps(24), "it woke: the others make room at once");
    b.run(240);
    assert_eq!(b.sets(2), [11, 19]);
}

/// Setpoints are sent again well before any profile runs out.
#[test]
fn setpoints_are_renewed() {
    let mut b = building(1, MeterRole::House);
    b.start(1, amps(32));
    b.run(60);
    b.log.clear();
    b.run(61);
    assert!(b.changes(Change::Renew) >= 2);
}

/// Pausing and limiting take effect at once; resuming and lifting do not overshoot.
#[test]
fn the_manager_pauses_and_limits() {
    let mut b = building(1, MeterRole::Circuit);
    b.start(1, amps(32));
    b.run(90);
    let hold = |hold| Order::Hold { charger: charger_id(1), hold };
    b.order(hold(Some(Hold::Paused))).unwrap();
    assert_eq!((b.sets(1), b.reason(1)), (vec![0], Reason::Paused));
    b.order(hold(Some(Hold::LimitedTo(amps(9))))).unwrap();
    b.run(60);
    assert_eq!((b.sets(1), b.reason(1)), (vec![9], Reason::ManagerLimit));
    assert!(b.order(hold(Some(Hold::LimitedTo(amps(3))))).is_err());
    b.order(hold(None)).unwrap();
    b.run(90);
    assert_eq!(b.sets(1), [30]);
}

/// A priority dragged to the top takes effect with the next division.
#[test]
fn priority_decides_who_waits() {
    let mut b = building(3, MeterRole::House);
    b.house = amps(15);
    for n in 1..=3 {
        b.start(n, amps(32));
    }
    b.run(90);
    assert_eq!(b.sets(3), [8, 7, 0]);
    b.order(Order::OrderChargers(vec![charger_id(3)])).unwrap();
    b.run(120);
    assert_eq!(b.sets(3), [7, 0, 8]);
    assert!(matches!(b.reason(2), Reason::Waiting { place: 1, .. }), "{:?}", b.reason(2));
}

/// The number of active chargers is kept, and who waits knows why.
#[test]
fn only_so_many_are_active() {
    let mut b = Building::new(Site { max_active_chargers: Some(1), ..site(Pacing::Careful) }, 2, MeterRole::House);
    b.start(1, amps(32));
    b.start(2, amps(32));
    b.run(90);
    assert_eq!(b.sets(2), [30, 0]);
    assert_eq!(b.reason(2), Reason::WaitingForTurn { max_active: 1, place: 1 });
}

/// Fallbacks that do not fit beside the declared load are not installed, lowest priority first.
#[test]
fn fallbacks_fit_together() {
    let mut setup = Setup::empty(site(Pacing::Careful), circuits(200));
    setup.chargers = (1..=2).map(|n| charger(n, Wiring::single())).collect();
    for charger in &mut setup.chargers {
        charger.fallback = amps(6);
    }
    let mut b = Building::of(setup, MeterRole::House);
    b.input(Input::Tick);
    let fallbacks: Vec<_> = b.control.snapshot(b.now()).chargers.iter().map(|c| c.fallback).collect();
    assert_eq!(fallbacks, [amps(6), MilliAmps::ZERO]);
    assert!(has_alarm(&b, |kind| *kind == AlarmKind::FallbackDoesNotFit(charger_id(2))));
}

/// A car that nobody let in is counted at the most its charger can draw.
#[test]
fn an_unapproved_charger_that_charges_is_counted() {
    let mut b = Building::new(
        Site { main_fuse: amps(50), contracted: VoltAmps(11_500), ..site(Pacing::Careful) },
        1,
        MeterRole::House,
    );
    b.start(1, amps(32));
    b.run(90);
    assert_eq!(b.sets(1), [32]);
    b.event(9, ChargerEvent::Connected);
    assert!(has_alarm(&b, |kind| *kind == AlarmKind::WaitsForApproval("C9".to_owned())));
    b.run(10);
    assert_eq!(b.sets(1), [32]);
    b.status(9, ConnectorStatus::Charging);
    assert_eq!(b.sets(1), [18]);
}

fn running_session() -> Session {
    Session {
        id: SessionId(7),
        charger: charger_id(1),
        connector: ONE,
        card: Some(uid(1)),
        tenant: Some(TenantId(1)),
        started_at: Timestamp(WALL - 3_600_000),
        ended_at: None,
        meter_start: WattHours(100),
        meter_last: WattHours(5_000),
        energy: WattHours(4_900),
        provenance: Provenance::Measured,
        end_reason: None,
    }
}

/// After a restart a running session goes on without a break, and until the charger is heard it is counted.
#[test]
fn a_restart_interrupts_nobody() {
    let template = building(2, MeterRole::House).control.snapshot(building(2, MeterRole::House).now());
    let mut setup = Setup::empty(
        Site { main_fuse: amps(50), contracted: VoltAmps(11_500), ..site(Pacing::Careful) },
        circuits(200),
    );
    (setup.tenants, setup.cards) = (template.tenants, template.cards);
    setup.chargers = (1..=2).map(|n| charger(n, Wiring::single())).collect();
    setup.meters = vec![meter(MeterRole::House)];
    setup.open_sessions = vec![running_session()];
    let mut b = Building::of(setup, MeterRole::House);
    b.sample();
    b.event(2, ChargerEvent::Connected);
    b.start(2, amps(32));
    b.run(30);
    assert_eq!(b.sets(2), [0, 18], "the unheard one is counted at 32 A");
    let out = b.event(1, ChargerEvent::Connected);
    let zero = |o: &Output| matches!(o, Output::Setpoint { charger, limit, .. } if *charger == charger_id(1) && limit.is_zero());
    assert!(!out.iter().any(zero), "{out:?}");
    assert_eq!((b.sets(2), b.session(1)), (vec![6, 18], Some(SessionId(7))));
    b.cars.insert(1, amps(32));
    b.run(90);
    assert_eq!(b.sets(2), [25, 25]);
}

/// Three phases, a garage feeder, single-phase cars: each conductor is a limit of its own.
#[test]
fn feeders_and_phases_are_limits_of_their_own() {
    let garage = CircuitId::new("garage").unwrap();
    let circuit = |id: &CircuitId, parent: Option<CircuitId>, a| Circuit {
        id: id.clone(),
        name: id.to_string(),
        parent,
        limit: PerPhase::splat(amps(a)),
        rating: domain::CircuitRating::default(),
    };
    let tree = CircuitTree::new(vec![circuit(&root(), None, 60), circuit(&garage, Some(root()), 20)]).unwrap();
    let three =
        Site { phases: PhaseCount::Three, contracted: VoltAmps(41_400), main_fuse: amps(60), ..site(Pacing::Careful) };
    let mut b = Building::new(three, 3, MeterRole::House);
    b.order(Order::SetCircuits(tree)).unwrap();
    for (n, wiring) in [(1, Wiring::single()), (2, Wiring::new(vec![Phase::L2]).unwrap()), (3, Wiring::single())] {
        let circuit = if n == 3 { root() } else { garage.clone() };
        b.order(Order::SetCharger(domain::Charger { circuit, ..charger(n, wiring) })).unwrap();
        b.start(n, amps(32));
    }
    b.house = amps(10);
    b.run(120);
    assert_eq!(b.sets(3), [20, 20, 30], "{:?}", b.reason(2));
    let Reason::Shared { bottleneck: Some(place), .. } = b.reason(2) else { panic!("{:?}", b.reason(2)) };
    assert_eq!((place.circuit, place.phase, place.limit), (garage, Some(Phase::L2), amps(20)));
}

/// A whole-charger fault and a vanished circuit never panic and never give current.
#[test]
fn broken_configuration_gives_nothing() {
    let mut setup = Setup::empty(site(Pacing::Careful), circuits(200));
    let nowhere = CircuitId::new("nowhere").unwrap();
    setup.chargers = vec![domain::Charger { circuit: nowhere, ..charger(1, Wiring::single()) }];
    let mut b = Building::of(setup, MeterRole::House);
    b.event(1, ChargerEvent::Connected);
    b.start(1, amps(32));
    let (status, detail, at) = (ConnectorStatus::Faulted, StatusDetail::default(), b.now().wall);
    b.event(1, ChargerEvent::Status { connector: None, status, detail, at });
    b.run(30);
    assert_eq!(b.sets(1), [0]);
    assert!(has_alarm(&b, |kind| *kind == AlarmKind::ChargerFaulted(charger_id(1))));
}

/// Chargers that fall silent, while the link stays up, never make room for others.
#[test]
fn silence_never_raises() {
    let mut b = building(3, MeterRole::Circuit);
    b.start(1, amps(10));
    b.start(2, amps(32));
    b.start(3, amps(7));
    b.run(200);
    let before = b.sets(3);
    b.report_every = 1_000_000;
    for _ in 0..300 {
        b.run(1);
        let sets = b.sets(3);
        assert!(sets.iter().zip(&before).all(|(set, before)| set <= before), "{before:?} {sets:?}");
    }
}

/// Chargers that never tell what their cars draw can still use what is free.
#[test]
fn untold_draws_are_taken_at_their_setpoint() {
    let mut b = building(2, MeterRole::Circuit);
    b.report_every = 1_000_000;
    b.house = amps(4);
    b.start(1, amps(32));
    b.start(2, amps(32));
    for _ in 0..900 {
        b.run(1);
        assert!(b.total() <= amps(30), "{}", b.total());
    }
    assert!(b.total() >= amps(28), "{:?}", b.sets(2));
}

/// A charger that refuses its limit is counted at its maximum until it is measured to keep it.
#[test]
fn a_refused_limit_is_not_trusted() {
    let mut b = Building::new(
        Site { main_fuse: amps(50), contracted: VoltAmps(11_500), ..site(Pacing::Careful) },
        2,
        MeterRole::House,
    );
    b.start(1, amps(32));
    b.start(2, amps(32));
    b.run(90);
    assert_eq!(b.sets(2), [25, 25]);
    let refused = |limit| ChargerEvent::LimitAnswered { connector: ONE, limit, accepted: false };
    b.event(1, refused(amps(25)));
    assert_eq!(b.sets(2), [25, 25], "its readings show that it keeps it");
    b.house = amps(10);
    b.sample();
    assert_eq!(b.sets(2), [20, 20]);
    b.event(1, refused(amps(20)));
    assert_eq!(b.set(2), amps(8), "beside 32 A");
    b.run(120);
    assert_eq!(b.sets(2), [20, 20], "its readings show that it keeps it");
}

/// A backlog of old samples after an outage is no news, and a clock that jumped back is believed in the end.
#[test]
fn old_samples_are_no_news() {
    let mut b = building(1, MeterRole::House);
    b.house = amps(20);
    b.start(1, amps(32));
    b.run(60);
    let old = domain::MeterSample { at: Timestamp(WALL - 600_000), ..domain::MeterSample::default() };
    let input = Input::Meter { id: MeterId::new("M").unwrap(), event: domain::MeterEvent::Measured(old) };
    for _ in 0..20 {
        b.input(input.clone());
        b.run(1);
        assert_eq!(b.sets(1), [10]);
    }
    b.metered = false;
    for _ in 0..60 {
        b.input(input.clone());
        b.run(1);
    }
    assert!(b.sets(1)[0] > 10, "the meter's clock is wrong, its values are not");
}

/// A drag decides in the very order: who falls behind is cut at once, and no division is waited for.
#[test]
fn a_drag_takes_effect_at_once() {
    let slow = Site { control_interval: domain::DurationMs::from_secs(60), ..site(Pacing::Careful) };
    let mut b = Building::new(slow, 2, MeterRole::House);
    b.house = amps(20);
    b.start(1, amps(32));
    b.start(2, amps(32));
    b.run(600);
    assert_eq!(b.sets(2), [10, 0]);
    b.order(Order::OrderChargers(vec![charger_id(2)])).unwrap();
    assert_eq!(b.set(1), MilliAmps::ZERO, "{:?}", b.reason(1));
    b.run(75);
    assert!(b.set(2) >= amps(6), "{:?}", b.reason(2));
}
