//! One port for both: a connection that begins with a TLS greeting is private, any other is plain HTTP.
//!
//! A charger that is trusted with TLS on its OCPP line gets `https` addresses, and checks them with the authority it has
//! already; one without gets `http`. So nobody has to choose, and no second port has to be opened.

use crate::tls::{Certificates, Failed, first_byte, shake};
use axum::serve::Listener;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;

/// First byte of a TLS greeting.
const TLS_RECORD: u8 = 0x16;

/// Connections that are not ready yet; a scan of the port must not keep chargers out for long.
const BEGINNING_MAX: usize = 256;

/// Ready connections that wait to be served; they are served at once.
const READY_MAX: usize = 16;

/// A stream of either kind.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}

type Ready = (Pin<Box<dyn Io>>, SocketAddr);

/// Connections that are ready to be served.
pub(super) struct EitherListener {
    ready: mpsc::Receiver<Ready>,
    local: SocketAddr,
}

impl EitherListener {
    /// Accepts on a listener until it is dropped. What fails is told.
    pub(super) fn start(listener: TcpListener, certificates: Certificates, failed: Failed) -> std::io::Result<Self> {
        let local = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(READY_MAX);
        drop(tokio::spawn(accept(listener, certificates, failed, sender)));
        Ok(Self { ready, local })
    }
}

impl Listener for EitherListener {
    type Io = Pin<Box<dyn Io>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Ready {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The program ends; the server is told so by other means.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.local)
    }
}

async fn accept(listener: TcpListener, certificates: Certificates, failed: Failed, ready: mpsc::Sender<Ready>) {
    let places = Arc::new(Semaphore::new(BEGINNING_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ready.closed() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let (certificates, failed, ready) = (certificates.clone(), Arc::clone(&failed), ready.clone());
                drop(tokio::spawn(async move {
                    if let Some(stream) = begin(stream, peer, &certificates, &failed).await {
                        // Nobody takes it when the program ends.
                        drop(ready.send((stream, peer)).await);
                    }
                    drop(place);
                }));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the file server could not be accepted");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn begin(
    stream: TcpStream,
    peer: SocketAddr,
    certificates: &Certificates,
    failed: &Failed,
) -> Option<Pin<Box<dyn Io>>> {
    match first_byte(&stream).await {
        Ok(Some(TLS_RECORD)) => {}
        Ok(Some(_plain)) => return Some(Box::pin(stream)),
        Ok(None) | Err(_) => return None,
    }
    let config = match certificates.server_config(&[b"http/1.1"]).await {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(error = crate::error::chain(&error), "the file server has no certificate");
            return None;
        }
    };
    match shake(&TlsAcceptor::from(config), stream).await {
        Ok(secured) => Some(Box::pin(secured)),
        Err(Some((code, about))) => {
            failed(peer, code, about);
            None
        }
        Err(None) => None,
    }
}
