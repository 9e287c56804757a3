//! A charger that only reports, and notes how long each answer takes.

use simulator::{DeviceInput, DeviceOutput, OcppClient, OcppClientConfig, Port};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One reporting charger.
pub(super) struct Reporter {
    client: OcppClient,
    port: Arc<Stopwatch>,
    sent: u64,
}

/// When each message left and how long its answer took.
#[derive(Default)]
struct Stopwatch(Mutex<Times>);

#[derive(Default)]
struct Times {
    linked: bool,
    waiting: BTreeMap<String, Instant>,
    answered: Vec<Duration>,
}

impl Stopwatch {
    fn lock(&self) -> std::sync::MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const BOOT: &str = r#"[2,"boot","BootNotification",{"chargePointVendor":"Bench","chargePointModel":"Reporter"}]"#;

impl Port for Stopwatch {
    fn handle(&self, input: DeviceInput<'_>) -> Vec<DeviceOutput> {
        match input {
            DeviceInput::LinkUp => {
                self.lock().linked = true;
                vec![DeviceOutput::Text(BOOT.to_owned())]
            }
            DeviceInput::LinkDown => {
                self.lock().linked = false;
                Vec::new()
            }
            DeviceInput::Received(bytes) => self.received(bytes),
            DeviceInput::Tick | DeviceInput::Plug(_) | DeviceInput::Unplug | DeviceInput::Tap(_) => Vec::new(),
        }
    }
}

impl Stopwatch {
    /// Notes answers, and agrees to every request so that nothing is repeated.
    fn received(&self, bytes: &[u8]) -> Vec<DeviceOutput> {
        let Ok(serde_json::Value::Array(frame)) = serde_json::from_slice(bytes) else { return Vec::new() };
        let id = frame.get(1).and_then(serde_json::Value::as_str).unwrap_or_default();
        if frame.first().and_then(serde_json::Value::as_u64) == Some(2) {
            return vec![DeviceOutput::Text(serde_json::json!([3, id, { "status": "Accepted" }]).to_string())];
        }
        let mut times = self.lock();
        if let Some(sent) = times.waiting.remove(id) {
            times.answered.push(sent.elapsed());
        }
        Vec::new()
    }
}

impl Reporter {
    /// Connects.
    pub(super) fn start(number: usize, ocpp: SocketAddr) -> Self {
        let port = Arc::new(Stopwatch::default());
        let config = OcppClientConfig { url: format!("ws://{ocpp}/ocpp"), id: format!("B{number}") };
        Self { client: OcppClient::start(config, Arc::clone(&port) as Arc<dyn Port>), port, sent: 0 }
    }

    /// Whether it is connected.
    pub(super) fn is_linked(&self) -> bool {
        self.port.lock().linked
    }

    /// Reports meter values as in the middle of a day.
    pub(super) fn report(&mut self) {
        self.sent += 1;
        let id = self.sent.to_string();
        let sampled = |measurand: &str, phase: Option<&str>, unit: &str, value: String| serde_json::json!({ "measurand": measurand, "phase": phase, "unit": unit, "value": value });
        let mut values = vec![
            sampled("Energy.Active.Import.Register", None, "Wh", (100_000 + self.sent).to_string()),
            sampled("Power.Active.Import", None, "W", "0".to_owned()),
        ];
        values.extend(["L1", "L2", "L3"].map(|phase| sampled("Current.Import", Some(phase), "A", "0.0".to_owned())));
        for value in &mut values {
            if let Some(object) = value.as_object_mut() {
                object.retain(|_, field| !field.is_null());
            }
        }
        let at = jiff::Timestamp::now().to_string();
        let body = serde_json::json!({ "connectorId": 1, "meterValue": [{ "timestamp": at, "sampledValue": values }] });
        self.port.lock().waiting.insert(id.clone(), Instant::now());
        self.client.push(DeviceOutput::Text(serde_json::json!([2, id, "MeterValues", body]).to_string()));
    }

    /// Times of the answers so far, and how many messages still wait.
    pub(super) fn take(&self) -> (Vec<Duration>, usize) {
        let mut times = self.port.lock();
        (std::mem::take(&mut times.answered), times.waiting.len())
    }
}

/// Connects this many and waits until all are.
pub(super) async fn connect(count: usize, ocpp: SocketAddr) -> Result<Vec<Reporter>, crate::Failure> {
    let reporters: Vec<Reporter> = (1..=count).map(|number| Reporter::start(number, ocpp)).collect();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !reporters.iter().all(Reporter::is_linked) {
        if Instant::now() > deadline {
            return Err(crate::Failure::NotMet("not every charger could connect within 30 s".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(reporters)
}
