//! Sessions as chargers in the field begin, repeat, lose and end them.

use crate::station::{CARD, House, Station};
use serde_json::{Value, json};

/// Q1: an id beyond every integer, a backlog from years ago, words nobody knows: acknowledged, or it comes for ever.
#[tokio::test]
async fn tx_id_i64_max() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let text = r#"[2,"a","MeterValues",{"connectorId":1,"transactionId":9223372036854775807,"meterValue":[{"timestamp":"2019-02-01T10:00:00Z","sampledValue":[{"value":"12.0","context":"CurrentMax"}]}]}]"#;
    station.send(text).await;
    assert_eq!(station.answer("a").await, json!({}));
    let text = r#"[2,"b","StopTransaction",{"transactionId":9223372036854775807,"idTag":"A1","meterStop":12,"timestamp":"2019-02-01T10:00:00Z"}]"#;
    station.send(text).await;
    let answer = station.answer("b").await;
    assert!(answer["error"].is_null(), "{answer}");
    assert_eq!(house.sessions().await, Vec::<Value>::new(), "nobody is billed for it");
}

/// Q2: zero and negative ids are no ids: the end is placed by connector, card and time, and idle samples are no energy.
#[tokio::test]
async fn tx_id_zero_and_minus_one() {
    for id in [0, -1] {
        let house = House::start().await;
        let mut station = house.station("C1").await;
        let session = house.start_session(&mut station, 1000).await;
        let at = house.at(0);
        let body = json!({ "transactionId": id, "idTag": CARD, "meterStop": 1200, "timestamp": at });
        station.call("StopTransaction", body).await;
        let sessions = house.sessions().await;
        assert_eq!((&sessions[0]["id"], &sessions[0]["energy_wh"]), (&session, &json!(200)), "{id}");
        let idle = json!([{ "timestamp": at, "sampledValue": [{ "value": "5000" }] }]);
        station.call("MeterValues", json!({ "connectorId": 1, "transactionId": id, "meterValue": idle })).await;
        assert_eq!(house.sessions().await, sessions);
    }
}

/// Q3: the same start under a new message id after a reconnect is the same session.
#[tokio::test]
async fn start_replay_same_id() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let body = json!({ "connectorId": 1, "idTag": CARD, "meterStart": 10, "timestamp": house.at(0) });
    let first = station.call("StartTransaction", body.clone()).await;
    let mut station = Station::connect(house.ocpp(), "C1").await;
    assert_eq!(station.call("StartTransaction", body).await, first);
    assert_eq!((&first["idTagInfo"]["status"], house.sessions().await.len()), (&json!("Accepted"), 1));
}

/// Q5: an end that never comes is presumed with the last register, and the real one replaces it when it comes late.
#[tokio::test]
async fn stop_missing_zombie() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 1000).await;
    house.pass(&mut station, 5).await;
    house.values(&mut station, &session, 10.0, 1500).await;
    let late = json!({ "transactionId": session, "idTag": CARD, "meterStop": 1700, "timestamp": house.at(60) });
    house.pass(&mut station, 60).await;
    station.boot().await;
    house.start_session(&mut station, 2000).await;
    let sessions = house.sessions().await;
    let zombie = sessions.iter().find(|it| it["id"] == session).unwrap();
    let told = (&zombie["energy_wh"], &zombie["end_reason"], &zombie["provenance"]);
    assert_eq!(told, (&json!(500), &json!("lost"), &json!("estimated")));
    station.call("StopTransaction", late).await;
    let sessions = house.sessions().await;
    let real = sessions.iter().find(|it| it["id"] == session).unwrap();
    assert_eq!((&real["energy_wh"], &real["end_reason"]), (&json!(700), &json!("card")));
}

/// Q6: an end without a beginning is acknowledged and no session of anybody.
#[tokio::test]
async fn stop_without_start() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let body = json!({ "transactionId": 77, "idTag": CARD, "meterStop": 1200, "timestamp": house.at(0) });
    let answer = station.call("StopTransaction", body.clone()).await;
    assert!(answer["error"].is_null(), "{answer}");
    assert_eq!(station.call("StopTransaction", body).await, answer, "a repetition gets the same answer");
    assert_eq!(house.sessions().await, Vec::<Value>::new());
    let frames = house.site.get("chargers/C1/frames?text=%22StopTransaction%22").await.json;
    assert_eq!(frames["items"].as_array().unwrap().len(), 2, "kept as it came");
}

/// Q7: a start with a card nobody enrolled gets a real id and a refusal; its energy is kept.
#[tokio::test]
async fn start_invalid_tag_still_gets_id() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let body = json!({ "connectorId": 1, "idTag": "DEADBEEF", "meterStart": 100, "timestamp": house.at(0) });
    let answer = station.call("StartTransaction", body).await;
    assert_eq!(answer["idTagInfo"]["status"], "Invalid");
    assert!(answer["transactionId"].as_i64().unwrap() >= 1, "{answer}");
    house.stop_session(&mut station, &answer["transactionId"], 250).await;
    let sessions = house.sessions().await;
    assert_eq!((&sessions[0]["energy_wh"], &sessions[0]["tenant_id"]), (&json!(150), &Value::Null));
}

