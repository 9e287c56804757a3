//! Lets the slow planner look at the site, and keeps what it said for the fast divisions.

use crate::pace::Assessment;
use crate::plan::Connector;
use crate::planner::{Branch, CarFacts, Facts, Guidance, LocalMinute, PastSession, Period, Planner};
use crate::standing::Standing;
use crate::state::{Appetite, ConnectorLive, SETTLE};
use crate::{Control, Reason};
use allocator::Guide;
use domain::{
    ChargingTimes, DurationMs, Instant, LocalTime, MilliAmps, Now, Pacing, Pausing, Session, SessionId, Timestamp,
    WattHours, Wiring,
};
use std::collections::BTreeMap;

/// The planner looks this often, and whenever a session begins or ends.
const LOOK_EVERY: DurationMs = DurationMs::from_secs(60);
/// Prices change by the quarter hour at most.
const PERIOD_MIN: u32 = 15;
/// How far ahead better periods are looked for: prices are known until the end of the next day.
const PERIODS: u32 = 36 * 60 / PERIOD_MIN;
/// Energy counts as received lately for a week: everybody charges once in one.
const LATELY: DurationMs = DurationMs(7 * 24 * 3_600_000);

/// The planner and its newest guidance.
#[derive(Debug, Default)]
pub(crate) struct Guides {
    planner: Planner,
    guidance: Guidance,
    looked_at: Option<Instant>,
    /// Something changed since.
    is_due: bool,
    /// The sessions it saw, and whether their car was full when it last looked.
    seen: BTreeMap<SessionId, bool>,
    card_priority: BTreeMap<Connector, i32>,
    /// When the better period begins that a car waits for.
    pub(crate) better: BTreeMap<Connector, Instant>,
}

impl Guides {
    /// What the planner said of a connector; before its first look everybody is alike.
    pub(crate) fn of(&self, key: &Connector) -> Guide {
        if self.looked_at.is_none() { Guide::default() } else { self.guidance.of(key) }
    }

    /// Something changed that the next division is to know.
    pub(crate) fn look_again(&mut self) {
        self.is_due = true;
    }

    /// The priority of the card that began the session at a connector, where the card has one.
    pub(crate) fn card_priority(&self, key: &Connector) -> Option<i32> {
        self.card_priority.get(key).copied()
    }

    /// Learns from sessions that ended before the program started.
    pub(crate) fn remember<'a>(&mut self, now: Now, local: LocalMinute, sessions: impl Iterator<Item = &'a Session>) {
        for session in sessions {
            let Some(past) = past(now, local, session) else { continue };
            self.planner.left(&past);
            self.planner.filled(&past);
        }
    }
}

impl Control {
    /// Learns from the last minute and looks ahead, when it is time to. The preset `published` knows no planner.
    pub(crate) fn look_ahead(&mut self, now: Now) {
        if self.site.pacing == Pacing::Published {
            return;
        }
        let open: BTreeMap<SessionId, bool> =
            self.ledger.open().map(|session| (session.id, self.is_full(session))).collect();
        let same = open.keys().eq(self.guides.seen.keys());
        let is_due = std::mem::take(&mut self.guides.is_due);
        if same && !is_due && self.guides.looked_at.is_some_and(|at| now.instant.since(at).0 < LOOK_EVERY.0) {
            return;
        }
        let local = self.local(now.wall);
        if self.guides.looked_at.is_none() {
            self.guides.remember(now, local, self.ledger.ended());
        }
        for (id, was_full) in std::mem::replace(&mut self.guides.seen, open) {
            let ended = self.ledger.find(id).filter(|session| session.ended_at.is_some());
            let Some(past) = ended.and_then(|session| past(now, local, session)) else { continue };
            self.guides.planner.left(&past);
            if was_full {
                self.guides.planner.filled(&past);
            }
        }
        self.guides.card_priority = self.card_priorities();
        let assessment = self.assess(now);
        let branches = self.branches(&assessment);
        let cars = self.cars(now, &assessment);
        let periods = if cars.iter().any(|car| car.thrifty) { self.periods(now) } else { Vec::new() };
        let facts = Facts {
            now: now.instant,
            local,
            volts: self.site.nominal_voltage.0 / 1000,
            min: self.site.min_charge,
            sharing: self.site.rules.sharing,
            branches: &branches,
            cars: &cars,
            periods: &periods,
        };
        self.guides.guidance = self.guides.planner.update(&facts);
        let begins = |minutes: u32| now.instant + DurationMs(u64::from(minutes) * 60_000);
        let waits =
            cars.iter().filter_map(|car| Some((car.place.clone(), begins(self.guides.guidance.waits(&car.place)?))));
        self.guides.better = waits.collect();
        self.guides.looked_at = Some(now.instant);
    }

