//! One task per socket: text in to the engine, text out from the engine, pings, the idle limit.

use super::head::{self, HEAD_BYTES_MAX, Refusal};
use super::web_socket::{Broken, Heard, WebSocket};
use crate::access::{Access, Denied};
use crate::connections::{Connections, Note};
use crate::engine::Happened;
use crate::tls::{Certificates, Standing, TlsIncoming};
use api::RefusalCode;
use central_system::Version;
use domain::{ChargerId, Clock, Protocol};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

/// Sockets open at once: two thousand chargers, each of which may come back before its old socket is gone.
const SOCKETS_MAX: usize = 4096;

/// Time a charger has to send its request head; mobile links are slow.
const HEAD_WAIT: Duration = Duration::from_secs(15);

/// Texts waiting for one charger's socket. A charger has one request outstanding, so more means it stalls.
const OUTGOING_MAX: usize = 128;

/// Largest message: a full configuration or a day of meter values stays below 200 kB.
const MESSAGE_BYTES_MAX: usize = 512 * 1024;

/// Texts written in one go.
const TOGETHER: usize = 16;

/// Codes of a goodbye, from RFC 6455: an answer to one, the program ends, a rule of the protocol was broken, a message is too long, and
/// all else.
const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const PROTOCOL_ERROR: u16 = 1002;
const POLICY: u16 = 1008;
const TOO_BIG: u16 = 1009;

/// Pings keep address translators awake; some chargers never answer them, which is no fault.
const PING_EVERY: Duration = Duration::from_secs(45);

/// Silence after which a socket is dead: three heartbeats of 300 s and a little more.
const IDLE_MAX: Duration = Duration::from_secs(960);

/// Time a write may take before the socket counts as dead: the other side reads nothing.
const WRITE_WAIT: Duration = Duration::from_secs(20);

/// Why a connection ended that the drain ended.
const ENDS: &str = "The program ends";

/// First byte of a TLS handshake.
const TLS_RECORD: u8 = 0x16;

/// What the engine tells a socket.
#[derive(Debug)]
pub(crate) enum ToSocket {
    /// Send this text.
    Text(String),
    /// Say goodbye.
    Close(String),
}

/// What every socket needs.
#[derive(Clone)]
pub(crate) struct Carrier {
    /// Where frames go.
    pub(crate) engine: mpsc::Sender<Happened>,
    /// Who is connected.
    pub(crate) connections: Connections,
    /// For the times in that list.
    pub(crate) clock: Arc<dyn Clock>,
    /// Becomes `true` when everything ends.
    pub(crate) drain: watch::Receiver<bool>,
    /// Numbers the sockets; the newest of a charger wins.
    pub(crate) generations: Arc<AtomicU64>,
    /// Which proof a charger must bring.
    pub(crate) access: Access,
    /// Places for sockets, with and without TLS together.
    pub(crate) slots: Slots,
}

/// Places for sockets.
#[derive(Clone)]
pub(crate) struct Slots(Arc<Semaphore>);

impl Default for Slots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SOCKETS_MAX)))
    }
}

/// How a socket came about.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Its network address.
    pub(crate) peer: SocketAddr,
    /// What TLS proved; `None` without TLS.
    pub(crate) tls: Option<Proof>,
}

/// What TLS proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The line is private; the charger showed no certificate.
    Private,
    /// The charger showed a certificate that our authority made for it.
    Certificate(ChargerId),
}

/// Accepts chargers without TLS until the drain.
pub(crate) async fn listen(listener: TcpListener, carrier: Carrier) {
    let mut drain = carrier.drain.clone();
    let mut sockets = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = crate::drain::drained(&mut drain) => break,
            Some(_ended) = sockets.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "answers may be delayed by Nagle's algorithm");
                }
                carrier.begin(&mut sockets, stream, Link { peer, tls: None });
            }
            Err(error) => {
                // Out of file handles: waiting is all one can do.
                tracing::warn!(%error, "a charger's connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    while sockets.join_next().await.is_some() {}
}

/// Takes chargers that shook hands until the drain.
pub(crate) async fn listen_tls(mut incoming: TlsIncoming, certificates: Certificates, carrier: Carrier) {
    let mut drain = carrier.drain.clone();
    let mut sockets = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = incoming.recv() => accepted,
            () = crate::drain::drained(&mut drain) => break,
            Some(_ended) = sockets.join_next() => continue,
        };
        let Some((stream, peer)) = accepted else { break };
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let proof = match shown.map(|certificate| certificates.chargers().standing(certificate)) {
            Some(Standing::Valid(charger)) => Proof::Certificate(charger),
            // Revoked since the handshake; what is demanded of the charger decides.
            Some(Standing::Revoked | Standing::Unknown) | None => Proof::Private,
        };
        carrier.begin(&mut sockets, stream, Link { peer, tls: Some(proof) });
    }
    while sockets.join_next().await.is_some() {}
}

