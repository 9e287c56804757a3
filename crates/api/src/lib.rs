//! The contract that clients see under `/api/v1`: snapshots, requests, the live socket, error codes.
//!
//! Start at [`Snapshot`], which is everything the console shows live, and [`LiveMessage`]. Field names
//! carry their unit last (`set_a`, `energy_wh`); times are RFC 3339 UTC text. Sentences for people are
//! made here from structured values ([`Reason::sentence`], [`AlarmText::sentence`]), so that every client
//! says the same in every language.
//!
//! Must not know: how anything is done. No storage, no protocol, no HTTP.

mod alarm;
mod charger_detail;
mod demo;
mod foreign;
mod insight;
mod language;
mod live;
mod operation;
mod people;
mod power;
mod problem;
mod reason;
mod refusal;
mod requests;
mod resources;
mod said;
mod security;
mod statement;
mod sync;
mod tariff;

pub use self::alarm::{AlarmCode, AlarmItem, AlarmText};
pub use self::charger_detail::{
    Capability, CardListItem, ChargerDetail, ChargerSettings, ConfigurationItem, HeldProfile, MeasuredItem,
    OfflineReason, SecurityEventItem, TimelineItem, TransferItem, ValueItem,
};
pub use self::demo::{
    DemoCar, DemoCharger, DemoCommand, DemoMeter, DemoProtocol, DemoScenario, DemoSnapshot, DemoSpeed,
};
pub use self::foreign::{
    ForeignMessage, ForeignMeterItem, ForeignMeterPut, ForeignPreset, ForeignPreview, ForeignReading, ForeignRule,
    ForeignStands, ForeignTransport, ForeignValue,
};
pub use self::insight::{
    OrphanDecisionRequest, OrphanItem, SessionChangeItem, SessionFiguresItem, SessionPatch, Usage, UsageRow,
};
pub use self::language::Language;
pub use self::live::{EnrolmentState, LiveMessage, RefusedCardItem, SiteLive, Snapshot};
pub use self::operation::{
    CertificateUse, LogKind, Operation, PeriodRequest, ProfileKind, ProfilePurpose, ProfileRequest, RateUnit,
};
pub use self::people::{
    CardItem, CardPatch, CardReaderItem, CardReaderState, ImportColumn, ImportPreview, ImportProblem, ImportRequest,
    ImportRow, NewCard, TenantForm, TenantItem, TenantPatch,
};
pub use self::power::{
    CardPolicyItem, ChargerPolicyItem, ChargingTimesKind, ContractPeriodItem, DeviceItem, FallbackCharger,
    FallbackCircuit, FallbackReport, ForecastItem, KnownCarItem, KnownItem, OutlookItem, OutlookPeriodItem,
    SiteRulesItem, TimeWindowItem, WishItem,
};
pub use self::problem::{Code, Problem};
pub use self::reason::{Bottleneck, BottleneckKind, Reason};
pub use self::refusal::RefusalCode;
pub use self::requests::{
    ApproveMeter, ChargerPatch, ChargerPlace, CircuitList, CommandAccepted, CommandOutcome, CommandState,
    ConnectorTarget, EnrolmentRequest, LimitRequest, Login, MeterPatch, MeterPlace, PriorityOrder, ResetKind,
    ResetRequest, SessionInfo, Setup, StartRequest,
};
pub use self::resources::{
    ChargerItem, CircuitItem, ConnectionItem, ConnectionPage, ConnectorItem, DecisionItem, FrameItem, Health,
    HealthPart, MeterItem, NetworkItem, Page, ReadingColumns, SessionItem, SiteItem,
};
pub use self::said::in_portuguese;
pub use self::security::{
    CertificateItem, ChargerSecurityItem, ChargerSecurityPut, FileItem, ListenerItem, ListenerSwitches,
    NewChargerPassword, NewDevice, SecurityPolicy, SecurityState, ShownPassword,
};
pub use self::statement::{
    ChainCheck, DeliveryItem, ExportRequest, JobItem, JobState, MonthItem, MonthState, MonthStatement, ObstacleCode,
    ObstacleDecision, ObstacleItem, ReconciliationRow, SendRequest, StatementItem, StatementLine, StatementRow,
    StatementSession,
};
pub use self::sync::{
    BackupForm, BackupItem, BackupPage, BackupPreview, CloudForm, CloudItem, ConnectionTest, ConsentForm,
    ExportWritten, KafkaForm, KafkaItem, MqttForm, MqttItem, RetentionForm, RetentionItem, SinkPause, SinkStatus,
    SyncPage, TroubleItem,
};
pub use self::tariff::{
    LetterheadItem, MailItem, TariffCalendar, TariffCharge, TariffDocument, TariffEnergy, TariffFlag, TariffHolidays,
    TariffIdleFee, TariffMonth, TariffPage, TariffPeriod, TariffRate, TariffRule, TariffShare, TariffTax,
    TariffVersion,
};
