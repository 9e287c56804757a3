//! What chargers report: links, states, cards, sessions, values.

use crate::access::Capture;
use crate::plan::Connector;
use crate::sessions::{Rating, Replay, Started, Stopped};
use crate::state::{Appetite, ChargerLive, ConnectorLive, Link, READING_MAX_AGE};
use crate::{Change, Control, Output};
use domain::{
    CardUid, CardVerdict, Charger, ChargerEvent, ChargerId, ChargerSample, ConnectorNumber, ConnectorStatus,
    DurationMs, MilliAmps, Now, OrphanStop, PhaseCount, Protocol, Record, RefusedCard, ReplyKey, Session, SessionId,
    StartRequest, StatusDetail, StopRequest, TenantId, Timestamp, Wiring,
};

/// More connectors than any charger has; a report beyond is a mistake.
pub(crate) const CONNECTORS_MAX: u16 = 16;
/// More devices than any manager would approve at once; beyond, a newcomer is not even listed.
const WAITING_MAX: usize = 64;
/// A charger is new with what nearly every one can do; the manager corrects it.
const NEW_MAX: MilliAmps = MilliAmps::from_amps(32);
/// Some chargers report Available before the end of the session; later ends are taken as they come.
const FREE_GRACE: DurationMs = DurationMs::from_secs(120);

impl Control {
    pub(crate) fn charger_event(
        &mut self,
        now: Now,
        id: &ChargerId,
        protocol: Protocol,
        event: ChargerEvent,
        out: &mut Vec<Output>,
    ) {
        if !self.chargers.contains_key(id) && !self.register_charger(now, id, protocol, out) {
            return;
        }
        if event != ChargerEvent::Disconnected {
            self.heard(now, id, &event, out);
        }
        match event {
            ChargerEvent::Connected => self.unsettled = true,
            ChargerEvent::Disconnected => {
                if let Some(live) = self.chargers.get_mut(id).filter(|live| live.is_online()) {
                    live.link = Link::Offline { since: now.instant };
                }
                self.unsettled = true;
            }
            ChargerEvent::Booted(hardware) => {
                if let Some(live) = self.chargers.get_mut(id) {
                    live.hardware = hardware.clone();
                }
                out.push(Output::Save(Record::Hardware(id.clone(), hardware)));
                self.send_again(now, id, out);
            }
            ChargerEvent::Status { connector, status, detail, at: _ } => {
                self.status(now, id, connector, status, detail, out);
            }
            ChargerEvent::CardTapped { reply, connector, card } => {
                let verdict = self.card_tapped(now, id, connector, &card, out);
                out.push(Output::CardAnswer { charger: id.clone(), reply, verdict });
            }
            ChargerEvent::SessionStarted { reply, request } => self.session_started(now, id, reply, &request, out),
            ChargerEvent::SessionStopped { reply, request } => self.session_stopped(now, id, reply, request, out),
            ChargerEvent::Measured { connector, session, sample } => {
                self.charger_measured(now, id, connector, session, &sample, out);
            }
            ChargerEvent::LimitAnswered { connector, limit, accepted } => {
                if let Some(connector) = self.connector_mut(&(id.clone(), connector)) {
                    connector.limit_answered(now, limit, accepted);
                    self.unsettled = true;
                }
            }
        }
    }

    /// A charger nobody configured waits for approval. False when too many wait already.
    fn register_charger(&mut self, now: Now, id: &ChargerId, protocol: Protocol, out: &mut Vec<Output>) -> bool {
        let waiting = self.chargers.values().filter(|live| !live.charger.approved).count();
        if waiting >= WAITING_MAX {
            return false;
        }
        let charger = Charger {
            id: id.clone(),
            protocol,
            name: id.as_str().to_owned(),
            registered: self.next_registration(),
            approved: false,
            priority: 0,
            max: NEW_MAX,
            fallback: self.site.min_charge,
            circuit: self.circuits.root().clone(),
            wiring: match self.site.phases {
                PhaseCount::One => Wiring::single(),
                PhaseCount::Three => Wiring::three(),
            },
            connectors: 1,
            policy: domain::ChargerPolicy::default(),
        };
        self.chargers.insert(id.clone(), ChargerLive::new(charger.clone(), now));
        out.push(Output::Save(Record::Charger(charger)));
        out.extend(self.fit_fallbacks());
        self.review_alarms(now, out);
        true
    }

