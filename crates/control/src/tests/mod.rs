//! A small building to test on, driven one input at a time.

mod access;
mod beside;
mod check;
mod planning;
mod plant;
mod policy;
mod promises;
mod property;
mod published;
mod reasons;
mod safety;
mod sessions;
mod sharing;
mod silence;
mod terms;
mod wiring;

use crate::{Change, Control, Input, Order, Output, Reason, Setup};
use domain::{
    Card, CardId, CardStatus, CardUid, Charger, ChargerEvent, ChargerId, ChargerSample, Circuit, CircuitId,
    CircuitTree, Connection, ConnectorNumber, ConnectorStatus, DurationMs, Flow, Instant, Meter, MeterEvent, MeterId,
    MeterRole, MeterSample, MilliAmps, MilliVolts, Now, Pacing, PerPhase, PhaseCount, Protocol, Provenance, ReplyKey,
    SessionId, SessionRef, Site, StartRequest, StatusDetail, StopReason, StopRequest, Tenant, TenantId, TenantKey,
    Timestamp, VoltAmps, WattHours, Wiring,
};

pub(crate) const ONE: ConnectorNumber = ConnectorNumber(1);
/// A Friday in November 2026, in ms since 1970.
const WALL: i64 = 1_795_000_000_000;

pub(crate) fn amps(a: u16) -> MilliAmps {
    MilliAmps::from_amps(a)
}

pub(crate) fn charger_id(n: u32) -> ChargerId {
    ChargerId::new(format!("C{n}")).unwrap()
}

pub(crate) fn uid(n: u32) -> CardUid {
    CardUid::new(format!("CARD{n}")).unwrap()
}

pub(crate) fn site(pacing: Pacing) -> Site {
    Site {
        name: "Test".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        currency: "EUR".to_owned(),
        nominal_voltage: MilliVolts(230_000),
        connection: Connection::LineNeutral,
        phases: PhaseCount::One,
        contracted: VoltAmps(6_900),
        main_fuse: amps(30),
        margin: MilliAmps::ZERO,
        min_charge: amps(6),
        max_active_chargers: None,
        max_meters: 4,
        control_interval: DurationMs::from_secs(5),
        declared_load: amps(20),
        meter_max_age: DurationMs::from_secs(15),
        pacing,
        rules: domain::SiteRules::default(),
    }
}

pub(crate) fn root() -> CircuitId {
    CircuitId::new("main").unwrap()
}

pub(crate) fn circuits(limit: u16) -> CircuitTree {
    let limit = PerPhase::splat(amps(limit));
    CircuitTree::new(vec![Circuit {
        id: root(),
        name: "Main".to_owned(),
        parent: None,
        limit,
        rating: domain::CircuitRating::default(),
    }])
    .unwrap()
}

pub(crate) fn charger(n: u32, wiring: Wiring) -> Charger {
    Charger {
        id: charger_id(n),
        protocol: Protocol::Ievcc,
        name: format!("Charger {n}"),
        registered: n,
        approved: true,
        priority: 0,
        max: amps(32),
        fallback: MilliAmps::ZERO,
        circuit: root(),
        wiring,
        connectors: 1,
        policy: domain::ChargerPolicy::default(),
    }
}

pub(crate) fn meter(role: MeterRole) -> Meter {
    Meter { id: MeterId::new("M").unwrap(), name: "M".to_owned(), approved: true, circuit: root(), role }
}

/// A building, its clock and everything it was told.
pub(crate) struct Building {
    pub(crate) control: Control,
    pub(crate) ms: u64,
    pub(crate) house: MilliAmps,
    /// What each car draws of what it is offered.
    pub(crate) cars: std::collections::BTreeMap<u32, MilliAmps>,
    pub(crate) role: MeterRole,
    pub(crate) metered: bool,
    pub(crate) log: Vec<Output>,
    /// Seconds between two reports of a charger.
    pub(crate) report_every: u64,
    replies: u64,
}

impl Building {
    /// `n` approved chargers with a card of their own each, on a house or circuit meter.
    pub(crate) fn new(site: Site, n: u32, role: MeterRole) -> Self {
        let wiring = match site.phases {
            PhaseCount::One => Wiring::single(),
            PhaseCount::Three => Wiring::three(),
        };
        let mut setup = Setup::empty(site, circuits(200));
        setup.chargers = (1..=n).map(|n| charger(n, wiring.clone())).collect();
        setup.meters = vec![meter(role)];
        for n in 1..=n {
            let (id, created_at) = (TenantId(i64::from(n)), Timestamp(WALL));
            setup.tenants.push(Tenant::new(id, TenantKey(u128::from(n)), format!("Tenant {n}"), "", created_at));
            let (status, enrolled_at) = (CardStatus::Active, Timestamp(WALL));
            setup.cards.push(Card {
                id: CardId(i64::from(n)),
                uid: uid(n),
                tenant: id,
                status,
                enrolled_at,
                policy: domain::CardPolicy::default(),
                alias_of: None,
            });
        }
        let mut building = Self::of(setup, role);
        for n in 1..=n {
            building.event(n, ChargerEvent::Connected);
        }
        building
    }

