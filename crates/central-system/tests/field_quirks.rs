//! What real chargers do, as whole texts. Names are those of the compatibility list.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bench;

use bench::*;
use central_system::{Command, Gate, Input, Output};
use domain::{
    CardVerdict, ChargerEvent, ConnectorStatus, DurationMs, MilliAmps, Provenance, SessionId, SessionRef, Timestamp,
    WattHours,
};
use serde_json::{Value, json};

const MINUTE_MS: i64 = 60_000;

fn stop(bench: &mut Bench, payload: Value) -> Vec<Output> {
    bench.call("StopTransaction", payload)
}

fn values(bench: &mut Bench, at: &str, value: &str) -> Vec<Output> {
    let sampled = json!([{ "value": value }]);
    bench.call(
        "MeterValues",
        json!({ "connectorId": 1, "transactionId": 1, "meterValue": [{ "timestamp": at, "sampledValue": sampled }] }),
    )
}

/// Q1: an id beyond every integer is "no id", and the message is acknowledged, else it comes for ever.
#[test]
fn tx_id_i64_max() {
    let mut bench = Bench::ready();
    let out = bench.frame(
        r#"[2,"a","MeterValues",{"connectorId":1,"transactionId":9223372036854775807,"meterValue":[{"timestamp":"2019-02-01T10:00:00Z",
        "sampledValue":[{"value":"12.0","context":"CurrentMax"}]}]}]"#,
    );
    assert_eq!(answer(&out), json!({}));
    let [ChargerEvent::Measured { session: None, sample, .. }] = &events(&out)[..] else { panic!("{out:?}") };
    assert_eq!(sample.energy, Some(WattHours(12)));
    let out = bench.frame(
        r#"[2,"b","StopTransaction",{"transactionId":9223372036854775807,"idTag":"A1","meterStop":12,"timestamp":"2026-11-20T07:59:00Z"}]"#,
    );
    let (reply, request) = stopped(&out);
    assert_eq!(request.session, SessionRef::Unknown);
    assert_eq!(answers(&bench.give(Input::StopAnswer { reply, verdict: None })), [(json!({}), Gate::Durable)]);
}

/// Q2: zero and negative ids are no ids, for samples and for ends.
#[test]
fn tx_id_zero_and_minus_one() {
    for id in [0, -1, -77] {
        let mut bench = Bench::ready();
        let text = bench.text();
        let request = stopped(&stop(&mut bench, json!({ "transactionId": id, "meterStop": 5, "timestamp": text }))).1;
        assert_eq!(request.session, SessionRef::Unknown);
        let value = json!([{ "timestamp": text, "sampledValue": [{ "value": "5" }] }]);
        let out = bench.call("MeterValues", json!({ "connectorId": 1, "transactionId": id, "meterValue": value }));
        assert!(matches!(&events(&out)[..], [ChargerEvent::Measured { session: None, .. }]), "{out:?}");
    }
}

/// Q1, Q2: a backlog without usable ids does not end the session that runs.
#[test]
fn a_stop_without_id_leaves_the_running_session_alone() {
    let mut bench = Bench::ready();
    bench.start(1);
    bench.limit(MilliAmps::from_amps(10), agreeable);
    let reply = stopped(&stop(&mut bench, json!({ "transactionId": i64::MAX, "meterStop": 5, "timestamp": "" }))).0;
    bench.give(Input::StopAnswer { reply, verdict: None });
    assert_eq!(profiles(&bench.ticks(60, agreeable)), ["TxProfile Absolute 0 10 A"]);
}

/// Q3: the same start again after a reconnect asks the same question, gets its own answer, and keeps the limit.
#[test]
fn start_replay_same_id() {
    let mut bench = Bench::ready();
    let payload = json!({ "connectorId": 1, "idTag": "A1", "meterStart": 10, "timestamp": bench.text() });
    let (first, request) = started(&bench.call("StartTransaction", payload.clone()));
    bench.close();
    bench.open();
    let (second, again) = started(&bench.call("StartTransaction", payload));
    assert_eq!(request, again, "what makes it recognisable is unchanged");
    let late = bench.give(Input::StartAnswer { reply: first, session: SessionId(4), verdict: ACCEPTED });
    assert_eq!(answers(&late), [], "the socket that asked is gone");
    bench.give(Input::SetLimit { connector: ONE, limit: MilliAmps::from_amps(8) });
    let out = bench.give(Input::StartAnswer { reply: second, session: SessionId(4), verdict: ACCEPTED });
    assert_eq!(answer(&out)["transactionId"], 4);
    let out = bench.settle(agreeable);
    assert!(profiles(&out).contains(&"TxProfile Absolute 0 8 A".to_owned()), "{:?}", profiles(&out));
}

