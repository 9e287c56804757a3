//! Who is at the other end of a connection to the API, with and without TLS.

use crate::tls::{Secured, TlsIncoming};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    address: SocketAddr,
    line: Line,
}

/// Whether others can read along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Without TLS.
    Plain,
    /// With TLS.
    Private,
}

/// Streams that shook hands, as a listener of the web server.
pub(crate) struct SecuredListener {
    incoming: TlsIncoming,
    local: SocketAddr,
}

impl SecuredListener {
    pub(crate) const fn new(incoming: TlsIncoming, local: SocketAddr) -> Self {
        Self { incoming, local }
    }
}

impl Listener for SecuredListener {
    type Io = Secured;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Secured, SocketAddr) {
        match self.incoming.recv().await {
            Some(ready) => ready,
            // The program ends; the server is told so by other means.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.local)
    }
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self { address: *stream.remote_addr(), line: Line::Plain }
    }
}

impl Connected<IncomingStream<'_, SecuredListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, SecuredListener>) -> Self {
        Self { address: *stream.remote_addr(), line: Line::Private }
    }
}

/// Gives handlers the address. A cookie that was given over TLS is never sent without it.
pub(crate) async fn known_peer(mut request: Request, next: Next) -> Response {
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<Peer>>().copied() else {
        return next.run(request).await;
    };
    request.extensions_mut().insert(ConnectInfo(peer.address));
    let mut response = next.run(request).await;
    if peer.line == Line::Private {
        let cookies: Vec<HeaderValue> = response.headers().get_all(header::SET_COOKIE).iter().cloned().collect();
        response.headers_mut().remove(header::SET_COOKIE);
        for cookie in cookies {
            let secured = [cookie.as_bytes(), b"; Secure"].concat();
            response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_bytes(&secured).unwrap_or(cookie));
        }
    }
    response
}