async fn serve<S: Socket>(mut stream: S, link: Link, carrier: Carrier) {
    let peer = link.peer;
    let (head, rest) = match timeout(HEAD_WAIT, read_head(&mut stream)).await {
        Ok(Ok((None, rest))) if rest.first() == Some(&TLS_RECORD) => {
            return carrier.refused(peer, &Refusal::new("", RefusalCode::TlsOnPlainPort));
        }
        Ok(Ok(read)) => read,
        Ok(Err(error)) => return tracing::debug!(%error, "the connection ended before a request"),
        Err(_elapsed) => return tracing::debug!("no request arrived in time"),
    };
    let accepted = match head.as_ref().map_or_else(
        || {
            Err(Refusal {
                status: "431 Request Header Fields Too Large",
                ..Refusal::new("", RefusalCode::RequestTooLong)
            })
        },
        |head| carrier.accept(head, peer),
    ) {
        Ok(accepted) => accepted,
        Err(refusal) => return carrier.refuse(&mut stream, peer, &refusal).await,
    };
    if let Err(refusal) = carrier.judge(&accepted, &link).await {
        return carrier.refuse(&mut stream, peer, &refusal).await;
    }
    if let Err(error) = stream.write_all(accepted.response.as_bytes()).await {
        return tracing::debug!(%error, "the charger left during the handshake");
    }
    tracing::Span::current().record("charger", accepted.charger.as_str());
    let socket = WebSocket::new(stream, rest, MESSAGE_BYTES_MAX);
    carry(socket, (accepted.charger, accepted.version), peer, carrier).await;
}

/// The head and what followed it; no head when it is too long.
async fn read_head<S: Socket>(stream: &mut S) -> std::io::Result<(Option<head::Head>, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if let Some((head, rest)) = head::split(&bytes) {
            return Ok((Some(head), rest.to_vec()));
        }
        if bytes.len() > HEAD_BYTES_MAX || bytes.first() == Some(&TLS_RECORD) {
            return Ok((None, bytes));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn carry<S: Socket>(
    mut socket: WebSocket<S>,
    (charger, version): (ChargerId, Version),
    peer: SocketAddr,
    carrier: Carrier,
) {
    let generation = carrier.generations.fetch_add(1, Ordering::Relaxed);
    let (sender, outgoing) = mpsc::channel(OUTGOING_MAX);
    let address = peer.to_string();
    carrier.connections.note(Note {
        device: charger.as_str(),
        protocol: Protocol::Ocpp16,
        peer,
        at: carrier.clock.now().wall,
        refusal: None,
        about: "",
    });
    let opened = Happened::OcppOpened { charger: charger.clone(), version, generation, sender };
    if carrier.engine.send(opened).await.is_err() {
        return;
    }
    tracing::info!(generation, "charger connected");
    let why = exchange(&mut socket, &charger, generation, outgoing, &carrier).await;
    tracing::info!(generation, why, "charger disconnected");
    carrier.connections.gone(charger.as_str(), Protocol::Ocpp16, &address, carrier.clock.now().wall, &why);
    if carrier.engine.send(Happened::OcppClosed { charger, generation }).await.is_err() {
        tracing::debug!("the engine ended first");
    }
    drop(timeout(Duration::from_secs(2), socket.shut()).await);
}

/// Carries until one side ends; says which and why.
async fn exchange<S: Socket>(
    socket: &mut WebSocket<S>,
    charger: &ChargerId,
    generation: u64,
    mut outgoing: mpsc::Receiver<ToSocket>,
    carrier: &Carrier,
) -> String {
    let mut drain = carrier.drain.clone();
    let mut heard = Instant::now();
    let mut ping = tokio::time::interval_at(heard + PING_EVERY, PING_EVERY);
    loop {
        tokio::select! {
            incoming = socket.hear() => {
                heard = Instant::now();
                match incoming {
                    Ok(Heard::Text(text)) => {
                        let frame = Happened::OcppFrame { charger: charger.clone(), generation, text };
                        if carrier.engine.send(frame).await.is_err() {
                            return ENDS.to_owned();
                        }
                    }
                    Ok(Heard::Ping(payload)) => {
                        if let Err(words) = written(socket.pong(&payload)).await {
                            return words;
                        }
                    }
                    Ok(Heard::Pong) => {}
                    Ok(Heard::Close) => {
                        drop(written(socket.close(NORMAL, "")).await);
                        return "The charger closed the connection".to_owned();
                    }
                    Err(broken) => return ended(socket, broken).await,
                }
            },
            message = outgoing.recv() => {
                let (texts, closing) = gathered(message, &mut outgoing);
                if !texts.is_empty() && let Err(words) = written(socket.say(&texts)).await {
                    return words;
                }
                if let Some(reason) = closing {
                    drop(written(socket.close(POLICY, &reason)).await);
                    return reason;
                }
            },
            _ = ping.tick() => {
                if heard.elapsed() > IDLE_MAX {
                    return format!("Nothing was heard for {} s; check the charger's network", IDLE_MAX.as_secs());
                }
                if let Err(words) = written(socket.ping()).await {
                    return words;
                }
            },
            () = crate::drain::drained(&mut drain) => {
                drop(written(socket.close(GOING_AWAY, "Meshwatt ends")).await);
                return ENDS.to_owned();
            },
        }
    }
}

/// What waits for the socket: texts, and why it ends where it does. `None` is the end of the engine's interest.
fn gathered(first: Option<ToSocket>, outgoing: &mut mpsc::Receiver<ToSocket>) -> (Vec<String>, Option<String>) {
    let mut texts = Vec::new();
    let mut next = first;
    loop {
        match next {
            Some(ToSocket::Text(text)) => texts.push(text),
            Some(ToSocket::Close(reason)) => return (texts, Some(reason)),
            None => return (texts, Some("A newer connection of this charger took its place".to_owned())),
        }
        if texts.len() >= TOGETHER {
            return (texts, None);
        }
        next = match outgoing.try_recv() {
            Ok(message) => Some(message),
            Err(mpsc::error::TryRecvError::Empty) => return (texts, None),
            Err(mpsc::error::TryRecvError::Disconnected) => None,
        };
    }
}

/// Waits for a write, but not for a charger that reads nothing.
async fn written(write: impl Future<Output = io::Result<()>>) -> Result<(), String> {
    match timeout(WRITE_WAIT, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(broke(&error)),
        Err(_elapsed) => Err("The charger reads nothing; check its network".to_owned()),
    }
}

/// Ends what can be heard no more, and says why in plain words.
async fn ended<S: Socket>(socket: &mut WebSocket<S>, broken: Broken) -> String {
    match broken {
        // Most chargers end a connection like this; nothing is wrong with them.
        Broken::Ended => "The charger dropped the connection".to_owned(),
        Broken::Io(error) => broke(&error),
        Broken::TooLong => {
            drop(written(socket.close(TOO_BIG, "The message is too long")).await);
            format!("The charger sent a message above {MESSAGE_BYTES_MAX} bytes; lower the size of its messages")
        }
        Broken::Protocol(rule) => {
            drop(written(socket.close(PROTOCOL_ERROR, rule)).await);
            format!("The charger broke the WebSocket protocol: {rule}; update its firmware")
        }
    }
}

fn broke(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "The charger dropped the connection".to_owned()
        }
        _ => format!("The connection broke: {error}"),
    }
}

