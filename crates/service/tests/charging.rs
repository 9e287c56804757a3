//! One charger from the first connection to the end of a session, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use support::{Charger, Site, request};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

fn is_limit(action: &str, body: &Value) -> bool {
    action == "SetChargingProfile" && body["csChargingProfiles"]["chargingProfilePurpose"] == "TxProfile"
}

fn amps(profile: &Value) -> f64 {
    profile["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_f64().unwrap()
}

/// The whole life of a session: pending, approved, card, start, setpoint, values, stop, and the records of it all.
#[tokio::test]
async fn from_pending_to_stop() {
    let site = Site::start().await;
    let mut charger = Charger::connect(site.addresses().ocpp, "C1").await;
    assert_eq!(charger.boot().await["status"], "Pending", "an unknown charger waits for approval");
    let waiting = site.until("snapshot", |snapshot| snapshot["waiting_devices"][0]["device"] == "C1").await;
    assert_eq!(waiting["waiting_devices"][0]["kind"], "charger");
    let connections = site.get("connections").await.json;
    assert_eq!(connections["items"][0]["state"], "waiting");
    let typed = connections["ocpp_addresses"][0].as_str().unwrap();
    assert!(typed.starts_with("ws://127.0.0.1:") && typed.ends_with("/ocpp/"), "what a person types: {typed}");
    assert_eq!(site.post("chargers/C1/approve", json!({})).await.status, 200);
    assert_eq!(charger.boot().await["status"], "Accepted");
    let default = charger.until_asked(|action, body| {
        action == "SetChargingProfile" && body["csChargingProfiles"]["chargingProfilePurpose"] == "TxDefaultProfile"
    });
    assert_eq!(default.await["csChargingProfiles"]["transactionId"], Value::Null);

    let tenant = site.tenant_with_card("Ana", "04:a1:b2:c3").await;
    let mut settings = site.get("site").await.json;
    // Nobody measures here, so the declared load decides; a small one leaves room for the car.
    settings["declared_load_a"] = json!(2);
    settings["control_interval_s"] = json!(1);
    assert_eq!(site.ask("PUT", "site", Some(settings)).await.status, 200);
    charger.status("Preparing").await;
    let info = charger.call("Authorize", json!({"idTag": "04A1B2C3"})).await;
    assert_eq!(info["idTagInfo"], json!({"status": "Accepted", "parentIdTag": format!("T{tenant}")}));
    let started = charger.start("04A1B2C3", 1000).await;
    assert_eq!(started["idTagInfo"]["status"], "Accepted");
    let session = started["transactionId"].clone();
    charger.status("Charging").await;
    let profile = charger.until_asked(|action, body| is_limit(action, body) && amps(body) >= 6.0).await;
    assert_eq!(profile["csChargingProfiles"]["transactionId"], session);
    let duration = profile["csChargingProfiles"]["chargingSchedule"]["duration"].as_i64().unwrap();
    assert!((1..=120).contains(&duration), "a live limit runs out by itself: {duration}");
    charger.meter_values(&session, "6.0", 1100).await;
    let live =
        site.until("chargers/C1", |charger| charger["connectors"][0]["measured_a"] == json!([6.0, 6.0, 6.0])).await;
    let connector = &live["connectors"][0];
    assert_eq!((&connector["tenant"], &connector["session_energy_wh"]), (&json!("Ana"), &json!(100)));
    assert!(connector["reason"].as_str().unwrap().contains(" A"), "{connector:#}");

    let stopped = charger.stop(&session, "04A1B2C3", 1200).await;
    assert_eq!(stopped["idTagInfo"]["status"], "Accepted");
    let sessions = site.get("sessions").await.json;
    let item = &sessions["items"][0];
    assert_eq!(
        (&item["energy_wh"], &item["end_reason"], &item["tenant"]),
        (&json!(200), &json!("card"), &json!("Ana"))
    );
    let frames = site.get("chargers/C1/frames?limit=1000").await.json;
    let texts: Vec<&str> =
        frames["items"].as_array().unwrap().iter().filter_map(|frame| frame["text"].as_str()).collect();
    for action in
        ["BootNotification", "Authorize", "StartTransaction", "MeterValues", "StopTransaction", "SetChargingProfile"]
    {
        assert!(texts.iter().any(|text| text.contains(action)), "{action} was not kept");
    }
    assert!(!site.get("chargers/C1/decisions").await.json["items"].as_array().unwrap().is_empty());
    let curve = site.get(&format!("sessions/{session}/curve")).await.json;
    assert_eq!(curve["series"][0], "charger/C1/1/power_w");
}

/// An unknown card is refused and shown; enrolling it by a tap lets its next tap charge.
#[tokio::test]
async fn unknown_card_is_enrolled_by_tapping() {
    let site = Site::start().await;
    let mut charger = site.approved_charger("C1").await;
    let refused = charger.call("Authorize", json!({"idTag": "DEADBEEF"})).await;
    assert_eq!(refused["idTagInfo"]["status"], "Invalid");
    site.until("snapshot", |snapshot| snapshot["refused_cards"][0]["uid"] == "DEADBEEF").await;
    assert_eq!(site.get("refused-cards").await.json["items"][0]["why"], "unknown");
    let begun = site.post("enrolment", json!({"charger": "C1"})).await;
    assert_eq!((begun.status, &begun.json["remaining_s"]), (200, &json!(120)), "{}", begun.text);
    charger.call("Authorize", json!({"idTag": "DEADBEEF"})).await;
    site.until("enrolment", |state| state["captured_uid"] == "DEADBEEF").await;
    let tenant = site.post("tenants", json!({"name": "Rui"})).await.json["id"].clone();
    let card = site.post("enrolment/assign", json!({"tenant_id": tenant})).await;
    assert_eq!((card.status, &card.json["uid"]), (201, &json!("DEADBEEF")), "{}", card.text);
    let accepted = charger.call("Authorize", json!({"idTag": "DEADBEEF"})).await;
    assert_eq!(accepted["idTagInfo"]["status"], "Accepted");
    let id = card.json["id"].clone();
    assert_eq!(site.ask("PATCH", &format!("cards/{id}"), Some(json!({"blocked": true}))).await.status, 200);
    assert_eq!(charger.call("Authorize", json!({"idTag": "DEADBEEF"})).await["idTagInfo"]["status"], "Blocked");
    let again = site.post(&format!("tenants/{tenant}/cards"), json!({"uid": "de:ad:be:ef"})).await;
    assert_eq!((again.status, again.code()), (409, "conflict"));
}

/// A card of another household does not end the session; the manager does, and hears how it ended.
#[tokio::test]
async fn manager_ends_a_session() {
    let site = Site::start().await;
    site.tenant_with_card("Ana", "AAAA0001").await;
    let mut charger = site.approved_charger("C1").await;
    charger.status("Preparing").await;
    let session = charger.start("AAAA0001", 0).await["transactionId"].clone();
    let command = site.post("chargers/C1/stop", json!({"connector": 1})).await;
    assert_eq!(command.status, 202, "{}", command.text);
    let asked = charger.until_asked(|action, _| action == "RemoteStopTransaction").await;
    assert_eq!(asked["transactionId"], session);
    let path = format!("commands/{}", command.json["command_id"]);
    site.until(&path, |state| state["outcome"] == "accepted").await;
    charger.stop(&session, "", 10).await;
    let none = site.post("chargers/C1/stop", json!({"connector": 1})).await;
    assert_eq!((none.status, none.code()), (409, "conflict"));
}

/// A session from the console needs a card that may charge, before the charger hears of it.
#[tokio::test]
async fn a_start_from_the_console_needs_a_valid_card() {
    let site = Site::start().await;
    site.tenant_with_card("Ana", "AAAA0001").await;
    let mut charger = site.approved_charger("C1").await;
    let unknown = site.post("chargers/C1/start", json!({"connector": 1, "card": "DEADBEEF"})).await;
    assert_eq!((unknown.status, unknown.code()), (422, "invalid"), "{}", unknown.text);
    assert_eq!(site.ask("PATCH", "cards/AAAA0001", Some(json!({"blocked": true}))).await.status, 200);
    let blocked = site.post("chargers/C1/start", json!({"connector": 1, "card": "AAAA0001"})).await;
    assert_eq!((blocked.status, blocked.code()), (422, "invalid"), "{}", blocked.text);
    assert_eq!(site.ask("PATCH", "cards/AAAA0001", Some(json!({"blocked": false}))).await.status, 200);
    assert_eq!(site.post("chargers/C1/start", json!({"connector": 1, "card": "AAAA0001"})).await.status, 202);
    let asked = charger.until_asked(|action, _| action == "RemoteStartTransaction").await;
    assert_eq!(asked["idTag"], "AAAA0001");
}

/// Operations reach the charger and their answers come back, by request and on the live socket.
#[tokio::test]
async fn operations_have_outcomes() {
    let site = Site::start().await;
    let mut charger = site.approved_charger("C1").await;
    let mut request = format!("ws://{}/api/v1/live", site.addresses().http).into_client_request().unwrap();
    let bearer = format!("Bearer {}", site.running.token()).parse().unwrap();
    request.headers_mut().insert("Authorization", bearer);
    let (mut live, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let Some(Ok(Message::Text(first))) = live.next().await else { panic!("a snapshot at once") };
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["type"], &first["chargers"][0]["id"]), (&json!("snapshot"), &json!("C1")));
    let body = json!({"operation": "change_configuration", "key": "HeartbeatInterval", "value": "60"});
    let command = site.post("chargers/C1/operations", body).await;
    assert_eq!(command.status, 202, "{}", command.text);
    charger.until_asked(|action, body| action == "ChangeConfiguration" && body["value"] == "60").await;
    let id = command.json["command_id"].clone();
    site.until(&format!("commands/{id}"), |state| state["outcome"] == "accepted").await;
    loop {
        let Some(Ok(Message::Text(text))) = live.next().await else { continue };
        let message: Value = serde_json::from_str(&text).unwrap();
        if message["type"] == "command" {
            assert_eq!((&message["id"], &message["answer"]), (&id, &json!({"status": "Accepted"})));
            break;
        }
    }
    let unknown = site.post("chargers/C1/operations", json!({"operation": "dance"})).await;
    assert_eq!((unknown.status, unknown.code()), (422, "invalid"));
    let none = site.post("chargers/none/reset", json!({"kind": "soft"})).await;
    assert_eq!((none.status, none.code()), (404, "not_found"));
    drop(charger);
    site.until("chargers/C1", |charger| charger["online"] == false).await;
    let offline = site.post("chargers/C1/reset", json!({"kind": "soft"})).await;
    assert_eq!((offline.status, offline.code()), (409, "charger_offline"));
}

