//! The router of `rumqttd` in its own thread, the port in front of it, and the watch over both.
//!
//! Everything that goes into the router passes the port, one thread that blocks where the router's interface blocks. So there is one
//! order of all messages and subscriptions, and the router sees only what is built here: sessions with names of ours, filters the
//! gate has checked, messages with QoS 0 that are never empty and never retained. The traps this avoids are in
//! `docs/adr/0002-mqtt-gate-in-front-of-rumqttd.md`.

mod thread;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use rumqttd::Notification;
use rumqttd::local::{LinkError, LinkRx};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{error, info, warn};

use self::thread::PortThread;
use crate::Config;
use crate::message::Message;
use crate::retained::Retained;
use crate::topic::Filter;

/// Commands waiting for the port. A device that publishes waits while it is full, so it only has to cover a burst.
const COMMANDS_MAX: usize = 256;

/// Between two attempts to build a router.
const REBUILD_PAUSE: Duration = Duration::from_secs(1);

/// How long a message waits for a router that is being replaced.
const REPLACEMENT_TIME: Duration = Duration::from_secs(5);

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

/// The way into one router. Useless once that router was given up.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    commands: mpsc::Sender<Command>,
    given_up: watch::Receiver<bool>,
}

impl Port {
    pub(crate) async fn open(&self) -> Result<Link, RouterGone> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Open { reply }).await?;
        let (slot, rx) = self.answer(answer).await?;
        Ok(Link { port: self.clone(), slot, rx })
    }

    pub(crate) async fn publish(&self, message: Message) -> Result<(), RouterGone> {
        self.send(Command::Publish(message)).await
    }

    async fn send(&self, command: Command) -> Result<(), RouterGone> {
        tokio::select! {
            biased;
            () = self.given_up() => Err(RouterGone),
            sent = self.commands.send(command) => sent.map_err(|_gone| RouterGone),
        }
    }

    async fn answer<T>(&self, answer: oneshot::Receiver<T>) -> Result<T, RouterGone> {
        tokio::select! {
            biased;
            () = self.given_up() => Err(RouterGone),
            answer = answer => answer.map_err(|_gone| RouterGone),
        }
    }

    /// Waits until this router is given up: a router that is stuck never says so itself.
    async fn given_up(&self) {
        stopped(&mut self.given_up.clone()).await;
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
        let watched = watcher.build().await?;
        tokio::spawn(watcher.run(watched, stop));
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
            REPLACEMENT_TIME,
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

/// A router with the watch over it.
struct Watched {
    port: Port,
    link: Link,
    give_up: watch::Sender<bool>,
}

/// Why a router has to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Died,
    Stuck,
    Stopped,
}

impl Watcher {
    async fn build(&self) -> Result<Watched, RouterGone> {
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let (config, retained, epoch) = (self.config.clone(), Arc::clone(&self.retained), self.routing.epoch);
        let work = move || {
            if let Err(reason) = PortThread::start(&config, retained, epoch).and_then(|port| port.run(inbox)) {
                warn!(error = %reason, "The way into the MQTT router is closed");
            }
        };
        std::thread::Builder::new().name("mqtt-port".to_owned()).spawn(work).map_err(|_no_thread| RouterGone)?;
        let (give_up, given_up) = watch::channel(false);
        let port = Port { commands, given_up };
        let link = port.open().await?;
        port.send(Command::ListenToProbe { slot: link.slot }).await?;
        self.routing.ports.send_replace(Some(port.clone()));
        Ok(Watched { port, link, give_up })
    }

    async fn run(self, mut watched: Watched, mut stop: watch::Receiver<bool>) {
        loop {
            let end = self.watch(&mut watched, &mut stop).await;
            self.routing.ports.send_replace(None);
            if end == End::Stopped {
                // The sessions still say goodbye, so the router stays until the last of them is gone.
                let Watched { port, link, give_up } = watched;
                drop((port, link));
                give_up.closed().await;
                return;
            }
            watched.give_up.send_replace(true);
            error!(?end, "The MQTT router is gone; building a new one, devices reconnect");
            let Some(next) = self.rebuild(&mut stop).await else { return };
            watched = next;
            self.routing.restarts.send_modify(|count| *count += 1);
            info!("The MQTT router is back");
        }
    }

    async fn rebuild(&self, stop: &mut watch::Receiver<bool>) -> Option<Watched> {
        loop {
            match self.build().await {
                Ok(next) => return Some(next),
                Err(reason) => error!(error = %reason, "The MQTT router could not be built; trying again in a second"),
            }
            tokio::select! {
                () = tokio::time::sleep(REBUILD_PAUSE) => {}
                () = stopped(stop) => return None,
            }
        }
    }

    /// Returns when the router has to be replaced. It is asked at a steady pace; an answer missing a few times in a row means it is
    /// stuck (counted in questions, so that a computer waking up from sleep does not look like it).
    async fn watch(&self, watched: &mut Watched, stop: &mut watch::Receiver<bool>) -> End {
        let mut ticks = interval(self.config.router_probe_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let pause = self.config.router_probe_interval.as_millis().max(1);
        let unanswered_max = self.config.router_probe_timeout.as_millis().div_ceil(pause);
        let mut unanswered = 0;
        loop {
            tokio::select! {
                () = stopped(stop) => return End::Stopped,
                () = watched.port.commands.closed() => return End::Died,
                note = watched.link.rx.next() => match note {
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
                    let asked = watched.port.commands.try_send(Command::Probe);
                    if matches!(asked, Err(mpsc::error::TrySendError::Closed(_))) {
                        return End::Died;
                    }
                }
            }
        }
    }
}

/// Waits for the order to stop; a broker that was dropped is one, too.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
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
pub(crate) struct Note(Result<Option<Notification>, Box<LinkError>>);

impl Link {
    /// Subscribes, and returns the retained messages as they are at exactly that point of the order of messages.
    pub(crate) async fn subscribe(&self, wanted: Wanted) -> Result<Vec<Message>, RouterGone> {
        let (reply, answer) = oneshot::channel();
        self.port.send(Command::Subscribe { slot: self.slot, wanted, reply }).await?;
        self.port.answer(answer).await
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
        let Self { port, rx, .. } = self;
        tokio::select! {
            biased;
            () = port.given_up() => Note(Err(Box::new(LinkError::NotConnectionAck))),
            note = rx.next() => Note(note.map_err(Box::new)),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A router that says nothing any more, without having died, is noticed; everything that still hangs on it is let go.
    #[tokio::test]
    async fn a_stuck_router_is_noticed() {
        let config = Config {
            router_probe_interval: Duration::from_millis(5),
            router_probe_timeout: Duration::from_millis(20),
            ..Config::default()
        };
        let (stopper, mut stop) = watch::channel(false);
        let routing = Arc::new(Routing {
            ports: watch::Sender::new(None),
            restarts: watch::Sender::new(0),
            epoch: Instant::now(),
        });
        let retained = Arc::new(Mutex::new(Retained::new(0)));
        let watcher = Watcher { config, retained, routing };
        let mut watched = watcher.build().await.unwrap();
        let mut link = watched.port.open().await.unwrap();
        // From here on the questions go to somebody who does not pass them on.
        let (deaf, _inbox) = mpsc::channel(1);
        watched.port.commands = deaf;
        assert_eq!(watcher.watch(&mut watched, &mut stop).await, End::Stuck);
        watched.give_up.send_replace(true);
        let note = link.next().await;
        assert!(matches!(link.read(note, watcher.routing.epoch).await, FromRouter::Gone));
        assert!(link.port.open().await.is_err());
        drop(stopper);
    }
}
