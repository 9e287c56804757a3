//! A full disk: charging goes on, chargers keep what was not kept, the console says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use std::time::Duration;
use support::{PATIENCE, Site};

/// Pages the database may have: enough to begin, soon full.
const PAGES: u32 = 130;

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

/// A file that was damaged while the program was down is set aside; the newest copy and what can still be read take its
/// place, so that nothing is missing.
#[tokio::test]
async fn damaged_records_come_back_from_the_copy() {
    let site = Site::start().await;
    site.tenant_with_card("Ana", "04A1B2C3").await;
    let made = site.post("backups", json!({})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let name = made.json["name"].as_str().unwrap().to_owned();
    let preview = site.get(&format!("backups/{name}")).await;
    assert_eq!(preview.json["tenants"], 1, "{}", preview.text);
    assert_eq!(site.get("backups/no-such.db").await.status, 404);
    site.tenant_with_card("Rui", "04A1B2C4").await;
    let written = site.post("export", json!({})).await;
    let folder = std::path::PathBuf::from(written.json["folder"].as_str().unwrap());
    let persons = std::fs::read_to_string(folder.join("person.jsonl")).unwrap();
    assert!(persons.contains("Ana") && persons.contains("Rui"), "{persons}");
    site.running.shutdown().await;
    let file = site.dir.path().join("meshwatt.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 4096;
    bytes[last..].fill(0xa5);
    std::fs::write(&file, bytes).unwrap();
    std::fs::write(site.dir.path().join("meshwatt.lock"), "").unwrap();
    let running = service::start(support::config(site.dir.path())).await.unwrap();
    let site = Site { running, dir: site.dir };
    let tenants = site.get("tenants").await.text;
    assert!(tenants.contains("Ana") && tenants.contains("Rui"), "{tenants}");
    let damaged = std::fs::read_dir(site.dir.path()).unwrap().flatten();
    assert!(damaged.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("damaged")));
}

/// How long records are kept is chosen in whole days, nonsense is refused in words, and the choice outlives a restart.
#[tokio::test(flavor = "multi_thread")]
async fn retention_is_chosen_and_kept() {
    let site = support::Site::start().await;
    let item = site.get("retention").await.json;
    assert_eq!((&item["form"]["raw_days"], &item["usual"]["minute_days"]), (&json!(40), &json!(761)), "{item}");
    assert!(item["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{item}");
    let mut form = item["form"].clone();
    form["raw_days"] = json!(0);
    let refused = site.ask("PUT", "retention", Some(form.clone())).await;
    assert!(refused.status == 422 && refused.text.contains("between 1 and"), "{}", refused.text);
    form["raw_days"] = json!(800);
    let refused = site.ask("PUT", "retention", Some(form.clone())).await;
    assert!(refused.status == 422 && refused.text.contains("at least as long"), "{}", refused.text);
    (form["raw_days"], form["decision_days"]) = (json!(60), json!(90));
    assert_eq!(site.ask("PUT", "retention", Some(form.clone())).await.json["form"], form);
    let site = site.restart().await;
    assert_eq!(site.get("retention").await.json["form"], form);
}
