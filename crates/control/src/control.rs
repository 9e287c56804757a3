//! The machine: its state, and which part takes which input.

use crate::access::Access;
use crate::ahead::Ahead;
use crate::alarms::Alarms;
use crate::gauge::Gauges;
use crate::guard::Guard;
use crate::guide::Guides;
use crate::plan::Connector;
use crate::sessions::Ledger;
use crate::soft::Surplus;
use crate::state::{ChargerLive, MeterLive};
use crate::tenancy::Month;
use crate::tree::Tree;
use crate::{Input, Output, Setup, StorageState};
use domain::{
    CardVerdict, Charger, ChargerId, CircuitTree, Instant, LocalTime, MeterId, MilliAmps, Now, Outlook, Pacing,
    PerPhase, RefusedCard, SessionId, Site, TenantId, UtcOffset, VoltAmps, Wish,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The site's one decider.
#[derive(Debug)]
pub struct Control {
    pub(crate) site: Site,
    pub(crate) circuits: CircuitTree,
    pub(crate) tree: Tree,
    /// The contracted power in force.
    pub(crate) contract: VoltAmps,
    pub(crate) chargers: BTreeMap<ChargerId, ChargerLive>,
    pub(crate) meters: BTreeMap<MeterId, MeterLive>,
    pub(crate) access: Access,
    /// The calendar month; `None` until it is told.
    pub(crate) month: Option<Month>,
    /// Tenants that used their energy of that month.
    pub(crate) capped: BTreeSet<TenantId>,
    pub(crate) ledger: Ledger,
    /// Sessions whose card was in use elsewhere when they began: recorded, but given nothing.
    pub(crate) in_use: BTreeSet<SessionId>,
    /// Sessions whose energy moved on since they were last saved.
    pub(crate) moved: BTreeSet<SessionId>,
    pub(crate) alarms: Alarms,
    pub(crate) storage: StorageState,
    pub(crate) router_rebuilt: Option<Instant>,
    /// Whether the newest plan failed its check.
    pub(crate) plan_rejected: bool,
    pub(crate) started: Instant,
    pub(crate) next_division: Instant,
    pub(crate) last_raise: Option<Instant>,
    /// What is learnt of circuits whose protection acts within seconds.
    pub(crate) guard: Guard,
    /// The slow planner and what it said last.
    pub(crate) guides: Guides,
    /// Recent loads that are no car, by circuit: a raise counts the largest of them.
    pub(crate) peaks: BTreeMap<usize, VecDeque<(Instant, PerPhase<MilliAmps>)>>,
    /// What tenants need from sessions that run.
    pub(crate) wishes: BTreeMap<SessionId, Wish>,
    /// Local time of the site, ahead of UTC.
    pub(crate) offset: UtcOffset,
    /// What the price feed says.
    pub(crate) outlook: Option<Outlook>,
    /// How far protection devices are on their way to a trip.
    pub(crate) gauges: Gauges,
    /// What the sun leaves over.
    pub(crate) surplus: Surplus,
    /// What the building itself is expected to draw.
    pub(crate) ahead: Ahead,
    /// Whether a charger reported something since it was last looked at who must be cut.
    pub(crate) unsettled: bool,
}

impl Control {
    /// Continues where the store left off. Until a charger reports it is counted at the most it may draw.
    #[must_use]
    pub fn new(setup: Setup, now: Now) -> Self {
        let mut chargers: BTreeMap<ChargerId, ChargerLive> =
            setup.chargers.into_iter().map(|c| (c.id.clone(), ChargerLive::new(c, now))).collect();
        for (id, hold) in setup.holds {
            if let Some(live) = chargers.get_mut(&id) {
                live.hold = Some(hold);
            }
        }
        for (id, hardware) in setup.hardware {
            if let Some(live) = chargers.get_mut(&id) {
                live.hardware = hardware;
            }
        }
        let last_tenant = setup.tenants.iter().map(|t| t.id.0).max().unwrap_or(0).max(setup.last_tenant.0);
        let last_card = setup.cards.iter().map(|c| c.id.0).max().unwrap_or(0).max(setup.last_card.0);
        let mut access = Access::default();
        access.tenants = setup.tenants.into_iter().map(|t| (t.id, t)).collect();
        access.cards = setup.cards.into_iter().map(|c| (c.uid.clone(), c)).collect();
        // A card that was a stranger and has been enrolled since is none any more.
        let is_stranger =
            |card: &RefusedCard| card.verdict != CardVerdict::Unknown || !access.cards.contains_key(&card.uid);
        let refused = setup.refused_cards.into_iter().filter(is_stranger).collect();
        access.refused = refused;
        (access.last_tenant, access.last_card) = (last_tenant, last_card);
        access.note_owners();
        let contract = setup.site.contracted_at(LocalTime::of(now.wall, UtcOffset::default()));
        let mut control = Self {
            tree: Tree::new(&setup.site, &setup.circuits, contract),
            contract,
            next_division: now.instant + setup.site.control_interval,
            site: setup.site,
            circuits: setup.circuits,
            chargers,
            meters: setup.meters.into_iter().map(|m| (m.id.clone(), MeterLive::new(m))).collect(),
            access,
            ledger: Ledger::new(now, setup.open_sessions, &setup.read_at, setup.recent_sessions, setup.last_session),
            month: None,
            capped: BTreeSet::new(),
            in_use: BTreeSet::new(),
            moved: BTreeSet::new(),
            alarms: Alarms::new(setup.open_alarms),
            storage: StorageState::Healthy,
            router_rebuilt: None,
            plan_rejected: false,
            started: now.instant,
            last_raise: None,
            guard: Guard::default(),
            guides: Guides::default(),
            peaks: BTreeMap::new(),
            wishes: setup.wishes.into_iter().collect(),
            offset: UtcOffset::default(),
            outlook: None,
            gauges: Gauges::default(),
            surplus: Surplus::default(),
            ahead: Ahead::default(),
            unsettled: false,
        };
        // Each charger is told its own when it connects.
        drop(control.fit_fallbacks());
        control
    }

    /// Takes what happened and says what to do. Never panics, whatever the input.
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        let mut out = self.note(now, input);
        out.extend(self.settle(now));
        out
    }

    /// As [`Self::handle`], but what chargers report waits for [`Self::settle`] before anybody is cut: many reports
    /// within a moment then cost one look at the whole site. A tick, a meter and an order never wait.
    pub fn note(&mut self, now: Now, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Tick => self.tick(now, &mut out),
            Input::Charger { id, protocol, event } => self.charger_event(now, &id, protocol, event, &mut out),
            Input::Meter { id, event } => self.meter_event(now, &id, event, &mut out),
            Input::Order(order) => {
                let done = self.order(now, order, &mut out);
                self.note_caps(now);
                self.guides.look_again();
                out.push(Output::Done(done));
                // What the manager decides takes effect at once; a raise still waits for its confirmation.
                match self.site.pacing {
                    Pacing::Careful => self.divide(now, &mut out),
                    Pacing::Published => self.guard(now, &mut out),
                }
                self.review_alarms(now, &mut out);
            }
            Input::UtcOffset(offset) => {
                self.offset = offset;
                self.follow_contract(now);
            }
            Input::Outlook(outlook) => {
                self.outlook = outlook;
                // Better periods are looked for at the next division.
                self.guides.look_again();
            }
            Input::PastLoads(past) => self.recall_building(&past, &mut out),
            Input::Month { starts, ends } => {
                self.begin_month(now, Month { starts, ends }, &mut out);
            }
            Input::Storage(state) => {
                self.storage = state;
                self.review_alarms(now, &mut out);
            }
            Input::BrokerRestarted => {
                self.router_rebuilt = Some(now.instant);
                self.review_alarms(now, &mut out);
            }
        }
        out
    }

    /// Whether a charger reported something that may need a cut, and [`Self::settle`] was not called since.
    #[must_use]
    pub const fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// Cuts whatever does not fit any more after what chargers reported. Nothing when that was done already.
    pub fn settle(&mut self, now: Now) -> Vec<Output> {
        let mut out = Vec::new();
        if self.unsettled {
            self.guard(now, &mut out);
        }
        out
    }

    /// IANA name of the site's time zone; months are found with it.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        &self.site.time_zone
    }

    /// A charger's configuration, when it is known; cheaper than a whole snapshot.
    #[must_use]
    pub fn charger(&self, id: &ChargerId) -> Option<&Charger> {
        self.chargers.get(id).map(|live| &live.charger)
    }

    /// What a clock on the wall of the site shows.
    pub(crate) fn wall_clock(&self, now: Now) -> LocalTime {
        LocalTime::of(now.wall, self.offset)
    }

    /// Where the contract changes with the time, its limit changes with it.
    fn follow_contract(&mut self, now: Now) {
        let contract = self.site.contracted_at(self.wall_clock(now));
        if contract != self.contract {
            self.contract = contract;
            self.tree = Tree::new(&self.site, &self.circuits, contract);
        }
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        self.follow_contract(now);
        self.follow_devices(now);
        self.follow_sun(now);
        self.access.expire(now);
        self.close_free_connectors(now, out);
        self.watch(now);
        self.wake_cars(now, out);
        self.note_building(now, out);
        if now.instant >= self.next_division {
            // Late ticks do not cause a burst of divisions.
            self.next_division = now.instant + self.site.control_interval;
            self.look_ahead(now);
            self.note_caps(now);
            self.divide(now, out);
            self.save_moved(out);
            self.record_readings(now, out);
            self.ledger.forget(now.wall);
            let ledger = &self.ledger;
            self.wishes.retain(|id, _| ledger.open().any(|open| open.id == *id));
        } else {
            self.guard(now, out);
        }
        self.renew(now, out);
        self.review_alarms(now, out);
    }

    /// The connector's live state, when it exists.
    pub(crate) fn connector_mut(&mut self, key: &Connector) -> Option<&mut crate::state::ConnectorLive> {
        self.chargers.get_mut(&key.0).and_then(|live| live.connectors.get_mut(&key.1))
    }
}
