//! What we ask of the charger: one request at a time, the most urgent first.
//!
//! Order: cuts; the fallback; what people ordered; raises and renewals; what the charger did not send by
//! itself; set-up; values of a silent session. A request that is not answered in time is given up, never fatal.

use crate::commands::{self, Written};
use crate::connector::Urgency;
use crate::port::{Command, Gate, Outcome, Output, StationConfig, Trigger};
use crate::profile::{self, Electric, Ladder, Refusal};
use crate::setup::{self, Setup, Step, StepEnd};
use crate::station::Station;
use domain::{ChargerEvent, ConnectorNumber, DurationMs, Instant, MilliAmps, Now, SessionId};
use ocpp::frame::{Call, CallError, CallResult, MessageId, codes};
use ocpp::v16::{ChangeConfigurationRequest, GetConfigurationRequest, GetConfigurationResponse};
use std::collections::VecDeque;

/// More orders than people give; beyond, the charger does not answer and the order is refused.
const COMMANDS_MAX: usize = 32;
/// A charger that reconnected without `BootNotification` gets this long to follow our request for one.
const BOOT_GRACE: DurationMs = DurationMs::from_secs(30);
/// Unanswered or refused `TriggerMessage`s after which no more are sent by ourselves.
const TRIGGER_PATIENCE: u8 = 2;
/// A running session is never asked for values more often than this.
const POLL_PAUSE_MIN: DurationMs = DurationMs::from_secs(60);

/// What a request of ours is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    Command(u64),
    Fallback(MilliAmps),
    Live { connector: ConnectorNumber, session: SessionId, limit: MilliAmps },
    Step(Step),
    Trigger,
}

#[derive(Clone, Debug)]
struct Outstanding {
    id: MessageId,
    purpose: Purpose,
    sent_at: Instant,
    deadline: Instant,
}

/// Requests of ours: the one that waits, and what comes after it.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    outstanding: Option<Outstanding>,
    commands: VecDeque<(u64, Command)>,
    sent: u64,
    /// Numbers the wishes for limits.
    pub(crate) wishes: u64,
    live: Ladder,
    fallback: Ladder,
    fallback_held: Option<MilliAmps>,
    pub(crate) setup: Setup,
    trigger_failures: u8,
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
            setup: Setup::default(),
            trigger_failures: 0,
        }
    }
}

impl Outgoing {
    /// A new socket: limits are sent again; set-up follows only where it never ended, and after a restart.
    pub(crate) fn reconnected(&mut self, ready_at: Instant, config: &StationConfig) {
        self.fallback_held = None;
        self.live.reopen();
        self.fallback.reopen();
        if config.approved && !self.setup.done {
            self.setup.begin(ready_at + BOOT_GRACE, config.sample_interval_s);
        }
    }

    /// The socket is gone: nothing we asked will be answered.
    pub(crate) fn disconnected(&mut self, out: &mut Vec<Output>) {
        let waiting = self.outstanding.take().and_then(|outstanding| match outstanding.purpose {
            Purpose::Command(id) => Some(id),
            Purpose::Fallback(_) | Purpose::Live { .. } | Purpose::Step(_) | Purpose::Trigger => None,
        });
        for id in waiting.into_iter().chain(self.commands.drain(..).map(|(id, _)| id)) {
            out.push(done(id, Outcome::Disconnected, "{}"));
        }
        self.setup.cancel();
    }

    /// The charger restarted: what it held is uncertain, what it refused may work now.
    pub(crate) fn restarted(&mut self, now: Instant, is_other_firmware: bool, config: &StationConfig) {
        self.fallback_held = None;
        self.trigger_failures = 0;
        if is_other_firmware {
            (self.live, self.fallback) = (Ladder::live(), Ladder::fallback());
        }
        self.live.reopen();
        self.fallback.reopen();
        if config.approved {
            self.setup.begin(now, config.sample_interval_s);
        }
    }

    /// The manager let the charger in.
    pub(crate) fn approved(&mut self, now: Instant, config: &StationConfig) {
        self.setup.begin(now + BOOT_GRACE, config.sample_interval_s);
    }
}

