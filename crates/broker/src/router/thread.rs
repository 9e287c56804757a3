//! The thread in front of the router: the only one that speaks to it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use rumqttd::local::{LinkBuilder, LinkError, LinkRx, LinkTx};
use rumqttd::protocol::{
    Disconnect, DisconnectReasonCode, Filter as RouterFilter, Packet, PingReq, Publish, QoS, RetainForwardRule,
    Subscribe, SubscribeProperties, Unsubscribe,
};
use rumqttd::{Notification, Router, RouterConfig};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Command, Slot, Wanted};
use crate::Config;
use crate::message::{Message, router_filter};
use crate::retained::{Kept, Retained};

/// The router's log of one filter, in bytes: two segments of this size. It holds what has not reached the session's queue yet.
const SEGMENT_BYTES: usize = 64 * 1024;

/// Bytes given to the router before waiting until it has taken them; below [`SEGMENT_BYTES`], so that nothing is overwritten unread.
const UNCONFIRMED_BYTES_MAX: usize = 32 * 1024;

/// Messages given to the router before waiting until it has taken them.
const UNCONFIRMED_MESSAGES_MAX: usize = 100;

/// Links of the router beyond those of sessions: the publisher, the fence and the watch.
const OWN_LINKS: usize = 3;

/// A topic of the router that no device can name, since theirs have a prefix.
const PROBE: &str = "probe";

/// Not for what is in it: the router counts only payloads towards the size of its logs, and old questions should go soon.
const PROBE_PAYLOAD: &[u8] = &[0; 4096];

type OpenLink = Box<dyn Fn(&str) -> Result<(LinkTx, LinkRx, Notification), PortError> + Send>;

/// The thread in front of the router.
pub(super) struct PortThread {
    open: OpenLink,
    publisher: LinkTx,
    fence_tx: LinkTx,
    fence_rx: LinkRx,
    links: Vec<Option<LinkTx>>,
    names: BTreeSet<String>,
    names_max: usize,
    unconfirmed_bytes: usize,
    unconfirmed_messages: usize,
    patience: Duration,
    retained: Arc<Mutex<Retained>>,
    epoch: Instant,
}

/// Why the port closed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PortError {
    #[error("the router does not answer any more")]
    Link(#[source] Box<LinkError>),
    #[error("the router did not answer in time")]
    Silent,
    #[error("the router has seen more topics than it should remember, and is replaced")]
    Full,
}

impl From<LinkError> for PortError {
    fn from(source: LinkError) -> Self {
        Self::Link(Box::new(source))
    }
}

