//! Meters over a real broker and a real client.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use rumqttc::{AsyncClient, ConnectReturnCode, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use std::time::Duration;
use support::{PATIENCE, Site};

struct Device {
    client: AsyncClient,
    events: EventLoop,
}

impl Device {
    /// Connects; gives the refusal when there is one.
    async fn connect(site: &Site, name: &str, password: &str) -> Result<Self, ConnectReturnCode> {
        let mqtt = site.addresses().mqtt;
        let mut options = MqttOptions::new(name, mqtt.ip().to_string(), mqtt.port());
        options.set_credentials(name, password).set_keep_alive(Duration::from_secs(30));
        let (client, mut events) = AsyncClient::new(options, 16);
        match tokio::time::timeout(PATIENCE, events.poll()).await.expect("an answer to the login") {
            Ok(Event::Incoming(Packet::ConnAck(_))) => Ok(Self { client, events }),
            Err(rumqttc::ConnectionError::ConnectionRefused(code)) => Err(code),
            other => panic!("{other:?}"),
        }
    }

    /// Publishes and waits for the acknowledgement; `false` when the broker ended the connection instead.
    async fn publish(&mut self, topic: &str, body: Value) -> bool {
        self.client.publish(topic, QoS::AtLeastOnce, false, body.to_string()).await.unwrap();
        self.until(|packet| matches!(packet, Packet::PubAck(_))).await
    }

