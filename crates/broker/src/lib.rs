//! The MQTT broker of a site: our own gate on the sockets, the router of `rumqttd` behind it.
//!
//! A device never speaks to `rumqttd`. The gate owns the socket, both protocol versions, the login, the rules of who may
//! publish and subscribe where, sessions, acknowledgements, retained messages and wills; the router only distributes
//! messages that the gate built itself. Why is written in `docs/adr/0002-mqtt-gate-in-front-of-rumqttd.md`.
//!
//! Entry point: [`Broker::start`] with a bound listener and an [`Authority`] that decides.
//!
//! Must not know: what is inside a message, which devices exist, how long anything is stored. It gets a policy and gives
//! identified messages.

#![forbid(unsafe_code)]

mod authority;
mod broker;
mod codec;
mod config;
mod limits;
mod login;
mod message;
mod retained;
mod router;
mod session;
mod topic;

pub use authority::{
    Admission, Attempt, Authority, Connection, Identity, Incoming, Login, Origin, Protocol, QoS, Receipt, Refusal,
    Standing,
};
pub use broker::{Broker, PublishError, Retain, StartError};
pub use config::Config;
