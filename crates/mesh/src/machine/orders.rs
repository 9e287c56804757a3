//! What the manager tells chargers: limits, ends of sessions, commands.

use super::Mesh;
use super::device::{Limit, Running, Waiting};
use crate::wire::{
    AvailableLoad, ChargerOrder, CommandName, DeviceCommand, EndOrder, LIMIT_VALID_S, LimitAck, ManagerBody,
};
use crate::{Command, Gate, Outcome, Output};
use domain::{ChargerEvent, ChargerId, ConnectorNumber, DurationMs, Instant, MilliAmps, Now, SessionId};

/// A limit is sent again this often, so that three messages may be lost before it expires.
const RENEW: DurationMs = DurationMs(LIMIT_VALID_S as u64 * 1000 / 4);

/// What the charger did not answer is sent again after this long.
const REPEAT: DurationMs = DurationMs::from_secs(5);

/// A limit without an answer for this long counts as refused.
const ANSWER_MAX: DurationMs = DurationMs::from_secs(30);

/// A command without an answer ends after this long.
const COMMAND_MAX: DurationMs = DurationMs::from_secs(30);

impl Mesh {
    pub(super) fn set_limit(&mut self, now: Now, id: &ChargerId, connector: ConnectorNumber, limit: MilliAmps) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        let same = state.limits.get(&connector).is_some_and(|known| {
            known.limit == limit && known.sent_at.is_some_and(|at| now.instant.since(at) < REPEAT)
        });
        if same {
            return;
        }
        // The same limit once more does not begin the wait for its answer again.
        let silent_since = match state.limits.get(&connector) {
            Some(known) if known.limit == limit && !known.answered => known.silent_since,
            Some(_) | None => Some(now.instant),
        };
        state.limits.insert(connector, Limit { limit, sent_at: None, answered: false, silent_since });
        if self.is_linked(id.as_str()) {
            self.send_limit(now, id, connector);
        }
    }

    pub(super) fn set_fallback(&mut self, now: Now, id: &ChargerId, limit: MilliAmps) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        if state.fallback == limit {
            return;
        }
        state.fallback = limit;
        if self.is_linked(id.as_str()) {
            self.tell_charger(now, id, None);
            self.send_limits(now, id);
        }
    }

    /// All limits go out at the next opportunity: the charger may have been restarted.
    pub(super) fn resend_limits(&mut self, now: Now, id: &ChargerId) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        for limit in state.limits.values_mut() {
            limit.sent_at = None;
            limit.answered = false;
            limit.silent_since = Some(now.instant);
        }
    }

    pub(super) fn send_limits(&mut self, now: Now, id: &ChargerId) {
        let connectors: Vec<ConnectorNumber> =
            self.chargers.get(id).map(|state| state.limits.keys().copied().collect()).unwrap_or_default();
        for connector in connectors {
            self.send_limit(now, id, connector);
        }
    }

    fn send_limit(&mut self, now: Now, id: &ChargerId, connector: ConnectorNumber) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        let fallback_ma = state.fallback.0;
        let Some(limit) = state.limits.get_mut(&connector) else { return };
        limit.sent_at = Some(now.instant);
        let (connector, limit_ma) = (connector.0, limit.limit.0);
        let body = AvailableLoad { connector, limit_ma, valid_s: LIMIT_VALID_S, fallback_ma };
        self.publish(id.as_str(), None, ManagerBody::AvailableLoad(body), Gate::Now);
    }

    /// An answer to an older limit says nothing about the newest one.
    pub(super) fn limit_answered(&mut self, id: &ChargerId, ack: LimitAck) {
        let connector = ConnectorNumber(ack.connector);
        let Some(state) = self.chargers.get_mut(id) else { return };
        let Some(limit) = state.limits.get_mut(&connector).filter(|limit| limit.limit.0 == ack.limit_ma) else {
            return;
        };
        limit.answered = true;
        let event = ChargerEvent::LimitAnswered { connector, limit: limit.limit, accepted: ack.accepted };
        self.out.push(Output::Charger { id: id.clone(), event });
    }

    pub(super) fn end_session(&mut self, now: Now, id: &ChargerId, connector: ConnectorNumber, session: SessionId) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        let running = state.running.entry(connector).or_insert(Running { session, tenant: None, end_sent: None });
        if running.session == session {
            running.end_sent = Some(now.instant);
        }
        if self.is_linked(id.as_str()) {
            self.send_end(id, connector, session);
        }
    }

    fn send_end(&mut self, id: &ChargerId, connector: ConnectorNumber, session: SessionId) {
        let end = Some(EndOrder { session: session.0 });
        let order = ChargerOrder { connector: Some(connector.0), end, ..ChargerOrder::default() };
        self.publish(id.as_str(), None, ManagerBody::Order(order), Gate::Now);
    }

    pub(super) fn command(&mut self, now: Now, id: u64, charger: &ChargerId, command: Command) {
        if !self.chargers.contains_key(charger) || !self.is_linked(charger.as_str()) {
            self.out.push(Output::CommandDone { id, outcome: Outcome::Disconnected, answer: String::new() });
            return;
        }
        let (connector, command) = wire_command(command);
        let order = ChargerOrder { connector, command: Some(command), ..ChargerOrder::default() };
        let message = self.publish(charger.as_str(), None, ManagerBody::Order(order), Gate::Now);
        if let Some(state) = self.chargers.get_mut(charger) {
            state.commands.insert(message, Waiting { id, until: now.instant + COMMAND_MAX });
        }
    }

    pub(super) fn end_commands(&mut self, id: &ChargerId, outcome: Outcome) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        let ended = std::mem::take(&mut state.commands);
        let done =
            ended.into_values().map(|waiting| Output::CommandDone { id: waiting.id, outcome, answer: String::new() });
        self.out.extend(done);
    }

    pub(super) fn tick(&mut self, now: Now) {
        let linked: Vec<ChargerId> = self.chargers.keys().filter(|id| self.is_linked(id.as_str())).cloned().collect();
        for id in linked {
            self.time_out_commands(now, &id);
            self.report_silence(now, &id);
            for connector in self.due_limits(now, &id) {
                self.send_limit(now, &id, connector);
            }
            for (connector, session) in self.due_ends(now, &id) {
                self.send_end(&id, connector, session);
            }
        }
    }

    fn time_out_commands(&mut self, now: Now, id: &ChargerId) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        let late: Vec<u64> =
            state.commands.iter().filter(|(_, waiting)| now.instant >= waiting.until).map(|(key, _)| *key).collect();
        for key in late {
            if let Some(waiting) = state.commands.remove(&key) {
                let (id, outcome, answer) = (waiting.id, Outcome::TimedOut, String::new());
                self.out.push(Output::CommandDone { id, outcome, answer });
            }
        }
    }

    /// A limit nobody answers may not have arrived; who decides must know, once.
    fn report_silence(&mut self, now: Now, id: &ChargerId) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        for (connector, limit) in &mut state.limits {
            let is_silent = |since: &mut Instant| is_over(now.instant, *since, ANSWER_MAX);
            if !limit.answered && limit.silent_since.take_if(is_silent).is_some() {
                let event = ChargerEvent::LimitAnswered { connector: *connector, limit: limit.limit, accepted: false };
                self.out.push(Output::Charger { id: id.clone(), event });
            }
        }
    }

    fn due_limits(&self, now: Now, id: &ChargerId) -> Vec<ConnectorNumber> {
        let Some(state) = self.chargers.get(id) else { return Vec::new() };
        let due = |limit: &Limit| {
            let wait = if limit.answered { RENEW } else { REPEAT };
            limit.sent_at.is_none_or(|at| is_over(now.instant, at, wait))
        };
        state.limits.iter().filter(|(_, limit)| due(limit)).map(|(connector, _)| *connector).collect()
    }

    /// Sessions that were to end and have not, with their order marked as sent.
    fn due_ends(&mut self, now: Now, id: &ChargerId) -> Vec<(ConnectorNumber, SessionId)> {
        let Some(state) = self.chargers.get_mut(id) else { return Vec::new() };
        let mut due = Vec::new();
        for (connector, running) in &mut state.running {
            if running.end_sent.is_some_and(|at| is_over(now.instant, at, REPEAT)) {
                running.end_sent = Some(now.instant);
                due.push((*connector, running.session));
            }
        }
        due
    }
}

fn is_over(now: Instant, since: Instant, wait: DurationMs) -> bool {
    now.since(since) >= wait
}

fn wire_command(command: Command) -> (Option<u16>, DeviceCommand) {
    let plain = |name| DeviceCommand { name, card: None, session: None };
    match command {
        Command::Start { connector, card } => {
            (Some(connector.0), DeviceCommand { card: Some(card.to_string()), ..plain(CommandName::Start) })
        }
        Command::Stop { session } => (None, DeviceCommand { session: Some(session.0), ..plain(CommandName::Stop) }),
        Command::SoftReset => (None, plain(CommandName::SoftReset)),
        Command::HardReset => (None, plain(CommandName::HardReset)),
        Command::Unlock { connector } => (Some(connector.0), plain(CommandName::Unlock)),
        Command::Report => (None, plain(CommandName::Report)),
    }
}
