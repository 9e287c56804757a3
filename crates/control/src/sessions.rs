//! The ledger: one session per charging transaction, whatever chargers send, resend or never send.

use crate::register::{Register, Taken, plausible};
use domain::{
    ChargerId, ConnectorNumber, DurationMs, EndReason, Instant, MilliAmps, MilliVolts, Now, Provenance, Session,
    SessionId, SessionRef, StartRequest, StopReason, StopRequest, TenantId, Timestamp, WattHours,
};
use std::collections::BTreeMap;

/// How long an ended session is remembered: replays and late ends are older only after a repair, and the energy of
/// a whole month is summed from here.
const REMEMBERED: DurationMs = DurationMs::from_secs(32 * 24 * 3600);

/// Times of one start differ by no more than this when a charger repeats it.
const SAME_START: DurationMs = DurationMs::from_secs(600);

/// What limits the energy a charger can deliver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rating {
    pub(crate) max: MilliAmps,
    pub(crate) voltage: MilliVolts,
}

/// All open sessions and those that ended lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    open: BTreeMap<SessionId, Open>,
    /// Of the open ones, the one that runs at each connector: of several, the one that began last.
    running: BTreeMap<ChargerId, BTreeMap<ConnectorNumber, SessionId>>,
    ended: BTreeMap<SessionId, Session>,
    last: i32,
}

#[derive(Clone, Debug)]
struct Open {
    session: Session,
    register: Register,
    /// When the register last moved on, by the charger's clock.
    read_at: Timestamp,
    /// And when that reading arrived; `None` when that was in the run before.
    arrived: Option<Instant>,
    /// Readings from before this moment, by the charger's clock, are a backlog.
    newest_at: Timestamp,
}

impl Open {
    const fn new(session: Session, arrived: Option<Instant>) -> Self {
        let register = Register::new(session.meter_last, session.energy);
        let read_at = session.started_at;
        Self { register, read_at, arrived, newest_at: read_at, session }
    }

    fn take(&mut self, now: Now, (at, value): (Timestamp, WattHours), rating: Rating) -> Taken {
        let told = DurationMs(u64::try_from(at.0.saturating_sub(self.read_at.0)).unwrap_or(0));
        // A charger's clock may be set back meanwhile; the time that passed here bounds the energy too.
        let passed = self.arrived.map_or(DurationMs(0), |arrived| now.instant.since(arrived));
        let taken = self.register.take(value, plausible(told.max(passed), rating.max.0, rating.voltage));
        if taken == Taken::Counted {
            self.read_at = self.read_at.max(at);
            self.newest_at = self.newest_at.max(at);
            self.arrived = Some(now.instant);
        }
        self.session.meter_last = self.register.last;
        self.session.energy = self.register.energy;
        taken
    }
}

/// What a start came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) session: Session,
    /// Sessions this start proved to be over; they are to be kept too.
    pub(crate) closed: Vec<Session>,
    /// Whether this start was seen before.
    pub(crate) replay: Replay,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    New,
    Seen,
}

/// What a stop came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// This session ended now, or its estimated end was replaced by the real one.
    Ended(Session),
    /// It ended before, with a real end: a replay.
    Before(Session),
    /// No session fits.
    Orphan,
}

impl Stopped {
    pub(crate) const fn session(&self) -> Option<&Session> {
        match self {
            Self::Ended(session) | Self::Before(session) => Some(session),
            Self::Orphan => None,
        }
    }
}

impl Ledger {
    pub(crate) fn new(
        now: Now,
        open: Vec<Session>,
        read_at: &[(SessionId, Timestamp)],
        recent: Vec<Session>,
        last: SessionId,
    ) -> Self {
        // What is read from now on is newer than what was kept; what was measured before is a backlog.
        let restored = |session: Session| {
            let known = read_at.iter().find(|(id, _)| *id == session.id).map(|(_, at)| *at);
            let read_at = known.unwrap_or(session.started_at).max(session.started_at);
            Open { newest_at: now.wall, read_at, ..Open::new(session, None) }
        };

        let top = open.iter().chain(&recent).map(|s| s.id.0).max().unwrap_or(0).max(last.0).max(0);
        let mut ledger = Self {
            open: open.into_iter().map(|s| (s.id, restored(s))).collect(),
            running: BTreeMap::new(),
            ended: recent.into_iter().map(|s| (s.id, s)).collect(),
            last: top,
        };
        ledger.index();
        ledger
    }

