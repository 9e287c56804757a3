//! What arrives broken gets a clear answer, and the building goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use service::StartError;
use std::net::SocketAddr;
use support::{Charger, Site, config, request};

/// Malformed frames and impossible cards are answered, and the same connection goes on.
#[tokio::test]
async fn broken_frames_do_not_end_the_connection() {
    let site = Site::start().await;
    let mut charger = site.approved_charger("C1").await;
    for text in ["", "{", "[2]", "[9,\"x\"]", "nonsense", "[2,\"a\",\"Heartbeat\"]"] {
        charger.send(text).await;
    }
    let unknown = charger.call("FlyToTheMoon", json!({})).await;
    assert_eq!(unknown["error"], "NotImplemented");
    let broken = charger.call("StartTransaction", json!({"connectorId": "one"})).await;
    assert!(broken["error"].is_string() || broken["transactionId"].is_number(), "{broken}");
    let card = charger.call("Authorize", json!({"idTag": "X".repeat(300)})).await;
    assert!(card["error"].is_string() || card["idTagInfo"]["status"] == "Invalid", "{card}");
    assert!(charger.call("Heartbeat", json!({})).await["currentTime"].is_string());
    let refused = site.post("tenants/1/cards", json!({"uid": "X".repeat(300)})).await;
    assert_eq!((refused.status, refused.code()), (422, "invalid"));
    assert!(refused.text.contains("at most 36 characters"), "{}", refused.text);
    assert_eq!(site.get("health").await.status, 200);
}

/// A charger that connects twice talks on the newest socket; the end of the older one changes nothing.
#[tokio::test]
async fn newest_socket_wins() {
    let site = Site::start().await;
    let mut old = site.approved_charger("C1").await;
    let mut new = Charger::connect(site.addresses().ocpp, "C1").await;
    assert_eq!(new.boot().await["status"], "Accepted");
    old.closed().await;
    drop(old);
    new.status("Available").await;
    assert_eq!(site.get("chargers/C1").await.json["online"], true);
}

/// A browser and a charger that speaks another version are refused in plain words, and listed.
#[tokio::test]
async fn refused_connections_are_listed() {
    let site = Site::start().await;
    let ocpp = site.addresses().ocpp;
    assert_eq!(request(ocpp, "GET", "/ocpp/C1", "", "").await.status, 426);
    let upgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let newer = format!("{upgrade}Sec-WebSocket-Protocol: ocpp2.0.1\r\n");
    assert_eq!(request(ocpp, "GET", "/ocpp/C9", &newer, "").await.status, 400);
    let list = site.get("connections").await.json;
    let refused = list["items"].as_array().unwrap().iter().find(|item| item["device"] == "C9").unwrap();
    assert_eq!(refused["state"], "refused");
    assert!(refused["detail"].as_str().unwrap().contains("set it to OCPP 1.6"), "{refused}");
}

fn complaint(error: Result<service::Running, StartError>) -> StartError {
    match error {
        Ok(_running) => panic!("it started"),
        Err(error) => error,
    }
}

/// A taken port, a folder in use and a folder that cannot be written are told in one line that says what to do.
#[tokio::test]
async fn start_says_what_stands_in_the_way() {
    let site = Site::start().await;
    let other = tempfile::tempdir().unwrap();
    let mut taken = config(other.path());
    taken.ocpp = site.addresses().ocpp;
    let error = complaint(service::start(taken).await);
    assert!(matches!(error, StartError::PortTaken { option: "ocpp", .. }), "{error}");
    assert!(error.to_string().contains("choose another port with --ocpp"), "{error}");
    let error = complaint(service::start(config(site.dir.path())).await);
    assert!(error.to_string().contains("in use by another Meshwatt"), "{error}");
    let file = other.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = complaint(service::start(config(&file.join("data"))).await);
    assert!(error.to_string().contains("cannot write to"), "{error}");
    let mut foreign = config(other.path());
    foreign.http = "203.0.113.1:0".parse::<SocketAddr>().unwrap();
    let error = complaint(service::start(foreign).await);
    assert!(error.to_string().contains("choose an address of this computer with --http"), "{error}");
}
