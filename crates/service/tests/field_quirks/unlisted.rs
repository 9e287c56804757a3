//! What chargers do that are not on the list: the same kinds of faults in other places.

use crate::station::{CARD, House, Station};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

fn knows(id: &str) -> impl Fn(&Value) -> bool + '_ {
    move |list| list["items"].as_array().unwrap().iter().any(|item| item["id"] == id)
}

/// Sends a frame whose bytes are not checked by the library.
async fn raw(station: &mut Station, bytes: &[u8], kind: Data) {
    let frame = Frame::message(bytes.to_vec(), OpCode::Data(kind), true);
    station.socket.send(Message::Frame(frame)).await.unwrap();
}

/// The subprotocol in every spelling is understood and echoed as it was spelt; one nobody speaks is refused in words.
#[tokio::test]
async fn subprotocol_spellings() {
    let house = House::start().await;
    for spelling in ["OCPP1.6", "ocpp1.6J", "ocpp16", "ocpp1.6-json"] {
        let header = format!("Sec-WebSocket-Protocol: ocpp2.0.1, {spelling}");
        let (station, head) = Station::open(house.ocpp(), "/ocpp/C1", &[&header]).await;
        assert!(head.contains(&format!("\r\nSec-WebSocket-Protocol: {spelling}\r\n")), "{head}");
        assert_eq!(station.unwrap().boot().await["status"], "Pending");
    }
    let (station, head) = Station::open(house.ocpp(), "/ocpp/C2", &["Sec-WebSocket-Protocol: ocpp2.0.1"]).await;
    assert!(station.is_none() && head.contains("OCPP 1.6"), "{head}");
    let refused = |list: &Value| {
        let mut items = list["items"].as_array().unwrap().iter();
        items.any(|item| item["device"] == "C2" && item["state"] == "refused" && item["detail"] != "")
    };
    house.site.until("connections", refused).await;
}

/// Heads with bare line feeds, spaces that are not encoded, words behind the name and other letter case.
#[tokio::test]
async fn request_heads_by_hand() {
    let house = House::start().await;
    let head = "GET /ocpp/Lugar 3/ocpp1.6 HTTP/1.1\nHost: x\nUpgrade: WebSocket\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n";
    let (station, answer) = Station::open_raw(house.ocpp(), head).await;
    station.unwrap_or_else(|| panic!("{answer}")).boot().await;
    house.site.until("chargers", knows("Lugar 3")).await;
    let mut station = house.station("Wall-1").await;
    assert_eq!(station.boot().await["status"], "Accepted");
    let mut station = Station::connect(house.ocpp(), "WALL-1").await;
    assert_eq!(station.boot().await["status"], "Accepted", "the same charger in capitals");
    assert!(!knows("WALL-1")(&house.site.get("chargers").await.json));
    let long = "x".repeat(200);
    let (station, answer) = Station::open(house.ocpp(), &format!("/ocpp/{long}"), &[]).await;
    assert!(station.is_none() && answer.contains("at most 64 characters"), "{answer}");
}

/// Bytes that are no UTF-8, a byte order mark, zeros behind the text, binary messages and empty ones.
#[tokio::test]
async fn texts_with_foreign_bytes() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    raw(&mut station, b"[2,\"u\",\"Authorize\",{\"idTag\":\"04A1B2C3\xff\xfe\"}]", Data::Text).await;
    assert_eq!(station.answer("u").await["idTagInfo"]["status"], "Accepted");
    raw(&mut station, b"[2,\"v\",\"DataTransfer\",{\"vendorId\":\"M\xfcller\"}]", Data::Text).await;
    assert_eq!(station.answer("v").await["status"], "UnknownVendorId");
    raw(&mut station, b"\xef\xbb\xbf[2,\"w\",\"Heartbeat\",{}]\r\n\0\0", Data::Text).await;
    assert!(station.answer("w").await["currentTime"].is_string());
    raw(&mut station, b"[2,\"x\",\"Heartbeat\",{}]", Data::Binary).await;
    assert!(station.answer("x").await["currentTime"].is_string());
    for empty in ["", " ", "\n"] {
        station.send(empty).await;
    }
    station.send("[2,\"y\",\"Heartbeat\",{}]").await;
    assert!(station.answer("y").await["currentTime"].is_string());
    assert_eq!(station.closed, None);
    let frames = house.site.get("chargers/C1/frames?text=ller").await.json;
    assert_eq!(frames["items"].as_array().unwrap().len(), 1, "kept");
}

