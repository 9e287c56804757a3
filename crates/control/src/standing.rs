//! What each connector is to the division of current: one who shares, a load that is counted, or nothing.

use crate::access::Access;
use crate::sessions::Ledger;
use crate::state::{Appetite, ChargerLive, ConnectorLive, Draw, Link, SETTLE};
use crate::{Reason, per_connector::PerConnector, plan::Connector};
use domain::{
    CardUid, ConnectorNumber, ConnectorStatus, DurationMs, Hold, Instant, LocalTime, MilliAmps, Now, OwnChargerUse,
    Pacing, Protocol, Session, SessionId, Site, TenantId,
};
use std::collections::{BTreeMap, BTreeSet};

/// A live profile ends by itself within this time when nobody renews it, and the fallback takes over.
pub(crate) const PROFILE_LIFE: DurationMs = DurationMs::from_secs(120);
/// A link may be dead for this long before anybody knows: until then a cut without an answer may not have arrived.
pub(crate) const UNANSWERED: DurationMs = DurationMs::from_secs(40);
/// What an idle car may still take for its electronics; counted in its place.
pub(crate) const IDLE_RESERVE: MilliAmps = MilliAmps::from_amps(1);
/// Above this a connector that should be off is drawing.
const DRAWING: MilliAmps = MilliAmps::from_amps(1);

/// What a connector is to the division.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It shares; `boost` is added to the charger's priority.
    Demand { max: MilliAmps, from: MaxFrom, boost: i32 },
    /// It takes this much whatever is decided, and is told `set`.
    Counted { amount: MilliAmps, set: MilliAmps, reason: Reason },
    /// It gets nothing.
    Nothing(Reason),
}

/// What sets the most a connector can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxFrom {
    Charger,
    Manager,
    /// The maximum power of its tenant.
    Tenant,
    /// The car, which takes this much.
    Car(MilliAmps),
}

/// The standing of every connector where something happens.
pub(crate) type Standings = PerConnector<Standing>;

/// Whether a session may have current.
pub(crate) fn is_authorised(
    access: &Access,
    in_use: &BTreeSet<SessionId>,
    live: &ChargerLive,
    session: &Session,
) -> bool {
    // Where the owner pays for strangers, their cards need not be known, only not be blocked.
    let by_terms = session.tenant.map(|tenant| (tenant, OwnChargerUse::OwnerPays));
    let owner_pays = access.owner(&session.charger) == by_terms || live.charger.policy.owner == session.tenant;
    let may_charge = |uid: &CardUid| access.is_active(uid) || owner_pays && !access.cards.contains_key(uid);
    session.tenant.is_some() && !in_use.contains(&session.id) && session.card.as_ref().is_none_or(may_charge)
}

/// What all standings depend on beside the charger itself.
pub(crate) struct Surroundings<'a> {
    pub(crate) now: Now,
    pub(crate) local: LocalTime,
    pub(crate) site: &'a Site,
    pub(crate) access: &'a Access,
    pub(crate) ledger: &'a Ledger,
    pub(crate) in_use: &'a BTreeSet<SessionId>,
    /// Most current per wire of sessions whose tenant has a maximum power; nothing for those that have to wait.
    pub(crate) limits: &'a BTreeMap<SessionId, MilliAmps>,
    /// Tenants that used their energy of the month.
    pub(crate) capped: &'a BTreeSet<TenantId>,
    /// Whether the guard follows cars.
    pub(crate) is_guarded: bool,
    /// When a better period begins for cars that wait for one.
    pub(crate) better: &'a BTreeMap<Connector, Instant>,
}

