//! What carriers report, whatever protocol brought it.
//!
//! A request carries an opaque [`ReplyKey`] of the carrier: the one who decides hands it back with
//! the verdict, so that no decision ever needs to know a protocol.

use crate::{
    CardUid, ConnectorNumber, ConnectorStatus, HardwareInfo, MeterSample, MilliAmps, MilliVolts, Provenance, SessionId,
    StatusDetail, TenantId, Timestamp, WattHours, Watts,
};

/// A carrier's own number for a request that waits for an answer; unique per charger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyKey(pub u64);

/// Something a charger reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargerEvent {
    /// Its link is up.
    Connected,
    /// Its link is down.
    Disconnected,
    /// It (re)started.
    Booted(HardwareInfo),
    /// A connector changed; `None` names the charger as a whole.
    Status {
        /// Which connector.
        connector: Option<ConnectorNumber>,
        /// Its state.
        status: ConnectorStatus,
        /// The protocol's words for it.
        detail: StatusDetail,
        /// When, by the charger's corrected clock.
        at: Timestamp,
    },
    /// A card was held to the reader; the answer is a [`CardVerdict`].
    CardTapped {
        /// Key of the answer.
        reply: ReplyKey,
        /// Reader's connector, where the charger knows it.
        connector: Option<ConnectorNumber>,
        /// The card.
        card: CardUid,
    },
    /// A session began at the charger; it always gets an identity, whatever the verdict.
    SessionStarted {
        /// Key of the answer.
        reply: ReplyKey,
        /// What began.
        request: StartRequest,
    },
    /// A session ended at the charger.
    SessionStopped {
        /// Key of the answer.
        reply: ReplyKey,
        /// What ended.
        request: StopRequest,
    },
    /// Values were measured.
    Measured {
        /// Which connector; `None` is the charger's own main meter.
        connector: Option<ConnectorNumber>,
        /// The session the charger names, when it names a plausible one.
        session: Option<SessionId>,
        /// The values.
        sample: ChargerSample,
    },
    /// The charger took (or refused) the newest limit.
    LimitAnswered {
        /// Which connector.
        connector: ConnectorNumber,
        /// The limit it was about.
        limit: MilliAmps,
        /// Whether it accepted.
        accepted: bool,
    },
}

/// A session's beginning as the charger tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartRequest {
    /// Where.
    pub connector: ConnectorNumber,
    /// By which card.
    pub card: Option<CardUid>,
    /// When, by the charger's corrected clock.
    pub at: Timestamp,
    /// Register at that time.
    pub meter: WattHours,
    /// How far `at` can be trusted.
    pub provenance: Provenance,
}

/// Which session a charger means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionRef {
    /// The identity we gave it.
    Known(SessionId),
    /// An identity we never gave (0, -1, out of range): resolve by connector and time.
    Unknown,
}

/// A session's end as the charger tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopRequest {
    /// Which session.
    pub session: SessionRef,
    /// The card that ended it, if one did.
    pub card: Option<CardUid>,
    /// When, by the charger's corrected clock.
    pub at: Timestamp,
    /// Register at that time.
    pub meter: WattHours,
    /// Why.
    pub reason: StopReason,
    /// How far `at` can be trusted.
    pub provenance: Provenance,
}

/// Why a charger says a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// A card at the charger.
    Local,
    /// We asked for it.
    Remote,
    /// The car's side of the cable was pulled.
    EvDisconnected,
    /// Power loss, reset or reboot.
    PowerLoss,
    /// Anything else.
    Other,
}

/// Values a charger measured at one moment; absent is `None`, never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChargerSample {
    /// When, by the charger's corrected clock.
    pub at: Timestamp,
    /// Current per wire of the charger, first wire first; empty when not measured.
    pub current_per_wire: Vec<MilliAmps>,
    /// Current the charger says it offers the car.
    pub offered: Option<MilliAmps>,
    /// Active power of all wires.
    pub power: Option<Watts>,
    /// Voltage per wire.
    pub voltage_per_wire: Vec<MilliVolts>,
    /// Import register.
    pub energy: Option<WattHours>,
    /// State of charge of the car in percent.
    pub soc_percent: Option<u8>,
    /// Temperature in tenths of a degree Celsius.
    pub temperature_dc: Option<i32>,
}

impl ChargerSample {
    /// Whether nothing in it was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.current_per_wire.is_empty()
            && self.offered.is_none()
            && self.power.is_none()
            && self.voltage_per_wire.is_empty()
            && self.energy.is_none()
            && self.soc_percent.is_none()
            && self.temperature_dc.is_none()
    }
}

/// What a card may do, in words every protocol can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardVerdict {
    /// It may charge; cards with the same tenant may end what it starts (`parentIdTag`).
    Accepted {
        /// Who pays.
        tenant: TenantId,
    },
    /// Nobody enrolled it.
    Unknown,
    /// The manager blocked it.
    Blocked,
    /// The charger waits for approval, so no card charges there.
    NotApproved,
    /// The card's own session runs at another charger.
    InUse,
    /// Its tenant moved out, or may not charge yet or any more.
    NotValid,
    /// Its tenant used the energy of this month.
    CapReached,
    /// The charger belongs to another tenant.
    NotHere,
}

impl CardVerdict {
    /// Who pays, where the card may charge.
    #[must_use]
    pub fn tenant(self) -> Option<TenantId> {
        match self {
            Self::Accepted { tenant } => Some(tenant),
            Self::Unknown
            | Self::Blocked
            | Self::NotApproved
            | Self::InUse
            | Self::NotValid
            | Self::CapReached
            | Self::NotHere => None,
        }
    }
}

/// Something a meter reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterEvent {
    /// Its link is up.
    Connected,
    /// Its link is down.
    Disconnected,
    /// It measured.
    Measured(MeterSample),
}
