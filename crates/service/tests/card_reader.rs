//! A card reader of the computer (PC/SC): the system's own `pcscd` with its virtual reader, and a scripted card in it.
//!
//! Only where the service is built with the reader, as the whole workspace is; `cargo xtask test` installs both packages.

#![cfg(all(feature = "pcsc", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::Site;

/// Longest wait for another program; reached only when the test fails.
const PATIENCE: Duration = Duration::from_secs(120);
/// Where `pcscd` is asked.
const SOCKET: &str = "/run/pcscd/pcscd.comm";
/// Where the virtual reader of the package `vsmartcard-vpcd` waits for a card.
const READER: &str = "127.0.0.1:35963";
/// Answer to reset of a contactless card with 1 kB (PC/SC part 3, supplement of storage cards).
const ATR: [u8; 20] = [
    0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x6A,
];

/// The card service: the system's where it runs, else one of our own that ends with the test.
struct Service(Option<Child>);

impl Service {
    fn start() -> Self {
        if UnixStream::connect(SOCKET).is_ok() {
            return Self(None);
        }
        let daemon = "/usr/sbin/pcscd";
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"));
        let mut command = if is_root { Command::new(daemon) } else { Command::new("sudo") };
        if !is_root {
            command.args(["-n", daemon]);
        }
        let child = command.args(["--foreground", "--critical"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{daemon}: {error}; install pcscd and vsmartcard-vpcd"));
        let service = Self(Some(child));
        until("pcscd", || UnixStream::connect(SOCKET).ok());
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Tries again and again; a state that is reached ends it, never a time.
fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A card in the virtual reader; taken away when dropped.
struct Card(TcpStream);

impl Card {
    /// Lays a card on the reader that gives this answer to every command.
    fn lay(answer: &'static [u8]) -> Self {
        let stream = until("the virtual reader", || TcpStream::connect(READER).ok());
        let card = stream.try_clone().unwrap();
        // Ends when the other side of the connection is closed.
        std::thread::spawn(move || serve(stream, answer));
        Self(card)
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        drop(self.0.shutdown(Shutdown::Both));
    }
}

/// The virtual reader's protocol: two bytes of length, then one byte of control or a command.
fn serve(mut stream: TcpStream, answer: &[u8]) {
    const TELL_ATR: u8 = 4;
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut message).is_err() {
            return;
        }
        let reply: &[u8] = match message.as_slice() {
            [TELL_ATR] => &ATR,
            // Power off, power on and reset have no answer.
            [_] => continue,
            _ => answer,
        };
        let head = u16::try_from(reply.len()).unwrap().to_be_bytes();
        if stream.write_all(&[&head[..], reply].concat()).is_err() {
            return;
        }
    }
}

/// Asks the service to look at the reader until it says something wanted.
async fn look(site: &Site, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = site.post("enrolment/reader", json!({})).await;
        assert_eq!(seen.status, 200, "{}", seen.text);
        if wanted(&seen.json) {
            return seen.json;
        }
        assert!(Instant::now() < deadline, "waited in vain; newest look: {:#}", seen.json);
    }
}

/// The desk's reader from end to end: it is found empty, a card laid on it is enrolled with its number, one that tells no
/// number says so, and after the card is taken away the reader is empty again.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_on_the_desk_is_enrolled() {
    let site = Site::start().await;
    let service = Service::start();
    let empty = look(&site, |seen| seen["state"] == "empty").await;
    assert!(empty["name"].as_str().unwrap().starts_with("Virtual PCD"), "{empty}");

    let tenant = site.post("tenants", json!({"name": "Ana"})).await.json["id"].clone();
    site.post("enrolment", json!({"tenant_id": tenant, "charger": null, "ttl_s": 600})).await;
    let card = Card::lay(&[0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x90, 0x00]);
    let read = look(&site, |seen| seen["state"] == "read").await;
    assert_eq!(read["detail"], "04A1B2C3D4E5F6", "{read}");
    site.until("enrolment", |state| state["bound"] == true && state["captured_uid"] == "04A1B2C3D4E5F6").await;
    site.ask("DELETE", "enrolment", None).await;
    let nobody = look(&site, |seen| seen["state"] == "refused").await;
    assert!(nobody["detail"].as_str().is_some_and(|why| !why.is_empty()), "nobody waits for a card: {nobody}");
    drop(card);
    look(&site, |seen| seen["state"] == "empty").await;

    site.post("enrolment", json!({"tenant_id": tenant, "charger": null, "ttl_s": 600})).await;
    let mute = Card::lay(&[0x6A, 0x81]);
    let refused = look(&site, |seen| seen["state"] == "refused").await;
    assert!(refused["detail"].as_str().unwrap().contains("6A81"), "{refused}");
    drop(mute);
    look(&site, |seen| seen["state"] == "empty").await;
    drop(service);
}
