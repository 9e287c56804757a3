//! A whole session, text by text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bench;

use bench::*;
use central_system::{Command, Gate, Input, Outcome, Output, ResetKind, Trigger};
use domain::{
    CardVerdict, ChargerEvent, ConnectorStatus, DurationMs, MilliAmps, Provenance, SessionId, SessionRef, StopReason,
    Timestamp, WattHours, Watts,
};
use serde_json::json;

/// From the first connection to the end of a session, every text that crosses the wire.
#[test]
fn a_session_from_boot_to_stop() {
    let mut bench = Bench::new(|_| ());
    assert_eq!(events(&bench.open()), [ChargerEvent::Connected]);

    let out = bench.frame(
        r#"[2,"1","BootNotification",{"chargePointVendor":"Volta","chargePointModel":"One","firmwareVersion":"1.2","chargePointSerialNumber":"S7"}]"#,
    );
    let Some(Output::Event(ChargerEvent::Booted(hardware))) = out.first() else { panic!("{out:?}") };
    assert_eq!((hardware.model.as_str(), hardware.serial.as_str()), ("One", "S7"));
    let text = r#"[3,"1",{"currentTime":"2026-11-20T08:00:00Z","interval":300,"status":"Accepted"}]"#.to_owned();
    assert_eq!(out[1], Output::Send { text, gate: Gate::Recorded });

    let out = bench.settle(agreeable);
    let actions: Vec<String> = requests(&out).into_iter().map(|call| call.action).collect();
    let (write, read) = ("ChangeConfiguration", "GetConfiguration");
    let always = ["SetChargingProfile", write, write, write];
    let differs = [read, read, read, write, write, write, write, write];
    assert_eq!(actions, [&always[..], &differs].concat());
    assert_eq!(profiles(&out), ["TxDefaultProfile Relative 0 6 A"]);

    let out =
        bench.call("StatusNotification", json!({ "connectorId": 1, "errorCode": "NoError", "status": "Preparing" }));
    let [ChargerEvent::Status { connector: Some(ONE), status: ConnectorStatus::Preparing, .. }] = &events(&out)[..]
    else {
        panic!("{out:?}")
    };
    assert_eq!(answer(&out), json!({}));

    let out = bench.call("Authorize", json!({ "idTag": "04:a1:b2:c3" }));
    let (reply, card) = tapped(&out);
    assert_eq!((card.as_str(), answers(&out).len()), ("04A1B2C3", 0));
    let out = bench.give(Input::CardAnswer { reply, verdict: ACCEPTED });
    assert_eq!(
        answers(&out),
        [(json!({ "idTagInfo": { "status": "Accepted", "parentIdTag": "T7" } }), Gate::Recorded)]
    );

    let payload =
        json!({ "connectorId": 1, "idTag": "04A1B2C3", "meterStart": 5000, "timestamp": "2026-11-20T08:00:40Z" });
    let out = bench.call("StartTransaction", payload);
    let (reply, request) = started(&out);
    assert_eq!((request.meter, request.provenance), (WattHours(5000), Provenance::Measured));
    assert_eq!(bench.give(Input::SetLimit { connector: ONE, limit: MilliAmps::from_amps(16) }), []);
    let out = bench.give(Input::StartAnswer { reply, session: SessionId(42), verdict: ACCEPTED });
    let expected = json!({ "idTagInfo": { "status": "Accepted", "parentIdTag": "T7" }, "transactionId": 42 });
    assert_eq!(answers(&out), [(expected, Gate::Durable)]);
    let limit = &asked(&out, "SetChargingProfile")[0];
    assert_eq!(limit["connectorId"], 1);
    let profile = &limit["csChargingProfiles"];
    assert_eq!((&profile["transactionId"], &profile["chargingSchedule"]["duration"]), (&json!(42), &json!(120)));
    assert_eq!(profiles(&out), ["TxProfile Absolute 0 16 A"]);
    let out = bench.answered(&out, &mut agreeable);
    assert_eq!(limits_answered(&out), [(MilliAmps::from_amps(16), true)]);

    let out = bench.call(
        "MeterValues",
        json!({ "connectorId": 1, "transactionId": 42, "meterValue": [{ "timestamp": "2026-11-20T08:00:40Z", "sampledValue": [
            { "value": "5100" }, { "value": "3.68", "measurand": "Power.Active.Import", "unit": "kW" },
            { "value": "16.0", "measurand": "Current.Import", "phase": "L1", "unit": "A" },
            { "value": "230.1", "measurand": "Voltage", "phase": "L1-N", "unit": "V" }] }] }),
    );
    let sample = &samples(&out)[0];
    assert_eq!((sample.energy, sample.power), (Some(WattHours(5100)), Some(Watts(3680))));
    assert_eq!(sample.current_per_wire, [MilliAmps::from_amps(16)]);
    assert_eq!(answer(&out), json!({}));

    let out = bench.call(
        "StopTransaction",
        json!({ "transactionId": 42, "meterStop": 9000, "timestamp": "2026-11-20T08:00:40Z", "reason": "EVDisconnected",
            "transactionData": [{ "timestamp": "2026-11-20T08:00:40Z", "sampledValue": [{ "value": "9000" }] }] }),
    );
    assert_eq!(samples(&out)[0].energy, Some(WattHours(9000)));
    let (reply, request) = stopped(&out);
    assert_eq!((request.session, request.reason), (SessionRef::Known(SessionId(42)), StopReason::EvDisconnected));
    let out = bench.give(Input::StopAnswer { reply, verdict: None });
    assert_eq!(answers(&out), [(json!({}), Gate::Durable)]);
    assert_eq!(requests(&bench.ticks(120, agreeable)), [], "nothing is sent about a session that is over");
}

