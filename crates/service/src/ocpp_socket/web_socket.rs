//! The server's side of a WebSocket (RFC 6455), for chargers: it takes what chargers in the field send, and keeps no
//! buffer while nothing is on the way.
//!
//! A library would end the connection for one byte that is no UTF-8 in the number of a card, and the charger would come
//! back with the same message for ever. Here such a byte becomes a replacement character; the rest is as the standard
//! says. Frames without a mask are read, too. Extensions are never agreed to, so reserved bits end the connection.

use bytes::Bytes;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::ready;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// Bytes read at once; they live on the stack only while something arrives.
const READ_BYTES: usize = 4096;

/// Longest payload of a ping, pong or close.
const CONTROL_BYTES_MAX: usize = 125;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// What the other side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A message; binary ones are text, too, since some chargers mix them up.
    Text(String),
    /// It wants a pong with the same bytes.
    Ping(Bytes),
    /// It is there.
    Pong,
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
    Protocol(&'static str),
}

/// A WebSocket after its handshake.
pub(super) struct WebSocket<S> {
    stream: S,
    /// Bytes that arrived and are no whole frame yet.
    incoming: Vec<u8>,
    /// The fragments of a message so far.
    message: Option<Vec<u8>>,
    message_bytes_max: usize,
}

/// A frame's head.
struct Head {
    is_last: bool,
    kind: u8,
    mask: Option<[u8; 4]>,
    /// Where the payload begins and ends.
    payload: std::ops::Range<usize>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Goes on after the handshake; `read` is what arrived behind it.
    pub(super) const fn new(stream: S, read: Vec<u8>, message_bytes_max: usize) -> Self {
        Self { stream, incoming: read, message: None, message_bytes_max }
    }

    /// The next thing the other side says. Nothing is lost when this is dropped before it is ready.
    pub(super) async fn hear(&mut self) -> Result<Heard, Broken> {
        loop {
            while let Some(head) = self.head()? {
                if let Some(heard) = self.take(&head)? {
                    return Ok(heard);
                }
            }
            if self.read().await.map_err(Broken::Io)? == 0 {
                return Err(Broken::Ended);
            }
        }
    }

    /// Sends texts in one go.
    pub(super) async fn say(&mut self, texts: &[String]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(texts.iter().map(|text| text.len() + 10).sum());
        for text in texts {
            put(&mut bytes, TEXT, text.as_bytes());
        }
        self.send(&bytes).await
    }

    /// Asks whether the other side is there.
    pub(super) async fn ping(&mut self) -> io::Result<()> {
        self.control(PING, &[]).await
    }

    /// Answers a ping.
    pub(super) async fn pong(&mut self, payload: &[u8]) -> io::Result<()> {
        self.control(PONG, payload).await
    }

    /// Says goodbye with a code and a reason, of which as much is sent as fits.
    pub(super) async fn close(&mut self, code: u16, reason: &str) -> io::Result<()> {
        let mut payload = code.to_be_bytes().to_vec();
        let room = CONTROL_BYTES_MAX - payload.len();
        let end = (0..=reason.len().min(room)).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
        payload.extend_from_slice(reason.get(..end).unwrap_or_default().as_bytes());
        self.control(CLOSE, &payload).await
    }

    /// Ends the stream.
    pub(super) async fn shut(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    async fn control(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(payload.len() + 2);
        put(&mut bytes, kind, payload);
        self.send(&bytes).await
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    async fn read(&mut self) -> io::Result<usize> {
        poll_fn(|context| {
            let mut bytes = [MaybeUninit::uninit(); READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut bytes);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            self.incoming.extend_from_slice(buffer.filled());
            io::Result::Ok(buffer.filled().len()).into()
        })
        .await
    }

    /// The head of the next frame, once the whole frame is there.
    fn head(&self) -> Result<Option<Head>, Broken> {
        let bytes = &self.incoming;
        let (Some(first), Some(second)) = (bytes.first(), bytes.get(1)) else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Broken::Protocol("reserved bits are set, though no extension was agreed to"));
        }
        let (is_last, kind, is_masked) = (first & 0x80 != 0, first & 0x0f, second & 0x80 != 0);
        let (at, length) = match second & 0x7f {
            126 => match bytes.get(2..4).and_then(|bytes| bytes.try_into().ok()) {
                Some(length) => (4, u64::from(u16::from_be_bytes(length))),
                None => return Ok(None),
            },
            127 => match bytes.get(2..10).and_then(|bytes| bytes.try_into().ok()) {
                Some(length) => (10, u64::from_be_bytes(length)),
                None => return Ok(None),
            },
            length => (2, u64::from(length)),
        };
        if kind >= CLOSE && (!is_last || length > CONTROL_BYTES_MAX as u64) {
            return Err(Broken::Protocol("a control frame is too long or in fragments"));
        }
        let before = self.message.as_ref().map_or(0, Vec::len);
        let length =
            usize::try_from(length).ok().filter(|length| before.saturating_add(*length) <= self.message_bytes_max);
        let length = length.ok_or(Broken::TooLong)?;
        let mask = is_masked.then(|| bytes.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()));
        let (at, mask) = match mask {
            None => (at, None),
            Some(Some(mask)) => (at + 4, Some(mask)),
            Some(None) => return Ok(None),
        };
        let payload = at..at + length;
        Ok((bytes.len() >= payload.end).then_some(Head { is_last, kind, mask, payload }))
    }

    /// Takes a whole frame off the bytes; something when it, or the message it ends, is complete.
    fn take(&mut self, head: &Head) -> Result<Option<Heard>, Broken> {
        let rest = self.incoming.split_off(head.payload.end);
        let mut payload = std::mem::replace(&mut self.incoming, rest);
        drop(payload.drain(..head.payload.start));
        if let Some(mask) = head.mask {
            unmask(&mut payload, mask);
        }
        match head.kind {
            PING => return Ok(Some(Heard::Ping(payload.into()))),
            PONG => return Ok(Some(Heard::Pong)),
            CLOSE => return Ok(Some(Heard::Close)),
            TEXT | BINARY if self.message.is_none() => self.message = Some(payload),
            CONTINUATION => match &mut self.message {
                Some(message) => message.append(&mut payload),
                None => return Err(Broken::Protocol("a message continues that did not begin")),
            },
            TEXT | BINARY => return Err(Broken::Protocol("a message begins before the last one ended")),
            _ => return Err(Broken::Protocol("a frame is of a kind that does not exist")),
        }
        let whole = if head.is_last { self.message.take() } else { None };
        Ok(whole.map(|bytes| Heard::Text(text(bytes))))
    }
}