fn done(id: u64, outcome: Outcome, answer: &str) -> Output {
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
            self.outgoing.outstanding = Some(Outstanding { id, purpose, sent_at: now.instant, deadline });
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
                    commands::written(&ChangeConfigurationRequest { key: (*key).to_owned(), value: value.clone() })
                }
                Step::Read => {
                    let keys = setup::KEYS_READ.iter().map(|key| (*key).to_owned()).collect();
                    commands::written(&GetConfigurationRequest { key: Some(keys) })
                }
            };
            return Some((Purpose::Step(step), written));
        }
        self.poll_request(now)
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
        let silence =
            DurationMs::from_secs(u64::from(self.config.sample_interval_s).saturating_mul(3)).max(POLL_PAUSE_MIN);
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
            Purpose::Step(_) | Purpose::Trigger => {}
        }
    }

    /// Gives up a request that waited too long.
    pub(crate) fn expire(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(late) = self.outgoing.outstanding.take_if(|waiting| now.instant >= waiting.deadline) else { return };
        match late.purpose {
            Purpose::Command(id) => out.push(done(id, Outcome::TimedOut, "{}")),
            Purpose::Fallback(_) => self.outgoing.fallback.unanswered(now.instant),
            Purpose::Live { connector, limit, .. } => {
                self.outgoing.live.unanswered(now.instant);
                out.push(Output::Event(ChargerEvent::LimitAnswered { connector, limit, accepted: false }));
            }
            Purpose::Step(step) => self.outgoing.setup.ended(&step, StepEnd::Unanswered),
            Purpose::Trigger => self.outgoing.trigger_failures = self.outgoing.trigger_failures.saturating_add(1),
        }
    }

    fn answered(&mut self, id: &MessageId) -> Option<Outstanding> {
        self.outgoing.outstanding.take_if(|waiting| waiting.id.as_str() == id.as_str())
    }

    pub(crate) fn result(&mut self, now: Now, result: &CallResult, out: &mut Vec<Output>) {
        let Some(Outstanding { purpose, sent_at, .. }) = self.answered(&result.id) else { return };
        let status = commands::status(&result.payload);
        let is_accepted = matches!(commands::outcome(&result.payload), Outcome::Accepted);
        match purpose {
            Purpose::Command(id) => {
                out.push(done(id, commands::outcome(&result.payload), &result.payload));
            }
            Purpose::Fallback(limit) if is_accepted => {
                self.outgoing.fallback.accepted();
                self.outgoing.fallback_held = Some(limit);
            }
            Purpose::Live { connector, session, limit } if is_accepted => {
                self.outgoing.live.accepted();
                let is_new = self.connector(connector).is_some_and(|slot| slot.installed(session, limit, sent_at));
                if is_new {
                    out.push(Output::Event(ChargerEvent::LimitAnswered { connector, limit, accepted: true }));
                }
            }
            Purpose::Fallback(_) | Purpose::Live { .. } => self.limit_refused(now, &purpose, &result.payload, out),
            Purpose::Step(step) => self.step_answered(now, &step, status.as_deref(), &result.payload, out),
            Purpose::Trigger if is_accepted => self.outgoing.trigger_failures = 0,
            Purpose::Trigger => self.outgoing.trigger_failures = self.outgoing.trigger_failures.saturating_add(1),
        }
    }

    pub(crate) fn error(&mut self, now: Now, error: &CallError, out: &mut Vec<Output>) {
        let Some(Outstanding { purpose, .. }) = self.answered(&error.id) else { return };
        let answer = serde_json::json!({ "error": error.code, "description": error.description }).to_string();
        match purpose {
            Purpose::Command(id) => out.push(done(id, Outcome::Rejected, &answer)),
            Purpose::Fallback(_) | Purpose::Live { .. } => {
                if matches!(error.code.as_str(), codes::NOT_IMPLEMENTED | codes::NOT_SUPPORTED) {
                    self.outgoing.live.unknown(now.instant);
                    self.outgoing.fallback.unknown(now.instant);
                }
                self.limit_refused(now, &purpose, &answer, out);
            }
            Purpose::Step(step) => self.outgoing.setup.ended(&step, StepEnd::Refused),
            Purpose::Trigger if error.code == codes::NOT_IMPLEMENTED => {
                self.outgoing.trigger_failures = TRIGGER_PATIENCE;
            }
            Purpose::Trigger => self.outgoing.trigger_failures = self.outgoing.trigger_failures.saturating_add(1),
        }
    }

    fn limit_refused(&mut self, now: Now, purpose: &Purpose, answer: &str, out: &mut Vec<Output>) {
        let is_live = matches!(purpose, Purpose::Live { .. });
        let ladder = if is_live { &mut self.outgoing.live } else { &mut self.outgoing.fallback };
        if ladder.is_open(now.instant) && ladder.refused(now.instant) == Refusal::TryNext {
            return;
        }
        let what = if is_live { "current limit" } else { "fallback current" };
        self.notice(
            now,
            format!(
                "The charger refuses its {what} ({}); check that load balancing is enabled in it",
                incoming_clip(answer)
            ),
            out,
        );
        if let Purpose::Live { connector, limit, .. } = *purpose {
            out.push(Output::Event(ChargerEvent::LimitAnswered { connector, limit, accepted: false }));
        }
    }

    fn step_answered(&mut self, now: Now, step: &Step, status: Option<&str>, payload: &str, out: &mut Vec<Output>) {
        let end = match (step, status) {
            (Step::Read, _) | (Step::Configure { .. }, Some("accepted" | "rebootrequired")) => StepEnd::Accepted,
            (Step::Configure { .. }, _) => StepEnd::Refused,
        };
        self.outgoing.setup.ended(step, end);
        match step {
            Step::Configure { key, value } => match status {
                Some("accepted") => {}
                Some("rebootrequired") => {
                    self.notice(now, format!("{key} = {value} takes effect after a restart of the charger"), out)
                }
                _ => self.notice(now, format!("The charger does not take {key} = {value}"), out),
            },
            Step::Read => self.configuration_read(now, payload, out),
        }
    }

    fn configuration_read(&mut self, now: Now, payload: &str, out: &mut Vec<Output>) {
        let Ok(read) = ocpp::read::<GetConfigurationResponse>(payload) else { return };
        for pair in read.configuration_key.unwrap_or_default() {
            let value = pair.value.unwrap_or_default();
            let key = pair.key.trim();
            if key.eq_ignore_ascii_case("ChargingScheduleAllowedChargingRateUnit") && setup::is_watts_only(&value) {
                if self.outgoing.live.prefer_watts() {
                    self.connectors.values_mut().for_each(crate::connector::Connector::forget_installed);
                }
                if self.outgoing.fallback.prefer_watts() {
                    self.outgoing.fallback_held = None;
                }
            }
            if key.eq_ignore_ascii_case("MeterValueSampleInterval")
                && let Ok(seconds) = value.trim().trim_matches('"').parse::<u32>()
                && seconds != self.config.sample_interval_s
            {
                let wanted = self.config.sample_interval_s;
                self.notice(now, format!("The charger measures every {seconds} s, not every {wanted} s"), out);
            }
        }
    }
}

fn incoming_clip(text: &str) -> String {
    crate::incoming::clip(text, 120)
}