/// JSON as firmware writes it by hand: a comma too many, control characters in a text, numbers that are none.
#[tokio::test]
async fn json_by_hand() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    station.send("[2,\"a\",\"Authorize\",{\"idTag\":\"04A1B2C3\u{1}\",},]").await;
    assert_eq!(station.answer("a").await["idTagInfo"]["status"], "Accepted");
    let session = house.start_session(&mut station, 100).await;
    house.pass(&mut station, 60).await;
    let values = format!(
        "[2,\"b\",\"MeterValues\",{{\"connectorId\":01,\"transactionId\":{session},\"meterValue\":[{{\"sampledValue\":[{{\"value\":150.}},{{\"value\":nan,\"measurand\":\"Voltage\"}},]}}]}}]"
    );
    station.send(&values).await;
    assert_eq!(station.answer("b").await, json!({}));
    house.until(&mut station, "sessions", |list| list["items"][0]["energy_wh"] == 50).await;
    // As JSON twice, or as a list of one.
    station.send(r#"[2,"c","Authorize","{\"idTag\":\"04A1B2C3\"}"]"#).await;
    assert_eq!(station.answer("c").await["idTagInfo"]["status"], "Accepted");
    station.send(r#"[2,"d","Authorize",[{"idTag":"04A1B2C3"}]]"#).await;
    assert_eq!(station.answer("d").await["idTagInfo"]["status"], "Accepted");
}

/// Actions, fields and words in any letter case.
#[tokio::test]
async fn letter_case() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let answer = station.call("authorize", json!({ "idtag": "04a1B2c3" })).await;
    assert_eq!(answer["idTagInfo"]["status"], "Accepted", "{answer}");
    assert_eq!(station.call("STATUSNOTIFICATION", json!({ "connectorID": 1, "Status": "preparing" })).await, json!({}));
    house.site.until("chargers/C1", |it| it["connectors"][0]["status"] == "preparing").await;
    let body =
        json!({ "connector_id": "1", "id_tag": CARD, "meter_start": "7", "TimeStamp": "", "timestamp": house.at(0) });
    let answer = station.call("startTransaction", body).await;
    assert!(answer["transactionId"].as_i64().unwrap() > 0, "{answer}");
    let answer = station.call("FlyToTheMoon", json!({})).await;
    assert_eq!(answer["error"], "NotImplemented");
}

/// The same id again, numbers and empty texts as ids, and very long ones: each call gets its answer.
#[tokio::test]
async fn message_ids() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    for _again in 0..3 {
        station.send(r#"[2,"1","Heartbeat",{}]"#).await;
        assert!(station.answer("1").await["currentTime"].is_string());
    }
    let long = "x".repeat(300);
    for id in [json!(""), json!(long)] {
        station.send(&json!([2, id, "Heartbeat", {}]).to_string()).await;
        assert!(station.answer(id.as_str().unwrap()).await["currentTime"].is_string());
    }
    // Answers nobody waits for, and errors about them.
    for answer in [r#"[3,"nobody",{}]"#, r#"[4,"nobody","InternalError","",{}]"#, r#"[3,"nobody","x"]"#, r#"[4]"#] {
        station.send(answer).await;
    }
    assert!(station.call("Heartbeat", json!({})).await["currentTime"].is_string());
    assert_eq!(station.closed, None);
}