    fn index(&mut self) {
        self.running.clear();
        let mut order: Vec<&Session> = self.open.values().map(|open| &open.session).collect();
        order.sort_by_key(|session| (session.started_at, session.id));
        for session in order {
            self.running.entry(session.charger.clone()).or_default().insert(session.connector, session.id);
        }
    }

    /// The session that runs at a connector.
    pub(crate) fn running(&self, charger: &ChargerId, connector: ConnectorNumber) -> Option<&Session> {
        let id = self.running.get(charger)?.get(&connector)?;
        self.open.get(id).map(|open| &open.session)
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = &Session> {
        self.open.values().map(|open| &open.session)
    }

    /// All that is remembered, open or ended.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Session> {
        self.open().chain(self.ended.values())
    }

    /// Takes what a person changed about a session; nothing happens to one that is not remembered.
    pub(crate) fn replace(&mut self, session: Session) {
        if session.ended_at.is_some() {
            if self.open.remove(&session.id).is_some() || self.ended.contains_key(&session.id) {
                self.ended.insert(session.id, session);
                self.index();
            }
        } else if let Some(open) = self.open.get_mut(&session.id) {
            open.session.tenant = session.tenant;
        }
    }

    /// Whether this very start was seen before; chargers repeat it until they get an answer. A time that had to
    /// be corrected comes out a little different each time, which the session that runs here forgives.
    pub(crate) fn find_start(&self, charger: &ChargerId, request: &StartRequest) -> Option<&Session> {
        let same = |session: &&Session| {
            session.charger == *charger
                && session.connector == request.connector
                && session.card == request.card
                && session.meter_start == request.meter
        };
        let about_then = |session: &&Session| {
            // A register that counts on never shows one value at two starts; one that begins at zero does.
            request.provenance == Provenance::ClockCorrected
                || !request.meter.is_zero()
                || session.started_at.0.abs_diff(request.at.0) <= SAME_START.0
        };
        self.open()
            .chain(self.ended.values())
            .filter(same)
            .find(|session| session.started_at == request.at)
            .or_else(|| self.running(charger, request.connector).filter(same).filter(about_then))
    }

    /// Takes a start. It always gets an identity; the same start always gets the same one.
    pub(crate) fn start(
        &mut self,
        now: Now,
        charger: &ChargerId,
        request: &StartRequest,
        tenant: Option<TenantId>,
    ) -> Started {
        if let Some(session) = self.find_start(charger, request) {
            return Started { session: session.clone(), closed: Vec::new(), replay: Replay::Seen };
        }
        self.last = self.last.saturating_add(1);
        let session = Session {
            id: SessionId(self.last),
            charger: charger.clone(),
            connector: request.connector,
            card: request.card.clone(),
            tenant,
            started_at: request.at,
            ended_at: None,
            meter_start: request.meter,
            meter_last: request.meter,
            energy: WattHours::ZERO,
            provenance: request.provenance,
            end_reason: None,
        };
        let here: Vec<(SessionId, Timestamp)> = self
            .open()
            .filter(|s| s.charger == *charger && s.connector == request.connector)
            .map(|s| (s.id, s.started_at))
            .collect();
        self.open.insert(session.id, Open::new(session.clone(), Some(now.instant)));
        self.index();
        // A connector has one session: whichever began earlier is over, also when its start came late.
        let mut closed = Vec::new();
        let newest = here.iter().map(|(_, at)| *at).max();
        if newest.is_some_and(|newest| newest > request.at) {
            closed.extend(self.lose(session.id));
        }
        for (id, at) in here {
            if at <= request.at {
                closed.extend(self.lose(id));
            }
        }
        let session = closed.iter().find(|s| s.id == session.id).cloned().unwrap_or(session);
        Started { session, closed, replay: Replay::New }
    }

    /// Closes a session whose end never came, with the last register seen.
    pub(crate) fn lose(&mut self, id: SessionId) -> Option<Session> {
        let mut open = self.open.remove(&id)?;
        self.index();
        open.session.ended_at = Some(open.read_at);
        open.session.provenance = Provenance::Estimated;
        open.session.end_reason = Some(EndReason::Lost);
        self.ended.insert(id, open.session.clone());
        Some(open.session)
    }

