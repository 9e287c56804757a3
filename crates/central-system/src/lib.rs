//! One machine without IO per charger: OCPP in, domain events out, limits in, OCPP out.
//!
//! Start at [`Station`]. Must not know: sockets, SQL, how limits are computed, other chargers.

mod port;
mod station;

pub use self::port::{Command, Gate, Input, Outcome, Output, ResetKind, StationConfig, Trigger};
pub use self::station::Station;
