//! A broker on a free port with a small policy, a client of bytes, and a client of `rumqttc`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::{
    Admission, Attempt, Authority, Broker, Config, Connection, Identity, Incoming, Login, Receipt, Refusal, Standing,
};
use bytes::{Buf as _, BytesMut};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, QoS};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::time::timeout;

/// Long enough for a busy machine; nothing waits for it when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the authority was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Connected { name: String, standing: Standing, generation: u64 },
    Disconnected { name: String, generation: u64, reason: String },
    Received(Incoming),
    Refused(Attempt),
    Asked(String),
}

/// Everybody logs in with a password equal to the name; `admin` may do everything, others only under their own name.
/// Without a user name one is in quarantine.
#[derive(Debug)]
pub(crate) struct House {
    told: broadcast::Sender<Told>,
    pub(crate) storage_fails: AtomicBool,
    /// Each message needs a permit to be stored.
    pub(crate) storage: Semaphore,
    /// Each login needs a permit to be checked.
    pub(crate) logins: Semaphore,
}

impl Authority for House {
    async fn authenticate(&self, login: Login) -> Admission {
        self.tell(Told::Asked(login.client_id));
        self.logins.acquire().await.unwrap().forget();
        match (login.user, login.password) {
            (None, _) => Admission::Quarantined(Identity::new("guest")),
            (Some(user), _) if user == "banned" => Admission::Refused(Refusal::Banned),
            (Some(user), Some(password)) if password == user.as_bytes() => Admission::Admitted(Identity::new(&user)),
            (Some(_), _) => Admission::Refused(Refusal::BadCredentials),
        }
    }

    fn may_publish(&self, who: &Identity, topic: &str) -> bool {
        match who.standing() {
            Standing::Quarantined => topic == "hello/new",
            Standing::Trusted => is_own(who.name(), topic),
        }
    }

    fn may_subscribe(&self, who: &Identity, filter: &str) -> bool {
        who.standing() == Standing::Trusted && is_own(who.name(), filter)
    }

    async fn received(&self, message: Incoming) -> Receipt {
        self.storage.acquire().await.unwrap().forget();
        if self.storage_fails.load(Ordering::SeqCst) {
            return Receipt::Unavailable;
        }
        self.tell(Told::Received(message));
        Receipt::Taken
    }

    async fn connected(&self, who: &Identity, connection: &Connection) {
        self.tell(Told::Connected {
            name: who.name().to_owned(),
            standing: who.standing(),
            generation: connection.generation,
        });
    }

    async fn disconnected(&self, who: &Identity, connection: &Connection, reason: &str) {
        self.tell(Told::Disconnected {
            name: who.name().to_owned(),
            generation: connection.generation,
            reason: reason.to_owned(),
        });
    }

    async fn refused(&self, attempt: Attempt) {
        self.tell(Told::Refused(attempt));
    }
}

impl House {
    fn tell(&self, told: Told) {
        // Nobody listens in most tests.
        drop(self.told.send(told));
    }
}

fn is_own(name: &str, topic: &str) -> bool {
    name == "admin" || topic == name || topic.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
}

/// A running broker.
pub(crate) struct Site {
    pub(crate) broker: Broker,
    pub(crate) house: Arc<House>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let house = Arc::new(House {
            told: broadcast::Sender::new(100_000),
            storage_fails: AtomicBool::new(false),
            storage: Semaphore::new(1_000_000),
            logins: Semaphore::new(1_000_000),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let broker = Broker::start(config, listener, Arc::clone(&house)).await.unwrap();
        Self { broker, house }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.broker.local_addr()
    }

    /// Everything the authority is told from now on.
    pub(crate) fn listen(&self) -> Ear {
        Ear(self.house.told.subscribe())
    }

    pub(crate) async fn raw(&self) -> Raw {
        Raw { stream: TcpStream::connect(self.addr()).await.unwrap(), buffer: BytesMut::new() }
    }

    /// A client of bytes that is logged in with MQTT 3.1.1, clean session, no keep-alive.
    pub(crate) async fn v3(&self, user: &str) -> Raw {
        let mut raw = self.raw().await;
        assert_eq!(raw.login(&Hello::v3(user)).await, [0, 0]);
        raw
    }

    /// A client of bytes that is logged in with MQTT 5, clean start, no keep-alive.
    pub(crate) async fn v5(&self, user: &str) -> Raw {
        let mut raw = self.raw().await;
        assert_eq!(raw.login(&Hello::v5(user)).await[..2], [0, 0]);
        raw
    }

    pub(crate) fn client(&self, user: &str) -> Client {
        Client::start(self.addr(), user)
    }

    /// Two fresh clients can still talk to each other through the broker.
    pub(crate) async fn assert_works(&self) {
        let mut receiver = self.v3("admin").await;
        receiver.subscribe("works/#", 1).await;
        let mut sender = self.v5("works").await;
        sender.send(&publish_v5("works/now", b"yes", 1, 7, &[])).await;
        assert_eq!(sender.expect(0x40).await, [0, 7]);
        assert_eq!(receiver.message().await, ("works/now".to_owned(), b"yes".to_vec()));
    }
}

/// Hears what the authority is told.
pub(crate) struct Ear(broadcast::Receiver<Told>);

impl Ear {
    /// The next thing told that `wanted` recognises.
    pub(crate) async fn hear<T>(&mut self, wanted: impl Fn(Told) -> Option<T>) -> T {
        timeout(PATIENCE, async {
            loop {
                if let Some(found) = wanted(self.0.recv().await.unwrap()) {
                    return found;
                }
            }
        })
        .await
        .expect("the authority was not told in time")
    }