    pub(crate) fn next_registration(&self) -> u32 {
        self.chargers.values().map(|live| live.charger.registered).max().unwrap_or(0).saturating_add(1)
    }

    /// Anything from a charger proves its link.
    fn heard(&mut self, now: Now, id: &ChargerId, event: &ChargerEvent, out: &mut Vec<Output>) {
        let Some(live) = self.chargers.get_mut(id) else { return };
        let first = matches!(live.link, Link::Unheard { .. });
        let was_online = live.is_online();
        live.link = Link::Online;
        if was_online && *event != ChargerEvent::Connected {
            return;
        }
        let max = live.charger.max;
        for (number, connector) in &mut live.connectors {
            if first && self.ledger.running(id, *number).is_some() {
                connector.assume_profile(now, max);
            }
        }
        self.send_again(now, id, out);
    }

    /// Tells a charger everything it must know; after a reboot or a lost link it may have forgotten.
    pub(crate) fn send_again(&mut self, now: Now, id: &ChargerId, out: &mut Vec<Output>) {
        let Some(live) = self.chargers.get_mut(id) else { return };
        let approved = live.charger.approved;
        out.push(Output::Approved { charger: id.clone(), approved });
        out.push(Output::Fallback { charger: id.clone(), limit: live.fallback_in_force() });
        if !approved {
            return;
        }
        for (number, connector) in &mut live.connectors {
            if connector.adopt {
                continue;
            }
            connector.sent_at = Some(now.instant);
            let limit = connector.set;
            out.push(Output::Setpoint { charger: id.clone(), connector: *number, limit, change: Change::Renew });
        }
    }

    fn status(
        &mut self,
        now: Now,
        id: &ChargerId,
        connector: Option<ConnectorNumber>,
        status: ConnectorStatus,
        detail: StatusDetail,
        out: &mut Vec<Output>,
    ) {
        let Some(number) = connector.filter(|number| number.0 > 0) else {
            if let Some(live) = self.chargers.get_mut(id) {
                self.unsettled |= live.status != status;
                live.status = status;
            }
            return;
        };
        self.ensure_connector(now, id, number, out);
        let Some(connector) = self.connector_mut(&(id.clone(), number)) else { return };
        let is_news = connector.status != status;
        if connector.status == ConnectorStatus::SuspendedEv && status == ConnectorStatus::Charging {
            connector.wake(now);
        }
        connector.status = status;
        connector.detail = detail;
        connector.free_since = match status {
            ConnectorStatus::Available => connector.free_since.or(Some(now.instant)),
            ConnectorStatus::Preparing
            | ConnectorStatus::Charging
            | ConnectorStatus::SuspendedEv
            | ConnectorStatus::SuspendedEvse
            | ConnectorStatus::Finishing
            | ConnectorStatus::Reserved
            | ConnectorStatus::Unavailable
            | ConnectorStatus::Faulted
            | ConnectorStatus::Unknown => None,
        };
        self.unsettled |= is_news;
    }

    /// Chargers tell how many connectors they have by using them.
    fn ensure_connector(&mut self, now: Now, id: &ChargerId, number: ConnectorNumber, out: &mut Vec<Output>) {
        let Some(live) = self.chargers.get_mut(id) else { return };
        if number.0 <= live.charger.connectors || number.0 > CONNECTORS_MAX {
            return;
        }
        live.charger.connectors = number.0;
        for number in 1..=number.0 {
            live.connectors.entry(ConnectorNumber(number)).or_insert_with(|| ConnectorLive::new(now));
        }
        out.push(Output::Save(Record::Charger(live.charger.clone())));
        out.extend(self.fit_fallbacks());
    }

    fn is_approved(&self, id: &ChargerId) -> bool {
        self.chargers.get(id).is_some_and(|live| live.charger.approved)
    }

    /// What a card may do at a reader now.
    fn card_tapped(
        &mut self,
        now: Now,
        id: &ChargerId,
        connector: Option<ConnectorNumber>,
        card: &CardUid,
        out: &mut Vec<Output>,
    ) -> CardVerdict {
        match self.card_verdict(now, id, card, now.wall, out) {
            CardVerdict::Accepted { tenant } if !self.may_use(id, connector, card, tenant) => {
                self.refuse(now, id, card, CardVerdict::InUse, out);
                CardVerdict::InUse
            }
            verdict => verdict,
        }
    }

