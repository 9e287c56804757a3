//! The membership machine: who belongs to the building, and what each was told last.
//!
//! A message passes three gates before it counts: it is read (code, shape, no negative load), it is on the topic it
//! belongs on, and it names the device the broker has proven. Whatever fails is refused in the published words.

mod charger;
mod device;
mod measure;
mod membership;
mod orders;

use self::device::{ChargerState, MeterState};
use crate::wire::{Code, DeviceBody, DeviceMessage, ManagerBody, ManagerMessage, Refusal, Refused, read_code_and_id};
use crate::{Gate, Input, MeshConfig, Output, Trust};
use domain::{ChargerId, DurationMs, MeterId, Now, ReplyKey};
use std::collections::BTreeMap;

/// All devices that speak the protocol.
#[derive(Clone, Debug)]
pub struct Mesh {
    meters: BTreeMap<MeterId, MeterState>,
    chargers: BTreeMap<ChargerId, ChargerState>,
    /// Open connections of proven clients, by name.
    links: BTreeMap<String, u32>,
    max_meters: u16,
    report_interval: DurationMs,
    /// Number of the last message sent.
    messages: u64,
    /// Number of the last question asked.
    replies: u64,
    out: Vec<Output>,
}

/// A message with what is known about it.
#[derive(Clone, Copy, Debug)]
struct Envelope<'a> {
    client: &'a str,
    trust: Trust,
    topic: &'a str,
    id: Option<u64>,
    re: Option<u64>,
}

impl Mesh {
    /// Starts with the devices of earlier runs; they are accepted at once when they come back.
    #[must_use]
    pub fn new(config: MeshConfig) -> Self {
        let meters = config.meters.into_iter().map(|meter| (meter.id, MeterState { approved: meter.approved }));
        let chargers = config.chargers.into_iter().map(|charger| {
            let mut state = ChargerState::new(charger.meter, charger.connectors);
            state.approved = charger.approved;
            state.fallback = charger.fallback;
            (charger.id, state)
        });
        Self {
            meters: meters.collect(),
            chargers: chargers.collect(),
            links: BTreeMap::new(),
            max_meters: config.max_meters,
            report_interval: config.report_interval,
            messages: 0,
            replies: 0,
            out: Vec::new(),
        }
    }

    /// Takes one input and says what follows from it, in order.
    pub fn handle(&mut self, now: Now, input: Input<'_>) -> Vec<Output> {
        match input {
            Input::Connected { client } => self.connected(now, client),
            Input::Disconnected { client } => self.disconnected(client),
            Input::Message { client, trust, topic, payload } => self.message(now, client, trust, topic, payload),
            Input::Tick => self.tick(now),
            Input::SetLimit { charger, connector, limit } => self.set_limit(now, &charger, connector, limit),
            Input::SetFallback { charger, limit } => self.set_fallback(now, &charger, limit),
            Input::SetApproved { charger, approved } => self.set_charger_approved(now, charger, approved),
            Input::MeterApproved { meter, approved } => self.set_meter_approved(now, meter, approved),
            Input::RemoveCharger(charger) => self.remove_charger(&charger),
            Input::RemoveMeter(meter) => self.remove_meter(&meter),
            Input::SetMaxMeters(max) => self.max_meters = max,
            Input::CardAnswer { charger, reply, verdict } => self.card_answer(&charger, reply, verdict),
            Input::StartAnswer { charger, reply, session, verdict } => {
                self.start_answer(&charger, reply, session, verdict);
            }
            Input::StopAnswer { charger, reply, verdict: _ } => self.stop_answer(&charger, reply),
            Input::EndSession { charger, connector, session } => self.end_session(now, &charger, connector, session),
            Input::KnownSessions { charger, sessions } => self.known_sessions(&charger, sessions),
            Input::Command { id, charger, command } => self.command(now, id, &charger, command),
        }
        std::mem::take(&mut self.out)
    }

    fn message(&mut self, now: Now, client: &str, trust: Trust, topic: &str, payload: &[u8]) {
        let mut envelope = Envelope { client, trust, topic, id: None, re: None };
        let admitted = DeviceMessage::decode(payload).and_then(|message| {
            (envelope.id, envelope.re) = (message.id, message.re);
            self.admit(now, envelope, message)
        });
        if let Err(refusal) = admitted {
            let (code, id) = read_code_and_id(payload);
            self.refuse(Envelope { id, ..envelope }, code, &refusal);
        }
    }

