//! Values and times as chargers in the field report them.

use crate::station::{House, Station};
use serde_json::{Value, json};

/// Reports sampled values for connector 1.
async fn report(station: &mut Station, session: &Value, at: &str, sampled: Value) -> Value {
    let values = json!([{ "timestamp": at, "sampledValue": sampled }]);
    station.call("MeterValues", json!({ "connectorId": 1, "transactionId": session, "meterValue": values })).await
}

/// The newest values of one measurand: phase, value and unit.
async fn newest(house: &House, measurand: &str) -> Vec<(String, String, String)> {
    let detail = house.detail("C1").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let values = detail["values"].as_array().unwrap().iter().filter(|it| it["measurand"] == measurand);
    values.map(|it| (text(&it["phase"]), text(&it["value"]), text(&it["unit"]))).collect()
}

/// Q18: a register in kWh under the label Wh is found out by the power beside it.
#[tokio::test]
async fn kwh_labelled_wh() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 100).await;
    for step in 0..20 {
        house.pass(&mut station, 60).await;
        let register = format!("{:.3}", 100.0 + f64::from(step) * 0.11);
        let at = house.at(0);
        let sampled = json!([{ "value": register, "unit": "Wh" }, { "value": "6600", "measurand": "Power.Active.Import", "unit": "W" }]);
        report(&mut station, &session, &at, sampled).await;
    }
    let energy = house.sessions().await[0]["energy_wh"].as_u64().unwrap();
    assert!(energy > 1000, "{energy} Wh after 20 minutes at 6.6 kW");
}

/// Q20: without context, measurand, phase, unit and time a value is the import register, in Wh, now.
#[tokio::test]
async fn metervalue_defaults() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 100).await;
    house.pass(&mut station, 60).await;
    let values = json!([{ "sampledValue": [{ "value": "150" }] }]);
    let body = json!({ "connectorId": 1, "transactionId": session, "meterValue": values });
    assert_eq!(station.call("MeterValues", body).await, json!({}));
    house.until(&mut station, "sessions", |list| list["items"][0]["energy_wh"] == 50).await;
    let register = newest(&house, "Energy.Active.Import.Register").await;
    assert_eq!(register, [(String::new(), "150".to_owned(), "Wh".to_owned())]);
}

/// Q21: phases as `L1-N`, a neutral that carries no load, and energy on one phase alone.
#[tokio::test]
async fn phase_labels() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 0).await;
    house.pass(&mut station, 60).await;
    let current = |phase: &str, value: &str| json!({ "value": value, "measurand": "Current.Import", "phase": phase });
    let mut sampled = vec![current("L1-N", "7"), current("L2-N", "8"), current("L3-N", "9"), current("N", "99")];
    sampled.push(json!({ "value": "60", "measurand": "Energy.Active.Import.Register", "phase": "L1" }));
    let at = house.at(0);
    report(&mut station, &session, &at, json!(sampled)).await;
    let measured = |it: &Value| it["connectors"][0]["measured_a"] == json!([7.0, 8.0, 9.0]);
    house.until(&mut station, "chargers/C1", measured).await;
    house.until(&mut station, "sessions", |list| list["items"][0]["energy_wh"] == 60).await;
    assert_eq!(newest(&house, "Current.Import").await.len(), 4, "the neutral is kept, too");
}

/// Q22: `Celcius` and `Celsius` are one unit.
#[tokio::test]
async fn celcius() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    for unit in ["Celcius", "Celsius"] {
        let at = house.at(0);
        let sampled = json!([{ "value": "41.5", "measurand": "Temperature", "unit": unit }]);
        assert_eq!(report(&mut station, &Value::Null, &at, sampled).await, json!({}));
        assert_eq!(newest(&house, "Temperature").await[0].1, "41.5");
        house.pass(&mut station, 1).await;
    }
}

/// Q24: a session without values is asked for them slowly; a slower interval than wanted is accepted and shown as drift.
#[tokio::test]
async fn sparse_meter_values() {
    let house = House::start().await;
    let slow = |action: &str, body: &Value| match action {
        "GetConfiguration" => crate::station::Reply::Result(json!({ "configurationKey": [
            { "key": "MeterValueSampleInterval", "value": "60", "readonly": true }] })),
        _ => crate::station::agreeable(action, body),
    };
    let mut station = house.station_that("C1", slow).await;
    house.start_session(&mut station, 0).await;
    station.asked.clear();
    house.pass(&mut station, 300).await;
    let asked = station.asked_for("TriggerMessage").len();
    assert!((3..=6).contains(&asked), "asked {asked} times in five minutes");
    let detail = house.detail("C1").await;
    let keys = detail["configuration"].as_array().unwrap();
    let interval = keys.iter().find(|it| it["key"] == "MeterValueSampleInterval").unwrap();
    assert_eq!((&interval["value"], &interval["drift"]), (&json!("60"), &json!(true)));
}

