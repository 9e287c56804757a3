//! The thinnest charger there is: a WebSocket client without a library, so that what is measured is the other side.

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longest frame it takes; requests to chargers are far shorter.
const FRAME_BYTES_MAX: usize = 256 * 1024;

/// One connection.
pub(super) struct Wire {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Wire {
    /// Opens a WebSocket as charger `id`.
    pub(super) async fn connect(address: SocketAddr, id: &str, login: Option<&str>) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let login = login.map(|login| format!("Authorization: {login}\r\n")).unwrap_or_default();
        let head = format!(
            "GET /ocpp/{id} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {login}Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut bytes = Vec::with_capacity(1024);
        loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                if !bytes.starts_with(b"HTTP/1.1 101") {
                    return Err(io::Error::other("the connection was refused"));
                }
                bytes.drain(..end + 4);
                return Ok(Self { stream, bytes });
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Its own port, which differs from connection to connection.
    pub(super) fn port(&self) -> u16 {
        self.stream.local_addr().map_or(0, |address| address.port())
    }

    /// Sends a text. The mask is zero, which masks nothing and costs nothing.
    pub(super) async fn send(&mut self, text: &str) -> io::Result<()> {
        let mut frame = Vec::with_capacity(text.len() + 14);
        frame.push(0x81);
        match u16::try_from(text.len()) {
            Ok(length @ 0..=125) => frame.push(0x80 | u8::try_from(length).unwrap_or(0)),
            Ok(length) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            Err(_longer) => {
                frame.push(0x80 | 127);
                frame.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).await
    }

    /// The next text; pings and pongs pass by.
    pub(super) async fn receive(&mut self) -> io::Result<String> {
        loop {
            match self.take() {
                Some((0x1, payload)) => return String::from_utf8(payload).map_err(io::Error::other),
                Some((0x8, _)) => return Err(io::ErrorKind::ConnectionAborted.into()),
                Some((0x9, payload)) => self.pong(&payload).await?,
                Some(_) => {}
                None => {
                    if self.bytes.len() > FRAME_BYTES_MAX {
                        return Err(io::Error::other("a frame is too long"));
                    }
                    if self.stream.read_buf(&mut self.bytes).await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
    }

    async fn pong(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut frame = vec![0x8a, 0x80 | u8::try_from(payload.len()).unwrap_or(0)];
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.write_all(&frame).await
    }

    /// A whole frame off the bytes read: kind and payload.
    fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let kind = self.bytes.first()? & 0x0f;
        let (start, length): (usize, usize) = match *self.bytes.get(1)? & 0x7f {
            126 => (4, usize::from(u16::from_be_bytes(self.bytes.get(2..4)?.try_into().ok()?))),
            127 => (10, usize::try_from(u64::from_be_bytes(self.bytes.get(2..10)?.try_into().ok()?)).ok()?),
            length => (2, usize::from(length)),
        };
        let payload = self.bytes.get(start..start.checked_add(length)?)?.to_vec();
        self.bytes.drain(..start + length);
        Some((kind, payload))
    }
}
