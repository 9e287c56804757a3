//! Everything that can happen to a site, as one closed list.

use domain::{
    Alarm, Card, CardPolicy, CardStatus, CardUid, Charger, ChargerEvent, ChargerId, CircuitTree, ConnectorNumber,
    DurationMs, HardwareInfo, Hold, Meter, MeterEvent, MeterId, MilliAmps, OrphanStop, Outlook, PerPhase, Protocol,
    RefusedCard, Session, SessionId, Site, Tenant, TenantId, Timestamp, UtcOffset, WattHours, Wish,
};

/// What the store knew when the program started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Settings.
    pub site: Site,
    /// The tree of circuits.
    pub circuits: CircuitTree,
    /// Meters, approved or not.
    pub meters: Vec<Meter>,
    /// Chargers, approved or not.
    pub chargers: Vec<Charger>,
    /// What the manager ordered for chargers.
    pub holds: Vec<(ChargerId, Hold)>,
    /// What chargers said about themselves.
    pub hardware: Vec<(ChargerId, HardwareInfo)>,
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// Enrolled cards.
    pub cards: Vec<Card>,
    /// Sessions without an end; they go on.
    pub open_sessions: Vec<Session>,
    /// Sessions that ended in the last 30 days: replays and late ends are recognised by them.
    pub recent_sessions: Vec<Session>,
    /// When the register of a session without an end last moved on, as far as that is known.
    pub read_at: Vec<(SessionId, domain::Timestamp)>,
    /// What tenants need from sessions that run.
    pub wishes: Vec<(SessionId, Wish)>,
    /// Largest session identity ever given; 0 when none was.
    pub last_session: SessionId,
    /// Largest tenant identity ever given; 0 when none was.
    pub last_tenant: TenantId,
    /// Largest card row ever given; 0 when none was.
    pub last_card: domain::CardId,
    /// Cards refused lately, newest first.
    pub refused_cards: Vec<RefusedCard>,
    /// Alarms without an end.
    pub open_alarms: Vec<Alarm>,
}

