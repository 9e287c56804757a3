//! The CONNECT packet: which version it speaks, and whether it is acceptable.

use bytes::Bytes;

use super::properties::{Properties, Property};
use super::reader::{Reader, detached};
use super::{Fault, Frame, Reason};
use crate::topic::{Topic, is_clean};
use crate::{Protocol, QoS};

/// Longest client id accepted, in bytes; the standard guarantees only 23.
const CLIENT_ID_BYTES_MAX: usize = 256;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) protocol: Protocol,
    /// Forget what is kept of an earlier session.
    pub(crate) clean: bool,
    /// Seconds between packets at most; 0 means any.
    pub(crate) keep_alive_s: u16,
    /// Empty: the gate makes one up.
    pub(crate) client_id: String,
    pub(crate) will: Option<Will>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Bytes>,
    /// Seconds that the session outlives the connection; `u32::MAX` is for ever.
    pub(crate) session_expiry_s: u32,
    /// Messages the client takes without having acknowledged them.
    pub(crate) receive_maximum: u16,
    /// Largest packet the client takes, in bytes.
    pub(crate) packet_bytes_max: Option<u32>,
    /// Whether the client wants reasons as text.
    pub(crate) wants_problems: bool,
}

/// What is published when the connection is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Will {
    pub(crate) topic: Topic,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) delay_s: u32,
    pub(crate) expiry_s: Option<u32>,
    pub(crate) properties: Bytes,
}

/// Why a CONNECT is not acceptable, and in which version to answer, if at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnectError {
    pub(crate) answer: Option<Protocol>,
    pub(crate) fault: Fault,
}

/// Reads a CONNECT.
pub(crate) fn read_connect(frame: Frame, topic_bytes_max: usize) -> Result<Connect, ConnectError> {
    let silent = |fault| ConnectError { answer: None, fault };
    if !frame.is_connect() {
        return Err(silent(Fault::protocol("the first packet is not a CONNECT")));
    }
    if frame.flags != 0 {
        return Err(silent(Fault::malformed("the flags of a CONNECT are not zero")));
    }
    let mut reader = Reader::new(frame.body);
    let protocol = read_protocol(&mut reader)?;
    read_body(&mut reader, protocol, topic_bytes_max)
        .map_err(|fault| ConnectError { answer: answers(protocol, &fault).then_some(protocol), fault })
}

/// An MQTT 3.1.1 client is only told of an unacceptable client id or will; a malformed packet just ends the connection.
fn answers(protocol: Protocol, fault: &Fault) -> bool {
    match protocol {
        Protocol::V5 => true,
        Protocol::V311 => matches!(fault.reason, Reason::ClientIdNotValid),
    }
}

fn read_protocol(reader: &mut Reader) -> Result<Protocol, ConnectError> {
    let silent = |fault| ConnectError { answer: None, fault };
    let name = reader.binary().map_err(silent)?;
    let level = reader.one().map_err(silent)?;
    let refused = |answer| ConnectError {
        answer: Some(answer),
        fault: Fault {
            reason: Reason::UnsupportedVersion,
            text: "the client speaks another version of MQTT; set it to 3.1.1 or 5",
        },
    };
    match (name.as_ref(), level) {
        (b"MQTT", 4) => Ok(Protocol::V311),
        (b"MQTT", 5) => Ok(Protocol::V5),
        (b"MQTT", 6..) => Err(refused(Protocol::V5)),
        (b"MQTT" | b"MQIsdp", _) => Err(refused(Protocol::V311)),
        _ => Err(silent(Fault::malformed("the packet does not speak MQTT"))),
    }
}

