//! What the gate sends.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::properties::{Properties, Property, Value, put_binary, put_variable};
use super::{Reason, kind};
use crate::{Protocol, QoS};

/// What a client is told when it is let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConnAck {
    pub(crate) session_present: bool,
    /// MQTT 5 only.
    pub(crate) properties: Properties,
}

/// A message as one client gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) topic: Bytes,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) repeated: bool,
    /// 0 with QoS 0.
    pub(crate) id: u16,
    pub(crate) expiry_s: Option<u32>,
    pub(crate) subscription_ids: Vec<u32>,
    /// Properties from the publisher, as they are written on the wire.
    pub(crate) properties: Bytes,
}

pub(crate) fn write_connack(out: &mut BytesMut, protocol: Protocol, connack: &ConnAck) {
    let mut body = BytesMut::new();
    body.put_u8(u8::from(connack.session_present));
    body.put_u8(0);
    if protocol == Protocol::V5 {
        put_properties(&mut body, &connack.properties);
    }
    put_packet(out, kind::CONNACK << 4, &body);
}

/// A CONNACK that refuses.
pub(crate) fn write_refusal(out: &mut BytesMut, protocol: Protocol, reason: Reason, text: &str) {
    let mut body = BytesMut::new();
    body.put_u8(0);
    match protocol {
        Protocol::V311 => body.put_u8(match reason {
            Reason::UnsupportedVersion => 1,
            Reason::ClientIdNotValid => 2,
            Reason::ServerUnavailable | Reason::QuotaExceeded | Reason::ServerShuttingDown => 3,
            _ => 5,
        }),
        Protocol::V5 => {
            body.put_u8(reason as u8);
            put_properties(&mut body, &reason_string(text));
        }
    }
    put_packet(out, kind::CONNACK << 4, &body);
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP. An MQTT 3.1.1 client only gets the packet identifier.
pub(crate) fn write_ack(out: &mut BytesMut, protocol: Protocol, packet: u8, id: u16, reason: Reason) {
    let flags = if packet == kind::PUBREL { 0x02 } else { 0x00 };
    let mut body = BytesMut::new();
    body.put_u16(id);
    if protocol == Protocol::V5 && reason != Reason::Success {
        body.put_u8(reason as u8);
    }
    put_packet(out, packet << 4 | flags, &body);
}

/// `codes` are as MQTT 5 has them; every refusal is 0x80 for an MQTT 3.1.1 client.
pub(crate) fn write_suback(out: &mut BytesMut, protocol: Protocol, id: u16, codes: &[Result<QoS, Reason>]) {
    let mut body = BytesMut::new();
    body.put_u16(id);
    if protocol == Protocol::V5 {
        body.put_u8(0);
    }
    for code in codes {
        body.put_u8(match (code, protocol) {
            (Ok(qos), _) => qos.to_wire(),
            (Err(_), Protocol::V311) => 0x80,
            (Err(reason), Protocol::V5) => *reason as u8,
        });
    }
    put_packet(out, kind::SUBACK << 4, &body);
}

pub(crate) fn write_unsuback(out: &mut BytesMut, protocol: Protocol, id: u16, codes: &[Reason]) {
    let mut body = BytesMut::new();
    body.put_u16(id);
    if protocol == Protocol::V5 {
        body.put_u8(0);
        for code in codes {
            body.put_u8(*code as u8);
        }
    }
    put_packet(out, kind::UNSUBACK << 4, &body);
}

pub(crate) fn write_pingresp(out: &mut BytesMut) {
    put_packet(out, kind::PINGRESP << 4, &[]);
}

/// Only MQTT 5 has a goodbye of the server; an MQTT 3.1.1 client just loses its connection.
pub(crate) fn write_disconnect(out: &mut BytesMut, protocol: Protocol, reason: Reason, text: &str) {
    if protocol == Protocol::V311 {
        return;
    }
    let mut body = BytesMut::new();
    body.put_u8(reason as u8);
    put_properties(&mut body, &reason_string(text));
    put_packet(out, kind::DISCONNECT << 4, &body);
}

pub(crate) fn write_publish(out: &mut BytesMut, protocol: Protocol, delivery: &Delivery) {
    let mut head = BytesMut::new();
    put_binary(&mut head, &delivery.topic);
    if delivery.qos != QoS::AtMostOnce {
        head.put_u16(delivery.id);
    }
    if protocol == Protocol::V5 {
        let mut properties = BytesMut::new();
        own_properties(delivery).write(&mut properties);
        properties.put_slice(&delivery.properties);
        put_variable(&mut head, length(&properties));
        head.put_slice(&properties);
    }
    let flags = u8::from(delivery.repeated) << 3 | delivery.qos.to_wire() << 1 | u8::from(delivery.retain);
    out.put_u8(kind::PUBLISH << 4 | flags);
    put_variable(out, length(&head).saturating_add(length(&delivery.payload)));
    out.put_slice(&head);
    out.put_slice(&delivery.payload);
}

fn own_properties(delivery: &Delivery) -> Properties {
    let mut own = Properties::default();
    if let Some(expiry_s) = delivery.expiry_s {
        own = own.with(Property::MessageExpiry, Value::Four(expiry_s));
    }
    let ids = delivery.subscription_ids.iter();
    ids.fold(own, |own, id| own.with(Property::SubscriptionId, Value::Variable(*id)))
}

fn reason_string(text: &str) -> Properties {
    Properties::default().with(Property::ReasonString, Value::Text(text.to_owned()))
}

fn put_properties(out: &mut BytesMut, properties: &Properties) {
    let mut block = BytesMut::new();
    properties.write(&mut block);
    put_variable(out, length(&block));
    out.put_slice(&block);
}

fn put_packet(out: &mut BytesMut, first: u8, body: &[u8]) {
    out.put_u8(first);
    put_variable(out, length(body));
    out.put_slice(body);
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