    /// The coming hours by the quarter: prices of the feed or else of the off-peak times, and the room that the building
    /// is expected to leave. Empty when nothing makes one period better than another.
    fn periods(&self, now: Now) -> Vec<Period> {
        let off_peak = &self.site.rules.off_peak;
        if self.outlook.is_none() && off_peak.is_empty() {
            return Vec::new();
        }
        let local = self.local(now.wall);
        let into = u32::try_from(local.0.rem_euclid(i64::from(PERIOD_MIN))).unwrap_or(0);
        let mut begins: u32 = 0;
        let period = |number: u32| {
            let minutes = if number == 0 { PERIOD_MIN - into } else { PERIOD_MIN };
            let at = now.wall + DurationMs(u64::from(begins) * 60_000);
            let known = self.outlook.as_ref().and_then(|outlook| outlook.at(at));
            let by_times = || {
                let cheap = off_peak.iter().any(|window| window.contains(LocalTime::of(at, self.offset)));
                if cheap { 0 } else { 1_000_000 }
            };
            let price_micro = match &self.outlook {
                Some(_) => known.and_then(|period| period.price_micro),
                None => Some(by_times()),
            };
            let surplus_w = known.and_then(|period| period.surplus).map_or(0, |watts| watts.0);
            let room_w = self.room_ahead(now, at, begins);
            begins += minutes;
            Period { minutes, price_micro, surplus_w, room_w }
        };
        (0..PERIODS).map(period).collect()
    }

    /// Power the cars together may be expected to have then, in W.
    fn room_ahead(&self, now: Now, at: Timestamp, minutes: u32) -> u32 {
        let limit = self.site.grid_limit_at(LocalTime::of(at, self.offset)).saturating_sub(self.site.margin);
        let local = self.local(now.wall);
        let load = |phase| self.ahead.likely(local, minutes, phase).unwrap_or(self.site.declared_load);
        let room = |phase: &domain::Phase| u64::from(limit.saturating_sub(load(*phase)).0);
        let milli_amps: u64 = self.site.phases.phases().iter().map(room).sum();
        let watts = milli_amps * u64::from(self.site.nominal_voltage.0) / 1_000_000;
        u32::try_from(watts).unwrap_or(u32::MAX)
    }

    /// A moment as the clock on the wall of the building shows it.
    pub(crate) fn local(&self, at: Timestamp) -> LocalMinute {
        LocalMinute(at.0.saturating_add(i64::from(self.offset.0) * 1000).div_euclid(60_000))
    }

    fn is_full(&self, session: &Session) -> bool {
        let live = self.chargers.get(&session.charger);
        let connector = live.and_then(|live| live.connectors.get(&session.connector));
        connector.is_some_and(|connector| connector.appetite == Appetite::Idle)
    }

    fn branches(&self, assessment: &Assessment) -> Vec<Branch> {
        let branches = self.tree.branches.iter().zip(&assessment.loads);
        branches
            .map(|(branch, load)| {
                let limit = branch.limit.map(|limit| limit.saturating_sub(self.site.margin));
                let room = limit.zip(load.low).map(|(limit, load)| limit.saturating_sub(load));
                Branch { parent: branch.parent, room }
            })
            .collect()
    }

    fn cars(&self, now: Now, assessment: &Assessment) -> Vec<CarFacts> {
        let mut cars = Vec::new();
        for (key, standing) in &assessment.standings {
            let max = match standing {
                Standing::Demand { max, .. } => Some(*max),
                // Who waits for a better period still wants its energy.
                Standing::Nothing(Reason::WaitingForPrice { .. }) => self.chargers.get(&key.0).map(|live| live.most()),
                Standing::Counted { .. } | Standing::Nothing(_) => None,
            };
            let Some(max) = max else { continue };
            let Some(session) = self.ledger.running(&key.0, key.1) else { continue };
            let Some(live) = self.chargers.get(&key.0) else { continue };
            let Some(connector) = live.connectors.get(&key.1) else { continue };
            let Some(branch) = self.tree.index(&live.charger.circuit) else { continue };
            let wiring = connector.wiring_in_use(now, &live.charger.wiring);
            cars.push(self.car(now, key, session, (branch, wiring, max), connector));
        }
        cars
    }