    /// Takes a stop. A stop that names no session of ours is placed by charger, card and time.
    pub(crate) fn stop(&mut self, now: Now, charger: &ChargerId, request: &StopRequest, rating: Rating) -> Stopped {
        let named = match request.session {
            SessionRef::Known(id) => self.find(id).filter(|session| session.charger == *charger).map(|s| s.id),
            SessionRef::Unknown => None,
        };
        let Some(id) = named.or_else(|| self.resolve(charger, request)) else { return Stopped::Orphan };
        let Some(mut open) = self.open.remove(&id).or_else(|| self.reopen(id)) else {
            return self.ended.get(&id).cloned().map_or(Stopped::Orphan, Stopped::Before);
        };
        self.index();
        let taken = open.take(now, (request.at, request.meter), rating);
        open.session.ended_at = Some(request.at.max(open.session.started_at));
        open.session.provenance = match taken {
            Taken::Counted => open.session.provenance.max(request.provenance),
            Taken::Doubted => Provenance::Estimated,
        };
        open.session.end_reason = Some(end_reason(request.reason));
        self.ended.insert(id, open.session.clone());
        Stopped::Ended(open.session)
    }

    /// A session that was only presumed over, so that its real end can replace the estimate.
    fn reopen(&self, id: SessionId) -> Option<Open> {
        let mut session = self.ended.get(&id).filter(|s| s.end_reason == Some(EndReason::Lost)).cloned()?;
        session.provenance = Provenance::Measured;
        let read_at = session.ended_at.unwrap_or(session.started_at);
        Some(Open { read_at, ..Open::new(session, None) })
    }

    fn resolve(&self, charger: &ChargerId, request: &StopRequest) -> Option<SessionId> {
        let fits = |session: &&Session| session.charger == *charger && session.started_at <= request.at;
        let same_card = |session: &&Session| request.card.is_none() || session.card == request.card;
        let replayed = self.ended.values().filter(fits).find(|session| {
            session.ended_at == Some(request.at) && session.meter_last == request.meter && same_card(session)
        });
        if let Some(session) = replayed {
            return Some(session.id);
        }
        let newest = |session: &&Session| session.started_at;
        let lost = |session: &&Session| session.end_reason == Some(EndReason::Lost) && request.card.is_some();
        // Any card of the tenant may end a session, so one that fits only by place and time is better than none.
        let mut here = self.open().filter(fits);
        let only = here.next().filter(|_| here.next().is_none());
        self.open()
            .filter(fits)
            .filter(same_card)
            .max_by_key(newest)
            .or_else(|| self.ended.values().filter(fits).filter(same_card).filter(lost).max_by_key(newest))
            .or(only)
            .map(|session| session.id)
    }

    /// All sessions of a tenant that are remembered.
    pub(crate) fn of_tenant(&self, tenant: TenantId) -> impl Iterator<Item = &Session> {
        self.open().chain(self.ended.values()).filter(move |session| session.tenant == Some(tenant))
    }

    /// Sessions that ended and are remembered.
    pub(crate) fn ended(&self) -> impl Iterator<Item = &Session> {
        self.ended.values()
    }

    pub(crate) fn find(&self, id: SessionId) -> Option<&Session> {
        self.open.get(&id).map(|open| &open.session).or_else(|| self.ended.get(&id))
    }

    /// Takes a register reading for an open session of this charger. Gives the session when it changed.
    pub(crate) fn measured(
        &mut self,
        now: Now,
        (charger, id): (&ChargerId, SessionId),
        (at, value): (Timestamp, WattHours),
        rating: Rating,
    ) -> Option<&Session> {
        let ours = |open: &&mut Open| open.session.charger == *charger && at >= open.session.started_at;
        let open = self.open.get_mut(&id).filter(ours)?;
        // Older and no higher: a backlog among live readings, not a register that fell.
        if at < open.newest_at && value <= open.session.meter_last {
            return None;
        }
        let before = (open.session.meter_last, open.session.energy);
        open.take(now, (at, value), rating);
        (before != (open.session.meter_last, open.session.energy)).then_some(&open.session)
    }

    /// Forgets what ended too long ago to matter.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        let oldest = now - REMEMBERED;
        self.ended.retain(|_, session| session.ended_at.is_none_or(|at| at >= oldest));
    }
}

const fn end_reason(reason: StopReason) -> EndReason {
    match reason {
        StopReason::Local => EndReason::Card,
        StopReason::Remote => EndReason::Manager,
        StopReason::EvDisconnected => EndReason::Unplugged,
        StopReason::PowerLoss => EndReason::PowerLoss,
        StopReason::Other => EndReason::Charger,
    }
}
