//! The bytes of MQTT 3.1.1 and 5, as far as a server needs them: strict in reading, and nothing in it can panic on input.
//!
//! `rumqttd`'s own codec is not used on sockets: it panics on packets only a server may send, keeps the QoS and packet id
//! of a publish to itself, loses bytes of passwords, and accepts topics and filters that the standard forbids.

mod connect;
mod packet;
mod properties;
mod reader;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use connect::{Connect, Will, read_connect};
pub(crate) use packet::{
    Disconnect, Packet, Publish, RetainHandling, Subscribe, SubscribeOption, Unsubscribe, read_packet,
};
pub(crate) use properties::{Properties, Property, Value};
pub(crate) use write::{
    ConnAck, Delivery, write_ack, write_connack, write_disconnect, write_pingresp, write_publish, write_refusal,
    write_suback, write_unsuback,
};

use bytes::{Buf as _, Bytes, BytesMut};

/// Packet types of the fixed header.
pub(crate) mod kind {
    pub(crate) const CONNECT: u8 = 1;
    pub(crate) const CONNACK: u8 = 2;
    pub(crate) const PUBLISH: u8 = 3;
    pub(crate) const PUBACK: u8 = 4;
    pub(crate) const PUBREC: u8 = 5;
    pub(crate) const PUBREL: u8 = 6;
    pub(crate) const PUBCOMP: u8 = 7;
    pub(crate) const SUBSCRIBE: u8 = 8;
    pub(crate) const SUBACK: u8 = 9;
    pub(crate) const UNSUBSCRIBE: u8 = 10;
    pub(crate) const UNSUBACK: u8 = 11;
    pub(crate) const PINGREQ: u8 = 12;
    pub(crate) const PINGRESP: u8 = 13;
    pub(crate) const DISCONNECT: u8 = 14;
}

/// Reason codes of MQTT 5 that the gate uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Reason {
    Success = 0x00,
    NoSubscriptionExisted = 0x11,
    Unspecified = 0x80,
    Malformed = 0x81,
    Protocol = 0x82,
    UnsupportedVersion = 0x84,
    ClientIdNotValid = 0x85,
    BadUserNameOrPassword = 0x86,
    NotAuthorized = 0x87,
    ServerUnavailable = 0x88,
    Banned = 0x8A,
    ServerShuttingDown = 0x8B,
    BadAuthenticationMethod = 0x8C,
    KeepAliveTimeout = 0x8D,
    SessionTakenOver = 0x8E,
    TopicFilterInvalid = 0x8F,
    TopicNameInvalid = 0x90,
    PacketIdNotFound = 0x92,
    ReceiveMaximumExceeded = 0x93,
    TopicAliasInvalid = 0x94,
    PacketTooLarge = 0x95,
    QuotaExceeded = 0x97,
    AdministrativeAction = 0x98,
    SharedSubscriptionsNotSupported = 0x9E,
}

/// A packet that ends the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What an MQTT 5 client is told.
    pub(crate) reason: Reason,
    /// What a person is told.
    pub(crate) text: &'static str,
}

impl Fault {
    pub(crate) const fn malformed(text: &'static str) -> Self {
        Self { reason: Reason::Malformed, text }
    }

    pub(crate) const fn protocol(text: &'static str) -> Self {
        Self { reason: Reason::Protocol, text }
    }
}

/// One packet as it came, not yet understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    kind: u8,
    flags: u8,
    body: Bytes,
}

impl Frame {
    pub(crate) const fn is_connect(&self) -> bool {
        self.kind == kind::CONNECT
    }
}

/// Bytes of the packet that `buffer` begins with, header included; `None` when its length has not arrived yet.
///
/// A packet longer than `bytes_max` is refused as soon as its length is known, before its body arrives.
pub(crate) fn frame_length(buffer: &[u8], bytes_max: usize) -> Result<Option<usize>, Fault> {
    let mut length = 0_usize;
    for position in 0..4_usize {
        let Some(&byte) = buffer.get(1 + position) else { return Ok(None) };
        length |= usize::from(byte & 0x7F) << (7 * position);
        if byte & 0x80 == 0 {
            let total = 2 + position + length;
            if total > bytes_max {
                return Err(Fault {
                    reason: Reason::PacketTooLarge,
                    text: "the packet is larger than this broker accepts",
                });
            }
            return Ok(Some(total));
        }
    }
    Err(Fault::malformed("the length of a packet has more than four bytes"))
}

/// Takes the next whole packet out of `buffer`; `None` when more bytes are needed.
pub(crate) fn take_frame(buffer: &mut BytesMut, bytes_max: usize) -> Result<Option<Frame>, Fault> {
    let Some(total) = frame_length(buffer, bytes_max)? else { return Ok(None) };
    if buffer.len() < total {
        return Ok(None);
    }
    let mut whole = buffer.split_to(total).freeze();
    let first = whole.get_u8();
    // The length: up to the first byte without the continuation bit.
    while whole.get_u8() & 0x80 != 0 {}
    Ok(Some(Frame { kind: first >> 4, flags: first & 0x0F, body: whole }))
}
