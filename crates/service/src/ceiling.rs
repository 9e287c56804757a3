//! A bare responder: each text is kept durably, then acknowledged. What a whole service is compared with.

use crate::error::StartError;
use futures_util::{SinkExt as _, StreamExt as _};
use std::path::Path;
use store::BareLog;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// Answers every OCPP request with an empty result once it is on the disk, for ever; only for measuring.
///
/// # Errors
/// When the folder takes no records.
pub async fn ceiling(listener: TcpListener, dir: &Path) -> Result<(), StartError> {
    let log = BareLog::open(dir).await.map_err(|error| crate::beginning::store_error(dir, error))?;
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let log = log.clone();
        drop(tokio::spawn(async move {
            if let Err(error) = answer(stream, log).await {
                tracing::debug!(%error, "a connection of the bench ended");
            }
        }));
    }
}

/// The signature is the library's.
#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the callback of the library")]
fn echo(_request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("ocpp1.6"));
    Ok(response)
}

async fn answer(stream: TcpStream, log: BareLog) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    stream.set_nodelay(true).map_err(tokio_tungstenite::tungstenite::Error::Io)?;
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, echo).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let id = text.as_str().split(',').nth(1).unwrap_or("\"\"").to_owned();
        if log.keep(text.as_str().to_owned()).await.is_ok() {
            socket.send(Message::text(format!("[3,{id},{{}}]"))).await?;
        }
    }
    Ok(())
}
