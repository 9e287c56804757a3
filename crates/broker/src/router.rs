//! The router of `rumqttd` in its own thread, the port in front of it, and the watch over both.
//!
//! Everything that goes into the router passes the port, one thread that blocks where the router's interface blocks. So there is one
//! order of all messages and subscriptions, and the router sees only what is built here: sessions with names of ours, filters the
//! gate has checked, messages with QoS 0 that are never empty and never retained. The traps this avoids are in
//! `docs/adr/0002-mqtt-gate-in-front-of-rumqttd.md`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use rumqttd::local::{LinkBuilder, LinkError, LinkRx, LinkTx};
use rumqttd::protocol::{
    Disconnect, DisconnectReasonCode, Filter as RouterFilter, Packet, PingReq, Publish, QoS, RetainForwardRule, Subscribe,
    SubscribeProperties, Unsubscribe,
};
use rumqttd::{Notification, Router, RouterConfig};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{error, info, warn};

use crate::Config;
use crate::message::{Message, router_filter};
use crate::retained::{Kept, Retained};
use crate::topic::Filter;

/// Commands waiting for the port. A device that publishes waits while it is full, so it only has to cover a burst.
const COMMANDS_MAX: usize = 256;

/// The router's log of one filter, in bytes: two segments of this size. It holds what has not reached the session's queue yet.
const SEGMENT_BYTES: usize = 64 * 1024;

/// Bytes given to the router before waiting until it has taken them; below [`SEGMENT_BYTES`], so that nothing is overwritten unread.
const UNCONFIRMED_BYTES_MAX: usize = 32 * 1024;

/// Messages given to the router before waiting until it has taken them.
const UNCONFIRMED_MESSAGES_MAX: usize = 100;

/// Sessions a router can hold beyond those of devices: the port's own and the watch.
const OWN_LINKS: usize = 2;

/// A topic of the router that no device can name, since theirs have a prefix.
const PROBE: &str = "probe";

/// Not for what is in it: the router counts only payloads towards the size of its logs, and old questions should go soon.
const PROBE_PAYLOAD: &[u8] = &[0; 4096];

/// Which link of the router a session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot(usize);

/// A session's link to one router: subscriptions in, messages out.
#[derive(Debug)]
pub(crate) struct Link {
    port: Port,
    slot: Slot,
    rx: LinkRx,
}

/// One filter to subscribe to, with the number under which its messages come back.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) filter: Filter,
    pub(crate) number: usize,
}

enum Command {
    Open { reply: oneshot::Sender<(Slot, LinkRx)> },
    ListenToProbe { slot: Slot },
    Subscribe { slot: Slot, wanted: Wanted, reply: oneshot::Sender<Vec<Message>> },
    Unsubscribe { slot: Slot, filter: String },
    Close { slot: Slot },
    Publish(Message),
    Probe,
    Break,
}

/// The router cannot be reached now; it is being replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the MQTT router is being replaced")]
pub(crate) struct RouterGone;

/// The way into one router. Useless once that router died.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    commands: mpsc::Sender<Command>,
}

impl Port {
    pub(crate) async fn open(&self) -> Result<Link, RouterGone> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Open { reply }).await?;
        let (slot, rx) = answer.await.map_err(|_gone| RouterGone)?;
        Ok(Link { port: self.clone(), slot, rx })
    }

    pub(crate) async fn publish(&self, message: Message) -> Result<(), RouterGone> {
        self.send(Command::Publish(message)).await
    }

    async fn send(&self, command: Command) -> Result<(), RouterGone> {
        self.commands.send(command).await.map_err(|_gone| RouterGone)
    }
}

/// Where sessions find the present port, and everything that outlives a router.
#[derive(Debug)]
pub(crate) struct Routing {
    ports: watch::Sender<Option<Port>>,
    restarts: watch::Sender<u64>,
    /// For messages that expire: see [`Message::pack`].
    pub(crate) epoch: Instant,
}

