//! An OCPP charger's WebSocket.

use super::{Backoff, CONNECT_MAX, Ended, Handle, Link, Port, Wire, wire};
use crate::world::{DeviceInput, DeviceOutput};
use futures_util::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Where an OCPP charger connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcppClientConfig {
    /// Address without the identity, such as `ws://127.0.0.1:8887/ocpp`.
    pub url: String,
    /// Identity, the last part of the address.
    pub id: String,
}

/// A charger's client: connects, reconnects and carries frames until it is dropped.
#[derive(Debug)]
pub struct OcppClient {
    handle: Handle,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl OcppClient {
    /// Starts the client on the current runtime.
    #[must_use]
    pub fn start(config: OcppClientConfig, port: Arc<dyn Port>) -> Self {
        let (handle, wire) = wire(port);
        tokio::spawn(run(config, wire));
        Self { handle }
    }

    /// Breaks, mends or ends the link.
    pub fn set_link(&self, link: Link) {
        self.handle.link.send_replace(link);
    }

    /// Gives an output the machine made on its own; it is lost when the link takes nothing.
    pub fn push(&self, output: DeviceOutput) {
        if self.handle.outputs.try_send(output).is_err() {
            tracing::debug!("a virtual charger's link takes nothing");
        }
    }
}

impl Drop for OcppClient {
    fn drop(&mut self) {
        self.set_link(Link::Gone);
    }
}

async fn run(config: OcppClientConfig, mut wire: Wire) {
    let mut backoff = Backoff::new();
    while wire.intact().await {
        let ended = match connect(&config).await {
            Ok(socket) => {
                wire.drop_stale();
                carry(socket, &mut wire).await;
                let _nothing_to_send = wire.port.handle(DeviceInput::LinkDown);
                Ended::Lost
            }
            Err(error) => {
                tracing::debug!(%error, charger = config.id, "a virtual charger could not connect");
                Ended::Refused
            }
        };
        backoff.pause(ended).await;
    }
}

async fn connect(config: &OcppClientConfig) -> Result<Socket, Error> {
    let mut request = format!("{}/{}", config.url, config.id).into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("ocpp1.6"));
    let connecting = tokio::time::timeout(CONNECT_MAX, connect_async(request));
    match connecting.await {
        Ok(connected) => connected.map(|(socket, _response)| socket),
        Err(_elapsed) => Err(Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

/// Carries frames until the link is cut or either side closes.
async fn carry(mut socket: Socket, wire: &mut Wire) {
    let mut outputs = wire.port.handle(DeviceInput::LinkUp);
    loop {
        for output in std::mem::take(&mut outputs) {
            let sent = match output {
                DeviceOutput::Text(text) => socket.send(Message::text(text)).await,
                DeviceOutput::Close => {
                    // Whether the goodbye arrives changes nothing: the link ends here.
                    let _unheard = socket.close(None).await.is_err();
                    return;
                }
                DeviceOutput::Publish { .. } => Ok(()),
            };
            if sent.is_err() {
                return;
            }
        }
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    outputs = wire.port.handle(DeviceInput::Received(text.as_bytes()));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            },
            output = wire.outputs.recv() => match output {
                Some(output) => outputs.push(output),
                None => return,
            },
            () = Wire::cut(&mut wire.link) => return,
        }
    }
}
