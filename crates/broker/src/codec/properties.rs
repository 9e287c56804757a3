//! Properties of MQTT 5: which exist, which packet may carry them, how they are written.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::Fault;
use super::reader::Reader;

/// A property the gate knows, with its identifier on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Property {
    PayloadFormat = 0x01,
    MessageExpiry = 0x02,
    ContentType = 0x03,
    ResponseTopic = 0x08,
    CorrelationData = 0x09,
    SubscriptionId = 0x0B,
    SessionExpiry = 0x11,
    AssignedClientId = 0x12,
    ServerKeepAlive = 0x13,
    AuthenticationMethod = 0x15,
    AuthenticationData = 0x16,
    RequestProblem = 0x17,
    WillDelay = 0x18,
    RequestResponse = 0x19,
    ReasonString = 0x1F,
    ReceiveMaximum = 0x21,
    TopicAliasMaximum = 0x22,
    TopicAlias = 0x23,
    User = 0x26,
    PacketSizeMaximum = 0x27,
    SharedSubscriptionAvailable = 0x2A,
}

impl Property {
    /// Those a client may send; the others of the standard only come from servers.
    const fn from_wire(id: u8) -> Option<Self> {
        Some(match id {
            0x01 => Self::PayloadFormat,
            0x02 => Self::MessageExpiry,
            0x03 => Self::ContentType,
            0x08 => Self::ResponseTopic,
            0x09 => Self::CorrelationData,
            0x0B => Self::SubscriptionId,
            0x11 => Self::SessionExpiry,
            0x15 => Self::AuthenticationMethod,
            0x16 => Self::AuthenticationData,
            0x17 => Self::RequestProblem,
            0x18 => Self::WillDelay,
            0x19 => Self::RequestResponse,
            0x1F => Self::ReasonString,
            0x21 => Self::ReceiveMaximum,
            0x22 => Self::TopicAliasMaximum,
            0x23 => Self::TopicAlias,
            0x26 => Self::User,
            0x27 => Self::PacketSizeMaximum,
            _ => return None,
        })
    }

    fn read(self, reader: &mut Reader) -> Result<Value, Fault> {
        Ok(match self {
            Self::PayloadFormat | Self::RequestProblem | Self::RequestResponse | Self::SharedSubscriptionAvailable => {
                let byte = reader.one()?;
                if byte > 1 {
                    return Err(Fault::protocol("a property that is yes or no holds another number"));
                }
                Value::One(byte)
            }
            Self::ReceiveMaximum | Self::TopicAliasMaximum | Self::TopicAlias | Self::ServerKeepAlive => {
                Value::Two(reader.two()?)
            }
            Self::MessageExpiry | Self::SessionExpiry | Self::WillDelay | Self::PacketSizeMaximum => {
                Value::Four(reader.four()?)
            }
            Self::SubscriptionId => Value::Variable(reader.variable()?),
            Self::ContentType
            | Self::ResponseTopic
            | Self::AssignedClientId
            | Self::AuthenticationMethod
            | Self::ReasonString => Value::Text(reader.string()?),
            Self::CorrelationData | Self::AuthenticationData => Value::Binary(reader.binary()?),
            Self::User => Value::Pair(reader.string()?, reader.string()?),
        })
    }
}

/// What a property holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    One(u8),
    Two(u16),
    Four(u32),
    Variable(u32),
    Text(String),
    Binary(Bytes),
    Pair(String, String),
}

/// The properties of one packet, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties(Vec<(Property, Value)>);

impl Properties {
    /// Reads a block of properties of which only `allowed` may occur, each once; user properties as often as they like.
    pub(crate) fn read(reader: &mut Reader, allowed: &[Property]) -> Result<Self, Fault> {
        let length = reader.variable()?;
        let length = usize::try_from(length).map_err(|_too_big| Fault::malformed("the properties are too long"))?;
        let mut block = Reader::new(reader.take(length)?);
        let mut found = Self::default();
        while !block.is_empty() {
            let property = Property::from_wire(block.one()?)
                .filter(|property| allowed.contains(property))
                .ok_or(Fault::protocol("the packet holds a property that does not belong there"))?;
            if property != Property::User && found.get(property).is_some() {
                return Err(Fault::protocol("a property occurs twice"));
            }
            let value = property.read(&mut block)?;
            found.0.push((property, value));
        }
        Ok(found)
    }

