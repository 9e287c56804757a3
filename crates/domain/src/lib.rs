//! What exists in a site, and in which units.
//!
//! The words are the glossary of ARCHITECTURE.md: site, circuit, meter, charger, connector, tenant,
//! card, session, reading, setpoint. Start at [`Site`] and [`ChargerEvent`].
//!
//! Must not know: any protocol, storage, user interface or runtime. Nothing here reads a clock,
//! a file or a socket; the current time always arrives as a [`Now`].

mod card;
mod card_likeness;
mod charger;
mod circuit;
mod device;
mod event;
mod ids;
mod known;
mod meter;
mod outlook;
mod phase;
mod policy;
mod record;
mod schedule;
mod security;
mod session;
mod site;
mod tenant;
mod time;
mod units;

pub use self::card::{Card, CardStatus, CardUid, CardUidError};
pub use self::card_likeness::CardLikeness;
pub use self::charger::{Charger, ConnectorStatus, HardwareInfo, Protocol, StatusDetail};
pub use self::circuit::{Circuit, CircuitTree, CircuitTreeError};
pub use self::device::{BreakerCurve, DeviceError, ProtectionDevice, TripModel};
pub use self::event::{
    CardVerdict, ChargerEvent, ChargerSample, MeterEvent, ReplyKey, SessionRef, StartRequest, StopReason, StopRequest,
};
pub use self::ids::{CardId, ChargerId, CircuitId, ConnectorNumber, IdError, MeterId, SessionId, TenantId};
pub use self::known::{Known, KnownCar};
pub use self::meter::{Meter, MeterRole, MeterSample};
pub use self::outlook::{Outlook, OutlookError, OutlookPeriod};
pub use self::phase::{PerPhase, Phase, PhaseCount, Wiring, WiringError};
pub use self::policy::{
    CardPolicy, ChargerPolicy, ChargingTimes, CircuitRating, ContractPeriod, EnergySource, Pausing, PolicyError,
    Rotation, SharingRule, SiteRules, Wish,
};
pub use self::record::{
    Alarm, AlarmKind, Decision, Direction, Fact, Frame, Hold, OrphanDecision, OrphanFate, OrphanStop, Quantity,
    Reading, Record, RefusedCard, ReportedState, Series, SeriesError, SessionChange, SessionFigures, Source,
    StatusChange,
};
pub use self::schedule::{LocalTime, TimeWindow, UtcOffset, Weekday};
pub use self::security::{ChargerSecurity, FileKind, IssuedCertificate, SecurityProfile, StoredFile};
pub use self::session::{EndReason, Provenance, Session};
pub use self::site::{Connection, Pacing, Site, SiteError};
pub use self::tenant::{
    Contact, OwnChargerUse, Tenant, TenantError, TenantKey, TenantKeyError, TenantLanguage, TenantStatus, TenantTerms,
    UnitKey,
};
pub use self::time::{Clock, DurationMs, Instant, Now, Timestamp};
pub use self::units::{Flow, MilliAmps, MilliVolts, VoltAmps, WattHours, Watts};