impl Setup {
    /// A site with nothing in it but its grid connection.
    #[must_use]
    pub const fn empty(site: Site, circuits: CircuitTree) -> Self {
        Self {
            site,
            circuits,
            meters: Vec::new(),
            chargers: Vec::new(),
            holds: Vec::new(),
            hardware: Vec::new(),
            tenants: Vec::new(),
            cards: Vec::new(),
            open_sessions: Vec::new(),
            recent_sessions: Vec::new(),
            read_at: Vec::new(),
            wishes: Vec::new(),
            last_session: SessionId(0),
            last_tenant: TenantId(0),
            last_card: domain::CardId(0),
            refused_cards: Vec::new(),
            open_alarms: Vec::new(),
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time passed. Wanted at least once a second of the site's clock.
    Tick,
    /// A charger reported. An unknown identity is registered and waits for approval.
    Charger {
        /// Who.
        id: ChargerId,
        /// What it speaks; used when it is new.
        protocol: Protocol,
        /// What it reported.
        event: ChargerEvent,
    },
    /// A meter reported. An unknown identity is registered and waits for approval.
    Meter {
        /// Who.
        id: MeterId,
        /// What it reported.
        event: MeterEvent,
    },
    /// The manager ordered; answered by exactly one [`crate::Output::Done`].
    Order(Order),
    /// The site's local time is this far ahead of UTC from now on.
    UtcOffset(UtcOffset),
    /// What the price feed says; `None` when it has said nothing for too long.
    Outlook(Option<Outlook>),
    /// What the building itself drew before the program started, minute by minute, oldest first. Wanted once, after the
    /// offset of the local time.
    PastLoads(Vec<(Timestamp, PerPhase<MilliAmps>)>),
    /// The calendar month of the building that runs now: energy caps count from its start. Wanted at the start and
    /// when a month ends.
    Month {
        /// Its beginning.
        starts: Timestamp,
        /// The beginning of the next.
        ends: Timestamp,
    },
    /// Whether records can be written.
    Storage(StorageState),
    /// The embedded broker's router was rebuilt.
    BrokerRestarted,
}

/// Whether records can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageState {
    /// They can.
    Healthy,
    /// They cannot; charging goes on from memory.
    Failing,
}

/// What a manager orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Replace the settings.
    SetSite(Site),
    /// Replace the tree of circuits.
    SetCircuits(CircuitTree),
    /// Replace the tree of circuits together with what hangs where: all of it or nothing.
    Rewire {
        /// The new tree.
        circuits: CircuitTree,
        /// Chargers whose circuit, wiring or knowledge of it changes, as they become.
        chargers: Vec<Charger>,
        /// Meters whose circuit changes, as they become.
        meters: Vec<Meter>,
    },
    /// Let a charger in.
    ApproveCharger(ChargerId),
    /// Replace a charger's configuration, or add a charger before it ever speaks.
    SetCharger(Charger),
    /// Forget a charger; its sessions and readings stay.
    RemoveCharger(ChargerId),
    /// Give these chargers descending priorities in this order; those not named follow in their order.
    OrderChargers(Vec<ChargerId>),
    /// Let a meter in.
    ApproveMeter(MeterId),
    /// Replace a meter's configuration, or add a meter before it ever speaks.
    SetMeter(Meter),
    /// Forget a meter; its readings stay.
    RemoveMeter(MeterId),
    /// Pause or limit a charger; `None` lifts it.
    Hold {
        /// Which.
        charger: ChargerId,
        /// The order.
        hold: Option<Hold>,
    },
    /// Create a tenant; number and time of creation are given by the order, the key is the caller's.
    AddTenant(Box<Tenant>),
    /// Replace what is known of a tenant, archived or not; number, key and time of creation stay.
    SetTenant(Box<Tenant>),
    /// Create many tenants with their cards, or none of them.
    ImportTenants(Vec<TenantImport>),
    /// Forget all that names a tenant, cards included; sessions keep the number.
    EraseTenant(TenantId),
    /// Enrol a card by its number.
    AddCard {
        /// Whose it is.
        tenant: TenantId,
        /// Its number.
        uid: CardUid,
    },
    /// Accept another reading of an enrolled card.
    AddAlias {
        /// The card.
        card: CardUid,
        /// How another reader prints it.
        uid: CardUid,
    },
    /// Block or unblock a card with all its readings.
    SetCardStatus {
        /// Which.
        uid: CardUid,
        /// The new status.
        status: CardStatus,
    },
    /// Replace what the manager decided about a card.
    SetCardPolicy {
        /// Which.
        uid: CardUid,
        /// The new policy.
        policy: CardPolicy,
    },
    /// Remove a card.
    RemoveCard(CardUid),
    /// Capture the next unknown card that is tapped.
    Enrol {
        /// Bind it to this tenant at once; `None` waits for [`Order::AssignCaptured`].
        tenant: Option<TenantId>,
        /// Only at this charger's reader; `None` is any.
        charger: Option<ChargerId>,
        /// How long to wait.
        ttl: DurationMs,
    },
    /// A card was read at a desk, or its number was typed, while an enrolment waits for one.
    CaptureCard(CardUid),
    /// Stop waiting for a card.
    CancelEnrolment,
    /// Bind the captured card.
    AssignCaptured {
        /// To whom.
        tenant: TenantId,
    },
    /// Say what a session needs; `None` withdraws it.
    SetWish {
        /// Which session.
        session: SessionId,
        /// What it needs.
        wish: Option<Wish>,
    },
    /// Correct a session, or say who pays for it.
    CorrectSession {
        /// As it is stored.
        session: Box<Session>,
        /// What is to change.
        correction: Correction,
        /// Why, in the manager's words.
        reason: String,
    },
    /// Decide about a session end that fitted no session.
    DecideOrphan(OrphanOrder),
    /// End the session that runs at a connector.
    EndSession {
        /// Where.
        charger: ChargerId,
        /// Where on it.
        connector: ConnectorNumber,
    },
}

/// A tenant of a list that is imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantImport {
    /// The tenant.
    pub tenant: Tenant,
    /// Numbers of their cards.
    pub cards: Vec<CardUid>,
}

/// What is to change about a session; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// Who pays; `Some(None)` is nobody.
    pub tenant: Option<Option<TenantId>>,
    /// Start.
    pub started_at: Option<Timestamp>,
    /// End.
    pub ended_at: Option<Timestamp>,
    /// Energy.
    pub energy: Option<WattHours>,
}

/// A decision about a session end that fitted no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanOrder {
    /// Its row in the store.
    pub orphan: i64,
    /// What the charger said.
    pub stop: OrphanStop,
    /// The session it ends, as stored; `None` dismisses it.
    pub session: Option<Box<Session>>,
    /// Why, in the manager's words.
    pub reason: String,
}