/// Nobody listens to the live socket without signing in, nor from a foreign page.
#[tokio::test]
async fn live_socket_is_protected() {
    let site = Site::start().await;
    let upgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let bare = request(site.addresses().http, "GET", "/api/v1/live", upgrade, "").await;
    assert_eq!((bare.status, bare.code()), (401, "unauthenticated"));
    let plain = site.get("live").await;
    assert_eq!(plain.status, 426);
}

/// What was acknowledged is there after the program died in the middle of a session, and the session goes on.
#[tokio::test]
async fn session_survives_a_crash() {
    let site = Site::start().await;
    site.tenant_with_card("Ana", "AAAA0001").await;
    let mut charger = site.approved_charger("C1").await;
    charger.status("Preparing").await;
    let session = charger.start("AAAA0001", 100).await["transactionId"].clone();
    charger.meter_values(&session, "6.0", 200).await;
    let site = site.crash().await;
    let open = site.get("sessions").await.json;
    assert_eq!((&open["items"][0]["id"], &open["items"][0]["ended_at"]), (&session, &Value::Null));
    let mut charger = Charger::connect(site.addresses().ocpp, "C1").await;
    assert_eq!(charger.boot().await["status"], "Accepted", "the approval was kept");
    charger.status("Charging").await;
    charger.meter_values(&session, "6.0", 250).await;
    charger.stop(&session, "AAAA0001", 300).await;
    let ended = site.get("sessions").await.json;
    assert_eq!((&ended["items"][0]["id"], &ended["items"][0]["energy_wh"]), (&session, &json!(200)));
    assert_eq!(ended["items"].as_array().unwrap().len(), 1);
}

