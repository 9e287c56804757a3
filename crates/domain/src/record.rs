//! What must be kept: each [`Record`] is one durable fact. Writing the same record twice changes nothing.

use crate::{
    Card, CardUid, CardVerdict, Charger, ChargerId, ChargerSecurity, Circuit, CircuitId, ConnectorNumber,
    ConnectorStatus, HardwareInfo, IdError, IssuedCertificate, Known, Meter, MeterId, MilliAmps, Provenance, Session,
    SessionId, Site, StopRequest, StoredFile, Tenant, TenantId, Timestamp, WattHours, Wish,
};
use std::fmt;
use std::str::FromStr;

/// One durable fact. Configuration and sessions replace the row of the same identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The site's settings.
    Site(Site),
    /// The whole tree of circuits.
    Circuits(Vec<Circuit>),
    /// A meter's configuration.
    Meter(Meter),
    /// A meter was removed; its readings stay.
    MeterRemoved(MeterId),
    /// A charger's configuration.
    Charger(Charger),
    /// A charger was removed; its sessions and readings stay.
    ChargerRemoved(ChargerId),
    /// What a charger said about itself when it last started.
    Hardware(ChargerId, HardwareInfo),
    /// What the manager ordered for a charger; `None` lifts it.
    Hold(ChargerId, Option<Hold>),
    /// A tenant.
    Tenant(Tenant),
    /// All that names a tenant is forgotten, cards included; number, key and sums stay.
    TenantErased(TenantId, Timestamp),
    /// A card.
    Card(Card),
    /// A card was removed.
    CardRemoved(CardUid),
    /// A card was refused.
    CardRefused(RefusedCard),
    /// A session, whole: the newest state wins.
    Session(Session),
    /// What a tenant needs from a session; `None` withdraws it.
    Wish(SessionId, Option<Wish>),
    /// Energy of a session since its start, as known at a time: what cuts it at midnight and at a change of price.
    SessionMeasured {
        /// Which session.
        session: SessionId,
        /// When, by the charger's corrected clock.
        at: Timestamp,
        /// Its energy by then.
        energy: WattHours,
    },
    /// What a person changed about a session, and why; the session itself is a record of its own.
    SessionChanged(SessionChange),
    /// A session end that fits no session we know.
    OrphanStop(OrphanStop),
    /// What a person made of such an end.
    OrphanDecided(OrphanDecision),
    /// Measured and commanded values.
    Readings(Vec<Reading>),
    /// Why a connector's setpoint changed.
    Decision(Decision),
    /// An alarm was raised, changed or cleared.
    Alarm(Alarm),
    /// A protocol frame, as it crossed the wire.
    Frame(Frame),
    /// What is demanded of a charger that connects.
    ChargerSecurity(ChargerSecurity),
    /// A certificate that was issued or revoked.
    Certificate(IssuedCertificate),
    /// A file of a charger.
    File(StoredFile),
    /// A file was removed; the text is its id.
    FileRemoved(String),
    /// A charger's link or a connector changed its state.
    StatusChange(StatusChange),
    /// Something learnt or configured that only its own part of the program understands.
    Fact(Fact),
}

/// A change of state, for the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// Which charger.
    pub charger: ChargerId,
    /// Which connector; `None` is the charger as a whole.
    pub connector: Option<ConnectorNumber>,
    /// When.
    pub at: Timestamp,
    /// Its state from then on.
    pub state: ReportedState,
    /// Error code and text of the charger; empty when there is none.
    pub error: String,
}

/// A state on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportedState {
    /// The link is up.
    Online,
    /// The link is down.
    Offline,
    /// A connector, or the charger as a whole, reports this.
    Status(ConnectorStatus),
}

/// A named text about a subject, such as what a charger's model was found to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about, such as `charger/C1`.
    pub subject: String,
    /// Its name.
    pub name: String,
    /// The text; `None` forgets it.
    pub value: Option<String>,
}

/// What the manager ordered for one charger, above all sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Give nothing until resumed.
    Paused,
    /// Never give more than this.
    LimitedTo(MilliAmps),
}

