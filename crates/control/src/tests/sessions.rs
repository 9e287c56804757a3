//! The session ledger as chargers in the field use it; names follow the list of field quirks.

use super::{Building, ONE, amps, charger_id, site, uid};
use crate::{Input, Order, Output};
use domain::{
    CardVerdict, ChargerEvent, ChargerSample, ConnectorStatus, EndReason, MeterRole, Pacing, Provenance, Record,
    Session, SessionId, SessionRef, StartRequest, StopReason, StopRequest, TenantId, Timestamp, WattHours,
};

fn building() -> Building {
    Building::new(site(Pacing::Careful), 2, MeterRole::House)
}

fn start_request(b: &Building, card: u32, wh: u64) -> StartRequest {
    let (at, meter, provenance) = (b.now().wall, WattHours(wh), Provenance::Measured);
    StartRequest { connector: ONE, card: Some(uid(card)), at, meter, provenance }
}

fn start(b: &mut Building, n: u32, request: &StartRequest) -> (SessionId, CardVerdict, Vec<Output>) {
    let reply = b.reply();
    let out = b.event(n, ChargerEvent::SessionStarted { reply, request: request.clone() });
    let answer = out.iter().find_map(|o| match o {
        Output::StartAnswer { reply: r, session, verdict, .. } if *r == reply => Some((*session, *verdict)),
        _ => None,
    });
    let (session, verdict) = answer.unwrap();
    (session, verdict, out)
}

fn stop(b: &mut Building, n: u32, session: SessionRef, wh: u64) -> Vec<Output> {
    let (reply, at) = (b.reply(), b.now().wall);
    let (reason, provenance) = (StopReason::EvDisconnected, Provenance::Measured);
    let request = StopRequest { session, card: None, at, meter: WattHours(wh), reason, provenance };
    let out = b.event(n, ChargerEvent::SessionStopped { reply, request });
    assert!(out.iter().any(|o| matches!(o, Output::StopAnswer { reply: r, .. } if *r == reply)), "always answered");
    out
}

fn saved(out: &[Output]) -> Vec<Session> {
    let session =
        |o: &Output| if let Output::Save(Record::Session(session)) = o { Some(session.clone()) } else { None };
    out.iter().filter_map(session).collect()
}

fn measure_wh(b: &mut Building, n: u32, wh: u64) {
    let sample = ChargerSample { at: b.now().wall, energy: Some(WattHours(wh)), ..ChargerSample::default() };
    b.event(n, ChargerEvent::Measured { connector: Some(ONE), session: None, sample });
}

/// A session from start to stop has the energy between its registers and says why it ended.
#[test]
fn a_session_counts_its_energy() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    let (id, verdict, out) = start(&mut b, 1, &request);
    assert_eq!((id, verdict), (SessionId(1), CardVerdict::Accepted { tenant: TenantId(1) }));
    assert_eq!(saved(&out).len(), 1, "it is kept before it is answered");
    b.ms += 1_800_000;
    measure_wh(&mut b, 1, 4000);
    b.ms += 1_800_000;
    let out = stop(&mut b, 1, SessionRef::Known(id), 8000);
    let session = &saved(&out)[0];
    assert_eq!((session.energy, session.end_reason), (WattHours(7000), Some(EndReason::Unplugged)));
    assert_eq!(session.provenance, Provenance::Measured);
}

/// The same start again, after a lost answer or a reconnect, is the same session, even when it ended since.
#[test]
fn start_replay_same_id() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    let (first, ..) = start(&mut b, 1, &request);
    b.run(30);
    let (again, verdict, out) = start(&mut b, 1, &request);
    assert_eq!((again, verdict), (first, CardVerdict::Accepted { tenant: TenantId(1) }));
    assert_eq!(saved(&out).len(), 1);
    stop(&mut b, 1, SessionRef::Known(first), 1500);
    let (after, _, _) = start(&mut b, 1, &request);
    assert_eq!(after, first);
    assert_eq!(b.session(1), None, "a replay opens nothing");
}

