//! What the statements keep: documents, decisions, closed months, deliveries.

use crate::StoreError;
use domain::{Session, TenantId, Timestamp, WattHours};

/// A document with a name: the tariff, the letterhead, the mail server. Older ones are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDocument {
    /// Which.
    pub name: String,
    /// Since when it is in force.
    pub at: Timestamp,
    /// Its text.
    pub text: String,
}

/// Why the manager accepted what kept a month from closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObstacleDecision {
    /// Month, such as `2026-10`.
    pub month: String,
    /// Which obstacle.
    pub key: String,
    /// Why, in the manager's words; empty takes the decision back.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A closed month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedMonth {
    /// Month, such as `2026-10`.
    pub month: String,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// The tariff it was closed with.
    pub tariff: String,
    /// Of its sessions, see [`crate::Reader::session_fingerprint`].
    pub fingerprint: String,
}

/// A closed statement in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedStatement {
    /// Place in the chain, from 1.
    pub number: i64,
    /// Month.
    pub month: String,
    /// Pseudonym; `None` for the building's own part and the summary.
    pub tenant: Option<String>,
    /// `statement` or `summary`.
    pub kind: String,
    /// Exactly what the hash is over.
    pub text: String,
    /// Hash of the one before.
    pub previous: String,
    /// Hash.
    pub hash: String,
}

/// A statement that was sent, or could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Month.
    pub month: String,
    /// To whom.
    pub tenant: TenantId,
    /// When.
    pub at: Timestamp,
    /// Whether the server took it.
    pub sent: bool,
    /// What the server said, or why it was not sent.
    pub detail: String,
}

/// Something the statements keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementRecord {
    /// A document that is in force from now on.
    Document(NamedDocument),
    /// A decision.
    Decision(ObstacleDecision),
    /// A month with its statements; refused when it is closed already or does not follow the chain.
    Close(ClosedMonth, Vec<ClosedStatement>),
    /// A delivery.
    Delivery(Delivery),
}

/// A session with its energy by time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedSession {
    /// The session.
    pub session: Session,
    /// Energy since the start, oldest first; empty when nothing was read in between.
    pub trace: Vec<(Timestamp, WattHours)>,
}

/// What reading gives.
pub(crate) type Result<T> = std::result::Result<T, StoreError>;
