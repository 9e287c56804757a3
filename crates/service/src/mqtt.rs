//! Who may do what at the MQTT broker, and the way messages take from there to the engine and back.
//!
//! A device's name is its user name and its topic. Strangers may only announce themselves on `hello/new`;
//! the credentials they present are remembered, and pinned when the manager lets them in.

use crate::connections::{Connections, Note};
use crate::credentials::{Hasher, Strength};
use crate::engine::Happened;
use crate::tls::{Secured, TlsIncoming};
use api::{Language, RefusalCode};
use broker::{
    Admission, Attempt, Authority, Broker, Connection, Identity, Incoming, Login, Receipt, Refusal, Retain, Standing,
};
use bytes::Bytes;
use domain::{Clock, MeterId, Protocol};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Reader, StoreError, Writer};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// Where strangers announce themselves.
const HELLO: &str = "hello/new";

/// What we call ourselves in messages.
pub(crate) const RESERVED: &str = "manager";

/// Names of the secrets of devices that were let in.
const PINNED: &str = "mqtt/";

/// Names of the secrets of devices that wait.
const WAITING: &str = "mqtt-waiting/";

/// Devices whose credentials are remembered while they wait; a flood of names must not fill the store.
const WAITING_MAX: usize = 64;

/// Messages on their way to the broker: one for each device of a large building, twice over.
pub(crate) const OUTGOING_MAX: usize = 1024;

/// What is to happen at the broker.
#[derive(Debug)]
pub(crate) enum ToBroker {
    /// Publish this.
    Publish {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
    /// End this device's connections; it comes back with the rights it has then.
    Disconnect(String),
    /// The same once what was published to it before has had time to reach it: it was removed.
    SendAway(String),
}

/// What an MQTT device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A meter.
    Meter,
    /// A charger.
    Charger,
    /// A meter of another maker, with topics of its own.
    Foreign,
}

/// What the rules need to know of devices, answered from memory: what each is and whether the manager let it in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Devices(Arc<Mutex<BTreeMap<String, (Kind, bool)>>>);

impl Devices {
    /// Notes a device and whether the manager let it in.
    pub(crate) fn set(&self, name: &str, kind: Kind, approved: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), (kind, approved));
    }

    /// Forgets a device.
    pub(crate) fn remove(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Whether it is an approved device.
    pub(crate) fn is_approved(&self, name: &str) -> bool {
        self.approved(name).is_some()
    }

    /// Whether a topic, or a filter, lies under a level that is no other device's name: meters of other makers choose
    /// their own topics, such as `shellies/shellyem3-1/emeter/0/power` or `shellypro3em-1/status/em:0`.
    fn is_free(&self, own: &str, topic: &str) -> bool {
        let Some((first, rest)) = topic.split_once('/') else { return false };
        let taken = ["", "+", "#", "hello", RESERVED];
        let devices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_theirs = first == own || !devices.contains_key(first);
        !rest.is_empty() && !taken.contains(&first) && !first.starts_with('$') && is_theirs
    }

    /// What an approved device is.
    fn approved(&self, name: &str) -> Option<Kind> {
        let devices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        devices.get(name).filter(|(_, approved)| *approved).map(|(kind, _)| *kind)
    }
}

/// Credentials of devices, kept as hashes.
#[derive(Clone, Debug)]
pub(crate) struct DeviceCredentials {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    pub(crate) hasher: Hasher,
}

impl DeviceCredentials {
    /// Sets a device's password.
    pub(crate) async fn provision(&self, name: &str, password: &str) -> Result<(), String> {
        let hash = self.hash(password.as_bytes()).await?;
        self.writer.secret_set(&format!("{PINNED}{name}"), &hash).await.map_err(words)
    }

    /// The manager let a device in: what it presented while it waited is from now on its password.
    pub(crate) async fn pin(&self, name: &str) -> Result<(), StoreError> {
        if let Some(hash) = self.reader.secret_get(&format!("{WAITING}{name}")).await? {
            self.writer.secret_set(&format!("{PINNED}{name}"), &hash).await?;
            self.writer.secret_remove(&format!("{WAITING}{name}")).await?;
        }
        Ok(())
    }

    /// The manager removed a device: whoever uses the name next starts as a stranger.
    pub(crate) async fn forget(&self, name: &str) -> Result<(), StoreError> {
        self.writer.secret_remove(&format!("{PINNED}{name}")).await?;
        self.writer.secret_remove(&format!("{WAITING}{name}")).await
    }

    async fn hash(&self, password: &[u8]) -> Result<String, String> {
        self.hasher.hash(Strength::Device, password.to_vec()).await.map_err(words)
    }

