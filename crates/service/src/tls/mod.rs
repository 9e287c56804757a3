//! The built-in certificate authority of a building and everything that listens with TLS.
//!
//! [`Certificates`] makes the authority on first use, keeps its key in [`Secrets`], issues the server's certificate for
//! every address and name of this computer, and signs certificates of chargers. [`listen`](listen::listen) shakes hands,
//! each in a task of its own with a time limit, so that one silent device holds up nobody.
//!
//! TLS is never weakened: 1.2 and 1.3 with forward secrecy only. A device that cannot do that is told so in the
//! list of connections and has the plain listener with a password, within the local network.

mod authority;
mod chargers;
mod failure;
mod listen;
pub(crate) mod names;
mod verifier;

pub(crate) use self::authority::{Authority, AuthorityError, Issued};
pub(crate) use self::chargers::{ChargerCertificates, Standing};
pub(crate) use self::listen::{Failed, Secured, TlsIncoming, first_byte, listen, shake};

use crate::secrets::{Secrets, SecretsError};
use domain::{ChargerId, Clock, IssuedCertificate, Record, Timestamp};
use rustls::crypto::ring::default_provider;
use rustls::crypto::{CryptoProvider, ring::sign::any_supported_type};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use store::{Reader, StoreError, Writer};
use tokio::sync::OnceCell;
use verifier::ChargerVerifier;

/// Secret with the authority's key.
const CA_KEY: &str = "certificates/authority-key";

/// Secret with the server's key.
const SERVER_KEY: &str = "certificates/server-key";

/// Public value with the authority's certificate.
const CA_CERTIFICATE: &str = "certificates/authority";

/// Public value with the server's certificate.
const SERVER_CERTIFICATE: &str = "certificates/server";

/// A server certificate is renewed this long before it ends; chargers may be away for weeks.
const RENEW_BEFORE_MS: i64 = 30 * 24 * 3600 * 1000;

/// How often addresses and dates are looked at; an address given by the router changes rarely.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Why certificates cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The keys cannot be read or kept.
    #[error("the keys of the certificates cannot be used")]
    Secrets(#[source] SecretsError),
    /// The certificates cannot be read or kept.
    #[error("the certificates cannot be read or kept; check the disk")]
    Store(#[source] StoreError),
    /// The authority's certificate is there and its key is not.
    #[error(
        "the key of the certificate authority is lost; restore secrets.json and secrets.key or the keyring from a backup"
    )]
    KeyLost,
    /// Making or reading a certificate failed.
    #[error(transparent)]
    Authority(AuthorityError),
    /// The library refuses what we made.
    #[error("the TLS library refuses the certificate; please report this")]
    Tls(#[source] rustls::Error),
}

/// The certificates of a building, made on first use.
#[derive(Clone)]
pub(crate) struct Certificates(Arc<Inner>);

struct Inner {
    secrets: Secrets,
    reader: Reader,
    writer: Writer,
    clock: Arc<dyn Clock>,
    chargers: ChargerCertificates,
    open: OnceCell<Open>,
}

/// The authority at work.
struct Open {
    authority: Authority,
    server: Arc<ServerKey>,
    provider: Arc<CryptoProvider>,
}

impl Certificates {
    pub(crate) fn new(secrets: Secrets, reader: Reader, writer: Writer, clock: Arc<dyn Clock>) -> Self {
        let chargers = ChargerCertificates::default();
        Self(Arc::new(Inner { secrets, reader, writer, clock, chargers, open: OnceCell::new() }))
    }

    /// Certificates of chargers, by serial number.
    pub(crate) fn chargers(&self) -> &ChargerCertificates {
        &self.0.chargers
    }

    /// The authority's certificate as PEM text; makes the authority when there is none.
    pub(crate) async fn authority_pem(&self) -> Result<String, CertificateError> {
        Ok(self.open().await?.authority.pem().to_owned())
    }

    /// Whether the authority is in use.
    pub(crate) fn is_open(&self) -> bool {
        self.0.open.initialized()
    }

