//! What the answers of a charger to our requests mean, and what their absence means.

use crate::cards::ListNews;
use crate::commands;
use crate::incoming::clip;
use crate::memory::KeptKey;
use crate::outgoing::{Outstanding, Purpose, TRIGGER_PATIENCE, done};
use crate::port::{Outcome, Output};
use crate::profile::Refusal;
use crate::setup::{self, Setup, Step, StepEnd};
use crate::station::Station;
use domain::{ChargerEvent, Now};
use ocpp::frame::{CallError, CallResult, MessageId, codes};
use ocpp::v16::{Action, GetConfigurationResponse, GetLocalListVersionResponse};
use std::collections::BTreeMap;

/// Most configuration keys kept of a charger; the longest known list has under 200.
const KEYS_MAX: usize = 512;
/// Longest value kept; the standard allows 500 characters.
const VALUE_CHARS_MAX: usize = 1000;

/// A key that counts something, as told.
pub(crate) fn whole_number(known: &BTreeMap<String, KeptKey>, key: &str) -> Option<usize> {
    let value = setup::find(known, key)?.value.as_deref()?;
    value.trim().trim_matches('"').parse().ok().filter(|number| *number > 0)
}

impl Station {
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
            Purpose::Step(step) => self.step_ended(&step, StepEnd::Unanswered),
            Purpose::ListVersion | Purpose::List { .. } => {
                let news = self.cards.failed(now.instant);
                self.list_news(now, news, out);
            }
            Purpose::Trigger => self.outgoing.trigger_failures = self.outgoing.trigger_failures.saturating_add(1),
        }
    }

    fn answered(&mut self, id: &MessageId) -> Option<Outstanding> {
        self.outgoing.outstanding.take_if(|waiting| waiting.id.as_str() == id.as_str())
    }

    pub(crate) fn result(&mut self, now: Now, result: &CallResult, out: &mut Vec<Output>) {
        let Some(Outstanding { purpose, sent_at, action, .. }) = self.answered(&result.id) else { return };
        let status = commands::status(&result.payload);
        let outcome = commands::outcome(&result.payload);
        let is_accepted = outcome == Outcome::Accepted;
        match purpose {
            Purpose::Command(id) => {
                self.command_answered(now, action, is_accepted, &result.payload, out);
                out.push(done(id, outcome, &result.payload));
            }
            Purpose::Fallback(limit) if is_accepted => {
                self.outgoing.fallback.accepted();
                (self.outgoing.fallback_held, self.outgoing.fallback_confirmed) = (Some(limit), Some(limit));
                self.learn_ways();
            }
            Purpose::Live { connector, session, limit } if is_accepted => {
                self.outgoing.live.accepted();
                self.learn_ways();
                let is_new = self.connector(connector).is_some_and(|slot| slot.installed(session, limit, sent_at));
                if is_new {
                    out.push(Output::Event(ChargerEvent::LimitAnswered { connector, limit, accepted: true }));
                }
            }
            Purpose::Fallback(_) | Purpose::Live { .. } => self.limit_refused(now, &purpose, &result.payload, out),
            Purpose::Step(step) => self.step_answered(now, &step, status.as_deref(), &result.payload, out),
            Purpose::ListVersion => {
                let version = ocpp::read::<GetLocalListVersionResponse>(&result.payload).map(|it| it.list_version);
                let news = match version {
                    Ok(version) => self.cards.version(now.instant, version),
                    Err(_unreadable) => self.cards.failed(now.instant),
                };
                self.list_news(now, news, out);
            }
            Purpose::List { version, update, changes } => {
                let status = status.unwrap_or_default();
                let news = self.cards.answered(now.instant, &status, version, update, &changes);
                self.list_news(now, news, out);
            }
            Purpose::Trigger if is_accepted => self.outgoing.trigger_failures = 0,
            Purpose::Trigger => self.outgoing.trigger_failures = self.outgoing.trigger_failures.saturating_add(1),
        }
    }

    pub(crate) fn error(&mut self, now: Now, error: &CallError, out: &mut Vec<Output>) {
        let Some(Outstanding { purpose, .. }) = self.answered(&error.id) else { return };
        let answer = serde_json::json!({ "error": error.code, "description": error.description }).to_string();
        let is_unknown = matches!(error.code.as_str(), codes::NOT_IMPLEMENTED | codes::NOT_SUPPORTED);
        match purpose {
            Purpose::Command(id) => out.push(done(id, Outcome::Rejected, &answer)),
            Purpose::Fallback(_) | Purpose::Live { .. } => {
                if is_unknown {
                    self.outgoing.live.unknown(now.instant);
                    self.outgoing.fallback.unknown(now.instant);
                }
                self.limit_refused(now, &purpose, &answer, out);
            }
            Purpose::Step(step) => {
                self.step_ended(&step, StepEnd::Refused);
                self.after_step(&step);
            }
            Purpose::ListVersion | Purpose::List { .. } => {
                let news = if is_unknown { self.cards.unsupported() } else { self.cards.failed(now.instant) };
                self.list_news(now, news, out);
            }
            Purpose::Trigger if error.code == codes::NOT_IMPLEMENTED => {
                self.outgoing.trigger_failures = TRIGGER_PATIENCE;
            }
            Purpose::Trigger => self.outgoing.trigger_failures = self.outgoing.trigger_failures.saturating_add(1),
        }
    }

    /// Some answers to people's orders change what we know.
    fn command_answered(&mut self, now: Now, action: Action, is_accepted: bool, payload: &str, out: &mut Vec<Output>) {
        match action {
            Action::GetConfiguration => self.configuration_read(now, payload, out),
            // Their profiles are gone, and ours may be.
            Action::ClearChargingProfile if is_accepted => {
                self.outgoing.fallback_held = None;
                self.connectors.values_mut().for_each(crate::connector::Connector::forget_installed);
            }
            _ => {}
        }
    }

    /// Keeps which ways of writing limits work.
    fn learn_ways(&mut self) {
        let (live, fallback) = (self.outgoing.live.way(), self.outgoing.fallback.way());
        let learned = &mut self.memory.learned;
        let is_news =
            (live.is_some() && learned.live_way != live) || (fallback.is_some() && learned.fallback_way != fallback);
        if is_news {
            (learned.live_way, learned.fallback_way) = (live.or(learned.live_way), fallback.or(learned.fallback_way));
            self.is_memory_new = true;
        }
    }

    fn limit_refused(&mut self, now: Now, purpose: &Purpose, answer: &str, out: &mut Vec<Output>) {
        let is_live = matches!(purpose, Purpose::Live { .. });
        let ladder = if is_live { &mut self.outgoing.live } else { &mut self.outgoing.fallback };
        if ladder.is_open(now.instant) && ladder.refused(now.instant) == Refusal::TryNext {
            return;
        }
        let what = if is_live { "current limit" } else { "fallback current" };
        let answer = clip(answer, 120);
        self.notice(
            now,
            format!("The charger refuses its {what} ({answer}); check that load balancing is enabled in it"),
            out,
        );
        if let Purpose::Live { connector, limit, .. } = *purpose {
            out.push(Output::Event(ChargerEvent::LimitAnswered { connector, limit, accepted: false }));
        }
    }

    fn step_ended(&mut self, step: &Step, end: StepEnd) {
        let before = self.memory.learned.clone();
        if end != StepEnd::Unanswered {
            self.memory.learned.answered(&step.question());
        }
        self.outgoing.setup.ended(step, end, &mut self.memory.learned, &self.config.settings);
        self.is_memory_new |= self.memory.learned != before;
    }

    /// When everything was read, what differs is written.
    fn after_step(&mut self, step: &Step) {
        if Setup::is_last_read(step) {
            let mut setup = std::mem::take(&mut self.outgoing.setup);
            setup.compare(&self.memory.configuration, &self.wanted());
            self.outgoing.setup = setup;
        }
    }

    fn step_answered(&mut self, now: Now, step: &Step, status: Option<&str>, payload: &str, out: &mut Vec<Output>) {
        let end = match (step, status) {
            (Step::Read { .. }, _) | (Step::Configure { .. }, Some("accepted" | "rebootrequired")) => StepEnd::Accepted,
            (Step::Configure { .. }, _) => StepEnd::Refused,
        };
        self.step_ended(step, end);
        match step {
            Step::Configure { key, value } => match status {
                Some("accepted") => self.configured(key, value),
                Some("rebootrequired") => {
                    self.configured(key, value);
                    self.restart_for.insert(key.clone());
                    self.notice(now, format!("{key} = {value} takes effect after a restart of the charger"), out);
                }
                // Keys about charging without us are optional; the console shows what follows.
                _ if setup::is_optional(key) => {}
                _ => self.notice(now, format!("The charger does not take {key} = {value}"), out),
            },
            Step::Read { .. } => self.configuration_read(now, payload, out),
        }
        self.after_step(step);
    }

    /// A key has the value it was given.
    fn configured(&mut self, key: &str, value: &str) {
        let kept = self.memory.configuration.entry(key.to_ascii_lowercase()).or_default();
        if kept.key.is_empty() {
            key.clone_into(&mut kept.key);
        }
        if kept.value.as_deref() != Some(value) {
            kept.value = Some(value.to_owned());
            self.is_memory_new = true;
        }
    }

    fn configuration_read(&mut self, now: Now, payload: &str, out: &mut Vec<Output>) {
        let Ok(read) = ocpp::read::<GetConfigurationResponse>(payload) else { return };
        for pair in read.configuration_key.unwrap_or_default() {
            let key = clip(pair.key.trim(), 100);
            if key.is_empty() {
                continue;
            }
            let value = pair.value.map(|value| clip(&value, VALUE_CHARS_MAX));
            self.told(now, &key, value.as_deref().unwrap_or_default(), out);
            let kept = KeptKey { key: key.clone(), value, readonly: pair.readonly };
            let known = &mut self.memory.configuration;
            let place = key.to_ascii_lowercase();
            if known.get(&place) != Some(&kept) && (known.len() < KEYS_MAX || known.contains_key(&place)) {
                known.insert(place, kept);
                self.is_memory_new = true;
            }
        }
        self.cards.list_max = whole_number(&self.memory.configuration, "LocalAuthListMaxLength");
        let chunk = whole_number(&self.memory.configuration, "SendLocalListMaxLength");
        self.cards.chunk_max = self.memory.learned.cards_per_message.or(chunk);
    }

    /// A key whose value changes how we treat the charger.
    fn told(&mut self, now: Now, key: &str, value: &str, out: &mut Vec<Output>) {
        if key.eq_ignore_ascii_case("ChargingScheduleAllowedChargingRateUnit") && setup::is_watts_only(value) {
            if self.outgoing.live.prefer_watts() {
                self.connectors.values_mut().for_each(crate::connector::Connector::forget_installed);
            }
            if self.outgoing.fallback.prefer_watts() {
                self.outgoing.fallback_held = None;
            }
        }
        if key.eq_ignore_ascii_case("MeterValueSampleInterval")
            && let Ok(seconds) = value.trim().trim_matches('"').parse::<u32>()
            && seconds != self.sample_interval_s()
        {
            let wanted = self.sample_interval_s();
            self.notice(now, format!("The charger measures every {seconds} s, not every {wanted} s"), out);
        }
    }

    /// The list of cards changed its state.
    pub(crate) fn list_news(&mut self, now: Now, news: ListNews, out: &mut Vec<Output>) {
        if news.kept.is_some() && self.memory.list != news.kept {
            self.memory.list = news.kept;
            self.is_memory_new = true;
        }
        if news.unsupported && !self.memory.learned.keeps_no_list {
            self.memory.learned.keeps_no_list = true;
            self.memory.list = None;
            self.is_memory_new = true;
            let text = "The charger keeps no list of cards; see its page for what works while this computer is off";
            self.notice(now, text.to_owned(), out);
        }
        if news.chunk_max.is_some() {
            self.memory.learned.cards_per_message = news.chunk_max;
            self.is_memory_new = true;
        }
        let (wanted, held, version) = self.cards.counts();
        for (id, is_well) in news.ended {
            let answer = serde_json::json!({ "cards": held, "wanted": wanted, "version": version }).to_string();
            out.push(done(id, if is_well { Outcome::Accepted } else { Outcome::Rejected }, &answer));
        }
    }
}
