//! Certificates of chargers over the years, on a clock that is moved by hand.

use crate::station::{House, Station};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

const DAY_S: u64 = 24 * 3600;

/// Whether a request asks for a new signing request.
fn asks(action: &str, body: &Value) -> bool {
    action == "ExtendedTriggerMessage" && body["requestedMessage"] == "SignChargePointCertificate"
}

/// Days during which the charger is away.
async fn away(house: &House, station: Station, days: u64) -> Station {
    drop(station);
    house.site.until("chargers/C1", |charger| charger["online"] == false).await;
    house.clock.advance(days * DAY_S);
    let mut station = Station::connect(house.ocpp(), "C1").await;
    assert_eq!(station.boot().await["status"], "Accepted");
    station
}

/// Asks for a certificate as a charger does, and takes it.
async fn sign(house: &House, station: &mut Station) {
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::new(Vec::new()).unwrap().serialize_request(&key).unwrap().pem().unwrap();
    let answer = station.call("SignCertificate", json!({ "csr": request })).await;
    assert_eq!(answer["status"], "Accepted");
    let signed = house.until_asked(station, |action, _| action == "CertificateSigned").await;
    assert!(signed["certificateChain"].as_str().unwrap().contains("BEGIN CERTIFICATE"), "{signed}");
}

/// A charger gets a new certificate two months before its old one ends, is reminded once a day until it asks for it, and
/// is left alone when it has one; the old one is good until it ends.
#[tokio::test]
async fn certificates_are_renewed_in_time() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let invited = house.site.post("chargers/C1/security/certificate", json!({})).await;
    assert_eq!(invited.status, 202, "{}", invited.text);
    house.until_asked(&mut station, asks).await;
    sign(&house, &mut station).await;
    let mut station = away(&house, station, 668).await;
    house.pass(&mut station, 60).await;
    assert!(!station.asked.iter().any(|(action, body)| asks(action, body)), "too early: {:?}", station.asked);
    let mut station = away(&house, station, 3).await;
    house.until_asked(&mut station, asks).await;
    house.pass(&mut station, 60).await;
    assert!(!station.asked.iter().any(|(action, body)| asks(action, body)), "once a day: {:?}", station.asked);
    let mut station = away(&house, station, 1).await;
    house.until_asked(&mut station, asks).await;
    sign(&house, &mut station).await;
    let list = house.site.get("certificates").await;
    let items = list.json["items"].as_array().unwrap_or_else(|| panic!("{}", list.text)).clone();
    assert_eq!(items.len(), 2, "{items:?}");
    assert!(items.iter().all(|item| item["revoked_at"].is_null() && item["charger"] == "C1"), "{items:?}");
    let mut station = away(&house, station, 5).await;
    house.pass(&mut station, 60).await;
    assert!(!station.asked.iter().any(|(action, body)| asks(action, body)), "it has one: {:?}", station.asked);
}
