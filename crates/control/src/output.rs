//! Everything the decider wants done, as one closed list. The executor makes no choices.

use crate::Reason;
use domain::{
    Card, CardUid, CardVerdict, Charger, ChargerId, CircuitId, ConnectorNumber, Known, Meter, MeterId, MilliAmps,
    PolicyError, Record, ReplyKey, Session, SessionId, SiteError, Tenant, TenantError, TenantId, Timestamp, WattHours,
};

/// Something to do. All [`Output::Save`] of one `handle` go into one transaction; the `*Answer` outputs of
/// that `handle` are sent after it. Everything else is done at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Command a connector; a cut never waits for storage.
    Setpoint {
        /// Which charger.
        charger: ChargerId,
        /// Which connector.
        connector: ConnectorNumber,
        /// Most it may draw on each wire: 0 or whole amperes from the minimum up.
        limit: MilliAmps,
        /// Why it is sent.
        change: Change,
    },
    /// The current a charger must have installed for the time nobody speaks to it.
    Fallback {
        /// Which charger.
        charger: ChargerId,
        /// Most it may draw on each wire then.
        limit: MilliAmps,
    },
    /// Whether a charger is let in, for its carrier.
    Approved {
        /// Which charger.
        charger: ChargerId,
        /// Whether it is.
        approved: bool,
    },
    /// Whether a meter is let in, for its carrier.
    MeterApproved {
        /// Which meter.
        meter: MeterId,
        /// Whether it is.
        approved: bool,
    },
    /// Answer to a tapped card.
    CardAnswer {
        /// To whom.
        charger: ChargerId,
        /// To which request.
        reply: ReplyKey,
        /// What the card may do.
        verdict: CardVerdict,
    },
    /// Answer to a session's beginning.
    StartAnswer {
        /// To whom.
        charger: ChargerId,
        /// To which request.
        reply: ReplyKey,
        /// The session's identity, whatever the verdict.
        session: SessionId,
        /// What its card may do.
        verdict: CardVerdict,
    },
    /// Answer to a session's end.
    StopAnswer {
        /// To whom.
        charger: ChargerId,
        /// To which request.
        reply: ReplyKey,
        /// What the card that ended it may do; `None` when none did.
        verdict: Option<CardVerdict>,
    },
    /// The carrier must end this session.
    EndSession {
        /// Where.
        charger: ChargerId,
        /// Where on it.
        connector: ConnectorNumber,
        /// Which.
        session: SessionId,
    },
    /// The charger must forget what it remembers of cards.
    ClearCache {
        /// Which charger.
        charger: ChargerId,
    },
    /// Keep this.
    Save(Record),
    /// A setpoint or its reason changed. The executor keeps it as [`Record::Decision`] together with the
    /// sentence the API makes from the reason.
    Decided {
        /// Which charger.
        charger: ChargerId,
        /// Which connector.
        connector: ConnectorNumber,
        /// When.
        at: Timestamp,
        /// Commanded current per wire.
        limit: MilliAmps,
        /// Why.
        reason: Reason,
        /// What was known then.
        known: Box<Known>,
    },
    /// Result of the order in this `handle`.
    Done(OrderDone),
}

/// Why a setpoint is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Less than before: deliver before anything else.
    Cut,
    /// More than before.
    Raise,
    /// The same again, so that a silent decider lets setpoints expire.
    Renew,
}

/// Result of an order.
pub type OrderDone = Result<Made, OrderError>;

/// What an order made or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// Done, and nothing new to show.
    Nothing,
    /// This tenant.
    Tenant(Tenant),
    /// This card.
    Card(Card),
    /// This charger.
    Charger(Charger),
    /// This meter.
    Meter(Meter),
    /// This session, as corrected.
    Session(Session),
    /// This session is being ended.
    Ending(SessionId),
}

