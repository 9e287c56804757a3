//! A charger that speaks OCPP 1.6J, as a machine without IO.
//!
//! It is written from the standard with plain JSON and shares no type with the central system, so that
//! a mistake in one is not repeated in the other.

mod commands;
mod keys;
mod list;
mod queue;
#[cfg(test)]
mod tests;

use self::keys::Keys;
use self::list::LocalList;
use self::queue::{OnlyBoot, Purpose, Queue};
use crate::car::VirtualCar;
use crate::outlet::{Outlet, OutletBuild, Resumed};
use crate::profile::ProfileStack;
use domain::{CardUid, ChargerId, DurationMs, HardwareInfo, Instant, MilliAmps, Now, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Something that happens to the charger.
#[derive(Clone, Debug, PartialEq)]
pub enum OcppInput<'a> {
    /// Its WebSocket is open.
    LinkUp,
    /// Its WebSocket is gone.
    LinkDown,
    /// A text frame arrived.
    Text(&'a str),
    /// Time passed; several times a second.
    Tick,
    /// Someone plugs a car in.
    Plug(VirtualCar),
    /// Someone pulls the cable.
    Unplug,
    /// Someone holds a card to the reader.
    Tap(CardUid),
}

/// What the charger does in return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcppOutput {
    /// Send a text frame.
    Send(String),
    /// Close the WebSocket; it restarts and connects again.
    Close,
}

/// What an OCPP charger is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcppBuild {
    /// Identity in the address.
    pub id: ChargerId,
    /// What it says about itself.
    pub hardware: HardwareInfo,
    /// Its electrical part.
    pub outlet: OutletBuild,
    /// What it offers a transaction before anyone installed a profile.
    pub without_profile: MilliAmps,
}

/// Where the charger stands with its central system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boot {
    /// No link, or restarting until then.
    Off(Instant),
    /// `BootNotification` is on its way.
    Asked,
    /// To be asked again then.
    Pending(Instant),
    /// Let in.
    Accepted,
}

/// A card that may start a transaction when a cable is in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Permit {
    card: String,
    until: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Transaction {
    number: u64,
    card: String,
    /// What its card's parent is; a transaction keeps it when the cache is cleared.
    parent: Option<String>,
    started: Timestamp,
    next_sample: Instant,
}

/// A charger with one connector.
#[derive(Clone, Debug, PartialEq)]
pub struct OcppCharger {
    build: OcppBuild,
    outlet: Outlet,
    profiles: ProfileStack,
    keys: Keys,
    queue: Queue,
    boot: Boot,
    linked: bool,
    next_heartbeat: Instant,
    operative: bool,
    going_inoperative: bool,
    permit: Option<Permit>,
    /// Cards the central system accepted, with their parent.
    cache: BTreeMap<String, Option<String>>,
    /// Cards that charge while nobody answers; kept over restarts.
    list: LocalList,
    transaction: Option<Transaction>,
    transactions: u64,
    /// Identities of transactions by local number, as far as they are needed.
    identities: BTreeMap<u64, i64>,
    told: BTreeMap<u16, &'static str>,
    out: Vec<OcppOutput>,
}

/// How long a restart takes.
const RESTART_MS: u64 = 4_000;
/// Time between two attempts to boot when the central system names none.
const BOOT_RETRY_S: u64 = 30;

impl OcppCharger {
    /// A charger without a link.
    #[must_use]
    pub fn new(build: OcppBuild) -> Self {
        Self {
            outlet: Outlet::new(build.outlet.clone()),
            build,
            profiles: ProfileStack::default(),
            keys: Keys::new(),
            queue: Queue::default(),
            boot: Boot::Off(Instant::default()),
            linked: false,
            next_heartbeat: Instant::default(),
            operative: true,
            going_inoperative: false,
            permit: None,
            cache: BTreeMap::new(),
            list: LocalList::default(),
            transaction: None,
            transactions: 0,
            identities: BTreeMap::new(),
            told: BTreeMap::new(),
            out: Vec::new(),
        }
    }

    /// A car stands here and its transaction goes on, as in a charger that keeps both over a loss of power.
    pub fn resume(&mut self, now: Now, running: Resumed) {
        self.transactions += 1;
        self.identities.insert(self.transactions, i64::from(running.session.0));
        self.transaction = Some(Transaction {
            number: self.transactions,
            card: running.card,
            parent: running.parent,
            started: running.started,
            next_sample: now.instant,
        });
        self.outlet.plug(running.car);
    }