/// Every verdict has its word, and a card that is refused still gets a transaction (Q7).
#[test]
fn start_invalid_tag_still_gets_id() {
    for (verdict, word) in [
        (CardVerdict::Unknown, "Invalid"),
        (CardVerdict::Blocked, "Blocked"),
        (CardVerdict::NotApproved, "Invalid"),
        (CardVerdict::InUse, "ConcurrentTx"),
    ] {
        let mut bench = Bench::ready();
        let payload = json!({ "connectorId": 1, "idTag": "FFFF", "meterStart": 0, "timestamp": bench.text() });
        let reply = started(&bench.call("StartTransaction", payload)).0;
        let out = bench.give(Input::StartAnswer { reply, session: SessionId(3), verdict });
        assert_eq!(answer(&out), json!({ "idTagInfo": { "status": word }, "transactionId": 3 }));
        let reply = tapped(&bench.call("Authorize", json!({ "idTag": "FFFF" }))).0;
        let out = bench.give(Input::CardAnswer { reply, verdict });
        assert_eq!(answer(&out), json!({ "idTagInfo": { "status": word } }));
    }
}

/// The rest of what a charger may send is answered as the standard says.
#[test]
fn every_message_of_a_charger_is_answered() {
    let mut bench = Bench::ready();
    let now = bench.text();
    for (action, payload, expected) in [
        ("Heartbeat", json!({}), json!({ "currentTime": now })),
        ("DataTransfer", json!({ "vendorId": "V", "data": "x" }), json!({ "status": "UnknownVendorId" })),
        ("FirmwareStatusNotification", json!({ "status": "Idle" }), json!({})),
        ("DiagnosticsStatusNotification", json!({ "status": "Idle" }), json!({})),
        ("LogStatusNotification", json!({ "status": "Idle", "requestId": 1 }), json!({})),
        ("SecurityEventNotification", json!({ "type": "X", "timestamp": now }), json!({})),
        ("SignedFirmwareStatusNotification", json!({ "status": "Idle" }), json!({})),
        ("SignCertificate", json!({ "csr": "x" }), json!({ "status": "Accepted" })),
        ("SignCertificate", json!({ "csr": "" }), json!({ "status": "Rejected" })),
        (
            "Reset",
            json!({ "type": "Hard" }),
            json!(["NotSupported", "Reset goes from the central system to the charger"]),
        ),
        ("MakeCoffee", json!({}), json!(["NotImplemented", "MakeCoffee is not an action of OCPP 1.6"])),
        ("StatusNotification", json!({ "status": 7 }), json!({})),
        ("BootNotification", json!([1]), json!(["FormationViolation", "the payload must be a JSON object"])),
    ] {
        let out = bench.call(action, payload);
        assert_eq!(answer(&out), expected, "{action}");
        assert_eq!(answers(&out)[0].1, Gate::Recorded, "{action}");
    }
}

/// Gives a command, lets the charger answer, and checks both texts.
fn check_command(
    command: Command,
    action: &str,
    payload: serde_json::Value,
    reply: serde_json::Value,
    outcome: Outcome,
) {
    let mut bench = Bench::ready();
    let out = bench.command(command);
    assert_eq!(asked(&out, action), [payload], "{action}");
    let out = bench.answered(&out, &mut |_call| Some(reply.clone()));
    let [(9, got, _)] = outcomes(&out)[..] else { panic!("{out:?}") };
    assert_eq!(got, outcome, "{action}");
}