/// Q6, Q13: an end nobody knows is handed on and acknowledged; fields that are missing have stand-ins.
#[test]
fn stop_without_start() {
    let mut bench = Bench::ready();
    values(&mut bench, "", "7000");
    let (reply, request) = stopped(&stop(&mut bench, json!({})));
    assert_eq!(
        (request.session, request.meter),
        (SessionRef::Unknown, WattHours(7000)),
        "the newest register stands in"
    );
    assert_eq!(answer(&bench.give(Input::StopAnswer { reply, verdict: None })), json!({}));
    let out = bench.call("StartTransaction", json!({ "idTag": "A1" }));
    let (_, request) = started(&out);
    assert_eq!((request.connector, request.meter), (ONE, WattHours(7000)));
}

/// Q10: a backlog keeps its times and says that it is late.
#[test]
fn offline_replay_old() {
    let mut bench = Bench::ready();
    let payload =
        json!({ "connectorId": 1, "idTag": "SERIAL0123", "meterStart": 1, "timestamp": "2026-11-20T05:00:00Z" });
    let request = started(&bench.call("StartTransaction", payload)).1;
    assert_eq!((request.at.0, request.provenance), (MORNING_MS - 180 * MINUTE_MS, Provenance::ReceivedLate));
    let out = values(&mut bench, "2026-03-20T05:00:00Z", "5");
    assert!(samples(&out)[0].at < Timestamp(MORNING_MS - 100 * 24 * 60 * MINUTE_MS));
}

/// Q11: what follows a card of 20 characters is garbage, printable or not.
#[test]
fn idtag_20_chars_garbage_tail() {
    let card = "0123456789ABCDEF0123";
    for tail in ["", "xy", "\u{1}\u{fffd}", "é"] {
        let mut bench = Bench::ready();
        let payload = json!({ "connectorId": 1, "idTag": card, "meterStart": 1, "timestamp": bench.text() });
        let reply = started(&bench.call("StartTransaction", payload)).0;
        bench.give(Input::StartAnswer { reply, session: SessionId(1), verdict: ACCEPTED });
        let payload =
            json!({ "transactionId": 1, "idTag": format!("{card}{tail}"), "meterStop": 5, "timestamp": bench.text() });
        let request = stopped(&stop(&mut bench, payload)).1;
        assert_eq!(request.card.map(String::from), Some(card.to_owned()), "{tail:?}");
    }
}

/// A card of 300 characters is answered `Invalid` and named, at the reader and at the start of a session.
#[test]
fn a_card_of_300_characters_is_refused_in_words() {
    let mut bench = Bench::ready();
    let long = "A".repeat(300);
    let out = bench.call("Authorize", json!({ "idTag": long }));
    assert_eq!(answers(&out), [(json!({ "idTagInfo": { "status": "Invalid" } }), Gate::Recorded)]);
    assert!(notices(&out)[0].contains("at most 36 characters, this one has 300"), "{out:?}");
    let payload = json!({ "connectorId": 1, "idTag": long, "meterStart": 1, "timestamp": bench.text() });
    let (reply, request) = started(&bench.call("StartTransaction", payload));
    assert_eq!(request.card, None);
    let out = bench.give(Input::StartAnswer { reply, session: SessionId(2), verdict: ACCEPTED });
    assert_eq!(answer(&out), json!({ "idTagInfo": { "status": "Invalid" }, "transactionId": 2 }));
}

/// Q16: `Available` or `Finishing` ends no session here; limits pause until energy flows or a session begins.
#[test]
fn available_before_stop() {
    let mut bench = Bench::ready();
    bench.start(1);
    bench.limit(MilliAmps::from_amps(10), agreeable);
    bench.call("StatusNotification", json!({ "connectorId": 1, "errorCode": "OtherError", "status": "Finishing" }));
    assert_eq!(profiles(&bench.ticks(90, agreeable)), Vec::<String>::new());
    let request = stopped(&stop(&mut bench, json!({ "transactionId": 1, "meterStop": 9, "timestamp": "" }))).1;
    assert_eq!(request.session, SessionRef::Known(SessionId(1)));
}

