//! The station: its links, and which part takes which input.

use crate::cards::Cards;
use crate::clock::ChargerClock;
use crate::command::Trigger;
use crate::connector::Connector;
use crate::memory::Memory;
use crate::outgoing::Outgoing;
use crate::port::{Input, Outcome, Output, StationConfig};
use crate::report::Reports;
use crate::{answers, incoming};
use domain::{ChargerEvent, ConnectorNumber, DurationMs, HardwareInfo, Instant, Now, SessionId, Timestamp};
use ocpp::frame::{CallError, Frame, FrameError, codes};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// More connectors than any charger has; a larger number is a mistake or an attack on memory.
const CONNECTORS_MAX: u16 = 64;
/// Silence, in heartbeats, after which a connection is given up.
const SILENT_HEARTBEATS: u64 = 3;
/// A connection is never given up sooner than this, whatever the heartbeat.
const SILENCE_MIN: DurationMs = DurationMs::from_secs(300);
/// Sockets whose opening is remembered; more within an hour is no more telling.
const OPENED_MAX: usize = 100;
/// The same notice is not repeated within this time.
const NOTICE_PAUSE: DurationMs = DurationMs::from_secs(60);
/// Unreadable texts are answered at most this often, so that two confused ends never play ping-pong.
const UNREADABLE_PAUSE: DurationMs = DurationMs::from_secs(1);

/// The newest socket.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) generation: u64,
    /// Nothing is asked of the charger before this time.
    pub(crate) ready_at: Instant,
    heard_at: Instant,
    /// What to ask for once, because the charger has not sent it by itself.
    pub(crate) ask: Option<Trigger>,
    /// Whether our answer to its `BootNotification` left it waiting.
    pub(crate) left_pending: bool,
    answered_unreadable_at: Option<Instant>,
}

/// One charger identity. Survives reconnects; a new socket is a new generation.
#[derive(Clone, Debug)]
pub struct Station {
    pub(crate) config: StationConfig,
    pub(crate) link: Option<Link>,
    pub(crate) newest_generation: Option<u64>,
    /// What it said when it last started, in this process.
    pub(crate) hardware: Option<HardwareInfo>,
    pub(crate) clock: ChargerClock,
    pub(crate) connectors: BTreeMap<ConnectorNumber, Connector>,
    pub(crate) replies: answers::Replies,
    pub(crate) outgoing: Outgoing,
    pub(crate) cards: Cards,
    pub(crate) reports: Reports,
    pub(crate) memory: Memory,
    /// Whether the memory differs from what was handed out last.
    pub(crate) is_memory_new: bool,
    /// Keys that take effect after a restart.
    pub(crate) restart_for: BTreeSet<String>,
    /// When the last sockets were opened, newest last.
    pub(crate) opened_at: VecDeque<Instant>,
    last_notice: Option<(Instant, String)>,
}

impl Station {
    /// A charger nobody has heard of yet in this process.
    #[must_use]
    pub fn new(mut config: StationConfig) -> Self {
        let memory = std::mem::take(&mut config.memory);
        let learned = &memory.learned;
        let mut cards = Cards::restore(memory.list.clone(), learned.keeps_no_list, learned.cards_per_message);
        cards.list_max = crate::answered::whole_number(&memory.configuration, "LocalAuthListMaxLength");
        let mut outgoing = Outgoing::default();
        outgoing.recall(learned);
        let connectors = (1..=config.connectors.clamp(1, CONNECTORS_MAX)).map(ConnectorNumber);
        Self {
            link: None,
            newest_generation: None,
            hardware: config.hardware.take(),
            clock: ChargerClock::new(config.site_offset_s),
            connectors: connectors.map(|number| (number, Connector::default())).collect(),
            replies: answers::Replies::default(),
            outgoing,
            cards,
            reports: Reports::default(),
            memory,
            is_memory_new: false,
            restart_for: BTreeSet::new(),
            opened_at: VecDeque::new(),
            last_notice: None,
            config,
        }
    }

    /// What the charger said about itself when it last started.
    #[must_use]
    pub const fn hardware(&self) -> Option<&HardwareInfo> {
        self.hardware.as_ref()
    }