/// A ping is answered with its own bytes, also between the fragments of a message.
#[tokio::test]
async fn ping_between_fragments() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let first = Frame::message(br#"[2,"p","Heart"#.to_vec(), OpCode::Data(Data::Text), false);
    station.socket.send(Message::Frame(first)).await.unwrap();
    station.socket.send(Message::Ping(b"still here".to_vec().into())).await.unwrap();
    loop {
        let message = tokio::time::timeout(crate::support::PATIENCE, station.socket.next()).await;
        if let Message::Pong(payload) = message.expect("a pong in time").unwrap().unwrap() {
            assert_eq!(&payload[..], b"still here");
            break;
        }
    }
    let last = Frame::message(br#"beat",{}]"#.to_vec(), OpCode::Data(Data::Continue), true);
    station.socket.send(Message::Frame(last)).await.unwrap();
    assert!(station.answer("p").await["currentTime"].is_string());
}

/// Null, empty and missing fields: every message is acknowledged, and a session is never lost.
#[tokio::test]
async fn missing_fields() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    for (action, body) in [
        ("BootNotification", json!({ "chargePointVendor": null, "chargePointModel": 5, "firmwareVersion": {} })),
        ("StatusNotification", json!({})),
        ("StatusNotification", json!({ "connectorId": null, "status": null, "errorCode": null, "timestamp": null })),
        ("StatusNotification", json!({ "connectorId": 0, "status": "Available", "errorCode": "NoError" })),
        ("StatusNotification", json!({ "connectorId": 77, "status": "Available", "errorCode": "NoError" })),
        ("StatusNotification", json!({ "connectorId": -3, "status": "Charging", "errorCode": 7 })),
        ("MeterValues", json!({})),
        ("MeterValues", json!({ "connectorId": 1, "meterValue": null })),
        ("MeterValues", json!({ "connectorId": 1, "meterValue": [] })),
        ("MeterValues", json!({ "connectorId": 1, "meterValue": [null, 5, { "sampledValue": null }, {}] })),
        ("MeterValues", json!({ "connectorId": "two", "meterValue": { "sampledValue": { "value": null } } })),
        ("Heartbeat", json!({ "why": "not" })),
        ("FirmwareStatusNotification", json!({})),
        ("DiagnosticsStatusNotification", json!({ "status": null })),
        ("LogStatusNotification", json!({ "requestId": "x" })),
        ("SecurityEventNotification", json!({})),
        ("DataTransfer", json!({})),
        ("Authorize", json!({})),
        ("Authorize", json!({ "idTag": null })),
    ] {
        let answer = station.call(action, body.clone()).await;
        assert!(answer["error"].is_null(), "{action} {body}: {answer}");
    }
    let answer = station.call("StartTransaction", json!({ "idTag": CARD, "timestamp": null })).await;
    assert_eq!(answer["idTagInfo"]["status"], "Accepted", "{answer}");
    let answer = station.call("StopTransaction", json!({ "transactionId": answer["transactionId"] })).await;
    assert!(answer["error"].is_null(), "{answer}");
    let sessions = house.sessions().await;
    assert_eq!((sessions.len(), &sessions[0]["energy_wh"]), (1, &json!(0)));
    assert!(sessions[0]["ended_at"].is_string());
}

/// Ids and registers as texts and floats; a card in other letters at the end; an end by the other card of a tenant.
#[tokio::test]
async fn numbers_as_texts() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let body = json!({ "connectorId": "1", "idTag": " 04a1b2c3 ", "meterStart": "1000.7", "timestamp": house.at(0), "reservationId": "" });
    let answer = station.call("StartTransaction", body).await;
    let id = answer["transactionId"].as_i64().unwrap();
    house.pass(&mut station, 600).await;
    let values = json!([{ "timestamp": house.at(0), "sampledValue": [{ "value": 1500.4, "unit": "wh" }] }]);
    let body = json!({ "connectorId": 1.0, "transactionId": id.to_string(), "meterValue": values });
    assert_eq!(station.call("MeterValues", body).await, json!({}));
    house.until(&mut station, "sessions", |list| list["items"][0]["energy_wh"] == 500).await;
    let body = json!({ "transactionId": format!("{id}.0"), "idTag": "04:A1:B2:C3", "meterStop": 1600.2, "timestamp": house.at(0) });
    assert!(station.call("StopTransaction", body).await["error"].is_null());
    let sessions = house.sessions().await;
    assert_eq!((&sessions[0]["energy_wh"], &sessions[0]["id"]), (&json!(600), &json!(id)));
}

/// Times with offsets, as numbers since 1970 and without leading zeros are the moments they mean.
#[tokio::test]
async fn times_in_other_shapes() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let begun = house.at(-7200);
    let seconds = begun.parse::<jiff::Timestamp>().unwrap().as_second();
    let offset =
        format!("{}+05:30", jiff::Timestamp::from_second(seconds + 19_800).unwrap().strftime("%Y-%m-%dT%H:%M:%S"));
    let shapes = [json!(seconds), json!(seconds * 1000), json!(seconds.to_string()), json!(offset)];
    for (number, shape) in shapes.into_iter().enumerate() {
        let body = json!({ "connectorId": 1, "idTag": CARD, "meterStart": number * 100, "timestamp": shape });
        let answer = station.call("StartTransaction", body).await;
        let id = answer["transactionId"].clone();
        let body = json!({ "transactionId": id, "meterStop": number * 100 + 50, "timestamp": house.at(-3600) });
        assert!(station.call("StopTransaction", body).await["error"].is_null());
        let sessions = house.sessions().await;
        let session = sessions.iter().find(|it| it["id"] == id).unwrap();
        assert_eq!((&session["started_at"], &session["energy_wh"]), (&json!(begun), &json!(50)), "{shape}");
    }
}

