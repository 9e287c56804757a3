//! One machine without IO per charger: OCPP in, domain events out, limits in, OCPP out.
//!
//! Start at [`Station`]. What it takes and gives ([`Input`], [`Output`]) names no version of OCPP.
//! Must not know: sockets, SQL, how limits are computed, other chargers.

mod answers;
mod clock;
mod commands;
mod connector;
mod incoming;
mod measure;
mod outgoing;
mod port;
mod profile;
mod setup;
mod station;

pub use self::port::{Command, Gate, Input, Outcome, Output, ResetKind, StationConfig, Trigger};
pub use self::station::Station;