/// A card that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCard {
    /// The card.
    pub uid: CardUid,
    /// Where it was tapped.
    pub charger: ChargerId,
    /// When.
    pub at: Timestamp,
    /// Why; never [`CardVerdict::Accepted`].
    pub verdict: CardVerdict,
}

/// A session end nobody can place yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanStop {
    /// Who sent it.
    pub charger: ChargerId,
    /// What it said.
    pub request: StopRequest,
}

/// The figures of a session that a person can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionFigures {
    /// Who pays.
    pub tenant: Option<TenantId>,
    /// Start.
    pub started_at: Timestamp,
    /// End; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// Energy.
    pub energy: WattHours,
    /// Trust.
    pub provenance: Provenance,
}

impl From<&Session> for SessionFigures {
    fn from(session: &Session) -> Self {
        Self {
            tenant: session.tenant,
            started_at: session.started_at,
            ended_at: session.ended_at,
            energy: session.energy,
            provenance: session.provenance,
        }
    }
}

/// A change of a session by a person. The first change of a session holds its original figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionChange {
    /// Which session.
    pub session: SessionId,
    /// When it was changed.
    pub at: Timestamp,
    /// Why, in the person's words.
    pub reason: String,
    /// Figures before.
    pub before: SessionFigures,
    /// Figures after.
    pub after: SessionFigures,
}

/// What became of an [`OrphanStop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrphanFate {
    /// It is the end of this session.
    Assigned(SessionId),
    /// It ends nothing that is to be paid.
    Dismissed,
}

/// A person's decision about an [`OrphanStop`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanDecision {
    /// Row of the orphan stop in the store.
    pub orphan: i64,
    /// When it was decided.
    pub at: Timestamp,
    /// What became of it.
    pub fate: OrphanFate,
    /// Why, in the person's words.
    pub reason: String,
}

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From a device to us.
    Received,
    /// From us to a device.
    Sent,
}

/// A protocol frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The device, as it named itself.
    pub device: String,
    /// Which way.
    pub direction: Direction,
    /// When it passed.
    pub at: Timestamp,
    /// Topic for MQTT, empty for OCPP.
    pub topic: String,
    /// The text; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// What a series belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A circuit: all that flows through it, chargers included.
    Circuit(CircuitId),
    /// Everything below the grid connection that is not a charger ("house load").
    House,
    /// The solar roof.
    Solar,
    /// A meter's own values.
    Meter(MeterId),
    /// A connector of a charger.
    Connector(ChargerId, ConnectorNumber),
}

/// What a series measures, with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// Current on L1 in mA, negative for export.
    CurrentL1,
    /// Current on L2 in mA, negative for export.
    CurrentL2,
    /// Current on L3 in mA, negative for export.
    CurrentL3,
    /// Active power of all phases in W, negative for export.
    Power,
    /// Import register in Wh.
    Energy,
    /// Commanded current per wire in mA.
    Setpoint,
    /// Limit per phase in mA, before the margin.
    Limit,
    /// Voltage of L1 in mV.
    VoltageL1,
    /// Voltage of L2 in mV.
    VoltageL2,
    /// Voltage of L3 in mV.
    VoltageL3,
    /// State of charge of the car in percent.
    StateOfCharge,
    /// Temperature in tenths of a degree Celsius.
    Temperature,
}

impl Quantity {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::CurrentL1,
        Self::CurrentL2,
        Self::CurrentL3,
        Self::Power,
        Self::Energy,
        Self::Setpoint,
        Self::Limit,
        Self::VoltageL1,
        Self::VoltageL2,
        Self::VoltageL3,
        Self::StateOfCharge,
        Self::Temperature,
    ];

    /// Its name in a series, unit last.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CurrentL1 => "current_l1_ma",
            Self::CurrentL2 => "current_l2_ma",
            Self::CurrentL3 => "current_l3_ma",
            Self::Power => "power_w",
            Self::Energy => "energy_wh",
            Self::Setpoint => "set_ma",
            Self::Limit => "limit_ma",
            Self::VoltageL1 => "voltage_l1_mv",
            Self::VoltageL2 => "voltage_l2_mv",
            Self::VoltageL3 => "voltage_l3_mv",
            Self::StateOfCharge => "soc_percent",
            Self::Temperature => "temperature_dc",
        }
    }
}

