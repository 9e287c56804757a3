//! Retained messages: the last one of each topic, within a budget of bytes.
//!
//! The gate keeps them because the router forgets to send them beyond the first hundred, sends none on a second subscription, and
//! deletes one when any empty message passes.

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::time::Instant;

use crate::message::Message;
use crate::topic::Filter;

/// The retained messages of the broker.
#[derive(Debug)]
pub(crate) struct Retained {
    by_topic: BTreeMap<Bytes, Message>,
    bytes: usize,
    bytes_max: usize,
}

/// What became of a message that was to be retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Stored, or nothing to store.
    Yes,
    /// The budget is used up: the earlier message of that topic is gone too, since it is no longer the last one.
    NoRoom,
}

impl Retained {
    pub(crate) const fn new(bytes_max: usize) -> Self {
        Self { by_topic: BTreeMap::new(), bytes: 0, bytes_max }
    }

    /// A message passes: keeps it when it asks for that, deletes the kept one when it is empty.
    pub(crate) fn note(&mut self, message: &Message, now: Instant) -> Kept {
        if !message.retain {
            return Kept::Yes;
        }
        if let Some(earlier) = self.by_topic.remove(&message.topic) {
            self.bytes = self.bytes.saturating_sub(earlier.size());
        }
        if message.payload.is_empty() {
            return Kept::Yes;
        }
        if self.bytes.saturating_add(message.size()) > self.bytes_max {
            self.forget_expired(now);
        }
        if self.bytes.saturating_add(message.size()) > self.bytes_max {
            return Kept::NoRoom;
        }
        self.bytes += message.size();
        self.by_topic.insert(message.topic.clone(), message.clone());
        Kept::Yes
    }

    /// The retained messages a new subscription to `filter` gets, in order of topic.
    pub(crate) fn matching(&self, filter: &Filter, now: Instant) -> Vec<Message> {
        self.by_topic
            .values()
            .filter(|message| !message.has_expired(now))
            .filter(|message| std::str::from_utf8(&message.topic).is_ok_and(|topic| filter.matches(topic)))
            .cloned()
            .collect()
    }

    fn forget_expired(&mut self, now: Instant) {
        self.by_topic.retain(|_, message| !message.has_expired(now));
        self.bytes = self.by_topic.values().map(Message::size).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QoS;
    use crate::message::SessionNumber;
    use crate::topic::Topic;
    use tokio::time::Duration;

    fn retained(topic: &str, payload: &'static [u8]) -> Message {
        let topic = Topic::new(topic, 100).unwrap();
        let message = Message::new(&topic, Bytes::from_static(payload), QoS::AtLeastOnce, SessionNumber::SERVER);
        Message { retain: true, ..message }
    }

    fn all() -> Filter {
        Filter::new("#", 10).unwrap()
    }

    /// Only a retained empty message deletes; one that is merely empty passes by.
    #[tokio::test]
    async fn only_a_retained_empty_message_deletes() {
        let now = Instant::now();
        let mut kept = Retained::new(1_000);
        kept.note(&retained("a", b"1"), now);
        kept.note(&Message { retain: false, ..retained("a", b"") }, now);
        assert_eq!(kept.matching(&all(), now).len(), 1);
        kept.note(&retained("a", b""), now);
        assert_eq!(kept.matching(&all(), now).len(), 0);
        assert_eq!(kept.bytes, 0);
    }

    /// The budget holds, and a topic never shows an outdated value because the new one did not fit.
    #[tokio::test]
    async fn the_budget_holds() {
        let now = Instant::now();
        let mut kept = Retained::new(150);
        assert_eq!(kept.note(&retained("a", b"1"), now), Kept::Yes);
        assert_eq!(kept.note(&retained("b", b"1"), now), Kept::Yes);
        assert_eq!(kept.note(&retained("c", b"1"), now), Kept::NoRoom);
        assert_eq!(kept.note(&retained("a", &[0; 90]), now), Kept::NoRoom);
        let topics: Vec<Bytes> = kept.matching(&all(), now).into_iter().map(|message| message.topic).collect();
        assert_eq!(topics, [Bytes::from_static(b"b")]);
    }

    /// An expired message is not sent, and makes room.
    #[tokio::test]
    async fn expired_messages_are_not_sent_and_make_room() {
        let now = Instant::now();
        let later = now + Duration::from_secs(2);
        let mut kept = Retained::new(100);
        kept.note(&Message { expires_at: Some(now + Duration::from_secs(1)), ..retained("a", b"1") }, now);
        assert_eq!(kept.matching(&all(), later).len(), 0);
        assert_eq!(kept.note(&retained("b", b"1"), later), Kept::Yes);
    }
}
