//! Who may act: people with a cookie after signing in, programs on this machine with the token.

use super::problem::Failure;
use crate::credentials::{Hasher, Strength, random_hex, same_secret};
use api::Code;
use axum::http::{HeaderMap, Method, StatusCode, header};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Name of the cookie.
const COOKIE: &str = "meshwatt_session";

/// A browser that did nothing for this long signs in again.
const IDLE_MAX: Duration = Duration::from_secs(12 * 3600);

/// A ticket is spent at once by the window that asked for it; a minute covers a slow start.
const TICKET_LIFE: Duration = Duration::from_secs(60);

/// Browsers signed in at once; the one idle longest makes room.
const SESSIONS_MAX: usize = 64;

/// Tickets waiting at once.
const TICKETS_MAX: usize = 16;

/// Wrong passwords from one address before it has to wait.
const ATTEMPTS_MAX: u32 = 5;

/// How long it then waits.
const ATTEMPTS_WINDOW: Duration = Duration::from_secs(60);

/// Addresses remembered for that.
const ADDRESSES_MAX: usize = 1024;

/// Name of the secret with the manager's password.
pub(crate) const MANAGER_SECRET: &str = "manager/password";

/// Who is signed in.
pub(crate) struct Auth {
    token: String,
    hasher: Hasher,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// `None` until the first-run questions are answered.
    password_hash: Option<String>,
    /// Cookie to the time it was last used.
    sessions: BTreeMap<String, Instant>,
    /// Ticket to the time it was made.
    tickets: BTreeMap<String, Instant>,
    /// Wrong passwords by address, and since when they count.
    attempts: BTreeMap<IpAddr, (u32, Instant)>,
}

/// How a request proved itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The token of programs.
    Token,
    /// The cookie of a browser.
    Cookie,
}

impl Auth {
    pub(crate) fn new(token: String, hasher: Hasher, password_hash: Option<String>) -> Self {
        Self { token, hasher, state: Mutex::new(State { password_hash, ..State::default() }) }
    }

    /// Whether the first-run questions are still open.
    pub(crate) fn setup_needed(&self) -> bool {
        self.lock().password_hash.is_none()
    }

    /// The hash of a new manager's password, to be kept and then given to [`Self::set_password_hash`].
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Failure> {
        self.hasher.hash(Strength::Person, password.as_bytes().to_vec()).await.map_err(|error| {
            tracing::error!(%error, "the manager's password could not be hashed");
            Failure::internal()
        })
    }

    pub(crate) fn set_password_hash(&self, hash: String) {
        self.lock().password_hash = Some(hash);
    }

    /// Checks a password and signs in.
    pub(crate) async fn sign_in(&self, from: IpAddr, password: &str) -> Result<String, Failure> {
        let Some(hash) = self.lock().password_hash.clone() else {
            return Err(Failure::new(
                StatusCode::CONFLICT,
                Code::SetupNeeded,
                "No password is set yet; answer the first-run questions",
            ));
        };
        self.count_attempt(from)?;
        let right = self.hasher.verify(hash, password.as_bytes().to_vec()).await.map_err(|error| {
            tracing::error!(%error, "the manager's password could not be compared");
            Failure::internal()
        })?;
        if !right {
            return Err(Failure::new(
                StatusCode::UNAUTHORIZED,
                Code::WrongPassword,
                "The password is wrong; try again",
            ));
        }
        self.lock().attempts.remove(&from);
        self.new_session()
    }

    /// Counts before comparing, so that attempts side by side count too.
    fn count_attempt(&self, from: IpAddr) -> Result<(), Failure> {
        let now = Instant::now();
        let mut state = self.lock();
        state.attempts.retain(|_, (_, since)| now.duration_since(*since) < ATTEMPTS_WINDOW);
        if state.attempts.len() >= ADDRESSES_MAX && !state.attempts.contains_key(&from) {
            return Err(too_many());
        }
        let (count, _) = state.attempts.entry(from).or_insert((0, now));
        *count += 1;
        if *count > ATTEMPTS_MAX { Err(too_many()) } else { Ok(()) }
    }

    /// A one-time ticket for a window of our own.
    pub(crate) fn ticket(&self) -> Result<String, getrandom::Error> {
        let ticket = random_hex(32)?;
        let mut state = self.lock();
        let now = Instant::now();
        state.tickets.retain(|_, made| now.duration_since(*made) < TICKET_LIFE);
        if state.tickets.len() >= TICKETS_MAX {
            state.tickets.clear();
        }
        state.tickets.insert(ticket.clone(), now);
        Ok(ticket)
    }

    /// Spends a ticket and signs in.
    pub(crate) fn redeem(&self, from: IpAddr, ticket: &str) -> Result<String, Failure> {
        let found = {
            let mut state = self.lock();
            let known = state.tickets.keys().find(|known| same_secret(known, ticket)).cloned();
            known.and_then(|known| state.tickets.remove(&known))
        };
        match found {
            Some(made) if made.elapsed() < TICKET_LIFE => self.new_session(),
            Some(_) | None => {
                self.count_attempt(from)?;
                Err(Failure::new(
                    StatusCode::UNAUTHORIZED,
                    Code::Unauthenticated,
                    "The ticket was used before or is too old; sign in with the password",
                ))
            }
        }
    }

    fn new_session(&self) -> Result<String, Failure> {
        let cookie = random_hex(32).map_err(|error| {
            tracing::error!(%error, "the system gives no random numbers");
            Failure::internal()
        })?;
        let now = Instant::now();
        let mut state = self.lock();
        state.sessions.retain(|_, used| now.duration_since(*used) < IDLE_MAX);
        if state.sessions.len() >= SESSIONS_MAX {
            let oldest = state.sessions.iter().min_by_key(|(_, used)| **used).map(|(cookie, _)| cookie.clone());
            if let Some(oldest) = oldest {
                state.sessions.remove(&oldest);
            }
        }
        state.sessions.insert(cookie.clone(), now);
        Ok(cookie)
    }

