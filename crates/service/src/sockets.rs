//! Binding the listeners, and starting those with TLS.

use crate::config::Config;
use crate::engine::ChargerCommand;
use crate::error::StartError;
use crate::http::{self, SecuredListener};
use crate::mqtt::Gatekeeper;
use crate::ocpp_socket::{self, Carrier};
use crate::running::{Addresses, named};
use crate::tls::{self, CertificateError, Certificates, TlsIncoming};
use api::{Language, RefusalCode};
use central_system::{Command, Trigger};
use domain::{ChargerId, DurationMs, Timestamp};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Listeners that are bound and wait.
pub(crate) struct Sockets {
    pub(crate) http: TcpListener,
    pub(crate) ocpp: TcpListener,
    pub(crate) mqtt: TcpListener,
    pub(crate) files: Option<TcpListener>,
    pub(crate) secured: SecuredSockets,
}

/// Listeners with TLS, where they are switched on.
pub(crate) struct SecuredSockets {
    https: Option<TcpListener>,
    ocpps: Option<TcpListener>,
    mqtts: Option<TcpListener>,
}

impl Sockets {
    /// Binds everything before anything is opened, so that a taken port changes nothing.
    pub(crate) fn listen(config: &Config) -> Result<Self, StartError> {
        Ok(Self {
            http: listen("http", config.http)?,
            ocpp: listen("ocpp", config.ocpp)?,
            mqtt: listen("mqtt", config.mqtt)?,
            files: listen_where_wanted("files", config.files)?,
            secured: SecuredSockets {
                https: listen_where_wanted("https", config.https)?,
                ocpps: listen_where_wanted("ocpps", config.ocpps)?,
                mqtts: listen_where_wanted("mqtts", config.mqtts)?,
            },
        })
    }

    /// Where the file server listens, when it is switched on.
    pub(crate) fn files_address(&self, config: &Config) -> Result<Option<SocketAddr>, StartError> {
        self.files.as_ref().zip(config.files).map(|(listener, wanted)| local(listener, "files", wanted)).transpose()
    }

    /// Where they listen.
    pub(crate) fn addresses(&self, config: &Config) -> Result<Addresses, StartError> {
        let optional = |listener: &Option<TcpListener>, option, wanted: Option<SocketAddr>| {
            listener.as_ref().zip(wanted).map(|(listener, wanted)| local(listener, option, wanted)).transpose()
        };
        Ok(Addresses {
            http: local(&self.http, "http", config.http)?,
            ocpp: local(&self.ocpp, "ocpp", config.ocpp)?,
            mqtt: local(&self.mqtt, "mqtt", config.mqtt)?,
            https: optional(&self.secured.https, "https", config.https)?,
            ocpps: optional(&self.secured.ocpps, "ocpps", config.ocpps)?,
            mqtts: optional(&self.secured.mqtts, "mqtts", config.mqtts)?,
            files: optional(&self.files, "files", config.files)?,
        })
    }
}

/// What listeners with TLS need.
pub(crate) struct Secured<'a> {
    pub(crate) certificates: &'a Certificates,
    pub(crate) drain: &'a watch::Sender<bool>,
}

/// The tasks of the listeners with TLS.
#[derive(Default)]
pub(crate) struct SecuredTasks {
    /// In the order in which they are waited for.
    pub(crate) tasks: Vec<(&'static str, JoinHandle<()>)>,
    /// Streams for the broker.
    pub(crate) mqtts: Option<TlsIncoming>,
}

impl Secured<'_> {
    /// Starts them; makes the certificates when any is switched on.
    pub(crate) async fn begin(
        &self,
        sockets: SecuredSockets,
        addresses: Addresses,
        shared: &http::Shared,
        carrier: &Carrier,
        gatekeeper: &Arc<Gatekeeper>,
    ) -> Result<SecuredTasks, StartError> {
        self.try_begin(sockets, addresses, shared, carrier, gatekeeper).await.map_err(StartError::Certificates)
    }

