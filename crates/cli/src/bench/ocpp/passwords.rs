//! A password for every charger, made by the measured service as in the console.

use crate::Failure;
use crate::bench::process::Served;
use serde::Deserialize;
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Deserialize)]
struct Made {
    password: String,
}

/// The value of each charger's `Authorization` header, from the first charger on.
pub(super) async fn logins(served: &Served, chargers: usize) -> Result<Vec<String>, Failure> {
    let token = served.token()?;
    let mut logins = Vec::with_capacity(chargers);
    for number in 1..=chargers {
        let failed = |source| Failure::System { what: "cannot ask the measured service", source };
        let made = ask(served, &token, number).await.map_err(failed)?;
        logins.push(format!("Basic {}", base64(format!("B{number}:{}", made.password).as_bytes())));
    }
    Ok(logins)
}

async fn ask(served: &Served, token: &str, number: usize) -> io::Result<Made> {
    let mut stream = TcpStream::connect(served.http).await?;
    let body = r#"{"send":false}"#;
    let head = format!(
        "POST /api/v1/chargers/B{number}/security/password HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        served.http,
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let text = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    serde_json::from_str(text).map_err(io::Error::other)
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4_usize {
            let index = usize::try_from(bits >> (18 - 6 * place) & 0x3f).unwrap_or(0);
            let letter = LETTERS.get(index).copied().filter(|_| place <= group.len()).unwrap_or(b'=');
            out.push(char::from(letter));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    /// The header must be what chargers send.
    #[test]
    fn base64_as_in_the_standard() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("CP1:secret", "Q1AxOnNlY3JldA==")];
        for (plain, coded) in cases {
            assert_eq!(super::base64(plain.as_bytes()), coded);
        }
    }
}
