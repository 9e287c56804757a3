//! A service on free ports with a real store, and plain clients of its real sockets.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "every test binary uses a part of it")]

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use service::{Addresses, Config, Running};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longest wait for anything; reached only when a test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Password of the manager in tests.
pub const PASSWORD: &str = "correct horse";

/// A running service in a folder of its own.
pub struct Site {
    pub running: Running,
    pub dir: TempDir,
}

/// Free ports on loopback.
pub fn config(dir: &Path) -> Config {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut config = Config::new(dir.to_owned());
    (config.http, config.ocpp, config.mqtt) = (any, any, any);
    config.manager_password = Some(PASSWORD.to_owned());
    // The keyring belongs to whoever runs the tests.
    config.secrets = service::SecretsChoice::File;
    config
}

impl Site {
    pub async fn start() -> Self {
        Self::start_with(|_config| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        change(&mut config);
        Self { running: service::start(config).await.unwrap(), dir }
    }

    /// Ends it in order and starts it again in the same folder.
    pub async fn restart(self) -> Self {
        self.running.shutdown().await;
        let running = service::start(config(self.dir.path())).await.unwrap();
        Self { running, dir: self.dir }
    }

    /// Takes it away without a goodbye, as a crash does, and starts it again in the same folder.
    pub async fn crash(self) -> Self {
        let Self { running, dir } = self;
        drop(running);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match service::start(config(dir.path())).await {
                Ok(running) => return Self { running, dir },
                // The operating system needs a moment to take the lock back.
                Err(service::StartError::DataDirInUse { .. }) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub fn addresses(&self) -> Addresses {
        self.running.addresses()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, Some(body)).await
    }

    /// Asks with the token of programs.
    pub async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let token = format!("Authorization: Bearer {}\r\n", self.running.token());
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        request(self.addresses().http, method, &format!("/api/v1/{path}"), &token, &body).await
    }

    /// Asks again and again until the answer is as wanted.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await;
            if wanted(&answer.json) {
                return answer.json;
            }
            assert!(tokio::time::Instant::now() < deadline, "waited in vain for {path}: {:#}", answer.json);
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    pub async fn approved_charger(&self, id: &str) -> Charger {
        let mut charger = Charger::connect(self.addresses().ocpp, id).await;
        charger.boot().await;
        let path = format!("chargers/{id}/approve");
        self.until("chargers", |list| list["items"].as_array().unwrap().iter().any(|item| item["id"] == id)).await;
        assert_eq!(self.post(&path, json!({})).await.status, 200);
        assert_eq!(charger.boot().await["status"], "Accepted");
        charger
    }

    pub async fn tenant_with_card(&self, name: &str, uid: &str) -> i64 {
        let tenant = self.post("tenants", json!({"name": name, "unit": "1"})).await;
        assert_eq!(tenant.status, 201, "{}", tenant.json);
        let id = tenant.json["id"].as_i64().unwrap();
        let card = self.post(&format!("tenants/{id}/cards"), json!({"uid": uid})).await;
        assert_eq!(card.status, 201, "{}", card.json);
        id
    }
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub text: String,
    /// The body, or null when it is no JSON.
    pub json: Value,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// The cookie it sets, as a header to send back.
    pub fn cookie(&self) -> String {
        let line = self.head.lines().find(|line| line.to_ascii_lowercase().starts_with("set-cookie:")).unwrap();
        format!("Cookie: {}\r\n", line.split(':').nth(1).unwrap().split(';').next().unwrap().trim())
    }
}

/// One request on a connection of its own.
pub async fn request(to: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {to}\r\n") };
    let kind =
        if body.is_empty() || headers.contains("Content-Type") { "" } else { "Content-Type: application/json\r\n" };
    let head = format!(
        "{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{kind}{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The service may answer and close before it read a body it does not want.
    drop(stream.write_all(body.as_bytes()).await);
    let mut bytes = Vec::new();
    drop(tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap());
    let all = String::from_utf8_lossy(&bytes).into_owned();
    let (head, text) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {method} {path}: {all:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_owned(),
        json: serde_json::from_str(text).unwrap_or(Value::Null),
        text: text.to_owned(),
    }
}

/// A charger as plain frames on a real socket.
pub struct Charger {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last: u64,
    /// Requests of the service that were not looked at yet.
    pub asked: Vec<(String, Value)>,
}

impl Charger {
    pub async fn connect(ocpp: SocketAddr, id: &str) -> Self {
        let mut request = format!("ws://{ocpp}/ocpp/{id}").into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
        let (socket, response) = connect_async(request).await.unwrap();
        assert_eq!(response.headers()["Sec-WebSocket-Protocol"], "ocpp1.6");
        Self { socket, last: 0, asked: Vec::new() }
    }

    pub async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next text; agrees to requests of the service on the way and remembers them.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.unwrap();
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            };
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame[0] != 2 {
                return Some(frame);
            }
            let answer = match frame[2].as_str().unwrap() {
                "GetConfiguration" => json!({}),
                "UnlockConnector" => json!({"status": "Unlocked"}),
                _ => json!({"status": "Accepted"}),
            };
            self.asked.push((frame[2].as_str().unwrap().to_owned(), frame[3].clone()));
            self.send(&json!([3, frame[1], answer]).to_string()).await;
        }
    }

    /// Calls the service and gives its answer.
    pub async fn call(&mut self, action: &str, body: Value) -> Value {
        self.last += 1;
        let id = format!("m{}", self.last);
        self.send(&json!([2, id, action, body]).to_string()).await;
        loop {
            let frame = self.next().await.unwrap();
            if frame[1] == id.as_str() {
                return if frame[0] == 3 { frame[2].clone() } else { json!({"error": frame[2], "text": frame[3]}) };
            }
        }
    }

    /// Any answer to a raw text.
    pub async fn answer_to(&mut self, text: &str) -> Option<Value> {
        self.send(text).await;
        self.next().await
    }

    pub async fn boot(&mut self) -> Value {
        self.call("BootNotification", json!({"chargePointVendor": "Test", "chargePointModel": "T1"})).await
    }

    pub async fn status(&mut self, status: &str) {
        let body = json!({"connectorId": 1, "errorCode": "NoError", "status": status});
        assert_eq!(self.call("StatusNotification", body).await, json!({}));
    }

    pub async fn start(&mut self, card: &str, meter: i64) -> Value {
        let body = json!({"connectorId": 1, "idTag": card, "meterStart": meter, "timestamp": now()});
        self.call("StartTransaction", body).await
    }

    pub async fn stop(&mut self, session: &Value, card: &str, meter: i64) -> Value {
        let body =
            json!({"transactionId": session, "idTag": card, "meterStop": meter, "timestamp": now(), "reason": "Local"});
        self.call("StopTransaction", body).await
    }

    pub async fn meter_values(&mut self, session: &Value, amps: &str, register: i64) {
        let value =
            |measurand: &str, unit: &str, value: &str| json!({"measurand": measurand, "unit": unit, "value": value});
        let mut sampled = vec![value("Energy.Active.Import.Register", "Wh", &register.to_string())];
        for phase in ["L1", "L2", "L3"] {
            let mut current = value("Current.Import", "A", amps);
            current["phase"] = json!(phase);
            sampled.push(current);
        }
        let body = json!({"connectorId": 1, "transactionId": session,
            "meterValue": [{"timestamp": now(), "sampledValue": sampled}]});
        assert_eq!(self.call("MeterValues", body).await, json!({}));
    }

    /// Sends heartbeats until the service asked for this; gives the request.
    pub async fn until_asked(&mut self, wanted: impl Fn(&str, &Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(place) = self.asked.iter().position(|(action, body)| wanted(action, body)) {
                return self.asked.remove(place).1;
            }
            assert!(tokio::time::Instant::now() < deadline, "never asked; asked was {:?}", self.asked);
            self.call("Heartbeat", json!({})).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Resolves when the service closed the connection.
    pub async fn closed(&mut self) {
        while self.next().await.is_some() {}
    }
}

pub fn now() -> String {
    jiff::Timestamp::now().to_string()
}
