//! The request head of a charger's WebSocket, read the way chargers in the field write it.
//!
//! Chargers leave out `Connection: Upgrade`, send no subprotocol or a list, repeat slashes, append their
//! identity twice or put it into the query. All of that is put right here, before the WebSocket
//! library, which would refuse it.

use crate::access::Credentials;
use api::{Language, RefusalCode};
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use central_system::Version;
use domain::ChargerId;
use std::fmt::Write as _;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Longest head; real ones stay below 1 kB.
pub(crate) const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Base64 with or without its padding.
const UNPADDED: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Asks for a password.
const UNAUTHORIZED: &str = "401 Unauthorized";

/// Why a connection is refused, in words for the list of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// HTTP status line without the version.
    pub(crate) status: &'static str,
    /// As the device named itself; empty when it did not.
    pub(crate) device: String,
    /// What is wrong and what to do.
    pub(crate) code: RefusalCode,
    /// What it is about.
    pub(crate) about: String,
}

impl Refusal {
    /// A bad request.
    pub(crate) fn new(device: &str, code: RefusalCode) -> Self {
        Self { status: "400 Bad Request", device: device.to_owned(), code, about: String::new() }
    }

    fn about(self, about: impl Into<String>) -> Self {
        Self { about: about.into(), ..self }
    }

    /// The charger may come again with the right proof.
    pub(crate) fn unproven(device: &str, code: RefusalCode, about: String) -> Self {
        Self { status: UNAUTHORIZED, device: device.to_owned(), code, about }
    }

    /// What is wrong and what to do, in English.
    pub(crate) fn words(&self) -> String {
        self.code.sentence(Language::English, &self.about)
    }

    /// The answer as it crosses the wire.
    pub(crate) fn response(&self) -> String {
        let body = self.words();
        let ask = if self.status == UNAUTHORIZED { "WWW-Authenticate: Basic realm=\"Meshwatt\"\r\n" } else { "" };
        format!(
            "HTTP/1.1 {}\r\n{ask}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.status,
            body.len()
        )
    }
}

/// A request head, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
}

/// A charger that may open its socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Who it says it is.
    pub(crate) charger: ChargerId,
    /// What it speaks.
    pub(crate) version: Version,
    /// The password it presents.
    pub(crate) credentials: Option<Credentials>,
    /// The answer as it crosses the wire.
    pub(crate) response: String,
}

/// Splits a complete head off the bytes read so far; `None` while it is incomplete.
pub(crate) fn split(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let (end, gap) = end_of(bytes)?;
    let (head, rest) = bytes.split_at_checked(end)?;
    let rest = rest.get(gap..)?;
    let text = String::from_utf8_lossy(head);
    let mut lines = text.trim_start().lines();
    let first = lines.next().unwrap_or_default().trim();
    let (method, target) = first.split_once(' ').unwrap_or((first, ""));
    // Up to the version and no further: some chargers do not encode the spaces of their name.
    let target = target.rfind(" HTTP/").and_then(|end| target.get(..end)).unwrap_or(target).trim();
    let (method, target) = (method.to_ascii_uppercase(), target.to_owned());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some((Head { method, target, headers }, rest))
}

/// Where a head ends and how many bytes its empty line takes; some chargers end lines without a carriage return.
fn end_of(bytes: &[u8]) -> Option<(usize, usize)> {
    let ends = |gap: &[u8]| bytes.windows(gap.len()).position(|window| window == gap).map(|at| (at, gap.len()));
    ends(b"\r\n\r\n").into_iter().chain(ends(b"\n\n")).min()
}

/// Decides about a head.
pub(crate) fn accept(head: &Head) -> Result<Accepted, Refusal> {
    let name = head.device_name();
    let shown = name.clone().unwrap_or_default();
    if head.method != "GET" {
        return Err(Refusal::new(&shown, RefusalCode::NotGet));
    }
    let upgrade = head.header("upgrade").unwrap_or_default();
    let key = head.header("sec-websocket-key");
    let is_upgrade = upgrade.split(',').any(|word| word.trim().eq_ignore_ascii_case("websocket"));
    let (true, Some(key)) = (is_upgrade, key) else {
        return Err(Refusal { status: "426 Upgrade Required", ..Refusal::new(&shown, RefusalCode::NotWebSocket) });
    };
    let speaks = |versions: &str| versions.split(',').any(|version| version.trim() == "13");
    if head.header("sec-websocket-version").is_some_and(|versions| !speaks(versions)) {
        return Err(Refusal::new(&shown, RefusalCode::WebSocketVersion));
    }
    let Some(name) = name else {
        return Err(Refusal::new("", RefusalCode::NoIdentity));
    };
    let charger = ChargerId::new(plain_name(&name))
        .map_err(|error| Refusal::new(&name, RefusalCode::BadIdentity).about(error.to_string()))?;
    let chosen = head.subprotocol(&name)?;
    let mut response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n",
        derive_accept_key(key.as_bytes())
    );
    if let Some((_, spelling)) = &chosen
        && write!(response, "Sec-WebSocket-Protocol: {spelling}\r\n").is_err()
    {
        tracing::debug!("writing to a text cannot fail");
    }
    response.push_str("\r\n");
    let version = chosen.map_or(Version::UNSAID, |(version, _)| version);
    Ok(Accepted { charger, version, credentials: head.basic().map(|(_, credentials)| credentials), response })
}