/// An end that names a session of another charger ends neither; one that comes twice changes nothing.
#[tokio::test]
async fn ends_of_others() {
    let house = House::start().await;
    house.site.tenant_with_card("Rui", "DEADBEEF").await;
    let mut one = house.station("C1").await;
    let mut two = house.station("C2").await;
    let session = house.start_session(&mut one, 1000).await;
    let answer = house.stop_session(&mut two, &session, 5000).await;
    assert!(answer["error"].is_null(), "{answer}");
    assert_eq!(house.sessions().await[0]["ended_at"], Value::Null, "of the other charger");
    house.pass(&mut one, 600).await;
    house.stop_session(&mut one, &session, 1400).await;
    house.pass(&mut one, 60).await;
    house.stop_session(&mut one, &session, 1900).await;
    let sessions = house.sessions().await;
    assert_eq!((sessions.len(), &sessions[0]["energy_wh"]), (1, &json!(400)), "the first end counts");
}

/// A second start while a session runs ends the first one, and values without an id belong to the running one.
#[tokio::test]
async fn start_upon_start() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let first = house.start_session(&mut station, 1000).await;
    house.pass(&mut station, 600).await;
    house.values(&mut station, &first, 10.0, 1400).await;
    let body = json!({ "connectorId": 1, "idTag": CARD, "meterStart": 1500, "timestamp": house.at(0) });
    let second = station.call("StartTransaction", body).await["transactionId"].clone();
    assert_ne!(first, second);
    house.pass(&mut station, 600).await;
    let values = json!([{ "timestamp": house.at(0), "sampledValue": [{ "value": "1800" }] }]);
    assert_eq!(station.call("MeterValues", json!({ "connectorId": 1, "meterValue": values })).await, json!({}));
    let sessions = house.until(&mut station, "sessions", |list| list["items"][0]["energy_wh"] == 300).await;
    let ended = sessions["items"].as_array().unwrap().iter().find(|it| it["id"] == first).unwrap();
    assert!(ended["ended_at"].is_string() && ended["energy_wh"] == 400, "{ended}");
}

/// Values with the unit behind the number, a decimal comma, a unit instead of a measurand, registers in kWh.
#[tokio::test]
async fn values_in_other_shapes() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 100_000).await;
    house.pass(&mut station, 600).await;
    let sampled = json!([
        { "value": "100,5", "unit": "kWh" }, { "value": "7.5 A", "measurand": "Current.Import", "phase": "L1" },
        { "value": "8", "unit": "A", "phase": "l2" }, { "value": "9", "measurand": "current.import", "phase": "L3" }]);
    let values = json!([{ "timestamp": house.at(0), "sampledValue": sampled }]);
    let body = json!({ "connectorId": 1, "transactionId": session, "meterValue": values });
    assert_eq!(station.call("MeterValues", body).await, json!({}));
    house.until(&mut station, "sessions", |list| list["items"][0]["energy_wh"] == 500).await;
    let measured = |it: &Value| it["connectors"][0]["measured_a"] == json!([7.5, 8.0, 9.0]);
    house.until(&mut station, "chargers/C1", measured).await;
}

/// Boots again and again in one connection, and during a session, end nothing.
#[tokio::test]
async fn boots_repeated() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 0).await;
    for _boot in 0..10 {
        assert_eq!(station.boot().await["status"], "Accepted");
    }
    house.values(&mut station, &session, 10.0, 200).await;
    assert_eq!(house.sessions().await[0]["ended_at"], Value::Null);
    assert_eq!(house.site.get("chargers/C1").await.json["online"], true);
}

/// What an answer leaves out or writes in other letters is understood as far as it says something.
#[tokio::test]
async fn answers_in_other_shapes() {
    let house = House::start().await;
    for (number, shape) in [json!({ "status": "accepted " }), json!({ "Status": "Accepted" })].into_iter().enumerate() {
        let answer = shape.clone();
        let id = format!("C{number}");
        let answers = move |action: &str, body: &Value| match action {
            "Reset" => crate::station::Reply::Result(answer.clone()),
            _ => crate::station::agreeable(action, body),
        };
        let mut station = house.station_that(&id, answers).await;
        let asked = house.site.post(&format!("chargers/{id}/reset"), json!({ "kind": "soft" })).await;
        let path = format!("commands/{}", asked.json["command_id"]);
        let ended = house.until(&mut station, &path, |it| it["outcome"] != "pending").await;
        assert_eq!(ended["outcome"], "accepted", "{shape}: {ended}");
    }
}
