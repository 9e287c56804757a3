//! What the gate remembers of a session: subscriptions, messages waiting and under way, and which QoS 2 messages it has seen.
//! A machine without IO: packets and messages in, packets out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::BytesMut;
use tokio::time::Instant;

use crate::codec::{self, Reason, RetainHandling, SubscribeOption, kind, write_ack, write_publish};
use crate::message::{Message, SessionNumber};
use crate::router::Wanted;
use crate::topic::Filter;
use crate::{Config, Protocol, QoS};

/// Bytes waiting for the socket above which nothing more is written; the rest waits in the session's own queue.
pub(crate) const OUT_BYTES_HIGH: usize = 64 * 1024;

/// What the present connection of a session can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    pub(crate) protocol: Protocol,
    pub(crate) receive_maximum: u16,
    pub(crate) packet_bytes_max: Option<u32>,
}

#[derive(Clone, Debug)]
struct Subscription {
    filter: Filter,
    qos: QoS,
    no_local: bool,
    retain_as_published: bool,
    subscription_id: Option<u32>,
}

/// A message as this session is to get it.
#[derive(Clone, Debug)]
struct Pending {
    message: Message,
    qos: QoS,
    retain: bool,
    subscription_ids: Vec<u32>,
}

/// How far a message with QoS 1 or 2 has come.
#[derive(Clone, Debug)]
enum Stage {
    /// Sent, no answer yet.
    Sent(Pending),
    /// QoS 2: the client has it, we said PUBREL.
    Released,
}

#[derive(Clone, Debug)]
struct Inflight {
    id: u16,
    stage: Stage,
}

/// The memory of one session.
#[derive(Debug)]
pub(crate) struct State {
    number: SessionNumber,
    subscriptions: BTreeMap<usize, Subscription>,
    last_subscription: usize,
    queue: VecDeque<Pending>,
    queue_bytes: usize,
    inflight: VecDeque<Inflight>,
    last_id: u16,
    received: BTreeSet<u16>,
    dropped: u64,
    subscriptions_max: usize,
    queue_messages_max: usize,
    queue_bytes_max: usize,
    inflight_max: u16,
}

impl State {
    pub(crate) fn new(number: SessionNumber, config: &Config) -> Self {
        Self {
            number,
            subscriptions: BTreeMap::new(),
            last_subscription: 0,
            queue: VecDeque::new(),
            queue_bytes: 0,
            inflight: VecDeque::new(),
            last_id: 0,
            received: BTreeSet::new(),
            dropped: 0,
            subscriptions_max: config.subscriptions_max,
            queue_messages_max: config.queue_messages_max,
            queue_bytes_max: config.queue_bytes_max,
            inflight_max: config.inflight_max,
        }
    }

    pub(crate) const fn number(&self) -> SessionNumber {
        self.number
    }

    /// Messages dropped because the queue was full, since the session began.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    // === Subscriptions ===

    /// Takes a subscription that is allowed. Returns what to ask the router for, and whether retained messages are wanted.
    pub(crate) fn subscribe(
        &mut self,
        filter: Filter,
        option: &SubscribeOption,
        subscription_id: Option<u32>,
    ) -> Result<(Wanted, bool), Reason> {
        let known = self.subscriptions.iter().find(|(_, known)| known.filter == filter).map(|(number, _)| *number);
        let wants_retained = match option.retain_handling {
            RetainHandling::Always => true,
            RetainHandling::WhenNew => known.is_none(),
            RetainHandling::Never => false,
        };
        let number = match known {
            Some(number) => number,
            None if self.subscriptions.len() >= self.subscriptions_max => return Err(Reason::QuotaExceeded),
            None => {
                self.last_subscription += 1;
                self.last_subscription
            }
        };
        let subscription = Subscription {
            filter: filter.clone(),
            qos: option.qos,
            no_local: option.no_local,
            retain_as_published: option.retain_as_published,
            subscription_id,
        };
        self.subscriptions.insert(number, subscription);
        Ok((Wanted { filter, number }, wants_retained))
    }

