//! Handshakes and connections as chargers in the field make and lose them.

use crate::station::{House, Reply, Station, agreeable, is_limit};
use futures_util::SinkExt as _;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// Q34: without a subprotocol 1.6 is spoken, and none is echoed.
#[tokio::test]
async fn subprotocol_absent() {
    let house = House::start().await;
    let (station, head) = Station::open(house.ocpp(), "/ocpp/C1", &[]).await;
    assert!(!head.to_ascii_lowercase().contains("sec-websocket-protocol"), "{head}");
    assert_eq!(station.unwrap().boot().await["status"], "Pending");
}

/// Q34: of a list, 1.6 is chosen, and exactly that is echoed.
#[tokio::test]
async fn subprotocol_list() {
    let house = House::start().await;
    for list in ["ocpp1.6, ocpp1.5", "ocpp1.5,ocpp1.6", "ocpp2.0.1, ocpp1.6"] {
        let header = format!("Sec-WebSocket-Protocol: {list}");
        let (station, head) = Station::open(house.ocpp(), "/ocpp/C1", &[&header]).await;
        let echoed: Vec<&str> = head.lines().filter_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: ")).collect();
        assert_eq!(echoed, ["ocpp1.6"], "{list}");
        assert_eq!(station.unwrap().boot().await["status"], "Pending");
    }
}

/// Q36: a request without `Connection: Upgrade` is understood.
#[tokio::test]
async fn missing_connection_upgrade() {
    let house = House::start().await;
    let headers = ["no connection header", "Sec-WebSocket-Protocol: ocpp1.6"];
    let (station, head) = Station::open(house.ocpp(), "/ocpp/C1", &headers).await;
    assert!(station.is_some(), "{head}");
}

/// Q37: the identity is found wherever the charger puts it, and one that names none is seen with the reason.
#[tokio::test]
async fn url_variants() {
    let house = House::start().await;
    let cases = [
        ("///C1", "C1"),
        ("/ocpp/C1/", "C1"),
        ("/ocpp/C1/C1", "C1"),
        ("/some/path/of/a/vendor/C1", "C1"),
        ("/?=C1", "C1"),
        ("/ocpp/Lugar%203", "Lugar 3"),
    ];
    for (target, id) in cases {
        let (station, head) = Station::open(house.ocpp(), target, &["Sec-WebSocket-Protocol: ocpp1.6"]).await;
        let mut station = station.unwrap_or_else(|| panic!("{target}: {head}"));
        station.boot().await;
        let is_known = |list: &serde_json::Value| list["items"].as_array().unwrap().iter().any(|item| item["id"] == id);
        house.site.until("chargers", is_known).await;
    }
    // One that names itself nowhere is called by its network address.
    let (station, head) = Station::open(house.ocpp(), "/", &["Sec-WebSocket-Protocol: ocpp1.6"]).await;
    station.unwrap_or_else(|| panic!("{head}")).boot().await;
    let is_known =
        |list: &serde_json::Value| list["items"].as_array().unwrap().iter().any(|item| item["id"] == "ip-127.0.0.1");
    house.site.until("chargers", is_known).await;
    let told = |list: &serde_json::Value| {
        let mut items = list["items"].as_array().unwrap().iter();
        items.any(|item| item["state"] == "refused" && item["detail"].as_str().unwrap().contains("identity"))
    };
    house.site.until("connections", told).await;
    // Basic authentication names it where the address does not: `C9:secret`.
    let headers = ["Sec-WebSocket-Protocol: ocpp1.6", "Authorization: Basic Qzk6c2VjcmV0"];
    let (station, head) = Station::open(house.ocpp(), "/", &headers).await;
    station.unwrap_or_else(|| panic!("{head}")).boot().await;
    house.site.until("chargers", |list| list["items"].as_array().unwrap().iter().any(|item| item["id"] == "C9")).await;
}

/// Q38: an unknown charger waits, cannot charge, and is let in by one click.
#[tokio::test]
async fn unknown_station_pending() {
    let house = House::start().await;
    let mut station = Station::connect(house.ocpp(), "C1").await;
    assert_eq!(station.boot().await["status"], "Pending");
    let card = json!({ "idTag": crate::station::CARD });
    assert_eq!(station.call("Authorize", card.clone()).await["idTagInfo"]["status"], "Invalid");
    house.pass(&mut station, 60).await;
    assert_eq!(station.asked, [], "nothing is asked of a stranger");
    assert_eq!(house.site.post("chargers/C1/approve", json!({})).await.status, 200);
    house
        .until_asked(&mut station, |action, body| {
            action == "TriggerMessage" && body["requestedMessage"] == "BootNotification"
        })
        .await;
    assert_eq!(station.boot().await["status"], "Accepted");
    assert_eq!(station.call("Authorize", card).await["idTagInfo"]["status"], "Accepted");
}

/// Q40: what is no request at all, such as a TLS greeting on the plain port, ends that connection alone.
#[tokio::test]
async fn tls_failure_visible() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let mut stream = TcpStream::connect(house.ocpp()).await.unwrap();
    // The beginning of a TLS 1.0 greeting.
    stream.write_all(&[0x16, 0x03, 0x01, 0x00, 0x2e, 0x01, 0x00, 0x00, 0x2a, 0x03, 0x01]).await.unwrap();
    stream.write_all(&[0; 40]).await.unwrap();
    stream.write_all(b"\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    drop(tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await.expect("it is ended"));
    let refused = |list: &serde_json::Value| {
        list["items"].as_array().unwrap().iter().any(|item| item["state"] == "refused" && item["detail"] != "")
    };
    house.site.until("connections", refused).await;
    assert!(station.call("Heartbeat", json!({})).await["error"].is_null(), "others are not disturbed");
}