/// A stop again changes nothing.
#[test]
fn stop_replay_changes_nothing() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    let (id, ..) = start(&mut b, 1, &request);
    b.run(600);
    let out = stop(&mut b, 1, SessionRef::Known(id), 1500);
    assert_eq!(saved(&out).len(), 1);
    b.run(10);
    assert!(saved(&stop(&mut b, 1, SessionRef::Known(id), 9999)).is_empty());
}

/// A stop without a number of ours is placed by charger, card and time.
#[test]
fn tx_id_zero_and_minus_one() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    let (id, ..) = start(&mut b, 1, &request);
    b.run(600);
    let out = stop(&mut b, 1, SessionRef::Unknown, 1500);
    assert_eq!(saved(&out)[0].id, id);
}

/// A number of another charger's session ends nothing there.
#[test]
fn a_stop_ends_only_its_own_chargers_session() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    let (id, ..) = start(&mut b, 1, &request);
    let out = stop(&mut b, 2, SessionRef::Known(id), 1500);
    assert!(saved(&out).is_empty());
    assert_eq!(b.session(1), Some(id));
}

/// Only the stop arrived: it is kept for the manager to place.
#[test]
fn stop_without_start() {
    let mut b = building();
    let out = stop(&mut b, 1, SessionRef::Unknown, 1500);
    assert!(out.iter().any(|o| matches!(o, Output::Save(Record::OrphanStop(_)))), "{out:?}");
}

/// The stop never came: the next start closes it with the last register, and a late real stop overrides.
#[test]
fn stop_missing_zombie() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    let (id, ..) = start(&mut b, 1, &request);
    b.ms += 600_000;
    measure_wh(&mut b, 1, 2000);
    b.ms += 600_000;
    let next = start_request(&b, 1, 2500);
    let (new, _, out) = start(&mut b, 1, &next);
    let closed = saved(&out).into_iter().find(|s| s.id == id).unwrap();
    assert_eq!((closed.energy, closed.provenance), (WattHours(1000), Provenance::Estimated));
    assert_eq!(closed.end_reason, Some(EndReason::Lost));
    let out = stop(&mut b, 1, SessionRef::Known(id), 2500);
    let real = &saved(&out)[0];
    assert_eq!((real.id, real.energy, real.end_reason), (id, WattHours(1500), Some(EndReason::Unplugged)));
    assert_eq!(b.session(1), Some(new), "the running one is untouched");
}

/// Available for a while proves that the session is over; a moment of it does not.
#[test]
fn available_before_stop() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    let (id, ..) = start(&mut b, 1, &request);
    b.status(1, ConnectorStatus::Available);
    b.run(110);
    assert_eq!(b.session(1), Some(id));
    b.run(20);
    assert_eq!(b.session(1), None);
    let out = stop(&mut b, 1, SessionRef::Known(id), 1200);
    assert_eq!(saved(&out)[0].energy, WattHours(200));
}

/// A card nobody enrolled gets a session number, no tenant and no current.
#[test]
fn start_invalid_tag_still_gets_id() {
    let mut b = building();
    let request = start_request(&b, 77, 1000);
    let (id, verdict, _) = start(&mut b, 1, &request);
    assert_eq!(verdict, CardVerdict::Unknown);
    b.run(60);
    let connector = b.connector(1);
    let session = connector.session.unwrap();
    assert_eq!((session.id, session.tenant), (id, None));
    assert_eq!(b.sets(1), [0]);
    assert_eq!(connector.reason, crate::Reason::NotAuthorised);
}

/// A session that was never closed does not keep its card from charging elsewhere.
#[test]
fn stale_tx_does_not_block_tag() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    start(&mut b, 1, &request);
    let elsewhere = start_request(&b, 1, 50);
    let (_, verdict, _) = start(&mut b, 2, &elsewhere);
    assert_eq!(verdict, CardVerdict::InUse, "a car hangs on it");
    b.status(1, ConnectorStatus::Available);
    b.ms += 1000;
    let elsewhere = start_request(&b, 1, 60);
    let (_, verdict, _) = start(&mut b, 2, &elsewhere);
    assert_eq!(verdict, CardVerdict::Accepted { tenant: TenantId(1) });
}