    /// Takes one input; returns what to do on the wire.
    pub fn handle(&mut self, now: Now, input: OcppInput<'_>) -> Vec<OcppOutput> {
        match input {
            OcppInput::LinkUp => self.link_up(now),
            OcppInput::LinkDown => self.link_down(),
            OcppInput::Text(text) => self.receive(now, text),
            OcppInput::Tick => {}
            OcppInput::Plug(car) => self.outlet.plug(car),
            OcppInput::Unplug => self.unplug(now),
            OcppInput::Tap(card) => self.tap(now, card.as_str()),
        }
        self.progress(now);
        std::mem::take(&mut self.out)
    }

    fn link_up(&mut self, now: Now) {
        self.linked = true;
        self.queue.link_changed();
        self.told.clear();
        match self.boot {
            Boot::Asked | Boot::Pending(_) => self.ask_to_boot(),
            // One that restarts asks when it is done.
            Boot::Off(_) | Boot::Accepted => {}
        }
        self.next_heartbeat = now.instant + self.keys.seconds("HeartbeatInterval");
    }

    fn link_down(&mut self) {
        self.linked = false;
        self.queue.link_changed();
        match self.boot {
            Boot::Asked | Boot::Pending(_) => self.boot = Boot::Off(Instant::default()),
            Boot::Off(_) | Boot::Accepted => {}
        }
    }

    fn ask_to_boot(&mut self) {
        self.boot = Boot::Asked;
        let hardware = &self.build.hardware;
        let payload = json!({
            "chargePointVendor": hardware.vendor,
            "chargePointModel": hardware.model,
            "firmwareVersion": hardware.firmware,
            "chargePointSerialNumber": hardware.serial,
        });
        self.queue.push(Purpose::Boot, payload);
    }

    fn unplug(&mut self, now: Now) {
        let _car = self.outlet.unplug();
        self.stop(now, None, "EVDisconnected");
        self.permit = None;
        self.queue.forget_cards();
    }

    /// A card starts or ends a transaction; a card of the same parent ends it too. Held to the reader again
    /// before its answer came, a card does nothing more.
    fn tap(&mut self, now: Now, card: &str) {
        if self.queue.asks_for(card) {
            return;
        }
        let running = self.transaction.as_ref().map(|transaction| transaction.card.clone());
        if running.as_deref() == Some(card) {
            self.stop(now, Some(card), "Local");
        } else if self.is_ready() {
            self.queue.push(Purpose::Authorize(card.to_owned()), json!({ "idTag": card }));
        } else if self.keys.is_on("LocalAuthorizeOffline") && self.accepts_alone(card) {
            self.accepted(now, card);
        }
    }

    /// Whether a card charges while nobody answers: the list decides, then what was accepted before.
    fn accepts_alone(&self, card: &str) -> bool {
        let listed = self.list.accepts(card).filter(|_| self.keys.is_on("LocalAuthListEnabled"));
        listed.unwrap_or_else(|| self.cache.contains_key(card))
    }

    /// The central system, or the charger alone while there is none, accepts a card.
    fn accepted(&mut self, now: Now, card: &str) {
        let Some(running) = &self.transaction else {
            let until = now.instant + self.keys.seconds("ConnectionTimeOut");
            self.permit = Some(Permit { card: card.to_owned(), until });
            return;
        };
        let parent = |card: &str| self.cache.get(card).and_then(Option::as_ref).or_else(|| self.list.parent(card));
        let of_running = running.parent.as_ref().or_else(|| parent(&running.card));
        let is_same = of_running.is_some() && parent(card) == of_running;
        if is_same {
            self.stop(now, Some(card), "Local");
        }
    }

    fn start(&mut self, now: Now, card: String) {
        self.transactions += 1;
        let number = self.transactions;
        let payload = json!({
            "connectorId": 1,
            "idTag": card,
            "meterStart": self.outlet.register().0,
            "timestamp": rfc3339(now.wall),
        });
        self.queue.push(Purpose::Start(number), payload);
        let next_sample = now.instant + self.keys.seconds("MeterValueSampleInterval");
        let parent = self.cache.get(&card).cloned().flatten().or_else(|| self.list.parent(&card).cloned());
        self.transaction = Some(Transaction { number, card, parent, started: now.wall, next_sample });
    }

    fn stop(&mut self, now: Now, card: Option<&str>, reason: &str) {
        let Some(transaction) = self.transaction.take() else { return };
        let mut payload = json!({
            "transactionId": -1,
            "meterStop": self.outlet.register().0,
            "timestamp": rfc3339(now.wall),
            "reason": reason,
        });
        if let (Some(card), Some(fields)) = (card, payload.as_object_mut()) {
            fields.insert("idTag".to_owned(), json!(card));
        }
        self.queue.push(Purpose::Stop(transaction.number), payload);
        self.profiles.end_transaction();
        self.permit = None;
    }

