//! Sockets of OCPP chargers: they accept, carry text both ways and decide nothing.

mod head;
mod pump;
mod web_socket;

pub(crate) use self::pump::{Carrier, Link, Proof, Slots, ToSocket, listen, listen_tls};
