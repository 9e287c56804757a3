//! What must survive: one SQLite file with one writer and several readers.
//!
//! [`Store::open`] gives a [`Writer`], which makes [`domain::Record`]s durable (concurrent callers share one
//! transaction and one fsync), and a [`Reader`] for everything else. Readings are kept raw for weeks, as
//! minute means for two years and as quarter-hours for ever. [`seed`] fills history in for the demo.
//!
//! Must not know: OCPP, MQTT, or the types of the API.

mod backup;
mod bare;
mod columns;
mod error;
mod lock;
mod maintenance;
mod open;
mod outbox;
mod page;
mod reader;
pub mod seed;
mod series_codec;
mod statement_reader;
mod statements;
mod table;
mod usage;
mod writer;
mod year;

pub use self::backup::{Inspection, backup_files, backup_inspect, backup_restore, backup_write, salvage};
pub use self::bare::BareLog;
pub use self::columns::Columns;
pub use self::error::StoreError;
pub use self::maintenance::Maintenance;
pub use self::open::{Options, Retention, Store, size_on_disk};
pub use self::outbox::{
    Consent, OutboxBatch, OutboxReading, OutboxRow, OutboxTable, Resolution, RowPage, Sink, SinkOrder, SinkSetup,
    SinkState,
};
pub use self::page::{AlarmFilter, FrameFilter, List, OrphanFilter, OwnerFilter, Page, SessionFilter};
pub use self::reader::{KeptOrphan, LoadedSetup, Reader, all_outbox_tables, outbox_tables};
pub use self::statement_reader::StatementBasis;
pub use self::statements::{
    ClosedMonth, ClosedStatement, Delivery, NamedDocument, ObstacleDecision, StatementRecord, TracedSession,
};
pub use self::usage::{Slice, UsageGroup, UsageKey, UsageQuestion, UsageSum};
pub use self::writer::Writer;
pub use self::year::{YearPlan, YearReport, year};
