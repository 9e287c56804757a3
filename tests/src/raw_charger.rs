//! A charger without any rules: sends whatever text a test wants, on a real WebSocket.

use crate::wait::{DEADLINE, until};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// How long one look at the socket may take.
const LOOK: Duration = Duration::from_millis(50);

/// A raw OCPP-J client.
pub struct RawCharger {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    /// Frames that arrived while waiting for others.
    inbox: VecDeque<Value>,
}

impl RawCharger {
    /// Connects with the subprotocol `ocpp1.6`.
    #[must_use]
    pub fn connect(url: &str) -> Self {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
        let (socket, _response) = tungstenite::connect(request).unwrap_or_else(|error| panic!("{url}: {error}"));
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(LOOK)).unwrap();
            stream.set_write_timeout(Some(DEADLINE)).unwrap();
        }
        Self { socket, next_id: 0, inbox: VecDeque::new() }
    }

    /// Sends a text as it is.
    pub fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// Sends a request and returns its number.
    pub fn send(&mut self, action: &str, payload: Value) -> String {
        self.next_id += 1;
        let id = format!("t{}", self.next_id);
        self.send_text(&json!([2, id, action, payload]).to_string());
        id
    }

    /// Sends a request and waits for its answer, accepting whatever is asked meanwhile; fails on a CALLERROR.
    #[track_caller]
    pub fn call(&mut self, action: &str, payload: Value) -> Value {
        let id = self.send(action, payload);
        let frame = self.wait(&format!("the answer to {action}"), |frame| frame[1] == id.as_str() && frame[0] != 2);
        assert_eq!(frame[0], 3, "{action} was refused: {frame}");
        frame[2].clone()
    }

    /// Waits for a frame; requests that arrive are answered with `Accepted` and can be waited for too.
    #[track_caller]
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(what, || {
            if let Some(index) = self.inbox.iter().position(&wanted) {
                return self.inbox.remove(index);
            }
            let frame = self.look()?;
            self.inbox.push_back(frame);
            None
        })
    }

    /// Answers requests that arrived, without waiting for more.
    pub fn serve(&mut self) {
        while let Some(frame) = self.look() {
            self.inbox.push_back(frame);
        }
    }

    /// Whether the other side closed.
    #[track_caller]
    pub fn wait_closed(&mut self) {
        until("the connection to close", || match self.socket.read() {
            Ok(Message::Close(_)) => Some(()),
            Ok(_) => None,
            Err(tungstenite::Error::Io(error)) if is_timeout(&error) => None,
            Err(_) => Some(()),
        });
    }

    fn look(&mut self) -> Option<Value> {
        match self.socket.read() {
            Ok(Message::Text(text)) => {
                let frame: Value = serde_json::from_str(text.as_str()).expect("the service sends JSON");
                if frame[0] == 2 {
                    let answer = json!([3, frame[1], answer_to(frame[2].as_str().unwrap_or_default())]);
                    self.send_text(&answer.to_string());
                }
                Some(frame)
            }
            Ok(_) => None,
            Err(tungstenite::Error::Io(error)) if is_timeout(&error) => None,
            Err(error) => panic!("the connection of the charger broke: {error}"),
        }
    }
}

fn answer_to(action: &str) -> Value {
    match action {
        "GetConfiguration" => json!({"configurationKey": [], "unknownKey": []}),
        "UnlockConnector" => json!({"status": "Unlocked"}),
        _ => json!({"status": "Accepted"}),
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}