/// Q25: one question at a time, fewer and fewer of them for a charger that answers none.
#[tokio::test]
async fn trigger_backpressure() {
    let house = House::start().await;
    let mute = |action: &str, body: &Value| match action {
        "TriggerMessage" => crate::station::Reply::Silence,
        _ => crate::station::agreeable(action, body),
    };
    let mut station = house.station_that("C1", mute).await;
    house.start_session(&mut station, 0).await;
    station.asked.clear();
    house.pass(&mut station, 600).await;
    let asked = station.asked_for("TriggerMessage").len();
    assert!((1..=2).contains(&asked), "asked {asked} times in ten minutes");
    assert_eq!(station.closed, None);
}

/// Q26: values out of order keep their times, and what is live is the newest.
#[tokio::test]
async fn metervalues_unordered() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 0).await;
    house.pass(&mut station, 40).await;
    let value = |at: i64, wh: &str| json!({ "timestamp": house.at(at), "sampledValue": [{ "value": wh }] });
    let list = json!([value(-5, "60"), value(-30, "20"), value(-15, "40")]);
    station.call("MeterValues", json!({ "connectorId": 1, "transactionId": session, "meterValue": list })).await;
    assert_eq!(newest(&house, "Energy.Active.Import.Register").await[0].1, "60");
    house.until(&mut station, "sessions", |list| list["items"][0]["energy_wh"] == 60).await;
}

/// Q27: signed data is kept in the log and never calculated with.
#[tokio::test]
async fn signed_data_excluded() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 0).await;
    house.pass(&mut station, 60).await;
    let at = house.at(0);
    let sampled = json!([{ "value": "OCMF|{}|{\"SA\"}", "format": "SignedData" }, { "value": "9999999", "format": "SignedData" },
        { "value": "70" }]);
    report(&mut station, &session, &at, sampled).await;
    house.until(&mut station, "sessions", |list| list["items"][0]["energy_wh"] == 70).await;
    let frames = house.site.get("chargers/C1/frames?text=OCMF").await.json;
    assert_eq!(frames["items"].as_array().unwrap().len(), 1);
}

/// Q29: a time without a zone is the building's or UTC, whichever is nearer to now.
#[tokio::test]
async fn timestamp_no_zone() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    // Lisbon is at UTC in November, so both readings agree; the decoder's own tests tell them apart.
    let bare = house.at(-5).trim_end_matches('Z').to_owned();
    let body = json!({ "connectorId": 1, "idTag": crate::station::CARD, "meterStart": 1, "timestamp": bare });
    station.call("StartTransaction", body).await;
    assert_eq!(house.sessions().await[0]["started_at"], house.at(-5));
}

/// Q30: a clock that was never set becomes our time, and the session says so.
#[tokio::test]
async fn timestamp_1970() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let body = json!({ "connectorId": 1, "idTag": crate::station::CARD, "meterStart": 1, "timestamp": "1970-01-01T00:00:10Z" });
    station.call("StartTransaction", body).await;
    let sessions = house.sessions().await;
    assert_eq!(sessions[0]["provenance"], "clock_corrected");
    assert!(sessions[0]["started_at"].as_str().unwrap().starts_with("2026-11-20T08:"), "{}", sessions[0]);
}

/// Q32: times go out without a fraction, ending in `Z`.
#[tokio::test]
async fn currenttime_format() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let time = station.call("Heartbeat", json!({})).await["currentTime"].as_str().unwrap().to_owned();
    assert_eq!(time, house.at(0));
    assert_eq!(time.len(), "2026-11-20T08:00:00Z".len());
}

/// Q33: the right time comes with every boot and heartbeat, and heartbeats at least every quarter of an hour.
#[tokio::test]
async fn clock_sync() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let boot = station.boot().await;
    assert_eq!(boot["currentTime"], house.at(0));
    assert!((1..=900).contains(&boot["interval"].as_i64().unwrap()), "{boot}");
    assert_eq!(station.call("Heartbeat", json!({})).await["currentTime"], house.at(0));
}
