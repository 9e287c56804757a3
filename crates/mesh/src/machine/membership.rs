//! Registration, approval and removal.

use super::device::{ChargerState, MeterState};
use super::{Envelope, Mesh};
use crate::wire::{HELLO_TOPIC, MANAGER, ManagerBody, NewCharger, Refusal, Registered};
use crate::{Gate, Outcome, Output, Trust};
use domain::{ChargerEvent, ChargerId, HardwareInfo, MeterEvent, MeterId, MilliAmps, Now};

/// Most chargers that may wait for approval: strangers can announce any number of names.
const WAITING_CHARGERS_MAX: usize = 64;

/// Most connectors a charger can have; the largest sold have four.
const CONNECTORS_MAX: u16 = 16;

/// Longest vendor or model text kept.
const TEXT_CHARS_MAX: usize = 64;

impl Mesh {
    pub(super) fn connected(&mut self, now: Now, client: &str) {
        let links = self.links.entry(client.to_owned()).or_insert(0);
        *links += 1;
        if *links > 1 {
            return;
        }
        if let Ok(id) = self.known_meter(client) {
            self.out.push(Output::Meter { id, event: MeterEvent::Connected });
        } else if let Ok(id) = self.known_charger(client) {
            self.resend_limits(now, &id);
            self.out.push(Output::Charger { id, event: ChargerEvent::Connected });
        }
    }

    pub(super) fn disconnected(&mut self, client: &str) {
        let Some(links) = self.links.get_mut(client) else { return };
        *links -= 1;
        if *links > 0 {
            return;
        }
        self.links.remove(client);
        if let Ok(id) = self.known_meter(client) {
            self.out.push(Output::Meter { id, event: MeterEvent::Disconnected });
        } else if let Ok(id) = self.known_charger(client) {
            self.end_commands(&id, Outcome::Disconnected);
            self.out.push(Output::Charger { id, event: ChargerEvent::Disconnected });
        }
    }

    /// Published: on `hello/new` only, and not beyond the configured number.
    pub(super) fn new_counter(&mut self, now: Now, envelope: Envelope<'_>) -> Result<(), Refusal> {
        if envelope.topic != HELLO_TOPIC {
            return Err(Refusal::Topic);
        }
        check_name(envelope.client)?;
        let id = MeterId::new(envelope.client).map_err(|error| Refusal::Name(error.to_string()))?;
        if self.known_charger(envelope.client).is_ok() {
            return Err(Refusal::Taken(envelope.client.to_owned()));
        }
        match self.meters.get(&id) {
            Some(meter) => {
                if may_rest(envelope, meter.approved)? {
                    return Ok(());
                }
            }
            None if self.meters.len() >= usize::from(self.max_meters) => return Err(Refusal::MaxCounters),
            None => {
                self.meters.insert(id.clone(), MeterState { approved: false });
                // The one who decides registers it, unapproved, by its first event.
                self.out.push(Output::Meter { id: id.clone(), event: MeterEvent::Connected });
                if !self.is_linked(envelope.client) {
                    self.out.push(Output::Meter { id: id.clone(), event: MeterEvent::Disconnected });
                }
            }
        }
        self.out.push(Output::Notice(counter_registered(&id)));
        if envelope.trust == Trust::Proven {
            self.tell_meter(now, &id, envelope.id);
        }
        Ok(())
    }

    /// Published: on the topic of a registered meter. Strangers may use `hello/new`, where all of them speak.
    pub(super) fn new_charger(&mut self, now: Now, envelope: Envelope<'_>, body: NewCharger) -> Result<(), Refusal> {
        let meter = self.meter_of(envelope, &body)?;
        check_name(envelope.client)?;
        let id = ChargerId::new(envelope.client).map_err(|error| Refusal::Name(error.to_string()))?;
        if self.known_meter(envelope.client).is_ok() {
            return Err(Refusal::Taken(envelope.client.to_owned()));
        }
        let waiting = self.chargers.values().filter(|charger| !charger.approved).count();
        let is_new = match self.chargers.get(&id) {
            Some(charger) => {
                if may_rest(envelope, charger.approved)? {
                    return Ok(());
                }
                false
            }
            None if waiting >= WAITING_CHARGERS_MAX => return Err(Refusal::TooManyWait),
            None => true,
        };
        let connectors = body.connectors.unwrap_or(1).clamp(1, CONNECTORS_MAX);
        let state = self.chargers.entry(id.clone()).or_insert_with(|| ChargerState::new(None, connectors));
        state.connectors = connectors;
        state.meter = meter.or_else(|| state.meter.take());
        let meter = state.meter.clone();
        if is_new && self.is_linked(envelope.client) {
            self.out.push(Output::Charger { id: id.clone(), event: ChargerEvent::Connected });
        }
        let booted = ChargerEvent::Booted(hardware(&body));
        self.out.push(Output::Charger { id: id.clone(), event: booted });
        if is_new && !self.is_linked(envelope.client) {
            // A stranger cannot be reached before it comes back with its rights.
            self.out.push(Output::Charger { id: id.clone(), event: ChargerEvent::Disconnected });
        }
        let max = body.max_ma.map(MilliAmps);
        self.out.push(Output::ChargerDescribed { id: id.clone(), meter, connectors, max });
        self.out.push(Output::Notice(charger_registered(&id)));
        if envelope.trust == Trust::Proven {
            self.tell_charger(now, &id, envelope.id);
            self.send_limits(now, &id);
        }
        Ok(())
    }