    pub(crate) async fn received(&mut self) -> Incoming {
        self.hear(|told| if let Told::Received(message) = told { Some(message) } else { None }).await
    }

    pub(crate) async fn refused(&mut self) -> Attempt {
        self.hear(|told| if let Told::Refused(attempt) = told { Some(attempt) } else { None }).await
    }

    pub(crate) async fn disconnected(&mut self, wanted: &str) -> String {
        self.hear(|told| match told {
            Told::Disconnected { name, reason, .. } if name == wanted => Some(reason),
            _ => None,
        })
        .await
    }
}

// === Bytes ===

pub(crate) fn text(text: &str) -> Vec<u8> {
    binary(text.as_bytes())
}

pub(crate) fn binary(bytes: &[u8]) -> Vec<u8> {
    let mut out = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    out.extend_from_slice(bytes);
    out
}

pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut rest = body.len();
    loop {
        let low = u8::try_from(rest % 128).unwrap();
        rest /= 128;
        out.push(if rest > 0 { low | 0x80 } else { low });
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
    out
}

/// A CONNECT to be.
#[derive(Clone, Debug)]
pub(crate) struct Hello {
    pub(crate) level: u8,
    pub(crate) clean: bool,
    pub(crate) keep_alive_s: u16,
    pub(crate) client_id: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// Topic, payload, flags of the will (QoS and retain), properties of the will for MQTT 5.
    pub(crate) will: Option<(String, Vec<u8>, u8, Vec<u8>)>,
    pub(crate) properties: Vec<u8>,
}

impl Hello {
    pub(crate) fn v3(user: &str) -> Self {
        Self {
            level: 4,
            clean: true,
            keep_alive_s: 0,
            client_id: format!("{user}-{}", fresh()),
            user: Some(user.to_owned()),
            password: Some(user.to_owned()),
            will: None,
            properties: Vec::new(),
        }
    }

    pub(crate) fn v5(user: &str) -> Self {
        Self { level: 5, ..Self::v3(user) }
    }

    pub(crate) fn kept(self, client_id: &str) -> Self {
        // MQTT 5: session expiry interval of 1000 seconds.
        let properties = if self.level == 5 { vec![0x11, 0, 0, 3, 0xE8] } else { Vec::new() };
        Self { clean: false, client_id: client_id.to_owned(), properties, ..self }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut flags = u8::from(self.clean) << 1;
        flags |= u8::from(self.password.is_some()) << 6 | u8::from(self.user.is_some()) << 7;
        if let Some((_, _, bits, _)) = &self.will {
            flags |= 0x04 | bits;
        }
        let mut body = text("MQTT");
        body.extend([self.level, flags]);
        body.extend(self.keep_alive_s.to_be_bytes());
        if self.level == 5 {
            body.push(u8::try_from(self.properties.len()).unwrap());
            body.extend(&self.properties);
        }
        body.extend(text(&self.client_id));
        if let Some((topic, payload, _, properties)) = &self.will {
            if self.level == 5 {
                body.push(u8::try_from(properties.len()).unwrap());
                body.extend(properties);
            }
            body.extend(text(topic));
            body.extend(binary(payload));
        }
        body.extend(self.user.as_deref().map(text).unwrap_or_default());
        body.extend(self.password.as_deref().map(text).unwrap_or_default());
        packet(0x10, &body)
    }
}

fn fresh() -> u64 {
    static LAST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::SeqCst)
}

