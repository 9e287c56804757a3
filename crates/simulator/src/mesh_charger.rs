//! A charger that speaks IEVCC over MQTT, as a machine without IO.

use crate::mesh_meter::{ANNOUNCE_MS, Membership, MeshInput, MeshOutput};
use crate::outlet::{Outlet, OutletBuild, Resumed};
use domain::{ChargerId, ConnectorStatus, DurationMs, HardwareInfo, Instant, MeterId, MilliAmps, Now};
use mesh::wire::{
    AvailableLoad, CardAction, ChargerLoad, ChargerOrder, ChargerStatus, CommandName, CommandResult, DeviceBody,
    DeviceCommand, DeviceMessage, HELLO_TOPIC, LimitAck, ManagerBody, ManagerMessage, NewCharger, RunningReport,
    StartAnswer, StartReport, StopReport, StopWord, TapAnswer, TapReport, VerdictWord,
};
use std::collections::{BTreeMap, BTreeSet};

/// What an IEVCC charger is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeshChargerBuild {
    /// Identity, user name and topic.
    pub id: ChargerId,
    /// The meter it belongs to.
    pub meter: MeterId,
    /// What it says about itself.
    pub hardware: HardwareInfo,
    /// Its electrical part.
    pub outlet: OutletBuild,
    /// What it offers while nobody has ever spoken to it.
    pub fallback: MilliAmps,
}

/// The limit in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    limit: MilliAmps,
    until: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Session {
    local: u64,
    card: String,
    known_as: Option<i32>,
}

/// A report that is repeated until the manager answers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pending {
    status: ChargerStatus,
    sent: Option<Instant>,
}

/// Order of pending reports: starts before stops of the same session.
type PendingKey = (u64, u8);
const START: u8 = 0;
const STOP: u8 = 1;

/// A charger with one connector.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshCharger {
    build: MeshChargerBuild,
    outlet: Outlet,
    linked: bool,
    membership: Membership,
    /// Announce on the meter's topic, or on `hello/new` after the former brought nothing.
    on_hello: bool,
    fallback: MilliAmps,
    limit: Option<Limit>,
    permit: Option<(String, Instant)>,
    tapped: Option<(u64, String)>,
    accepted_cards: BTreeSet<String>,
    session: Option<Session>,
    sessions: u64,
    pending: BTreeMap<PendingKey, Pending>,
    told: Option<ConnectorStatus>,
    next_report: Instant,
    messages: u64,
    out: Vec<MeshOutput>,
}

/// How long a card waits for a cable.
const PERMIT_MS: u64 = 60_000;
/// Time between two reports of a start or stop the manager has not answered.
const REPEAT_MS: u64 = 5_000;

impl MeshCharger {
    /// A charger without a link.
    #[must_use]
    pub fn new(build: MeshChargerBuild) -> Self {
        Self {
            outlet: Outlet::new(build.outlet.clone()),
            fallback: build.fallback,
            build,
            linked: false,
            membership: Membership::Stranger(Instant::default()),
            on_hello: false,
            limit: None,
            permit: None,
            tapped: None,
            accepted_cards: BTreeSet::new(),
            session: None,
            sessions: 0,
            pending: BTreeMap::new(),
            told: None,
            next_report: Instant::default(),
            messages: 0,
            out: Vec::new(),
        }
    }

    /// A car stands here and its session goes on, as in a charger that keeps both over a loss of power.
    pub fn resume(&mut self, now: Now, running: Resumed) {
        let local = self.next_session(now);
        self.session = Some(Session { local, card: running.card, known_as: Some(running.session.0) });
        self.outlet.plug(running.car);
    }

    /// Numbers go on from the clock, so that none is used twice when the charger starts from nothing.
    fn next_session(&mut self, now: Now) -> u64 {
        self.sessions = (self.sessions + 1).max(u64::try_from(now.wall.0 / 1000).unwrap_or(0));
        self.sessions
    }

    /// A charger nobody has let in yet: it announces itself on `hello/new` first.
    #[must_use]
    pub const fn stranger(mut self) -> Self {
        self.on_hello = true;
        self
    }

    /// Takes one input; returns what to do on the wire.
    pub fn handle(&mut self, now: Now, input: MeshInput<'_>) -> Vec<MeshOutput> {
        match input {
            MeshInput::LinkUp => self.link_up(now),
            MeshInput::LinkDown => self.link_down(),
            MeshInput::Message(payload) => self.receive(now, payload),
            MeshInput::Tick => {}
            MeshInput::Plug(car) => self.outlet.plug(car),
            MeshInput::Unplug => {
                let _car = self.outlet.unplug();
                self.stop(now, None, StopWord::Unplugged);
                (self.permit, self.tapped) = (None, None);
            }
            MeshInput::Tap(card) => self.tap(now, card.as_str()),
        }
        self.progress(now);
        std::mem::take(&mut self.out)
    }

