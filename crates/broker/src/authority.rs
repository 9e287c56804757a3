//! What the gate asks and tells the program around it: who may log in, publish and subscribe, and what was received.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

/// Decides who may do what, and takes every message before it is acknowledged.
///
/// The synchronous questions are asked for every packet: answer from memory. The asynchronous ones hold up only the
/// connection they are about.
pub trait Authority: Send + Sync + 'static {
    /// May this client connect, and who is it then? Asked once for every connection, before anything else.
    fn authenticate(&self, login: Login) -> impl Future<Output = Admission> + Send;

    /// May `who` publish on `topic`? Also asked for the topic of a will, at login.
    fn may_publish(&self, who: &Identity, topic: &str) -> bool;

    /// May `who` subscribe to `filter` (which can hold wildcards)? Asked again when a kept session comes back.
    fn may_subscribe(&self, who: &Identity, filter: &str) -> bool;

    /// A device published this. Awaited before the acknowledgement and before anybody else gets the message: make it durable,
    /// then answer [`Receipt::Taken`].
    fn received(&self, message: Incoming) -> impl Future<Output = Receipt> + Send;

    /// A device is connected and may be spoken to.
    fn connected(&self, who: &Identity, connection: &Connection) -> impl Future<Output = ()> + Send;

    /// That connection is over. `reason` is a sentence for a person.
    fn disconnected(&self, who: &Identity, connection: &Connection, reason: &str) -> impl Future<Output = ()> + Send;

    /// Something was refused; for the record and for the console.
    fn refused(&self, attempt: Attempt) -> impl Future<Output = ()> + Send;
}

/// What a client presented to be let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The client id; made up by the gate when the client left it empty.
    pub client_id: String,
    /// The user name, when there was one.
    pub user: Option<String>,
    /// The password, when there was one; any bytes.
    pub password: Option<Vec<u8>>,
    /// Where the connection comes from.
    pub peer: SocketAddr,
    /// The version the client speaks.
    pub protocol: Protocol,
}

/// Shows everything but the password.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("client_id", &self.client_id)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("peer", &self.peer)
            .field("protocol", &self.protocol)
            .finish()
    }
}

/// The answer to a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Let in, with proven identity.
    Admitted(Identity),
    /// Let in with hardly any rights until somebody approves it; the identity is a claim, not proven.
    Quarantined(Identity),
    /// Not let in.
    Refused(Refusal),
}

/// Why a login was refused. What the client is told is in the names of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Wrong or missing user name or password (MQTT 3.1.1: code 5; MQTT 5: 0x86).
    BadCredentials,
    /// Known, but not allowed (5; 0x87).
    NotAuthorized,
    /// Blocked by the manager (5; 0x8A).
    Banned,
    /// Cannot be decided now, try again later (3; 0x88).
    Unavailable,
}

/// Whether an identity is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// The credentials were right.
    Trusted,
    /// Unknown; waits for approval.
    Quarantined,
}

/// Who a connection belongs to. Two identities with one name and different standing are different.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    name: Arc<str>,
    standing: Standing,
}

impl Identity {
    /// An identity with this name; the gate sets the standing from the [`Admission`].
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), standing: Standing::Trusted }
    }

    /// The name the authority gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Proven or waiting for approval.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// The same name with this standing.
    #[must_use]
    pub fn with_standing(&self, standing: Standing) -> Self {
        Self { name: Arc::clone(&self.name), standing }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.standing {
            Standing::Trusted => write!(f, "{}", self.name),
            Standing::Quarantined => write!(f, "{} (not approved)", self.name),
        }
    }
}

/// The protocol version of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// MQTT 3.1.1.
    V311,
    /// MQTT 5.
    V5,
}

/// One connection of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Counts up over the life of the broker; a later connection of a client has a higher one.
    pub generation: u64,
    /// The client id.
    pub client_id: String,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// The version it speaks.
    pub protocol: Protocol,
}

/// The quality of service of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QoS {
    /// 0, at most once.
    AtMostOnce,
    /// 1, at least once.
    AtLeastOnce,
    /// 2, exactly once.
    ExactlyOnce,
}

/// How a message came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The device sent it.
    Device,
    /// Its will, published by the gate because the connection was lost.
    Will,
}

/// A message from a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Who sent it, as proven at login.
    pub who: Identity,
    /// The client id it used.
    pub client_id: String,
    /// A valid topic that [`Authority::may_publish`] allowed.
    pub topic: String,
    /// The payload.
    pub payload: Bytes,
    /// The quality of service it was sent with.
    pub qos: QoS,
    /// Whether it is kept for later subscribers.
    pub retain: bool,
    /// Sent by the device or its will.
    pub origin: Origin,
}

/// What became of a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Receipt {
    /// Durable: acknowledge it and pass it on.
    Taken,
    /// Could not be stored: do not acknowledge it (MQTT 3.1.1), or say so (MQTT 5); nobody else gets it.
    Unavailable,
}

/// Something the gate refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// A login: by the authority's own answer, or because the packet was not acceptable.
    Login {
        /// Where it came from.
        peer: SocketAddr,
        /// The client id, when it was readable.
        client_id: Option<String>,
        /// The user name, when it was readable.
        user: Option<String>,
        /// A sentence for a person.
        reason: String,
    },
    /// A publish on a topic that is not the device's.
    Publish {
        /// Who tried it.
        who: Identity,
        /// The topic.
        topic: String,
    },
    /// A subscription to a filter that is not the device's.
    Subscribe {
        /// Who tried it.
        who: Identity,
        /// The filter.
        filter: String,
    },
    /// A socket beyond the limits of connections.
    Connection {
        /// Where it came from.
        peer: SocketAddr,
        /// Which limit was reached, as a sentence.
        reason: String,
    },
}

impl QoS {
    /// The two bits of the wire; `None` for 3.
    pub(crate) const fn from_wire(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    pub(crate) const fn to_wire(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }
}
