//! A full disk: charging goes on, chargers keep what was not kept, the console says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use std::time::Duration;
use support::{PATIENCE, Site};

/// Pages the database may have: enough to begin, soon full.
const PAGES: u32 = 120;

/// When the disk is full, heartbeats are answered and limits flow, a session's start stays unanswered so that the
/// charger repeats it, orders that must be kept are refused, and the alarm says what to do.
#[tokio::test]
async fn full_disk_keeps_charging() {
    let site = Site::start_with(|config| config.store_pages_max = Some(PAGES)).await;
    let mut charger = site.approved_charger("C1").await;
    let filler = "x".repeat(20_000);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while site.get("health").await.json["parts"][0]["status"] != "degraded" {
        assert!(tokio::time::Instant::now() < deadline, "the disk never filled");
        let answer = charger.call("DataTransfer", json!({"vendorId": "Test", "data": filler})).await;
        assert!(answer["status"].is_string() || answer["error"].is_string(), "{answer}");
    }
    assert!(charger.call("Heartbeat", json!({})).await["currentTime"].is_string(), "answers go on from memory");
    let alarm = site.until("snapshot", |snapshot| {
        snapshot["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "storage_failing")
    });
    alarm.await;
    let refused = site.post("tenants", json!({"name": "Ana"})).await;
    assert_eq!((refused.status, refused.code()), (503, "storage_failing"));
    let paused = site.post("chargers/C1/pause", json!({})).await;
    assert!([200, 503].contains(&paused.status), "{}", paused.text);
    assert_eq!(site.get("chargers/C1").await.json["paused"], true, "what makes the building safer takes force");
    let start = charger.start("AAAA0001", 0);
    let unanswered = tokio::time::timeout(Duration::from_secs(2), start).await;
    assert!(unanswered.is_err(), "a start that is not kept is not acknowledged");
}