    fn link_up(&mut self, now: Now) {
        self.linked = true;
        self.told = None;
        self.membership = Membership::Stranger(now.instant);
        for pending in self.pending.values_mut() {
            pending.sent = None;
        }
    }

    fn link_down(&mut self) {
        self.linked = false;
        if matches!(self.membership, Membership::Stranger(_)) {
            // A stranger that speaks on a meter's topic is thrown out; next time it says hello first.
            self.on_hello = !self.on_hello;
        }
    }

    fn tap(&mut self, now: Now, card: &str) {
        if self.is_ready() {
            let tap = ChargerStatus {
                connector: Some(1),
                at_ms: Some(now.wall.0),
                tap: Some(TapReport { card: card.to_owned() }),
                ..ChargerStatus::default()
            };
            self.publish(None, DeviceBody::ChargerStatus(tap));
            self.tapped = Some((self.messages, card.to_owned()));
        } else if self.session.as_ref().is_some_and(|session| session.card == card) {
            self.stop(now, Some(card), StopWord::Card);
        } else if self.session.is_none() && self.accepted_cards.contains(card) {
            self.permit = Some((card.to_owned(), now.instant + DurationMs(PERMIT_MS)));
        }
    }

    fn start(&mut self, now: Now, card: String) {
        let local = self.next_session(now);
        let report = StartReport {
            local,
            card: Some(card.clone()),
            meter_wh: self.outlet.register().0,
            at_ms: Some(now.wall.0),
        };
        let status = ChargerStatus { connector: Some(1), start: Some(report), ..ChargerStatus::default() };
        self.pending.insert((local, START), Pending { status, sent: None });
        self.session = Some(Session { local, card, known_as: None });
    }

    fn stop(&mut self, now: Now, card: Option<&str>, reason: StopWord) {
        let Some(session) = self.session.take() else { return };
        let report = StopReport {
            local: session.local,
            session: session.known_as,
            card: card.map(str::to_owned),
            meter_wh: self.outlet.register().0,
            at_ms: Some(now.wall.0),
            reason,
        };
        let status = ChargerStatus { connector: Some(1), stop: Some(report), ..ChargerStatus::default() };
        self.pending.insert((session.local, STOP), Pending { status, sent: None });
        self.permit = None;
    }

    /// Everything that follows from the present state and time.
    fn progress(&mut self, now: Now) {
        self.use_permit(now);
        let limit = self.limit.filter(|limit| now.instant < limit.until).map_or(self.fallback, |limit| limit.limit);
        self.outlet.allow(limit);
        self.outlet.set_closed(self.session.is_some());
        if !self.linked {
            return;
        }
        match self.membership {
            Membership::Stranger(at) if now.instant >= at => self.announce(now),
            Membership::Member { approved: true, report } => {
                self.repeat_pending(now);
                self.tell_status(now);
                if now.instant >= self.next_report {
                    self.next_report = now.instant + report;
                    self.report(now);
                }
            }
            Membership::Stranger(_) | Membership::Member { .. } => {}
        }
    }

    fn use_permit(&mut self, now: Now) {
        if self.permit.as_ref().is_some_and(|(_, until)| now.instant >= *until) {
            self.permit = None;
        }
        if self.session.is_none()
            && self.outlet.car().is_some()
            && let Some((card, _)) = self.permit.take()
        {
            self.start(now, card);
        }
    }

    fn announce(&mut self, now: Now) {
        self.membership = Membership::Stranger(now.instant + DurationMs(ANNOUNCE_MS));
        let hardware = &self.build.hardware;
        let body = NewCharger {
            counter: Some(self.build.meter.to_string()),
            vendor: hardware.vendor.clone(),
            model: hardware.model.clone(),
            firmware: hardware.firmware.clone(),
            serial: hardware.serial.clone(),
            connectors: Some(1),
            max_ma: Some(self.build.outlet.max.0),
        };
        let topic = if self.on_hello { HELLO_TOPIC.to_owned() } else { self.build.meter.to_string() };
        self.publish_on(topic, None, DeviceBody::NewCharger(body));
    }

