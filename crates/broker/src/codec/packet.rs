//! What a client sends after its CONNECT.

use bytes::Bytes;

use super::properties::{Properties, Property};
use super::reader::Reader;
use super::{Fault, Frame, Reason, kind};
use crate::topic::{Filter, FilterError, Topic};
use crate::{Protocol, QoS};

/// A packet of a connected client. Everything only a server may send is a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Publish(Publish),
    PubAck { id: u16 },
    PubRec { id: u16, failed: bool },
    PubRel { id: u16 },
    PubComp { id: u16 },
    Subscribe(Subscribe),
    Unsubscribe(Unsubscribe),
    PingReq,
    Disconnect(Disconnect),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) topic: Topic,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    /// 0 with QoS 0.
    pub(crate) id: u16,
    pub(crate) retain: bool,
    pub(crate) expiry_s: Option<u32>,
    /// Properties that receivers get, as they are written on the wire.
    pub(crate) properties: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscribe {
    pub(crate) id: u16,
    pub(crate) subscription_id: Option<u32>,
    /// Filters in their order; one that is refused keeps its place.
    pub(crate) options: Vec<SubscribeOption>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubscribeOption {
    pub(crate) filter: Result<Filter, FilterError>,
    pub(crate) qos: QoS,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) retain_handling: RetainHandling,
}

