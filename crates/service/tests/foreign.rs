//! Meters of other makers over a real broker with a real client, and over HTTP from a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{PATIENCE, Site};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

struct Device {
    client: AsyncClient,
    events: EventLoop,
}

impl Device {
    async fn connect(site: &Site, name: &str, password: &str) -> Self {
        let mqtt = site.addresses().mqtt;
        let mut options = MqttOptions::new(format!("client-of-{name}"), mqtt.ip().to_string(), mqtt.port());
        options.set_credentials(name, password).set_keep_alive(Duration::from_secs(30));
        let (client, mut events) = AsyncClient::new(options, 16);
        match tokio::time::timeout(PATIENCE, events.poll()).await.unwrap() {
            Ok(Event::Incoming(Packet::ConnAck(_))) => Self { client, events },
            other => panic!("{other:?}"),
        }
    }

    /// Publishes and waits for the acknowledgement; `false` when the broker ended the connection instead.
    async fn publish(&mut self, topic: &str, text: &str) -> bool {
        self.client.publish(topic, QoS::AtLeastOnce, false, text).await.unwrap();
        self.until(|packet| matches!(packet, Packet::PubAck(_))).await
    }

    async fn subscribe(&mut self, filter: &str) -> bool {
        self.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        let granted = std::cell::Cell::new(false);
        self.until(|packet| match packet {
            Packet::SubAck(answer) => {
                granted.set(matches!(answer.return_codes.as_slice(), [rumqttc::SubscribeReasonCode::Success(_)]));
                true
            }
            _ => false,
        })
        .await
            && granted.get()
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

async fn password(site: &Site, name: &str) -> String {
    let made = site.post("mqtt/devices", json!({"name": name})).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json["password"].as_str().unwrap().to_owned()
}

/// A small HTTP server that answers every question with the newest body.
struct Server {
    address: SocketAddr,
    body: Arc<Mutex<String>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            body: Arc::new(Mutex::new(body.to_owned())),
            asked: Arc::default(),
        };
        let (body, asked) = (Arc::clone(&server.body), Arc::clone(&server.asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                    if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
                asked.lock().unwrap().push(line);
                let body = body.lock().unwrap().clone();
                let answer = if body.is_empty() {
                    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
                } else {
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
                };
                drop(stream.write_all(answer.as_bytes()).await);
            }
        });
        server
    }
}

fn shelly_3em(amps: [f64; 3], total: u32) -> String {
    let phase =
        |amps: f64, total: u32| json!({"power": amps * 230.0, "current": amps.abs(), "voltage": 230.0, "total": total});
    json!({"emeters": [phase(amps[0], total), phase(amps[1], 0), phase(amps[2], 0)]}).to_string()
}

/// A Shelly 3EM over MQTT, as it comes: the preset reads it, its own topics are its own, and what it measures is what the
/// building is kept safe with. It survives a restart of the program.
#[tokio::test]
async fn shelly_over_mqtt_measures_the_grid() {
    let site = Site::start().await;
    let secret = password(&site, "shelly-grid").await;
    let made = site.ask("PUT", "foreign-meters/shelly-grid", Some(json!({"preset": "shelly_3em"}))).await;
    assert_eq!(
        (made.status, &made.json["reading"]["problem"]),
        (200, &json!("Nothing has been heard of it yet")),
        "{}",
        made.text
    );
    let mut shelly = Device::connect(&site, "shelly-grid", &secret).await;
    assert!(shelly.subscribe("shellies/command").await, "it listens on topics of its own");
    assert!(!shelly.subscribe("#").await, "but not on everybody's");
    let base = "shellies/shellyem3-34945472A6B5";
    assert!(shelly.publish(&format!("{base}/online"), "true").await);
    for (index, amps) in [3.0, 4.0, 5.0].iter().enumerate() {
        assert!(shelly.publish(&format!("{base}/emeter/{index}/power"), &format!("{}", amps * 230.0)).await);
        assert!(shelly.publish(&format!("{base}/emeter/{index}/current"), &format!("{amps}")).await);
    }
    let seen = site.until("meters/shelly-grid", |meter| meter["current_a"] == json!([3.0, 4.0, 5.0])).await;
    assert_eq!((&seen["approved"], &seen["role"]), (&json!(true), &json!("circuit")));
    site.until("snapshot", |snapshot| snapshot["site"]["metered"] == json!(true)).await;
    let list = site.get("foreign-meters").await.json;
    assert_eq!(list[0]["reading"]["current_a"], json!([3.0, 4.0, 5.0]), "{list:#}");
    assert_eq!(list[0]["reading"]["messages"].as_array().unwrap().len(), 7);
    assert!(!shelly.publish("hello/new", "{}").await, "it is no device of our protocol");
    let site = site.restart().await;
    let mut shelly = Device::connect(&site, "shelly-grid", &secret).await;
    for (index, amps) in [6.0, 7.0, 8.0].iter().enumerate() {
        assert!(shelly.publish(&format!("{base}/emeter/{index}/current"), &format!("{amps}")).await);
    }
    site.until("meters/shelly-grid", |meter| meter["current_a"] == json!([6.0, 7.0, 8.0])).await;
    assert_eq!(site.ask("DELETE", "foreign-meters/shelly-grid", None).await.status, 204);
    assert_eq!(site.get("foreign-meters").await.json, json!([]));
    assert_eq!(site.get("meters/shelly-grid").await.status, 404);
}