impl Surroundings<'_> {
    /// The standings of one charger's connectors. Together they never count more than the charger can draw.
    pub(crate) fn of(&self, live: &ChargerLive, standings: &mut Standings) {
        let drawn = |connector: &ConnectorLive| connector.draw(self.now).map(Draw::fullest).unwrap_or_default();
        // What was measured can be drawn, whatever maximum is configured.
        let mut left = live.charger.max.max(live.fallback_in_force()).max(live.connectors.values().map(drawn).sum());
        for (number, connector) in &live.connectors {
            if self.rests(live, *number, connector) {
                continue;
            }
            let mut standing = self.standing(live, *number, connector);
            if let Standing::Counted { amount, .. } = &mut standing {
                *amount = (*amount).min(left);
                left = left.saturating_sub(*amount);
            }
            standings.insert((live.charger.id.clone(), *number), standing);
        }
    }

    /// Whether nothing happens at a connector, as everybody was told: it has no standing then, and costs no time. The guard
    /// wants to see everybody.
    fn rests(&self, live: &ChargerLive, number: ConnectorNumber, connector: &ConnectorLive) -> bool {
        let is_idle = connector.set.is_zero() && !connector.adopt && matches!(connector.reason, Reason::Idle);
        is_idle
            && !self.is_guarded
            && live.charger.approved
            && live.is_online()
            && live.charger.protocol != Protocol::Metered
            && !connector.disobeys
            && connector.is_told()
            && self.ledger.running(&live.charger.id, number).is_none()
    }

    fn standing(&self, live: &ChargerLive, number: ConnectorNumber, connector: &ConnectorLive) -> Standing {
        let session = self.ledger.running(&live.charger.id, number);
        let max = live.charger.max.max(connector.draw(self.now).map(Draw::fullest).unwrap_or_default());
        if !live.charger.approved {
            let draws = connector.draw(self.now).is_some_and(|draw| draw.fullest() > DRAWING);
            if draws || connector.status == ConnectorStatus::Charging {
                return Standing::Counted { amount: max, set: MilliAmps::ZERO, reason: Reason::NotApproved };
            }
            return Standing::Nothing(Reason::NotApproved);
        }
        if live.charger.protocol == Protocol::Metered {
            return self.metered(live, connector, session);
        }
        if connector.disobeys || (connector.refuses && session.is_some() && self.may_have_profile(live.link)) {
            // What does not keep a limit while it can be told one is not trusted to keep its fallback either.
            let is_told = session.is_some() && live.is_online();
            let set = if is_told { self.site.min_charge } else { MilliAmps::ZERO };
            return Standing::Counted { amount: max, set, reason: Reason::Disobeys { counted: max } };
        }
        // The published rule takes a cut as done when it is sent.
        let judged = session.is_some() && live.is_online() && self.site.pacing != Pacing::Published;
        if let Some(held) = connector.overdue(self.now).filter(|_| judged) {
            let reason = Reason::Disobeys { counted: held };
            return Standing::Counted { amount: held, set: connector.set, reason };
        }
        match live.link {
            Link::Online => {}
            Link::Offline { since } => return self.unreachable(live, connector, since),
            Link::Unheard { .. } => return self.unheard(live, session),
        }
        let Some(session) = session else { return Standing::Nothing(Reason::Idle) };
        if live.hold == Some(Hold::Paused) {
            return Standing::Nothing(Reason::Paused);
        }
        if !live.charger.policy.is_open(self.local, &self.site.rules.off_peak) {
            return Standing::Nothing(Reason::OutsideTimes);
        }
        if !is_authorised(self.access, self.in_use, live, session) {
            return Standing::Nothing(Reason::NotAuthorised);
        }
        if session.tenant.is_some_and(|tenant| self.capped.contains(&tenant)) {
            return Standing::Nothing(Reason::CapReached);
        }
        if self.limits.get(&session.id).is_some_and(|limit| limit.is_zero()) {
            return Standing::Nothing(Reason::TenantLimit);
        }
        let out_of_service = |status| matches!(status, ConnectorStatus::Faulted | ConnectorStatus::Unavailable);
        if out_of_service(connector.status) || out_of_service(live.status) {
            return Standing::Nothing(Reason::Idle);
        }
        if let Some(until) = connector.standby_until
            && until > self.now.instant
        {
            return Standing::Nothing(Reason::WaitingHold { remaining: until.since(self.now.instant) });
        }
        if let Some(reason) = &connector.kept_out {
            return Standing::Nothing(reason.clone());
        }
        if let Some(attempt) = connector.wake.attempt(self.now.instant) {
            // Its minimum is kept for the moment it is back.
            let reason = Reason::Waking { attempt };
            return Standing::Counted { amount: self.site.min_charge, set: MilliAmps::ZERO, reason };
        }
        if let Some(until) = self.better.get(&(live.charger.id.clone(), number)).filter(|at| **at > self.now.instant) {
            return Standing::Nothing(Reason::WaitingForPrice { remaining: until.since(self.now.instant) });
        }
        self.demand(live, connector, session)
    }

    /// A charger that nobody can tell anything: while a car charges, or its meter is silent, it may draw all it can.
    /// Between sessions it counts like any other consumer, when it begins.
    fn metered(&self, live: &ChargerLive, connector: &ConnectorLive, session: Option<&Session>) -> Standing {
        if live.is_online() && session.is_none() && connector.draw(self.now).is_some() {
            return Standing::Nothing(Reason::Idle);
        }
        let amount = live.charger.max.max(connector.draw(self.now).map(Draw::fullest).unwrap_or_default());
        let reason = match live.link {
            Link::Online => Reason::Disobeys { counted: amount },
            Link::Offline { .. } | Link::Unheard { .. } => Reason::Offline { counted: amount },
        };
        Standing::Counted { amount, set: amount, reason }
    }

    fn demand(&self, live: &ChargerLive, connector: &ConnectorLive, session: &Session) -> Standing {
        let of_card = session.card.as_ref().and_then(|card| self.access.cards.get(card)).and_then(|c| c.policy.max);
        let most = [live.charger.policy.fixed, of_card].into_iter().flatten().fold(live.most(), MilliAmps::min);
        let from = if most < live.charger.max { MaxFrom::Manager } else { MaxFrom::Charger };
        let (most, from) = match self.limits.get(&session.id) {
            Some(limit) if *limit < most => (*limit, MaxFrom::Tenant),
            Some(_) | None => (most, from),
        };
        let tenant = session.tenant.and_then(|tenant| self.access.tenants.get(&tenant));
        let boost = tenant.map_or(0, |tenant| tenant.terms.priority);
        if self.site.pacing == Pacing::Published {
            return Standing::Demand { max: most, from, boost };
        }
        let taken = connector.draw(self.now).map(Draw::fullest).unwrap_or_default();
        match connector.appetite {
            Appetite::Idle if !connector.set.is_zero() => Standing::Counted {
                amount: taken + IDLE_RESERVE,
                set: self.site.min_charge,
                reason: Reason::CarTakesLess { measured: taken },
            },
            Appetite::Capped(cap) if cap < most => Standing::Demand { max: cap, from: MaxFrom::Car(taken), boost },
            Appetite::Open | Appetite::Idle | Appetite::Capped(_) => Standing::Demand { max: most, from, boost },
        }
    }

    /// Whether a live profile may be in force.
    const fn may_have_profile(&self, link: Link) -> bool {
        match link {
            Link::Online => true,
            Link::Offline { since } | Link::Unheard { since } => self.now.instant.since(since).0 <= PROFILE_LIFE.0,
        }
    }

    /// While its last profile may live it draws up to that, then its fallback.
    fn unreachable(&self, live: &ChargerLive, connector: &ConnectorLive, since: Instant) -> Standing {
        let fallback = live.fallback_in_force();
        if self.may_have_profile(live.link) {
            // A cut it never answered may not have reached it.
            let back = if connector.answered { SETTLE } else { UNANSWERED };
            let amount = connector.largest_set(since, back).max(connector.set).max(fallback);
            return Standing::Counted { amount, set: connector.set, reason: Reason::Offline { counted: amount } };
        }
        Standing::Counted { amount: fallback, set: MilliAmps::ZERO, reason: Reason::Offline { counted: fallback } }
    }

    /// Not heard since the program started: a profile of the run before may still live where a session runs.
    fn unheard(&self, live: &ChargerLive, session: Option<&Session>) -> Standing {
        let fallback = live.fallback_in_force();
        let (amount, reason) = match (self.may_have_profile(live.link), session) {
            (true, Some(_)) => (live.charger.max, Reason::Unheard { counted: live.charger.max }),
            (true, None) => (fallback, Reason::Unheard { counted: fallback }),
            (false, _) => (fallback, Reason::Offline { counted: fallback }),
        };
        Standing::Counted { amount, set: MilliAmps::ZERO, reason }
    }
}

/// What a car may draw that is told `set`, before it is called disobedient: 10 % and 0.5 A more.
pub(crate) const fn tolerated(set: MilliAmps) -> MilliAmps {
    MilliAmps(set.0.saturating_add(set.0 / 10).saturating_add(500))
}

/// What a connector may still draw beyond its setpoint because a cut has not been seen to take effect.
pub(crate) fn lingering(now: Now, connector: &ConnectorLive) -> MilliAmps {
    let cut_at = connector.set_since();
    let hold = if connector.answered { SETTLE } else { UNANSWERED };
    match connector.draw(now).filter(|draw| draw.at > cut_at) {
        Some(draw) if draw.fullest() <= tolerated(connector.set) => MilliAmps::ZERO,
        Some(draw) => draw.fullest(),
        None if now.instant.since(cut_at) <= hold => connector.largest_set(now.instant, hold),
        None => MilliAmps::ZERO,
    }
}
