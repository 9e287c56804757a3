//! Configuration as chargers in the field tell, take and refuse it.

use crate::station::{House, Reply, agreeable};
use serde_json::{Value, json};

fn keys(station: &crate::station::Station) -> Vec<String> {
    station.asked_for("ChangeConfiguration").iter().map(|it| it["key"].as_str().unwrap().to_owned()).collect()
}

/// Q49: the list of measurands gets shorter until it is taken, and is never read back by ourselves.
#[tokio::test]
async fn measurand_probe_bounded() {
    let house = House::start().await;
    let picky = |action: &str, body: &Value| {
        let is_long = body["value"].as_str().is_some_and(|value| value.contains("Power") || value.contains("Voltage"));
        if is_long { Reply::Result(json!({ "status": "Rejected" })) } else { agreeable(action, body) }
    };
    let mut station = house.station_that("C1", picky).await;
    house.pass(&mut station, 20).await;
    let lists: Vec<usize> = station
        .asked_for("ChangeConfiguration")
        .iter()
        .filter(|it| it["key"] == "MeterValuesSampledData")
        .map(|it| it["value"].as_str().unwrap().split(',').count())
        .collect();
    assert_eq!(lists, [4, 3, 2]);
    let read = station.asked_for("GetConfiguration");
    assert!(read.iter().all(|it| !it.to_string().contains("SampledData")), "{read:?}");
}

/// Q50: empty lists, odd letter case, quotes and read-only keys are understood; absent is not unsupported.
#[tokio::test]
async fn getconfiguration_variants() {
    for list in [
        json!([]),
        json!([{ "key": "localauthlistenabled", "value": " TRUE ", "readonly": false }]),
        json!([{ "key": "SupportedFeatureProfiles", "value": "Core, \"SmartCharging\" ,LocalAuthListManagement" }]),
        json!([{ "key": "LocalAuthorizeOffline", "value": "x".repeat(700), "readonly": "true" }]),
    ] {
        let house = House::start().await;
        let told = list.clone();
        let answers = move |action: &str, body: &Value| match action {
            "GetConfiguration" => Reply::Result(json!({ "configurationKey": told })),
            _ => agreeable(action, body),
        };
        let mut station = house.station_that("C1", answers).await;
        house.pass(&mut station, 20).await;
        assert_eq!(station.closed, None, "{list}");
        assert!(!station.profiles().is_empty(), "smart charging is tried whatever it says: {list}");
        let detail = house.detail("C1").await;
        let smart = detail["capabilities"].as_array().unwrap().iter().find(|it| it["name"] == "SmartCharging").unwrap();
        assert_eq!(smart["supported"], true, "found out: {list}");
    }
}

/// Q51: the wanted configuration is applied after each boot; a key that needs a restart is shown.
#[tokio::test]
async fn desired_config_on_boot() {
    let house = House::start().await;
    let answers = |action: &str, body: &Value| match body["key"].as_str() {
        Some("MeterValueSampleInterval") => Reply::Result(json!({ "status": "RebootRequired" })),
        _ => agreeable(action, body),
    };
    let mut station = house.station_that("C1", answers).await;
    for _boot in 0..2 {
        station.asked.clear();
        station.boot().await;
        house.pass(&mut station, 20).await;
        let keys = keys(&station);
        assert!(keys.contains(&"MeterValueSampleInterval".to_owned()), "{keys:?}");
        assert!(keys.contains(&"MeterValuesSampledData".to_owned()), "{keys:?}");
    }
    assert_eq!(house.detail("C1").await["restart_for"], json!(["MeterValueSampleInterval"]));
    station.asked.clear();
    let wanted = json!({ "sample_interval_s": 30, "measurands": ["Current.Import", "SoC"], "keys": { "AuthorizeRemoteTxRequests": "true" } });
    let put = house.site.ask("PUT", "chargers/C1/settings", Some(wanted)).await;
    assert_eq!(put.status, 200, "{}", put.text);
    house.pass(&mut station, 10).await;
    let values: Vec<Value> = station.asked_for("ChangeConfiguration").iter().map(|it| it["value"].clone()).collect();
    assert_eq!(values, ["30", "Current.Import,SoC", "true"], "the manager's wishes, at once");
}

/// Q52: availability is changed on request only, for one connector where that was asked.
#[tokio::test]
async fn change_availability_optional() {
    let house = House::start().await;
    let answers = |action: &str, body: &Value| match action {
        "ChangeAvailability" if body["connectorId"] == 0 => Reply::Result(json!({ "status": "Rejected" })),
        "ChangeAvailability" => Reply::Result(json!({ "status": "Scheduled" })),
        _ => agreeable(action, body),
    };
    let mut station = house.station_that("C1", answers).await;
    assert_eq!(station.asked_for("ChangeAvailability"), Vec::<Value>::new());
    for (connector, outcome) in [(0, "rejected"), (1, "accepted")] {
        let body = json!({ "operation": "change_availability", "connector": connector, "operative": false });
        let id = house.site.post("chargers/C1/operations", body).await.json["command_id"].clone();
        let path = format!("commands/{id}");
        let ended = house.until(&mut station, &path, |it| it["outcome"] != "pending").await;
        assert_eq!(ended["outcome"], outcome, "{ended}");
    }
}