/// Q9: a session whose end was lost does not keep its card from charging.
#[tokio::test]
async fn stale_tx_does_not_block_tag() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let stale = house.start_session(&mut station, 1000).await;
    station.boot().await;
    station.status("Available").await;
    house.pass(&mut station, 180).await;
    let fresh = house.start_session(&mut station, 1000).await;
    assert!(fresh != stale && fresh.as_i64().unwrap() > 0, "{fresh}");
}

/// Q10: sessions made while nobody listened keep their times and say that they came late.
#[tokio::test]
async fn offline_replay_old() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let month_ms = 31 * 86_400;
    let (from, to) = (house.at(-month_ms), house.at(-month_ms + 3600));
    let body = json!({ "connectorId": 1, "idTag": CARD, "meterStart": 100, "timestamp": from });
    let session = station.call("StartTransaction", body).await["transactionId"].clone();
    let values = json!([{ "timestamp": from, "sampledValue": [{ "value": "150" }] }]);
    station.call("MeterValues", json!({ "connectorId": 1, "transactionId": session, "meterValue": values })).await;
    let body = json!({ "transactionId": session, "idTag": CARD, "meterStop": 3100, "timestamp": to });
    station.call("StopTransaction", body).await;
    let sessions = house.sessions().await;
    let told = (&sessions[0]["started_at"], &sessions[0]["ended_at"], &sessions[0]["energy_wh"]);
    assert_eq!(told, (&json!(from), &json!(to), &json!(3000)));
    assert_eq!(sessions[0]["provenance"], "received_late");
    assert_eq!(sessions[0]["tenant_id"], house.tenant);
}

/// Q11: what follows a card of 20 characters at the end of a session is garbage.
#[tokio::test]
async fn idtag_20_chars_garbage_tail() {
    let house = House::start().await;
    let card = "0123456789ABCDEF0123";
    house.site.tenant_with_card("Rui", card).await;
    let mut station = house.station("C1").await;
    let at = house.at(0);
    let body = json!({ "connectorId": 1, "idTag": card, "meterStart": 1, "timestamp": at });
    let session = station.call("StartTransaction", body).await["transactionId"].clone();
    let tag = format!("{card}\u{1}\u{fffd}");
    let body = json!({ "transactionId": session, "idTag": tag, "meterStop": 51, "timestamp": at });
    assert_eq!(station.call("StopTransaction", body).await["idTagInfo"]["status"], "Accepted");
    let sessions = house.sessions().await;
    assert_eq!((&sessions[0]["energy_wh"], &sessions[0]["end_reason"]), (&json!(50), &json!("card")));
}

/// Q13: while forty chargers report at once and read no answers, a session message is answered all the same.
#[tokio::test]
async fn ack_fast_under_load() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let mut others = Vec::new();
    for number in 0..40 {
        others.push(Station::connect(house.ocpp(), &format!("L{number}")).await);
    }
    for other in &mut others {
        for message in 0..10 {
            other.send(&json!([2, message.to_string(), "Heartbeat", {}]).to_string()).await;
        }
    }
    // Nobody reads what the others are answered meanwhile; how fast that is, the bench measures.
    let session = house.start_session(&mut station, 1000).await;
    let answer = house.stop_session(&mut station, &session, 1100).await;
    assert!(answer["error"].is_null(), "{answer}");
    for other in &mut others {
        other.answer("9").await;
    }
}

/// Q14: a register that falls makes no negative energy, and one that leaps no energy that cannot have flowed.
#[tokio::test]
async fn register_reset() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 5000).await;
    house.pass(&mut station, 60).await;
    house.values(&mut station, &session, 10.0, 5100).await;
    house.stop_session(&mut station, &session, 30).await;
    let energy = house.sessions().await[0]["energy_wh"].as_u64().unwrap();
    assert!((100..=200).contains(&energy), "{energy} Wh");
    let session = house.start_session(&mut station, 30).await;
    house.pass(&mut station, 60).await;
    house.stop_session(&mut station, &session, 900_000_000).await;
    let energy = house.sessions().await[0]["energy_wh"].as_u64().unwrap();
    assert!(energy < 10_000, "{energy} Wh in a minute");
}

/// Q16: `Available` before the end of a session does not end it; the end that follows counts.
#[tokio::test]
async fn available_before_stop() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 1000).await;
    for status in ["Finishing", "Finishing", "Available"] {
        station.status(status).await;
        house.pass(&mut station, 10).await;
    }
    assert_eq!(house.sessions().await[0]["ended_at"], Value::Null);
    house.stop_session(&mut station, &session, 1300).await;
    let sessions = house.sessions().await;
    assert_eq!((&sessions[0]["energy_wh"], &sessions[0]["end_reason"]), (&json!(300), &json!("card")));
}

/// Q17: no reservation in any spelling changes nothing.
#[tokio::test]
async fn reservation_zero() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    for (meter, reservation) in [(1, json!(0)), (2, json!(-1)), (3, json!(null)), (4, json!(""))] {
        let mut body = json!({ "connectorId": 1, "idTag": CARD, "meterStart": meter, "timestamp": house.at(0) });
        body["reservationId"] = reservation;
        let answer = station.call("StartTransaction", body).await;
        assert_eq!(answer["idTagInfo"]["status"], "Accepted", "{answer}");
        house.stop_session(&mut station, &answer["transactionId"], meter).await;
    }
}