/// What happened while the charger was offline arrives late, in order, next to a running session.
#[test]
fn offline_replay_old() {
    let mut b = building();
    let now = start_request(&b, 1, 9000);
    let (running, ..) = start(&mut b, 1, &now);
    let at = Timestamp(b.now().wall.0 - 10_800_000);
    let old = StartRequest { at, provenance: Provenance::ReceivedLate, ..start_request(&b, 2, 1000) };
    let (id, _, _) = start(&mut b, 1, &old);
    assert_eq!(b.session(1), Some(running));
    let (reply, reason, provenance) = (b.reply(), StopReason::Local, Provenance::ReceivedLate);
    let at = Timestamp(at.0 + 3_600_000);
    let request =
        StopRequest { session: SessionRef::Known(id), card: None, at, meter: WattHours(6000), reason, provenance };
    let out = b.event(1, ChargerEvent::SessionStopped { reply, request });
    let session = &saved(&out)[0];
    assert_eq!((session.energy, session.provenance), (WattHours(5000), Provenance::ReceivedLate));
    assert_eq!(b.session(1), Some(running));
}

/// A final register that cannot be is not believed; the last good one stays and the session says so.
#[test]
fn impossible_registers_are_not_believed() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    let (id, ..) = start(&mut b, 1, &request);
    b.ms += 3_600_000;
    measure_wh(&mut b, 1, 8000);
    let out = stop(&mut b, 1, SessionRef::Known(id), 8_000_000);
    let session = &saved(&out)[0];
    assert_eq!((session.energy, session.provenance), (WattHours(7000), Provenance::Estimated));
}

/// The manager's end reaches the charger; without a session there is nothing to end.
#[test]
fn the_manager_ends_a_session() {
    let mut b = building();
    let end = || Order::EndSession { charger: charger_id(1), connector: ONE };
    assert!(b.order(end()).is_err());
    b.start(1, amps(16));
    let out = b.input(Input::Order(end()));
    assert!(out.iter().any(|o| matches!(o, Output::EndSession { session: SessionId(1), .. })), "{out:?}");
}

fn measure_wh_at(b: &mut Building, at: Timestamp, wh: u64) {
    let sample = ChargerSample { at, energy: Some(WattHours(wh)), ..ChargerSample::default() };
    b.event(1, ChargerEvent::Measured { connector: Some(ONE), session: None, sample });
}

/// A register that restarted and climbs past its old value goes on counting: nothing is lost or counted twice.
#[test]
fn a_restarted_register_climbs_past_its_old_value() {
    let mut b = building();
    let request = start_request(&b, 1, 500);
    let (id, ..) = start(&mut b, 1, &request);
    let mut before = WattHours::ZERO;
    for wh in [700, 1000, 0, 300, 600, 900, 1100, 1300] {
        b.ms += 300_000;
        measure_wh(&mut b, 1, wh);
        let energy = b.connector(1).session.unwrap().energy;
        assert!(energy >= before, "at {wh}: {before} to {energy}");
        before = energy;
    }
    let out = stop(&mut b, 1, SessionRef::Known(id), 1400);
    assert_eq!(saved(&out)[0].energy, WattHours(500 + 1400));
}

/// A backlog that arrives among live readings is older than they are and counts nothing.
#[test]
fn a_backlog_among_live_readings_counts_nothing() {
    let mut b = building();
    let request = start_request(&b, 1, 0);
    let (id, ..) = start(&mut b, 1, &request);
    let began = b.now().wall.0;
    b.ms += 240_000;
    measure_wh(&mut b, 1, 400);
    for (second, wh) in [(60, 100), (120, 200), (180, 300)] {
        measure_wh_at(&mut b, Timestamp(began + second * 1000), wh);
    }
    b.ms += 60_000;
    let out = stop(&mut b, 1, SessionRef::Known(id), 500);
    assert_eq!((saved(&out)[0].energy, saved(&out)[0].provenance), (WattHours(500), Provenance::Measured));
}

