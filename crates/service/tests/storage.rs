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

/// A copy brings back files of chargers; secrets come back only sealed with a passphrase, and else the preview says what
/// must be given again. A file that no copy needs any more goes.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_takes_files_along_and_no_secret_in_plain() {
    let passphrase = || Some(zeroize::Zeroizing::new("a long sentence".to_owned()));
    for sealed in [true, false] {
        let site = Site::start_with(|config| config.secrets_passphrase = passphrase().filter(|_| sealed)).await;
        let id = site.post("files?name=new.bin", json!("firmware")).await.json["id"].as_str().unwrap().to_owned();
        let kafka = json!({"brokers": "127.0.0.1:1", "topic": "t", "password": "a-secret-of-kafka"});
        assert_eq!(site.ask("PUT", "sync/kafka", Some(kafka)).await.status, 200);
        let made = site.post("backups", json!({})).await.json;
        let name = made["name"].as_str().unwrap().to_owned();
        let preview = site.get(&format!("backups/{name}")).await.json;
        let again = if sealed { json!([]) } else { json!(["kafka"]) };
        assert_eq!((&preview["files"], &preview["sealed"], &preview["again"]), (&json!(1), &json!(sealed), &again));
        let folder = site.dir.path().join("backups");
        let beside = std::fs::read_to_string(folder.join(&name).with_extension("json")).unwrap();
        assert!(!beside.contains("a-secret-of-kafka"), "{beside}");
        let before = site.get(&format!("files/{id}/content")).await.text;

        // A new computer: only what lies in the folder of the copies.
        let fresh = tempfile::tempdir().unwrap();
        service::backup_restore(&folder.join(&name), fresh.path()).await.unwrap();
        let mut config = support::config(fresh.path());
        config.secrets_passphrase = passphrase().filter(|_| sealed);
        let there = Site { running: service::start(config).await.unwrap(), dir: fresh };
        assert_eq!(there.get(&format!("files/{id}/content")).await.text, before);
        let kafka = there.get("sync/kafka").await.json;
        assert_eq!(kafka["status"]["password_in"], if sealed { "vault" } else { "" }, "{kafka}");

        // The rule keeps the newest copy of a day, so the next one replaces it, and nothing needs the file any more.
        assert_eq!(site.ask("DELETE", &format!("files/{id}"), None).await.status, 204);
        std::fs::rename(folder.join(&name), folder.join("meshwatt-20200101T000000Z.db")).unwrap();
        std::fs::rename(folder.join(&name).with_extension("json"), folder.join("meshwatt-20200101T000000Z.json"))
            .unwrap();
        let own = folder.join("files").join("invoice");
        std::fs::write(&own, "of the person whose folder this is").unwrap();
        let keep_one = json!({"folder": "", "daily": false, "days": 1, "weeks": 0, "months": 0});
        assert_eq!(site.ask("PUT", "backups", Some(keep_one)).await.status, 200);
        assert_eq!(site.post("backups", json!({})).await.status, 201);
        assert!(!folder.join("files").join(&id).exists(), "no copy needs it any more");
        assert!(own.exists(), "what is not of a copy stays");
        assert!(!folder.join("meshwatt-20200101T000000Z.json").exists());
    }
}

/// Listeners with TLS and the file server are switched on over the API; that holds from the next start, and is said.
#[tokio::test(flavor = "multi_thread")]
async fn listeners_are_switched_on_for_the_next_start() {
    let site = support::Site::start().await;
    let off = json!({"https": false, "ocpps": false, "mqtts": false, "files": false});
    let item = site.get("listeners").await.json;
    assert_eq!(item, json!({"switches": off, "running": off, "restart": false}));
    let wanted = json!({"https": false, "ocpps": true, "mqtts": false, "files": true});
    let item = site.ask("PUT", "listeners", Some(wanted.clone())).await.json;
    assert_eq!(item, json!({"switches": wanted, "running": off, "restart": true}));
    assert_eq!(site.get("listeners").await.json["switches"], wanted);
}