impl Head {
    /// The same head with an identity in its address.
    pub(crate) fn named(&self, identity: &str) -> Self {
        Self { target: format!("/ocpp/{identity}"), ..self.clone() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The version and the word to echo, as the charger spelt it; none asked means 1.6 without an echo.
    fn subprotocol(&self, device: &str) -> Result<Option<(Version, String)>, Refusal> {
        let asked: Vec<&str> = self
            .headers
            .iter()
            .filter(|(name, _)| name == "sec-websocket-protocol")
            .flat_map(|(_, value)| value.split(','))
            .map(|part| part.trim().trim_matches('"'))
            .filter(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic()))
            .collect();
        if asked.is_empty() {
            return Ok(None);
        }
        let chosen = Version::choose(&asked).map(|(version, spelling)| (version, spelling.to_owned()));
        chosen.map(Some).ok_or_else(|| Refusal::new(device, RefusalCode::Subprotocol).about(asked.join(", ")))
    }

    /// Last part of the path that can be a name, else a value in the query, else the user of Basic authentication.
    fn device_name(&self) -> Option<String> {
        let target = self.target.split('#').next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // A whole address in the place of a path.
        let path = path
            .split_once("://")
            .map_or(path, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
        let mut parts = path.split(['/', '\\']).map(percent_decoded);
        let named = |part: &String| !part.trim().is_empty() && !is_general(part.trim());
        let from_path = parts.rfind(named);
        from_path
            .or_else(|| name_in_query(query))
            .or_else(|| self.basic().map(|(user, _)| user))
            .map(|name| name.trim_matches(|c: char| c.is_whitespace() || c.is_control()).to_owned())
            .filter(|name| !name.is_empty())
    }

    /// User and password of Basic authentication. The password may be any bytes.
    fn basic(&self) -> Option<(String, Credentials)> {
        let (kind, encoded) = self.header("authorization")?.split_once(' ')?;
        if !kind.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = UNPADDED.decode(encoded.trim()).ok()?;
        let at = bytes.iter().position(|byte| *byte == b':')?;
        let (user, password) = bytes.split_at_checked(at)?;
        let password = password.get(1..).unwrap_or_default().to_vec();
        Some((String::from_utf8_lossy(user).into_owned(), Credentials { password }))
    }
}

/// An identity without what means something in topics and addresses; makers print such identities on chargers whose
/// owners cannot change them.
fn plain_name(name: &str) -> String {
    name.chars().map(|c| if c.is_control() || "/+#$".contains(c) { '_' } else { c }).collect()
}

/// Parts of addresses that name a service, not a charger; firmware appends them to whatever was typed.
fn is_general(part: &str) -> bool {
    const WORDS: [&str; 8] =
        ["ocpp", "ocppj", "ocpp1.6", "ocpp1.6j", "ocpp16", "ws", "websocket", "centralsystemservice"];
    WORDS.iter().any(|word| part.eq_ignore_ascii_case(word))
}

/// `?=sn`, `?sn` and `?id=sn` all name a charger.
fn name_in_query(query: &str) -> Option<String> {
    query
        .split('&')
        .map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value))
        .find(|value| !value.is_empty())
        .map(percent_decoded)
}

