//! A message between the gate and the router.
//!
//! The router only carries topic and payload safely, so everything else that belongs to a message (its QoS, who sent it, when
//! it expires, its MQTT 5 properties) travels in front of the payload. Topics get a prefix there: the router cuts a topic after its first
//! byte, which kills it when a topic begins with a longer character.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::time::{Duration, Instant};

use crate::QoS;
use crate::topic::Topic;

/// In front of every topic and filter inside the router.
const PREFIX: &str = "t/";

/// Who a message comes from, for subscribers that do not want their own messages back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionNumber(pub(crate) u64);

impl SessionNumber {
    /// This program itself.
    pub(crate) const SERVER: Self = Self(0);
}

/// A message on its way to subscribers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: Bytes,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) expires_at: Option<Instant>,
    /// MQTT 5 properties as they are written on the wire.
    pub(crate) properties: Bytes,
    pub(crate) sender: SessionNumber,
}

impl Message {
    pub(crate) fn new(topic: &Topic, payload: Bytes, qos: QoS, sender: SessionNumber) -> Self {
        Self {
            topic: Bytes::copy_from_slice(topic.as_str().as_bytes()),
            payload,
            qos,
            retain: false,
            expires_at: None,
            properties: Bytes::new(),
            sender,
        }
    }

    /// Bytes it occupies in a queue, about.
    pub(crate) fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + self.properties.len() + 64
    }

    /// Seconds left, rounded up; `None` when it never expires, `Some(0)` when it has.
    pub(crate) fn expiry_left_s(&self, now: Instant) -> Option<u32> {
        let left = self.expires_at?.saturating_duration_since(now);
        let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Some(u32::try_from(whole).unwrap_or(u32::MAX))
    }

    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// The payload for the router; `epoch` is any instant before all messages that both sides know.
    pub(crate) fn pack(&self, epoch: Instant) -> Bytes {
        let mut out = BytesMut::with_capacity(22 + self.properties.len() + self.payload.len());
        let flags = self.qos.to_wire() | u8::from(self.retain) << 2 | u8::from(self.expires_at.is_some()) << 3;
        out.put_u8(flags);
        out.put_u64(self.sender.0);
        let expiry = self.expires_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(epoch));
        out.put_u64(u64::try_from(expiry.as_millis()).unwrap_or(u64::MAX));
        out.put_u32(u32::try_from(self.properties.len()).unwrap_or(u32::MAX));
        out.put_slice(&self.properties);
        out.put_slice(&self.payload);
        out.freeze()
    }

    /// Reads what [`Message::pack`] wrote; `None` for anything else.
    pub(crate) fn unpack(router_topic: &Bytes, mut packed: Bytes, epoch: Instant) -> Option<Self> {
        let topic = router_topic.strip_prefix(PREFIX.as_bytes()).map(|rest| router_topic.slice_ref(rest))?;
        if packed.remaining() < 21 {
            return None;
        }
        let flags = packed.get_u8();
        let sender = SessionNumber(packed.get_u64());
        let expiry = Duration::from_millis(packed.get_u64());
        let length = usize::try_from(packed.get_u32()).ok()?;
        if packed.remaining() < length {
            return None;
        }
        let properties = packed.split_to(length);
        Some(Self {
            topic,
            payload: packed,
            qos: QoS::from_wire(flags & 0x03)?,
            retain: flags & 0x04 != 0,
            expires_at: if flags & 0x08 != 0 { epoch.checked_add(expiry) } else { None },
            properties,
            sender,
        })
    }

    pub(crate) fn router_topic(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(PREFIX.len() + self.topic.len());
        out.put_slice(PREFIX.as_bytes());
        out.put_slice(&self.topic);
        out.freeze()
    }
}

/// A filter as the router gets it.
pub(crate) fn router_filter(filter: &str) -> String {
    format!("{PREFIX}{filter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that belongs to a message survives the way through the router.
    #[tokio::test]
    async fn a_packed_message_is_unpacked_as_it_was() {
        let epoch = Instant::now();
        let topic = Topic::new("é/x", 100).unwrap();
        let message = Message {
            retain: true,
            expires_at: Some(epoch + Duration::from_millis(1_500)),
            properties: Bytes::from_static(&[1, 1]),
            ..Message::new(&topic, Bytes::from_static(b"hello"), QoS::ExactlyOnce, SessionNumber(7))
        };
        let unpacked = Message::unpack(&message.router_topic(), message.pack(epoch), epoch).unwrap();
        assert_eq!(unpacked, message);
        assert_eq!(message.expiry_left_s(epoch), Some(2));
        assert!(message.has_expired(epoch + Duration::from_secs(2)));
    }

    /// Bytes that are no message are noticed, never trusted.
    #[tokio::test]
    async fn other_bytes_are_no_message() {
        let epoch = Instant::now();
        let topic = Bytes::from_static(b"t/x");
        assert_eq!(Message::unpack(&topic, Bytes::from_static(b"short"), epoch), None);
        assert_eq!(Message::unpack(&topic, Bytes::from_static(&[0xFF; 40]), epoch), None);
        assert_eq!(Message::unpack(&Bytes::from_static(b"x"), Bytes::from_static(&[0; 40]), epoch), None);
    }
}