/// Q41: reserved bits end the connection in words; the charger may come back.
#[tokio::test]
async fn rsv_bits() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let mut frame = Frame::message(br#"[2,"1","Heartbeat",{}]"#.to_vec(), OpCode::Data(Data::Text), true);
    frame.header_mut().rsv1 = true;
    station.socket.send(Message::Frame(frame)).await.unwrap();
    station.serve(Duration::from_secs(10)).await;
    assert!(station.closed.is_some());
    let told = |list: &serde_json::Value| {
        let mut items = list["items"].as_array().unwrap().iter();
        items.any(|item| item["device"] == "C1" && item["detail"].as_str().unwrap().contains("WebSocket"))
    };
    house.site.until("connections", told).await;
    let mut station = Station::connect(house.ocpp(), "C1").await;
    assert_eq!(station.boot().await["status"], "Accepted");
}

/// Q41: a message in fragments is one message.
#[tokio::test]
async fn fragmented() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let parts: [&[u8]; 3] = [br#"[2,"frag","#, br#""Heartbeat","#, br#"{}]"#];
    for (index, part) in parts.into_iter().enumerate() {
        let kind = if index == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(part.to_vec(), OpCode::Data(kind), index == 2);
        station.socket.send(Message::Frame(frame)).await.unwrap();
    }
    assert!(station.answer("frag").await["currentTime"].is_string());
}

/// Q42: the newest socket is the charger; the late end of an older one changes nothing.
#[tokio::test]
async fn socket_replaced() {
    let house = House::start().await;
    let mut old = house.station("C1").await;
    let mut new = Station::connect(house.ocpp(), "C1").await;
    assert_eq!(new.boot().await["status"], "Accepted");
    drop(old.socket.close(None).await);
    drop(old);
    house.pass(&mut new, 5).await;
    assert_eq!(house.site.get("chargers/C1").await.json["online"], true);
    assert!(new.call("Heartbeat", json!({})).await["currentTime"].is_string());
    assert_eq!(new.closed, None);
}

/// Q43: a charger that answers no ping is alive as long as it says anything within three heartbeats.
#[tokio::test]
async fn no_pong_tolerated() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    for _quarter in 0..4 {
        house.pass(&mut station, 250).await;
        station.call("Heartbeat", json!({})).await;
    }
    assert_eq!(station.closed, None);
    assert_eq!(house.site.get("chargers/C1").await.json["online"], true);
}

/// Q44: a charger that reconnects again and again is left to settle, counted, and gets its limit at the end.
#[tokio::test]
async fn reconnect_flap() {
    let house = House::start().await;
    let mut station = house.station("C1").await;
    let session = house.start_session(&mut station, 0).await;
    for _flap in 0..6 {
        station = Station::connect(house.ocpp(), "C1").await;
        house.pass(&mut station, 1).await;
        assert_eq!(station.asked, [], "nothing is asked before it has settled");
    }
    let limit = house.until_asked(&mut station, |action, body| is_limit(action, body, 0.0)).await;
    assert_eq!(limit["csChargingProfiles"]["transactionId"], session);
    let count = house.detail("C1").await["connections_last_hour"].as_u64().unwrap();
    assert!((7..=8).contains(&count), "{count}");
}

/// Q45: a charger that does not boot on reconnect works, and is asked for a boot once.
#[tokio::test]
async fn no_boot_on_reconnect() {
    let house = House::start().await;
    drop(house.station("C1").await);
    let mut site = house.site.restart().await;
    let mut station = Station::connect(site.addresses().ocpp, "C1").await;
    assert!(station.call("Heartbeat", json!({})).await["currentTime"].is_string());
    let card = json!({ "idTag": crate::station::CARD });
    assert_eq!(station.call("Authorize", card).await["idTagInfo"]["status"], "Accepted");
    // The real clock runs after the restart: the settling time and no more.
    station.serve(Duration::from_secs(6)).await;
    let asked = station.asked_for("TriggerMessage");
    assert!(asked.len() <= 1, "{asked:?}");
    site = site.restart().await;
    drop(site);
}

/// Q46: a charger that answers nothing keeps its connection and its session, and is left in peace.
#[tokio::test]
async fn setup_timeouts_never_fatal() {
    let house = House::start().await;
    let mut station = house.station_that("C1", |_, _| Reply::Silence).await;
    house.pass(&mut station, 600).await;
    assert_eq!(station.closed, None);
    assert!(station.asked_for("ChangeConfiguration").len() <= 2, "{:?}", station.asked);
    let card = json!({ "idTag": crate::station::CARD });
    assert_eq!(station.call("Authorize", card).await["idTagInfo"]["status"], "Accepted");
    let silent = house.detail("C1").await["unanswered"].as_array().unwrap().len();
    assert!(silent >= 1, "what it never answered is remembered");
}

/// Q47: three messages in a millisecond from each of thirty chargers get their answers, in order.
#[tokio::test]
async fn thundering_herd() {
    let house = House::start().await;
    let mut stations = Vec::new();
    for number in 0..30 {
        stations.push(Station::connect(house.ocpp(), &format!("C{number}")).await);
    }
    for station in &mut stations {
        for connector in 0..3 {
            let body = json!({ "connectorId": connector, "errorCode": "NoError", "status": "Available" });
            station.send(&json!([2, format!("n{connector}"), "StatusNotification", body]).to_string()).await;
        }
    }
    for station in &mut stations {
        for connector in 0..3 {
            assert_eq!(station.answer(&format!("n{connector}")).await, json!({}));
        }
        station.answers = Box::new(agreeable);
    }
}