    /// Everything that follows from the present state and time.
    fn progress(&mut self, now: Now) {
        self.boot_again(now);
        self.use_permit(now);
        let limit = self.profiles.limit(now.wall, self.transaction.as_ref().map(|running| running.started));
        self.outlet.allow(limit.unwrap_or(self.build.without_profile));
        self.outlet.set_closed(self.transaction.is_some());
        if self.going_inoperative && self.transaction.is_none() {
            (self.operative, self.going_inoperative) = (false, false);
        }
        self.sample(now);
        if self.boot == Boot::Accepted && self.linked {
            self.tell_status(now);
            self.beat(now);
        }
        let pause = self.keys.seconds("TransactionMessageRetryInterval");
        if let Some(Purpose::Boot) = self.queue.expire(now, pause) {
            self.boot = Boot::Pending(now.instant);
        }
        self.send(now);
    }

    fn boot_again(&mut self, now: Now) {
        match self.boot {
            Boot::Pending(at) if self.linked && now.instant >= at => self.ask_to_boot(),
            Boot::Off(at) if self.linked && now.instant >= at => self.ask_to_boot(),
            Boot::Off(_) | Boot::Pending(_) | Boot::Asked | Boot::Accepted => {}
        }
    }

    fn use_permit(&mut self, now: Now) {
        if self.permit.as_ref().is_some_and(|permit| now.instant >= permit.until) {
            self.permit = None;
        }
        if self.operative
            && self.transaction.is_none()
            && self.outlet.car().is_some()
            && let Some(permit) = self.permit.take()
        {
            self.start(now, permit.card);
        }
    }

    fn sample(&mut self, now: Now) {
        let interval = self.keys.seconds("MeterValueSampleInterval");
        let Some(transaction) = &mut self.transaction else { return };
        if interval.0 == 0 || now.instant < transaction.next_sample {
            return;
        }
        transaction.next_sample = now.instant + interval;
        let number = transaction.number;
        let payload = self.meter_values(now, "Sample.Periodic");
        self.queue.push(Purpose::Meter(number), payload);
    }

    fn beat(&mut self, now: Now) {
        let interval = self.keys.seconds("HeartbeatInterval");
        if interval.0 > 0 && now.instant >= self.next_heartbeat {
            self.next_heartbeat = now.instant + interval;
            self.queue.push(Purpose::Heartbeat, json!({}));
        }
    }

    fn tell_status(&mut self, now: Now) {
        let charger = if self.operative { "Available" } else { "Unavailable" };
        for (connector, status) in [(0, charger), (1, self.status())] {
            if self.told.insert(connector, status) != Some(status) {
                self.queue.push(Purpose::Status, status_payload(now, connector, status));
            }
        }
    }

    /// State of the connector in the words of the standard.
    #[must_use]
    pub fn status(&self) -> &'static str {
        let Some(car) = self.outlet.car() else {
            return if self.operative { "Available" } else { "Unavailable" };
        };
        match &self.transaction {
            None if !self.operative => "Unavailable",
            None if car.received() > crate::Energy::ZERO => "Finishing",
            None => "Preparing",
            Some(_) if self.outlet.offer().is_zero() => "SuspendedEVSE",
            Some(_) if car.draws().is_zero() => "SuspendedEV",
            Some(_) => "Charging",
        }
    }

    fn meter_values(&self, now: Now, context: &str) -> Value {
        let decimal = |thousandths: u32| format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        let value = |value: String, measurand: &str, unit: &str| json!({ "value": value, "context": context, "measurand": measurand, "unit": unit });
        let mut sampled = Vec::new();
        for (wire, (current, voltage)) in self.outlet.currents().iter().zip(self.outlet.voltages()).enumerate() {
            let mut amps = value(decimal(current.0), "Current.Import", "A");
            amps["phase"] = json!(format!("L{}", wire + 1));
            let mut volts = value(decimal(voltage.0), "Voltage", "V");
            volts["phase"] = json!(format!("L{}-N", wire + 1));
            sampled.extend([amps, volts]);
        }
        sampled.push(value(decimal(self.outlet.offer().0), "Current.Offered", "A"));
        sampled.push(value(self.outlet.power_w().to_string(), "Power.Active.Import", "W"));
        sampled.push(value(self.outlet.register().0.to_string(), "Energy.Active.Import.Register", "Wh"));
        json!({ "connectorId": 1, "meterValue": [{ "timestamp": rfc3339(now.wall), "sampledValue": sampled }] })
    }

    fn send(&mut self, now: Now) {
        if !self.linked {
            return;
        }
        let only_boot = if self.boot == Boot::Accepted { OnlyBoot::No } else { OnlyBoot::Yes };
        let identities = &self.identities;
        let fill = |purpose: &Purpose, payload: &mut Value| {
            let (Purpose::Meter(number) | Purpose::Stop(number)) = purpose else { return };
            if let (Some(id), Some(fields)) = (identities.get(number), payload.as_object_mut()) {
                fields.insert("transactionId".to_owned(), json!(id));
            }
        };
        if let Some(text) = self.queue.next(now, self.build.id.as_str(), only_boot, fill) {
            self.out.push(OcppOutput::Send(text));
        }
    }

    /// Whether the central system has let it in and its link is up: the green light on its front.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.linked && self.boot == Boot::Accepted
    }

    /// When it asked what has not been answered yet, while its link is up.
    #[must_use]
    pub fn asked_at(&self) -> Option<Instant> {
        self.queue.sent_at().filter(|_| self.linked)
    }

    /// Whether a transaction runs.
    #[must_use]
    pub const fn is_in_session(&self) -> bool {
        self.transaction.is_some()
    }

    /// The electrical part.
    #[must_use]
    pub const fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// The electrical part, to let time pass or to break it.
    pub const fn outlet_mut(&mut self) -> &mut Outlet {
        &mut self.outlet
    }

    /// What it is.
    #[must_use]
    pub const fn build(&self) -> &OcppBuild {
        &self.build
    }

    /// Profiles installed in it.
    #[must_use]
    pub const fn profiles(&self) -> &ProfileStack {
        &self.profiles
    }

    /// Transaction messages the central system has not confirmed yet.
    #[must_use]
    pub fn unconfirmed(&self) -> usize {
        self.queue.unconfirmed()
    }
}