/// When retained messages are sent on a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetainHandling {
    Always,
    WhenNew,
    Never,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsubscribe {
    pub(crate) id: u16,
    pub(crate) filters: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disconnect {
    /// The client wants its will published.
    pub(crate) with_will: bool,
    pub(crate) session_expiry_s: Option<u32>,
}

/// Reads a packet that is not a CONNECT.
pub(crate) fn read_packet(frame: Frame, protocol: Protocol, topic_bytes_max: usize) -> Result<Packet, Fault> {
    if frame.kind == kind::PUBLISH {
        return read_publish(frame.flags, Reader::new(frame.body), protocol, topic_bytes_max).map(Packet::Publish);
    }
    let expected = match frame.kind {
        kind::PUBREL | kind::SUBSCRIBE | kind::UNSUBSCRIBE => 0x02,
        _ => 0x00,
    };
    if frame.flags != expected {
        return Err(Fault::malformed("the flags of a packet are not as the standard fixes them"));
    }
    let reader = Reader::new(frame.body);
    match frame.kind {
        kind::CONNECT => Err(Fault::protocol("a second CONNECT")),
        kind::PUBACK => read_ack(reader, protocol).map(|(id, _)| Packet::PubAck { id }),
        kind::PUBREC => read_ack(reader, protocol).map(|(id, code)| Packet::PubRec { id, failed: code >= 0x80 }),
        kind::PUBREL => read_ack(reader, protocol).map(|(id, _)| Packet::PubRel { id }),
        kind::PUBCOMP => read_ack(reader, protocol).map(|(id, _)| Packet::PubComp { id }),
        kind::SUBSCRIBE => read_subscribe(reader, protocol, topic_bytes_max).map(Packet::Subscribe),
        kind::UNSUBSCRIBE => read_unsubscribe(reader, protocol, topic_bytes_max).map(Packet::Unsubscribe),
        kind::PINGREQ => reader.finish().map(|()| Packet::PingReq),
        kind::DISCONNECT => read_disconnect(reader, protocol).map(Packet::Disconnect),
        _ => Err(Fault::protocol("a packet that a client must not send")),
    }
}

fn read_publish(flags: u8, mut reader: Reader, protocol: Protocol, topic_bytes_max: usize) -> Result<Publish, Fault> {
    let qos = QoS::from_wire(flags >> 1 & 0x03).ok_or(Fault::malformed("a publish with QoS 3"))?;
    if qos == QoS::AtMostOnce && flags & 0x08 != 0 {
        return Err(Fault::malformed("a repeated publish with QoS 0"));
    }
    let name = reader.string()?;
    let id = if qos == QoS::AtMostOnce { 0 } else { reader.packet_id()? };
    let properties = match protocol {
        Protocol::V311 => Properties::default(),
        Protocol::V5 => Properties::read(
            &mut reader,
            &[
                Property::PayloadFormat,
                Property::MessageExpiry,
                Property::ContentType,
                Property::ResponseTopic,
                Property::CorrelationData,
                Property::TopicAlias,
                Property::User,
            ],
        )?,
    };
    if properties.get(Property::TopicAlias).is_some() {
        return Err(Fault { reason: Reason::TopicAliasInvalid, text: "this broker uses no topic aliases" });
    }
    if properties.text(Property::ResponseTopic).is_some_and(|topic| topic.contains(['+', '#'])) {
        return Err(Fault::protocol("the response topic holds wildcards"));
    }
    Ok(Publish {
        topic: Topic::new(&name, topic_bytes_max)?,
        payload: reader.rest_detached(),
        qos,
        id,
        retain: flags & 0x01 != 0,
        expiry_s: properties.four(Property::MessageExpiry),
        properties: properties.forwarded(),
    })
}

fn read_ack(mut reader: Reader, protocol: Protocol) -> Result<(u16, u8), Fault> {
    let id = reader.packet_id()?;
    if protocol == Protocol::V311 || reader.is_empty() {
        reader.finish()?;
        return Ok((id, 0));
    }
    let code = reader.one()?;
    if !reader.is_empty() {
        Properties::read(&mut reader, &[Property::ReasonString, Property::User])?;
    }
    reader.finish()?;
    Ok((id, code))
}

fn read_subscribe(mut reader: Reader, protocol: Protocol, topic_bytes_max: usize) -> Result<Subscribe, Fault> {
    let id = reader.packet_id()?;
    let properties = match protocol {
        Protocol::V311 => Properties::default(),
        Protocol::V5 => Properties::read(&mut reader, &[Property::SubscriptionId, Property::User])?,
    };
    let subscription_id = properties.variable(Property::SubscriptionId);
    if subscription_id == Some(0) {
        return Err(Fault::protocol("a subscription identifier is zero"));
    }
    let mut options = Vec::new();
    while !reader.is_empty() {
        let filter = Filter::new(&reader.string()?, topic_bytes_max);
        options.push(read_option(filter, reader.one()?, protocol)?);
    }
    if options.is_empty() {
        return Err(Fault::protocol("a SUBSCRIBE without filters"));
    }
    Ok(Subscribe { id, subscription_id, options })
}

fn read_option(filter: Result<Filter, FilterError>, bits: u8, protocol: Protocol) -> Result<SubscribeOption, Fault> {
    let reserved = match protocol {
        Protocol::V311 => 0xFC,
        Protocol::V5 => 0xC0,
    };
    if bits & reserved != 0 {
        return Err(Fault::malformed("reserved bits of a subscription are set"));
    }
    let qos = QoS::from_wire(bits & 0x03).ok_or(Fault::malformed("a subscription with QoS 3"))?;
    let retain_handling = match bits >> 4 & 0x03 {
        0 => RetainHandling::Always,
        1 => RetainHandling::WhenNew,
        2 => RetainHandling::Never,
        _ => return Err(Fault::protocol("a subscription with an unknown handling of retained messages")),
    };
    Ok(SubscribeOption {
        filter,
        qos,
        no_local: bits & 0x04 != 0,
        retain_as_published: bits & 0x08 != 0,
        retain_handling,
    })
}

fn read_unsubscribe(mut reader: Reader, protocol: Protocol, topic_bytes_max: usize) -> Result<Unsubscribe, Fault> {
    let id = reader.packet_id()?;
    if protocol == Protocol::V5 {
        Properties::read(&mut reader, &[Property::User])?;
    }
    let mut filters = Vec::new();
    while !reader.is_empty() {
        let filter = reader.string()?;
        if filter.is_empty() || filter.len() > topic_bytes_max {
            return Err(Fault::malformed("an UNSUBSCRIBE with an empty or endless filter"));
        }
        filters.push(filter);
    }
    if filters.is_empty() {
        return Err(Fault::protocol("an UNSUBSCRIBE without filters"));
    }
    Ok(Unsubscribe { id, filters })
}

fn read_disconnect(mut reader: Reader, protocol: Protocol) -> Result<Disconnect, Fault> {
    if protocol == Protocol::V311 || reader.is_empty() {
        reader.finish()?;
        return Ok(Disconnect { with_will: false, session_expiry_s: None });
    }
    let code = reader.one()?;
    let properties = if reader.is_empty() {
        Properties::default()
    } else {
        Properties::read(&mut reader, &[Property::SessionExpiry, Property::ReasonString, Property::User])?
    };
    reader.finish()?;
    Ok(Disconnect { with_will: code != 0, session_expiry_s: properties.four(Property::SessionExpiry) })
}