    fn car(
        &self,
        now: Now,
        key: &Connector,
        session: &Session,
        (branch, wiring, max): (usize, Wiring, MilliAmps),
        connector: &ConnectorLive,
    ) -> CarFacts {
        let wish = self.wishes.get(&session.id);
        let live = self.chargers.get(&key.0);
        let settles = DurationMs(SETTLE.0.max(self.response_of(session, connector).map_or(0, |most| most.0 + 2_000)));
        let settled = |draw: &&crate::state::Draw| draw.at >= connector.set_since() + settles;
        CarFacts {
            place: key.clone(),
            branch,
            wiring,
            registered: live.map(|live| live.charger.registered).unwrap_or_default(),
            priority: self.priority_of(key),
            session: session.id,
            card: session.card.clone(),
            since: self.local(session.started_at),
            max,
            car_max: None,
            set: connector.set,
            drawn: connector.draw(now).filter(settled).map(crate::state::Draw::fullest),
            delivered: session.energy,
            received_before: self.received_lately(now, session),
            departs: wish.map(|wish| now.instant + between(now.wall, wish.by)),
            needs: wish.map(|wish| WattHours(wish.energy.0.saturating_sub(session.energy.0))),
            promised: live
                .and_then(|live| live.charger.policy.fixed.max(live.charger.policy.guaranteed))
                .unwrap_or_default(),
            never_pause: self.never_pause(key),
            thrifty: live.is_some_and(|live| live.charger.policy.times == ChargingTimes::Cheapest),
            response: connector.response.most,
        }
    }

    /// How long the car takes to follow: as seen in this session, or in earlier ones of its card.
    fn response_of(&self, session: &Session, connector: &ConnectorLive) -> Option<DurationMs> {
        let of_card = session.card.as_ref().and_then(|card| self.guides.planner.response(card));
        connector.response.most.max(of_card)
    }

    /// The priority of whoever charges at a connector: the card's, or else the charger's.
    pub(crate) fn priority_of(&self, key: &Connector) -> i32 {
        let of_card = self.card_policy(key).and_then(|policy| policy.priority);
        let of_charger = || self.chargers.get(&key.0).map(|live| live.charger.priority);
        of_card.or_else(of_charger).unwrap_or_default()
    }

    fn card_priorities(&self) -> BTreeMap<Connector, i32> {
        let places = self.ledger.open().map(|session| (session.charger.clone(), session.connector));
        places.filter_map(|key| Some((key.clone(), self.card_policy(&key)?.priority?))).collect()
    }

    fn never_pause(&self, key: &Connector) -> bool {
        let of_card = self.card_policy(key).is_some_and(|policy| policy.pausing == Pausing::Never || policy.sleeps);
        of_card || self.chargers.get(&key.0).is_some_and(|live| live.charger.policy.pausing == Pausing::Never)
    }

    fn card_policy(&self, key: &Connector) -> Option<domain::CardPolicy> {
        let card = self.ledger.running(&key.0, key.1)?.card.as_ref()?;
        self.access.cards.get(card).map(|card| card.policy)
    }

    /// What the session's tenant received in other sessions of the last week.
    fn received_lately(&self, now: Now, session: &Session) -> WattHours {
        let Some(tenant) = session.tenant else { return WattHours(0) };
        let since = now.wall - LATELY;
        let others = self.ledger.of_tenant(tenant).filter(|other| other.id != session.id && other.started_at >= since);
        WattHours(others.map(|other| other.energy.0).sum())
    }
}

/// A session that ended, by the local time it has now.
fn past(now: Now, local: LocalMinute, session: &Session) -> Option<PastSession> {
    let stay = between(session.started_at, session.ended_at?);
    let ago = i64::try_from(between(session.started_at, now.wall).0 / 60_000).ok()?;
    Some(PastSession {
        card: session.card.clone(),
        plugged_in: LocalMinute(local.0.saturating_sub(ago)),
        stay,
        energy: session.energy,
    })
}

/// Time from one moment to a later one; none when it is not later.
fn between(from: Timestamp, to: Timestamp) -> DurationMs {
    DurationMs(u64::try_from(to.0.saturating_sub(from.0)).unwrap_or(0))
}
