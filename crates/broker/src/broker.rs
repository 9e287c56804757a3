//! The broker as its owner sees it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::{Authority, Config};

/// A running broker. Dropping it stops everything at once; [`Broker::shutdown`] says goodbye to the devices first.
#[derive(Debug)]
pub struct Broker {
    local_addr: SocketAddr,
    restarts: watch::Sender<u64>,
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
    #[expect(clippy::unused_async, reason = "filled in below")]
    pub async fn start<A: Authority>(config: Config, listener: TcpListener, authority: Arc<A>) -> Result<Self, StartError> {
        let local_addr = listener.local_addr().map_err(StartError::Address)?;
        drop((config, authority));
        Ok(Self { local_addr, restarts: watch::Sender::new(0) })
    }

    /// The address of the listener.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Publishes from this program to the devices, with QoS 1 at most: each gets it with the smaller of 1 and what it asked for.
    /// Returns when the message is in order before every later one.
    ///
    /// # Errors
    /// When the topic or size is not acceptable, or the router does not come back in time.
    #[expect(clippy::unused_async, reason = "filled in below")]
    pub async fn publish(&self, topic: &str, payload: impl Into<Bytes>, retain: Retain) -> Result<(), PublishError> {
        drop((topic.len(), payload.into(), retain));
        Ok(())
    }

    /// Ends every session of the identity with this name, trusted or quarantined; a device then reconnects with the rights it has
    /// by then. Returns at once.
    pub fn disconnect(&self, identity: &str) {
        drop(identity.len());
    }

    /// How many times the router died and was replaced since the start.
    #[must_use]
    pub fn router_restarts(&self) -> watch::Receiver<u64> {
        self.restarts.subscribe()
    }

    /// Serves one more stream, for instance the inside of a TLS connection, under the same limits and rules.
    pub fn accept<S>(&self, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        drop((stream, peer));
    }

    /// Says goodbye to the devices, publishes no wills, and waits until everything has stopped.
    #[expect(clippy::unused_async, reason = "filled in below")]
    pub async fn shutdown(self) {}
}
