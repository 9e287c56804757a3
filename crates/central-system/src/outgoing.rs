//! What we ask of the charger: one request at a time, the most urgent first.
//!
//! Order: cuts; the fallback; what people ordered; raises and renewals; what the charger did not send by
//! itself; set-up; the list of cards; values of a silent session. Cards that may no longer charge leave the list
//! before all but cuts. A request that is not answered in time is given up, never fatal.

use crate::command::{Command, ListUpdate, Trigger};
use crate::commands::{self, Written};
use crate::connector::Urgency;
use crate::memory::Learned;
use crate::port::{Gate, Outcome, Output};
use crate::profile::{self, Electric, Ladder};
use crate::setup::{Setup, Step};
use crate::station::Station;
use domain::{ConnectorNumber, DurationMs, Instant, MilliAmps, Now, SessionId};
use ocpp::frame::{Call, MessageId};
use ocpp::v16::{Action, ChangeConfigurationRequest, GetConfigurationRequest};
use std::collections::VecDeque;

/// More orders than people give; beyond, the charger does not answer and the order is refused.
const COMMANDS_MAX: usize = 32;
/// A charger that reconnected without `BootNotification` gets this long to follow our request for one.
pub(crate) const BOOT_GRACE: DurationMs = DurationMs::from_secs(30);
/// Unanswered or refused `TriggerMessage`s after which no more are sent by ourselves.
pub(crate) const TRIGGER_PATIENCE: u8 = 2;
/// A running session is never asked for values more often than this.
const POLL_PAUSE_MIN: DurationMs = DurationMs::from_secs(60);

/// What a request of ours is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Command(u64),
    Fallback(MilliAmps),
    Live {
        connector: ConnectorNumber,
        session: SessionId,
        limit: MilliAmps,
    },
    Step(Step),
    /// The version of the list of cards.
    ListVersion,
    /// A part of the list of cards.
    List {
        version: i32,
        update: ListUpdate,
        changes: crate::cards::Changes,
    },
    Trigger,
}

#[derive(Clone, Debug)]
pub(crate) struct Outstanding {
    pub(crate) id: MessageId,
    pub(crate) action: Action,
    pub(crate) purpose: Purpose,
    pub(crate) sent_at: Instant,
    pub(crate) deadline: Instant,
}

/// Requests of ours: the one that waits, and what comes after it.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) outstanding: Option<Outstanding>,
    commands: VecDeque<(u64, Command)>,
    sent: u64,
    /// Numbers the wishes for limits.
    pub(crate) wishes: u64,
    pub(crate) live: Ladder,
    pub(crate) fallback: Ladder,
    /// The fallback it took on this connection.
    pub(crate) fallback_held: Option<MilliAmps>,
    /// The fallback it took last, on any connection: it keeps it when the link is gone.
    pub(crate) fallback_confirmed: Option<MilliAmps>,
    pub(crate) setup: Setup,
    pub(crate) trigger_failures: u8,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self {
            outstanding: None,
            commands: VecDeque::new(),
            sent: 0,
            wishes: 0,
            live: Ladder::live(),
            fallback: Ladder::fallback(),
            fallback_held: None,
            fallback_confirmed: None,
            setup: Setup::default(),
            trigger_failures: 0,
        }
    }
}

impl Outgoing {
    /// Begins with what worked before.
    pub(crate) fn recall(&mut self, learned: &Learned) {
        self.live.recall(learned.live_way);
        self.fallback.recall(learned.fallback_way);
    }

    /// How limits are written, in words.
    pub(crate) fn way_in_words(&self) -> String {
        self.live.rung().words()
    }

    /// A new socket: limits are sent again.
    pub(crate) fn reconnected(&mut self) {
        self.fallback_held = None;
        self.live.reopen();
        self.fallback.reopen();
    }

    /// The socket is gone: nothing we asked will be answered.
    pub(crate) fn disconnected(&mut self, out: &mut Vec<Output>) {
        let waiting = self.outstanding.take().and_then(|outstanding| match outstanding.purpose {
            Purpose::Command(id) => Some(id),
            Purpose::Fallback(_)
            | Purpose::Live { .. }
            | Purpose::Step(_)
            | Purpose::ListVersion
            | Purpose::List { .. }
            | Purpose::Trigger => None,
        });
        for id in waiting.into_iter().chain(self.commands.drain(..).map(|(id, _)| id)) {
            out.push(done(id, Outcome::Disconnected, "{}"));
        }
        self.setup.cancel();
    }

