//! The server's side of a WebSocket, for chargers: the library's, that forgives what chargers in the field send.
//!
//! The library ends the connection for one byte that is no UTF-8 in the number of a card, and the charger would come back
//! with the same message for ever. So text reaches the library as binary, and such a byte becomes a replacement character
//! here.

use futures_util::{SinkExt as _, StreamExt as _};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// What is read at once: the library's own 128 kB would be most of what a connected charger costs, and real messages
/// are a few kB long.
const READ_BYTES: usize = 1024;

/// What is written together at most.
const WRITE_BYTES: usize = 16 * 1024;

/// Longest reason of a goodbye, from RFC 6455.
const REASON_BYTES_MAX: usize = 123;

/// Kinds of frames (RFC 6455, 5.2) in the low bits of the first byte.
const KIND: u8 = 0x0f;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;

/// What the other side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A message; binary ones are text, too, since some chargers mix them up.
    Text(String),
    /// It is there.
    Alive,
    /// It says goodbye.
    Close,
}

/// Why nothing more can be heard.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection ended without a goodbye.
    Ended,
    /// The connection failed.
    Io(io::Error),
    /// A message is longer than allowed.
    TooLong,
    /// A rule of the protocol is broken; which one.
    Protocol(String),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Ended,
            Error::Io(error) => Self::Io(error),
            Error::Capacity(_) => Self::TooLong,
            other => Self::Protocol(other.to_string()),
        }
    }
}

/// A WebSocket after its handshake.
pub(super) struct WebSocket<S>(WebSocketStream<TextAsBinary<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Goes on after the handshake; `read` is what arrived behind it.
    pub(super) async fn new(stream: S, mut read: Vec<u8>, message_bytes_max: usize) -> Self {
        let mut stream = TextAsBinary { stream, at: At::Begin };
        stream.pass(&mut read);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(WRITE_BYTES)
            .max_write_buffer_size(usize::MAX)
            .max_message_size(Some(message_bytes_max))
            .max_frame_size(Some(message_bytes_max))
            .accept_unmasked_frames(true);
        Self(WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await)
    }

    /// The next thing the other side says; pings are answered. Nothing is lost when this is dropped before it is ready.
    pub(super) async fn hear(&mut self) -> Result<Heard, Broken> {
        match self.0.next().await {
            Some(Ok(Message::Binary(bytes))) => Ok(Heard::Text(text(bytes.into()))),
            Some(Ok(Message::Text(text))) => Ok(Heard::Text(text.as_str().to_owned())),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(Heard::Alive),
            Some(Ok(Message::Close(_))) => Ok(Heard::Close),
            Some(Err(error)) => Err(error.into()),
            None => Err(Broken::Ended),
        }
    }

    /// Sends texts in one go.
    pub(super) async fn say(&mut self, texts: Vec<String>) -> io::Result<()> {
        for text in texts {
            self.0.feed(Message::text(text)).await.map_err(write_error)?;
        }
        self.0.flush().await.map_err(write_error)
    }

    /// Asks whether the other side is there.
    pub(super) async fn ping(&mut self) -> io::Result<()> {
        self.0.send(Message::Ping(Vec::new().into())).await.map_err(write_error)
    }

    /// Says goodbye with a code and a reason, of which as much is sent as fits.
    pub(super) async fn close(&mut self, code: CloseCode, reason: &str) -> io::Result<()> {
        let end = reason.floor_char_boundary(REASON_BYTES_MAX);
        let reason = reason.get(..end).unwrap_or_default().into();
        self.0.close(Some(CloseFrame { code, reason })).await.map_err(write_error)
    }

    /// Ends the stream.
    pub(super) async fn shut(&mut self) -> io::Result<()> {
        self.0.get_mut().stream.shutdown().await
    }
}

fn write_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::BrokenPipe.into(),
        other => io::Error::other(other),
    }
}

/// The text of a message; what is no UTF-8 becomes replacement characters.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A stream whose incoming text frames say that they are binary ones.
struct TextAsBinary<S> {
    stream: S,
    at: At,
}

/// Where in a frame (RFC 6455, 5.2) the next byte is.
#[derive(Clone, Copy)]
enum At {
    /// Its first byte.
    Begin,
    /// The byte with the mask's bit and the length.
    Length,
    /// A longer length: bytes of it still to come, its value so far, bytes of the mask.
    Longer { left: u8, value: u64, mask: u64 },
    /// The mask and the payload: bytes still to come.
    Inside(u64),
}

impl<S> TextAsBinary<S> {
    /// Looks at bytes as they come and changes the kind of text frames.
    fn pass(&mut self, mut bytes: &mut [u8]) {
        while let Some((byte, rest)) = std::mem::take(&mut bytes).split_first_mut() {
            bytes = rest;
            self.at = match self.at {
                At::Begin => {
                    if *byte & KIND == TEXT {
                        *byte = *byte & !KIND | BINARY;
                    }
                    At::Length
                }
                At::Length => {
                    let mask = if *byte & 0x80 == 0 { 0 } else { 4 };
                    match *byte & 0x7f {
                        126 => At::Longer { left: 2, value: 0, mask },
                        127 => At::Longer { left: 8, value: 0, mask },
                        length => At::inside(u64::from(length) + mask),
                    }
                }
                At::Longer { left, value, mask } => {
                    let value = value << 8 | u64::from(*byte);
                    match left {
                        0 | 1 => At::inside(value.saturating_add(mask)),
                        left => At::Longer { left: left - 1, value, mask },
                    }
                }
                At::Inside(left) => {
                    let more = usize::try_from(left - 1).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.split_at_mut(more).1;
                    At::inside(left - 1 - more as u64)
                }
            };
        }
    }
}

