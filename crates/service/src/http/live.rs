//! The live socket: the whole snapshot at once, then after each change, and the outcomes of commands.

use super::Shared;
use api::LiveMessage;
use axum::extract::ws::{Message, WebSocket};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout};

/// At most four snapshots a second.
const SNAPSHOT_EVERY: Duration = Duration::from_millis(250);

/// A page that reads nothing for this long is gone.
const WRITE_WAIT: Duration = Duration::from_secs(10);

/// Keeps the connection known to be alive.
const PING_EVERY: Duration = Duration::from_secs(30);

/// Talks to one browser until one side ends.
pub(crate) async fn talk(mut socket: WebSocket, shared: Shared) {
    let mut live = shared.live.clone();
    let mut outcomes = shared.outcomes.subscribe();
    let mut drain = shared.drain.clone();
    live.mark_changed();
    let mut next_at = Instant::now();
    let mut ping = tokio::time::interval_at(next_at + PING_EVERY, PING_EVERY);
    loop {
        let message = tokio::select! {
            changed = async {
                tokio::time::sleep_until(next_at).await;
                live.changed().await
            } => {
                if changed.is_err() {
                    break;
                }
                next_at = Instant::now() + SNAPSHOT_EVERY;
                let snapshot = live.borrow_and_update().shown.clone();
                text(&LiveMessage::Snapshot(Box::new(snapshot)))
            }
            outcome = outcomes.recv() => match outcome {
                Ok(state) => text(&LiveMessage::Command(state)),
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => break,
            },
            incoming = socket.recv() => match incoming {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => continue,
            },
            _ = ping.tick() => Message::Ping(Vec::new().into()),
            () = crate::drain::drained(&mut drain) => break,
        };
        match timeout(WRITE_WAIT, socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
    drop(timeout(Duration::from_secs(1), socket.send(Message::Close(None))).await);
}

fn text(message: &LiveMessage) -> Message {
    match serde_json::to_string(message) {
        Ok(json) => Message::Text(json.into()),
        Err(error) => {
            tracing::error!(%error, "a live message could not be written");
            Message::Ping(Vec::new().into())
        }
    }
}
