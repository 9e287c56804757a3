//! The scripted station, and the house it stands in.

use crate::support::{PATIENCE, Site};
use domain::{Clock, DurationMs, Instant, Now, Timestamp};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// 2026-11-20T08:00:00Z
const MORNING_MS: i64 = 1_795_161_600_000;

/// Card of the tenant every house has.
pub(crate) const CARD: &str = "04A1B2C3";

/// A clock that is moved by hand.
#[derive(Default)]
pub(crate) struct HandClock(AtomicU64);

impl HandClock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Now {
        let passed = DurationMs(self.0.load(Ordering::SeqCst));
        Now { instant: Instant(1_000_000) + passed, wall: Timestamp(MORNING_MS) + passed }
    }

    /// The service looks at the clock often, whatever it shows.
    fn real(&self, _duration: DurationMs) -> Duration {
        Duration::from_millis(5)
    }
}

/// A whole service with one tenant, whose clock the test moves.
pub(crate) struct House {
    pub(crate) site: Site,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) tenant: i64,
}

impl House {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(HandClock::default());
        let shared = Arc::clone(&clock);
        let site = Site::start_with(|config| config.clock = shared).await;
        let mut settings = site.get("site").await.json;
        // Nobody measures here, so the declared load decides; a small one leaves room for cars.
        settings["declared_load_a"] = json!(2);
        settings["control_interval_s"] = json!(1);
        settings["contracted_kva"] = json!(34.5);
        settings["main_fuse_a"] = json!(50);
        let put = site.ask("PUT", "site", Some(settings)).await;
        assert_eq!(put.status, 200, "{}", put.text);
        let mut circuits = site.get("circuits").await.json;
        circuits["items"][0]["limit_a"] = json!([50.0, 50.0, 50.0]);
        let put = site.ask("PUT", "circuits", Some(json!({ "items": circuits["items"] }))).await;
        assert_eq!(put.status, 200, "{}", put.text);
        let tenant = site.tenant_with_card("Ana", CARD).await;
        Self { site, clock, tenant }
    }

    pub(crate) fn ocpp(&self) -> SocketAddr {
        self.site.addresses().ocpp
    }

    /// The present on the house's clock, so many seconds later or, below zero, earlier.
    pub(crate) fn at(&self, seconds: i64) -> String {
        let at = self.clock.now().wall.0 + seconds * 1000;
        jiff::Timestamp::from_millisecond(at).unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// A station that was let in, booted and agreed to everything that follows.
    pub(crate) async fn station(&self, id: &str) -> Station {
        self.station_that(id, agreeable).await
    }

    /// The same with answers of its own.
    pub(crate) async fn station_that(
        &self,
        id: &str,
        answers: impl FnMut(&str, &Value) -> Reply + Send + 'static,
    ) -> Station {
        let mut station = Station::connect(self.ocpp(), id).await;
        station.answers = Box::new(answers);
        self.approve(&mut station, id).await;
        self.pass(&mut station, 20).await;
        station
    }

    /// Boots a station, lets it in, and boots it again.
    pub(crate) async fn approve(&self, station: &mut Station, id: &str) {
        station.boot().await;
        let is_known = |list: &Value| list["items"].as_array().unwrap().iter().any(|item| item["id"] == id);
        self.site.until("chargers", is_known).await;
        assert_eq!(self.site.post(&format!("chargers/{id}/approve"), json!({})).await.status, 200);
        assert_eq!(station.boot().await["status"], "Accepted");
    }

    /// Time passes, second by second; the station answers what it is asked meanwhile.
    pub(crate) async fn pass(&self, station: &mut Station, seconds: u64) {
        for _second in 0..seconds {
            self.clock.advance(1);
            station.serve(Duration::from_millis(12)).await;
        }
    }

    /// Time passes until the station was asked for this, for five minutes of the clock at most.
    pub(crate) async fn until_asked(&self, station: &mut Station, wanted: impl Fn(&str, &Value) -> bool) -> Value {
        for _second in 0..300 {
            if let Some(place) = station.asked.iter().position(|(action, body)| wanted(action, body)) {
                return station.asked.remove(place).1;
            }
            self.pass(station, 1).await;
        }
        panic!("never asked; asked was {:?}", station.asked);
    }

    /// Time passes until the API answers as wanted, for ten minutes of the clock at most.
    pub(crate) async fn until(&self, station: &mut Station, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        for _second in 0..600 {
            let answer = self.site.get(path).await.json;
            if wanted(&answer) {
                return answer;
            }
            self.pass(station, 1).await;
        }
        panic!("waited in vain for {path}: {:#}", self.site.get(path).await.json);
    }

    /// Sessions, newest first.
    pub(crate) async fn sessions(&self) -> Vec<Value> {
        self.site.get("sessions").await.json["items"].as_array().unwrap().clone()
    }

    /// A charger in detail.
    pub(crate) async fn detail(&self, id: &str) -> Value {
        self.site.get(&format!("chargers/{id}/detail")).await.json
    }

    /// Begins a session of the tenant and gives its number.
    pub(crate) async fn start_session(&self, station: &mut Station, meter: i64) -> Value {
        station.status("Preparing").await;
        let at = self.at(0);
        let body = json!({ "connectorId": 1, "idTag": CARD, "meterStart": meter, "timestamp": at });
        let answer = station.call("StartTransaction", body).await;
        assert_eq!(answer["idTagInfo"]["status"], "Accepted", "{answer}");
        station.status("Charging").await;
        answer["transactionId"].clone()
    }

    /// Ends it.
    pub(crate) async fn stop_session(&self, station: &mut Station, session: &Value, meter: i64) -> Value {
        let body = json!({ "transactionId": session, "idTag": CARD, "meterStop": meter, "timestamp": self.at(0) });
        station.call("StopTransaction", body).await
    }

    /// Reports current on all wires and a register.
    pub(crate) async fn values(&self, station: &mut Station, session: &Value, amps: f64, register: i64) {
        let mut sampled = vec![json!({ "value": register.to_string(), "unit": "Wh" })];
        for phase in ["L1", "L2", "L3"] {
            let (value, measurand) = (format!("{amps:.1}"), "Current.Import");
            sampled.push(json!({ "value": value, "measurand": measurand, "phase": phase, "unit": "A" }));
        }
        let values = json!([{ "timestamp": self.at(0), "sampledValue": sampled }]);
        let body = json!({ "connectorId": 1, "transactionId": session, "meterValue": values });
        assert_eq!(station.call("MeterValues", body).await, json!({}));
    }
}

