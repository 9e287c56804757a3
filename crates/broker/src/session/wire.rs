//! The socket of one connection with its buffers.

use std::io;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::{Duration, Instant, timeout};

use crate::codec::{Fault, Frame, frame_length, take_frame};

/// A stream of bytes in both directions: a TCP socket, or the inside of a TLS connection.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// How long a goodbye may take to be written.
const GOODBYE: Duration = Duration::from_secs(1);

/// Bytes asked of the socket at once.
const READ_BYTES: usize = 8 * 1024;

/// One connection's socket and what is on its way in and out.
pub(crate) struct Wire {
    reader: ReadHalf<Box<dyn Io>>,
    writer: WriteHalf<Box<dyn Io>>,
    inbox: BytesMut,
    pub(crate) out: BytesMut,
    is_unflushed: bool,
    packet_bytes_max: usize,
    /// When the client last said something.
    pub(crate) heard_at: Instant,
    /// When the client last took something, or when something was there for it again.
    pub(crate) taken_at: Instant,
    has_output: bool,
}

impl Wire {
    pub(crate) fn new(stream: Box<dyn Io>, packet_bytes_max: usize) -> Self {
        let (reader, writer) = split(stream);
        let now = Instant::now();
        Self {
            reader,
            writer,
            inbox: BytesMut::new(),
            out: BytesMut::new(),
            is_unflushed: false,
            packet_bytes_max,
            heard_at: now,
            taken_at: now,
            has_output: false,
        }
    }

    /// The next packet that has arrived completely.
    pub(crate) fn frame(&mut self) -> Result<Option<Frame>, Fault> {
        take_frame(&mut self.inbox, self.packet_bytes_max)
    }

    /// Whether [`Wire::frame`] has something to say without waiting.
    pub(crate) fn has_frame(&self) -> bool {
        match frame_length(&self.inbox, self.packet_bytes_max) {
            Ok(Some(bytes)) => self.inbox.len() >= bytes,
            Ok(None) => false,
            Err(_) => true,
        }
    }

    pub(crate) fn has_to_write(&self) -> bool {
        !self.out.is_empty() || self.is_unflushed
    }

    /// To be called when output was added: the patience with a client begins when there is something for it to take.
    pub(crate) fn note_output(&mut self, now: Instant) {
        let has_output = self.has_to_write();
        if has_output && !self.has_output {
            self.taken_at = now;
        }
        self.has_output = has_output;
    }

    /// Waits for bytes in one direction or the other. Nothing is lost when the wait is given up.
    pub(crate) async fn transfer(&mut self, may_read: bool) -> io::Result<()> {
        let Self { reader, writer, inbox, out, is_unflushed, heard_at, taken_at, .. } = self;
        let writes = !out.is_empty() || *is_unflushed;
        tokio::select! {
            written = write_some(writer, out, is_unflushed), if writes => {
                written?;
                *taken_at = Instant::now();
            }
            read = read_some(reader, inbox), if may_read => {
                if read? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                *heard_at = Instant::now();
            }
            else => std::future::pending().await,
        }
        Ok(())
    }

    /// Reads until a whole packet is there.
    pub(crate) async fn first_frame(&mut self) -> io::Result<Result<Frame, Fault>> {
        loop {
            match self.frame() {
                Ok(Some(frame)) => return Ok(Ok(frame)),
                Ok(None) => self.transfer(true).await?,
                Err(fault) => return Ok(Err(fault)),
            }
        }
    }

    /// Writes what is still to be written, as far as the client takes it within a second.
    pub(crate) async fn last_words(&mut self) {
        let words = async {
            self.writer.write_all(&self.out).await?;
            self.writer.flush().await?;
            self.writer.shutdown().await
        };
        match timeout(GOODBYE, words).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => tracing::debug!("An MQTT client did not take the last words"),
        }
    }

    /// Closes. A socket closed with unread bytes in it is reset, and the last words are lost on the way; so for a second they are
    /// read, for nobody.
    pub(crate) async fn close(mut self) {
        let unread = async {
            let mut bytes = [0; 1024];
            while self.reader.read(&mut bytes).await? > 0 {}
            Ok::<(), io::Error>(())
        };
        match timeout(GOODBYE, unread).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => tracing::debug!("An MQTT client did not close its end"),
        }
    }
}

async fn write_some(
    writer: &mut WriteHalf<Box<dyn Io>>,
    out: &mut BytesMut,
    is_unflushed: &mut bool,
) -> io::Result<()> {
    if out.has_remaining() {
        *is_unflushed = true;
        if writer.write_buf(out).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    if out.is_empty() {
        writer.flush().await?;
        *is_unflushed = false;
    }
    Ok(())
}

async fn read_some(reader: &mut ReadHalf<Box<dyn Io>>, inbox: &mut BytesMut) -> io::Result<usize> {
    inbox.reserve(READ_BYTES);
    reader.read_buf(inbox).await
}