    /// Checks topic and sender, and hands the message to what it is about.
    fn admit(&mut self, now: Now, envelope: Envelope<'_>, message: DeviceMessage) -> Result<(), Refusal> {
        if message.from != envelope.client {
            return Err(Refusal::Identity { from: message.from, client: envelope.client.to_owned() });
        }
        match message.body {
            DeviceBody::NewCounter(_) => return self.new_counter(now, envelope),
            DeviceBody::NewCharger(body) => return self.new_charger(now, envelope, body),
            DeviceBody::DelCounter
            | DeviceBody::DelCharger
            | DeviceBody::CounterStatus(_)
            | DeviceBody::ChargerStatus(_)
            | DeviceBody::CounterLoad(_)
            | DeviceBody::ChargerLoad(_)
            | DeviceBody::LimitAck(_) => {}
        }
        if envelope.topic != envelope.client || envelope.trust == Trust::Quarantined {
            return Err(Refusal::Topic);
        }
        match message.body {
            DeviceBody::DelCounter => self.del_counter(self.known_meter(envelope.client)?),
            DeviceBody::CounterStatus(body) => {
                let meter = self.known_meter(envelope.client)?;
                if !body.error.is_empty() {
                    self.out.push(Output::Notice(format!("Counter fault: {meter}: {}", body.error)));
                }
            }
            DeviceBody::CounterLoad(body) => {
                let meter = self.known_meter(envelope.client)?;
                self.counter_load(now, meter, &body)?;
            }
            DeviceBody::DelCharger => self.del_charger(self.known_charger(envelope.client)?),
            DeviceBody::ChargerStatus(body) => {
                let charger = self.known_charger(envelope.client)?;
                self.charger_status(now, envelope, &charger, body)?;
            }
            DeviceBody::ChargerLoad(body) => {
                let charger = self.known_charger(envelope.client)?;
                self.charger_load(now, charger, body)?;
            }
            DeviceBody::LimitAck(body) => {
                let charger = self.known_charger(envelope.client)?;
                self.limit_answered(&charger, body);
            }
            // Handled above.
            DeviceBody::NewCounter(_) | DeviceBody::NewCharger(_) => {}
        }
        Ok(())
    }

    /// Tells the log, and the device when it has a topic to be told on.
    fn refuse(&mut self, envelope: Envelope<'_>, code: Option<Code>, refusal: &Refusal) {
        let text = refusal.to_string();
        let known = self.known_meter(envelope.client).is_ok() || self.known_charger(envelope.client).is_ok();
        if known && envelope.trust == Trust::Proven {
            let body = ManagerBody::Refused(code, Refused { error: text.clone() });
            self.publish(envelope.client, envelope.id, body, Gate::Now);
        }
        self.out.push(Output::Notice(text));
    }

    fn known_meter(&self, name: &str) -> Result<MeterId, Refusal> {
        // The same text, not only the same identity: an identity is trimmed, a proven name is not.
        MeterId::new(name).ok().filter(|id| id.as_str() == name && self.meters.contains_key(id)).ok_or(Refusal::Topic)
    }

    fn known_charger(&self, name: &str) -> Result<ChargerId, Refusal> {
        ChargerId::new(name)
            .ok()
            .filter(|id| id.as_str() == name && self.chargers.contains_key(id))
            .ok_or(Refusal::Topic)
    }

    fn is_linked(&self, name: &str) -> bool {
        self.links.contains_key(name)
    }

    /// Publishes on a device's topic; gives the number of the message.
    fn publish(&mut self, topic: &str, re: Option<u64>, body: ManagerBody, gate: Gate) -> u64 {
        self.messages += 1;
        let message = ManagerMessage { id: self.messages, re, body };
        self.out.push(Output::Publish { topic: topic.to_owned(), payload: message.encode(), gate });
        self.messages
    }

    const fn next_reply(&mut self) -> ReplyKey {
        self.replies += 1;
        ReplyKey(self.replies)
    }
}