/// Percent-encoding undone; what is no valid encoding stays as it is.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = (byte == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        if let Some(value) = hex {
            decoded.push(value);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(target: &str, extra: &str) -> Head {
        let text = format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
        );
        split(text.as_bytes()).unwrap().0
    }

    /// Every way chargers in the field write their address leads to the same identity.
    #[test]
    fn url_variants_name_the_charger() {
        for target in [
            "/ocpp/CP%201",
            "/ocpp/CP%201/",
            "//ocpp///CP%201",
            "/OCPP/CP%201",
            "/ocpp/CP%201/CP%201",
            "/CP%201",
            "/ocpp?=CP%201",
            "/ocpp/?id=CP%201",
            "/?CP%201",
            "http://host/ocpp/CP%201",
            "ws://host:8887/ocpp/CP%201/",
            "/ocpp/CP 1",
            "/ocpp/CP%201%20",
            "/ocpp/CP%201%00",
            "/ocpp/CP%201/ocpp1.6",
            "/ocpp/CP%201/ws/",
            "/ocpp/%20/CP%201",
            "/ocpp/CP%201#main",
            "\\ocpp\\CP%201",
        ] {
            assert_eq!(accept(&head(target, "")).unwrap().charger.as_str(), "CP 1", "{target}");
        }
        for target in ["ws://host:8887", "ws://host:8887/", "/websocket/CentralSystemService/?id=CP 1"] {
            let named = accept(&head(target, "Authorization: Basic Q1AgMTpzZWNyZXQ=\r\n")).unwrap();
            assert_eq!(named.charger.as_str(), "CP 1", "{target}");
        }
        assert_eq!(accept(&head("/ocpp/SN%2F12+3%23", "")).unwrap().charger.as_str(), "SN_12_3_");
        let unpadded = head("/ocpp", "authorization: BASIC Q1AgMTpzZWNyZQ\r\n");
        assert_eq!(accept(&unpadded).unwrap().credentials.unwrap().password, b"secre");
        let basic = head("/ocpp", "Authorization: Basic Q1AgMTpzZWNyZXQ=\r\n");
        assert_eq!(accept(&basic).unwrap().charger.as_str(), "CP 1");
    }

    /// A missing `Connection: Upgrade` and a missing or listed subprotocol are accepted; exactly one is echoed.
    #[test]
    fn subprotocol_absent_and_listed() {
        let none = accept(&head("/ocpp/C1", "")).unwrap().response;
        assert!(!none.contains("Sec-WebSocket-Protocol"), "{none}");
        assert!(none.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{none}");
        let list = accept(&head("/ocpp/C1", "Sec-WebSocket-Protocol: ocpp1.6, ocpp1.5\r\n")).unwrap().response;
        assert_eq!(list.matches("ocpp1").count(), 1, "{list}");
        for spelling in ["OCPP1.6", "ocpp1.6J", "ocpp1.6-json", "ocpp16", "ocppj1.6"] {
            let header = format!("Sec-WebSocket-Protocol: soap\r\nSec-WebSocket-Protocol: {spelling}\r\n");
            let echoed = accept(&head("/ocpp/C1", &header)).unwrap().response;
            assert!(echoed.contains(&format!("\r\nSec-WebSocket-Protocol: {spelling}\r\n")), "{echoed}");
        }
        let empty = accept(&head("/ocpp/C1", "Sec-WebSocket-Protocol: ,\r\n")).unwrap().response;
        assert!(!empty.contains("Sec-WebSocket-Protocol"), "{empty}");
        let newer = accept(&head("/ocpp/C1", "Sec-WebSocket-Protocol: ocpp2.0.1\r\n")).unwrap_err();
        assert!(newer.words().contains("set it to OCPP 1.6"), "{newer:?}");
    }

    /// Refusals say what to do, and carry the name for the list of connections.
    #[test]
    fn refusals_say_what_to_do() {
        let nameless = accept(&head("/ocpp/", "")).unwrap_err();
        assert!(nameless.words().contains("end with /ocpp/"), "{nameless:?}");
        let long = accept(&head(&format!("/ocpp/{}", "x".repeat(300)), "")).unwrap_err();
        assert!(long.words().contains("at most 64 characters"), "{long:?}");
        let (browser, _) = split(b"GET /ocpp/C1 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let refusal = accept(&browser).unwrap_err();
        assert_eq!((refusal.status, refusal.device.as_str()), ("426 Upgrade Required", "C1"));
    }

    /// Bytes that follow the head belong to the socket and are not lost.
    #[test]
    fn rest_is_kept() {
        assert_eq!(split(b"GET /a HTTP/1.1\r\nHost: x\r\n"), None);
        assert_eq!(split(b"GET /a HTTP/1.1\r\n\r\n\x81\x80").unwrap().1, b"\x81\x80");
        let (bare, rest) =
            split(b"get /ocpp/C1 HTTP/1.0\nUpgrade: h2c, websocket\nSec-WebSocket-Key: x\n\n\x81").unwrap();
        assert_eq!((accept(&bare).unwrap().charger.as_str(), rest), ("C1", &b"\x81"[..]));
    }

    proptest::proptest! {
        /// No bytes make the reader of request heads panic, and whoever is let in has an identity.
        #[test]
        fn any_head(
            target in "[/?=&%a-zA-Z0-9._~ -]{0,60}|.{0,40}",
            name in "[A-Za-z-]{0,30}",
            value in ".{0,60}",
            noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120),
        ) {
            let text = format!(
                "GET {target} HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nAuthorization: Basic {value}\r\n{name}: {value}\r\n\r\n"
            );
            for bytes in [text.as_bytes(), &noise, &[text.as_bytes(), &noise].concat()] {
                if let Some((head, _rest)) = split(bytes)
                    && let Ok(accepted) = accept(&head)
                {
                    proptest::prop_assert!(!accepted.charger.as_str().is_empty());
                    proptest::prop_assert!(accepted.response.starts_with("HTTP/1.1 101"));
                }
            }
        }
    }
}