    /// What a card may do at all, with an unknown one offered to the enrolment and a refused one listed.
    fn card_verdict(
        &mut self,
        now: Now,
        id: &ChargerId,
        card: &CardUid,
        at: Timestamp,
        out: &mut Vec<Output>,
    ) -> CardVerdict {
        if !self.is_approved(id) {
            self.refuse(now, id, card, CardVerdict::NotApproved, out);
            return CardVerdict::NotApproved;
        }
        let verdict = match self.access.verdict(card) {
            CardVerdict::Unknown if !self.access.is_enrolling(now, id) => self.stranger_verdict(id),
            verdict => verdict,
        };
        let verdict = match verdict {
            CardVerdict::Accepted { tenant } => self.refusal(now, id, tenant, at).unwrap_or(verdict),
            verdict => verdict,
        };
        match verdict {
            CardVerdict::Unknown => match self.access.capture(now, card, Some(id)) {
                Capture::Bound(card) => {
                    out.push(Output::Save(Record::Card(card)));
                    self.clear_caches(out);
                }
                Capture::Waiting => {}
                Capture::Stranger => self.refuse(now, id, card, verdict, out),
            },
            CardVerdict::Blocked | CardVerdict::NotValid | CardVerdict::CapReached | CardVerdict::NotHere => {
                self.refuse(now, id, card, verdict, out);
            }
            CardVerdict::Accepted { .. } | CardVerdict::NotApproved | CardVerdict::InUse => {}
        }
        verdict
    }

    /// Whether a tenant may begin or end something here: a connector with their own session, or a free one
    /// while the card is not busy elsewhere.
    fn may_use(&self, id: &ChargerId, connector: Option<ConnectorNumber>, card: &CardUid, tenant: TenantId) -> bool {
        let Some(live) = self.chargers.get(id) else { return false };
        let mut free = false;
        for number in live.connectors.keys().filter(|number| connector.is_none_or(|only| only == **number)) {
            match self.ledger.running(id, *number).filter(|session| self.is_live(session)) {
                Some(session) if session.tenant == Some(tenant) => return true,
                Some(Session { tenant: Some(_), .. }) => {}
                Some(_) | None => free = true,
            }
        }
        free && !self.is_busy_elsewhere(id, card)
    }

    fn is_busy_elsewhere(&self, id: &ChargerId, card: &CardUid) -> bool {
        self.ledger.open().any(|session| {
            let same = session.card.as_ref().is_some_and(|other| self.access.is_same_card(other, card));
            same && session.charger != *id && self.is_live(session)
        })
    }

    /// Whether a car still hangs on an open session: a stale one must not block its card.
    pub(crate) fn is_live(&self, session: &Session) -> bool {
        let Some(live) = self.chargers.get(&session.charger).filter(|live| live.is_online()) else { return false };
        let current = self.ledger.running(&session.charger, session.connector).is_some_and(|s| s.id == session.id);
        current && live.connectors.get(&session.connector).is_some_and(|c| c.free_since.is_none())
    }

    fn refuse(&mut self, now: Now, id: &ChargerId, card: &CardUid, verdict: CardVerdict, out: &mut Vec<Output>) {
        let refused = RefusedCard { uid: card.clone(), charger: id.clone(), at: now.wall, verdict };
        self.access.refuse(refused.clone());
        out.push(Output::Save(Record::CardRefused(refused)));
    }

    /// Some chargers remember refused cards; what changed about cards must reach them.
    pub(crate) fn clear_caches(&self, out: &mut Vec<Output>) {
        let approved = self.chargers.values().filter(|live| live.charger.approved);
        out.extend(approved.map(|live| Output::ClearCache { charger: live.charger.id.clone() }));
    }

