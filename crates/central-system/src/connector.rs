//! What is known of one connector.

use crate::measure::RegisterScale;
use crate::profile::RENEW_AFTER;
use domain::{
    CardUid, ChargerSample, ConnectorStatus, DurationMs, Instant, MilliAmps, SessionId, Timestamp, WattHours,
};

/// A limit someone wants, with its place in the order of such wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    limit: MilliAmps,
    order: u64,
}

/// A limit the charger took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Installed {
    session: SessionId,
    limit: MilliAmps,
    renew_at: Instant,
}

/// How urgent a limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// The charger may draw more than it should: before anything else.
    Cut,
    /// A raise, or the present limit again before it ends.
    Raise,
}

/// One connector.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connector {
    pub(crate) session: Option<SessionId>,
    /// When it began, by the charger's corrected clock.
    began_at: Option<Timestamp>,
    /// The card that started the session, to recognise it under a garbled name.
    pub(crate) card: Option<CardUid>,
    pub(crate) status: ConnectorStatus,
    /// Newest register, standing in for one a message leaves out.
    pub(crate) register: Option<WattHours>,
    pub(crate) scale: RegisterScale,
    pub(crate) values_at: Instant,
    pub(crate) polled_at: Instant,
    /// The charger says that the car is gone, although no end of the session has come.
    is_over: bool,
    wish: Option<Wish>,
    installed: Option<Installed>,
}

impl Connector {
    /// Wants a limit; the newest wish is the only one.
    pub(crate) const fn wish(&mut self, limit: MilliAmps, order: u64) {
        self.wish = Some(Wish { limit, order });
    }

    /// A session that began `at` is confirmed. Where an earlier one still ran, wishes up to `stale` belonged to it; where
    /// a later one runs, the start of this one came late and it is over.
    pub(crate) fn begin(&mut self, session: SessionId, at: Timestamp, card: Option<CardUid>, stale: u64) {
        if self.session.is_some_and(|running| running != session) && self.began_at.is_some_and(|began| began > at) {
            return;
        }
        if self.session != Some(session) {
            self.wish = self.wish.filter(|wish| self.session.is_none() || wish.order > stale);
            self.installed = None;
            self.is_over = false;
        }
        (self.session, self.began_at, self.card) = (Some(session), Some(at), card);
    }

    /// The session ended.
    pub(crate) fn end(&mut self, stale: u64) {
        self.wish = self.wish.filter(|wish| wish.order > stale);
        (self.session, self.card, self.installed) = (None, None, None);
    }

    /// The charger reports a state. Some ignore the limit they got while they paused, so it is sent again
    /// when energy flows.
    pub(crate) fn reports(&mut self, status: ConnectorStatus) {
        let resumes = status == ConnectorStatus::Charging && self.status != ConnectorStatus::Charging;
        if let Some(installed) = self.installed.as_mut().filter(|_| resumes) {
            installed.renew_at = Instant(0);
        }
        self.is_over = matches!(status, ConnectorStatus::Available | ConnectorStatus::Finishing);
        self.status = status;
    }

    /// The charger measured: energy that flows contradicts a session that is over.
    pub(crate) fn measured(&mut self, sample: &ChargerSample) {
        let flows = sample.power.is_some_and(|power| power.0 > 0)
            || sample.current_per_wire.iter().any(|current| current.0 > 0);
        self.is_over = self.is_over && !flows;
    }

    /// Nothing the charger took before a restart or a lost connection is certain any more.
    pub(crate) const fn forget_installed(&mut self) {
        self.installed = None;
    }

    /// The limit the charger holds, and for which session.
    pub(crate) fn held(&self) -> Option<(SessionId, MilliAmps)> {
        self.installed.map(|installed| (installed.session, installed.limit))
    }

    /// The limit that has to be sent now, if any. `fallback` is what the charger holds by itself, if known.
    pub(crate) fn due(&self, now: Instant, fallback: Option<MilliAmps>) -> Option<(SessionId, MilliAmps, Urgency)> {
        // Between sessions the charger refuses a limit that names one.
        let (session, wish) = (self.session.filter(|_| !self.is_over)?, self.wish?);
        let held = self.installed.filter(|installed| installed.session == session);
        let urgency = match held {
            Some(held) if held.limit == wish.limit && now < held.renew_at => return None,
            Some(held) if held.limit > wish.limit => Urgency::Cut,
            Some(_) => Urgency::Raise,
            None if fallback.is_some_and(|fallback| fallback <= wish.limit) => Urgency::Raise,
            None => Urgency::Cut,
        };
        Some((session, wish.limit, urgency))
    }

    /// The charger took a limit sent at `sent_at`; true when it did not hold this limit already.
    pub(crate) fn installed(&mut self, session: SessionId, limit: MilliAmps, sent_at: Instant) -> bool {
        let is_new = self.installed.is_none_or(|held| held.session != session || held.limit != limit);
        if self.session == Some(session) {
            self.installed = Some(Installed { session, limit, renew_at: sent_at + RENEW_AFTER });
        }
        is_new
    }

    /// Whether a running session has been silent long enough to ask for values.
    pub(crate) fn wants_poll(&self, now: Instant, silence: DurationMs) -> bool {
        self.session.is_some()
            && self.status == ConnectorStatus::Charging
            && now.since(self.values_at) >= silence
            && now.since(self.polled_at) >= silence
    }
}