/// Q16: a status that contradicts the measured current does not stop the limiting.
#[test]
fn a_wrong_status_does_not_lift_the_limit() {
    let mut bench = Bench::ready();
    bench.start(1);
    bench.limit(MilliAmps::from_amps(10), agreeable);
    bench.call("StatusNotification", json!({ "connectorId": 1, "errorCode": "NoError", "status": "Available" }));
    let value =
        json!([{ "timestamp": bench.text(), "sampledValue": [{ "value": "9.8", "measurand": "Current.Import" }] }]);
    bench.call("MeterValues", json!({ "connectorId": 1, "transactionId": 1, "meterValue": value }));
    assert_eq!(profiles(&bench.ticks(60, agreeable)), ["TxProfile Absolute 0 10 A"]);
}

/// Q17: no reservation in any spelling changes nothing.
#[test]
fn reservation_zero() {
    for reservation in [json!(0), json!(-1), json!(null), json!("")] {
        let mut bench = Bench::ready();
        let payload =
            json!({ "connectorId": 1, "idTag": "A1", "meterStart": 1, "timestamp": "", "reservationId": reservation });
        assert_eq!(started(&bench.call("StartTransaction", payload)).1.connector, ONE);
    }
}

/// Q24, Q25: a silent session is asked for values once a minute at most, never while the charger is idle.
#[test]
fn sparse_meter_values() {
    let mut bench = Bench::ready();
    assert_eq!(asked(&bench.ticks(300, agreeable), "TriggerMessage").len(), 0, "idle");
    bench.start(1);
    bench.call("StatusNotification", json!({ "connectorId": 1, "errorCode": "NoError", "status": "Charging" }));
    let out = bench.ticks(300, agreeable);
    assert_eq!(asked(&out, "TriggerMessage").len(), 5);
    assert_eq!(asked(&out, "TriggerMessage")[0], json!({ "connectorId": 1, "requestedMessage": "MeterValues" }));
}

/// Q25: one request at a time; what is not answered in time is given up and its late answer ignored.
#[test]
fn trigger_backpressure() {
    let mut bench = Bench::ready();
    bench.start(1);
    bench.call("StatusNotification", json!({ "connectorId": 1, "errorCode": "NoError", "status": "Charging" }));
    let out = bench.ticks(600, |_| None);
    assert_eq!(asked(&out, "TriggerMessage").len(), 2, "patience ends");
    let late = json!([3, requests(&out)[0].id.as_str(), { "status": "Accepted" }]).to_string();
    assert_eq!(bench.frame(&late), []);
}

/// Q26: values out of order keep their times.
#[test]
fn metervalues_unordered() {
    let mut bench = Bench::ready();
    let value = |at: &str, wh: &str| json!({ "timestamp": at, "sampledValue": [{ "value": wh }] });
    let list = json!([
        value("2026-11-20T08:00:30Z", "30"),
        value("2026-11-20T08:00:10Z", "10"),
        value("2026-11-20T08:00:20Z", "20")
    ]);
    let out = bench.call("MeterValues", json!({ "connectorId": 1, "transactionId": 1, "meterValue": list }));
    let seconds: Vec<i64> = samples(&out).iter().map(|sample| (sample.at.0 - MORNING_MS) / 1000).collect();
    assert_eq!(seconds, [30, 10, 20]);
}

/// Q29: a time without a zone is the building's where that is nearer, UTC otherwise; a backlog follows what was learnt.
#[test]
fn timestamp_no_zone() {
    let mut bench = Bench::new(|config| config.site_offset_s = Some(3600));
    bench.open();
    let at = |bench: &mut Bench, text: &str| samples(&values(bench, text, "1"))[0].at.0 - MORNING_MS;
    assert_eq!(at(&mut bench, "2026-11-20T09:00:00"), 0);
    assert_eq!(at(&mut bench, "2026-11-20T07:00:00"), -120 * MINUTE_MS, "local, from before");
    let mut bench = Bench::new(|config| config.site_offset_s = Some(3600));
    bench.open();
    assert_eq!(at(&mut bench, "2026-11-20T08:00:00"), 0);
    let mut bench = Bench::new(|_| ());
    bench.open();
    assert_eq!(at(&mut bench, "2026-11-20T08:00:00"), 0);
}

/// Q30: a clock that was never set becomes our time and says so; a backlog with such times never looks live.
#[test]
fn timestamp_1970() {
    for text in ["1970-01-01T00:00:10Z", "2020-09-19T12:00:00Z", "garbage", "2099-01-01T00:00:00Z"] {
        let mut bench = Bench::new(|_| ());
        bench.open();
        let payload = json!({ "connectorId": 1, "idTag": "A1", "meterStart": 1, "timestamp": text });
        let request = started(&bench.call("StartTransaction", payload)).1;
        assert_eq!((request.at, request.provenance), (bench.now.wall, Provenance::ClockCorrected), "{text}");
        assert_eq!(samples(&values(&mut bench, text, "1"))[0].at, bench.now.wall, "{text}");
    }
    let mut bench = Bench::new(|_| ());
    bench.open();
    values(&mut bench, "2026-11-20T08:00:00Z", "1");
    let old = samples(&values(&mut bench, "2019-02-01T10:00:00Z", "1"))[0].at;
    assert!(old < bench.now.wall, "its clock is right now, so this is a backlog");
}

