//! Cards, sessions and states of chargers.

use super::device::{Question, Running, Started, insert_bounded};
use super::measure::field;
use super::{Envelope, Mesh};
use crate::wire::{
    CardAction, ChargerOrder, ChargerStatus, Code, CommandResult, ManagerBody, Refusal, RunningReport, StartAnswer,
    StartReport, StopAnswer, StopReport, StopWord, TapAnswer, TapReport, VerdictWord,
};
use crate::{Gate, KnownSession, Outcome, Output};
use domain::{
    CardUid, CardVerdict, ChargerEvent, ChargerId, ConnectorNumber, ConnectorStatus, Now, Provenance, ReplyKey,
    SessionId, SessionRef, StartRequest, StatusDetail, StopReason, StopRequest, Timestamp, WattHours,
};

/// A time from further ahead, or older than any charger keeps sessions, is a wrong clock.
const AHEAD_MS_MAX: i64 = 300_000;
/// 60 days, as long as a charger is asked to keep what was not answered.
const BEHIND_MS_MAX: i64 = 60 * 86_400_000;
/// What arrives later than this was kept by a charger without a link.
const LATE_MS: i64 = 300_000;

/// Longest error or info text kept.
const TEXT_CHARS_MAX: usize = 200;

impl Mesh {
    pub(super) fn charger_status(
        &mut self,
        now: Now,
        envelope: Envelope<'_>,
        id: &ChargerId,
        body: ChargerStatus,
    ) -> Result<(), Refusal> {
        let code = Code::ChargerStatus;
        let named = body.connector.map(|number| self.connector(code, id, Some(number))).transpose()?;
        if let Some(running) = body.running {
            let connector = self.connector(code, id, body.connector)?;
            self.running(id, connector, running);
        }
        if let Some(start) = body.start {
            let connector = self.connector(code, id, body.connector)?;
            self.started(now, envelope, id, connector, start);
        }
        if let Some(stop) = body.stop {
            let connector = self.connector(code, id, body.connector)?;
            self.stopped(now, envelope, id, connector, stop);
        }
        if let Some(status) = body.status {
            self.forget_ended(id, named, status);
            let text = |text: String| text.chars().take(TEXT_CHARS_MAX).collect();
            let detail = StatusDetail { error: text(body.error), info: text(body.info) };
            let (at, _) = told_at(now, body.at_ms);
            let event = ChargerEvent::Status { connector: named, status, detail, at };
            self.out.push(Output::Charger { id: id.clone(), event });
        }
        if let Some(result) = body.result {
            self.command_answered(id, envelope.re, result);
        }
        match body.tap {
            Some(tap) => self.tapped(envelope, id, named, &tap),
            None => Ok(()),
        }
    }

    /// Without a car there is no session, whatever was missed: the next card must be able to start one.
    fn forget_ended(&mut self, id: &ChargerId, connector: Option<ConnectorNumber>, status: ConnectorStatus) {
        if let (Some(state), Some(connector), ConnectorStatus::Available) =
            (self.chargers.get_mut(id), connector, status)
        {
            state.running.remove(&connector);
        }
    }

    /// The named connector, or the only one.
    pub(super) fn connector(
        &self,
        code: Code,
        id: &ChargerId,
        number: Option<u16>,
    ) -> Result<ConnectorNumber, Refusal> {
        let connectors = self.chargers.get(id).map_or(1, |charger| charger.connectors);
        match number {
            Some(number) if (1..=connectors).contains(&number) => Ok(ConnectorNumber(number)),
            Some(number) => Err(field(code, &format!("names connector {number}, the charger announced {connectors}"))),
            None if connectors == 1 => Ok(ConnectorNumber(1)),
            None => Err(field(code, "needs connector, because the charger announced several")),
        }
    }

    fn tapped(
        &mut self,
        envelope: Envelope<'_>,
        id: &ChargerId,
        connector: Option<ConnectorNumber>,
        tap: &TapReport,
    ) -> Result<(), Refusal> {
        let card = CardUid::new(&tap.card).map_err(|error| field(Code::ChargerStatus, &error.to_string()))?;
        let reply = self.ask(id, Question::Tap { re: envelope.id, connector });
        self.out.push(Output::Charger { id: id.clone(), event: ChargerEvent::CardTapped { reply, connector, card } });
        Ok(())
    }