/// What moves a session or a connector becomes the request of the standard, and its answer an outcome.
#[test]
fn commands_about_sessions_reach_the_charger() {
    use Outcome::{Accepted, Rejected};
    let yes = || json!({ "status": "Accepted" });
    let card = domain::CardUid::new("04A1B2C3").unwrap();
    let start = Command::RemoteStart { connector: Some(ONE), card };
    check_command(start, "RemoteStartTransaction", json!({ "connectorId": 1, "idTag": "04A1B2C3" }), yes(), Accepted);
    let stop = Command::RemoteStop { session: SessionId(5) };
    let no = json!({ "status": "Rejected" });
    check_command(stop, "RemoteStopTransaction", json!({ "transactionId": 5 }), no, Rejected);
    let unlock = Command::Unlock { connector: ONE };
    check_command(unlock, "UnlockConnector", json!({ "connectorId": 1 }), json!({ "status": "Unlocked" }), Accepted);
    let close = Command::ChangeAvailability { connector: None, operative: false };
    let payload = json!({ "connectorId": 0, "type": "Inoperative" });
    check_command(close, "ChangeAvailability", payload, json!({ "status": "Scheduled" }), Accepted);
    check_command(Command::Reset(ResetKind::Soft), "Reset", json!({ "type": "Soft" }), yes(), Accepted);
    check_command(Command::ClearCache, "ClearCache", json!({}), yes(), Accepted);
}

/// What reads or sets a charger up becomes the request of the standard, and its answer an outcome.
#[test]
fn commands_about_settings_reach_the_charger() {
    use Outcome::{Accepted, Rejected};
    let key = || "HeartbeatInterval".to_owned();
    let get = Command::GetConfiguration { keys: vec![key()] };
    check_command(get, "GetConfiguration", json!({ "key": [key()] }), json!({ "configurationKey": [] }), Accepted);
    let all = Command::GetConfiguration { keys: Vec::new() };
    check_command(all, "GetConfiguration", json!({}), json!({ "unknownKey": [] }), Accepted);
    let set = Command::ChangeConfiguration { key: key(), value: "60".to_owned() };
    let payload = json!({ "key": key(), "value": "60" });
    check_command(set, "ChangeConfiguration", payload, json!({ "status": "NotSupported" }), Rejected);
    let trigger = Command::TriggerMessage { message: Trigger::MeterValues, connector: Some(ONE) };
    let payload = json!({ "connectorId": 1, "requestedMessage": "MeterValues" });
    check_command(trigger, "TriggerMessage", payload, json!({ "error": "NotImplemented" }), Rejected);
    let transfer = Command::DataTransfer { vendor: "V".to_owned(), message: None, data: Some("x".to_owned()) };
    let payload = json!({ "vendorId": "V", "data": "x" });
    check_command(transfer, "DataTransfer", payload, json!({ "status": "Accepted" }), Accepted);
}

/// A command ends exactly once, also when nobody is there, nobody answers, or it cannot be written.
#[test]
fn commands_always_end() {
    let mut bench = Bench::new(|_| ());
    assert_eq!(outcomes(&bench.command(Command::ClearCache))[0].1, Outcome::Disconnected);

    let mut bench = Bench::ready();
    bench.command(Command::ClearCache);
    let out = bench.ticks(40, |_| None);
    assert_eq!(outcomes(&out)[0].1, Outcome::TimedOut);

    bench.command(Command::ClearCache);
    bench.give(Input::Command { id: 10, command: Command::ClearCache });
    let ended: Vec<(u64, Outcome)> =
        outcomes(&bench.close()).into_iter().map(|(id, outcome, _)| (id, outcome)).collect();
    assert_eq!(ended, [(9, Outcome::Disconnected), (10, Outcome::Disconnected)]);

    let mut bench = Bench::ready();
    let card = domain::CardUid::new("A".repeat(30)).unwrap();
    let out = bench.command(Command::RemoteStart { connector: None, card });
    let (_, outcome, answer) = &outcomes(&out)[0];
    assert_eq!((*outcome, answer.contains("at most 20 characters")), (Outcome::Rejected, true), "{answer}");
}

/// A fallback that changes is installed anew; while a session runs, a live limit ends by itself in two minutes.
#[test]
fn limits_end_by_themselves() {
    let mut bench = Bench::ready();
    bench.start(1);
    bench.limit(MilliAmps::from_amps(10), agreeable);
    let out = bench.ticks(60, agreeable);
    assert_eq!(profiles(&out), ["TxProfile Absolute 0 10 A"], "renewed once a minute at the latest");
    assert_eq!(limits_answered(&out), [], "a renewal is no news");
    let schedule = &asked(&out, "SetChargingProfile")[0]["csChargingProfiles"]["chargingSchedule"];
    let starts = ocpp::DateTime::from_text(schedule["startSchedule"].as_str().unwrap()).read().unwrap().unix_ms;
    assert!(starts <= bench.now.wall.0 && schedule["duration"] == 120);
    let out = bench.give(Input::SetFallback(MilliAmps::ZERO));
    assert_eq!(profiles(&out), ["TxDefaultProfile Relative 0 0 A"]);
}

