//! A building with cars that do as they are told, on real sockets: OCPP chargers and a meter of mosquitto's.

use crate::{Meshwatt, MqttDevice, RawCharger, Subscription, approve_charger, approve_meter, enrol, published_site};
use serde_json::json;
use std::time::{Duration, Instant};

/// The contract of the published building: 6.9 kVA at 230 V.
const LIMIT_A: f64 = 30.0;

/// Least a car charges with.
const MIN_A: f64 = 6.0;

/// A car at a charger: draws exactly what the newest limit allows, and nothing below the minimum.
struct Bay {
    charger: RawCharger,
    card: String,
    transaction: Option<i64>,
    drawn_a: f64,
}

impl Bay {
    fn follow(&mut self) {
        self.charger.serve();
        let limit = self.charger.live_limit_a().unwrap_or(0.0);
        self.drawn_a = if self.transaction.is_some() && limit >= MIN_A { limit } else { 0.0 };
        if let Some(transaction) = self.transaction {
            let body = self.charger.values(transaction, self.drawn_a, 1_000);
            let _id = self.charger.send("MeterValues", body);
        }
    }
}

/// The published building: a house meter and chargers `CP1`, `CP2`, ... with a tenant each.
pub struct Building {
    bays: Vec<Bay>,
    meter: MqttDevice,
    _topic: Subscription,
    house_a: f64,
    exceeded_since: Option<Instant>,
    longest_excess: Duration,
}

impl Building {
    /// Sets the published building up, lets everything in, and boots the chargers.
    #[must_use]
    pub fn join(program: &Meshwatt, chargers: usize) -> Self {
        let api = program.api();
        published_site(api, 1.0);
        let meter = MqttDevice::new(program.port("mqtt"), "Counter-1", "secret", "311");
        assert!(meter.say("hello/new", "0x001", json!({})).is_some(), "hello/new is open to all");
        approve_meter(api, "Counter-1");
        let topic = meter.listen();
        assert!(meter.say("hello/new", "0x001", json!({})).is_some(), "a known meter announces itself");
        let mut bays = Vec::new();
        for number in 1..=chargers {
            let (name, card) = (format!("CP{number}"), format!("04A1B2C{number}"));
            enrol(api, &format!("Tenant {number}"), &card);
            let mut charger = RawCharger::connect(&program.charger_url(&name));
            charger.call("BootNotification", json!({"chargePointVendor": "Raw", "chargePointModel": "Test"}));
            approve_charger(api, &name);
            charger.boot();
            bays.push(Bay { charger, card, transaction: None, drawn_a: 0.0 });
        }
        let longest_excess = Duration::ZERO;
        Self { bays, meter, _topic: topic, house_a: 0.0, exceeded_since: None, longest_excess }
    }

    /// Changes what the house draws.
    pub const fn set_house(&mut self, amps: f64) {
        self.house_a = amps;
    }

    /// A car begins to charge at a charger, counted from 0.
    pub fn start(&mut self, bay: usize) {
        let bay = &mut self.bays[bay];
        bay.transaction = Some(bay.charger.start(&bay.card, 1_000));
    }

    /// Its card ends the session there.
    pub fn stop(&mut self, bay: usize) {
        let bay = &mut self.bays[bay];
        let transaction = bay.transaction.take().expect("a car is there");
        let at = bay.charger.time();
        let body = json!({"transactionId": transaction, "meterStop": 1_100, "timestamp": at, "idTag": bay.card});
        bay.charger.call("StopTransaction", body);
        bay.charger.status("Available");
        bay.charger.forget_limits();
        bay.drawn_a = 0.0;
    }

    /// One round: cars follow their limits, the meter reports the house, as in the published set-up.
    pub fn go_on(&mut self) {
        self.bays.iter_mut().for_each(Bay::follow);
        let milli_amps = format!("{:.0}", self.house_a * 1000.0).parse::<u32>().expect("a current is a number");
        let body = json!({"current_ma": [milli_amps], "voltage_mv": [230_000]});
        assert!(self.meter.say("Counter-1", "0x031", body).is_some(), "the meter reports");
        let total = self.house_a + self.drawn().iter().sum::<f64>();
        if total > LIMIT_A {
            let since = *self.exceeded_since.get_or_insert_with(Instant::now);
            self.longest_excess = self.longest_excess.max(since.elapsed());
        } else {
            self.exceeded_since = None;
        }
    }

    /// What each car draws.
    #[must_use]
    pub fn drawn(&self) -> Vec<f64> {
        self.bays.iter().map(|bay| bay.drawn_a).collect()
    }

    /// The longest time the contract was exceeded without a break.
    #[must_use]
    pub const fn longest_excess(&self) -> Duration {
        self.longest_excess
    }
}