    /// A start that was answered before is answered again; one that is being answered is not asked twice. A number
    /// that comes back with another register or time is another session: the charger lost its counter.
    fn started(
        &mut self,
        now: Now,
        envelope: Envelope<'_>,
        id: &ChargerId,
        connector: ConnectorNumber,
        report: StartReport,
    ) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        if let Some(known) = state.started.get(&report.local).filter(|known| known.report == report) {
            let answer = StartAnswer { local: report.local, session: known.session.0, verdict: known.verdict };
            return self.tell_start(id, envelope.id, connector, answer);
        }
        for question in state.questions.values_mut() {
            if let Question::Start { re, report: asked, .. } = question
                && *asked == report
            {
                *re = envelope.id;
                return;
            }
        }
        let (at, provenance) = told_at(now, report.at_ms);
        let card = self.card_or_none(id, report.card.as_deref());
        let meter = WattHours(report.meter_wh);
        let reply = self.ask(id, Question::Start { re: envelope.id, connector, report });
        let request = StartRequest { connector, card, at, meter, provenance };
        self.out.push(Output::Charger { id: id.clone(), event: ChargerEvent::SessionStarted { reply, request } });
    }

    fn stopped(
        &mut self,
        now: Now,
        envelope: Envelope<'_>,
        id: &ChargerId,
        connector: ConnectorNumber,
        report: StopReport,
    ) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        // The session's number may have become known between two repetitions.
        let same = |other: &StopReport| StopReport { session: report.session, ..other.clone() } == report;
        if state.stopped.get(&report.local).is_some_and(same) {
            return self.tell_stop(id, envelope.id, connector, report.local);
        }
        for question in state.questions.values_mut() {
            if let Question::Stop { re, report: asked, .. } = question
                && same(asked)
            {
                *re = envelope.id;
                return;
            }
        }
        let told = report.session.filter(|number| *number >= 1).map(SessionId);
        let by_number = || state.started.get(&report.local).map(|started| started.session);
        let session = told.or_else(by_number).map_or(SessionRef::Unknown, SessionRef::Known);
        let (at, provenance) = told_at(now, report.at_ms);
        let card = self.card_or_none(id, report.card.as_deref());
        let (meter, reason) = (WattHours(report.meter_wh), stop_reason(report.reason));
        let reply = self.ask(id, Question::Stop { re: envelope.id, connector, report });
        let request = StopRequest { session, card, at, meter, reason, provenance };
        self.out.push(Output::Charger { id: id.clone(), event: ChargerEvent::SessionStopped { reply, request } });
    }

    /// After a restart of either side: the session goes on under the number it has.
    fn running(&mut self, id: &ChargerId, connector: ConnectorNumber, report: RunningReport) {
        let (Some(state), Some(number)) = (self.chargers.get_mut(id), report.session) else { return };
        let session = SessionId(number);
        if number >= 1 && state.running.get(&connector).is_none_or(|running| running.session != session) {
            state.running.insert(connector, Running { session, tenant: None, end_sent: None });
        }
    }

    pub(super) fn known_sessions(&mut self, id: &ChargerId, sessions: Vec<KnownSession>) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        state.running = sessions
            .into_iter()
            .map(|known| (known.connector, Running { session: known.session, tenant: known.tenant, end_sent: None }))
            .collect();
    }

    /// A session is never lost for a card that cannot be read; it then belongs to nobody.
    fn card_or_none(&mut self, id: &ChargerId, text: Option<&str>) -> Option<CardUid> {
        match CardUid::new(text?) {
            Ok(card) => Some(card),
            Err(error) => {
                self.out.push(Output::Notice(format!("The card of a session at {id} cannot be read: {error}")));
                None
            }
        }
    }

    fn ask(&mut self, id: &ChargerId, question: Question) -> ReplyKey {
        let reply = self.next_reply();
        if let Some(state) = self.chargers.get_mut(id) {
            insert_bounded(&mut state.questions, reply, question);
        }
        reply
    }
}