/// A charger whose clock is set back during a session, and that reports no values, loses no energy: the time
/// that passed here bounds it too.
#[test]
fn a_clock_set_back_loses_no_energy() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    let (id, ..) = start(&mut b, 1, &request);
    b.ms += 7_200_000;
    let (reply, at) = (b.reply(), Timestamp(request.at.0 - 60_000));
    let (session, reason, provenance) = (SessionRef::Known(id), StopReason::Local, Provenance::Measured);
    let request = StopRequest { session, card: None, at, meter: WattHours(15_000), reason, provenance };
    let out = b.event(1, ChargerEvent::SessionStopped { reply, request });
    assert_eq!(saved(&out)[0].energy, WattHours(14_000));
}

/// A start repeated by a charger whose clock had to be corrected comes with another time each time.
#[test]
fn a_replay_with_a_corrected_clock_is_the_same_session() {
    let mut b = building();
    for provenance in [Provenance::ClockCorrected, Provenance::Measured] {
        let request = StartRequest { provenance, ..start_request(&b, 1, 1000) };
        let (first, ..) = start(&mut b, 1, &request);
        b.ms += 45_000;
        let again = StartRequest { at: b.now().wall, ..request.clone() };
        let (second, ..) = start(&mut b, 1, &again);
        assert_eq!(first, second, "{provenance:?}");
        b.ms += 600_000;
        stop(&mut b, 1, SessionRef::Known(first), 1000);
    }
}

/// The answer to a repeated start says the same as the first: a session of nobody stays one.
#[test]
fn a_replay_gets_the_same_verdict() {
    let mut b = building();
    let ttl = domain::DurationMs::from_secs(120);
    b.order(Order::Enrol { tenant: Some(TenantId(1)), charger: None, ttl }).unwrap();
    let request = start_request(&b, 50, 1000);
    let (_, first, _) = start(&mut b, 1, &request);
    let (_, again, _) = start(&mut b, 1, &request);
    assert_eq!((first, again), (CardVerdict::Unknown, CardVerdict::Unknown), "it enrolled the card, no more");
    let at_home = start_request(&b, 1, 2000);
    start(&mut b, 1, &at_home);
    let elsewhere = start_request(&b, 1, 50);
    let (_, first, _) = start(&mut b, 2, &elsewhere);
    let (_, again, _) = start(&mut b, 2, &elsewhere);
    assert_eq!((first, again), (CardVerdict::InUse, CardVerdict::InUse));
}

/// The end of a session at a charger that was removed meanwhile still brings its energy.
#[test]
fn a_removed_chargers_session_is_ended_by_its_stop() {
    let mut b = building();
    let request = start_request(&b, 1, 1000);
    let (id, ..) = start(&mut b, 1, &request);
    b.ms += 3_600_000;
    b.order(Order::RemoveCharger(charger_id(1))).unwrap();
    let out = stop(&mut b, 1, SessionRef::Known(id), 6000);
    assert_eq!((saved(&out)[0].id, saved(&out)[0].energy), (id, WattHours(5000)));
}

/// A session that ran when the program stopped and whose charger comes back free ended when its register last moved
/// on, not when it began: the tenant's list shows for how long the car charged.
#[test]
fn a_session_lost_over_a_restart_ends_at_its_last_reading() {
    let mut before = building();
    let request = start_request(&before, 1, 1000);
    let (id, ..) = start(&mut before, 1, &request);
    before.ms += 1_800_000;
    measure_wh(&mut before, 1, 4000);
    let read_at = before.now().wall;
    let state = before.control.snapshot(before.now());
    let mut setup = crate::Setup::empty(state.site, super::circuits(200));
    (setup.tenants, setup.cards) = (state.tenants, state.cards);
    setup.chargers = state.chargers.iter().map(|state| state.charger.clone()).collect();
    setup.open_sessions = state.chargers.iter().filter_map(|state| state.connectors[0].session.clone()).collect();
    setup.read_at = vec![(id, read_at)];
    let mut b = Building::of(setup, MeterRole::House);
    b.ms = before.ms + 3_600_000;
    b.event(1, ChargerEvent::Connected);
    b.status(1, ConnectorStatus::Available);
    b.run(120);
    let ended: Vec<Session> = saved(&b.log).into_iter().filter(|session| session.ended_at.is_some()).collect();
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!((ended[0].id, ended[0].ended_at, ended[0].energy), (id, Some(read_at), WattHours(3000)));
    assert_eq!(ended[0].end_reason, Some(EndReason::Lost));
}
