//! Composes everything: configuration, sockets, the engine, the HTTP and WebSocket API, and the drain.
//!
//! Start at [`start`], which takes a [`Config`] and gives a [`Running`]. One task, the engine, owns the
//! deciders (control, one station per charger, the mesh); sockets only carry. Whatever a device says is
//! kept before it is acknowledged; whatever reduces a current is sent before anything is kept.
//!
//! Must not know: the desktop shell, the console's code, the simulator.

mod access;
mod backup;
mod beginning;
mod books;
mod card_reader;
mod ceiling;
mod cloud;
mod config;
mod connections;
mod convert;
mod credentials;
mod doctor;
mod drain;
mod engine;
mod error;
mod feed;
mod files;
mod foreign;
mod http;
mod import;
mod journal;
mod listeners;
mod month;
mod mqtt;
mod ocpp_socket;
mod past;
mod reach;
mod redact;
mod running;
#[allow(dead_code, reason = "the clouds that use all of it come next")]
mod secrets;
mod settings;
mod site_file;
mod sockets;
mod time_text;
mod tls;

pub use self::backup::{
    BackupError, BackupSettings, Beside, Copy, Exported, Inspection, backup_beside, backup_inspect, backup_now,
    backup_restore, copies, export,
};
pub use self::books::{Books, BooksError, FileKind, ListedMonth, MonthBook, Verified, Which};
pub use self::ceiling::ceiling;
pub use self::cloud::{
    CaughtUp, CloudError, CloudStatus, CloudTool, Pace, Pulled, SettledRows, Verification, VerifiedTable, catch_up,
};
pub use self::config::{Asset, Config, ConsoleAssets, Demo, InitialSite, SystemClock};
pub use self::doctor::{Check, Verdict, doctor};
pub use self::error::StartError;
pub use self::http::openapi_document;
pub use self::running::{Addresses, Running, start};
pub use self::secrets::{SecretsChoice, SecretsError};
pub use self::settings::{Settings, SettingsError};
pub use self::site_file::{SiteFileError, parse_site_file};
pub use self::tls::CertificateError;
pub use store::seed::{History, SeriesHistory};
pub use store::{StoreError, YearPlan, YearReport, year};
pub use sync::postgres::Settings as CloudSettings;