    /// Forgets a subscription; returns whether there was one. Messages of it still in the router are dropped when they come.
    pub(crate) fn unsubscribe(&mut self, filter: &str) -> bool {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|_, known| known.filter.as_str() != filter);
        self.subscriptions.len() < before
    }

    /// Forgets the subscriptions that are not allowed any more; returns them.
    pub(crate) fn forget_unless(&mut self, is_allowed: impl Fn(&str) -> bool) -> Vec<String> {
        let mut forgotten = Vec::new();
        self.subscriptions.retain(|_, known| {
            let keep = is_allowed(known.filter.as_str());
            if !keep {
                forgotten.push(known.filter.as_str().to_owned());
            }
            keep
        });
        forgotten
    }

    /// All subscriptions, to ask a router for them.
    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        self.subscriptions
            .iter()
            .map(|(number, known)| Wanted { filter: known.filter.clone(), number: *number })
            .collect()
    }

    // === Messages to the client ===

    /// A message from the router for the subscription with this number. Where several match, the router brings it for each;
    /// the client gets it once, by the oldest of them and on behalf of all.
    pub(crate) fn route(&mut self, number: usize, message: Message) {
        let topic = String::from_utf8_lossy(&message.topic);
        let is_own = message.sender == self.number;
        let takes = |known: &Subscription| known.filter.matches(&topic) && !(known.no_local && is_own);
        let takers: Vec<_> = self.subscriptions.iter().filter(|(_, known)| takes(known)).collect();
        if takers.first().is_none_or(|(oldest, _)| **oldest != number) {
            return;
        }
        let takers = takers.into_iter().map(|(_, known)| known);
        let qos = takers.clone().map(|known| known.qos).max().unwrap_or(QoS::AtMostOnce);
        let pending = Pending {
            qos: message.qos.min(qos),
            retain: message.retain && takers.clone().any(|known| known.retain_as_published),
            subscription_ids: takers.filter_map(|known| known.subscription_id).collect(),
            message,
        };
        self.enqueue(pending);
    }

    /// A retained message that this subscription gets because it was just made.
    pub(crate) fn route_retained(&mut self, number: usize, message: Message) {
        let Some(subscription) = self.subscriptions.get(&number) else { return };
        let pending = Pending {
            qos: message.qos.min(subscription.qos),
            retain: true,
            subscription_ids: subscription.subscription_id.into_iter().collect(),
            message,
        };
        self.enqueue(pending);
    }

    fn enqueue(&mut self, pending: Pending) {
        self.queue_bytes += pending.message.size();
        self.queue.push_back(pending);
        while self.queue.len() > self.queue_messages_max || self.queue_bytes > self.queue_bytes_max {
            // The newest is kept: a later setpoint makes an earlier one worthless.
            let Some(oldest) = self.queue.pop_front() else { return };
            self.queue_bytes = self.queue_bytes.saturating_sub(oldest.message.size());
            self.dropped += 1;
        }
    }

    /// Writes as many waiting messages as the client can take.
    pub(crate) fn pump(&mut self, out: &mut BytesMut, capacity: &Capacity, now: Instant) {
        while out.len() < OUT_BYTES_HIGH {
            let Some(next) = self.queue.front() else { return };
            if next.qos != QoS::AtMostOnce && !self.has_room(capacity) {
                return;
            }
            let Some(pending) = self.queue.pop_front() else { return };
            self.queue_bytes = self.queue_bytes.saturating_sub(pending.message.size());
            if pending.message.has_expired(now) {
                continue;
            }
            self.send(pending, out, capacity, now);
        }
    }

    /// One more message with QoS 1 or 2 fits, in number and in bytes.
    fn has_room(&self, capacity: &Capacity) -> bool {
        let bytes: usize = self
            .inflight
            .iter()
            .map(|inflight| match &inflight.stage {
                Stage::Sent(pending) => pending.message.size(),
                Stage::Released => 0,
            })
            .sum();
        bytes < self.queue_bytes_max
            && self.inflight.len() < usize::from(capacity.receive_maximum.min(self.inflight_max))
    }

    fn send(&mut self, pending: Pending, out: &mut BytesMut, capacity: &Capacity, now: Instant) {
        let id = if pending.qos == QoS::AtMostOnce { 0 } else { self.next_id() };
        let mark = out.len();
        write_publish(out, capacity.protocol, &delivery(&pending, id, Repeated::No, now));
        let is_too_large =
            capacity.packet_bytes_max.is_some_and(|max| usize::try_from(max).is_ok_and(|max| out.len() - mark > max));
        if is_too_large {
            // The standard: a message the client cannot take counts as delivered.
            out.truncate(mark);
            return;
        }
        if id != 0 {
            self.inflight.push_back(Inflight { id, stage: Stage::Sent(pending) });
        }
    }

    /// The next free packet identifier. There always is one, since far fewer than 65,535 messages are under way.
    fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = if self.last_id == u16::MAX { 1 } else { self.last_id + 1 };
            if !self.inflight.iter().any(|known| known.id == self.last_id) {
                return self.last_id;
            }
        }
    }

    /// The client is back: everything it has not acknowledged is said again, in the old order.
    pub(crate) fn resume(&self, out: &mut BytesMut, capacity: &Capacity, now: Instant) {
        for inflight in &self.inflight {
            match &inflight.stage {
                Stage::Sent(pending) => {
                    write_publish(out, capacity.protocol, &delivery(pending, inflight.id, Repeated::Yes, now));
                }
                Stage::Released => write_ack(out, capacity.protocol, kind::PUBREL, inflight.id, Reason::Success),
            }
        }
    }

    // === Acknowledgements of the client ===

    /// PUBACK. One for a message that is not under way is ignored, the standard lets clients repeat them.
    pub(crate) fn acknowledged(&mut self, id: u16) -> Result<(), codec::Fault> {
        match self.position(id) {
            Some((_, QoS::AtMostOnce | QoS::ExactlyOnce)) => {
                Err(codec::Fault::protocol("a PUBACK for a message with QoS 2"))
            }
            Some((at, QoS::AtLeastOnce)) => {
                self.inflight.remove(at);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// PUBREC: answered with PUBREL, unless the client failed to take the message.
    pub(crate) fn recorded(
        &mut self,
        id: u16,
        has_failed: bool,
        out: &mut BytesMut,
        protocol: Protocol,
    ) -> Result<(), codec::Fault> {
        match self.position(id) {
            Some((_, QoS::AtMostOnce | QoS::AtLeastOnce)) => {
                Err(codec::Fault::protocol("a PUBREC for a message with QoS 1"))
            }
            Some((at, QoS::ExactlyOnce)) if has_failed => {
                self.inflight.remove(at);
                Ok(())
            }
            Some((at, QoS::ExactlyOnce)) => {
                if let Some(inflight) = self.inflight.get_mut(at) {
                    inflight.stage = Stage::Released;
                }
                write_ack(out, protocol, kind::PUBREL, id, Reason::Success);
                Ok(())
            }
            None if has_failed => Ok(()),
            None => {
                write_ack(out, protocol, kind::PUBREL, id, Reason::PacketIdNotFound);
                Ok(())
            }
        }
    }

    /// PUBCOMP.
    pub(crate) fn completed(&mut self, id: u16) {
        self.inflight.retain(|inflight| inflight.id != id || matches!(inflight.stage, Stage::Sent(_)));
    }

    fn position(&self, id: u16) -> Option<(usize, QoS)> {
        let at = self.inflight.iter().position(|inflight| inflight.id == id)?;
        let qos = match &self.inflight.get(at)?.stage {
            Stage::Sent(pending) => pending.qos,
            Stage::Released => QoS::ExactlyOnce,
        };
        Some((at, qos))
    }

    // === Messages of the client with QoS 2 ===

    /// Whether a message with QoS 2 was taken before and is only repeated.
    pub(crate) fn has_received(&self, id: u16) -> bool {
        self.received.contains(&id)
    }

    pub(crate) fn can_receive(&self) -> bool {
        self.received.len() < usize::from(self.inflight_max)
    }

    /// A message with QoS 2 was taken.
    pub(crate) fn note_received(&mut self, id: u16) {
        self.received.insert(id);
    }

    /// PUBREL: the identifier is free again. Returns whether it was in use.
    pub(crate) fn released(&mut self, id: u16) -> bool {
        self.received.remove(&id)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeated {
    Yes,
    No,
}

fn delivery(pending: &Pending, id: u16, repeated: Repeated, now: Instant) -> codec::Delivery {
    codec::Delivery {
        topic: pending.message.topic.clone(),
        payload: pending.message.payload.clone(),
        qos: pending.qos,
        retain: pending.retain,
        repeated: repeated == Repeated::Yes,
        id,
        expiry_s: pending.message.expiry_left_s(now),
        subscription_ids: pending.subscription_ids.clone(),
        properties: pending.message.properties.clone(),
    }
}