    fn session_started(
        &mut self,
        now: Now,
        id: &ChargerId,
        reply: ReplyKey,
        request: &StartRequest,
        out: &mut Vec<Output>,
    ) {
        self.ensure_connector(now, id, request.connector, out);
        let seen = self.ledger.find_start(id, request).map(|session| (session.id, session.tenant));
        let verdict = match &request.card {
            None if self.is_approved(id) => match self.stranger_verdict(id) {
                CardVerdict::Accepted { tenant } => {
                    self.refusal(now, id, tenant, request.at).unwrap_or(CardVerdict::Accepted { tenant })
                }
                verdict => verdict,
            },
            None => CardVerdict::NotApproved,
            Some(card) if seen.is_some() => self.verdict_again(now, id, card, seen),
            Some(card) => match self.card_verdict(now, id, card, request.at, out) {
                CardVerdict::Accepted { .. } if self.is_busy_elsewhere(id, card) => CardVerdict::InUse,
                verdict => verdict,
            },
        };
        let tenant = self.payer_of_start(verdict, request.card.as_ref());
        let Started { session, closed, replay } = self.ledger.start(now, id, request, tenant);
        let refused = matches!(verdict, CardVerdict::InUse | CardVerdict::NotValid | CardVerdict::NotHere);
        if refused && replay == Replay::New {
            self.in_use.insert(session.id);
        }
        out.extend(closed.into_iter().map(|closed| Output::Save(Record::Session(closed))));
        out.push(Output::Save(Record::Session(session.clone())));
        out.push(Output::StartAnswer { charger: id.clone(), reply, session: session.id, verdict });
        if replay == Replay::New && session.ended_at.is_none() {
            self.begin(now, &(id.clone(), request.connector), out);
        }
        self.unsettled = true;
    }

    /// Who pays for what a start brings. Energy that flows although the card was refused, as from a charger that was
    /// offline, is still theirs. A captured card is bound by now, but the tap that enrolled it does not charge.
    fn payer_of_start(&self, verdict: CardVerdict, card: Option<&CardUid>) -> Option<TenantId> {
        match verdict {
            CardVerdict::Accepted { tenant } => Some(tenant),
            CardVerdict::InUse | CardVerdict::NotValid | CardVerdict::CapReached | CardVerdict::NotHere => {
                self.access.verdict(card?).tenant()
            }
            CardVerdict::Unknown | CardVerdict::Blocked | CardVerdict::NotApproved => None,
        }
    }

    /// The verdict on a start that was seen before: what the session that it opened may do now.
    fn verdict_again(
        &self,
        now: Now,
        id: &ChargerId,
        card: &CardUid,
        seen: Option<(SessionId, Option<TenantId>)>,
    ) -> CardVerdict {
        match (seen, self.access.verdict(card)) {
            _ if !self.is_approved(id) => CardVerdict::NotApproved,
            (Some((session, _)), CardVerdict::Accepted { tenant }) if self.in_use.contains(&session) => {
                self.refusal(now, id, tenant, now.wall).unwrap_or(CardVerdict::InUse)
            }
            (Some((session, _)), _) if self.in_use.contains(&session) => CardVerdict::InUse,
            (Some((_, Some(tenant))), CardVerdict::Unknown)
                if self.stranger_verdict(id) == (CardVerdict::Accepted { tenant }) =>
            {
                CardVerdict::Accepted { tenant }
            }
            // It was enrolled since: the next tap charges.
            (Some((_, None)), CardVerdict::Accepted { .. }) => CardVerdict::Unknown,
            (_, verdict) => verdict,
        }
    }

    /// A new session: what was learnt of the car before is void, and the setpoint must reach it again.
    fn begin(&mut self, now: Now, key: &Connector, out: &mut Vec<Output>) {
        let approved = self.is_approved(&key.0);
        let Some(connector) = self.connector_mut(key) else { return };
        connector.forget_car();
        connector.free_since = None;
        if approved {
            connector.sent_at = Some(now.instant);
            let limit = connector.set;
            out.push(Output::Setpoint { charger: key.0.clone(), connector: key.1, limit, change: Change::Renew });
        }
    }

