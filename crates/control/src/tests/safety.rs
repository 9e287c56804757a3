//! Loads that hide: chargers that vanish, disobey, are removed or drew more than they were configured for.

use super::sharing::has_alarm;
use super::{Building, ONE, amps, charger_id, meter, site};
use crate::{Change, Input, Order, Output, Reason};
use domain::{
    AlarmKind, ChargerEvent, ChargerSample, ConnectorStatus, DurationMs, Flow, Meter, MeterEvent, MeterId, MeterRole,
    MeterSample, MilliAmps, Pacing, PerPhase, Site, VoltAmps,
};

/// 60 A on one phase with a house meter, which does not see the cars.
fn roomy(n: u32) -> Building {
    let settings = Site { main_fuse: amps(60), contracted: VoltAmps(13_800), ..site(Pacing::Careful) };
    Building::new(settings, n, MeterRole::House)
}

/// Charger 1 draws 20 A though it is told 10 A, until it is found out.
fn with_a_disobedient_charger() -> Building {
    let mut b = roomy(2);
    b.start(1, amps(32));
    b.start(2, amps(32));
    b.run(90);
    b.house = amps(40);
    b.cars.remove(&1);
    for _ in 0..20 {
        b.measure_as(1, amps(20));
        b.run(1);
    }
    assert!(matches!(b.reason(1), Reason::Disobeys { .. }), "{:?}", b.reason(1));
    b
}

/// What does not obey online is not trusted offline: a lost link frees nothing, however long it lasts.
#[test]
fn a_disobedient_charger_that_goes_offline_keeps_its_maximum() {
    let mut b = with_a_disobedient_charger();
    assert_eq!(b.sets(2)[1], 0, "nothing is left beside 32 A");
    b.event(1, ChargerEvent::Disconnected);
    for _ in 0..300 {
        b.run(1);
        assert_eq!(b.sets(2)[1], 0, "{:?}", b.reason(1));
    }
}

/// A charger that draws more than its configured maximum is counted at what it draws.
#[test]
fn a_draw_beyond_the_maximum_is_counted() {
    let mut b = roomy(2);
    let order = Order::SetCharger(domain::Charger { max: amps(16), ..super::charger(1, domain::Wiring::single()) });
    b.order(order).unwrap();
    b.house = amps(20);
    b.start(1, amps(32));
    b.start(2, amps(32));
    b.run(60);
    b.cars.remove(&1);
    for _ in 0..60 {
        b.measure_as(1, amps(30));
        b.run(1);
    }
    assert!(b.set(2) <= amps(10), "20 A house, 30 A drawn, 60 A limit: {}", b.set(2));
}

/// The export a silent meter reported last does not cancel the import another one reports now.
#[test]
fn a_stale_export_makes_no_room() {
    let mut b = roomy(1);
    let second = Meter { id: MeterId::new("SUN").unwrap(), ..meter(MeterRole::House) };
    b.order(Order::SetMeter(second)).unwrap();
    b.house = amps(45);
    b.start(1, amps(32));
    let current = PerPhase::splat(Flow::Export(amps(30)));
    for _ in 0..60 {
        let sample = MeterSample { at: b.now().wall, current, ..MeterSample::default() };
        b.input(Input::Meter { id: MeterId::new("SUN").unwrap(), event: MeterEvent::Measured(sample) });
        b.run(1);
    }
    assert_eq!(b.set(1), amps(32), "15 A flow while the sun shines");
    b.run(17);
    assert!(b.set(1) <= amps(15), "{}", b.set(1));
}

/// A charger that is removed while a car charges is told to stop before it is forgotten.
#[test]
fn a_removed_charger_is_told_to_stop() {
    let mut b = roomy(1);
    b.start(1, amps(32));
    b.run(60);
    let out = b.input(Input::Order(Order::RemoveCharger(charger_id(1))));
    let told = |o: &Output| matches!(o, Output::Setpoint { limit, change: Change::Cut, .. } if limit.is_zero());
    let at = |wanted: &dyn Fn(&Output) -> bool| out.iter().position(wanted);
    let (cut, ended) = (at(&told), at(&|o| matches!(o, Output::EndSession { connector, .. } if *connector == ONE)));
    let gone = at(&|o| matches!(o, Output::Approved { approved: false, .. }));
    assert!(cut.is_some() && ended.is_some() && cut < gone && ended < gone, "{out:?}");
}

/// A sleeping car that its charger reports to charge again is counted at once, before any reading says so.
#[test]
fn a_car_that_wakes_by_status_is_counted() {
    let mut b = Building::new(site(Pacing::Careful), 2, MeterRole::House);
    b.start(1, MilliAmps::ZERO);
    b.status(1, ConnectorStatus::SuspendedEv);
    b.start(2, amps(32));
    b.run(240);
    assert_eq!(b.sets(2), [6, 29], "1 A is kept for the sleeper");
    b.status(1, ConnectorStatus::Charging);
    assert!(b.set(2) <= amps(24), "{}", b.set(2));
}

/// Lowered contracted power cuts in the very order that lowers it.
#[test]
fn lowered_power_cuts_at_once() {
    let mut b = roomy(2);
    b.start(1, amps(32));
    b.start(2, amps(32));
    b.run(90);
    let settings = Site { contracted: VoltAmps(4_600), main_fuse: amps(60), ..site(Pacing::Careful) };
    b.order(Order::SetSite(settings)).unwrap();
    assert_eq!(b.sets(2), [10, 10]);
}

