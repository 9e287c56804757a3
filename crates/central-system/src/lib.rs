//! One machine without IO per charger: OCPP in, domain events out, limits in, OCPP out.
//!
//! Start at [`Station`]. What it takes and gives ([`Input`], [`Output`]) names no version of OCPP.
//! Must not know: sockets, SQL, how limits are computed, other chargers.

mod answered;
mod answers;
mod cards;
mod clock;
mod command;
mod commands;
mod connector;
mod incoming;
mod measure;
mod memory;
mod outgoing;
mod port;
mod profile;
mod report;
mod setup;
mod station;
mod version;
mod view;

pub use self::cards::{CardList, ListState};
pub use self::command::{
    CertificateHash, CertificateKind, Command, Download, HashAlgorithm, ListEntry, ListUpdate, LogKind, ProfileKind,
    ProfileOrder, ProfilePeriod, ProfilePurpose, RateUnit, ResetKind, Trigger, Upload,
};
pub use self::memory::{KeptKey, KeptList, Learned, Memory, Spelling};
pub use self::port::{Gate, Input, Outcome, Output, StationConfig};
pub use self::report::{NewestValue, SecurityEvent, Transfer, TransferKind};
pub use self::setup::Settings;
pub use self::station::Station;
pub use self::version::{ChargerMachine, Version};
pub use self::view::{CardsView, ConfigurationView, LimitView, OfflineReason, OfflineView, StationView};