    pub(crate) fn get(&self, wanted: Property) -> Option<&Value> {
        self.0.iter().find(|(property, _)| *property == wanted).map(|(_, value)| value)
    }

    pub(crate) fn one(&self, wanted: Property) -> Option<u8> {
        if let Some(Value::One(value)) = self.get(wanted) { Some(*value) } else { None }
    }

    pub(crate) fn two(&self, wanted: Property) -> Option<u16> {
        if let Some(Value::Two(value)) = self.get(wanted) { Some(*value) } else { None }
    }

    pub(crate) fn four(&self, wanted: Property) -> Option<u32> {
        if let Some(Value::Four(value)) = self.get(wanted) { Some(*value) } else { None }
    }

    pub(crate) fn variable(&self, wanted: Property) -> Option<u32> {
        if let Some(Value::Variable(value)) = self.get(wanted) { Some(*value) } else { None }
    }

    pub(crate) fn text(&self, wanted: Property) -> Option<&str> {
        if let Some(Value::Text(value)) = self.get(wanted) { Some(value) } else { None }
    }

    pub(crate) fn with(mut self, property: Property, value: Value) -> Self {
        self.0.push((property, value));
        self
    }

    /// What a publish hands on to its receivers unchanged, written without the length in front.
    pub(crate) fn forwarded(&self) -> Bytes {
        let mut out = BytesMut::new();
        for (property, value) in &self.0 {
            match property {
                Property::PayloadFormat
                | Property::ContentType
                | Property::ResponseTopic
                | Property::CorrelationData
                | Property::User => put(&mut out, *property, value),
                Property::MessageExpiry
                | Property::SubscriptionId
                | Property::SessionExpiry
                | Property::AssignedClientId
                | Property::ServerKeepAlive
                | Property::AuthenticationMethod
                | Property::AuthenticationData
                | Property::RequestProblem
                | Property::WillDelay
                | Property::RequestResponse
                | Property::ReasonString
                | Property::ReceiveMaximum
                | Property::TopicAliasMaximum
                | Property::TopicAlias
                | Property::PacketSizeMaximum
                | Property::SharedSubscriptionAvailable => {}
            }
        }
        out.freeze()
    }

    /// Writes the properties without the length in front.
    pub(crate) fn write(&self, out: &mut BytesMut) {
        for (property, value) in &self.0 {
            put(out, *property, value);
        }
    }
}

fn put(out: &mut BytesMut, property: Property, value: &Value) {
    out.put_u8(property as u8);
    match value {
        Value::One(value) => out.put_u8(*value),
        Value::Two(value) => out.put_u16(*value),
        Value::Four(value) => out.put_u32(*value),
        Value::Variable(value) => put_variable(out, *value),
        Value::Text(value) => put_binary(out, value.as_bytes()),
        Value::Binary(value) => put_binary(out, value),
        Value::Pair(name, value) => {
            put_binary(out, name.as_bytes());
            put_binary(out, value.as_bytes());
        }
    }
}

/// Writes a variable byte integer; values beyond 28 bits cannot occur, lengths are limited before.
pub(crate) fn put_variable(out: &mut BytesMut, value: u32) {
    let mut rest = value & 0x0FFF_FFFF;
    loop {
        let low = u8::try_from(rest & 0x7F).unwrap_or(0x7F);
        rest >>= 7;
        if rest == 0 {
            out.put_u8(low);
            return;
        }
        out.put_u8(low | 0x80);
    }
}

/// Writes a string or binary with its length; what is longer than 65,535 bytes is cut there.
pub(crate) fn put_binary(out: &mut BytesMut, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.put_u16(length);
    out.put_slice(bytes.get(..usize::from(length)).unwrap_or(bytes));
}