    fn session_stopped(
        &mut self,
        now: Now,
        id: &ChargerId,
        reply: ReplyKey,
        request: StopRequest,
        out: &mut Vec<Output>,
    ) {
        let stopped = self.ledger.stop(now, id, &request, self.rating(id));
        let tenant = stopped.session().and_then(|session| session.tenant);
        let verdict = request.card.as_ref().map(|card| match self.access.verdict(card) {
            CardVerdict::Accepted { tenant: other } if tenant.is_some_and(|tenant| tenant != other) => {
                CardVerdict::InUse
            }
            verdict => verdict,
        });
        match stopped {
            Stopped::Ended(session) => {
                self.in_use.remove(&session.id);
                self.moved.remove(&session.id);
                if let Some(connector) = self.connector_mut(&(id.clone(), session.connector)) {
                    connector.forget_car();
                }
                out.push(Output::Save(Record::Session(session)));
            }
            Stopped::Before(_) => {}
            Stopped::Orphan => {
                out.push(Output::Save(Record::OrphanStop(OrphanStop { charger: id.clone(), request })));
            }
        }
        out.push(Output::StopAnswer { charger: id.clone(), reply, verdict });
        self.unsettled = true;
    }

    pub(crate) fn rating(&self, id: &ChargerId) -> Rating {
        let max = self.chargers.get(id).map_or(NEW_MAX, |live| live.charger.max);
        Rating { max, voltage: self.site.nominal_voltage }
    }

    fn charger_measured(
        &mut self,
        now: Now,
        id: &ChargerId,
        connector: Option<ConnectorNumber>,
        session: Option<SessionId>,
        sample: &ChargerSample,
        out: &mut Vec<Output>,
    ) {
        let Some(live) = self.chargers.get(id) else { return };
        // The main meter of a charger with one connector is that connector's meter.
        let main = (live.connectors.len() == 1).then_some(ConnectorNumber(1));
        let Some(number) = connector.filter(|number| number.0 > 0).or(main) else { return };
        self.ensure_connector(now, id, number, out);
        let rating = self.rating(id);
        let running = self.ledger.running(id, number).map(|session| session.id);
        let ours = |session: &SessionId| self.ledger.find(*session).is_some_and(|s| s.charger == *id);
        if let (Some(session), Some(energy)) = (session.filter(ours).or(running), sample.energy)
            && let Some(changed) = self.ledger.measured(now, (id, session), (sample.at, energy), rating)
        {
            let energy = changed.energy;
            self.moved.insert(session);
            out.push(Output::Save(Record::SessionMeasured { session, at: sample.at, energy }));
        }
        // A backlog sent after an outage says nothing about now.
        if now.wall.0.saturating_sub(sample.at.0) > i64::try_from(READING_MAX_AGE.0).unwrap_or(i64::MAX) {
            return;
        }
        let Self { chargers, site, .. } = self;
        let Some(live) = chargers.get_mut(id) else { return };
        let Some(connector) = live.connectors.get_mut(&number) else { return };
        let wiring = &live.charger.wiring;
        let before = (connector.appetite == Appetite::Idle, connector.wiring_in_use(now, wiring).wires().len());
        connector.measured(now, wiring, site, sample);
        crate::obey::watch_appetite(now, site, connector);
        let woke = before.0 && connector.appetite != Appetite::Idle;
        if woke || connector.wiring_in_use(now, wiring).wires().len() > before.1 {
            self.unsettled = true;
        }
    }

    /// A connector that has been free for the grace time has no session any more, nor has a removed charger.
    pub(crate) fn close_free_connectors(&mut self, now: Now, out: &mut Vec<Output>) {
        let is_gone = |session: &&Session| !self.chargers.contains_key(&session.charger);
        let mut over: Vec<SessionId> = self.ledger.open().filter(is_gone).map(|session| session.id).collect();
        for (id, live) in self.chargers.iter().filter(|(_, live)| live.is_online()) {
            for (number, connector) in &live.connectors {
                if connector.free_since.is_some_and(|since| now.instant.since(since) >= FREE_GRACE) {
                    over.extend(self.ledger.running(id, *number).map(|session| session.id));
                }
            }
        }
        for id in over {
            self.lose(id, out);
        }
    }

    pub(crate) fn lose(&mut self, id: SessionId, out: &mut Vec<Output>) {
        let Some(session) = self.ledger.lose(id) else { return };
        self.moved.remove(&id);
        self.in_use.remove(&id);
        if let Some(connector) = self.connector_mut(&(session.charger.clone(), session.connector)) {
            connector.forget_car();
        }
        out.push(Output::Save(Record::Session(session)));
    }
}