    /// The meter an announcing charger belongs to: the topic says it, or on `hello/new` the message.
    fn meter_of(&self, envelope: Envelope<'_>, body: &NewCharger) -> Result<Option<MeterId>, Refusal> {
        if envelope.topic == HELLO_TOPIC {
            body.counter.as_deref().map(|name| self.known_meter(name)).transpose()
        } else if envelope.trust == Trust::Proven {
            self.known_meter(envelope.topic).map(Some)
        } else {
            Err(Refusal::Topic)
        }
    }

    pub(super) fn set_charger_approved(&mut self, now: Now, id: ChargerId, approved: bool) {
        let state = self.chargers.entry(id.clone()).or_insert_with(|| ChargerState::new(None, 1));
        let changed = std::mem::replace(&mut state.approved, approved) != approved;
        if changed && self.is_linked(id.as_str()) {
            self.tell_charger(now, &id, None);
            self.send_limits(now, &id);
        }
    }

    pub(super) fn set_meter_approved(&mut self, now: Now, id: MeterId, approved: bool) {
        let changed = self.meters.insert(id.clone(), MeterState { approved }) != Some(MeterState { approved });
        if changed && self.is_linked(id.as_str()) {
            self.tell_meter(now, &id, None);
        }
    }

    pub(super) fn del_counter(&mut self, id: MeterId) {
        self.remove_meter(&id);
        self.out.push(Output::Notice(format!("Counter removed: {id}")));
        self.out.push(Output::MeterLeft(id));
    }

    pub(super) fn del_charger(&mut self, id: ChargerId) {
        self.remove_charger(&id);
        self.out.push(Output::Notice(format!("Charger removed: {id}")));
        self.out.push(Output::ChargerLeft(id));
    }

    pub(super) fn remove_meter(&mut self, id: &MeterId) {
        if self.meters.remove(id).is_none() {
            return;
        }
        for charger in self.chargers.values_mut() {
            if charger.meter.as_ref() == Some(id) {
                charger.meter = None;
            }
        }
        self.publish(id.as_str(), None, ManagerBody::CounterRemoved, Gate::Now);
    }

    pub(super) fn remove_charger(&mut self, id: &ChargerId) {
        self.end_commands(id, Outcome::Disconnected);
        if self.chargers.remove(id).is_some() {
            self.publish(id.as_str(), None, ManagerBody::ChargerRemoved, Gate::Now);
        }
    }

    fn tell_meter(&mut self, now: Now, id: &MeterId, re: Option<u64>) {
        let Some(state) = self.meters.get(id) else { return };
        let body = self.registered(now, counter_registered(id), state.approved, None);
        self.publish(id.as_str(), re, ManagerBody::CounterRegistered(body), Gate::Now);
    }

    pub(super) fn tell_charger(&mut self, now: Now, id: &ChargerId, re: Option<u64>) {
        let Some(state) = self.chargers.get(id) else { return };
        let body = self.registered(now, charger_registered(id), state.approved, Some(state.fallback));
        self.publish(id.as_str(), re, ManagerBody::ChargerRegistered(body), Gate::Now);
    }

    fn registered(&self, now: Now, text: String, approved: bool, fallback: Option<MilliAmps>) -> Registered {
        Registered {
            text,
            approved,
            report_s: u32::try_from(self.report_interval.0.div_ceil(1000)).unwrap_or(u32::MAX),
            time_ms: now.wall.0,
            fallback_ma: fallback.map(|limit| limit.0),
        }
    }
}

/// A device must not pass for the manager.
fn check_name(name: &str) -> Result<(), Refusal> {
    if name != name.trim() {
        return Err(Refusal::Name("it begins or ends with a space".to_owned()));
    }
    if name.eq_ignore_ascii_case(MANAGER) { Err(Refusal::Taken(name.to_owned())) } else { Ok(()) }
}

/// Whether nothing is to be done for a device that is known: a stranger that waits repeats its announcement, which
/// changes nothing, and one under the name of a device that was let in is refused.
fn may_rest(envelope: Envelope<'_>, approved: bool) -> Result<bool, Refusal> {
    match (envelope.trust, approved) {
        (Trust::Quarantined, true) => Err(Refusal::Taken(envelope.client.to_owned())),
        (Trust::Quarantined, false) => Ok(true),
        (Trust::Proven, _) => Ok(false),
    }
}

fn counter_registered(id: &MeterId) -> String {
    format!("Counter registered: {id}")
}

fn charger_registered(id: &ChargerId) -> String {
    format!("Charger registered: {id}")
}

fn hardware(body: &NewCharger) -> HardwareInfo {
    let text = |text: &str| text.trim().chars().take(TEXT_CHARS_MAX).collect();
    HardwareInfo {
        vendor: text(&body.vendor),
        model: text(&body.model),
        firmware: text(&body.firmware),
        serial: text(&body.serial),
    }
}
