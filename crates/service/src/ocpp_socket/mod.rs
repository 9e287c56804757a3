//! Sockets of OCPP chargers: they accept, carry text both ways and decide nothing.

mod head;
mod pump;

pub(crate) use self::pump::{Carrier, Slots, ToSocket, listen, listen_tls};