/// The text of a message; what is no UTF-8 becomes replacement characters.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let (groups, rest) = payload.as_chunks_mut::<4>();
    let key = u32::from_ne_bytes(mask);
    for group in groups {
        *group = (u32::from_ne_bytes(*group) ^ key).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask) {
        *byte ^= key;
    }
}

/// Appends a frame as a server writes it: whole and without a mask.
fn put(bytes: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    bytes.push(0x80 | kind);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => bytes.push(length),
        (_, Ok(length)) => {
            bytes.push(126);
            bytes.extend(length.to_be_bytes());
        }
        (_, Err(_longer)) => {
            bytes.push(127);
            bytes.extend(u64::try_from(payload.len()).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{SinkExt as _, StreamExt as _};
    use proptest::prelude::*;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::Role;

    async fn hears(bytes: &[u8]) -> Result<Heard, Broken> {
        let (near, mut far) = tokio::io::duplex(64 * 1024);
        far.write_all(bytes).await.unwrap();
        drop(far);
        WebSocket::new(near, Vec::new(), 1000).hear().await
    }

    /// A library's client and this end understand each other: texts of every length class, pings, a goodbye.
    #[tokio::test]
    async fn speaks_with_a_library() {
        let (near, far) = tokio::io::duplex(256 * 1024);
        let mut far = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let mut near = WebSocket::new(near, Vec::new(), 200_000);
        for length in [0, 1, 125, 126, 65_535, 65_536, 150_000] {
            let text = "ä".repeat(length / 2) + &"x".repeat(length % 2);
            far.send(Message::text(text.clone())).await.unwrap();
            assert_eq!(near.hear().await.unwrap(), Heard::Text(text.clone()), "{length}");
            near.say(std::slice::from_ref(&text)).await.unwrap();
            assert_eq!(far.next().await.unwrap().unwrap(), Message::text(text), "{length}");
        }
        near.say(&["a".to_owned(), "b".to_owned()]).await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), Message::text("a"));
        assert_eq!(far.next().await.unwrap().unwrap(), Message::text("b"));
        far.send(Message::Ping(b"here?".to_vec().into())).await.unwrap();
        assert_eq!(near.hear().await.unwrap(), Heard::Ping(Bytes::from_static(b"here?")));
        near.pong(b"here?").await.unwrap();
        assert_eq!(far.next().await.unwrap().unwrap(), Message::Pong(b"here?".to_vec().into()));
        near.ping().await.unwrap();
        assert!(matches!(far.next().await, Some(Ok(Message::Ping(_)))));
        near.close(1008, &"ö".repeat(100)).await.unwrap();
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
        let mut near = WebSocket::new(near, Vec::new(), 1000);
        assert_eq!(near.hear().await.unwrap(), Heard::Ping(Bytes::new()));
        assert_eq!(near.hear().await.unwrap(), Heard::Text("ä".to_owned()), "a letter across two fragments");
    }

    /// What breaks the protocol, is too long or ends early is told apart.
    #[tokio::test]
    async fn faults_are_told_apart() {
        for bytes in [&b"\xc1\x00"[..], b"\x80\x00", b"\x09\x00", b"\x89\x7e\x00\x7e", b"\x83\x00", b"\x01\x00\x81\x00"]
        {
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
                let mut near = WebSocket::new(near, first, 1000);
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