    fn repeat_pending(&mut self, now: Now) {
        let due = |pending: &Pending| pending.sent.is_none_or(|sent| now.instant.since(sent).0 >= REPEAT_MS);
        // One at a time and in order, so that the manager reads a session's story as it happened.
        let Some((key, pending)) = self.pending.first_key_value().filter(|(_, pending)| due(pending)) else { return };
        let (key, mut status) = (*key, pending.status.clone());
        if let (Some(stop), Some(session)) = (&mut status.stop, self.known_as(key.0)) {
            stop.session = Some(session);
        }
        self.publish(None, DeviceBody::ChargerStatus(status));
        if let Some(pending) = self.pending.get_mut(&key) {
            pending.sent = Some(now.instant);
        }
    }

    fn known_as(&self, local: u64) -> Option<i32> {
        self.session.as_ref().filter(|session| session.local == local).and_then(|session| session.known_as)
    }

    fn tell_status(&mut self, now: Now) {
        let status = self.status();
        if self.told.replace(status) != Some(status) {
            let at_ms = Some(now.wall.0);
            let body = ChargerStatus { connector: Some(1), status: Some(status), at_ms, ..ChargerStatus::default() };
            self.publish(None, DeviceBody::ChargerStatus(body));
        }
    }

    fn report(&mut self, now: Now) {
        let body = ChargerLoad {
            connector: 1,
            at_ms: Some(now.wall.0),
            session: self.session.as_ref().and_then(|session| session.known_as),
            current_ma: self.outlet.currents().iter().map(|current| current.0).collect(),
            voltage_mv: self.outlet.voltages().iter().map(|voltage| voltage.0).collect(),
            power_w: Some(self.outlet.power_w()),
            energy_wh: Some(self.outlet.register().0),
            offered_ma: Some(self.outlet.offer().0),
            soc_percent: None,
            temperature_dc: None,
        };
        self.publish(None, DeviceBody::ChargerLoad(body));
    }

    fn publish(&mut self, re: Option<u64>, body: DeviceBody) {
        self.publish_on(self.build.id.to_string(), re, body);
    }

    fn publish_on(&mut self, topic: String, re: Option<u64>, body: DeviceBody) {
        self.messages += 1;
        let message = DeviceMessage { from: self.build.id.to_string(), id: Some(self.messages), re, body };
        self.out.push(MeshOutput::Publish { topic, payload: message.encode() });
    }

    /// State of the connector.
    #[must_use]
    pub fn status(&self) -> ConnectorStatus {
        let Some(car) = self.outlet.car() else { return ConnectorStatus::Available };
        match &self.session {
            None if car.received() > crate::Energy::ZERO => ConnectorStatus::Finishing,
            None => ConnectorStatus::Preparing,
            Some(_) if self.outlet.offer().is_zero() => ConnectorStatus::SuspendedEvse,
            Some(_) if car.draws().is_zero() => ConnectorStatus::SuspendedEv,
            Some(_) => ConnectorStatus::Charging,
        }
    }

    /// Whether the manager let it in and its link is up: the green light on its front.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.linked && matches!(self.membership, Membership::Member { approved: true, .. })
    }

    /// When it reported what has not been answered yet, while its link is up.
    #[must_use]
    pub fn asked_at(&self) -> Option<Instant> {
        self.pending.values().filter_map(|pending| pending.sent).min().filter(|_| self.linked)
    }

    /// Whether a session runs.
    #[must_use]
    pub const fn is_in_session(&self) -> bool {
        self.session.is_some()
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
    pub const fn build(&self) -> &MeshChargerBuild {
        &self.build
    }

    /// Starts and stops the manager has not confirmed yet.
    #[must_use]
    pub fn unconfirmed(&self) -> usize {
        self.pending.len()
    }
}

/// What the manager says.
impl MeshCharger {
    fn receive(&mut self, now: Now, payload: &[u8]) {
        let Ok(Some(message)) = ManagerMessage::decode(payload) else { return };
        match message.body {
            ManagerBody::ChargerRegistered(registered) => {
                let was_member = matches!(self.membership, Membership::Member { approved: true, .. });
                let report = DurationMs::from_secs(u64::from(registered.report_s.max(1)));
                self.membership = Membership::Member { approved: registered.approved, report };
                self.fallback = registered.fallback_ma.map_or(self.fallback, MilliAmps);
                if registered.approved && !was_member {
                    self.tell_running();
                }
            }
            ManagerBody::ChargerRemoved => {
                self.membership = Membership::Stranger(now.instant + DurationMs(ANNOUNCE_MS));
                self.on_hello = true;
            }
            ManagerBody::AvailableLoad(load) => self.limited(now, message.id, load),
            ManagerBody::Order(order) => self.ordered(now, message.id, message.re, order),
            ManagerBody::Refused(..) if matches!(self.membership, Membership::Stranger(_)) => {
                self.on_hello = !self.on_hello;
            }
            ManagerBody::Refused(..) | ManagerBody::CounterRegistered(_) | ManagerBody::CounterRemoved => {}
        }
    }