impl Routing {
    /// Starts a router and the watch over it. Both end when `stop` turns true.
    pub(crate) async fn start(config: &Config, stop: watch::Receiver<bool>) -> Result<Arc<Self>, RouterGone> {
        let routing =
            Arc::new(Self { ports: watch::Sender::new(None), restarts: watch::Sender::new(0), epoch: Instant::now() });
        let retained = Arc::new(Mutex::new(Retained::new(config.retained_bytes_max)));
        let watcher = Watcher { config: config.clone(), retained, routing: Arc::clone(&routing) };
        let (port, link) = watcher.build().await?;
        tokio::spawn(watcher.run(port, link, stop));
        Ok(routing)
    }

    pub(crate) fn restarts(&self) -> watch::Receiver<u64> {
        self.restarts.subscribe()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Option<Port>> {
        self.ports.subscribe()
    }

    /// The present port; waits a few seconds for a new one while the router is being replaced.
    pub(crate) async fn port(&self) -> Result<Port, RouterGone> {
        let mut ports = self.ports.subscribe();
        let found = tokio::time::timeout(
            Duration::from_secs(5),
            ports.wait_for(|port| port.as_ref().is_some_and(|port| !port.commands.is_closed())),
        )
        .await;
        match found {
            Ok(Ok(port)) => port.clone().ok_or(RouterGone),
            Ok(Err(_)) | Err(_) => Err(RouterGone),
        }
    }

    /// Publishes, once more through the next router when this one dies right now.
    pub(crate) async fn publish(&self, message: Message) -> Result<(), RouterGone> {
        if self.port().await?.publish(message.clone()).await.is_ok() {
            return Ok(());
        }
        self.port().await?.publish(message).await
    }

    /// Kills the router with a packet it cannot survive.
    pub(crate) async fn break_router(&self) -> Result<(), RouterGone> {
        self.port().await?.send(Command::Break).await
    }
}

/// Builds routers, notices when one is gone, and builds the next.
struct Watcher {
    config: Config,
    retained: Arc<Mutex<Retained>>,
    routing: Arc<Routing>,
}

/// Why a router has to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Died,
    Stuck,
    Stopped,
}

impl Watcher {
    async fn build(&self) -> Result<(Port, Link), RouterGone> {
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let (config, retained, epoch) = (self.config.clone(), Arc::clone(&self.retained), self.routing.epoch);
        let work = move || {
            if let Err(reason) = PortThread::start(&config, retained, epoch).and_then(|port| port.run(inbox)) {
                warn!(error = %reason, "The way into the MQTT router is closed");
            }
        };
        thread::Builder::new().name("mqtt-port".to_owned()).spawn(work).map_err(|_no_thread| RouterGone)?;
        let port = Port { commands };
        let link = port.open().await?;
        port.send(Command::ListenToProbe { slot: link.slot }).await?;
        self.routing.ports.send_replace(Some(port.clone()));
        Ok((port, link))
    }

    async fn run(self, mut port: Port, mut link: Link, mut stop: watch::Receiver<bool>) {
        loop {
            let end = self.watch(&port, &mut link, &mut stop).await;
            self.routing.ports.send_replace(None);
            if end == End::Stopped {
                return;
            }
            error!(?end, "The MQTT router is gone; building a new one, devices reconnect");
            loop {
                match self.build().await {
                    Ok(next) => {
                        (port, link) = next;
                        break;
                    }
                    Err(reason) => error!(error = %reason, "The MQTT router could not be built; trying again in a second"),
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                    () = stopped(&mut stop) => return,
                }
            }
            self.routing.restarts.send_modify(|count| *count += 1);
            info!("The MQTT router is back");
        }
    }

