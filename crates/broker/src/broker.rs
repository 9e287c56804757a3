//! The broker as its owner sees it, and the listener.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, warn};

use crate::limits::Seats;
use crate::message::{Message, SessionNumber};
use crate::router::{RouterGone, Routing, stopped};
use crate::session::{Context, Io, Registry};
use crate::topic::Topic;
use crate::{Attempt, Authority, Config, QoS, login};

/// How long a shutdown waits for the devices to take their goodbye.
const DRAIN: Duration = Duration::from_secs(5);

/// How long the listener rests when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running broker. Dropping it stops everything at once; [`Broker::shutdown`] waits for that.
pub struct Broker {
    local_addr: SocketAddr,
    routing: Arc<Routing>,
    door: Arc<dyn Door>,
    stop: watch::Sender<bool>,
    idle: mpsc::Receiver<()>,
    topic_bytes_max: usize,
    packet_bytes_max: usize,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

/// Whether a published message is kept for later subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retain {
    /// Kept, and replaces what was kept on that topic; an empty payload deletes it.
    Keep,
    /// Only for those subscribed now.
    Pass,
}

/// Why a broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listener has no address.
    #[error("cannot read the address of the MQTT listener; is the socket bound?")]
    Address(#[source] std::io::Error),
    /// The router could not be started.
    #[error("cannot start the MQTT router; restart the program, and free memory or threads if it happens again")]
    Router,
}

/// Why a message was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The topic is empty, too long, or has wildcards.
    #[error("\"{topic}\" is not a topic to publish on; use one without +, # and a leading $")]
    Topic {
        /// The topic.
        topic: String,
    },
    /// The payload is larger than a packet may be.
    #[error("a message of {bytes} bytes is larger than a packet may be; raise the limit or split it")]
    TooLarge {
        /// Size of the payload.
        bytes: usize,
    },
    /// The router is being replaced or the broker is stopping.
    #[error("the MQTT router is not available now; publish again after it restarted")]
    Unavailable,
}

impl Broker {
    /// Starts the broker on a bound listener. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the listener has no address or the router cannot be started.
    pub async fn start<A: Authority>(
        config: Config,
        listener: TcpListener,
        authority: Arc<A>,
    ) -> Result<Self, StartError> {
        let local_addr = listener.local_addr().map_err(StartError::Address)?;
        let (stop, stop_seen) = watch::channel(false);
        let (alive, idle) = mpsc::channel(1);
        let routing = Routing::start(&config, stop_seen.clone()).await.map_err(|RouterGone| StartError::Router)?;
        let (topic_bytes_max, packet_bytes_max) = (config.topic_bytes_max, config.packet_bytes_max);
        let seats = Seats::new(config.connections_max, config.connections_per_ip_max);
        let context = Arc::new(Context {
            registry: Registry::new(config.sessions_max, config.sessions_per_identity_max),
            config,
            authority,
            routing: Arc::clone(&routing),
            stop: stop_seen.clone(),
            last_generation: AtomicU64::new(0),
            alive: alive.downgrade(),
        });
        let entrance = Arc::new(Entrance { context, seats });
        tokio::spawn(listen(Arc::clone(&entrance), listener, stop_seen, alive));
        Ok(Self { local_addr, routing, door: entrance, stop, idle, topic_bytes_max, packet_bytes_max })
    }

    /// The address of the listener.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Publishes from this program to the devices with QoS 1; one that subscribed with QoS 0 gets it so.
    /// Returns when the message has its place before every later one.
    ///
    /// # Errors
    /// When the topic or size is not acceptable, or the router does not come back in time.
    pub async fn publish(
        &self,
        topic: &str,
        payload: impl Into<Bytes> + Send,
        retain: Retain,
    ) -> Result<(), PublishError> {
        let payload = payload.into();
        let topic = match Topic::new(topic, self.topic_bytes_max) {
            Ok(valid) if !valid.is_reserved() => valid,
            Ok(_) | Err(_) => return Err(PublishError::Topic { topic: topic.to_owned() }),
        };
        if payload.len() > self.packet_bytes_max {
            return Err(PublishError::TooLarge { bytes: payload.len() });
        }
        let mut message = Message::new(&topic, payload, QoS::AtLeastOnce, SessionNumber::SERVER);
        message.retain = retain == Retain::Keep;
        self.routing.publish(message).await.map_err(|RouterGone| PublishError::Unavailable)
    }

    /// Ends every session of the identity with this name, trusted or quarantined, with all that is kept of it; a device then
    /// reconnects with the rights it has by then. Its will is not published. Returns at once.
    ///
    /// A login that is being checked meanwhile is refused and has to come again, since the answer may be outdated. So change the
    /// rights first, then call this.
    pub fn disconnect(&self, identity: &str) {
        self.door.end(identity);
    }

    /// How many times the router died and was replaced since the start.
    #[must_use]
    pub fn router_restarts(&self) -> watch::Receiver<u64> {
        self.routing.restarts()
    }

    /// Serves one more stream, for instance the inside of a TLS connection, under the same limits and rules.
    pub fn accept<S>(&self, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Arc::clone(&self.door).admit(Box::new(stream), peer);
    }

    /// Kills the router with a packet it cannot survive, to show that it is replaced. For tests and drills.
    ///
    /// # Errors
    /// When there is no router to kill.
    #[doc(hidden)]
    pub async fn break_router(&self) -> Result<(), PublishError> {
        self.routing.break_router().await.map_err(|RouterGone| PublishError::Unavailable)
    }

    /// Says goodbye to the devices, publishes no wills, and waits until everything has stopped.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if timeout(DRAIN, self.idle.recv()).await.is_err() {
            warn!("Some MQTT connections did not end in time");
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// The entrance without the type of the authority.
trait Door: Send + Sync {
    fn admit(self: Arc<Self>, stream: Box<dyn Io>, peer: SocketAddr);
    fn end(&self, identity: &str);
}

/// Where sockets come in.
struct Entrance<A> {
    context: Arc<Context<A>>,
    seats: Seats,
}

impl<A: Authority> Door for Entrance<A> {
    fn admit(self: Arc<Self>, stream: Box<dyn Io>, peer: SocketAddr) {
        let context = Arc::clone(&self.context);
        match self.seats.take(peer.ip()) {
            Ok(seat) => {
                let mut stop = context.stop.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = login::serve(context, stream, peer, seat) => {}
                        () = stopped(&mut stop) => {}
                    }
                });
            }
            // Only this one socket is closed; the listener goes on.
            Err(reason) => {
                drop(stream);
                debug!(%peer, reason, "MQTT connection refused");
                tokio::spawn(async move { context.authority.refused(Attempt::Connection { peer, reason }).await });
            }
        }
    }

    fn end(&self, identity: &str) {
        self.context.registry.end(identity);
    }
}

async fn listen<A: Authority>(
    entrance: Arc<Entrance<A>>,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => welcome(&entrance, stream, peer),
            Err(source) => {
                error!(error = %source, "Cannot accept an MQTT connection; free file handles when this goes on");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(alive);
}

fn welcome<A: Authority>(entrance: &Arc<Entrance<A>>, stream: TcpStream, peer: SocketAddr) {
    if let Err(source) = stream.set_nodelay(true) {
        debug!(%peer, error = %source, "Cannot switch off Nagle's algorithm");
    }
    Arc::clone(entrance).admit(Box::new(stream), peer);
}
