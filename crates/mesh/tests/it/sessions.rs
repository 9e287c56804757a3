//! Cards and sessions, also across lost messages and restarts.

use crate::common::*;
use domain::{
    CardUid, CardVerdict, ChargerEvent, ConnectorNumber, ConnectorStatus, Provenance, ReplyKey, SessionId, SessionRef,
    StartRequest, StopReason, StopRequest, TenantId, Timestamp, WattHours,
};
use mesh::wire::{CardAction, ChargerOrder, EndOrder, ManagerBody, StartAnswer, StopAnswer, TapAnswer, VerdictWord};
use mesh::{Gate, Input, KnownSession, Output};

const TENANT: TenantId = TenantId(3);
const ACCEPTED: CardVerdict = CardVerdict::Accepted { tenant: TENANT };

fn orders(outputs: &[Output]) -> Vec<ChargerOrder> {
    bodies(outputs)
        .into_iter()
        .filter_map(|body| match body {
            ManagerBody::Order(order) => Some(order),
            _ => None,
        })
        .collect()
}

fn card() -> CardUid {
    CardUid::new("04A1B2C3").unwrap()
}

/// Taps the card and answers with a verdict; gives what the charger is told.
fn tap(world: &mut World, verdict: CardVerdict) -> TapAnswer {
    let outputs = world.status(r#""connector":1,"tap":{"card":"04:a1:b2:c3"}"#);
    let [ChargerEvent::CardTapped { reply, connector, card: tapped }] = &charger_events(&outputs)[..] else {
        unreachable!("{outputs:?}")
    };
    assert_eq!((*connector, tapped), (Some(ONE), &card()));
    let reply = *reply;
    let outputs = world.give(Input::CardAnswer { charger: charger("Charger-1"), reply, verdict });
    assert_eq!(published(&outputs)[0].1.re, Some(7), "names the tap it answers");
    orders(&outputs)[0].tap.unwrap()
}

const START: &str = r#""connector":1,"start":{"local":5,"card":"04A1B2C3","meter_wh":1000,"at_ms":1788220800000}"#;

fn started(outputs: &[Output]) -> Option<(ReplyKey, StartRequest)> {
    charger_events(outputs).into_iter().find_map(|event| match event {
        ChargerEvent::SessionStarted { reply, request } => Some((reply, request)),
        _ => None,
    })
}

fn stopped(outputs: &[Output]) -> Option<(ReplyKey, StopRequest)> {
    charger_events(outputs).into_iter().find_map(|event| match event {
        ChargerEvent::SessionStopped { reply, request } => Some((reply, request)),
        _ => None,
    })
}

fn start(world: &mut World) -> Vec<Output> {
    let (reply, _) = started(&world.status(START)).unwrap();
    let (session, verdict) = (SessionId(12), ACCEPTED);
    world.give(Input::StartAnswer { charger: charger("Charger-1"), reply, session, verdict })
}

/// The whole life of a session, from the tap to the recorded end.
#[test]
fn a_session_from_tap_to_end() {
    let mut world = World::running();
    let answer = tap(&mut world, ACCEPTED);
    assert_eq!(answer, TapAnswer { verdict: VerdictWord::Accepted, action: CardAction::Start, tenant: Some(3) });

    let (reply, request) = started(&world.status(START)).unwrap();
    let expected = StartRequest {
        connector: ONE,
        card: Some(card()),
        at: Timestamp(WALL),
        meter: WattHours(1000),
        provenance: Provenance::Measured,
    };
    assert_eq!(request, expected);
    let (session, verdict) = (SessionId(12), ACCEPTED);
    let outputs = world.give(Input::StartAnswer { charger: charger("Charger-1"), reply, session, verdict });
    let told = StartAnswer { local: 5, session: 12, verdict: VerdictWord::Accepted };
    assert_eq!(orders(&outputs)[0].start, Some(told));
    assert_eq!(published(&outputs)[0].2, Gate::Durable, "the charger forgets a start once it is answered");

    let load =
        r#"{"v":1,"code":"0x032","from":"Charger-1","connector":1,"session":12,"current_ma":[9000],"energy_wh":1500}"#;
    let events = charger_events(&world.say("Charger-1", "Charger-1", load));
    assert!(matches!(&events[0], ChargerEvent::Measured { session: Some(SessionId(12)), .. }));

    assert_eq!(tap(&mut world, ACCEPTED).action, CardAction::Stop, "the same tenant ends it");
    let stop = r#""connector":1,"stop":{"local":5,"session":12,"card":"04A1B2C3","meter_wh":2000,"at_ms":1788220800000,"reason":"card"}"#;
    let (reply, request) = stopped(&world.status(stop)).unwrap();
    assert_eq!(request.session, SessionRef::Known(SessionId(12)));
    assert_eq!((request.meter, request.reason, request.card), (WattHours(2000), StopReason::Local, Some(card())));
    let outputs = world.give(Input::StopAnswer { charger: charger("Charger-1"), reply, verdict: Some(ACCEPTED) });
    assert_eq!(orders(&outputs)[0].stop, Some(StopAnswer { local: 5 }));
    assert_eq!(published(&outputs)[0].2, Gate::Durable);
    assert_eq!(tap(&mut world, ACCEPTED).action, CardAction::Start, "the next tap starts again");
}

/// Another tenant's card does not end a session, and refused cards start none.
#[test]
fn only_the_same_tenant_ends_a_session() {
    let mut world = World::running();
    for (verdict, word) in [
        (CardVerdict::Unknown, VerdictWord::Unknown),
        (CardVerdict::Blocked, VerdictWord::Blocked),
        (CardVerdict::NotApproved, VerdictWord::NotApproved),
        (CardVerdict::InUse, VerdictWord::InUse),
    ] {
        let answer = tap(&mut world, verdict);
        assert_eq!((answer.verdict, answer.action), (word, CardAction::Refuse));
    }
    start(&mut world);
    let answer = tap(&mut world, CardVerdict::Accepted { tenant: TenantId(4) });
    assert_eq!(answer, TapAnswer { verdict: VerdictWord::InUse, action: CardAction::Refuse, tenant: None });
}

/// A start is repeated until its answer arrives: it is asked once, answered as often as it is repeated, and a number
/// used again for another session is not swallowed.
#[test]
fn a_repeated_start_is_one_session() {
    let mut world = World::running();
    let (reply, _) = started(&world.status(START)).unwrap();
    assert_eq!(started(&world.status(START)), None, "asked once");
    let (session, verdict) = (SessionId(12), ACCEPTED);
    world.give(Input::StartAnswer { charger: charger("Charger-1"), reply, session, verdict });
    let outputs = world.status(START);
    assert_eq!(started(&outputs), None);
    assert_eq!(orders(&outputs)[0].start.unwrap().session, 12);
    assert_eq!(published(&outputs)[0].2, Gate::Durable, "the first answer may have been held back");
    let again = START.replace("1000", "9000");
    assert!(started(&world.status(&again)).is_some(), "another register: another session");
}

/// A stop is repeated likewise, also when the session's number became known in between.
#[test]
fn a_repeated_stop_is_one_stop() {
    let mut world = World::running();
    start(&mut world);
    let stop = r#""connector":1,"stop":{"local":5,"meter_wh":2000,"at_ms":1788220800000,"reason":"unplugged"}"#;
    let (reply, request) = stopped(&world.status(stop)).unwrap();
    assert_eq!(request.session, SessionRef::Known(SessionId(12)), "found by the charger's own number");
    let with_number = stop.replace(r#""local":5"#, r#""local":5,"session":12"#);
    assert_eq!(stopped(&world.status(&with_number)), None, "asked once");
    world.give(Input::StopAnswer { charger: charger("Charger-1"), reply, verdict: None });
    let outputs = world.status(stop);
    assert_eq!(stopped(&outputs), None);
    assert_eq!(orders(&outputs)[0].stop, Some(StopAnswer { local: 5 }));
}

/// A stop of a session nobody knows, and one with an impossible number, are passed on as unknown, never dropped.
#[test]
fn an_unknown_stop_is_passed_on() {
    let mut world = World::running();
    for session in ["", r#""session":0,"#, r#""session":-1,"#] {
        let local = session.len();
        let stop = format!(r#""stop":{{"local":{local},{session}"meter_wh":1,"reason":"power_loss"}}"#);
        let (_, request) = stopped(&world.status(&stop)).unwrap();
        assert_eq!(request.session, SessionRef::Unknown);
        assert_eq!(request.at, Timestamp(WALL));
    }
}

/// What a charger kept without a link arrives late and says so; what its clock cannot know is corrected.
#[test]
fn times_are_judged() {
    let mut world = World::running();
    for (at, expected) in [
        (WALL - 60_000, (WALL - 60_000, Provenance::Measured)),
        (WALL - 86_400_000, (WALL - 86_400_000, Provenance::ReceivedLate)),
        (0, (WALL, Provenance::ClockCorrected)),
        (WALL + 86_400_000, (WALL, Provenance::ClockCorrected)),
        (i64::MIN, (WALL, Provenance::ClockCorrected)),
    ] {
        let start = START.replace("1788220800000", &at.to_string());
        let (_, request) = started(&world.status(&start)).unwrap();
        assert_eq!((request.at.0, request.provenance), expected, "{at}");
    }
}

/// A card that cannot be read is refused at the reader, but never loses a session that runs.
#[test]
fn a_card_of_300_characters() {
    let mut world = World::running();
    let long = "A".repeat(300);
    let outputs = world.status(&format!(r#""tap":{{"card":"{long}"}}"#));
    assert!(notice(&outputs).contains("at most 36 characters, this one has 300"), "{outputs:?}");
    assert!(charger_events(&outputs).is_empty());
    let outputs = world.status(&START.replace("04A1B2C3", &long));
    assert_eq!(started(&outputs).unwrap().1.card, None);
}

/// After a restart of the manager the running session goes on, and its tenant's card still ends it.
#[test]
fn sessions_survive_a_restart() {
    let mut world = World::running();
    let known = KnownSession { connector: ONE, session: SessionId(12), tenant: Some(TENANT) };
    world.give(Input::KnownSessions { charger: charger("Charger-1"), sessions: vec![known] });
    world.status(r#""connector":1,"running":{"local":5,"session":12}"#);
    assert_eq!(tap(&mut world, ACCEPTED).action, CardAction::Stop);
    world.status(r#""connector":1,"status":"available""#);
    assert_eq!(tap(&mut world, ACCEPTED).action, CardAction::Start, "without a car there is no session");
}

/// States are passed on with the charger's words; a connector it never announced is refused.
#[test]
fn states_are_passed_on() {
    let mut world = World::running();
    let outputs = world.status(r#""connector":1,"status":"faulted","error":"GroundFailure","info":"RCD""#);
    let [ChargerEvent::Status { connector, status, detail, at }] = &charger_events(&outputs)[..] else {
        unreachable!("{outputs:?}")
    };
    assert_eq!((*connector, *status, *at), (Some(ONE), ConnectorStatus::Faulted, Timestamp(WALL)));
    assert_eq!((detail.error.as_str(), detail.info.as_str()), ("GroundFailure", "RCD"));
    for number in [0, 2, 65535] {
        let outputs = world.status(&format!(r#""connector":{number},"status":"available""#));
        assert!(notice(&outputs).contains("the charger announced 1"), "{outputs:?}");
    }
}

/// An order to end a session is repeated until the charger says it ended.
#[test]
fn an_end_is_repeated_until_it_happens() {
    let mut world = World::running();
    start(&mut world);
    let (connector, session) = (ConnectorNumber(1), SessionId(12));
    let outputs = world.give(Input::EndSession { charger: charger("Charger-1"), connector, session });
    let end = Some(EndOrder { session: 12 });
    assert_eq!(orders(&outputs)[0].end, end);
    let ends = |outputs: Vec<(u64, Output)>| {
        let outputs: Vec<Output> = outputs.into_iter().map(|(_, output)| output).collect();
        orders(&outputs).iter().filter(|order| order.end == end).count()
    };
    assert_eq!(ends(world.pass(10)), 2);
    let stop = r#""connector":1,"stop":{"local":5,"session":12,"meter_wh":2000,"reason":"manager"}"#;
    let (reply, _) = stopped(&world.status(stop)).unwrap();
    world.give(Input::StopAnswer { charger: charger("Charger-1"), reply, verdict: None });
    assert_eq!(ends(world.pass(10)), 0);
}
