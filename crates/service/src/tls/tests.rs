//! What must hold of the authority, its certificates and handshakes.

use super::*;
use crate::secrets::SecretsChoice;
use domain::{DurationMs, Instant, Now};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::atomic::{AtomicI64, Ordering};
use store::{Options, Store};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// A wall clock that stands where it is put.
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Now {
        Now { instant: Instant(0), wall: Timestamp(self.0.load(Ordering::Relaxed)) }
    }

    fn real(&self, duration: DurationMs) -> Duration {
        Duration::from_millis(duration.0)
    }
}

struct Site {
    dir: tempfile::TempDir,
    clock: Arc<HandClock>,
    certificates: Certificates,
}

impl Site {
    async fn start() -> Self {
        let clock = Arc::new(HandClock(AtomicI64::new(1_800_000_000_000)));
        let dir = tempfile::tempdir().unwrap();
        let certificates = Self::open(&dir, &clock).await;
        Self { dir, clock, certificates }
    }

    async fn open(dir: &tempfile::TempDir, clock: &Arc<HandClock>) -> Certificates {
        let (writer, reader) = Store::open(dir.path(), Options::default()).await.unwrap();
        let secrets = Secrets::new(dir.path(), SecretsChoice::File, None);
        Certificates::new(secrets, reader, writer, Arc::clone(clock) as Arc<dyn Clock>)
    }
}

fn charger() -> ChargerId {
    ChargerId::new("CP1").unwrap()
}

fn request() -> String {
    let mut params = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

/// A restarted program is the same authority; chargers pinned it.
#[tokio::test]
async fn authority_survives_a_restart() {
    let site = Site::start().await;
    let before = site.certificates.authority_pem().await.unwrap();
    site.certificates.0.writer.clone().close().await.unwrap();
    drop(site.certificates);
    let again = Site::open(&site.dir, &site.clock).await;
    assert_eq!(again.authority_pem().await.unwrap(), before);
}

/// The server's certificate covers this computer, stays while it is good, and is replaced in time without a restart.
#[tokio::test]
async fn server_certificate_is_renewed_in_time() {
    let site = Site::start().await;
    let _config = site.certificates.server_config(&[]).await.unwrap();
    let first = site.certificates.describe().await.unwrap().server;
    assert!(first.names.contains("localhost") && first.names.contains("127.0.0.1"), "{first:?}");
    site.certificates.renew_when_due().await.unwrap();
    assert_eq!(site.certificates.describe().await.unwrap().server, first, "a good one stays");
    site.clock.0.store(first.expires_at.0 - 29 * DAY_MS, Ordering::Relaxed);
    site.certificates.renew_when_due().await.unwrap();
    let second = site.certificates.describe().await.unwrap().server;
    assert!(second.expires_at > first.expires_at, "{second:?}");
}

/// What a charger asks for beyond a certificate of its own is ignored, and garbage is refused in words.
#[tokio::test]
async fn requests_get_no_more_than_a_charger_needs() {
    let site = Site::start().await;
    let issued = site.certificates.sign(&charger(), &request()).await.unwrap();
    let der = CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    assert!(!certificate.is_ca() && certificate.subject_alternative_name().unwrap().is_none());
    assert_eq!(site.certificates.chargers().standing(&der), Standing::Valid(charger()));
    assert!(site.certificates.revoke(&issued.serial).await.unwrap());
    assert_eq!(site.certificates.chargers().standing(&der), Standing::Revoked);
    for garbage in ["", "hello", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"] {
        let error = site.certificates.sign(&charger(), garbage).await.unwrap_err();
        assert!(error.to_string().contains("request cannot be used"), "{error}");
    }
    assert!(site.certificates.sign(&charger(), &"A".repeat(100_000)).await.is_err());
}

/// Devices that connect and say nothing hold up nobody: a handshake beside them completes.
#[tokio::test]
async fn silent_devices_block_nobody() {
    let site = Site::start().await;
    let config = site.certificates.server_config(&[]).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (drain, drained) = tokio::sync::watch::channel(false);
    let (mut incoming, accept) = listen(listener, config, Arc::new(|_, _, _| {}), drained);
    let accepting = tokio::spawn(accept);
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut roots = RootCertStore::empty();
    let authority = site.certificates.authority_pem().await.unwrap();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let time = Arc::new(WallTime(Arc::clone(&site.clock) as Arc<dyn Clock>));
    let client = ClientConfig::builder_with_details(Arc::new(default_provider()), time)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(client));
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let handshake = connector.connect(name, stream);
    let (client, server) =
        tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(handshake, incoming.recv()) })
            .await
            .expect("the silent ones must not be waited for");
    assert!(client.is_ok() && server.is_some());
    drain.send_replace(true);
    accepting.await.unwrap();
    drop(silent);
}