    /// The charger restarted: what it held is uncertain, what it refused may work now.
    pub(crate) fn restarted(&mut self, is_other_firmware: bool) {
        self.fallback_held = None;
        self.trigger_failures = 0;
        if is_other_firmware {
            (self.live, self.fallback) = (Ladder::live(), Ladder::fallback());
        }
        self.live.reopen();
        self.fallback.reopen();
    }
}

pub(crate) fn done(id: u64, outcome: Outcome, answer: &str) -> Output {
    Output::CommandDone { id, outcome, answer: answer.to_owned() }
}

impl Station {
    pub(crate) fn set_limit(&mut self, connector: ConnectorNumber, limit: MilliAmps) {
        self.outgoing.wishes += 1;
        let order = self.outgoing.wishes;
        if let Some(connector) = self.connector(connector) {
            connector.wish(limit, order);
        }
    }

    pub(crate) fn command(&mut self, id: u64, command: Command, out: &mut Vec<Output>) {
        if self.link.is_none() {
            out.push(done(id, Outcome::Disconnected, "{}"));
        } else if self.outgoing.commands.len() >= COMMANDS_MAX {
            let answer = r#"{"error":"The charger has not answered earlier commands; wait or reset it"}"#;
            out.push(done(id, Outcome::Rejected, answer));
        } else if command == Command::PushCards {
            self.cards.push(id);
        } else {
            self.outgoing.commands.push_back((id, command));
        }
    }

    /// Whether the charger has still to hear or to answer a cut or an order.
    #[must_use]
    pub fn has_urgent_requests(&self, now: Now) -> bool {
        let has_cut = || self.live_request(now, |urgency| urgency == Urgency::Cut).is_some();
        self.link.is_some() && (self.outgoing.outstanding.is_some() || !self.outgoing.commands.is_empty() || has_cut())
    }

    /// Sends the most urgent request, if none waits for its answer.
    pub(crate) fn pump(&mut self, now: Now, out: &mut Vec<Output>) {
        while self.outgoing.outstanding.is_none() {
            let Some(link) = self.link.as_ref().filter(|link| now.instant >= link.ready_at) else { return };
            let generation = link.generation;
            let Some((purpose, written)) = self.next_request(now) else { return };
            let written = match written {
                Ok(written) => written,
                Err(error) => {
                    self.unwritable(now, &purpose, &error, out);
                    continue;
                }
            };
            self.outgoing.sent += 1;
            let id = MessageId::new(format!("{generation}-{}", self.outgoing.sent));
            let call = Call { id: id.clone(), action: written.action.name().to_owned(), payload: written.payload };
            out.push(Output::Send { text: call.to_string(), gate: Gate::Now });
            let deadline = now.instant + self.config.call_timeout;
            let (action, sent_at) = (written.action, now.instant);
            self.outgoing.outstanding = Some(Outstanding { id, action, purpose, sent_at, deadline });
        }
    }

    fn next_request(&mut self, now: Now) -> Option<(Purpose, Result<Written, ocpp::WriteError>)> {
        if let Some(cut) = self.live_request(now, |urgency| urgency == Urgency::Cut) {
            return Some(cut);
        }
        // A charger that waits for approval takes nothing before it hears of it.
        if self.link.as_ref().is_some_and(|link| link.left_pending)
            && let Some(trigger) = self.trigger_request()
        {
            return Some(trigger);
        }
        if self.config.approved
            && self.cards.is_urgent()
            && let Some(list) = self.list_request(now)
        {
            return Some(list);
        }
        if let Some(fallback) = self.fallback_request(now) {
            return Some(fallback);
        }
        if let Some((id, command)) = self.outgoing.commands.pop_front() {
            return Some((Purpose::Command(id), commands::request(&command)));
        }
        if let Some(raise) = self.live_request(now, |_any| true) {
            return Some(raise);
        }
        if let Some(trigger) = self.trigger_request() {
            return Some(trigger);
        }
        if let Some(step) = self.outgoing.setup.next(now.instant) {
            let written = match &step {
                Step::Configure { key, value } => {
                    commands::written(&ChangeConfigurationRequest { key: key.clone(), value: value.clone() })
                }
                Step::Read { .. } => commands::written(&GetConfigurationRequest { key: Some(step.keys()) }),
            };
            return Some((Purpose::Step(step), written));
        }
        if self.config.approved
            && self.outgoing.setup.is_over()
            && let Some(list) = self.list_request(now)
        {
            return Some(list);
        }
        self.poll_request(now)
    }