/// Q30, Q33: a clock that is steadily wrong is corrected, and absolute schedules are written in its time.
#[test]
fn clock_sync() {
    let mut bench = Bench::ready();
    bench.start(1);
    let hour = DurationMs::from_secs(3600);
    let wrong = |bench: &Bench| ocpp::DateTime::from_unix_ms((bench.now.wall - hour).0).as_str().to_owned();
    for _message in 0..8 {
        bench.pass(DurationMs::from_secs(15));
        let text = wrong(&bench);
        values(&mut bench, &text, "1");
    }
    let text = wrong(&bench);
    assert_eq!(samples(&values(&mut bench, &text, "1"))[0].at, bench.now.wall);
    let out = bench.limit(MilliAmps::from_amps(10), agreeable);
    let start = &asked(&out, "SetChargingProfile")[0]["csChargingProfiles"]["chargingSchedule"]["startSchedule"];
    let start = ocpp::DateTime::from_text(start.as_str().unwrap()).read().unwrap().unix_ms;
    let lag = bench.now.wall.0 - start;
    assert!((3_600_000..3_640_000).contains(&lag), "{lag} ms");
    let out = bench.call("Heartbeat", json!({}));
    assert_eq!(answer(&out), json!({ "currentTime": bench.text() }));
}

/// Q32: times we send have no fraction and end in `Z`.
#[test]
fn currenttime_format() {
    let mut bench = Bench::ready();
    bench.pass(DurationMs(789));
    assert_eq!(answer(&bench.call("Heartbeat", json!({})))["currentTime"], "2026-11-20T08:00:40Z");
}

/// Q38: a charger nobody approved waits, is told when to ask again, and hears at once when it is let in.
#[test]
fn unknown_station_pending() {
    let mut bench = Bench::new(|config| config.approved = false);
    bench.open();
    let out = bench.boot();
    let answer = answer(&out);
    assert_eq!((&answer["status"], &answer["interval"]), (&json!("Pending"), &json!(30)));
    assert_eq!(requests(&bench.settle(agreeable)), [], "nothing is asked of a stranger");
    let (reply, _) = tapped(&bench.call("Authorize", json!({ "idTag": "A1" })));
    let out = bench.give(Input::CardAnswer { reply, verdict: CardVerdict::NotApproved });
    assert_eq!(bench::answer(&out)["idTagInfo"]["status"], "Invalid");
    let out = bench.give(Input::SetApproved(true));
    assert_eq!(asked(&out, "TriggerMessage"), [json!({ "requestedMessage": "BootNotification" })]);
    bench.answered(&out, &mut agreeable);
    assert_eq!(bench::answer(&bench.boot())["status"], "Accepted");
    let out = bench.settle(agreeable);
    assert_eq!(profiles(&out), ["TxDefaultProfile Relative 0 6 A"]);
}