fn status_payload(now: Now, connector: u16, status: &str) -> Value {
    json!({ "connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": rfc3339(now.wall) })
}

fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

/// Answers that concern the charger's own requests.
impl OcppCharger {
    fn answered(&mut self, now: Now, purpose: Purpose, payload: &Value) {
        match purpose {
            Purpose::Boot => self.booted(now, payload),
            Purpose::Authorize(card) => {
                if self.remember(&card, payload) {
                    self.accepted(now, &card);
                }
            }
            Purpose::Start(number) => self.started(now, number, payload),
            Purpose::Stop(number) => {
                self.identities.remove(&number);
            }
            Purpose::Heartbeat | Purpose::Status | Purpose::Meter(_) | Purpose::Other => {}
        }
    }

    fn booted(&mut self, now: Now, payload: &Value) {
        let interval = payload.get("interval").and_then(Value::as_u64).filter(|seconds| *seconds > 0);
        if payload.get("status").and_then(Value::as_str) == Some("Accepted") {
            self.boot = Boot::Accepted;
            if let Some(seconds) = interval {
                self.keys.force("HeartbeatInterval", seconds.to_string());
            }
            self.next_heartbeat = now.instant + self.keys.seconds("HeartbeatInterval");
        } else {
            let pause = DurationMs::from_secs(interval.unwrap_or(BOOT_RETRY_S));
            self.boot = Boot::Pending(now.instant + pause);
        }
    }

    /// Keeps what the central system says about a card; returns whether it accepts it.
    fn remember(&mut self, card: &str, payload: &Value) -> bool {
        let info = payload.get("idTagInfo");
        let accepted = info.and_then(|info| info.get("status")).and_then(Value::as_str) == Some("Accepted");
        if accepted {
            let parent = info.and_then(|info| info.get("parentIdTag")).and_then(Value::as_str).map(str::to_owned);
            self.cache.insert(card.to_owned(), parent);
        } else {
            self.cache.remove(card);
        }
        accepted
    }

    fn started(&mut self, now: Now, number: u64, payload: &Value) {
        if let Some(id) = payload.get("transactionId").and_then(Value::as_i64) {
            self.identities.insert(number, id);
        }
        let Some(card) = self.transaction.as_ref().filter(|t| t.number == number).map(|t| t.card.clone()) else {
            return;
        };
        if !self.remember(&card, payload) && self.keys.is_on("StopTransactionOnInvalidId") {
            self.stop(now, None, "DeAuthorized");
        } else if let (Some(transaction), Some(parent)) = (&mut self.transaction, self.cache.get(&card)) {
            transaction.parent.clone_from(parent);
        }
    }

    /// Ends what runs and starts again, as after `Reset` or a power cut.
    fn restart(&mut self, now: Now, reason: &str) {
        self.stop(now, None, reason);
        self.boot = Boot::Off(now.instant + DurationMs(RESTART_MS));
        self.out.push(OcppOutput::Close);
    }
}