impl PortThread {
    pub(super) fn start(config: &Config, retained: Arc<Mutex<Retained>>, epoch: Instant) -> Result<Self, PortError> {
        let router = Router::new(
            0,
            RouterConfig {
                max_connections: config.sessions_max + OWN_LINKS,
                max_outgoing_packet_count: 100,
                max_segment_size: SEGMENT_BYTES,
                max_segment_count: 2,
                ..RouterConfig::default()
            },
        );
        // The type of this sender has no public name, so it lives in a closure.
        let events = router.spawn();
        let open: OpenLink =
            Box::new(move |name| LinkBuilder::new(name, events.clone()).build().map_err(PortError::from));
        let (publisher, _, _) = open("publisher")?;
        let (fence_tx, fence_rx, _) = open("fence")?;
        Ok(Self {
            open,
            publisher,
            fence_tx,
            fence_rx,
            links: Vec::new(),
            names: BTreeSet::new(),
            names_max: config.router_names_max,
            unconfirmed_bytes: 0,
            unconfirmed_messages: 0,
            patience: config.router_probe_timeout,
            retained,
            epoch,
        })
    }

    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Command>) -> Result<(), PortError> {
        while let Some(command) = inbox.blocking_recv() {
            self.handle(command)?;
            if self.names.len() > self.names_max {
                // The router never forgets a topic. A fresh one costs a reconnect; ending this one needs its own weakness.
                info!(
                    "The MQTT router is replaced because it remembers too many topics; the panic that follows is meant"
                );
                self.break_router()?;
                return Err(PortError::Full);
            }
        }
        Ok(())
    }

    fn handle(&mut self, command: Command) -> Result<(), PortError> {
        match command {
            Command::Open { reply } => {
                let (slot, rx) = self.open_slot()?;
                if reply.send((slot, rx)).is_err() {
                    self.close_slot(slot)?;
                }
                Ok(())
            }
            Command::ListenToProbe { slot } => {
                self.push(slot, Packet::Subscribe(Subscribe { pkid: 1, filters: vec![filter(PROBE.to_owned())] }, None))
            }
            Command::Subscribe { slot, wanted, reply } => {
                let kept = self.subscribe(slot, &wanted)?;
                // Nobody waits any more when the session ended meanwhile.
                drop(reply.send(kept));
                Ok(())
            }
            Command::Unsubscribe { slot, filter } => self
                .push(slot, Packet::Unsubscribe(Unsubscribe { pkid: 1, filters: vec![router_filter(&filter)] }, None)),
            Command::Close { slot } => self.close_slot(slot),
            Command::Publish(message) => self.publish(&message),
            Command::Probe => {
                let question =
                    Publish::new(Bytes::from_static(PROBE.as_bytes()), Bytes::from_static(PROBE_PAYLOAD), false);
                send_now(&mut self.publisher, Packet::Publish(question, None))
            }
            Command::Break => self.break_router(),
        }
    }

    /// Names of links are taken again, because the router keeps a record of each name for ever.
    fn open_slot(&mut self) -> Result<(Slot, LinkRx), PortError> {
        let index = self.links.iter().position(Option::is_none).unwrap_or(self.links.len());
        let (tx, rx, _) = (self.open)(&format!("session-{index}"))?;
        if index == self.links.len() {
            self.links.push(Some(tx));
        } else if let Some(place) = self.links.get_mut(index) {
            *place = Some(tx);
        }
        Ok((Slot(index), rx))
    }

    /// The router only forgets a link when it is told. It is made sure that it has forgotten before its number is used again.
    fn close_slot(&mut self, slot: Slot) -> Result<(), PortError> {
        let goodbye = Disconnect { reason_code: DisconnectReasonCode::NormalDisconnection };
        self.push(slot, Packet::Disconnect(goodbye, None))?;
        if let Some(place) = self.links.get_mut(slot.0) {
            *place = None;
        }
        Ok(())
    }

    fn subscribe(&mut self, slot: Slot, wanted: &Wanted) -> Result<Vec<Message>, PortError> {
        let path = router_filter(wanted.filter.as_str());
        self.names.insert(path.clone());
        let properties = SubscribeProperties { id: Some(wanted.number), user_properties: Vec::new() };
        self.push(slot, Packet::Subscribe(Subscribe { pkid: 1, filters: vec![filter(path)] }, Some(properties)))?;
        Ok(self.kept().matching(&wanted.filter, Instant::now()))
    }

    fn publish(&mut self, message: &Message) -> Result<(), PortError> {
        if self.kept().note(message, Instant::now()) == Kept::NoRoom {
            warn!(
                bytes = message.size(),
                "A retained MQTT message is not kept: the room for retained messages is used up"
            );
        }
        self.push_message(message)
    }

    fn push_message(&mut self, message: &Message) -> Result<(), PortError> {
        let topic = message.router_topic();
        if let Ok(name) = std::str::from_utf8(&topic)
            && !self.names.contains(name)
        {
            self.names.insert(name.to_owned());
        }
        let packed = message.pack(self.epoch);
        self.unconfirmed_bytes += topic.len() + packed.len();
        self.unconfirmed_messages += 1;
        send_now(&mut self.publisher, Packet::Publish(Publish::new(topic, packed, false), None))?;
        if self.unconfirmed_bytes > UNCONFIRMED_BYTES_MAX || self.unconfirmed_messages > UNCONFIRMED_MESSAGES_MAX {
            self.confirm()?;
        }
        Ok(())
    }

    /// Says something on a session's link, and waits until the router has handled it. The router takes everything that waits on a
    /// link at once when it comes to the first of it, and so gets the order of two links wrong unless they are never both waiting.
    fn push(&mut self, slot: Slot, packet: Packet) -> Result<(), PortError> {
        if let Some(Some(link)) = self.links.get_mut(slot.0) {
            send_now(link, packet)?;
            self.confirm()?;
        }
        Ok(())
    }

    /// Waits until the router has handled everything it was given. The question has a link of its own, because on one with other
    /// packets it could be handled together with them and answered too early.
    fn confirm(&mut self) -> Result<(), PortError> {
        self.unconfirmed_bytes = 0;
        self.unconfirmed_messages = 0;
        send_now(&mut self.fence_tx, Packet::PingReq(PingReq))?;
        let deadline = std::time::Instant::now() + self.patience;
        loop {
            match self.fence_rx.recv_deadline(deadline) {
                Ok(Some(Notification::DeviceAck(_))) => return Ok(()),
                Ok(_) => {}
                Err(LinkError::RecvTimeout(_)) if std::time::Instant::now() >= deadline => {
                    return Err(PortError::Silent);
                }
                Err(source) => return Err(source.into()),
            }
        }
    }

    fn break_router(&mut self) -> Result<(), PortError> {
        send_now(&mut self.publisher, Packet::Publish(Publish::new("é", "", false), None))
    }

    fn kept(&self) -> MutexGuard<'_, Retained> {
        self.retained.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn filter(path: String) -> RouterFilter {
    RouterFilter {
        path,
        qos: QoS::AtMostOnce,
        nolocal: false,
        preserve_retain: false,
        retain_forward_rule: RetainForwardRule::Never,
    }
}

/// `LinkTx::send` is an async function that never waits in an async way; it is done after one poll.
fn send_now(link: &mut LinkTx, packet: Packet) -> Result<(), PortError> {
    match link.send(packet).now_or_never() {
        Some(sent) => sent.map(drop).map_err(PortError::from),
        None => Err(PortError::Silent),
    }
}