/// A time series. As text: `house/power_w`, `circuit/main/current_l1_ma`, `charger/C1/1/set_ma`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// What it belongs to.
    pub source: Source,
    /// What it measures.
    pub quantity: Quantity,
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Circuit(id) => write!(f, "circuit/{id}/")?,
            Source::House => f.write_str("house/")?,
            Source::Solar => f.write_str("solar/")?,
            Source::Meter(id) => write!(f, "meter/{id}/")?,
            Source::Connector(id, number) => write!(f, "charger/{id}/{number}/")?,
        }
        f.write_str(self.quantity.name())
    }
}

/// Why a text names no series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// The parts do not fit any source.
    #[error("{0:?} names no series; try house/power_w or charger/<id>/1/power_w")]
    Shape(String),
    /// The last part is no quantity.
    #[error("{0:?} is no quantity")]
    Quantity(String),
    /// The identity inside it cannot exist.
    #[error("the identity in the series is invalid")]
    Id(#[source] IdError),
}

impl FromStr for Series {
    type Err = SeriesError;

    fn from_str(text: &str) -> Result<Self, SeriesError> {
        let parts: Vec<&str> = text.split('/').collect();
        let (source, quantity) = match parts.as_slice() {
            ["house", quantity] => (Source::House, quantity),
            ["solar", quantity] => (Source::Solar, quantity),
            ["circuit", id, quantity] => (Source::Circuit(CircuitId::new(id).map_err(SeriesError::Id)?), quantity),
            ["meter", id, quantity] => (Source::Meter(MeterId::new(id).map_err(SeriesError::Id)?), quantity),
            ["charger", id, number, quantity] => {
                let number = number.parse().map_err(|_ignored| SeriesError::Shape(text.to_owned()))?;
                (Source::Connector(ChargerId::new(id).map_err(SeriesError::Id)?, ConnectorNumber(number)), quantity)
            }
            _ => return Err(SeriesError::Shape(text.to_owned())),
        };
        let quantity = Quantity::ALL
            .into_iter()
            .find(|known| known.name() == *quantity)
            .ok_or_else(|| SeriesError::Quantity((*quantity).to_owned()))?;
        Ok(Self { source, quantity })
    }
}

/// One value of a series, in the unit of its quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which series.
    pub series: Series,
    /// When.
    pub at: Timestamp,
    /// The value.
    pub value: i64,
}

/// Why a connector got what it got; kept whenever the setpoint or the reason changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Which charger.
    pub charger: ChargerId,
    /// Which connector.
    pub connector: ConnectorNumber,
    /// When.
    pub at: Timestamp,
    /// Commanded current per wire.
    pub limit: MilliAmps,
    /// The reason in English, as shown that day.
    pub sentence: String,
    /// The same as data, for other languages: JSON as the API defines it; `None` for a decision of an older version.
    pub reason: Option<String>,
    /// What was known then; `None` for a decision of an older version.
    pub known: Option<Known>,
}

/// What is wrong. The text people read is made by the API from this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmKind {
    /// A meter's newest sample is too old; the declared load is assumed.
    MeterSilent(MeterId),
    /// No meter measures the grid connection.
    NoMeter,
    /// A charger's link is down.
    ChargerOffline(ChargerId),
    /// A charger reports a fault.
    ChargerFaulted(ChargerId),
    /// A charger draws more than it was told to.
    ChargerDisobeys(ChargerId),
    /// A circuit carries more than its limit.
    OverLimit(CircuitId),
    /// The plan failed the independent check and the safe plan took its place.
    PlanRejected,
    /// Fallback currents do not fit; the named charger cannot charge while this PC is off.
    FallbackDoesNotFit(ChargerId),
    /// A device waits for approval.
    WaitsForApproval(String),
    /// Records cannot be written; charging goes on from memory.
    StorageFailing,
    /// The embedded broker's router was rebuilt.
    BrokerRestarted,
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What is wrong.
    pub kind: AlarmKind,
    /// Since when.
    pub raised_at: Timestamp,
    /// Until when; `None` while it lasts.
    pub cleared_at: Option<Timestamp>,
}
