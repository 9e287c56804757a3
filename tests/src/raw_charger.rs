//! A charger without any rules: sends whatever text a test wants, on a real WebSocket.

use crate::wait::{DEADLINE, until};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// How long one look at the socket may take.
const LOOK: Duration = Duration::from_millis(50);

/// A raw OCPP-J client.
pub struct RawCharger {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    /// Frames that arrived while waiting for others.
    inbox: VecDeque<Value>,
    /// Limit of the newest `TxProfile`.
    live_limit_a: Option<f64>,
}

impl RawCharger {
    /// Connects with the subprotocol `ocpp1.6`.
    #[must_use]
    pub fn connect(url: &str) -> Self {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
        let (socket, _response) = tungstenite::connect(request).unwrap_or_else(|error| panic!("{url}: {error}"));
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(LOOK)).unwrap();
            stream.set_write_timeout(Some(DEADLINE)).unwrap();
        }
        Self { socket, next_id: 0, inbox: VecDeque::new(), live_limit_a: None }
    }

    /// Sends a text as it is.
    pub fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// Sends a request and returns its number.
    pub fn send(&mut self, action: &str, payload: Value) -> String {
        self.next_id += 1;
        let id = format!("t{}", self.next_id);
        self.send_text(&json!([2, id, action, payload]).to_string());
        id
    }

    /// Sends a request and waits for its answer, accepting whatever is asked meanwhile; fails on a CALLERROR.
    #[track_caller]
    pub fn call(&mut self, action: &str, payload: Value) -> Value {
        let id = self.send(action, payload);
        let frame = self.wait(&format!("the answer to {action}"), |frame| frame[1] == id.as_str() && frame[0] != 2);
        assert_eq!(frame[0], 3, "{action} was refused: {frame}");
        frame[2].clone()
    }

    /// Sends a request and waits for its answer, whatever it is; `None` when the connection breaks first.
    pub fn try_call(&mut self, action: &str, payload: Value) -> Option<Value> {
        self.next_id += 1;
        let id = format!("t{}", self.next_id);
        self.socket.send(Message::text(json!([2, id, action, payload]).to_string())).ok()?;
        loop {
            match self.try_look() {
                Look::Frame(frame) if frame[1] == id.as_str() && frame[0] != 2 => return Some(frame),
                Look::Frame(frame) => self.inbox.push_back(frame),
                Look::Nothing => {}
                Look::Broken(_) => return None,
            }
        }
    }

    /// Number of the last request sent, as its frame carries it.
    #[must_use]
    pub fn last_id(&self) -> String {
        format!("t{}", self.next_id)
    }

    /// Boots, and again until the charger is accepted; reports connector 1 as free.
    pub fn boot(&mut self) {
        until("the boot to be accepted", || {
            let answer = self.call("BootNotification", json!({"chargePointVendor": "Raw", "chargePointModel": "Test"}));
            (answer["status"] == "Accepted").then_some(())
        });
        self.status("Available");
    }

    /// Reports the state of connector 1.
    pub fn status(&mut self, status: &str) {
        self.call("StatusNotification", json!({"connectorId": 1, "errorCode": "NoError", "status": status}));
    }

    /// Starts a transaction on connector 1 and returns its number.
    #[track_caller]
    pub fn start(&mut self, card: &str, meter_wh: u64) -> i64 {
        self.status("Preparing");
        let at = self.time();
        let body = json!({"connectorId": 1, "idTag": card, "meterStart": meter_wh, "timestamp": at});
        let answer = self.call("StartTransaction", body);
        assert_eq!(answer["idTagInfo"]["status"], "Accepted", "{answer}");
        self.status("Charging");
        answer["transactionId"].as_i64().expect("a transaction has a number")
    }

    /// What `MeterValues` carries for connector 1.
    #[must_use]
    pub fn values(&self, transaction: i64, current_a: f64, energy_wh: u64) -> Value {
        let sampled = json!([
            {"value": format!("{current_a:.1}"), "measurand": "Current.Import", "phase": "L1", "unit": "A"},
            {"value": energy_wh.to_string(), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        ]);
        let at = self.time();
        json!({"connectorId": 1, "transactionId": transaction, "meterValue": [{"timestamp": at, "sampledValue": sampled}]})
    }

    /// The time now, as this charger's exact clock tells it.
    #[must_use]
    pub fn time(&self) -> Value {
        let now = jiff::Timestamp::now().as_millisecond();
        json!(jiff::Timestamp::from_millisecond(now).unwrap().to_string())
    }

    /// Waits for a frame; requests that arrive are answered with `Accepted` and can be waited for too.
    #[track_caller]
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        let mut seen = 0;
        loop {
            if let Some(index) = self.inbox.iter().skip(seen).position(&wanted) {
                return self.inbox.remove(seen + index).unwrap();
            }
            seen = self.inbox.len();
            assert!(begun.elapsed() < DEADLINE, "waited {} s in vain for: {what}", DEADLINE.as_secs());
            if let Some(frame) = self.look() {
                self.inbox.push_back(frame);
            }
        }
    }

    /// Answers requests that arrived, without waiting for more.
    pub fn serve(&mut self) {
        while let Some(frame) = self.look() {
            self.inbox.push_back(frame);
        }
    }

    /// Limit of the newest `TxProfile` it was given.
    #[must_use]
    pub const fn live_limit_a(&self) -> Option<f64> {
        self.live_limit_a
    }

    /// A transaction ended, and its `TxProfile` with it.
    pub const fn forget_limits(&mut self) {
        self.live_limit_a = None;
    }

    fn notice_limit(&mut self, frame: &Value) {
        let profile = &frame[3]["csChargingProfiles"];
        if frame[2] == "SetChargingProfile" && profile["chargingProfilePurpose"] == "TxProfile" {
            let period = &profile["chargingSchedule"]["chargingSchedulePeriod"][0];
            self.live_limit_a = period["limit"].as_f64();
        }
    }

    /// Whether the answer to request `id` has arrived.
    pub fn has_answer(&mut self, id: &str) -> bool {
        self.serve();
        self.inbox.iter().any(|frame| frame[1] == id && frame[0] != 2)
    }

    /// Waits until the other side closed.
    #[track_caller]
    pub fn wait_closed(&mut self) {
        until("the connection to close", || match self.socket.read() {
            Ok(Message::Close(_)) => Some(()),
            Ok(_) => None,
            Err(tungstenite::Error::Io(error)) if is_timeout(&error) => None,
            Err(_) => Some(()),
        });
    }

    fn look(&mut self) -> Option<Value> {
        match self.try_look() {
            Look::Frame(frame) => Some(frame),
            Look::Nothing => None,
            Look::Broken(why) => panic!("the connection of the charger broke: {why}"),
        }
    }

    fn try_look(&mut self) -> Look {
        let text = match self.socket.read() {
            Ok(Message::Text(text)) => text,
            Ok(Message::Close(frame)) => return Look::Broken(format!("closed: {frame:?}")),
            Ok(_) => return Look::Nothing,
            Err(tungstenite::Error::Io(error)) if is_timeout(&error) => return Look::Nothing,
            Err(error) => return Look::Broken(error.to_string()),
        };
        let frame: Value = serde_json::from_str(text.as_str()).expect("the service sends JSON");
        if frame[0] == 2 {
            self.notice_limit(&frame);
            let answer = json!([3, frame[1], answer_to(frame[2].as_str().unwrap_or_default())]);
            if let Err(error) = self.socket.send(Message::text(answer.to_string())) {
                return Look::Broken(error.to_string());
            }
        }
        Look::Frame(frame)
    }
}

/// What one look at the socket found.
enum Look {
    Frame(Value),
    Nothing,
    Broken(String),
}

fn answer_to(action: &str) -> Value {
    match action {
        "GetConfiguration" => json!({"configurationKey": [], "unknownKey": []}),
        "UnlockConnector" => json!({"status": "Unlocked"}),
        _ => json!({"status": "Accepted"}),
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}