impl At {
    const fn inside(left: u64) -> Self {
        if left == 0 { Self::Begin } else { Self::Inside(left) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TextAsBinary<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if let Some(news) = buffer.filled_mut().get_mut(before..) {
            self.pass(news);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TextAsBinary<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    async fn hears(bytes: &[u8]) -> Result<Heard, Broken> {
        let (near, mut far) = tokio::io::duplex(64 * 1024);
        far.write_all(bytes).await.unwrap();
        drop(far);
        WebSocket::new(near, Vec::new(), 1000).await.hear().await
    }

    /// A client and this end understand each other: texts of every length class, pings, a goodbye.
    #[tokio::test]
    async fn speaks_with_a_client() {
        let (near, far) = tokio::io::duplex(256 * 1024);
        let mut far = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let mut near = WebSocket::new(near, Vec::new(), 200_000).await;
        for length in [0, 1, 125, 126, 65_535, 65_536, 150_000] {
            let text = "ä".repeat(length / 2) + &"x".repeat(length % 2);
            far.send(Message::text(text.clone())).await.unwrap();
            assert_eq!(near.hear().await.unwrap(), Heard::Text(text.clone()), "{length}");
            near.say(vec![text.clone()]).await.unwrap();
            assert_eq!(far.next().await.unwrap().unwrap(), Message::text(text), "{length}");
        }
        near.say(vec!["a".to_owned(), "b".to_owned()]).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), Message::text("a"));
        assert_eq!(far.next().await.unwrap().unwrap(), Message::text("b"));
        far.send(Message::Ping(b"here?".to_vec().into())).await.unwrap();
        assert_eq!(near.hear().await.unwrap(), Heard::Alive);
        near.ping().await.unwrap();
        let mut answers = [far.next().await.unwrap().unwrap(), far.next().await.unwrap().unwrap()];
        answers.sort_by_key(Message::is_ping);
        assert_eq!(answers, [Message::Pong(b"here?".to_vec().into()), Message::Ping(Vec::new().into())]);
        near.close(CloseCode::Policy, &"ö".repeat(100)).await.unwrap();
        let Some(Ok(Message::Close(Some(frame)))) = far.next().await else { panic!("no goodbye") };
        assert_eq!(frame.reason.as_str(), "ö".repeat(61));
    }

    /// Bytes that are no UTF-8, frames without a mask, fragments around a ping and binary messages are understood.
    #[tokio::test]
    async fn understands_what_chargers_send() {
        assert_eq!(hears(b"\x81\x03a\xffb").await.unwrap(), Heard::Text("a\u{fffd}b".to_owned()));
        assert_eq!(hears(b"\x82\x02ab").await.unwrap(), Heard::Text("ab".to_owned()));
        assert_eq!(hears(b"\x81\x82\x01\x02\x03\x04\x60\x60").await.unwrap(), Heard::Text("ab".to_owned()));
        let (near, mut far) = tokio::io::duplex(100);
        far.write_all(b"\x01\x01\xc3\x89\x00\x80\x01\xa4").await.unwrap();
        let mut near = WebSocket::new(near, Vec::new(), 1000).await;
        assert_eq!(near.hear().await.unwrap(), Heard::Alive);
        assert_eq!(near.hear().await.unwrap(), Heard::Text("ä".to_owned()), "a letter across two fragments");
    }

    /// What breaks the protocol, is too long or ends early is told apart.
    #[tokio::test]
    async fn faults_are_told_apart() {
        for bytes in [&b"\xc1\x00"[..], b"\x80\x00", b"\x09\x00", b"\x83\x00", b"\x01\x00\x81\x00"] {
            assert!(matches!(hears(bytes).await, Err(Broken::Protocol(_))), "{bytes:?}");
        }
        assert!(matches!(hears(b"\x81\x7e\x03\xe9").await, Err(Broken::TooLong)));
        assert!(matches!(hears(b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff").await, Err(Broken::TooLong)));
        assert!(matches!(hears(b"\x81\x05ab").await, Err(Broken::Ended)));
        let fragments = [&b"\x01\x7e\x03\xe8"[..], &[b'x'; 1000], b"\x80\x01x"].concat();
        assert!(matches!(hears(&fragments).await, Err(Broken::TooLong)), "fragments count together");
    }

    proptest! {
        /// No bytes make it panic, and cutting them anywhere changes nothing about what is heard.
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 0_usize..60) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let cut = cut.min(bytes.len());
            let heard = |first: Vec<u8>, second: Vec<u8>| runtime.block_on(async move {
                let (near, mut far) = tokio::io::duplex(1000);
                far.write_all(&second).await.unwrap();
                drop(far);
                let mut near = WebSocket::new(near, first, 1000).await;
                let mut all = Vec::new();
                while let Ok(heard) = near.hear().await {
                    all.push(heard);
                }
                all
            });
            let (first, second) = bytes.split_at(cut);
            prop_assert_eq!(heard(first.to_vec(), second.to_vec()), heard(Vec::new(), bytes.clone()));
        }
    }
}