    async fn until(&mut self, wanted: impl Fn(&Packet) -> bool) -> bool {
        loop {
            match tokio::time::timeout(PATIENCE, self.events.poll()).await.expect("something from the broker") {
                Ok(Event::Incoming(packet)) if wanted(&packet) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }
}

fn hello() -> Value {
    json!({"v": 1, "code": "0x001", "from": "Counter-1", "id": 1})
}

/// A meter announces itself, waits, is approved with the password it presented, and its loads count from then on.
#[tokio::test]
async fn meter_is_approved_and_counts() {
    let site = Site::start().await;
    let mut stranger = Device::connect(&site, "Counter-1", "first").await.unwrap();
    assert!(stranger.publish("hello/new", hello()).await);
    site.until("meters", |list| list["items"][0]["id"] == "Counter-1").await;
    assert_eq!(Device::connect(&site, "Counter-1", "other").await.err(), Some(ConnectReturnCode::NotAuthorized));
    let approved = site.post("meters/Counter-1/approve", json!({"role": "house"})).await;
    assert_eq!((approved.status, &approved.json["approved"]), (200, &json!(true)), "{}", approved.text);
    assert!(!stranger.until(|_| false).await, "it is sent away to come back with its rights");
    let mut meter = Device::connect(&site, "Counter-1", "first").await.unwrap();
    meter.client.subscribe("Counter-1", QoS::AtLeastOnce).await.unwrap();
    assert!(meter.until(|packet| matches!(packet, Packet::SubAck(_))).await);
    assert!(meter.publish("hello/new", hello()).await);
    let load = json!({"v": 1, "code": "0x031", "from": "Counter-1", "current_ma": [3200, 4000, 5000], "power_w": 2806});
    assert!(meter.publish("Counter-1", load).await);
    let seen = site.until("snapshot", |snapshot| snapshot["site"]["house_a"] == json!([3.2, 4.0, 5.0])).await;
    assert_eq!(seen["site"]["metered"], true);
    assert_eq!(Device::connect(&site, "Counter-1", "wrong").await.err(), Some(ConnectReturnCode::NotAuthorized));
    let list = site.get("connections").await.json;
    let refused = list["items"].as_array().unwrap().iter().find(|item| item["state"] == "refused").unwrap();
    assert!(refused["detail"].as_str().unwrap().contains("password is wrong"), "{refused}");
}

/// A negative load, an unknown topic and a foreign topic change nothing, and the meter can go on.
#[tokio::test]
async fn nonsense_changes_nothing() {
    let site = Site::start_with(|config| {
        let file = "[[meters]]\nid = \"Counter-1\"\npassword = \"secret\"\n[[meters]]\nid = \"Counter-2\"\npassword = \"other\"\n";
        config.initial = service::parse_site_file(file, domain::Timestamp(0)).unwrap();
    })
    .await;
    let load = |from: &str, amps: i64| json!({"v": 1, "code": "0x031", "from": from, "current_ma": [amps, amps, amps]});
    let mut meter = Device::connect(&site, "Counter-1", "secret").await.unwrap();
    assert!(meter.publish("hello/new", hello()).await);
    assert!(meter.publish("Counter-1", load("Counter-1", 7000)).await);
    site.until("meters/Counter-1", |meter| meter["current_a"] == json!([7.0, 7.0, 7.0])).await;
    meter.publish("Counter-1", load("Counter-1", -5000)).await;
    let mut meter = Device::connect(&site, "Counter-1", "secret").await.unwrap();
    meter.publish("Counter-2", load("Counter-2", 9000)).await;
    let mut meter = Device::connect(&site, "Counter-1", "secret").await.unwrap();
    meter.publish("nowhere/else", load("Counter-1", 9000)).await;
    assert_eq!(site.get("meters/Counter-1").await.json["current_a"], json!([7.0, 7.0, 7.0]));
    assert_eq!(site.get("meters/Counter-2").await.json["current_a"], json!([]));
    let mut meter = Device::connect(&site, "Counter-1", "secret").await.unwrap();
    assert!(meter.publish("hello/new", hello()).await);
    assert!(meter.publish("Counter-1", load("Counter-1", 8000)).await);
    site.until("meters/Counter-1", |meter| meter["current_a"] == json!([8.0, 8.0, 8.0])).await;
}

fn charger(body: Value) -> Value {
    let mut message = json!({"v": 1, "from": "Charger-1"});
    message.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    message
}

/// A charger that is removed in the middle of a session hears the cut to nothing and the end of the session before it
/// is sent away: nobody counts it from then on.
#[tokio::test]
async fn a_removed_charger_hears_its_last_orders() {
    let site = Site::start().await;
    let announce = || charger(json!({"code": "0x002", "id": 1, "connectors": 1, "max_ma": 32000}));
    let mut stranger = Device::connect(&site, "Charger-1", "secret").await.unwrap();
    assert!(stranger.publish("hello/new", announce()).await);
    site.until("chargers", |list| list["items"][0]["id"] == "Charger-1").await;
    assert_eq!(site.post("chargers/Charger-1/approve", json!({})).await.status, 200);
    assert!(!stranger.until(|_| false).await, "it is sent away to come back with its rights");
    site.tenant_with_card("Ana", "04A1B2C3").await;
    let mut settings = site.get("site").await.json;
    settings["declared_load_a"] = json!(2);
    settings["control_interval_s"] = json!(1);
    assert_eq!(site.ask("PUT", "site", Some(settings)).await.status, 200);

    let mut device = Device::connect(&site, "Charger-1", "secret").await.unwrap();
    device.client.subscribe("Charger-1", QoS::AtLeastOnce).await.unwrap();
    assert!(device.until(|packet| matches!(packet, Packet::SubAck(_))).await);
    assert!(device.publish("hello/new", announce()).await);
    let at_ms = jiff::Timestamp::now().as_millisecond();
    let start = json!({"local": 1, "card": "04A1B2C3", "meter_wh": 1000, "at_ms": at_ms});
    assert!(device.publish("Charger-1", charger(json!({"code": "0x022", "connector": 1, "start": start}))).await);
    let heard = |packet: &Packet, wanted: &dyn Fn(&Value) -> bool| {
        let Packet::Publish(message) = packet else { return false };
        serde_json::from_slice::<Value>(&message.payload).is_ok_and(|body| body["from"] == "manager" && wanted(&body))
    };
    let has_current = |body: &Value| body["limit_ma"].as_u64() >= Some(6000);
    assert!(device.until(|packet| heard(packet, &has_current)).await);
    let removed = tokio::spawn(async move { (site.ask("DELETE", "chargers/Charger-1", None).await.status, site) });
    let (cut, end) = (std::cell::Cell::new(false), std::cell::Cell::new(false));
    let is_over = device
        .until(|packet| {
            cut.set(cut.get() || heard(packet, &|body| body["limit_ma"] == 0));
            end.set(end.get() || heard(packet, &|body| body["end"].is_object()));
            false
        })
        .await;
    assert_eq!((cut.get(), end.get(), is_over), (true, true, false));
    assert_eq!(removed.await.unwrap().0, 204);
}