/// What a station does with a request.
pub(crate) enum Reply {
    /// Answers.
    Result(Value),
    /// Says nothing.
    Silence,
}

/// A charger without rules: it agrees to everything.
pub(crate) fn agreeable(action: &str, _body: &Value) -> Reply {
    Reply::Result(match action {
        "GetConfiguration" => json!({}),
        "GetLocalListVersion" => json!({ "listVersion": -1 }),
        "UnlockConnector" => json!({ "status": "Unlocked" }),
        _ => json!({ "status": "Accepted" }),
    })
}

/// How a station answers: by action and body.
pub(crate) type Answers = Box<dyn FnMut(&str, &Value) -> Reply + Send>;

/// A scripted station on a real socket.
pub(crate) struct Station {
    pub(crate) socket: WebSocketStream<TcpStream>,
    pub(crate) answers: Answers,
    /// What the service asked, oldest first.
    pub(crate) asked: Vec<(String, Value)>,
    /// Whether the service closed the connection, and why.
    pub(crate) closed: Option<String>,
    last: u64,
    got: Vec<Value>,
}

impl Station {
    /// Connects as every charger should.
    pub(crate) async fn connect(ocpp: SocketAddr, id: &str) -> Self {
        let (station, head) = Self::open(ocpp, &format!("/ocpp/{id}"), &["Sec-WebSocket-Protocol: ocpp1.6"]).await;
        let station = station.unwrap_or_else(|| panic!("refused: {head}"));
        assert!(head.contains("Sec-WebSocket-Protocol: ocpp1.6"), "{head}");
        station
    }

    /// Connects with a target and headers of its own; gives the answer's head, and a station where it was let in.
    pub(crate) async fn open(ocpp: SocketAddr, target: &str, headers: &[&str]) -> (Option<Self>, String) {
        let mut lines = vec![format!("GET {target} HTTP/1.1"), format!("Host: {ocpp}")];
        lines.extend(["Upgrade: websocket", "Sec-WebSocket-Version: 13"].map(str::to_owned));
        lines.push("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==".to_owned());
        if !headers.contains(&"no connection header") {
            lines.push("Connection: Upgrade".to_owned());
        }
        lines.extend(headers.iter().filter(|line| line.contains(':')).map(|line| (*line).to_owned()));
        Self::open_raw(ocpp, &(lines.join("\r\n") + "\r\n\r\n")).await
    }