    fn tell_running(&mut self) {
        let Some(session) = &self.session else { return };
        let running = RunningReport { local: session.local, session: session.known_as };
        let body = ChargerStatus { connector: Some(1), running: Some(running), ..ChargerStatus::default() };
        self.publish(None, DeviceBody::ChargerStatus(body));
    }

    fn limited(&mut self, now: Now, id: u64, load: AvailableLoad) {
        let accepted = load.connector == 1;
        if accepted {
            let until = now.instant + DurationMs::from_secs(u64::from(load.valid_s));
            self.limit = Some(Limit { limit: MilliAmps(load.limit_ma), until });
            self.fallback = MilliAmps(load.fallback_ma);
        }
        let ack = LimitAck { connector: load.connector, limit_ma: load.limit_ma, accepted };
        self.publish(Some(id), DeviceBody::LimitAck(ack));
    }

    fn ordered(&mut self, now: Now, id: u64, re: Option<u64>, order: ChargerOrder) {
        if let Some(answer) = order.tap {
            self.tap_answered(now, re, answer);
        }
        if let Some(answer) = order.start {
            self.start_answered(now, answer);
        }
        if let Some(answer) = order.stop {
            self.pending.remove(&(answer.local, STOP));
        }
        if let Some(end) = order.end
            && self.session.as_ref().is_some_and(|session| session.known_as == Some(end.session))
        {
            self.stop(now, None, StopWord::Manager);
        }
        if let Some(command) = order.command {
            self.commanded(now, id, command);
        }
    }

    fn tap_answered(&mut self, now: Now, re: Option<u64>, answer: TapAnswer) {
        let Some((_, card)) = self.tapped.take_if(|(id, _)| re.is_none_or(|re| re == *id)) else { return };
        if answer.verdict == VerdictWord::Accepted {
            self.accepted_cards.insert(card.clone());
        } else {
            self.accepted_cards.remove(&card);
        }
        match answer.action {
            CardAction::Start => self.permit = Some((card, now.instant + DurationMs(PERMIT_MS))),
            CardAction::Stop => self.stop(now, Some(&card), StopWord::Card),
            CardAction::Refuse => {}
        }
    }

    fn start_answered(&mut self, now: Now, answer: StartAnswer) {
        self.pending.remove(&(answer.local, START));
        if let Some(stop) = self.pending.get_mut(&(answer.local, STOP)).and_then(|p| p.status.stop.as_mut()) {
            stop.session = Some(answer.session);
        }
        let Some(session) = self.session.as_mut().filter(|session| session.local == answer.local) else { return };
        session.known_as = Some(answer.session);
        if answer.verdict != VerdictWord::Accepted {
            self.stop(now, None, StopWord::Other);
        }
    }

    fn commanded(&mut self, now: Now, id: u64, command: DeviceCommand) {
        let running = self.session.as_ref().map(|session| session.known_as);
        let (result, then) = match command.name {
            CommandName::Start => match command.card {
                Some(card) if running.is_none() => {
                    self.permit = Some((card, now.instant + DurationMs(PERMIT_MS)));
                    (CommandResult::Accepted, None)
                }
                Some(_) | None => (CommandResult::Rejected, None),
            },
            CommandName::Stop if running.is_some_and(|known| known.is_some() && known == command.session) => {
                (CommandResult::Accepted, Some(StopWord::Manager))
            }
            CommandName::Stop => (CommandResult::Rejected, None),
            CommandName::SoftReset | CommandName::HardReset => (CommandResult::Accepted, Some(StopWord::PowerLoss)),
            CommandName::Unlock => (CommandResult::Accepted, Some(StopWord::Other)),
            CommandName::Report => {
                self.told = None;
                self.report(now);
                (CommandResult::Accepted, None)
            }
        };
        let body = ChargerStatus { connector: Some(1), result: Some(result), ..ChargerStatus::default() };
        self.publish(Some(id), DeviceBody::ChargerStatus(body));
        if let Some(reason) = then {
            self.stop(now, None, reason);
        }
        if matches!(command.name, CommandName::SoftReset | CommandName::HardReset) {
            self.out.push(MeshOutput::Close);
        }
    }
}