    /// What people compare and look up.
    pub(crate) async fn describe(&self) -> Result<Description, CertificateError> {
        let open = self.open().await?;
        let unreadable = CertificateError::Authority(AuthorityError::Unreadable);
        Ok(Description {
            server: names::of_certificate(&open.server.pem()).ok_or(unreadable)?,
            authority_sha256: sha256_hex(&open.authority.der()),
        })
    }

    /// Reads the certificates of chargers once; nothing is made.
    pub(crate) async fn load(&self) -> Result<(), CertificateError> {
        for record in self.0.reader.certificate_list().await.map_err(CertificateError::Store)? {
            self.0.chargers.set(record);
        }
        Ok(())
    }

    /// TLS for browsers, MQTT devices and file transfers: the server proves itself.
    pub(crate) async fn server_config(&self, alpn: &[&[u8]]) -> Result<Arc<ServerConfig>, CertificateError> {
        let open = self.open().await?;
        let mut config = self.builder(open)?.with_no_client_auth().with_cert_resolver(Arc::clone(&open.server) as _);
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }

    /// TLS for chargers: a certificate of theirs is asked for and, when there is one, checked.
    pub(crate) async fn charger_config(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let open = self.open().await?;
        let mut roots = RootCertStore::empty();
        roots.add(open.authority.der()).map_err(CertificateError::Tls)?;
        let verifier = ChargerVerifier::new(roots, Arc::clone(&open.provider), self.0.chargers.clone())
            .map_err(CertificateError::Tls)?;
        let mut config = self
            .builder(open)?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::clone(&open.server) as _);
        // A resumed connection would not show its certificate again, and it may have been revoked since.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    fn builder(
        &self,
        open: &Open,
    ) -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, CertificateError> {
        let time = Arc::new(WallTime(Arc::clone(&self.0.clock)));
        ServerConfig::builder_with_details(Arc::clone(&open.provider), time)
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Tls)
    }

    /// Signs what a charger asks for, and keeps the certificate before it is given away.
    pub(crate) async fn sign(&self, charger: &ChargerId, csr: &str) -> Result<Issued, CertificateError> {
        let open = self.open().await?;
        let now = self.0.clock.now().wall;
        let issued = open.authority.sign_charger(csr, charger, now).map_err(CertificateError::Authority)?;
        let record = IssuedCertificate {
            serial: issued.serial.clone(),
            charger: charger.clone(),
            pem: issued.pem.clone(),
            issued_at: now,
            expires_at: issued.expires_at,
            revoked_at: None,
        };
        self.0.writer.commit(vec![Record::Certificate(record.clone())]).await.map_err(CertificateError::Store)?;
        self.0.chargers.set(record);
        tracing::info!(%charger, serial = issued.serial, "certificate issued");
        Ok(issued)
    }

    /// Revokes a certificate: from now on no handshake accepts it. `false` when there is none of this number.
    pub(crate) async fn revoke(&self, serial: &str) -> Result<bool, CertificateError> {
        let Some(mut record) = self.0.chargers.get(serial) else { return Ok(false) };
        if record.revoked_at.is_none() {
            record.revoked_at = Some(self.0.clock.now().wall);
            self.0.chargers.set(record.clone());
            self.0.writer.commit(vec![Record::Certificate(record)]).await.map_err(CertificateError::Store)?;
            tracing::info!(serial, "certificate revoked");
        }
        Ok(true)
    }

    /// Issues a new server certificate when an address or name is missing in it or its end is near.
    pub(crate) async fn renew_when_due(&self) -> Result<(), CertificateError> {
        let Some(open) = self.0.open.get() else { return Ok(()) };
        let now = self.0.clock.now().wall;
        if !server_is_due(&open.server.pem(), now) {
            return Ok(());
        }
        let (key, pem) = self.issue_server(&open.authority, now).await?;
        open.server.replace(key, pem);
        Ok(())
    }

    async fn open(&self) -> Result<&Open, CertificateError> {
        self.0.open.get_or_try_init(|| self.begin()).await
    }

    async fn begin(&self) -> Result<Open, CertificateError> {
        self.load().await?;
        let now = self.0.clock.now().wall;
        let authority = self.authority(now).await?;
        let (key, pem) = match self.known_server(&authority, now).await? {
            Some(known) => known,
            None => self.issue_server(&authority, now).await?,
        };
        let server = Arc::new(ServerKey(RwLock::new((key, pem))));
        Ok(Open { authority, server, provider: Arc::new(default_provider()) })
    }

    async fn authority(&self, now: Timestamp) -> Result<Authority, CertificateError> {
        let certificate = self.0.reader.secret_get(CA_CERTIFICATE).await.map_err(CertificateError::Store)?;
        let key = self.0.secrets.get(CA_KEY).await.map_err(CertificateError::Secrets)?;
        match (certificate, key) {
            (Some(certificate), Some(key)) => {
                Authority::restore(&certificate, &key).map_err(CertificateError::Authority)
            }
            (Some(_), None) => Err(CertificateError::KeyLost),
            (None, _) => {
                let (authority, key) = Authority::create(now).map_err(CertificateError::Authority)?;
                self.0.secrets.set(CA_KEY, &key).await.map_err(CertificateError::Secrets)?;
                let kept = self.0.writer.secret_set(CA_CERTIFICATE, authority.pem()).await;
                kept.map_err(CertificateError::Store)?;
                tracing::info!("certificate authority made");
                Ok(authority)
            }
        }
    }

    /// The server certificate of the last run, if it still serves.
    async fn known_server(
        &self,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Option<(Arc<CertifiedKey>, String)>, CertificateError> {
        let pem = self.0.reader.secret_get(SERVER_CERTIFICATE).await.map_err(CertificateError::Store)?;
        let key = self.0.secrets.get(SERVER_KEY).await.map_err(CertificateError::Secrets)?;
        let (Some(pem), Some(key)) = (pem, key) else { return Ok(None) };
        if server_is_due(&pem, now) {
            return Ok(None);
        }
        Ok(certified(&pem, &key, authority).ok().filter(|known| known.keys_match().is_ok()).map(|key| (key, pem)))
    }

    async fn issue_server(
        &self,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<(Arc<CertifiedKey>, String), CertificateError> {
        let names = names::of_this_computer();
        let (pem, key) = authority.issue_server(&names, now).map_err(CertificateError::Authority)?;
        let made = certified(&pem, &key, authority)?;
        self.0.secrets.set(SERVER_KEY, &key).await.map_err(CertificateError::Secrets)?;
        self.0.writer.secret_set(SERVER_CERTIFICATE, &pem).await.map_err(CertificateError::Store)?;
        tracing::info!(names = names.join(", "), "server certificate issued");
        Ok((made, pem))
    }
}

fn server_is_due(pem: &str, now: Timestamp) -> bool {
    let Some(known) = names::of_certificate(pem) else { return true };
    known.expires_at.0 - now.0 < RENEW_BEFORE_MS
        || known.begins_at.0 > now.0
        || names::of_this_computer().iter().any(|name| !known.names.contains(name))
}

/// The chain carries the authority too: some chargers want it complete.
fn certified(pem: &str, key: &str, authority: &Authority) -> Result<Arc<CertifiedKey>, CertificateError> {
    let broken = |_broken| CertificateError::Authority(AuthorityError::Unreadable);
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(broken)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(broken)?;
    let key = any_supported_type(&key).map_err(CertificateError::Tls)?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate, authority.der()], key)))
}

/// What people compare and look up.
pub(crate) struct Description {
    /// What the server's certificate covers.
    pub(crate) server: names::Covered,
    /// SHA-256 of the authority's certificate.
    pub(crate) authority_sha256: String,
}

fn sha256_hex(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The server's certificate, which may be replaced while it serves.
#[derive(Debug)]
struct ServerKey(RwLock<(Arc<CertifiedKey>, String)>);

impl ServerKey {
    fn replace(&self, key: Arc<CertifiedKey>, pem: String) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (key, pem);
    }

    fn pem(&self) -> String {
        self.0.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

impl ResolvesServerCert for ServerKey {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).0))
    }
}

/// The injected clock for certificate dates.
struct WallTime(Arc<dyn Clock>);

impl std::fmt::Debug for WallTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WallTime")
    }
}

impl TimeProvider for WallTime {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.0.now().wall.0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(ms)))
    }
}

#[cfg(test)]
mod tests;