/// What carries a charger's bytes, with or without TLS.
trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Socket for S {}

impl Carrier {
    /// Decides about a head. A charger that names itself nowhere is listed with the reason, and called by its network
    /// address, so that people can let it in all the same.
    fn accept(&self, head: &head::Head, peer: SocketAddr) -> Result<head::Accepted, Refusal> {
        let accepted = match head::accept(head) {
            Err(refusal) if refusal.code == RefusalCode::NoIdentity => {
                self.refused(peer, &refusal);
                head::accept(&head.named(&format!("ip-{}", peer.ip().to_canonical())))
            }
            decided => decided,
        }?;
        Ok(head::Accepted { charger: self.access.meant(accepted.charger), ..accepted })
    }

    /// Serves a socket in a task of its own, when there is a place for it.
    fn begin<S: Socket>(&self, sockets: &mut tokio::task::JoinSet<()>, stream: S, link: Link) {
        let Ok(slot) = Arc::clone(&self.slots.0).try_acquire_owned() else {
            return self.refused(link.peer, &Refusal::new("", RefusalCode::TooManyConnections));
        };
        let span = tracing::info_span!("ocpp_socket", peer = %link.peer, charger = tracing::field::Empty);
        let carrier = self.clone();
        sockets.spawn(
            async move {
                serve(stream, link, carrier).await;
                drop(slot);
            }
            .instrument(span),
        );
    }

    /// Notes a handshake that failed.
    pub(crate) fn handshake_failed(&self, peer: SocketAddr, code: RefusalCode, about: String) {
        self.refused(peer, &Refusal { about, ..Refusal::new("", code) });
    }

    /// Whether the charger brings the proof that is demanded of it.
    async fn judge(&self, accepted: &head::Accepted, link: &Link) -> Result<(), Refusal> {
        let device = accepted.charger.as_str();
        match self.access.judge(&accepted.charger, accepted.credentials.as_ref(), link).await {
            Ok(_proven) => Ok(()),
            Err(Denied::Proof(code, about)) => Err(Refusal::unproven(device, code, about)),
            Err(Denied::Unavailable) => {
                Err(Refusal { status: "503 Service Unavailable", ..Refusal::new(device, RefusalCode::CannotJudge) })
            }
        }
    }

    async fn refuse<S: Socket>(&self, stream: &mut S, peer: SocketAddr, refusal: &Refusal) {
        self.refused(peer, refusal);
        if let Err(error) = stream.write_all(refusal.response().as_bytes()).await {
            tracing::debug!(%error, "the refusal could not be sent");
        }
        drop(timeout(Duration::from_secs(2), stream.shutdown()).await);
    }

    fn refused(&self, peer: SocketAddr, refusal: &Refusal) {
        tracing::warn!(%peer, words = refusal.words(), device = refusal.device, "connection refused");
        self.connections.note(Note {
            device: &refusal.device,
            protocol: Protocol::Ocpp16,
            peer,
            at: self.clock.now().wall,
            refusal: Some(refusal.code),
            about: &refusal.about,
        });
    }
}