/// A charger that is removed in the middle of a session hears both the end of the session and the cut to nothing
/// before its socket closes: nobody counts it from then on.
#[tokio::test]
async fn a_removed_charger_hears_its_last_orders() {
    let site = Site::start().await;
    let mut charger = site.approved_charger("C1").await;
    site.tenant_with_card("Ana", "04A1B2C3").await;
    let mut settings = site.get("site").await.json;
    settings["declared_load_a"] = json!(2);
    settings["control_interval_s"] = json!(1);
    assert_eq!(site.ask("PUT", "site", Some(settings)).await.status, 200);
    charger.status("Preparing").await;
    let session = charger.start("04A1B2C3", 1000).await["transactionId"].clone();
    charger.status("Charging").await;
    charger.until_asked(|action, body| is_limit(action, body) && amps(body) >= 6.0).await;
    charger.asked.clear();
    let removed = tokio::join!(site.ask("DELETE", "chargers/C1", None), charger.closed()).0;
    assert_eq!(removed.status, 204, "{}", removed.text);
    let was_cut = |(action, body): &(String, Value)| is_limit(action, body) && amps(body) == 0.0;
    assert!(charger.asked.iter().any(was_cut), "{:?}", charger.asked);
    let was_ended =
        |(action, body): &(String, Value)| action == "RemoteStopTransaction" && body["transactionId"] == session;
    assert!(charger.asked.iter().any(was_ended), "{:?}", charger.asked);
}