    async fn try_begin(
        &self,
        sockets: SecuredSockets,
        addresses: Addresses,
        shared: &http::Shared,
        carrier: &Carrier,
        gatekeeper: &Arc<Gatekeeper>,
    ) -> Result<SecuredTasks, CertificateError> {
        let mut begun = SecuredTasks::default();
        if let Some((listener, local)) = sockets.https.zip(addresses.https) {
            let config = self.certificates.server_config(&[b"http/1.1"]).await?;
            let failed = Arc::new(|peer: SocketAddr, code: RefusalCode, about: String| {
                let words = code.sentence(Language::English, &about);
                tracing::info!(%peer, words, "a browser or program could not connect with TLS");
            });
            let (incoming, accept) = tls::listen(listener, config, failed, self.drain.subscribe());
            let served = http::serve(SecuredListener::new(incoming, local), shared.clone());
            begun.tasks.extend([named("https", served), named("https handshakes", accept)]);
        }
        if let Some(listener) = sockets.ocpps {
            let config = self.certificates.charger_config().await?;
            let noted = carrier.clone();
            let failed = Arc::new(move |peer, code, about| noted.handshake_failed(peer, code, about));
            let (incoming, accept) = tls::listen(listener, config, failed, self.drain.subscribe());
            let served = ocpp_socket::listen_tls(incoming, self.certificates.clone(), carrier.clone());
            begun.tasks.extend([named("ocpps", served), named("ocpps handshakes", accept)]);
        }
        if let Some(listener) = sockets.mqtts {
            let config = self.certificates.server_config(&[]).await?;
            let noted = Arc::clone(gatekeeper);
            let failed = Arc::new(move |peer, code, about: String| noted.handshake_failed(peer, code, &about));
            let (incoming, accept) = tls::listen(listener, config, failed, self.drain.subscribe());
            begun.mqtts = Some(incoming);
            begun.tasks.push(named("mqtts handshakes", accept));
        }
        begun.tasks.push(named("certificates", renew(shared.clone(), self.drain.subscribe())));
        Ok(begun)
    }
}

/// A charger's certificate is renewed this long before it ends: a charger may be away for weeks.
const RENEW_CHARGER_BEFORE_MS: i64 = 60 * 24 * 3600 * 1000;

/// A charger that does not ask for its new certificate is reminded after a day.
const REMIND_EVERY_MS: i64 = 24 * 3600 * 1000;

/// Looks now and then whether the server or a charger needs a new certificate.
async fn renew(shared: http::Shared, mut drain: watch::Receiver<bool>) {
    let certificates = shared.certificates.clone();
    let mut reminded: BTreeMap<ChargerId, Timestamp> = BTreeMap::new();
    loop {
        tokio::select! {
            () = crate::drain::drained(&mut drain) => return,
            () = tokio::time::sleep(shared.clock.real(DurationMs::from_secs(tls::LOOK_EVERY.as_secs()))) => {}
        }
        if let Err(error) = certificates.renew_when_due().await {
            tracing::error!(
                error = crate::error::chain(&error),
                "the server certificate could not be renewed; tried again later"
            );
        }
        let now = shared.clock.now().wall;
        for charger in certificates.chargers().ending_before(Timestamp(now.0 + RENEW_CHARGER_BEFORE_MS)) {
            if reminded.get(&charger).is_some_and(|at| now.0 - at.0 < REMIND_EVERY_MS) {
                continue;
            }
            shared.access.invite(&charger);
            let command = Command::ExtendedTrigger { message: Trigger::SignCertificate, connector: None };
            // One that is away is asked when it is back.
            if shared.command(charger.clone(), ChargerCommand::Ocpp(command)).await.is_ok() {
                reminded.insert(charger, now);
            }
        }
    }
}

/// Connections that wait to be accepted: after a power cut every charger comes back in the same second, and one that
/// finds no room tries again only after a second or three.
const BACKLOG: u32 = 4096;

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart finds its port free at once. On Windows the same option would let two programs share a port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn listen(option: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    bind(address).map_err(|source| {
        if source.kind() == std::io::ErrorKind::AddrInUse {
            StartError::PortTaken { option, address }
        } else {
            StartError::Listen { option, address, source }
        }
    })
}

fn listen_where_wanted(option: &'static str, address: Option<SocketAddr>) -> Result<Option<TcpListener>, StartError> {
    address.map(|address| listen(option, address)).transpose()
}

fn local(listener: &TcpListener, option: &'static str, address: SocketAddr) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::Listen { option, address, source })
}