/// A Shelly of the second generation publishes below its own name, which people also enter as its user name.
#[tokio::test]
async fn shelly_pro_below_its_own_name() {
    let site = Site::start().await;
    let secret = password(&site, "shellypro3em-1").await;
    let put = json!({"preset": "shelly_pro_3em"});
    assert_eq!(site.ask("PUT", "foreign-meters/shellypro3em-1", Some(put)).await.status, 200);
    let mut shelly = Device::connect(&site, "shellypro3em-1", &secret).await;
    assert!(shelly.subscribe("shellypro3em-1/rpc").await && shelly.subscribe("shellypro3em-1/command/#").await);
    let status = json!({"id": 0, "a_current": 1.5, "b_current": 2.0, "c_current": 2.5, "b_act_power": -460.0});
    assert!(shelly.publish("shellypro3em-1/status/em:0", &status.to_string()).await);
    site.until("meters/shellypro3em-1", |meter| meter["current_a"] == json!([1.5, -2.0, 2.5])).await;
}

/// A meter may not speak in the name of another device, nor listen to what it is told.
#[tokio::test]
async fn topics_of_others_are_closed() {
    let site = Site::start_with(|config| {
        let file = "[[meters]]\nid = \"Counter-1\"\npassword = \"secret\"\n";
        config.initial = service::parse_site_file(file, domain::Timestamp(0)).unwrap();
    })
    .await;
    let secret = password(&site, "plug").await;
    assert_eq!(site.ask("PUT", "foreign-meters/plug", Some(json!({"preset": "tasmota"}))).await.status, 200);
    for topic in ["Counter-1", "Counter-1/x", "hello/new", "manager/x"] {
        let mut plug = Device::connect(&site, "plug", &secret).await;
        assert!(!plug.subscribe(topic).await && !plug.subscribe(&format!("{topic}/#")).await, "{topic}");
        let load = json!({"v": 1, "code": "0x031", "from": "Counter-1", "current_ma": [1, 1, 1]}).to_string();
        assert!(!plug.publish(topic, &load).await, "{topic}");
    }
    assert_eq!(site.get("meters/Counter-1").await.json["current_a"], json!([]));
}

/// A meter nobody knows: its messages are listened to, a mapping is tried on them, and kept.
#[tokio::test]
async fn a_mapping_is_found_by_looking() {
    let site = Site::start().await;
    let secret = password(&site, "odd").await;
    assert_eq!(site.ask("PUT", "foreign-meters/odd", Some(json!({"phases": 1}))).await.status, 200);
    let mut device = Device::connect(&site, "odd", &secret).await;
    let text = r#"{"sml":{"P":[-460],"U":230.0,"E_in":12.5}}"#;
    assert!(device.publish("house/cellar/state", text).await);
    let seen = site.until("foreign-meters", |list| list[0]["heard_at"].is_string()).await;
    assert_eq!(seen[0]["reading"]["messages"][0]["text"], text);
    assert!(seen[0]["reading"]["problem"].as_str().unwrap().contains("map at least one value"));
    let try_with = |path: &str| {
        json!({"id": "odd", "phases": 1, "rules": [
            {"topic": "state", "path": path, "quantity": "power_w"},
            {"topic": "state", "path": "sml.U", "quantity": "voltage_l1_v"},
            {"topic": "state", "path": "sml.E_in", "quantity": "import_wh", "factor": "1000"}]})
    };
    let missed = site.post("foreign-meters/preview", try_with("sml.power")).await.json;
    assert!(missed["problem"].as_str().unwrap().contains("Not every phase is known"), "{missed}");
    let read = site.post("foreign-meters/preview", try_with("sml.P[0]")).await.json;
    assert_eq!(
        (&read["current_a"], &read["power_w"], &read["energy_wh"]),
        (&json!([-2.0]), &json!(-460.0), &json!(12_500))
    );
    assert_eq!(read["problem"], "");
    let mut put = try_with("sml.P[0]");
    put.as_object_mut().unwrap().remove("id");
    assert_eq!(site.ask("PUT", "foreign-meters/odd", Some(put)).await.status, 200);
    assert!(device.publish("house/cellar/state", text).await);
    site.until("meters/odd", |meter| meter["current_a"] == json!([-2.0, 0.0, 0.0])).await;
    for (body, word) in [
        (json!({"rules": [{"quantity": "amps"}]}), "current_l1_a"),
        (json!({"rules": [{"quantity": "power_w", "path": "a["}]}), "emeters[0].current"),
        (json!({"rules": [{"quantity": "power_w", "path": "a"}]}), "L1"),
        (json!({"preset": "unknown"}), "tasmota"),
        (json!({"transport": "http", "url": "ftp://x"}), "http://"),
        (json!({"transport": "http", "url": "http://a:b@c/"}), "password"),
        (
            json!({"preset": "tasmota", "stands": "charger", "rules": [{"quantity": "power_w", "path": "a"}], "phases": 1}),
            "register",
        ),
        (json!({"preset": "tasmota", "circuit": "nowhere"}), "circuit"),
    ] {
        let answer = site.ask("PUT", "foreign-meters/wrong", Some(body.clone())).await;
        assert!(answer.status >= 400 && answer.text.contains(word), "{body}: {}", answer.text);
    }
    assert_eq!(
        site.get("foreign-meters").await.json.as_array().unwrap().len(),
        1,
        "what was wrong left nothing behind"
    );
}