    /// Takes one input and says what to do, in order.
    pub fn handle(&mut self, now: Now, input: Input<'_>) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Opened { generation } => self.opened(now, generation, &mut out),
            Input::Closed { generation } => self.closed(generation, &mut out),
            Input::Frame { generation, text } => self.frame(now, generation, text, &mut out),
            Input::Tick => self.tick(now, &mut out),
            Input::SetLimit { connector, limit } => self.set_limit(connector, limit),
            Input::SetFallback(limit) => self.config.fallback = limit,
            Input::SetWiring(phases) => self.set_wiring(phases),
            Input::SetApproved(approved) => self.set_approved(now, approved),
            Input::SetCards(cards) => self.cards.want(cards),
            Input::SetSettings(settings) => self.set_settings(*settings),
            Input::SetLearned(learned) => self.set_learned(*learned),
            Input::KnownSessions(sessions) => self.known_sessions(sessions),
            Input::CardAnswer { reply, verdict } => self.card_answered(reply, verdict, &mut out),
            Input::StartAnswer { reply, session, verdict } => self.start_answered(reply, session, verdict, &mut out),
            Input::StopAnswer { reply, verdict } => self.stop_answered(reply, verdict, &mut out),
            Input::Command { id, command } => self.command(id, command, &mut out),
        }
        self.pump(now, &mut out);
        if std::mem::take(&mut self.is_memory_new) {
            out.push(Output::Remember(Box::new(self.memory.clone())));
        }
        out
    }

    fn set_settings(&mut self, settings: crate::setup::Settings) {
        self.config.settings = settings;
        if self.link.is_some() && self.config.approved {
            let mut setup = std::mem::take(&mut self.outgoing.setup);
            setup.apply(&self.wanted(), &self.memory.configuration);
            self.outgoing.setup = setup;
        }
    }

    /// What chargers of its kind taught, where this one has taught nothing yet.
    fn set_learned(&mut self, learned: crate::memory::Learned) {
        if self.memory.learned == crate::memory::Learned::default() {
            self.outgoing.recall(&learned);
            if learned.keeps_no_list {
                drop(self.cards.unsupported());
            }
            self.cards.chunk_max = self.cards.chunk_max.or(learned.cards_per_message);
            self.memory.learned = learned;
            self.is_memory_new = true;
        }
    }

    fn opened(&mut self, now: Now, generation: u64, out: &mut Vec<Output>) {
        if self.newest_generation.is_some_and(|newest| generation <= newest) {
            return;
        }
        if self.link.is_some() {
            self.lost(out);
        }
        self.newest_generation = Some(generation);
        self.opened_at.push_back(now.instant);
        if self.opened_at.len() > OPENED_MAX {
            self.opened_at.pop_front();
        }
        if self.cards.state != crate::cards::ListState::Verified {
            self.cards.doubt();
        }
        let ready_at = now.instant + self.config.settle;
        let ask = if self.hardware.is_none() { Trigger::BootNotification } else { Trigger::StatusNotification };
        self.link = Some(Link {
            generation,
            ready_at,
            heard_at: now.instant,
            ask: Some(ask),
            left_pending: false,
            answered_unreadable_at: None,
        });
        let wanted = self.config.approved && !self.outgoing.setup.done;
        self.outgoing.reconnected();
        if wanted {
            self.begin_setup(ready_at + crate::outgoing::BOOT_GRACE);
        }
        out.push(Output::Event(ChargerEvent::Connected));
    }

    fn closed(&mut self, generation: u64, out: &mut Vec<Output>) {
        if self.link.as_ref().is_some_and(|link| link.generation == generation) {
            self.lost(out);
        }
    }

    fn lost(&mut self, out: &mut Vec<Output>) {
        self.link = None;
        for connector in self.connectors.values_mut() {
            connector.forget_installed();
        }
        self.clock.forget();
        self.outgoing.disconnected(out);
        for id in self.cards.abandon() {
            out.push(Output::CommandDone { id, outcome: Outcome::Disconnected, answer: "{}".to_owned() });
        }
        out.push(Output::Event(ChargerEvent::Disconnected));
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        self.expire(now, out);
        let limit = DurationMs::from_secs(
            u64::from(self.config.settings.heartbeat_s.unwrap_or(self.config.heartbeat_s))
                .saturating_mul(SILENT_HEARTBEATS),
        );
        let limit = limit.max(SILENCE_MIN);
        if let Some(link) = &mut self.link
            && now.instant.since(link.heard_at) > limit
        {
            // Counted anew, so that the order is repeated only if the socket stays.
            link.heard_at = now.instant;
            let reason = format!("Nothing heard for {} s", limit.0 / 1000);
            out.push(Output::Close { reason });
        }
    }

    fn frame(&mut self, now: Now, generation: u64, text: &str, out: &mut Vec<Output>) {
        let Some(link) = self.link.as_mut().filter(|link| link.generation == generation) else { return };
        link.heard_at = now.instant;
        // Some chargers keep their connection open with empty messages.
        if text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).is_empty() {
            return;
        }
        match Frame::parse(text) {
            Ok(Frame::Call(call)) => self.call(now, &call, out),
            Ok(Frame::Result(result)) => self.result(now, &result, out),
            Ok(Frame::Error(error)) => self.error(now, &error, out),
            Err(error) => self.unreadable(now, &error, out),
        }
    }

    fn unreadable(&mut self, now: Now, error: &FrameError, out: &mut Vec<Output>) {
        self.notice(now, format!("A message could not be read: {error}"), out);
        let Some(link) = &mut self.link else { return };
        let is_call = matches!(error, FrameError::Action { .. } | FrameError::Payload { is_call: true, .. });
        let is_soon = link.answered_unreadable_at.is_some_and(|at| now.instant.since(at) < UNREADABLE_PAUSE);
        if let Some(id) = error.answer_id().filter(|_| is_call || !is_soon) {
            link.answered_unreadable_at = Some(now.instant);
            let (code, description) = (error.code().to_owned(), error.to_string());
            incoming::send(out, CallError { id, code, description, details: "{}".to_owned() }.to_string());
        }
    }

    fn set_wiring(&mut self, phases: u8) {
        if self.config.phases != phases {
            self.config.phases = phases;
            for connector in self.connectors.values_mut() {
                connector.forget_installed();
            }
        }
    }

    fn set_approved(&mut self, now: Now, approved: bool) {
        let is_news = self.config.approved != approved;
        self.config.approved = approved;
        let Some(link) = self.link.as_mut().filter(|_| is_news) else { return };
        if approved {
            // A charger that waits hears the good news only in the answer to its next BootNotification.
            if link.left_pending {
                link.ask = Some(Trigger::BootNotification);
            }
            self.begin_setup(now.instant + crate::outgoing::BOOT_GRACE);
            self.cards.doubt();
        } else {
            self.outgoing.setup.cancel();
        }
    }

    /// Sets the charger up from the beginning, from the given time on.
    pub(crate) fn begin_setup(&mut self, not_before: Instant) {
        let mut setup = std::mem::take(&mut self.outgoing.setup);
        setup.begin(not_before, &self.wanted());
        self.outgoing.setup = setup;
    }

    fn known_sessions(&mut self, sessions: Vec<(ConnectorNumber, SessionId, Timestamp)>) {
        for (number, session, at) in sessions {
            if let Some(connector) = self.connector(number) {
                connector.begin(session, at, None, 0);
            }
        }
    }

    /// A connector, made on first mention; `None` for a number no charger has.
    pub(crate) fn connector(&mut self, number: ConnectorNumber) -> Option<&mut Connector> {
        (1..=CONNECTORS_MAX).contains(&number.0).then(|| self.connectors.entry(number).or_default())
    }

    /// Says something to people, unless it was just said.
    pub(crate) fn notice(&mut self, now: Now, text: String, out: &mut Vec<Output>) {
        let is_repeated =
            self.last_notice.as_ref().is_some_and(|(at, last)| *last == text && now.instant.since(*at) < NOTICE_PAUSE);
        if !is_repeated {
            self.last_notice = Some((now.instant, text.clone()));
            out.push(Output::Notice(text));
        }
    }

    /// An error answer that names the fault.
    pub(crate) fn refuse(call: &ocpp::frame::Call, code: &str, description: String, out: &mut Vec<Output>) {
        let (id, code, details) = (call.id.clone(), code.to_owned(), "{}".to_owned());
        incoming::send(out, CallError { id, code, description, details }.to_string());
    }

    /// An answer we failed to write; never expected, and never silence.
    pub(crate) fn failed(call_id: ocpp::frame::MessageId, error: &ocpp::WriteError) -> String {
        let (code, description) = (codes::INTERNAL_ERROR.to_owned(), error.to_string());
        CallError { id: call_id, code, description, details: "{}".to_owned() }.to_string()
    }
}