/// A cut that was never answered is not taken to have arrived, neither while the link seems up nor after it is
/// known to be down.
#[test]
fn an_unanswered_cut_makes_no_room() {
    let mut b = roomy(2);
    b.start(1, amps(32));
    b.run(60);
    assert_eq!(b.sets(2), [32, 0]);
    // From here on charger 1 is cut off, and nobody knows.
    b.cars.remove(&1);
    b.house = amps(30);
    b.start(2, amps(32));
    b.sample();
    assert_eq!(b.sets(2), [15, 0]);
    for second in 0..35 {
        b.run(1);
        assert_eq!(b.sets(2)[1], 0, "after {second} s it may still draw 32 A");
    }
    b.event(1, ChargerEvent::Disconnected);
    for second in 0..115 {
        b.run(1);
        assert_eq!(b.sets(2)[1], 0, "{second} s after the link was lost its profile may still live");
    }
    b.run(70);
    assert!(b.set(2) >= amps(20), "{}", b.set(2));
}

/// A charger that has answered its limits and does not answer a cut leaves it to the others to make the room.
#[test]
fn others_make_room_for_a_cut_that_waits() {
    let mut b = roomy(2);
    let answer = |b: &mut Building, n: u32| {
        let limit = b.set(n);
        b.event(n, ChargerEvent::LimitAnswered { connector: ONE, limit, accepted: true });
    };
    b.start(1, amps(32));
    b.start(2, amps(32));
    for _ in 0..90 {
        b.run(1);
        answer(&mut b, 1);
        answer(&mut b, 2);
    }
    assert_eq!(b.sets(2), [30, 30]);
    b.cars.remove(&1);
    b.house = amps(20);
    b.sample();
    assert_eq!(b.sets(2), [20, 20]);
    answer(&mut b, 2);
    b.run(4);
    assert_eq!(b.sets(2), [20, 10], "charger 1 still draws 30 A");
    answer(&mut b, 1);
    for _ in 0..60 {
        b.run(1);
        answer(&mut b, 1);
        answer(&mut b, 2);
    }
    assert_eq!(b.sets(2), [20, 20]);
}

/// A charger whose answers take long obeys as long as it keeps what it has answered.
#[test]
fn a_slow_answer_is_no_disobedience() {
    let mut b = roomy(1);
    let answer = |b: &mut Building| {
        let limit = b.set(1);
        b.event(1, ChargerEvent::LimitAnswered { connector: ONE, limit, accepted: true });
    };
    let disobeys = |b: &Building| has_alarm(b, |kind| matches!(kind, AlarmKind::ChargerDisobeys(_)));
    b.start(1, amps(32));
    b.run(60);
    answer(&mut b);
    assert_eq!(b.set(1), amps(32));
    b.cars.remove(&1);
    b.house = amps(40);
    b.sample();
    assert!(b.set(1) < amps(32), "{}", b.set(1));
    for _ in 0..12 {
        b.measure_as(1, amps(32));
        b.run(1);
    }
    for _ in 0..8 {
        answer(&mut b);
        b.measure_as(1, amps(32));
        b.run(1);
        assert!(!disobeys(&b), "the car still follows");
    }
    let mut found = false;
    for _ in 0..40 {
        b.measure_as(1, amps(32));
        b.run(1);
        answer(&mut b);
        found |= disobeys(&b);
    }
    assert!(found, "it goes on as before");
}

/// Readings that waited behind other messages of their charger tell of the time before a cut, and prove nothing.
#[test]
fn late_readings_are_no_disobedience() {
    let mut b = roomy(1);
    let answer = |b: &mut Building| {
        let limit = b.set(1);
        b.event(1, ChargerEvent::LimitAnswered { connector: ONE, limit, accepted: true });
    };
    b.start(1, amps(32));
    b.run(60);
    answer(&mut b);
    b.cars.remove(&1);
    b.house = amps(40);
    b.sample();
    assert!(b.set(1) < amps(32), "{}", b.set(1));
    for _ in 0..30 {
        let at = b.now().wall - DurationMs::from_secs(30);
        let sample = ChargerSample { at, current_per_wire: vec![amps(32)], ..ChargerSample::default() };
        b.event(1, ChargerEvent::Measured { connector: Some(ONE), session: None, sample });
        b.run(1);
        answer(&mut b);
        assert!(!has_alarm(&b, |kind| matches!(kind, AlarmKind::ChargerDisobeys(_))), "it followed before they came");
    }
}

/// A connector where a car charges does not vanish because somebody configures or announces fewer.
#[test]
fn a_connector_in_use_stays() {
    let mut b = roomy(1);
    let twin = domain::Charger { connectors: 2, ..super::charger(1, domain::Wiring::single()) };
    b.order(Order::SetCharger(twin.clone())).unwrap();
    let (reply, at) = (domain::ReplyKey(99), b.now().wall);
    let request = domain::StartRequest {
        connector: domain::ConnectorNumber(2),
        card: Some(super::uid(1)),
        at,
        meter: domain::WattHours(0),
        provenance: domain::Provenance::Measured,
    };
    b.event(1, ChargerEvent::SessionStarted { reply, request });
    b.run(30);
    b.order(Order::SetCharger(domain::Charger { connectors: 1, ..twin })).unwrap();
    let charger = b.control.snapshot(b.now()).chargers.remove(0);
    assert_eq!(charger.connectors.len(), 2);
    assert!(!charger.connectors[1].set.is_zero());
}