/// Q42: the newest socket is the charger; frames and the end of an older one change nothing.
#[test]
fn socket_replaced() {
    let mut bench = Bench::ready();
    let old = bench.generation;
    let (reply, _) = tapped(&bench.call("Authorize", json!({ "idTag": "A1" })));
    assert_eq!(events(&bench.open()), [ChargerEvent::Disconnected, ChargerEvent::Connected]);
    assert_eq!(bench.give(Input::Frame { generation: old, text: r#"[2,"1","Heartbeat",{}]"# }), []);
    assert_eq!(bench.give(Input::Closed { generation: old }), []);
    assert_eq!(bench.give(Input::CardAnswer { reply, verdict: ACCEPTED }), [], "the old socket asked");
    assert_eq!(bench.give(Input::Opened { generation: old }), [], "generations only grow");
    assert_eq!(answers(&bench.call("Heartbeat", json!({}))).len(), 1);
}

/// Q44, Q58: nothing is asked before a connection has settled; then every limit is sent again,
/// the one of the running session first.
#[test]
fn reconnect_flap() {
    let mut bench = Bench::ready();
    bench.start(1);
    bench.limit(MilliAmps::from_amps(10), agreeable);
    for _flap in 0..5 {
        bench.close();
        bench.open();
        assert_eq!(requests(&bench.ticks(2, agreeable)), []);
    }
    let out = bench.ticks(3, agreeable);
    assert_eq!(profiles(&out), ["TxProfile Absolute 0 10 A", "TxDefaultProfile Relative 0 6 A"]);
}

/// Q45: work is accepted without a boot, and a boot asked for once, after the fallback is in place.
#[test]
fn no_boot_on_reconnect() {
    let mut bench = Bench::new(|_| ());
    bench.open();
    assert_eq!(answers(&bench.call("Heartbeat", json!({}))).len(), 1);
    let out = bench.ticks(120, agreeable);
    assert_eq!(asked(&out, "TriggerMessage"), [json!({ "requestedMessage": "BootNotification" })]);
    assert_eq!(requests(&out)[0].action, "SetChargingProfile");
    assert_eq!(asked(&out, "ChangeConfiguration").len(), 8, "set-up happens without a boot, too");
    bench.close();
    bench.open();
    let out = bench.ticks(120, agreeable);
    assert_eq!(asked(&out, "ChangeConfiguration").len(), 0, "once is enough");
}

/// Q46: a charger that answers nothing keeps its connection and its sessions, and is left in peace.
#[test]
fn setup_timeouts_never_fatal() {
    let mut bench = Bench::new(|_| ());
    bench.open();
    bench.boot();
    let mut out = Vec::new();
    for _minute in 0..30 {
        out.extend(bench.ticks(60, |_| None));
        out.extend(bench.call("Heartbeat", json!({})));
    }
    assert!(!out.iter().any(|it| matches!(it, Output::Close { .. })));
    assert_eq!(asked(&out, "ChangeConfiguration").len(), 2, "two unanswered questions are enough");
    assert!(asked(&out, "SetChargingProfile").len() < 12, "the fallback is tried again, more and more slowly");
    assert_eq!(answers(&out).len(), 30);
}

/// Q47: three messages in one millisecond get three answers, in order.
#[test]
fn thundering_herd() {
    let mut bench = Bench::ready();
    for connector in 0..3 {
        let out = bench.call(
            "StatusNotification",
            json!({ "connectorId": connector, "errorCode": "NoError", "status": "Available" }),
        );
        assert_eq!((answers(&out).len(), events(&out).len()), (1, 1));
    }
}

/// Q62: one card in every spelling; KEBA's suffix is not part of it.
#[test]
fn idtag_normalise() {
    let mut bench = Bench::ready();
    for text in ["20:69:C0:21", " 20 69 c0 21", "2069C021", "20-69-c0-21 "] {
        assert_eq!(tapped(&bench.call("Authorize", json!({ "idTag": text }))).1, "2069C021");
    }
    bench.call("BootNotification", json!({ "chargePointVendor": "Keba AG", "chargePointModel": "P30" }));
    assert_eq!(tapped(&bench.call("Authorize", json!({ "idTag": "2069C021_21001234" }))).1, "2069C021");
}

/// Q63: a remote start carries the card itself, hex as read.
#[test]
fn remote_start_hex() {
    let mut bench = Bench::ready();
    let card = domain::CardUid::new("04:a1:b2:c3").unwrap();
    let out = bench.command(Command::RemoteStart { connector: None, card });
    assert_eq!(asked(&out, "RemoteStartTransaction"), [json!({ "idTag": "04A1B2C3" })]);
}

/// A malformed text gets an error that says what to send, once a second at most; the connection goes on.
#[test]
fn malformed_frames_are_explained() {
    let mut bench = Bench::ready();
    let out = bench.frame("hello");
    assert_eq!(
        answer(&out),
        json!(["FormationViolation", "the text is not a JSON list; send [2, \"id\", \"Action\", {...}]"])
    );
    assert_eq!(notices(&out).len(), 1);
    assert_eq!(bench.frame("hello"), [], "two confused ends do not play ping-pong");
    let out = bench.call("StartTransaction", json!("x"));
    assert_eq!(answer(&out), json!(["FormationViolation", "the payload must be a JSON object"]));
    assert_eq!(answers(&bench.call("Heartbeat", json!({}))).len(), 1);
}

/// An old word for a plugged connector, and words nobody knows.
#[test]
fn unknown_status_words_are_kept() {
    let mut bench = Bench::ready();
    for (word, expected) in [("Occupied", ConnectorStatus::Preparing), ("Dancing", ConnectorStatus::Unknown)] {
        let out = bench.call("StatusNotification", json!({ "connectorId": 1, "errorCode": "NoError", "status": word }));
        let [ChargerEvent::Status { status, .. }] = &events(&out)[..] else { panic!("{out:?}") };
        assert_eq!(*status, expected);
    }
}
