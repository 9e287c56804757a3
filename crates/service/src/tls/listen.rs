//! Accepting TLS connections: a task and a time limit for each handshake, so that nobody waits for a stranger.

use super::failure;
use api::RefusalCode;
use rustls::ServerConfig;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Time a handshake may take; small processors in chargers need seconds for theirs.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(15);

/// Handshakes under way at once: two thousand chargers that come back in the same second, and some room.
const HANDSHAKES_MAX: usize = 2560;

/// Of them from one address: all chargers may sit behind one translator, but one address never takes every place.
const FROM_ONE_ADDRESS_MAX: usize = 2304;

/// Streams that shook hands and wait to be taken; they are taken at once.
const READY_MAX: usize = 64;

/// A stream that shook hands.
pub(crate) type Secured = TlsStream<TcpStream>;

/// Where ready streams come from.
pub(crate) type TlsIncoming = mpsc::Receiver<(Secured, SocketAddr)>;

/// Tells about a handshake that failed.
pub(crate) type Failed = Arc<dyn Fn(SocketAddr, RefusalCode, String) + Send + Sync>;

/// Shakes hands on `listener` until the drain; what succeeds comes out of the receiver, what fails is told to `failed`.
pub(crate) fn listen(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    failed: Failed,
    drain: watch::Receiver<bool>,
) -> (TlsIncoming, impl Future<Output = ()> + Send) {
    let (ready, incoming) = mpsc::channel(READY_MAX);
    (incoming, accept(listener, TlsAcceptor::from(config), failed, drain, ready))
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    failed: Failed,
    mut drain: watch::Receiver<bool>,
    ready: mpsc::Sender<(Secured, SocketAddr)>,
) {
    let slots = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    let places = Places::default();
    let mut handshakes = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_ended) = handshakes.join_next() => continue,
            () = crate::drain::drained(&mut drain) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles: waiting is all one can do.
                tracing::warn!(%error, "a TLS connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let (Ok(slot), Some(place)) = (Arc::clone(&slots).try_acquire_owned(), places.take(peer.ip())) else {
            failed(peer, RefusalCode::TooManyConnections, String::new());
            continue;
        };
        let (acceptor, failed, ready) = (acceptor.clone(), Arc::clone(&failed), ready.clone());
        handshakes.spawn(async move {
            match shake(&acceptor, stream).await {
                // Nobody takes it when the program ends.
                Ok(secured) => drop(ready.send((secured, peer)).await),
                Err(Some((code, about))) => failed(peer, code, about),
                Err(None) => tracing::debug!(%peer, "a connection ended before it began"),
            }
            drop((slot, place));
        });
    }
    handshakes.shutdown().await;
}

/// `None` as the reason for one who never said a word, such as a scan of ports.
pub(crate) async fn shake(acceptor: &TlsAcceptor, stream: TcpStream) -> Result<Secured, Option<(RefusalCode, String)>> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may be delayed by Nagle's algorithm");
    }
    match first_byte(&stream).await {
        Ok(Some(_byte)) => {}
        Ok(None) => return Err(None),
        Err(Silent) => return Err(Some((RefusalCode::TlsSilent, String::new()))),
    }
    match timeout(HANDSHAKE_WAIT, acceptor.accept(stream)).await {
        Ok(Ok(secured)) => Ok(secured),
        Ok(Err(error)) => Err(Some(failure::code(&error))),
        Err(_elapsed) => Err(Some((RefusalCode::TlsSlow, String::new()))),
    }
}

/// Nothing came in time.
pub(crate) struct Silent;

/// The first byte that arrives, which stays to be read; `None` where the connection ends before.
pub(crate) async fn first_byte(stream: &TcpStream) -> Result<Option<u8>, Silent> {
    let mut first = [0; 1];
    match timeout(HANDSHAKE_WAIT, stream.peek(&mut first)).await {
        Ok(Ok(1..)) => Ok(first.first().copied()),
        Ok(Ok(0) | Err(_)) => Ok(None),
        Err(_elapsed) => Err(Silent),
    }
}

/// Handshakes under way by address.
#[derive(Clone, Default)]
struct Places(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    fn take(&self, address: IpAddr) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_insert(0);
        if *count >= FROM_ONE_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}