    /// What a login with a user name amounts to.
    async fn judge(&self, name: &str, password: Option<Vec<u8>>, approved: bool) -> Result<Judgement, String> {
        let pinned = self.reader.secret_get(&format!("{PINNED}{name}")).await.map_err(words)?;
        match (pinned, password) {
            (Some(hash), Some(password)) => {
                let right = self.hasher.verify(hash, password).await.map_err(words)?;
                Ok(match (right, approved) {
                    (true, true) => Judgement::Proven,
                    (true, false) => Judgement::Stranger,
                    (false, _) => Judgement::Wrong(RefusalCode::MqttWrongPassword),
                })
            }
            (Some(_), None) => Ok(Judgement::Wrong(RefusalCode::MqttPasswordMissing)),
            (None, Some(password)) if approved => {
                let hash = self.hash(&password).await?;
                self.writer.secret_set(&format!("{PINNED}{name}"), &hash).await.map_err(words)?;
                tracing::info!(name, "the first password of an approved device is from now on its password");
                Ok(Judgement::Proven)
            }
            (None, Some(password)) => self.remember(name, password).await,
            (None, None) => Ok(Judgement::Stranger),
        }
    }

    /// Remembers what a stranger presented first; somebody else under the same name is refused.
    async fn remember(&self, name: &str, password: Vec<u8>) -> Result<Judgement, String> {
        let key = format!("{WAITING}{name}");
        if let Some(hash) = self.reader.secret_get(&key).await.map_err(words)? {
            let same = self.hasher.verify(hash, password).await.map_err(words)?;
            return Ok(if same { Judgement::Stranger } else { Judgement::Wrong(RefusalCode::MqttNameTaken) });
        }
        if self.reader.secret_names(WAITING).await.map_err(words)?.len() < WAITING_MAX {
            let hash = self.hash(&password).await?;
            self.writer.secret_set(&key, &hash).await.map_err(words)?;
        }
        Ok(Judgement::Stranger)
    }
}

fn words<E: std::error::Error + 'static>(error: E) -> String {
    crate::error::chain(&error)
}

enum Judgement {
    Proven,
    Stranger,
    Wrong(RefusalCode),
}

/// The rules of the broker.
pub(crate) struct Gatekeeper {
    pub(crate) engine: mpsc::Sender<Happened>,
    pub(crate) devices: Devices,
    pub(crate) credentials: DeviceCredentials,
    pub(crate) connections: Connections,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Gatekeeper {
    fn note(&self, device: &str, peer: SocketAddr, refusal: Option<RefusalCode>, about: &str) {
        let at = self.clock.now().wall;
        self.connections.note(Note { device, protocol: Protocol::Ievcc, peer, at, refusal, about });
    }

    /// Notes what a connected device may not do.
    fn forbidden(&self, who: &Identity, refusal: RefusalCode, topic: &str) {
        if let Some(peer) = self.connections.get(who.name()).and_then(|entry| entry.address.parse().ok()) {
            self.note(who.name(), peer, Some(refusal), topic);
        }
    }

    /// Notes a handshake that failed.
    pub(crate) fn handshake_failed(&self, peer: SocketAddr, refusal: RefusalCode, about: &str) {
        let words = refusal.sentence(Language::English, about);
        tracing::warn!(%peer, words, "MQTT connection refused");
        self.note("", peer, Some(refusal), about);
    }

    async fn tell(&self, happened: Happened) {
        if self.engine.send(happened).await.is_err() {
            tracing::debug!("the engine ended first");
        }
    }
}

impl Authority for Gatekeeper {
    async fn authenticate(&self, login: Login) -> Admission {
        let Some(user) = login.user.as_deref().map(str::trim).filter(|user| !user.is_empty()) else {
            return Admission::Quarantined(Identity::new(&login.client_id));
        };
        if user == RESERVED {
            self.note(user, login.peer, Some(RefusalCode::MqttReservedName), "");
            return Admission::Refused(Refusal::BadCredentials);
        }
        if let Err(error) = MeterId::new(user) {
            self.note(user, login.peer, Some(RefusalCode::MqttBadName), &error.to_string());
            return Admission::Refused(Refusal::BadCredentials);
        }
        let approved = self.devices.approved(user).is_some();
        match self.credentials.judge(user, login.password, approved).await {
            Ok(Judgement::Proven) => Admission::Admitted(Identity::new(user)),
            Ok(Judgement::Stranger) => Admission::Quarantined(Identity::new(user)),
            Ok(Judgement::Wrong(refusal)) => {
                let words = refusal.sentence(Language::English, "");
                tracing::warn!(user, peer = %login.peer, words, "MQTT login refused");
                self.note(user, login.peer, Some(refusal), "");
                Admission::Refused(Refusal::BadCredentials)
            }
            Err(error) => {
                tracing::error!(user, error, "an MQTT login cannot be judged now");
                Admission::Refused(Refusal::Unavailable)
            }
        }
    }

    /// A charger also announces itself on the topic of its meter; the mesh refuses anything else it says there.
    fn may_publish(&self, who: &Identity, topic: &str) -> bool {
        let to_its_meter = || {
            self.devices.approved(who.name()) == Some(Kind::Charger)
                && self.devices.approved(topic) == Some(Kind::Meter)
        };
        if who.standing() == Standing::Trusted && self.devices.approved(who.name()) == Some(Kind::Foreign) {
            return topic == who.name() || self.devices.is_free(who.name(), topic);
        }
        topic == HELLO || (who.standing() == Standing::Trusted && (topic == who.name() || to_its_meter()))
    }