    pub(crate) fn of(setup: Setup, role: MeterRole) -> Self {
        Self {
            control: Control::new(setup, Now { instant: Instant(0), wall: Timestamp(WALL) }),
            ms: 0,
            house: MilliAmps::ZERO,
            cars: std::collections::BTreeMap::new(),
            role,
            metered: true,
            log: Vec::new(),
            report_every: 1,
            replies: 0,
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now { instant: Instant(self.ms), wall: Timestamp(WALL + i64::try_from(self.ms).unwrap()) }
    }

    pub(crate) fn input(&mut self, input: Input) -> Vec<Output> {
        let out = self.control.handle(self.now(), input);
        self.log.extend(out.iter().cloned());
        out
    }

    pub(crate) fn order(&mut self, order: Order) -> crate::OrderDone {
        let out = self.input(Input::Order(order));
        let mut done = out.into_iter().filter_map(|o| if let Output::Done(done) = o { Some(done) } else { None });
        let first = done.next().unwrap();
        assert!(done.next().is_none(), "one answer per order");
        first
    }

    pub(crate) fn event(&mut self, n: u32, event: ChargerEvent) -> Vec<Output> {
        self.input(Input::Charger { id: charger_id(n), protocol: Protocol::Ievcc, event })
    }

    pub(crate) fn reply(&mut self) -> ReplyKey {
        self.replies += 1;
        ReplyKey(self.replies)
    }

    pub(crate) fn status(&mut self, n: u32, status: ConnectorStatus) {
        let (detail, at) = (StatusDetail::default(), self.now().wall);
        self.event(n, ChargerEvent::Status { connector: Some(ONE), status, detail, at });
    }

    /// Plugs a car in that draws up to `max`, and starts it with the charger's own card.
    pub(crate) fn start(&mut self, n: u32, max: MilliAmps) -> Vec<Output> {
        self.cars.insert(n, max);
        self.status(n, ConnectorStatus::Charging);
        let (reply, at) = (self.reply(), self.now().wall);
        let (card, meter, provenance) = (Some(uid(n)), WattHours(1000), Provenance::Measured);
        let request = StartRequest { connector: ONE, card, at, meter, provenance };
        self.event(n, ChargerEvent::SessionStarted { reply, request })
    }

    pub(crate) fn stop(&mut self, n: u32) -> Vec<Output> {
        self.cars.remove(&n);
        let (reply, at) = (self.reply(), self.now().wall);
        let (session, meter, provenance) = (SessionRef::Unknown, WattHours(1000), Provenance::Measured);
        let reason = StopReason::Local;
        let request = StopRequest { session, card: Some(uid(n)), at, meter, reason, provenance };
        let out = self.event(n, ChargerEvent::SessionStopped { reply, request });
        self.status(n, ConnectorStatus::Finishing);
        out
    }

    pub(crate) fn set(&self, n: u32) -> MilliAmps {
        self.connector(n).set
    }

    pub(crate) fn reason(&self, n: u32) -> Reason {
        self.connector(n).reason
    }

    pub(crate) fn connector(&self, n: u32) -> crate::ConnectorState {
        let snapshot = self.control.snapshot(self.now());
        let charger = snapshot.chargers.into_iter().find(|c| c.charger.id == charger_id(n)).unwrap();
        charger.connectors.into_iter().next().unwrap()
    }

    pub(crate) fn sets(&self, n: u32) -> Vec<u32> {
        (1..=n).map(|n| self.set(n).amps_floor()).collect()
    }

    pub(crate) fn drawn(&self, n: u32) -> MilliAmps {
        self.cars.get(&n).map_or(MilliAmps::ZERO, |max| self.set(n).min(*max))
    }

    pub(crate) fn total(&self) -> MilliAmps {
        self.house + self.cars.keys().map(|n| self.drawn(*n)).sum()
    }

    /// The meter speaks.
    pub(crate) fn sample(&mut self) -> Vec<Output> {
        let load = match self.role {
            MeterRole::House => self.house,
            MeterRole::Circuit => self.total(),
            MeterRole::Solar | MeterRole::Battery => MilliAmps::ZERO,
        };
        let current = PerPhase::splat(Flow::Import(load));
        let sample = MeterSample { at: self.now().wall, current, ..MeterSample::default() };
        self.input(Input::Meter { id: MeterId::new("M").unwrap(), event: MeterEvent::Measured(sample) })
    }

    /// A charger tells what its car draws.
    pub(crate) fn measure(&mut self, n: u32) {
        let drawn = self.drawn(n);
        self.measure_as(n, drawn);
    }

    pub(crate) fn measure_as(&mut self, n: u32, drawn: MilliAmps) {
        let sample = ChargerSample { at: self.now().wall, current_per_wire: vec![drawn], ..ChargerSample::default() };
        self.event(n, ChargerEvent::Measured { connector: Some(ONE), session: None, sample });
    }

    /// One second after another: each the meter speaks (if it does), chargers report, then a tick.
    pub(crate) fn run(&mut self, secs: u64) {
        for _ in 0..secs {
            self.ms += 1000;
            if self.metered {
                self.sample();
            }
            for n in self.cars.keys().copied().collect::<Vec<_>>() {
                if (self.ms / 1000 + u64::from(n)).is_multiple_of(self.report_every) {
                    self.measure(n);
                }
            }
            self.input(Input::Tick);
        }
    }

    pub(crate) fn changes(&self, kind: Change) -> usize {
        self.log.iter().filter(|o| matches!(o, Output::Setpoint { change, .. } if *change == kind)).count()
    }

    pub(crate) fn session(&self, n: u32) -> Option<SessionId> {
        self.connector(n).session.map(|session| session.id)
    }
}