    fn list_request(&mut self, now: Now) -> Option<(Purpose, Result<Written, ocpp::WriteError>)> {
        let (command, changes) = self.cards.next(now.instant, &self.memory.spelling)?;
        let purpose = match &command {
            Command::SendLocalList { version, update, .. } => {
                Purpose::List { version: *version, update: *update, changes }
            }
            _ => Purpose::ListVersion,
        };
        Some((purpose, commands::request(&command)))
    }

    fn live_request(
        &self,
        now: Now,
        wanted: impl Fn(Urgency) -> bool,
    ) -> Option<(Purpose, Result<Written, ocpp::WriteError>)> {
        let ladder = &self.outgoing.live;
        if !ladder.is_open(now.instant) {
            return None;
        }
        let due = |connector: &crate::connector::Connector| connector.due(now.instant, self.outgoing.fallback_held);
        let mut all = self.connectors.iter().filter_map(|(number, connector)| Some((*number, due(connector)?)));
        let (connector, (session, limit, _urgency)) = all.find(|(_, (_, _, urgency))| wanted(*urgency))?;
        let request = profile::live(ladder.rung(), connector.0, session, limit, self.electric(now));
        Some((Purpose::Live { connector, session, limit }, commands::written(&request)))
    }

    fn fallback_request(&self, now: Now) -> Option<(Purpose, Result<Written, ocpp::WriteError>)> {
        let (limit, ladder) = (self.config.fallback, &self.outgoing.fallback);
        let is_due = self.config.approved && self.outgoing.fallback_held != Some(limit) && ladder.is_open(now.instant);
        if !is_due {
            return None;
        }
        let request =
            profile::fallback(ladder.rung(), self.only_connector().map(|number| number.0), limit, self.electric(now));
        Some((Purpose::Fallback(limit), commands::written(&request)))
    }

    fn trigger_request(&mut self) -> Option<(Purpose, Result<Written, ocpp::WriteError>)> {
        let message = self.link.as_mut()?.ask.take()?;
        self.trigger(message, None)
    }

    fn trigger(
        &self,
        message: Trigger,
        connector: Option<ConnectorNumber>,
    ) -> Option<(Purpose, Result<Written, ocpp::WriteError>)> {
        if self.outgoing.trigger_failures >= TRIGGER_PATIENCE {
            return None;
        }
        Some((Purpose::Trigger, commands::request(&Command::TriggerMessage { message, connector })))
    }

    fn poll_request(&mut self, now: Now) -> Option<(Purpose, Result<Written, ocpp::WriteError>)> {
        let silence = DurationMs::from_secs(u64::from(self.sample_interval_s()).saturating_mul(3)).max(POLL_PAUSE_MIN);
        let (number, connector) =
            self.connectors.iter_mut().find(|(_, connector)| connector.wants_poll(now.instant, silence))?;
        connector.polled_at = now.instant;
        let number = *number;
        self.trigger(Trigger::MeterValues, Some(number))
    }

    fn electric(&self, now: Now) -> Electric {
        let charger_now_ms = self.clock.charger_now(now);
        Electric { phases: self.config.phases, voltage_v: self.config.voltage_v, charger_now_ms }
    }

    /// A request that breaks a rule of the standard is never sent.
    fn unwritable(&mut self, now: Now, purpose: &Purpose, error: &ocpp::WriteError, out: &mut Vec<Output>) {
        match purpose {
            Purpose::Command(id) => {
                out.push(done(*id, Outcome::Rejected, &serde_json::json!({ "error": error.to_string() }).to_string()));
            }
            Purpose::Live { .. } | Purpose::Fallback(_) => {
                self.notice(now, format!("A limit could not be written: {error}"), out);
                self.outgoing.live.unanswered(now.instant);
                self.outgoing.fallback.unanswered(now.instant);
            }
            Purpose::ListVersion | Purpose::List { .. } => {
                let news = self.cards.failed(now.instant);
                self.list_news(now, news, out);
            }
            Purpose::Step(_) | Purpose::Trigger => {}
        }
    }
}