    /// Ends the session of this request, if it has one.
    pub(crate) fn sign_out(&self, headers: &HeaderMap) {
        if let Some(cookie) = cookie_of(headers) {
            self.lock().sessions.remove(&cookie);
        }
    }

    /// How the request proves itself, if it does.
    pub(crate) fn proof(&self, headers: &HeaderMap) -> Option<Proof> {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        if bearer.is_some_and(|token| same_secret(token, &self.token)) {
            return Some(Proof::Token);
        }
        let cookie = cookie_of(headers)?;
        let mut state = self.lock();
        let used = state.sessions.get_mut(&cookie)?;
        if used.elapsed() >= IDLE_MAX {
            state.sessions.remove(&cookie);
            return None;
        }
        *used = Instant::now();
        Some(Proof::Cookie)
    }

    /// Demands a proof; a cookie counts only when the page that uses it is our own.
    pub(crate) fn require(&self, method: &Method, headers: &HeaderMap, upgrade: Upgrade) -> Result<Proof, Failure> {
        let proof = self.proof(headers).ok_or_else(|| {
            Failure::new(
                StatusCode::UNAUTHORIZED,
                Code::Unauthenticated,
                "Sign in, or send the token of DIR/api.token as Authorization: Bearer",
            )
        })?;
        let harmless = method.is_safe() && upgrade == Upgrade::No;
        if proof == Proof::Cookie && !harmless && !same_origin(headers) {
            return Err(Failure::new(
                StatusCode::FORBIDDEN,
                Code::Unauthenticated,
                "This request comes from another page; open the console itself",
            ));
        }
        Ok(proof)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request becomes a WebSocket, which no same-origin rule of the browser protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upgrade {
    /// It does.
    WebSocket,
    /// It does not.
    No,
}

fn too_many() -> Failure {
    Failure::new(
        StatusCode::TOO_MANY_REQUESTS,
        Code::TooManyAttempts,
        "Too many wrong passwords; wait a minute and try again",
    )
}

/// What a browser is told to keep.
pub(crate) fn set_cookie(value: &str) -> String {
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}", IDLE_MAX.as_secs())
}

/// What makes a browser forget.
pub(crate) fn clear_cookie() -> String {
    format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
}

fn cookie_of(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.to_owned())
}

/// An absent `Origin` comes from programs; every browser sends one where it matters.
fn same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == host
}

/// Whether a browser can only have been sent here by someone who knows this machine: an address in numbers, a name
/// without dots, or a name of the local network. Keeps a foreign page from reaching us under a name of its own.
pub(crate) fn is_local_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || name.ends_with(".local")
        || name.ends_with(".lan")
        || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    async fn signed_in() -> (Auth, String) {
        let auth = Auth::new("token".to_owned(), Hasher::default(), None);
        auth.set_password_hash(auth.hash("correct horse").await.unwrap());
        let cookie = auth.sign_in([127, 0, 0, 1].into(), "correct horse").await.unwrap();
        (auth, cookie)
    }

    /// A page of somebody else cannot use the manager's cookie, neither to change nor to listen.
    #[tokio::test]
    async fn foreign_origin_is_refused() {
        let (auth, cookie) = signed_in().await;
        let cookie = format!("a=b; {COOKIE}={cookie}");
        let foreign = headers(&[("cookie", &cookie), ("host", "localhost:1"), ("origin", "http://evil.example")]);
        let own = headers(&[("cookie", &cookie), ("host", "localhost:1"), ("origin", "http://localhost:1")]);
        assert!(auth.require(&Method::POST, &foreign, Upgrade::No).is_err());
        assert!(auth.require(&Method::GET, &foreign, Upgrade::WebSocket).is_err());
        assert!(
            auth.require(&Method::GET, &foreign, Upgrade::No).is_ok(),
            "the browser keeps the answer from the page"
        );
        assert_eq!(auth.require(&Method::POST, &own, Upgrade::No), Ok(Proof::Cookie));
        let program = headers(&[("authorization", "Bearer token")]);
        assert_eq!(auth.require(&Method::POST, &program, Upgrade::No), Ok(Proof::Token));
        assert!(auth.require(&Method::GET, &headers(&[]), Upgrade::No).is_err());
    }

    /// A ticket opens one window once.
    #[tokio::test]
    async fn ticket_is_spent() {
        let (auth, _) = signed_in().await;
        let ticket = auth.ticket().unwrap();
        assert!(auth.redeem([127, 0, 0, 1].into(), &ticket).is_ok());
        assert!(auth.redeem([127, 0, 0, 1].into(), &ticket).is_err());
    }

    /// Guessing stops after a few attempts, for that address only.
    #[tokio::test(start_paused = true)]
    async fn guessing_is_slowed() {
        let (auth, _) = signed_in().await;
        let (guesser, manager): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        for _ in 0..ATTEMPTS_MAX {
            assert!(auth.count_attempt(guesser).is_ok());
        }
        assert_eq!(auth.count_attempt(guesser), Err(too_many()));
        assert!(auth.count_attempt(manager).is_ok());
        tokio::time::advance(ATTEMPTS_WINDOW).await;
        assert!(auth.count_attempt(guesser).is_ok());
    }

    /// Only names that mean this machine are answered.
    #[test]
    fn local_names() {
        for name in ["127.0.0.1:8480", "localhost", "[::1]:8480", "pc-portaria:8480", "meshwatt.local", "192.168.1.5"] {
            assert!(is_local_name(name), "{name}");
        }
        assert!(!is_local_name("evil.example:8480"));
    }
}