/// The newest limit is the one that is sent; a cut overtakes what waits.
#[test]
fn newest_limit_wins_and_cuts_go_first() {
    let mut bench = Bench::ready();
    bench.start(1);
    bench.limit(MilliAmps::from_amps(16), agreeable);
    let first = bench.command(Command::ClearCache);
    bench.give(Input::Command { id: 2, command: Command::ClearCache });
    for amps in [20, 32, 8] {
        assert_eq!(bench.give(Input::SetLimit { connector: ONE, limit: MilliAmps::from_amps(amps) }), []);
    }
    let mut order = Vec::new();
    let out = bench.answered(&first, &mut |call| {
        order.push(call.action.clone());
        agreeable(call)
    });
    assert_eq!(order, ["ClearCache", "SetChargingProfile", "ClearCache"]);
    assert_eq!(profiles(&out), ["TxProfile Absolute 0 8 A"]);
}

/// After this program restarts, a running session gets its limit without any message about it.
#[test]
fn known_sessions_are_limited_after_a_restart() {
    let mut bench = Bench::new(|_| ());
    bench.give(Input::KnownSessions(vec![(ONE, SessionId(77), Timestamp(MORNING_MS))]));
    bench.give(Input::SetLimit { connector: ONE, limit: MilliAmps::from_amps(9) });
    bench.open();
    let out = bench.ticks(4, agreeable);
    let live: Vec<_> = asked(&out, "SetChargingProfile")
        .into_iter()
        .filter(|it| it["csChargingProfiles"]["transactionId"] == 77)
        .collect();
    assert_eq!(live.len(), 1, "{out:?}");
    assert_eq!(live[0]["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"], 9);
}

/// A limit given before a session begins is installed at its beginning; one of a session that never ended is not.
#[test]
fn limits_wait_for_their_session() {
    let mut bench = Bench::ready();
    assert_eq!(bench.limit(MilliAmps::from_amps(7), agreeable), []);
    let out = bench.start(1);
    assert_eq!(profiles(&out), ["TxProfile Absolute 0 7 A"]);
    bench.answered(&out, &mut agreeable);
    assert_eq!(profiles(&bench.start(2)), Vec::<String>::new());
}

/// A limit of one session never reaches the next one.
#[test]
fn limits_end_with_their_session() {
    let mut bench = Bench::ready();
    bench.start(1);
    bench.limit(MilliAmps::from_amps(32), agreeable);
    let payload = json!({ "transactionId": 1, "meterStop": 2000, "timestamp": bench.text() });
    let reply = stopped(&bench.call("StopTransaction", payload)).0;
    bench.give(Input::StopAnswer { reply, verdict: None });
    assert_eq!(profiles(&bench.start(2)), Vec::<String>::new());
    assert_eq!(profiles(&bench.limit(MilliAmps::from_amps(7), agreeable)), ["TxProfile Absolute 0 7 A"]);
}

/// Q43: only silence of three heartbeats gives a connection up; whatever the charger sends counts as life.
#[test]
fn no_pong_tolerated() {
    let mut bench = Bench::ready();
    let closes = |out: &[Output]| out.iter().filter(|it| matches!(it, Output::Close { .. })).count();
    assert_eq!(closes(&bench.ticks(840, |_| None)), 0);
    assert_eq!(closes(&bench.ticks(100, |_| None)), 1);
    bench.pass(DurationMs::from_secs(1));
}

/// The start of an older session that a charger sends again late, after the next one began, does not take the running
/// session's place: limits still name the one that runs, also when that was running before this program started.
#[test]
fn a_late_start_of_an_older_session_changes_nothing() {
    let late = |bench: &mut Bench| {
        let payload =
            json!({ "connectorId": 1, "idTag": "04A1B2C3", "meterStart": 500, "timestamp": "2026-11-20T07:00:00Z" });
        let reply = started(&bench.call("StartTransaction", payload)).0;
        let out = bench.give(Input::StartAnswer { reply, session: SessionId(9), verdict: ACCEPTED });
        assert_eq!(answer_to_start(&out), 9, "the charger gets the number of the old one all the same");
    };
    let limited = |bench: &mut Bench| {
        let out = bench.limit(MilliAmps::from_amps(8), agreeable);
        asked(&out, "SetChargingProfile")[0]["csChargingProfiles"]["transactionId"].clone()
    };
    let mut bench = Bench::ready();
    bench.start(8);
    late(&mut bench);
    assert_eq!(limited(&mut bench), 8);

    let mut bench = Bench::new(|_| ());
    bench.give(Input::KnownSessions(vec![(ONE, SessionId(8), Timestamp(MORNING_MS))]));
    bench.open();
    bench.boot();
    bench.settle(agreeable);
    late(&mut bench);
    assert_eq!(limited(&mut bench), 8);
}

fn answer_to_start(out: &[Output]) -> i64 {
    answers(out)[0].0["transactionId"].as_i64().unwrap()
}
