//! Limits as chargers in the field take, refuse, ignore and forget them.

use crate::station::{House, Reply, Station, agreeable, is_limit};
use serde_json::{Value, json};

fn refusing(refused: impl Fn(&Value) -> bool + Send + 'static) -> impl FnMut(&str, &Value) -> Reply + Send + 'static {
    move |action, body| match action {
        "SetChargingProfile" if refused(&body["csChargingProfiles"]) => Reply::Result(json!({ "status": "Rejected" })),
        _ => agreeable(action, body),
    }
}

/// Q53: a charger that says in any spelling that it takes watts gets watts; one that refuses amperes finds them, too.
#[tokio::test]
async fn rate_unit_variants() {
    for unit in ["Power", "power", "W", "\"Power\""] {
        let house = House::start().await;
        let answers = move |action: &str, body: &Value| match action {
            "GetConfiguration" => Reply::Result(json!({ "configurationKey": [
                { "key": "ChargingScheduleAllowedChargingRateUnit", "value": unit, "readonly": true }] })),
            _ => agreeable(action, body),
        };
        let mut station = house.station_that("C1", answers).await;
        house.start_session(&mut station, 0).await;
        let limit = house.until_asked(&mut station, |action, body| is_limit(action, body, 4000.0)).await;
        let schedule = &limit["csChargingProfiles"]["chargingSchedule"];
        assert_eq!(
            (&schedule["chargingRateUnit"], &schedule["chargingSchedulePeriod"][0]["numberPhases"]),
            (&json!("W"), &json!(3))
        );
    }
    let house = House::start().await;
    let mut station = house.station_that("C1", refusing(|it| it["chargingSchedule"]["chargingRateUnit"] == "A")).await;
    house.start_session(&mut station, 0).await;
    house.until_asked(&mut station, |action, body| is_limit(action, body, 4000.0)).await;
}

/// Q54: kinds and stack levels are tried until one is taken, which is kept for the next charger of its model.
#[tokio::test]
async fn profile_ladder() {
    let house = House::start().await;
    let picky = || refusing(|it| it["stackLevel"] != 1 || it["chargingProfileKind"] == "Absolute");
    let mut first = house.station_that("C1", picky()).await;
    house.start_session(&mut first, 0).await;
    let taken = |action: &str, body: &Value| {
        let profile = &body["csChargingProfiles"];
        is_limit(action, body, 0.0) && profile["stackLevel"] == 1 && profile["chargingProfileKind"] == "Relative"
    };
    house.until_asked(&mut first, taken).await;
    let way = house.detail("C1").await["profile_way"].as_str().unwrap().to_owned();
    assert_eq!(way, "TxProfile, Relative, stack level 1, A");
    let second = house.station_that("C2", picky()).await;
    let fallbacks = second.profiles();
    assert_eq!(fallbacks.len(), 1, "its like taught us how: {fallbacks:?}");
}

/// Q56: a charger that agrees and draws what it likes is found out.
#[tokio::test]
async fn accepted_but_ignored() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 0).await;
    let limit = house.site.post("chargers/C1/limit", json!({ "limit_a": 8 })).await;
    assert_eq!(limit.status, 200, "{}", limit.text);
    for step in 0..40 {
        house.pass(&mut station, 5).await;
        house.values(&mut station, &session, 16.0, step * 15).await;
    }
    let alarms = house.site.get("alarms?open=true").await.json;
    let codes: Vec<&str> = alarms["items"].as_array().unwrap().iter().filter_map(|it| it["code"].as_str()).collect();
    assert!(codes.contains(&"charger_disobeys"), "{alarms:#}");
}

/// Q57: the limit is sent again when energy flows after a pause.
#[tokio::test]
async fn resume_from_zero() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    house.start_session(&mut station, 0).await;
    house.until_asked(&mut station, |action, body| is_limit(action, body, 6.0)).await;
    house.site.post("chargers/C1/pause", json!({})).await;
    station.status("SuspendedEVSE").await;
    house.until_asked(&mut station, |action, body| is_limit(action, body, 0.0) && !is_limit(action, body, 1.0)).await;
    station.asked.clear();
    house.site.post("chargers/C1/resume", json!({})).await;
    house.until_asked(&mut station, |action, body| is_limit(action, body, 6.0)).await;
    station.asked.clear();
    station.status("Charging").await;
    house.until_asked(&mut station, |action, body| is_limit(action, body, 6.0)).await;
}

/// Q58: what a charger may draw while its link is gone is taken from the others, and its limit comes again with it.
#[tokio::test]
async fn offline_reserves_fallback() {
    let house = House::start().await;
    let mut site = house.site.get("site").await.json;
    // 20 A less 1 A margin and 2 A for the house: 17 A for two cars.
    (site["main_fuse_a"], site["contracted_kva"]) = (json!(20), json!(13.8));
    assert_eq!(house.site.ask("PUT", "site", Some(site)).await.status, 200);
    let mut lost = house.station("C1").await;
    let mut stays = house.station("C2").await;
    house.site.tenant_with_card("Rui", "04FFFFFF").await;
    house.start_session(&mut lost, 0).await;
    let body = json!({ "connectorId": 1, "idTag": "04FFFFFF", "meterStart": 0, "timestamp": house.at(0) });
    stays.call("StartTransaction", body).await;
    stays.status("Charging").await;
    house.until_asked(&mut lost, |action, body| is_limit(action, body, 6.0)).await;
    drop(lost);
    stays.asked.clear();
    house.pass(&mut stays, 300).await;
    let limits = stays.asked_for("SetChargingProfile");
    let newest = limits.iter().rev().find(|it| is_limit("SetChargingProfile", it, 0.0)).unwrap();
    let amps = newest["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_f64().unwrap();
    assert!(amps <= 11.0, "6 A stay reserved for the lost one: {amps}");
    let mut lost = Station::connect(house.ocpp(), "C1").await;
    house.until_asked(&mut lost, |action, body| is_limit(action, body, 0.0)).await;
}

/// Q59: a pause is a limit of 0 A; the session is never ended only to be fair.
#[tokio::test]
async fn pause_strategy() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    house.start_session(&mut station, 0).await;
    house.site.post("chargers/C1/pause", json!({})).await;
    house.until_asked(&mut station, |action, body| is_limit(action, body, 0.0) && !is_limit(action, body, 1.0)).await;
    station.status("SuspendedEVSE").await;
    house.pass(&mut station, 120).await;
    assert_eq!(station.asked_for("RemoteStopTransaction"), Vec::<Value>::new());
    assert_eq!(house.sessions().await[0]["ended_at"], Value::Null);
}

/// Q61: where a vendor's own load management limits too, its limit is the charger's ceiling.
#[tokio::test]
async fn vendor_lm_ceiling() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let patched = house.site.ask("PATCH", "chargers/C1", Some(json!({ "max_a": 10 }))).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    house.start_session(&mut station, 0).await;
    house.until_asked(&mut station, |action, body| is_limit(action, body, 6.0)).await;
    house.pass(&mut station, 120).await;
    assert!(!station.asked.iter().any(|(action, body)| is_limit(action, body, 10.1)), "{:?}", station.profiles());
}