    /// Returns when the router has to be replaced. It is asked at a steady pace; an answer missing a few times in a row means it is
    /// stuck (counted in questions, so that a computer waking up from sleep does not look like it).
    async fn watch(&self, port: &Port, link: &mut Link, stop: &mut watch::Receiver<bool>) -> End {
        let mut ticks = interval(self.config.router_probe_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let pause = self.config.router_probe_interval.as_millis().max(1);
        let unanswered_max = self.config.router_probe_timeout.as_millis().div_ceil(pause);
        let mut unanswered = 0;
        loop {
            tokio::select! {
                () = stopped(stop) => return End::Stopped,
                () = port.commands.closed() => return End::Died,
                note = link.rx.next() => match note {
                    Ok(Some(Notification::Forward(_))) => unanswered = 0,
                    Ok(_) => {}
                    Err(_) => return End::Died,
                },
                _ = ticks.tick() => {
                    if unanswered >= unanswered_max {
                        return End::Stuck;
                    }
                    unanswered += 1;
                    // A full queue is a question unanswered, too.
                    if matches!(port.commands.try_send(Command::Probe), Err(mpsc::error::TrySendError::Closed(_))) {
                        return End::Died;
                    }
                }
            }
        }
    }
}

type OpenLink = Box<dyn Fn(&str) -> Result<(LinkTx, LinkRx, Notification), LinkError> + Send>;

/// The thread in front of the router.
struct PortThread {
    open: OpenLink,
    own_tx: LinkTx,
    own_rx: LinkRx,
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
enum PortError {
    #[error("the router does not answer any more")]
    Link(#[source] LinkError),
    #[error("the router did not answer in time")]
    Silent,
    #[error("the router has seen more topics than it should remember, and is replaced")]
    Full,
}

impl From<LinkError> for PortError {
    fn from(source: LinkError) -> Self {
        Self::Link(source)
    }
}

impl PortThread {
    fn start(config: &Config, retained: Arc<Mutex<Retained>>, epoch: Instant) -> Result<Self, PortError> {
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
        let open: OpenLink = Box::new(move |name| LinkBuilder::new(name, events.clone()).build());
        let (own_tx, own_rx, _) = open("port")?;
        Ok(Self {
            open,
            own_tx,
            own_rx,
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

    fn run(mut self, mut inbox: mpsc::Receiver<Command>) -> Result<(), PortError> {
        while let Some(command) = inbox.blocking_recv() {
            self.handle(command)?;
            if self.names.len() > self.names_max {
                // The router never forgets a topic. A fresh one costs a reconnect; ending this one needs its own weakness.
                info!("The MQTT router is replaced because it remembers too many topics; the panic that follows is meant");
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
            Command::Unsubscribe { slot, filter } => {
                self.push(slot, Packet::Unsubscribe(Unsubscribe { pkid: 1, filters: vec![router_filter(&filter)] }, None))
            }
            Command::Close { slot } => self.close_slot(slot),
            Command::Publish(message) => self.publish(&message),
            Command::Probe => {
                let question = Publish::new(Bytes::from_static(PROBE.as_bytes()), Bytes::from_static(PROBE_PAYLOAD), false);
                send_now(&mut self.own_tx, Packet::Publish(question, None)).map_err(PortError::from)
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
        self.confirm()
    }

    fn subscribe(&mut self, slot: Slot, wanted: &Wanted) -> Result<Vec<Message>, PortError> {
        let path = router_filter(wanted.filter.as_str());
        self.names.insert(path.clone());
        let properties = SubscribeProperties { id: Some(wanted.number), user_properties: Vec::new() };
        self.push(slot, Packet::Subscribe(Subscribe { pkid: 1, filters: vec![filter(path)] }, Some(properties)))?;
        self.confirm()?;
        Ok(self.kept().matching(&wanted.filter, Instant::now()))
    }

    fn publish(&mut self, message: &Message) -> Result<(), PortError> {
        if self.kept().note(message, Instant::now()) == Kept::NoRoom {
            warn!(bytes = message.size(), "A retained MQTT message is not kept: the room for retained messages is used up");
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
        send_now(&mut self.own_tx, Packet::Publish(Publish::new(topic, packed, false), None))?;
        if self.unconfirmed_bytes > UNCONFIRMED_BYTES_MAX || self.unconfirmed_messages > UNCONFIRMED_MESSAGES_MAX {
            self.confirm()?;
        }
        Ok(())
    }

    fn push(&mut self, slot: Slot, packet: Packet) -> Result<(), PortError> {
        match self.links.get_mut(slot.0) {
            Some(Some(link)) => send_now(link, packet).map_err(PortError::from),
            Some(None) | None => Ok(()),
        }
    }

    /// Waits until the router has handled everything it was given.
    fn confirm(&mut self) -> Result<(), PortError> {
        self.unconfirmed_bytes = 0;
        self.unconfirmed_messages = 0;
        send_now(&mut self.own_tx, Packet::PingReq(PingReq))?;
        let deadline = std::time::Instant::now() + self.patience;
        loop {
            match self.own_rx.recv_deadline(deadline) {
                Ok(Some(Notification::DeviceAck(_))) => return Ok(()),
                Ok(_) => {}
                Err(LinkError::RecvTimeout(_)) if std::time::Instant::now() >= deadline => return Err(PortError::Silent),
                Err(source) => return Err(PortError::Link(source)),
            }
        }
    }

    fn break_router(&mut self) -> Result<(), PortError> {
        send_now(&mut self.own_tx, Packet::Publish(Publish::new("é", "", false), None)).map_err(PortError::from)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Retained> {
        self.retained.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the order to stop; a broker that was dropped is one, too.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
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
fn send_now(link: &mut LinkTx, packet: Packet) -> Result<(), LinkError> {
    match link.send(packet).now_or_never() {
        Some(sent) => sent.map(drop),
        None => Err(LinkError::NotConnectionAck),
    }
}

/// What a session's link brings.
#[derive(Debug)]
pub(crate) enum FromRouter {
    /// A message for the subscription with this number.
    Message(usize, Message),
    /// Nothing for the session; look again.
    Nothing,
    /// The router is gone.
    Gone,
}

/// Something from the router, not yet looked at.
#[derive(Debug)]
pub(crate) struct Note(Result<Option<Notification>, LinkError>);

impl Link {
    /// Subscribes, and returns the retained messages as they are at exactly that point of the order of messages.
    pub(crate) async fn subscribe(&self, wanted: Wanted) -> Result<Vec<Message>, RouterGone> {
        let (reply, answer) = oneshot::channel();
        self.port.send(Command::Subscribe { slot: self.slot, wanted, reply }).await?;
        answer.await.map_err(|_gone| RouterGone)
    }

    pub(crate) async fn unsubscribe(&self, filter: &str) -> Result<(), RouterGone> {
        self.port.send(Command::Unsubscribe { slot: self.slot, filter: filter.to_owned() }).await
    }

    /// Gives the link back. Taking it by value makes sure that nothing is said on it afterwards: a late word on a closed link kills
    /// the router.
    pub(crate) async fn close(self) -> Result<(), RouterGone> {
        let Self { port, slot, rx } = self;
        drop(rx);
        port.send(Command::Close { slot }).await
    }

    /// Waits for the next thing from the router. Nothing is lost when the wait is given up.
    pub(crate) async fn next(&mut self) -> Note {
        Note(self.rx.next().await)
    }

    /// What is there already; `None` when there is nothing.
    pub(crate) fn next_now(&mut self) -> Option<Note> {
        self.next().now_or_never()
    }

    /// Looks at a note. Must not be given up half way: the router may be waiting for the answer.
    pub(crate) async fn read(&self, note: Note, epoch: Instant) -> FromRouter {
        match note.0 {
            Ok(Some(Notification::Forward(forward))) => {
                let numbers = forward.properties.map(|p| p.subscription_identifiers).unwrap_or_default();
                let message = Message::unpack(&forward.publish.topic, forward.publish.payload, epoch);
                match (numbers.last(), message) {
                    (Some(number), Some(message)) => FromRouter::Message(*number, message),
                    _ => FromRouter::Nothing,
                }
            }
            // The router stopped sending until it is told that there is room again.
            Ok(Some(Notification::Unschedule)) => match self.rx.wake().await {
                Ok(()) => FromRouter::Nothing,
                Err(_) => FromRouter::Gone,
            },
            Ok(Some(Notification::Disconnect(..))) | Err(_) => FromRouter::Gone,
            Ok(
                None
                | Some(
                    Notification::DeviceAck(_)
                    | Notification::ReplicaData { .. }
                    | Notification::ReplicaAcks { .. }
                    | Notification::Shadow(_),
                ),
            ) => FromRouter::Nothing,
        }
    }
}