/// Answers of the one who decides.
impl Mesh {
    pub(super) fn card_answer(&mut self, id: &ChargerId, reply: ReplyKey, verdict: CardVerdict) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        let Some(Question::Tap { re, connector }) = state.questions.remove(&reply) else { return };
        let answer = match (verdict, state.running_at(connector)) {
            (CardVerdict::Accepted { tenant }, Some(running)) if running.tenant == Some(tenant) => {
                TapAnswer { verdict: VerdictWord::Accepted, action: CardAction::Stop, tenant: Some(tenant.0) }
            }
            (CardVerdict::Accepted { .. }, Some(_)) => {
                TapAnswer { verdict: VerdictWord::InUse, action: CardAction::Refuse, tenant: None }
            }
            (CardVerdict::Accepted { tenant }, None) => {
                TapAnswer { verdict: VerdictWord::Accepted, action: CardAction::Start, tenant: Some(tenant.0) }
            }
            (refused, _) => TapAnswer { verdict: verdict_word(refused), action: CardAction::Refuse, tenant: None },
        };
        let connector = connector.map(|number| number.0);
        let order = ChargerOrder { connector, tap: Some(answer), ..ChargerOrder::default() };
        self.publish(id.as_str(), re, ManagerBody::Order(order), Gate::Now);
    }

    pub(super) fn start_answer(&mut self, id: &ChargerId, reply: ReplyKey, session: SessionId, verdict: CardVerdict) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        let Some(Question::Start { re, connector, report }) = state.questions.remove(&reply) else { return };
        let tenant = verdict.tenant();
        state.running.insert(connector, Running { session, tenant, end_sent: None });
        let answer = StartAnswer { local: report.local, session: session.0, verdict: verdict_word(verdict) };
        let started = Started { session, verdict: answer.verdict, report };
        insert_bounded(&mut state.started, answer.local, started);
        self.tell_start(id, re, connector, answer);
    }

    pub(super) fn stop_answer(&mut self, id: &ChargerId, reply: ReplyKey) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        let Some(Question::Stop { re, connector, report }) = state.questions.remove(&reply) else { return };
        let local = report.local;
        let session = report.session.map(SessionId).or_else(|| state.started.get(&local).map(|one| one.session));
        if session.is_none() || state.running.get(&connector).map(|running| running.session) == session {
            state.running.remove(&connector);
        }
        insert_bounded(&mut state.stopped, local, report);
        self.tell_stop(id, re, connector, local);
    }

    /// Durable also when repeated: the first answer may have been held back because the disk was full.
    fn tell_start(&mut self, id: &ChargerId, re: Option<u64>, connector: ConnectorNumber, answer: StartAnswer) {
        let order = ChargerOrder { connector: Some(connector.0), start: Some(answer), ..ChargerOrder::default() };
        self.publish(id.as_str(), re, ManagerBody::Order(order), Gate::Durable);
    }

    fn tell_stop(&mut self, id: &ChargerId, re: Option<u64>, connector: ConnectorNumber, local: u64) {
        let stop = Some(StopAnswer { local });
        let order = ChargerOrder { connector: Some(connector.0), stop, ..ChargerOrder::default() };
        self.publish(id.as_str(), re, ManagerBody::Order(order), Gate::Durable);
    }

    fn command_answered(&mut self, id: &ChargerId, re: Option<u64>, result: CommandResult) {
        let Some(state) = self.chargers.get_mut(id) else { return };
        let Some(waiting) = re.and_then(|re| state.commands.remove(&re)) else { return };
        let (outcome, word) = match result {
            CommandResult::Accepted => (Outcome::Accepted, "accepted"),
            CommandResult::Rejected => (Outcome::Rejected, "rejected"),
        };
        let answer = format!(r#"{{"result":"{word}"}}"#);
        self.out.push(Output::CommandDone { id: waiting.id, outcome, answer });
    }
}

/// When something happened by the charger's clock, and how far that can be trusted.
fn told_at(now: Now, at_ms: Option<i64>) -> (Timestamp, Provenance) {
    let Some(at) = at_ms else { return (now.wall, Provenance::Measured) };
    let age = now.wall.0.saturating_sub(at);
    if !(-AHEAD_MS_MAX..=BEHIND_MS_MAX).contains(&age) {
        (now.wall, Provenance::ClockCorrected)
    } else if age > LATE_MS {
        (Timestamp(at), Provenance::ReceivedLate)
    } else {
        (Timestamp(at), Provenance::Measured)
    }
}

const fn verdict_word(verdict: CardVerdict) -> VerdictWord {
    match verdict {
        CardVerdict::Accepted { .. } => VerdictWord::Accepted,
        CardVerdict::Unknown => VerdictWord::Unknown,
        // The wire knows no finer words; the console says which it was.
        CardVerdict::Blocked | CardVerdict::NotValid | CardVerdict::CapReached | CardVerdict::NotHere => {
            VerdictWord::Blocked
        }
        CardVerdict::NotApproved => VerdictWord::NotApproved,
        CardVerdict::InUse => VerdictWord::InUse,
    }
}

const fn stop_reason(word: StopWord) -> StopReason {
    match word {
        StopWord::Card => StopReason::Local,
        StopWord::Manager => StopReason::Remote,
        StopWord::Unplugged => StopReason::EvDisconnected,
        StopWord::PowerLoss => StopReason::PowerLoss,
        StopWord::Other => StopReason::Other,
    }
}