/// Why an order was not carried out; nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// No such charger.
    #[error("there is no charger {0}; choose one from the list of chargers")]
    UnknownCharger(ChargerId),
    /// No such meter.
    #[error("there is no meter {0}; choose one from the list of meters")]
    UnknownMeter(MeterId),
    /// No such tenant.
    #[error("there is no tenant {0}; choose one from the list of tenants")]
    UnknownTenant(TenantId),
    /// No such card.
    #[error("the card {0} is not enrolled; enrol it first")]
    UnknownCard(CardUid),
    /// No such circuit.
    #[error("there is no circuit {0}; choose one from the list of circuits")]
    UnknownCircuit(CircuitId),
    /// A circuit that something hangs on would vanish.
    #[error("the circuit {circuit} is used by {user}; move {user} to another circuit first")]
    CircuitInUse {
        /// Which circuit.
        circuit: CircuitId,
        /// What hangs on it.
        user: String,
    },
    /// The card is enrolled already.
    #[error("the card {uid} already belongs to {tenant}; remove it there first")]
    CardTaken {
        /// Which card.
        uid: CardUid,
        /// Whose it is.
        tenant: String,
    },
    /// A list names a card twice.
    #[error("the card {0} is in the list twice; remove one of the two")]
    CardTwice(CardUid),
    /// The tenant cannot be as told.
    #[error("the tenant cannot be saved")]
    Tenant(#[source] TenantError),
    /// Nothing can be changed about somebody who was erased.
    #[error("tenant {0} was erased; create a new tenant")]
    TenantErased(TenantId),
    /// The charger is somebody else's.
    #[error("the charger {charger} already belongs to {tenant}; remove it there first")]
    ChargerOwned {
        /// Which charger.
        charger: ChargerId,
        /// Whose it is.
        tenant: String,
    },
    /// A change of a session without a reason.
    #[error("say why, so that the change can be explained later")]
    NoReason,
    /// A correction that corrects nothing.
    #[error("nothing changes; alter at least one value")]
    NothingChanged,
    /// Figures of a session that runs.
    #[error("session {0} still runs; end it first, then correct it")]
    SessionRuns(SessionId),
    /// Times that cannot be.
    #[error("a session cannot end before it starts or in the future; correct the times")]
    SessionTimes,
    /// More energy than there can be.
    #[error("this charger can deliver at most {most} in that time; check the energy and the times")]
    SessionEnergy {
        /// Most there can be.
        most: WattHours,
    },
    /// The end is not this session's.
    #[error("this end happened at another charger or before the session began; choose another session")]
    OrphanElsewhere,
    /// The register says less at the end than at the start.
    #[error(
        "the register at this end is lower than at the session's start; dismiss the end and correct the session by hand"
    )]
    OrphanRegister,
    /// Settings out of range.
    #[error("the settings of the building cannot be used")]
    Site(#[source] SiteError),
    /// A rule of a charger, a card or a session cannot be used.
    #[error("{0}")]
    Policy(PolicyError),
    /// No such session runs.
    #[error("the session {0} does not run; choose one that does")]
    UnknownSession(SessionId),
    /// A name is needed.
    #[error("a name cannot be empty; enter one")]
    EmptyName,
    /// A charger's maximum is below what any car can use, or beyond what any charger has.
    #[error("the maximum of a charger must be between {min} and 80 A")]
    MaximumOutOfRange {
        /// Least useful value, with its unit.
        min: String,
    },
    /// A fallback between nothing and the minimum charges no car.
    #[error("the fallback must be 0 or between {min} and the charger's maximum")]
    FallbackOutOfRange {
        /// Least useful value, with its unit.
        min: String,
    },
    /// A limit for a charger that charges no car.
    #[error("a limit must be at least {min}; pause the charger to give it nothing")]
    LimitOutOfRange {
        /// Least useful value, with its unit.
        min: String,
    },
    /// A connector count nobody builds.
    #[error("a charger has between 1 and {max} connectors")]
    ConnectorsOutOfRange {
        /// Most.
        max: u16,
    },
    /// A wire hangs on a phase the site does not have.
    #[error("this building has one phase; wire the charger to L1 only")]
    WiringOutsideSite,
    /// Nothing to bind.
    #[error("no card was captured; start enrolling and tap a card first")]
    NothingCaptured,
    /// A card was handed in, and nobody waits for one.
    #[error("no enrolment waits for a card; start enrolling, then read the card")]
    NotEnrolling,
    /// Nothing to end.
    #[error("no session runs at connector {connector} of {charger}")]
    NoSession {
        /// Where.
        charger: ChargerId,
        /// Where on it.
        connector: ConnectorNumber,
    },
}
