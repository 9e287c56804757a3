//! One request of the API on a connection of its own.

use crate::Failure;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Time an answer may take.
const WAIT: Duration = Duration::from_secs(30);

/// Asks, and gives the body of the answer.
pub(super) async fn ask(port: u16, token: &str, method: &str, path: &str, body: &str) -> Result<String, Failure> {
    let failed = |source| Failure::System { what: "the program does not answer", source };
    let talk = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let head = format!(
            "{method} /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let answer: std::io::Result<String> = tokio::time::timeout(WAIT, talk)
        .await
        .unwrap_or_else(|_elapsed| Err(std::io::Error::from(std::io::ErrorKind::TimedOut)));
    let text = answer.map_err(failed)?;
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    body.ok_or_else(|| failed(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)))
}
