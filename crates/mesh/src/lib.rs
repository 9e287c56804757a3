//! The IEVCC protocol over MQTT: what travels in [`wire`], who belongs in [`Mesh`].
//!
//! Meters ("counters") announce themselves on `hello/new`, chargers on the topic of their meter; once
//! registered, the manager talks to each on its own topic. [`Mesh`] is one machine without IO: it gets
//! identified messages and says what to publish and what happened. `docs/mqtt.md` is the specification.
//!
//! Must not know: sockets, OCPP, SQL, or how limits are computed.

mod io;
mod machine;
pub mod wire;

pub use self::io::{Command, Gate, Input, KnownCharger, KnownMeter, KnownSession, MeshConfig, Outcome, Output, Trust};
pub use self::machine::Mesh;