pub(crate) fn publish_v3(topic: &str, payload: &[u8], bits: u8, id: u16) -> Vec<u8> {
    publish_bytes(topic.as_bytes(), payload, bits, id, None)
}

/// `bits` as on the wire but shifted: 0, 1 or 2 for the QoS, plus 4 for a repetition, plus 8 for retain.
pub(crate) fn publish_v5(topic: &str, payload: &[u8], bits: u8, id: u16, properties: &[u8]) -> Vec<u8> {
    publish_bytes(topic.as_bytes(), payload, bits, id, Some(properties))
}

pub(crate) fn publish_bytes(topic: &[u8], payload: &[u8], bits: u8, id: u16, properties: Option<&[u8]>) -> Vec<u8> {
    let (qos, repeated, retain) = (bits & 3, bits >> 2 & 1, bits >> 3 & 1);
    let mut body = binary(topic);
    if qos > 0 {
        body.extend(id.to_be_bytes());
    }
    if let Some(properties) = properties {
        body.push(u8::try_from(properties.len()).unwrap());
        body.extend(properties);
    }
    body.extend(payload);
    packet(0x30 | repeated << 3 | qos << 1 | retain, &body)
}

pub(crate) const REPEATED: u8 = 4;
pub(crate) const RETAIN: u8 = 8;

pub(crate) fn subscribe_v3(id: u16, filter: &str, options: u8) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    body.extend(text(filter));
    body.push(options);
    packet(0x82, &body)
}

pub(crate) fn subscribe_v5(id: u16, filter: &str, options: u8, properties: &[u8]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    body.push(u8::try_from(properties.len()).unwrap());
    body.extend(properties);
    body.extend(text(filter));
    body.push(options);
    packet(0x82, &body)
}

pub(crate) const PING: [u8; 2] = [0xC0, 0];
pub(crate) const GOODBYE: [u8; 2] = [0xE0, 0];

/// A client that writes what it likes.
pub(crate) struct Raw {
    stream: TcpStream,
    buffer: BytesMut,
}

/// A PUBLISH as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) flags: u8,
    pub(crate) topic: String,
    pub(crate) id: u16,
    pub(crate) properties: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Arrived {
    pub(crate) fn qos(&self) -> u8 {
        self.flags >> 1 & 3
    }

    pub(crate) fn is_retained(&self) -> bool {
        self.flags & 1 == 1
    }
}

impl Raw {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends a CONNECT and returns the body of the CONNACK.
    pub(crate) async fn login(&mut self, hello: &Hello) -> Vec<u8> {
        self.send(&hello.bytes()).await;
        self.expect(0x20).await
    }