    /// Connects with a whole request head of its own.
    pub(crate) async fn open_raw(ocpp: SocketAddr, head: &str) -> (Option<Self>, String) {
        let mut stream = TcpStream::connect(ocpp).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n\r\n") {
            match tokio::time::timeout(PATIENCE, stream.read(&mut byte)).await.expect("an answer in time") {
                Ok(1) => answer.push(byte[0]),
                Ok(_) | Err(_) => return (None, String::from_utf8_lossy(&answer).into_owned()),
            }
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        if !answer.starts_with("HTTP/1.1 101") {
            let mut rest = String::new();
            drop(tokio::time::timeout(PATIENCE, stream.read_to_string(&mut rest)).await);
            return (None, answer + &rest);
        }
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        let station =
            Self { socket, answers: Box::new(agreeable), asked: Vec::new(), closed: None, last: 0, got: Vec::new() };
        (Some(station), answer)
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Reads for so long, answering what is asked.
    pub(crate) async fn serve(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while self.closed.is_none() {
            match tokio::time::timeout_at(end, self.socket.next()).await {
                Ok(message) => self.take(message).await,
                Err(_elapsed) => return,
            }
        }
        // A closed station only lets time pass.
        drop(tokio::time::timeout_at(end, std::future::pending::<()>()).await);
    }

    async fn take(&mut self, message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>) {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(frame))) => {
                self.closed = Some(frame.map(|frame| frame.reason.to_string()).unwrap_or_default());
                return;
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => return,
            Some(Err(error)) => {
                self.closed = Some(error.to_string());
                return;
            }
            None => {
                self.closed.get_or_insert_default();
                return;
            }
        };
        let frame: Value = serde_json::from_str(&text).unwrap();
        if frame[0] != 2 {
            self.got.push(frame);
            return;
        }
        let action = frame[2].as_str().unwrap().to_owned();
        let reply = (self.answers)(&action, &frame[3]);
        self.asked.push((action, frame[3].clone()));
        let answer = match reply {
            Reply::Result(result) => json!([3, frame[1], result]),
            Reply::Silence => return,
        };
        drop(self.socket.send(Message::text(answer.to_string())).await);
    }

    /// Waits for the answer to a message of this id: result, or `{"error", "text"}`.
    pub(crate) async fn answer(&mut self, id: &str) -> Value {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(place) = self.got.iter().position(|frame| frame[1] == id) {
                let frame = self.got.remove(place);
                return if frame[0] == 3 { frame[2].clone() } else { json!({ "error": frame[2], "text": frame[3] }) };
            }
            assert!(self.closed.is_none(), "closed before the answer to {id}: {:?}", self.closed);
            let message = tokio::time::timeout_at(end, self.socket.next()).await.expect("an answer in time");
            self.take(message).await;
        }
    }

    /// Calls the service and gives its answer.
    pub(crate) async fn call(&mut self, action: &str, body: Value) -> Value {
        self.last += 1;
        let id = format!("s{}", self.last);
        self.send(&json!([2, id, action, body]).to_string()).await;
        self.answer(&id).await
    }

    pub(crate) async fn boot(&mut self) -> Value {
        self.boot_as("Quirk", "Q1").await
    }

    pub(crate) async fn boot_as(&mut self, vendor: &str, model: &str) -> Value {
        self.call("BootNotification", json!({ "chargePointVendor": vendor, "chargePointModel": model })).await
    }

    pub(crate) async fn status(&mut self, status: &str) {
        let body = json!({ "connectorId": 1, "errorCode": "NoError", "status": status });
        assert_eq!(self.call("StatusNotification", body).await, json!({}));
    }

    /// Requests of one action so far.
    pub(crate) fn asked_for(&self, action: &str) -> Vec<Value> {
        self.asked.iter().filter(|(known, _)| known == action).map(|(_, body)| body.clone()).collect()
    }

    /// Purpose, kind, stack level, limit and unit of every profile so far.
    pub(crate) fn profiles(&self) -> Vec<String> {
        self.asked_for("SetChargingProfile").iter().map(profile).collect()
    }
}

/// A profile in five words.
pub(crate) fn profile(request: &Value) -> String {
    let profile = &request["csChargingProfiles"];
    let schedule = &profile["chargingSchedule"];
    let words = [&profile["chargingProfilePurpose"], &profile["chargingProfileKind"], &schedule["chargingRateUnit"]];
    let [purpose, kind, unit] = words.map(|word| word.as_str().unwrap().to_owned());
    format!("{purpose} {kind} {} {} {unit}", profile["stackLevel"], schedule["chargingSchedulePeriod"][0]["limit"])
}

/// Whether a request is the limit of a session of at least so many amperes.
pub(crate) fn is_limit(action: &str, body: &Value, least_a: f64) -> bool {
    let profile = &body["csChargingProfiles"];
    action == "SetChargingProfile"
        && profile["chargingProfilePurpose"] == "TxProfile"
        && profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"].as_f64().unwrap() >= least_a
}