/// A meter that is asked: the bare address gets the preset's path, values count, and a refusal is told in words.
#[tokio::test]
async fn shelly_over_http() {
    let site = Site::start().await;
    let server = Server::start(&shelly_3em([5.0, -2.0, 1.0], 900)).await;
    let url = format!("http://{}", server.address);
    let preview = site.post("foreign-meters/preview", json!({"url": url, "preset": "shelly_3em"})).await;
    assert_eq!(preview.json["current_a"], json!([5.0, -2.0, 1.0]), "{}", preview.text);
    let put = json!({"transport": "http", "url": url, "preset": "shelly_3em", "every_s": 1});
    let made = site.ask("PUT", "foreign-meters/roof", Some(put)).await;
    assert_eq!(made.json["url"], format!("{url}/status"), "{}", made.text);
    site.until("meters/roof", |meter| meter["current_a"] == json!([5.0, -2.0, 1.0])).await;
    *server.body.lock().unwrap() = shelly_3em([9.0, 9.0, 9.0], 901);
    site.until("meters/roof", |meter| meter["current_a"] == json!([9.0, 9.0, 9.0])).await;
    server.body.lock().unwrap().clear();
    let list = site.until("foreign-meters", |list| list[0]["reading"]["problem"] != "").await;
    assert!(list[0]["reading"]["problem"].as_str().unwrap().contains("wants a password"), "{list:#}");
    assert!(server.asked.lock().unwrap().iter().all(|line| line.starts_with("GET /status ")));
    let gone =
        site.post("foreign-meters/preview", json!({"url": "http://127.0.0.1:9", "preset": "tasmota"})).await.json;
    assert!(gone["problem"].as_str().unwrap().contains("cannot be reached"), "{gone}");
}

/// A charger with nothing but a meter: whoever owns it pays for what flows, no order is sent to it, and while a car
/// charges there it counts with all it may draw.
#[tokio::test]
async fn metered_charger_is_billed_to_its_owner() {
    let site = Site::start().await;
    let tenant = site.tenant_with_card("Ana", "04A1B2C3").await;
    let server = Server::start(&shelly_3em([0.0; 3], 5_000)).await;
    let put = json!({"stands": "charger", "transport": "http", "url": format!("http://{}", server.address),
        "preset": "shelly_3em", "every_s": 1});
    let made = site.ask("PUT", "foreign-meters/garage-7", Some(put)).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let owner = site.ask("PATCH", "chargers/garage-7", Some(json!({"owner_tenant_id": tenant, "max_a": 16}))).await;
    assert_eq!(owner.status, 200, "{}", owner.text);
    let charger = site.until("chargers/garage-7", |charger| charger["online"] == json!(true)).await;
    assert_eq!((&charger["protocol"], &charger["approved"]), (&json!("metered"), &json!(true)), "{charger:#}");
    *server.body.lock().unwrap() = shelly_3em([10.0, 10.0, 10.0], 5_200);
    let sessions = site.until("sessions", |list| list["items"][0]["energy_wh"].as_u64() >= Some(200)).await;
    let session = &sessions["items"][0];
    assert_eq!((&session["tenant_id"], &session["charger"]), (&json!(tenant), &json!("garage-7")), "{session:#}");
    let charging = site.until("chargers/garage-7", |c| c["connectors"][0]["status"] == "charging").await;
    assert_eq!(charging["connectors"][0]["measured_a"], json!([10.0, 10.0, 10.0]), "{charging:#}");
    let refused = site.post("chargers/garage-7/reset", json!({"kind": "soft"})).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    let alarms: Value = site.get("alarms").await.json;
    let text = alarms.to_string();
    assert!(!text.contains("disobeys"), "what takes no orders disobeys none: {text}");
}