    /// The next packet: first byte and body; `None` when the broker closed the connection.
    pub(crate) async fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        timeout(PATIENCE, self.read()).await.expect("the broker said nothing in time")
    }

    async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some(found) = self.take() {
                return Some(found);
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut length = 0;
        let mut header = 1;
        loop {
            let byte = *self.buffer.get(header)?;
            length |= usize::from(byte & 0x7F) << (7 * (header - 1));
            header += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        if self.buffer.len() < header + length {
            return None;
        }
        let mut whole = self.buffer.split_to(header + length);
        let first = whole[0];
        whole.advance(header);
        Some((first, whole.to_vec()))
    }

    pub(crate) async fn expect(&mut self, first: u8) -> Vec<u8> {
        let (found, body) = self.packet().await.expect("the broker closed the connection");
        assert_eq!(found, first, "another packet than expected, with body {body:?}");
        body
    }

    /// Reads on until the broker closes; returns the reason code of its DISCONNECT, when it sent one.
    pub(crate) async fn expect_closed(&mut self) -> Option<u8> {
        let mut reason = None;
        while let Some((first, body)) = self.packet().await {
            if first == 0xE0 {
                reason = body.first().copied();
            }
        }
        reason
    }

    /// Subscribes with MQTT 3.1.1 and asserts that it was granted.
    pub(crate) async fn subscribe(&mut self, filter: &str, qos: u8) {
        self.send(&subscribe_v3(100, filter, qos)).await;
        assert_eq!(self.expect(0x90).await, [0, 100, qos]);
    }

    pub(crate) async fn subscribe_5(&mut self, filter: &str, options: u8) {
        self.send(&subscribe_v5(100, filter, options, &[])).await;
        assert_eq!(self.expect(0x90).await, [0, 100, 0, options & 3]);
    }

    /// The next packet, which is a PUBLISH of MQTT 3.1.1.
    pub(crate) async fn arrived(&mut self) -> Arrived {
        self.arrived_in(4).await
    }

    /// The next packet, which is a PUBLISH of MQTT 5.
    pub(crate) async fn arrived_5(&mut self) -> Arrived {
        self.arrived_in(5).await
    }

    async fn arrived_in(&mut self, level: u8) -> Arrived {
        let (first, body) = self.packet().await.expect("the broker closed the connection");
        assert_eq!(first >> 4, 3, "not a PUBLISH: {first:#x} {body:?}");
        let mut rest = body.as_slice();
        let length = usize::from(rest.get_u16());
        let topic = String::from_utf8(rest[..length].to_vec()).unwrap();
        rest.advance(length);
        let id = if first & 6 == 0 { 0 } else { rest.get_u16() };
        let mut properties = Vec::new();
        if level == 5 {
            let length = usize::from(rest.get_u8());
            properties = rest[..length].to_vec();
            rest.advance(length);
        }
        Arrived { flags: first & 0x0F, topic, id, properties, payload: rest.to_vec() }
    }

    /// Topic and payload of the next PUBLISH of MQTT 3.1.1, which is acknowledged when it has QoS 1.
    pub(crate) async fn message(&mut self) -> (String, Vec<u8>) {
        let arrived = self.arrived().await;
        if arrived.qos() == 1 {
            self.send(&packet(0x40, &arrived.id.to_be_bytes())).await;
        }
        (arrived.topic, arrived.payload)
    }

    /// Asserts that nothing is waiting: a PINGRESP is the very next packet.
    pub(crate) async fn assert_silent(&mut self) {
        self.send(&PING).await;
        assert_eq!(self.expect(0xD0).await, [] as [u8; 0]);
    }

    /// Cuts the connection without a word.
    pub(crate) fn cut(self) {
        drop(self);
    }

    pub(crate) async fn goodbye(mut self) {
        self.send(&GOODBYE).await;
        self.expect_closed().await;
    }
}

// === rumqttc ===

/// A client of `rumqttc` whose event loop runs in a task.
pub(crate) struct Client {
    pub(crate) client: AsyncClient,
    events: mpsc::Receiver<Result<Event, String>>,
}

impl Client {
    fn start(addr: SocketAddr, user: &str) -> Self {
        let mut options = MqttOptions::new(format!("{user}-{}", fresh()), addr.ip().to_string(), addr.port());
        options.set_credentials(user, user);
        options.set_max_packet_size(256 * 1024, 256 * 1024);
        Self::with(options)
    }

    pub(crate) fn with(options: MqttOptions) -> Self {
        let (client, mut eventloop) = AsyncClient::new(options, 1_000);
        let (sender, events) = mpsc::channel(100_000);
        tokio::spawn(async move {
            loop {
                let event = eventloop.poll().await.map_err(|error| error.to_string());
                let is_over = event.is_err();
                if sender.send(event).await.is_err() || is_over {
                    return;
                }
            }
        });
        Self { client, events }
    }

    pub(crate) async fn next(&mut self) -> Result<Event, String> {
        timeout(PATIENCE, self.events.recv()).await.expect("nothing happened in time").expect("the client ended")
    }

    pub(crate) async fn until(&mut self, wanted: impl Fn(&Packet) -> bool) -> Packet {
        loop {
            if let Event::Incoming(packet) = self.next().await.unwrap()
                && wanted(&packet)
            {
                return packet;
            }
        }
    }

    pub(crate) async fn subscribe(&mut self, filter: &str, qos: QoS) {
        self.client.subscribe(filter, qos).await.unwrap();
        self.until(|packet| matches!(packet, Packet::SubAck(_))).await;
    }

    pub(crate) async fn message(&mut self) -> Publish {
        match self.until(|packet| matches!(packet, Packet::Publish(_))).await {
            Packet::Publish(publish) => publish,
            _ => unreachable!("filtered above"),
        }
    }
}