/// Everything a charger measures is kept with its phase, context, location and unit, and not only the newest of each.
#[tokio::test]
async fn every_value_is_kept_as_it_was_said() {
    let site = Site::start().await;
    let mut charger = site.approved_charger("CP1").await;
    for volts in ["229.9", "230.4"] {
        let sampled = json!([
            {"value": volts, "measurand": "Voltage", "phase": "L2-N", "unit": "V", "context": "Sample.Clock", "location": "Inlet"},
            {"value": "0.98", "measurand": "Power.Factor", "phase": "L1"},
            {"value": "7"},
        ]);
        let body = json!({"connectorId": 1, "meterValue": [{"timestamp": support::now(), "sampledValue": sampled}]});
        assert_eq!(charger.call("MeterValues", body).await, json!({}));
    }
    let list = site
        .until("chargers/CP1/values?measurand=voltage", |list| list["items"].as_array().is_some_and(|it| it.len() == 2))
        .await;
    let voltage = &list["items"][0];
    let told = ["value", "phase", "unit", "context", "location", "format"].map(|name| voltage[name].as_str().unwrap());
    assert_eq!(told, ["230.4", "L2-N", "V", "Sample.Clock", "Inlet", "Raw"]);
    let all = site.get("chargers/CP1/values").await.json;
    assert_eq!(all["items"].as_array().unwrap().len(), 6);
    assert_eq!(all["items"][2]["measurand"], "Energy.Active.Import.Register", "defaults are those of the standard");
    let file = site.get("chargers/CP1/values?format=csv&phase=L1").await;
    assert!(file.text.lines().count() == 3 && file.text.contains("\"Power.Factor\",\"L1\""), "{}", file.text);
    assert_eq!(site.get("chargers/CP1/values?format=pdf").await.status, 422);
}

/// A limit for a session comes after the answer that names the session: a charger refuses a limit for a number it has
/// not heard of, and the refusals would lead to a way of writing limits that it forgets two minutes into a session.
#[tokio::test]
async fn a_limit_comes_after_the_number_of_its_session() {
    let site = Site::start().await;
    let mut charger = site.approved_charger("C1").await;
    site.tenant_with_card("Ana", "04A1B2C3").await;
    for meter in 0..6 {
        let started = charger.start("04A1B2C3", meter).await;
        let early: Vec<_> = charger.asked.iter().filter(|(action, body)| is_limit(action, body)).collect();
        assert!(early.is_empty(), "before the answer in session {meter}: {early:?}");
        let limit = charger.until_asked(is_limit).await;
        assert_eq!(limit["csChargingProfiles"]["transactionId"], started["transactionId"]);
        charger.stop(&started["transactionId"], "04A1B2C3", meter).await;
        charger.asked.clear();
    }
}