    fn may_subscribe(&self, who: &Identity, filter: &str) -> bool {
        let is_foreign =
            || self.devices.approved(who.name()) == Some(Kind::Foreign) && self.devices.is_free(who.name(), filter);
        who.standing() == Standing::Trusted && (filter == who.name() || is_foreign())
    }

    async fn received(&self, message: Incoming) -> Receipt {
        let (receipt, answer) = oneshot::channel();
        let trust = match message.who.standing() {
            Standing::Trusted => mesh::Trust::Proven,
            Standing::Quarantined => mesh::Trust::Quarantined,
        };
        self.tell(Happened::MqttMessage {
            device: message.who.name().to_owned(),
            trust,
            topic: message.topic,
            payload: message.payload,
            receipt,
        })
        .await;
        answer.await.unwrap_or(Receipt::Unavailable)
    }

    async fn connected(&self, who: &Identity, connection: &Connection) {
        self.note(who.name(), connection.peer, None, "");
        if who.standing() == Standing::Trusted {
            tracing::info!(device = who.name(), peer = %connection.peer, "MQTT device connected");
            self.tell(Happened::MqttConnected(who.name().to_owned())).await;
        }
    }

    async fn disconnected(&self, who: &Identity, connection: &Connection, reason: &str) {
        let address = connection.peer.to_string();
        self.connections.gone(who.name(), Protocol::Ievcc, &address, self.clock.now().wall, reason);
        if who.standing() == Standing::Trusted {
            tracing::info!(device = who.name(), reason, "MQTT device disconnected");
            self.tell(Happened::MqttDisconnected(who.name().to_owned())).await;
        }
    }

    async fn refused(&self, attempt: Attempt) {
        match attempt {
            Attempt::Login { peer, client_id, user, reason } => {
                tracing::warn!(%peer, reason, "MQTT login refused");
                let device = user.or(client_id).unwrap_or_default();
                // Our own refusals were noted with better words.
                if !self
                    .connections
                    .list()
                    .iter()
                    .any(|known| known.device == device && known.address == peer.to_string())
                {
                    self.note(&device, peer, Some(RefusalCode::MqttLogin), &reason);
                }
            }
            Attempt::Publish { who, topic } => {
                tracing::warn!(%who, topic, "publishing is refused; a device publishes on its own topic only");
                self.forbidden(&who, RefusalCode::ForeignPublish, &topic);
            }
            Attempt::Subscribe { who, filter } => {
                tracing::warn!(%who, filter, "subscribing is refused; a device subscribes to its own topic only");
                self.forbidden(&who, RefusalCode::ForeignSubscribe, &filter);
            }
            Attempt::Connection { peer, reason } => {
                tracing::warn!(%peer, reason, "MQTT connection refused");
                self.note("", peer, Some(RefusalCode::MqttLogin), &reason);
            }
        }
    }
}

/// The next stream inside TLS; never when there is no such listener.
async fn next_secured(secured: &mut Option<TlsIncoming>) -> Option<(Secured, SocketAddr)> {
    match secured {
        Some(incoming) => incoming.recv().await,
        None => std::future::pending().await,
    }
}

/// What was published to a device before it is sent away must reach it first; the router takes milliseconds.
const FAREWELL: Duration = Duration::from_millis(500);

/// Resolves when the next device is to be sent away; never when there is none.
async fn next_farewell(leaving: &VecDeque<(Instant, String)>) {
    match leaving.front() {
        Some((at, _)) => tokio::time::sleep_until(*at).await,
        None => std::future::pending().await,
    }
}

/// Owns the broker: publishes in order until the drain, then says goodbye to the devices.
pub(crate) async fn run(
    broker: Broker,
    mut outgoing: mpsc::Receiver<ToBroker>,
    engine: mpsc::Sender<Happened>,
    mut secured: Option<TlsIncoming>,
    mut drain: watch::Receiver<bool>,
) {
    let mut restarts = broker.router_restarts();
    let mut leaving: VecDeque<(Instant, String)> = VecDeque::new();
    loop {
        tokio::select! {
            message = outgoing.recv() => match message {
                Some(ToBroker::Publish { topic, payload }) => {
                    if let Err(error) = broker.publish(&topic, Bytes::from(payload), Retain::Pass).await {
                        tracing::warn!(topic, %error, "a message to a device was not published");
                    }
                }
                Some(ToBroker::Disconnect(name)) => broker.disconnect(&name),
                Some(ToBroker::SendAway(name)) => leaving.push_back((Instant::now() + FAREWELL, name)),
                None => break,
            },
            () = next_farewell(&leaving) => if let Some((_, name)) = leaving.pop_front() {
                broker.disconnect(&name);
            },
            Ok(()) = restarts.changed() => {
                if engine.send(Happened::BrokerRestarted).await.is_err() {
                    break;
                }
            },
            stream = next_secured(&mut secured) => match stream {
                Some((stream, peer)) => broker.accept(stream, peer),
                None => secured = None,
            },
            () = crate::drain::drained(&mut drain) => break,
        }
    }
    // The engine must be free to end while devices are told goodbye.
    drop(engine);
    drop(outgoing);
    broker.shutdown().await;
}