fn read_body(reader: &mut Reader, protocol: Protocol, topic_bytes_max: usize) -> Result<Connect, Fault> {
    let flags = reader.one()?;
    if flags & 0x01 != 0 {
        return Err(Fault::malformed("a reserved flag of the CONNECT is set"));
    }
    let has = |bit: u8| flags & bit != 0;
    let (clean, has_will, has_password, has_user) = (has(0x02), has(0x04), has(0x40), has(0x80));
    if protocol == Protocol::V311 && has_password && !has_user {
        return Err(Fault::malformed("a password without a user name"));
    }
    let keep_alive_s = reader.two()?;
    let properties = read_properties(reader, protocol)?;
    let client_id = read_client_id(reader, protocol, clean)?;
    let will = read_will(reader, protocol, flags, topic_bytes_max)?;
    debug_assert!(has_will == will.is_some(), "a will is read exactly when the flag is set");
    let user = if has_user { Some(reader.string()?) } else { None };
    let password = if has_password { Some(reader.binary()?) } else { None };
    reader.finish()?;
    if user.as_deref().is_some_and(|user| !is_clean(user)) {
        return Err(Fault::protocol("the user name holds control characters"));
    }
    let receive_maximum = properties.two(Property::ReceiveMaximum).unwrap_or(u16::MAX);
    let packet_bytes_max = properties.four(Property::PacketSizeMaximum);
    if receive_maximum == 0 || packet_bytes_max == Some(0) {
        return Err(Fault::protocol("a maximum in the CONNECT is zero"));
    }
    let session_expiry_s = match protocol {
        Protocol::V311 if clean => 0,
        Protocol::V311 => u32::MAX,
        Protocol::V5 => properties.four(Property::SessionExpiry).unwrap_or(0),
    };
    Ok(Connect {
        protocol,
        clean,
        keep_alive_s,
        client_id,
        will,
        user,
        password,
        session_expiry_s,
        receive_maximum,
        packet_bytes_max,
        wants_problems: properties.one(Property::RequestProblem) != Some(0),
    })
}

fn read_properties(reader: &mut Reader, protocol: Protocol) -> Result<Properties, Fault> {
    if protocol == Protocol::V311 {
        return Ok(Properties::default());
    }
    let properties = Properties::read(
        reader,
        &[
            Property::SessionExpiry,
            Property::AuthenticationMethod,
            Property::AuthenticationData,
            Property::RequestProblem,
            Property::RequestResponse,
            Property::ReceiveMaximum,
            Property::TopicAliasMaximum,
            Property::User,
            Property::PacketSizeMaximum,
        ],
    )?;
    let has = |property| properties.get(property).is_some();
    if has(Property::AuthenticationMethod) {
        return Err(Fault {
            reason: Reason::BadAuthenticationMethod,
            text: "only user name and password are supported to log in",
        });
    }
    if has(Property::AuthenticationData) {
        return Err(Fault::protocol("authentication data without a method"));
    }
    Ok(properties)
}

fn read_client_id(reader: &mut Reader, protocol: Protocol, clean: bool) -> Result<String, Fault> {
    let client_id = reader.string()?;
    let refused = |text| Err(Fault { reason: Reason::ClientIdNotValid, text });
    if client_id.len() > CLIENT_ID_BYTES_MAX {
        return refused("the client id is longer than 256 bytes");
    }
    if !is_clean(&client_id) {
        return refused("the client id holds control characters");
    }
    if client_id.is_empty() && protocol == Protocol::V311 && !clean {
        return refused("an empty client id needs a clean session");
    }
    Ok(client_id)
}

fn read_will(
    reader: &mut Reader,
    protocol: Protocol,
    flags: u8,
    topic_bytes_max: usize,
) -> Result<Option<Will>, Fault> {
    if flags & 0x04 == 0 {
        if flags & 0x38 != 0 {
            return Err(Fault::malformed("flags of a will without a will"));
        }
        return Ok(None);
    }
    let qos = QoS::from_wire(flags >> 3 & 0x03).ok_or(Fault::malformed("a will with QoS 3"))?;
    let properties = match protocol {
        Protocol::V311 => Properties::default(),
        Protocol::V5 => Properties::read(
            reader,
            &[
                Property::WillDelay,
                Property::PayloadFormat,
                Property::MessageExpiry,
                Property::ContentType,
                Property::ResponseTopic,
                Property::CorrelationData,
                Property::User,
            ],
        )?,
    };
    let topic = Topic::new(&reader.string()?, topic_bytes_max)?;
    let payload = detached(&reader.binary()?);
    Ok(Some(Will {
        topic,
        payload,
        qos,
        retain: flags & 0x20 != 0,
        delay_s: properties.four(Property::WillDelay).unwrap_or(0),
        expiry_s: properties.four(Property::MessageExpiry),
        properties: properties.forwarded(),
    }))
}
